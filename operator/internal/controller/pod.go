package controller

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// isStarting is the problem of a pod of which nobody says more.
const isStarting = "its pod is starting"

// podProblem says why a pod's node cannot be asked anything yet, in the words of
// Kubernetes where it has some. It is empty for a pod whose container runs and has
// an address.
func podProblem(pod *corev1.Pod) string {
	if pod == nil {
		return "it has no pod"
	}
	if pod.DeletionTimestamp != nil {
		return "its pod is being deleted"
	}
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		return because(pod.Status.Reason, pod.Status.Message) // such as Evicted, by the kubelet
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return cmp.Or(because(condition.Reason, condition.Message), isStarting)
		}
	}
	problem := isStarting
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == resources.Container {
			problem = containerProblem(status)
		}
	}
	if problem == "" && pod.Status.PodIP == "" {
		return "its pod has no address yet"
	}
	return problem
}

func containerProblem(status corev1.ContainerStatus) string {
	switch state := status.State; {
	case state.Running != nil:
		return ""
	case state.Waiting != nil:
		if ended := status.LastTerminationState.Terminated; ended != nil {
			return because(state.Waiting.Reason, howItEnded(ended))
		}
		if cannotRun(state.Waiting.Reason) {
			return because(noEntryPoint, state.Waiting.Message)
		}
		return cmp.Or(because(state.Waiting.Reason, state.Waiting.Message), isStarting)
	case state.Terminated != nil:
		return howItEnded(state.Terminated)
	default:
		return isStarting
	}
}

// Why the kubelet says that a container ended, or could not run, beside the
// container's own failure.
const (
	oomKilled    = "OOMKilled"
	startError   = "StartError"
	runError     = "RunContainerError"
	createError  = "CreateContainerError"
	cannotRunOld = "ContainerCannotRun"
)

// noEntryPoint is the problem of an image that was not made for the operator.
const noEntryPoint = "its image cannot run " + bitcoind.EntryPoint + ", the entry point that every image of a network must have on its PATH"

// cannotRun tells whether a container's program could not even be started. The
// program is always the entry point.
func cannotRun(reason string) bool {
	return reason == startError || reason == runError || reason == createError || reason == cannotRunOld
}

func howItEnded(ended *corev1.ContainerStateTerminated) string {
	switch {
	case cannotRun(ended.Reason):
		return noEntryPoint
	case ended.Reason == oomKilled:
		return because(oomKilled, "its container needed more memory than its limit; raise spec.resources.limits.memory, or lower dbcache and maxmempool in spec.config")
	default:
		return fmt.Sprintf("its container ended with exit code %d: %s", ended.ExitCode, ended.Message)
	}
}

// because joins a reason and a message, of which either may be missing. Only the
// end of a long message is kept: of a container's log that is where the error is.
func because(reason, message string) string {
	const longest = 300
	message = strings.Join(strings.Fields(message), " ")
	if runes := []rune(message); len(runes) > longest {
		message = "…" + string(runes[len(runes)-longest:])
	}
	switch message = strings.TrimSuffix(message, ":"); {
	case reason == "":
		return message
	case message == "":
		return reason
	default:
		return reason + ": " + message
	}
}

// isReady tells whether the kubelet finds a pod ready, which its node says without
// credentials.
func isReady(pod *corev1.Pod) bool {
	return pod != nil && slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
		return condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue
	})
}

// neverRan tells that a pod's container has never run, so that nothing is lost
// with the pod.
func neverRan(pod *corev1.Pod) bool {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == resources.Container {
			return status.RestartCount == 0 && status.State.Waiting != nil && status.LastTerminationState.Terminated == nil
		}
	}
	return true
}

func hostPort(host string, port int32) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
