package rollout_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// repaired makes a network one whose node was replaced so often because it was broken
// by itself, last so long ago.
func repaired(ordinal, count int32, ago time.Duration) func(*v1alpha1.BitcoinNetwork) {
	return func(network *v1alpha1.BitcoinNetwork) {
		last := metav1.NewTime(statetest.Now.Add(-ago))
		network.Status.Repairs = append(network.Status.Repairs,
			v1alpha1.RepairStatus{Ordinal: ordinal + 7, Count: 1, Last: last}, v1alpha1.RepairStatus{Ordinal: ordinal, Count: count, Last: last})
	}
}

// servedAgo makes a node one that last served so long ago.
func servedAgo(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.LastServed = statetest.Now.Add(-ago) }
}

func TestRepair(t *testing.T) {
	const minute = time.Minute
	run(t, []decision{
		{
			reason: "a corrupt node beside two healthy ones",
			nodes:  []state.Node{at(0), with(crashed(1), servedAgo(5*minute)), at(2)},
			want:   "Replace 1 to repair it",
		},
		{
			reason: "not at once: it may come up by itself",
			nodes:  []state.Node{at(0), with(crashed(1), servedAgo(5*minute-1)), at(2)},
		},
		{
			reason: "one that hangs",
			nodes:  []state.Node{at(0), hung(1)},
			want:   "Replace 1 to repair it",
		},
		{
			reason: "not one that alone has the best block",
			nodes:  []state.Node{behind(0), crashed(1)},
			want:   "1 waits for somebody, best_block: " + dilemma,
		},
		{
			reason: "not before another has the best block",
			nodes:  []state.Node{behind(0), crashed(1), silent(2)},
			want:   "1 waits, best_block: payments-2 to show that it has " + best + ": its RPC port is closed",
		},
		{
			reason: "where nobody has any block, there is none to lose",
			nodes:  []state.Node{with(crashed(0), empty)},
			want:   "Replace 0 to repair it",
		},
		{
			reason: "of a public chain the world has the best block",
			nodes:  []state.Node{crashed(0)}, seen: views{public},
			want: "Replace 0 to repair it",
		},
		{
			reason: "a volume would be spoiled in the next pod, too",
			nodes:  []state.Node{at(0), crashed(1)}, network: changes{onVolumes},
		},
		{
			reason: "a pod that no machine takes would not be taken again",
			nodes:  []state.Node{at(0), with(silent(1, unschedulable), empty)},
		},
		{
			reason: "one that runs, and is behind, catches up",
			nodes:  []state.Node{at(0), with(behind(1), servedAgo(time.Hour))},
		},
		{
			reason: "the second time after ten minutes",
			nodes:  []state.Node{at(0), crashed(1)}, network: changes{repaired(1, 1, 10*minute)},
			want: "Replace 1 to repair it",
		},
		{
			reason: "and not before",
			nodes:  []state.Node{at(0), crashed(1)}, network: changes{repaired(1, 1, 10*minute-1)},
		},
		{
			reason: "nor where it has served meanwhile, and broken again",
			nodes:  []state.Node{at(0), with(crashed(1), servedAgo(minute))}, network: changes{repaired(1, 1, 10*minute)},
		},
		{
			reason: "the third time after twenty",
			nodes:  []state.Node{at(0), crashed(1)}, network: changes{repaired(1, 2, 20*minute)},
			want: "Replace 1 to repair it",
		},
		{
			reason: "and not before",
			nodes:  []state.Node{at(0), crashed(1)}, network: changes{repaired(1, 2, 20*minute-1)},
		},
		{
			reason: "a second node that is there to copy the only one's chain is repaired, too",
			nodes:  []state.Node{at(0), with(crashed(1), empty)}, seen: views{wanting(1)},
			want: "Replace 1 to repair it",
		},
		{
			reason: "nor a node that there is to be no longer",
			nodes:  []state.Node{at(0), at(1), crashed(2)},
			seen:   views{func(seen *state.Network) { seen.StatefulSet.Spec.Replicas = new(int32(2)) }},
		},
		{
			reason: "there is no fourth time",
			nodes:  []state.Node{at(0), crashed(1)}, network: changes{repaired(1, 3, 24*time.Hour)},
		},
		{
			reason: "the next broken one has its turn",
			nodes:  []state.Node{at(0), crashed(1), crashed(2)}, network: changes{repaired(1, 1, minute)},
			want: "Replace 2 to repair it",
		},
		{
			reason: "a budget may refuse",
			nodes:  []state.Node{at(0), with(crashed(1), refused(time.Second)), at(2)},
			want:   "1 waits, budget: a disruption budget to allow its eviction",
		},
		{
			reason: "while a change is halted by the broken node, it is repaired all the same",
			nodes:  []state.Node{crashed(0), at(1, old), at(2, old)}, network: changes{taken(0, replace, time.Hour)},
			want: "Replace 0 to repair it",
		},
	})
}

func TestRepairsAreForgotten(t *testing.T) {
	const quarter = 15 * time.Minute
	for _, test := range []struct {
		reason string
		last   time.Duration
		node   state.Node
		want   bool
	}{
		{"not while the node is broken", time.Hour, crashed(1), true},
		{"not when it has only just been mended", quarter - 1, at(1), true},
		{"when it serves a while after", quarter, at(1), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network, seen := statetest.Network(2, repaired(1, 2, test.last)), statetest.Seen(at(0), test.node)
			repairs := rollout.Repairs(network, seen)
			if got, goesOn := repairs[1]; goesOn != test.want || goesOn && got.Count != 2 {
				t.Errorf("got %+v", got)
			}
			if got, goesOn := repairs[0]; goesOn {
				t.Errorf("got %+v for a node that was never broken", got)
			}
		})
	}
}
