package state_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestStartedAt(t *testing.T) {
	at := statetest.Now.Add(-time.Hour)
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: metav1.NewTime(at)}}
	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   time.Time
	}{
		{"its container runs", statetest.Pod(0, statetest.Started(at)), at},
		{"it has ended", statetest.Pod(0, statetest.Container(ended)), at},
		{"it waits to be started again", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", ""),
			func(status *corev1.ContainerStatus) { status.LastTerminationState = ended })), at},
		{"it has never run: not before the pod was made", statetest.Pod(0, statetest.Created(at),
			statetest.Container(statetest.Waiting("ContainerCreating", ""))), at},
		{"nobody has told of it", statetest.Pod(0, statetest.Created(at),
			func(pod *corev1.Pod) { pod.Status.ContainerStatuses = nil }), at},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := state.StartedAt(test.pod); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestLife(t *testing.T) {
	pod := statetest.Pod(0)
	again := statetest.Pod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].ContainerID = "containerd://again" })
	replaced := statetest.Pod(0, func(pod *corev1.Pod) { pod.UID = "another" })
	untold := statetest.Pod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses = nil })
	lives := map[string]bool{}
	for _, pod := range []*corev1.Pod{pod, again, replaced, untold} {
		lives[state.Life(pod)] = true
	}
	if len(lives) != 4 || state.Life(pod) != state.Life(statetest.Pod(0)) {
		t.Errorf("got %v, want one for each pod and container", lives)
	}
}

func TestSinceWhenTheProbeIsNotServed(t *testing.T) {
	at := statetest.Now.Add(-time.Minute)
	says := func(kind corev1.PodConditionType) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			for i := range pod.Status.Conditions {
				if condition := &pod.Status.Conditions[i]; condition.Type == kind {
					condition.Status, condition.LastTransitionTime = corev1.ConditionFalse, metav1.NewTime(at)
				}
			}
		}
	}
	gated := func(pod *corev1.Pod) {
		pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: resources.SyncedCondition}}
	}
	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   time.Time
	}{
		{"it is served", statetest.Pod(0), time.Time{}},
		{"the kubelet finds the container not ready", statetest.Pod(0, says(corev1.ContainersReady), says(corev1.PodReady)), at},
		{"its machine is lost, of which Kubernetes says so of the pod alone", statetest.Pod(0, says(corev1.PodReady)), at},
		{"it waits for the operator, and serves the kubelet", statetest.Pod(0, gated, says(corev1.PodReady)), time.Time{}},
		{"no machine has taken it yet", statetest.Pod(0, statetest.Created(at), func(pod *corev1.Pod) { pod.Status.Conditions = nil }), at},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := state.UnservedSince(test.pod); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestReadiness(t *testing.T) {
	if !state.IsReady(statetest.Pod(0)) || state.IsReady(statetest.Pod(0, statetest.NotReady)) || state.IsReady(nil) {
		t.Error("IsReady is not what the kubelet says")
	}
	if got := state.RunsSince(statetest.Pod(0)); !got.Equal(statetest.Born) {
		t.Errorf("it runs since %s, want %s", got, statetest.Born)
	}
	if got := state.RunsSince(statetest.Pod(0, statetest.NotReady)); !got.IsZero() {
		t.Errorf("it runs since %s, want never", got)
	}
}

func TestAwaitsSync(t *testing.T) {
	gated := func(pod *corev1.Pod) {
		pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "other"}, {ConditionType: resources.SyncedCondition}}
	}
	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   bool
	}{
		{"it is from before there was a gate", statetest.Pod(0), false},
		{"nobody has opened its gate", statetest.Pod(0, gated), true},
		{"its gate is open", statetest.Pod(0, gated, with(resources.SyncedCondition, corev1.ConditionTrue, "", 0)), false},
		{"somebody has closed it", statetest.Pod(0, gated, with(resources.SyncedCondition, corev1.ConditionFalse, "", 0)), true},
		{"somebody else's gate is closed", statetest.Pod(0, func(pod *corev1.Pod) {
			pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "other"}}
		}), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := state.AwaitsSync(test.pod); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestReadSecretAt(t *testing.T) {
	created, started := statetest.Now.Add(-2*time.Hour), statetest.Now.Add(-time.Hour)
	node := statetest.NodeAt(0, 7, "a", statetest.Created(created), statetest.Started(started))
	if got := state.ReadSecretAt(node); !got.Equal(started) {
		t.Errorf("got %s, want when its container started", got)
	}
	node.RejectsAll = true
	if got := state.ReadSecretAt(node); !got.Equal(created) {
		t.Errorf("got %s, want when its pod was made: it cannot be restarted", got)
	}
}

func TestMissedSecret(t *testing.T) {
	seen := statetest.Healthy(1)
	for _, test := range []struct {
		reason  string
		changed time.Duration // after its container started
		want    bool
	}{
		{"it changed after the start", time.Second, true},
		{"it changed so shortly before that the kubelet's copy may have been behind", time.Second - state.SecretLag, true},
		{"it changed long before", -state.SecretLag, false},
	} {
		seen.Secret.ChangedAt = statetest.Born.Add(test.changed)
		if got := seen.MissedSecret(seen.Nodes[0]); got != test.want {
			t.Errorf("%s: got %t, want %t", test.reason, got, test.want)
		}
	}
}

func TestRestarts(t *testing.T) {
	again := statetest.Pod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].RestartCount = 2 })
	untold := statetest.Pod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses = nil })
	if got := state.Restarts(again); got != 2 {
		t.Errorf("got %d, want what the kubelet counts", got)
	}
	if got := state.Restarts(untold); got != 0 {
		t.Errorf("got %d, want none where nobody has told of any", got)
	}
}
