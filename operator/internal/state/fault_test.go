package state_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// with puts a condition of that age on a pod.
func with(kind corev1.PodConditionType, status corev1.ConditionStatus, reason string, age time.Duration) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		condition := corev1.PodCondition{
			Type: kind, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(statetest.Now.Add(-age)),
		}
		pod.Status.Conditions = append([]corev1.PodCondition{condition}, pod.Status.Conditions...)
	}
}

// deleted makes a pod one that should have been gone for so long.
func deleted(late time.Duration) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.DeletionTimestamp = new(metav1.NewTime(statetest.Now.Add(-late))) }
}

// afterEnds makes a container one that has ended so often, last with that code.
func afterEnds(times int32, code int32) func(*corev1.ContainerStatus) {
	return func(status *corev1.ContainerStatus) {
		status.RestartCount, status.LastTerminationState = times, statetest.Exited(code, "", "")
	}
}

func TestFault(t *testing.T) {
	const minute = time.Minute
	waits := func(reason string, changes ...func(*corev1.ContainerStatus)) func(*corev1.Pod) {
		return statetest.Container(statetest.Waiting(reason, ""), changes...)
	}
	// quiet is a node that has not answered for so long.
	quiet := func(age time.Duration, changes ...func(*corev1.Pod)) state.Node {
		node := unknown(0, changes...)
		node.LastAnswer = statetest.Now.Add(-age)
		return node
	}
	// again makes a container one that was started again, so long ago.
	again := func(age time.Duration, code int32) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			statetest.NotReady(pod)
			statetest.Started(statetest.Now.Add(-age))(pod)
			afterEnds(1, code)(&pod.Status.ContainerStatuses[0])
		}
	}
	ready := with(corev1.PodReady, corev1.ConditionTrue, "", 0)
	answers := func(node state.Node) state.Node { node.Answers = true; return node }
	warmsUp := func(node state.Node) state.Node { node.WarmsUp = true; return node }
	rejecting := quiet(minute)
	rejecting.RejectsAll = true
	brings := func(current corev1.ContainerState) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "bitcoind-start", State: current}}
		}
	}
	answering := quiet(minute)
	answering.Answers = true
	neverLooked := quiet(minute)
	neverLooked.LastAnswer = time.Time{}

	for _, test := range []struct {
		reason string
		node   state.Node
		want   state.Fault
	}{
		{"it answers", statetest.NodeAt(0, 7, "a"), state.NoFault},
		{"it is about to be made", state.Missing(""), state.NoFault},
		{"a quota does not allow it", state.Missing("exceeded quota"), state.NotMade},

		{"it is on its way out", quiet(minute, deleted(minute-1)), state.NoFault},
		{"it should have been gone a minute ago", quiet(minute, deleted(minute)), state.MachineLost},
		{"its machine does not answer, says Kubernetes", quiet(0, deleted(0),
			with(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByTaintManager", 0)), state.MachineLost},
		{"it is evicted for another reason", quiet(0, deleted(0),
			with(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", 0)), state.NoFault},
		{"it is not on its way out after all", quiet(0,
			with(corev1.DisruptionTarget, corev1.ConditionFalse, "DeletionByTaintManager", 0)), state.NoFault},

		{"no machine has taken it yet", quiet(0, with(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", minute-1)), state.NoFault},
		{"no machine takes it", quiet(0, with(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", minute)), state.Unschedulable},

		{"the kubelet has evicted it", quiet(0, func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodFailed }), state.Crashing},
		{"the kubelet has not told of it yet", quiet(minute, func(pod *corev1.Pod) { pod.Status.ContainerStatuses = nil }), state.NoFault},
		{"it is being made", quiet(minute, waits("ContainerCreating")), state.NoFault},
		{"its image cannot be pulled", quiet(0, waits("ImagePullBackOff")), state.Crashing},
		{"its entry point is being brought", quiet(minute, waits("PodInitializing"), brings(statetest.Waiting("PodInitializing", ""))), state.NoFault},
		{"its entry point's image cannot be pulled", quiet(0, waits("PodInitializing"), brings(statetest.Waiting("ImagePullBackOff", ""))), state.Crashing},
		{"the same on a machine where it once ran, and was told to stop", quiet(0, waits("PodInitializing", afterEnds(1, 0)), brings(statetest.Waiting("ErrImagePull", ""))), state.Crashing},
		{"its entry point cannot be copied", quiet(0, waits("PodInitializing"), brings(statetest.Exited(1, "Error", ""))), state.Crashing},
		{"it runs, whatever became of the container that brought its entry point", quiet(0, brings(statetest.Exited(137, "ContainerStatusUnknown", ""))), state.NoFault},
		{"it cannot be started again, though it had ended well", quiet(0, waits("CreateContainerConfigError", afterEnds(1, 0))), state.Crashing},
		{"it has crashed", quiet(0, statetest.Container(statetest.Exited(1, "Error", ""))), state.Crashing},
		{"it crashes", quiet(0, waits("CrashLoopBackOff", afterEnds(1, 1))), state.Crashing},
		{"nobody says how it ended", quiet(0, waits("CrashLoopBackOff")), state.Crashing},
		{"it runs again", quiet(0, func(pod *corev1.Pod) { afterEnds(3, 1)(&pod.Status.ContainerStatuses[0]) }), state.NoFault},
		{"it was told to stop", quiet(0, statetest.Container(statetest.Exited(0, "Completed", ""))), state.NoFault},
		{"it was told to stop, and the kubelet takes its time to start it again", quiet(10*minute, waits("CrashLoopBackOff", afterEnds(4, 0))), state.NoFault},
		{"nobody tells a node to stop so often", quiet(0, waits("CrashLoopBackOff", afterEnds(5, 0))), state.Crashing},

		{"it runs again for a moment after it crashed: so one does that crashes again and again", quiet(0, again(time.Minute-1, 1)), state.Crashing},
		{"it has run for a minute since", quiet(0, again(time.Minute, 1)), state.NoFault},
		{"it was told to stop", quiet(0, again(0, 0)), state.NoFault},
		{"it has only just been started", quiet(0, statetest.NotReady, statetest.Started(statetest.Now)), state.NoFault},
		{"the kubelet finds it ready", quiet(0, again(0, 1), ready), state.NoFault},
		{"it answers", answers(quiet(0, again(0, 1))), state.NoFault},
		{"it loads its chain", warmsUp(quiet(0, again(0, 1))), state.NoFault},

		{"it has not answered for a moment", quiet(minute - 1), state.NoFault},
		{"it has not answered for a minute", quiet(minute), state.Hung},
		{"it answers nobody who has no password", rejecting, state.NoFault},
		{"it answers now", answering, state.NoFault},
		{"nobody has looked at it before", neverLooked, state.NoFault},
		{"it has no address", quiet(minute, func(pod *corev1.Pod) { pod.Status.PodIP = "" }), state.NoFault},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := statetest.Seen(test.node).FaultOf(test.node); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFirstEndOfAContainer(t *testing.T) {
	// ran makes a container one that ran for so long before it last ended, and has been
	// started again so often.
	ran := func(long time.Duration, restarts int32) func(*corev1.ContainerStatus) {
		return func(status *corev1.ContainerStatus) {
			status.RestartCount = restarts
			status.LastTerminationState = statetest.Exited(1, "Error", "")
			status.LastTerminationState.Terminated.FinishedAt = metav1.NewTime(statetest.Born.Add(long))
		}
	}
	runsAgain := func(long time.Duration, restarts int32) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { ran(long, restarts)(&pod.Status.ContainerStatuses[0]) }
	}
	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   bool
	}{
		{"it has never ended", statetest.Pod(0), false},
		{"it has ended", statetest.Pod(0, statetest.Container(statetest.Exited(137, "Error", ""))), true},
		{"it has ended, and runs again", statetest.Pod(0, runsAgain(time.Second, 1)), true},
		{"it has ended twice", statetest.Pod(0, runsAgain(time.Second, 2)), false},
		{"it ran for ten minutes in between", statetest.Pod(0, runsAgain(10*time.Minute, 2)), true},
		{"it waits to be started again, as the kubelet has it after a second end", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", ""), ran(time.Second, 1))), false},
		{"its pod has failed", statetest.Pod(0, statetest.Container(statetest.Exited(137, "Error", "")), func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodFailed }), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := state.HasEndedOnce(test.pod); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestANewPodMendsWhatItCan(t *testing.T) {
	for fault, want := range map[state.Fault]bool{
		state.NoFault: false, state.NotMade: false, state.Unschedulable: false, state.MachineLost: false,
		state.Crashing: true, state.Hung: true,
	} {
		if got := fault.IsRepairable(); got != want {
			t.Errorf("%q: got %t, want %t", fault, got, want)
		}
	}
}

func TestOfEarlierLife(t *testing.T) {
	ownedBy := func(kind string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.OwnerReferences = append(pod.OwnerReferences, metav1.OwnerReference{Kind: kind, Name: "payments", UID: "earlier"})
		}
	}
	for _, test := range []struct {
		reason string
		object metav1.Object
		want   bool
	}{
		{"a pod that ends", statetest.Pod(0, statetest.Terminating), true},
		{"one whose StatefulSet is gone, and that nobody has told to go yet", statetest.Pod(0, ownedBy("StatefulSet")), true},
		{"a claim that goes with its pod", statetest.Pod(0, ownedBy("Pod")), true},
		{"one that was orphaned is taken over", statetest.Pod(0), false},
		{"one that somebody else holds on to stays", statetest.Pod(0, ownedBy("Backup")), false},
		{"one that has its grace period yet", statetest.Pod(0, ownedBy("StatefulSet"), deleted(-time.Hour)), true},
		{"one that is late", statetest.Pod(0, ownedBy("StatefulSet"), deleted(59*time.Second)), true},
		{"one on a machine that is lost keeps its own node alone from coming up", statetest.Pod(0, ownedBy("StatefulSet"), deleted(time.Minute)), false},
	} {
		if got := state.OfEarlierLife(test.object, statetest.Now); got != test.want {
			t.Errorf("%s: %t", test.reason, got)
		}
	}
}
