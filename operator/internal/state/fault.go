package state

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Fault is what keeps a node from running, told apart by what can be done about it.
type Fault string

const (
	// NoFault: it runs, or is about to.
	NoFault Fault = ""
	// NotMade: Kubernetes cannot make its pod, as where a quota does not allow it.
	NotMade Fault = "NotMade"
	// Unschedulable: no machine takes its pod.
	Unschedulable Fault = "Unschedulable"
	// MachineLost: its pod is on a machine that is gone.
	MachineLost Fault = "MachineLost"
	// Crashing: its container ends by itself, or cannot be started.
	Crashing Fault = "Crashing"
	// Hung: its container runs and does not answer.
	Hung Fault = "Hung"
)

const (
	// Silence is how long a node may not answer before it is taken to be hung.
	Silence = time.Minute
	// patience is how long a pod may wait for a machine, or be on its way out beyond
	// its grace period, before that is a fault.
	patience = time.Minute
)

// FaultOf returns what keeps a node from running.
func (n *Network) FaultOf(node Node) Fault {
	pod := node.Pod
	switch {
	case pod == nil && node.NotMade != "":
		return NotMade
	case pod == nil:
		return NoFault // it is about to be made
	case isOnLostMachine(pod, n.Now):
		return MachineLost
	case pod.DeletionTimestamp != nil:
		return NoFault
	case isUnschedulable(pod, n.Now):
		return Unschedulable
	case isCrashing(pod), hasJustCrashed(pod, n.Now) && !node.Answers && !node.WarmsUp:
		return Crashing
	case PodProblem(pod) == "" && !node.Answers && !node.RejectsAll && !node.LastAnswer.IsZero() && n.Now.Sub(node.LastAnswer) >= Silence:
		return Hung
	default:
		return NoFault
	}
}

// IsRepairable reports whether a new pod may mend a fault.
func (f Fault) IsRepairable() bool { return f == Crashing || f == Hung }

// deletionByTaintManager is the reason of the condition DisruptionTarget of pods whose
// machine does not answer.
const deletionByTaintManager = "DeletionByTaintManager"

// isOnLostMachine reports whether a pod should have been gone for a while, or is
// being deleted because its machine does not answer.
func isOnLostMachine(pod *corev1.Pod, now time.Time) bool {
	disrupted := condition(pod, corev1.DisruptionTarget)
	return isOverdue(pod, now) ||
		disrupted.Status == corev1.ConditionTrue && disrupted.Reason == deletionByTaintManager
}

// isOverdue reports whether an object should have been gone for a while.
func isOverdue(object metav1.Object, now time.Time) bool {
	deleted := object.GetDeletionTimestamp()
	return deleted != nil && now.Sub(deleted.Time) >= patience
}

// OfEarlierLife reports whether a pod or a volume claim is about to go, so that a
// StatefulSet which is yet to be made could not have its name: it is being deleted, or
// goes with an earlier StatefulSet, or a pod of one. What nobody owns a StatefulSet takes
// over; for what is overdue nobody waits.
func OfEarlierLife(object metav1.Object, now time.Time) bool {
	goesWithOwner := slices.ContainsFunc(object.GetOwnerReferences(), func(owner metav1.OwnerReference) bool {
		return owner.Kind == "StatefulSet" || owner.Kind == "Pod"
	})
	return (object.GetDeletionTimestamp() != nil || goesWithOwner) && !isOverdue(object, now)
}

func isUnschedulable(pod *corev1.Pod, now time.Time) bool {
	scheduled := condition(pod, corev1.PodScheduled)
	return scheduled.Status == corev1.ConditionFalse && now.Sub(scheduled.LastTransitionTime.Time) >= patience
}

// oftenEnded is how often a container may end with code 0 before that is a crash.
// One that was told to stop ends so, and waits in the kubelet's back-off like one
// that crashes.
const oftenEnded = 5

// isCrashing reports whether a pod's container cannot be started, for want of its entry
// point, too, or has ended by itself.
func isCrashing(pod *corev1.Pod) bool {
	if pod.Status.Phase == corev1.PodFailed {
		return true
	}
	container := Container(pod)
	if container == nil || container.State.Running != nil {
		return false
	}
	if waiting := container.State.Waiting; waiting != nil && slices.Contains(cannotStart, waiting.Reason) || FailedStart(pod) != nil {
		return true
	}
	if ended := lastEnd(container); ended != nil {
		return ended.ExitCode != 0 || container.RestartCount >= oftenEnded
	}
	return container.State.Waiting != nil && container.State.Waiting.Reason == backOff
}

// backOffReset is for how long a container has to run until the kubelet takes its end
// for a first one again, and starts it anew at once.
const backOffReset = 10 * time.Minute

// HasEndedOnce reports whether a pod's container has ended by itself for the first time,
// or the first in a while: the kubelet starts it again at once, and it may serve then.
func HasEndedOnce(pod *corev1.Pod) bool {
	container := Container(pod)
	if container == nil || container.State.Waiting != nil || pod.Status.Phase == corev1.PodFailed {
		return false
	}
	ends, ended := container.RestartCount, lastEnd(container)
	if container.State.Terminated != nil {
		ends++
	}
	return ended != nil && (ends == 1 || ended.FinishedAt.Sub(ended.StartedAt.Time) >= backOffReset)
}

// hasJustCrashed reports whether a pod's container runs again, for less than a minute
// and not ready yet, after it had ended by itself: one that crashes again and again runs
// for moments in between.
func hasJustCrashed(pod *corev1.Pod, now time.Time) bool {
	container := Container(pod)
	return container != nil && container.State.Running != nil && !IsReady(pod) &&
		container.LastTerminationState.Terminated != nil && container.LastTerminationState.Terminated.ExitCode != 0 &&
		now.Sub(container.State.Running.StartedAt.Time) < Silence
}

// cannotStart are the kubelet's reasons for a container that it cannot start.
var cannotStart = []string{
	"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
	"CreateContainerConfigError", createError, runError, startError, cannotRunOld,
}

// backOff is the kubelet's reason for a container that it starts again later.
const backOff = "CrashLoopBackOff"

// lastEnd returns how a container has last ended, or nil.
func lastEnd(container *corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if container.State.Terminated != nil {
		return container.State.Terminated
	}
	return container.LastTerminationState.Terminated
}
