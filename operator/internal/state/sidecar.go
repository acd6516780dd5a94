package state

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// Unreached says why clients do not reach a node that answers: another container of its
// pod is not ready, such as one that a service mesh puts there, so that no Service leads
// to the pod. It is empty where that is not so.
func Unreached(pod *corev1.Pod) string {
	if condition(pod, corev1.ContainersReady).Status != corev1.ConditionFalse {
		return ""
	}
	for _, container := range slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses) {
		if container.Name != resources.Container && !container.Ready {
			return join(fmt.Sprintf("clients cannot reach it: container %q of its pod is not ready", container.Name), whyNotReady(container))
		}
	}
	return ""
}

// whyNotReady returns what the kubelet says of a container that is not ready.
func whyNotReady(container corev1.ContainerStatus) string {
	switch state := container.State; {
	case state.Waiting != nil:
		return withReason(state.Waiting.Reason, state.Waiting.Message)
	case state.Terminated != nil:
		return withReason(fmt.Sprintf("it exited with code %d", state.Terminated.ExitCode), state.Terminated.Message)
	default:
		return ""
	}
}
