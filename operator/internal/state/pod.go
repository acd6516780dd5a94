package state

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// The problems of a pod of which nobody says more.
const (
	noPod      = "it has no pod"
	isStarting = "its pod is starting"
)

// aboutToStart are the kubelet's reasons for a container that is yet to be started, as is
// that nobody says why.
var aboutToStart = []string{"", "PodInitializing", "ContainerCreating"}

// PodProblem says why a pod's node cannot be asked anything yet, in the words of
// Kubernetes where it has some. It is empty for a pod whose container runs and has
// an address.
func PodProblem(pod *corev1.Pod) string {
	if pod == nil {
		return noPod
	}
	if pod.DeletionTimestamp != nil {
		return "its pod is being deleted"
	}
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		return withReason(pod.Status.Reason, pod.Status.Message) // such as Evicted, by the kubelet
	}
	if scheduled := condition(pod, corev1.PodScheduled); scheduled.Status == corev1.ConditionFalse {
		return cmp.Or(withReason(scheduled.Reason, scheduled.Message), isStarting)
	}
	if problem := startProblem(pod); problem != "" {
		return problem
	}
	problem := isStarting
	if container := Container(pod); container != nil {
		problem = containerProblem(*container)
	}
	if problem == "" && pod.Status.PodIP == "" {
		return "its pod has no address yet"
	}
	return problem
}

// startProblem says why a pod's entry point is not there. It is empty while nothing is
// wrong.
func startProblem(pod *corev1.Pod) string {
	failed := FailedStart(pod)
	if failed == nil {
		return ""
	}
	return join(fmt.Sprintf("init container %q of its pod", failed.Name), containerProblem(*failed))
}

// FailedStart returns the status of the init container that brings a pod's entry point
// from the operator's image, where it has failed to; nil where nothing is wrong. Of a node
// that runs it says nothing: the kubelet may have lost sight of what is long done.
func FailedStart(pod *corev1.Pod) *corev1.ContainerStatus {
	if node := Container(pod); node != nil && node.State.Running != nil {
		return nil
	}
	for i := range pod.Status.InitContainerStatuses {
		container := &pod.Status.InitContainerStatuses[i]
		waiting, ended := container.State.Waiting, container.State.Terminated
		hasFailed := ended != nil && ended.ExitCode != 0 || waiting != nil && !slices.Contains(aboutToStart, waiting.Reason)
		if container.Name == resources.StartContainer && hasFailed {
			return container
		}
	}
	return nil
}

func containerProblem(status corev1.ContainerStatus) string {
	switch state := status.State; {
	case state.Running != nil:
		return ""
	case state.Waiting != nil:
		if ended := status.LastTerminationState.Terminated; ended != nil {
			return join(state.Waiting.Reason, howItEnded(ended))
		}
		return cmp.Or(withReason(startReason(state.Waiting.Reason, state.Waiting.Message), state.Waiting.Message), isStarting)
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

// noEntryPoint is the problem of an image that was not made for the operator, in a pod
// that does not bring the entry point.
const noEntryPoint = "its image cannot run " + bitcoind.EntryPoint + ", the entry point that every image of a network must have on its PATH"

// cannotRun reports whether a container's program could not even be started.
func cannotRun(reason string) bool {
	return reason == startError || reason == runError || reason == createError || reason == cannotRunOld
}

// startReason is the kubelet's reason for what has become of a container. That its
// program could not be started is the image's fault only where the kubelet speaks of
// the entry point that is looked for on the PATH: it may as well be for want of memory.
func startReason(reason, message string) string {
	if cannotRun(reason) && strings.Contains(message, strconv.Quote(bitcoind.EntryPoint)) {
		return noEntryPoint
	}
	return reason
}

func howItEnded(ended *corev1.ContainerStateTerminated) string {
	switch {
	case cannotRun(ended.Reason):
		return withReason(startReason(ended.Reason, ended.Message), ended.Message)
	case ended.Reason == oomKilled:
		return join(oomKilled, "its container needed more memory than its limit; raise spec.resources.limits.memory, or lower dbcache and maxmempool in spec.config")
	default:
		return withReason(fmt.Sprintf("its container exited with code %d", ended.ExitCode), ended.Message)
	}
}

// control matches how a log sets a terminal's colours and the like.
var control = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

// withReason joins a reason and what somebody else says of it.
func withReason(reason, message string) string {
	return join(reason, Quote(message))
}

// Quote returns what somebody else says on one line. Only the end of a long text is
// kept: of a container's log that is where the error is. What is not printable is left
// out: an image chooses what it writes.
func Quote(message string) string { return QuoteUpTo(message, 300) }

// QuoteUpTo is Quote for texts of which that many characters are kept.
func QuoteUpTo(message string, longest int) string {
	message = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, control.ReplaceAllString(message, ""))
	message = strings.Join(strings.Fields(message), " ")
	if runes := []rune(message); len(runes) > longest {
		message = "…" + string(runes[len(runes)-longest:])
	}
	return strings.TrimSuffix(message, ":")
}

// join joins a reason and a message, of which either may be missing.
func join(reason, message string) string {
	switch {
	case reason == "":
		return message
	case message == "":
		return reason
	default:
		return reason + ": " + message
	}
}

// NeverRan reports that a pod's container has never run, so that nothing is lost
// with the pod.
func NeverRan(pod *corev1.Pod) bool {
	container := Container(pod)
	return container == nil || container.RestartCount == 0 && container.State.Waiting != nil && container.LastTerminationState.Terminated == nil
}
