package state

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// Container returns the status of the container that runs a pod's node, or nil while
// the kubelet has told of none.
func Container(pod *corev1.Pod) *corev1.ContainerStatus {
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(status corev1.ContainerStatus) bool { return status.Name == resources.Container })
	if i < 0 {
		return nil
	}
	return &pod.Status.ContainerStatuses[i]
}

// Life tells apart the containers that run a pod's node, one after the other.
func Life(pod *corev1.Pod) string {
	if container := Container(pod); container != nil {
		return string(pod.UID) + "/" + container.ContainerID
	}
	return string(pod.UID)
}

// Restarts returns how often the container of a pod has been started again.
func Restarts(pod *corev1.Pod) int32 {
	if container := Container(pod); container != nil {
		return container.RestartCount
	}
	return 0
}

// StartedAt returns when the container of a pod started that runs, or ran last: then
// it has read the Secret.
func StartedAt(pod *corev1.Pod) time.Time {
	container := Container(pod)
	switch {
	case container == nil:
	case container.State.Running != nil:
		return container.State.Running.StartedAt.Time
	case container.State.Terminated != nil:
		return container.State.Terminated.StartedAt.Time
	case container.LastTerminationState.Terminated != nil:
		return container.LastTerminationState.Terminated.StartedAt.Time
	}
	return pod.CreationTimestamp.Time
}

// condition returns a condition of a pod, or one that says nothing.
func condition(pod *corev1.Pod, name corev1.PodConditionType) corev1.PodCondition {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == name {
			return condition
		}
	}
	return corev1.PodCondition{}
}

// IsReady reports whether the kubelet finds a pod ready, which its node says without
// credentials.
func IsReady(pod *corev1.Pod) bool {
	return pod != nil && condition(pod, corev1.PodReady).Status == corev1.ConditionTrue
}

// RunsSince returns since when the kubelet has found a pod's containers ready; zero
// if it does not.
func RunsSince(pod *corev1.Pod) time.Time {
	ready := condition(pod, corev1.ContainersReady)
	if ready.Status != corev1.ConditionTrue {
		return time.Time{}
	}
	return ready.LastTransitionTime.Time
}

// UnservedSince returns since when a pod's container has not served the kubelet's probe;
// zero if it does. Of a machine that is lost nobody says so but of the pod as a whole.
func UnservedSince(pod *corev1.Pod) time.Time {
	containers, whole := condition(pod, corev1.ContainersReady), condition(pod, corev1.PodReady)
	switch {
	case containers.Status == "":
		return pod.CreationTimestamp.Time
	case containers.Status != corev1.ConditionTrue:
		return containers.LastTransitionTime.Time
	case whole.Status != corev1.ConditionTrue && !AwaitsSync(pod):
		return whole.LastTransitionTime.Time
	default:
		return time.Time{}
	}
}

// AwaitsSync reports whether a pod has the readiness gate that the operator opens
// when its node has the best block, and it is still closed.
func AwaitsSync(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.ReadinessGates, func(gate corev1.PodReadinessGate) bool {
		return gate.ConditionType == resources.SyncedCondition
	}) && condition(pod, resources.SyncedCondition).Status != corev1.ConditionTrue
}
