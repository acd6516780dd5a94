package rollout_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestSynced(t *testing.T) {
	gated := func(pod *corev1.Pod) {
		statetest.NotReady(pod)
		pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: resources.SyncedCondition}}
	}
	open := func(pod *corev1.Pod) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: resources.SyncedCondition, Status: corev1.ConditionTrue})
	}
	for _, test := range []struct {
		reason string
		nodes  []state.Node
		want   []int
	}{
		{"those that have the best block", []state.Node{at(0, gated), behind(1, gated), at(2, gated)}, []int{0, 2}},
		{"also one that shows it without credentials", []state.Node{at(0), with(statetest.Rejecting(1, 7, gated), func(node *state.Node) { node.Shown = true })}, []int{1}},
		{"and one with another block and as much work", []state.Node{at(0), statetest.NodeAt(1, 7, "b", gated)}, []int{1}},
		{"what it had when it last answered does not count", []state.Node{at(0), silent(1, gated)}, nil},
		{"not twice", []state.Node{at(0, gated, open)}, nil},
		{"not one of before there were gates", []state.Node{at(0)}, nil},
		{"not one on its way out", []state.Node{at(0, gated, statetest.Terminating)}, nil},
		{"where there is no block yet, every pod", []state.Node{statetest.NodeAt(0, 0, "a", gated), with(silent(1, gated), empty), state.Missing("")}, []int{0, 1}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if diff := cmp.Diff(test.want, rollout.Synced(statetest.Seen(test.nodes...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
