package rollout_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// lostMachine makes a pod one that should have been gone long ago.
func lostMachine(pod *corev1.Pod) {
	statetest.NotReady(pod)
	pod.DeletionTimestamp = new(metav1.NewTime(statetest.Now.Add(-time.Hour)))
}

// hadBest makes a node one that had the best block so long ago.
func hadBest(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.HadBest = statetest.Now.Add(-ago) }
}

func TestDrain(t *testing.T) {
	open := func(nodes int32) resources.Budget { return resources.Budget{MaxUnavailable: nodes, AlwaysAllow: true} }
	held := func(nodes int32) resources.Budget { return resources.Budget{MaxUnavailable: nodes} }
	longAgo := hadBest(time.Hour)
	for _, test := range []struct {
		reason  string
		network changes
		nodes   []state.Node
		seen    views
		want    resources.Budget
	}{
		// Two ready nodes have the best block, or nothing is at stake.
		{
			reason: "one node may go, as long as two have the best block",
			nodes:  []state.Node{at(0), at(1)},
			want:   open(1),
		},
		{
			reason: "one that has crashed for a moment is that one",
			nodes:  []state.Node{at(0), at(1), with(crashed(2), lately)},
			want:   open(1),
		},
		{
			reason: "one that cannot be made is broken for good, and makes no machine undrainable",
			nodes:  []state.Node{at(0), at(1), state.Missing("exceeded quota")},
			want:   open(2),
		},
		{
			reason: "nor does one that no machine takes, nor one on a machine that is gone",
			nodes:  []state.Node{at(0), at(1), silent(2, unschedulable), silent(3, lostMachine)},
			want:   open(3),
		},
		{
			reason: "nor one that three new pods did not mend",
			nodes:  []state.Node{at(0), crashed(1), at(2)}, network: changes{repaired(1, 3, time.Hour)},
			want: open(2),
		},
		{
			reason: "as two may",
			nodes:  []state.Node{at(0), hung(1), at(2)}, network: changes{repaired(1, 2, time.Hour)},
			want: open(1),
		},
		{
			reason: "with a volume, one that has not served for so long that it would have been mended",
			nodes:  []state.Node{at(0), with(crashed(1), servedAgo(15*time.Minute)), at(2)}, network: changes{onVolumes},
			want: open(2),
		},
		{
			reason: "and not before",
			nodes:  []state.Node{at(0), with(crashed(1), servedAgo(15*time.Minute-1)), at(2)}, network: changes{onVolumes},
			want: open(1),
		},
		{
			reason: "a network of one node can be drained",
			nodes:  []state.Node{at(0)},
			want:   open(1),
		},
		{
			reason: "volumes stay",
			nodes:  []state.Node{at(0), with(behind(1), longAgo)}, network: changes{onVolumes},
			want: open(1),
		},
		{
			reason: "the world has a public chain",
			nodes:  []state.Node{at(0), with(behind(1), longAgo)}, seen: views{public},
			want: open(1),
		},
		{
			reason: "a first block is nothing, and who has no more is of use to nobody",
			nodes:  []state.Node{statetest.NodeAt(0, 0, "a"), with(silent(1), empty)},
			seen:   views{func(seen *state.Network) { seen.SetBest(nil) }},
			want:   open(2),
		},
		{
			reason: "so it keeps no machine while another cannot be placed",
			nodes:  []state.Node{statetest.NodeAt(0, 0, "a"), with(silent(1, unschedulable), func(node *state.Node) { node.Data, node.Tip = "", nil })},
			seen:   views{func(seen *state.Network) { seen.SetBest(nil) }},
			want:   open(2),
		},
		{
			reason: "unless a node may have more: nobody has asked it yet",
			nodes:  []state.Node{statetest.NodeAt(0, 0, "a"), with(silent(1), untold)},
			seen:   views{func(seen *state.Network) { seen.SetBest(nil) }},
			want:   open(1),
		},
		{
			reason: "the world has a public chain, and its nodes are of use",
			nodes:  []state.Node{statetest.NodeAt(0, 0, "a"), with(silent(1), empty)},
			seen:   views{public, func(seen *state.Network) { seen.SetBest(nil) }},
			want:   open(1),
		},
		{
			reason: "a block that was found a moment ago is on its way to the others",
			nodes:  []state.Node{at(0), with(behind(1), hadBest(5*time.Second-1))},
			want:   open(1),
		},

		// One at most does: no ready node may go.
		{
			reason: "one ready node has it, and another copies it",
			nodes:  []state.Node{at(0), with(behind(1), hadBest(5*time.Second))},
			want:   held(0),
		},
		{
			reason: "those that are not ready may go",
			nodes:  []state.Node{at(0), with(behind(1, statetest.NotReady), longAgo), with(crashed(2), empty), state.Missing("")},
			want:   held(3),
		},
		{
			reason: "also of two that have it, neither of which is ready",
			nodes:  []state.Node{with(behind(0), longAgo), at(1, statetest.NotReady), crashed(2)},
			want:   held(2),
		},
		{
			reason: "but not the one that alone has it",
			nodes:  []state.Node{with(behind(0), longAgo), crashed(1), with(behind(2, statetest.NotReady), longAgo)},
			want:   held(1),
		},
		{
			reason: "nor where others may have it, which is not known",
			nodes:  []state.Node{with(behind(0), longAgo), crashed(1), with(silent(2, statetest.NotReady), unknown)},
			want:   held(1),
		},
		{
			reason: "nor those that may, where none is known to",
			nodes:  []state.Node{with(behind(0), longAgo), with(silent(1, statetest.NotReady), unknown), with(behind(2, statetest.NotReady), longAgo)},
			seen:   views{recording(7)},
			want:   held(1),
		},
		{
			reason: "however many they are",
			nodes:  []state.Node{with(silent(0), unknown, longAgo), with(silent(1), unknown, longAgo)},
			seen:   views{recording(7)},
			want:   held(0),
		},
		{
			reason: "a second node that copies the only one is waited for",
			nodes:  []state.Node{at(0, old), with(silent(1, statetest.NotReady), empty)}, seen: views{wanting(1)},
			want: held(1),
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := statetest.Seen(test.nodes...)
			for _, change := range test.seen {
				change(seen)
			}
			network := statetest.Network(int32(seen.Wanted), test.network...)
			drain := rollout.DrainOf(network, seen, len(test.nodes), drainHold)
			if diff := cmp.Diff(test.want, drain.Budget); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if isHeld := drain.HeldSince != nil; isHeld == test.want.AlwaysAllow {
				t.Errorf("drains are held: %t", isHeld)
			}
		})
	}
}

// Nobody can make a machine undrainable for ever.
func TestDrainsAreHeldForAWhile(t *testing.T) {
	seen := statetest.Seen(at(0), with(behind(1), hadBest(time.Hour)))
	seen.Now = seen.Now.Add(time.Millisecond)
	since := func(ago time.Duration) *metav1.Time { return new(metav1.NewTime(statetest.Now.Add(-ago))) }
	for _, test := range []struct {
		reason string
		since  *metav1.Time
		nodes  *state.Network
		want   rollout.Drain
	}{
		{"from now on", nil, seen, rollout.Drain{HeldSince: since(0)}},
		{"and on", since(time.Minute), seen, rollout.Drain{HeldSince: since(time.Minute)}},
		{"not longer than that", since(drainHold), statetest.Seen(seen.Nodes...), rollout.Drain{
			HeldSince: since(drainHold), Ended: true, JustEnded: true, Budget: resources.Budget{MaxUnavailable: 1, AlwaysAllow: true},
		}},
		{"which is news for two minutes", since(drainHold + 2*time.Minute), statetest.Seen(seen.Nodes...), rollout.Drain{
			HeldSince: since(drainHold + 2*time.Minute), Ended: true, Budget: resources.Budget{MaxUnavailable: 1, AlwaysAllow: true},
		}},
		{"then they go on", since(drainHold), seen, rollout.Drain{
			HeldSince: since(drainHold), Ended: true, JustEnded: true, Budget: resources.Budget{MaxUnavailable: 1, AlwaysAllow: true},
		}},
		{"which is no news for long", since(drainHold + 2*time.Minute), seen, rollout.Drain{
			HeldSince: since(drainHold + 2*time.Minute), Ended: true, Budget: resources.Budget{MaxUnavailable: 1, AlwaysAllow: true},
		}},
		{"until two nodes have the best block again", since(drainHold), statetest.Healthy(2), rollout.Drain{
			Budget: resources.Budget{MaxUnavailable: 1, AlwaysAllow: true},
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := statetest.Network(2, func(network *v1alpha1.BitcoinNetwork) { network.Status.DrainsHeldSince = test.since })
			if diff := cmp.Diff(test.want, rollout.DrainOf(network, test.nodes, 2, drainHold)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The budget counts the nodes that there are to be, not those that there are yet.
func TestDrainOfANetworkThatGrows(t *testing.T) {
	seen := statetest.Seen(at(0), at(1))
	if got := rollout.DrainOf(statetest.Network(3), seen, 3, drainHold).Budget; got.MaxUnavailable != 1 {
		t.Errorf("got %+v", got)
	}
	if got := rollout.DrainOf(statetest.Network(3), statetest.Seen(at(0), with(behind(1), hadBest(time.Hour))), 3, drainHold).Budget; got.MaxUnavailable != 1 {
		t.Errorf("got %+v, want the node that is not there yet", got)
	}
}

// While nobody has mined all may go at once. That nobody has is asked when the first goes:
// somebody may have, since the last look.
func TestWhatADrainRestsOn(t *testing.T) {
	blank := func(ordinal int, changes ...func(*corev1.Pod)) state.Node {
		return statetest.NodeAt(ordinal, 0, "a", changes...)
	}
	wasAlive := func(node state.Node) state.Node {
		node.AlivePod = "earlier"
		return node
	}
	silent := blank(0)
	silent.Asked, silent.Answers = true, false
	for _, test := range []struct {
		reason  string
		network changes
		nodes   []state.Node
		want    []int
	}{
		{"one goes", nil, []state.Node{blank(0), blank(1, statetest.Terminating), blank(2)}, []int{0, 1, 2}},
		{"one has gone", nil, []state.Node{blank(0), wasAlive(state.Missing(""))}, []int{0, 1}},
		{"one has gone, and its successor starts", nil, []state.Node{blank(0), wasAlive(blank(1))}, []int{0, 1}},
		{"none goes", nil, []state.Node{blank(0), blank(1)}, nil},
		{"one goes, and another says nothing: one at a time may", nil, []state.Node{silent, blank(1, statetest.Terminating)}, nil},
		{"one is not there yet", nil, []state.Node{blank(0), state.Missing("")}, nil},
		{"one goes, and its data stay", changes{statetest.WithStorage("1Gi")}, []state.Node{blank(0), blank(1, statetest.Terminating)}, nil},
		{"one goes, and one at a time may", nil, []state.Node{at(0), at(1), at(2, statetest.Terminating)}, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := statetest.Seen(test.nodes...)
			drain := rollout.DrainOf(statetest.Network(int32(len(test.nodes)), test.network...), seen, len(test.nodes), time.Minute)
			if diff := cmp.Diff(test.want, drain.RestsOn(seen)); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
		})
	}
}
