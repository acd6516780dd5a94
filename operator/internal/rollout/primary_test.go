package rollout_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// leads makes a network one whose clients are led to a node, which had the data that it
// has if nothing has happened.
func leads(ordinal int32, left ...int32) func(*v1alpha1.BitcoinNetwork) {
	return func(network *v1alpha1.BitcoinNetwork) {
		network.Status.Primary = &v1alpha1.PrimaryStatus{Ordinal: ordinal, Data: statetest.Pod(int(ordinal)).UID, Since: metav1.NewTime(statetest.Born)}
		for _, ordinal := range left {
			network.Status.Primary.Left = append(network.Status.Primary.Left, v1alpha1.LeftStatus{Ordinal: ordinal, PodUID: statetest.Pod(int(ordinal)).UID})
		}
	}
}

// onClaims makes a network one whose nodes have volumes, by which their data are known.
func onClaims(network *v1alpha1.BitcoinNetwork) {
	onVolumes(network)
	network.Status.Primary.Data = "claim"
}

// claimed gives a node's data a volume.
func claimed(node *state.Node) { node.Data = "claim" }

// staying makes a network one whose clients stay where they are.
func staying(network *v1alpha1.BitcoinNetwork) {
	network.Spec.Primary = &v1alpha1.Primary{Failover: new(false)}
}

// dead makes a node one that has served nobody for so long.
func dead(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.LastAlive = statetest.Now.Add(-ago) }
}

// lagging makes a node one that has been seen to lack the best block for so long.
func lagging(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.BehindSince = statetest.Now.Add(-ago) }
}

// told says where clients are led.
func told(lead rollout.Lead) string {
	switch move, primary := lead.Move, lead.Primary; {
	case move != nil:
		return fmt.Sprintf("%s: %d to %d", move.Because, move.From, move.To)
	case primary != nil:
		return fmt.Sprintf("%d", primary.Ordinal)
	default:
		return "nobody"
	}
}

func TestWhereClientsAreLed(t *testing.T) {
	const long = time.Hour
	for _, test := range []struct {
		decision
		lead string
	}{
		{decision{reason: "to the first node of a new network, before it is up", nodes: []state.Node{state.Missing(""), state.Missing("")}}, "0"},
		{decision{reason: "to the first that is up", nodes: []state.Node{silent(0), at(1), at(2)}}, "1"},
		{decision{reason: "to one that will not be replaced soon", nodes: []state.Node{at(0, old), at(1)}}, "1"},
		{decision{reason: "nowhere in particular, in a network without nodes", network: changes{leads(1)}, nodes: []state.Node{}}, "nobody"},
		{decision{reason: "to the node whose volume may have a wallet, when it comes back", network: changes{leads(1), onClaims}, nodes: []state.Node{}}, "1"},
		{decision{reason: "which it does", network: changes{leads(1), onClaims}, nodes: []state.Node{at(0), with(silent(1, statetest.NotReady), claimed)}}, "1"},
		{decision{reason: "unless its volume is gone", network: changes{leads(1), onClaims}, nodes: []state.Node{at(0), silent(1, statetest.NotReady)}}, "DataLost: 1 to 0"},
		{decision{reason: "or there are fewer nodes than before", network: changes{leads(1), onClaims}, nodes: []state.Node{at(0)}}, "Scaled: 1 to 0"},
		{decision{reason: "they stay", network: changes{leads(1)}, nodes: []state.Node{at(0), at(1)}}, "1"},

		// Nodes that fail.
		{decision{reason: "a node that has been silent for a while", network: changes{leads(0)}, nodes: []state.Node{with(silent(0, statetest.NotReady), dead(30*time.Second)), at(1)}}, "Silent: 0 to 1"},
		{decision{reason: "not yet", network: changes{leads(0)}, nodes: []state.Node{with(silent(0, statetest.NotReady), dead(29*time.Second)), at(1)}}, "0"},
		{decision{reason: "as long as the network says", network: changes{leads(0), func(network *v1alpha1.BitcoinNetwork) {
			network.Spec.Primary = &v1alpha1.Primary{FailoverAfter: &metav1.Duration{Duration: time.Minute}}
		}}, nodes: []state.Node{with(silent(0, statetest.NotReady), dead(59*time.Second)), at(1)}}, "0"},
		{decision{reason: "one that is back before", network: changes{leads(0)}, nodes: []state.Node{at(0), at(1)}}, "0"},
		{decision{reason: "one that rejects its credentials serves those who have them", network: changes{leads(0)}, nodes: []state.Node{statetest.Rejecting(0, 7), at(1)}}, "0"},
		{decision{reason: "there is nowhere to go: nobody else has the best block", network: changes{leads(0)}, nodes: []state.Node{with(silent(0, statetest.NotReady), dead(long)), behind(1)}, seen: views{recording(7)}}, "0"},
		{decision{reason: "nor is anybody ready", network: changes{leads(0)}, nodes: []state.Node{with(silent(0, statetest.NotReady), dead(long)), at(1, statetest.NotReady)}}, "0"},
		{decision{reason: "wallets are in the node, so they stay", network: changes{leads(0), staying}, nodes: []state.Node{with(silent(0, statetest.NotReady), dead(long)), at(1)}}, "0"},
		{decision{reason: "the network is suspended", network: changes{leads(0), func(network *v1alpha1.BitcoinNetwork) { network.Spec.Suspend = true }},
			nodes: []state.Node{with(silent(0, statetest.NotReady), dead(long)), at(1)}}, "0"},
		{decision{reason: "it fails while nobody knows which pods are outdated", network: changes{leads(0)}, nodes: []state.Node{with(silent(0, statetest.NotReady), dead(long)), at(1)},
			seen: views{func(seen *state.Network) { seen.StatefulSet.Generation++ }}}, "Silent: 0 to 1"},

		{decision{reason: "rather to one that is about to be replaced than nowhere, which waits for them", network: changes{leads(0), taken(0, replace, long)},
			nodes: []state.Node{with(silent(0, statetest.NotReady), dead(long)), statetest.Rejecting(1, 7)}, seen: views{public, changedSecret(2 * time.Minute)}}, "Silent: 0 to 1"},

		// Nodes that the operator takes down.
		{decision{reason: "one that is restarted has its time to end", network: changes{leads(0), taken(0, restart, time.Minute)}, nodes: []state.Node{with(silent(0), dead(time.Minute)), at(1)}}, "0"},
		{decision{reason: "and is silent for a while after that", network: changes{leads(0), taken(0, restart, 89*time.Second)}, nodes: []state.Node{with(silent(0), dead(89*time.Second)), at(1)}}, "0"},
		{decision{reason: "but not for good", network: changes{leads(0), taken(0, restart, 90*time.Second)}, nodes: []state.Node{with(silent(0), dead(90*time.Second)), at(1)}}, "Silent: 0 to 1"},
		{decision{reason: "one that is to be replaced, with its data", network: changes{leads(0)}, nodes: []state.Node{at(0, old), at(1)}}, "Replaced: 0 to 1"},
		{decision{reason: "wallets go with it in any case", network: changes{leads(0), staying}, nodes: []state.Node{at(0, old), at(1)}}, "Replaced: 0 to 1"},
		{decision{reason: "one whose data stay", network: changes{leads(0), onClaims}, nodes: []state.Node{with(at(0, old), claimed), at(1)}}, "0"},
		{decision{reason: "it goes last, so that they move once", network: changes{leads(0)}, nodes: []state.Node{at(0, old), at(1, old)}}, "0"},
		{decision{reason: "one that is too many", network: changes{leads(2)}, nodes: []state.Node{at(0), at(1), at(2)}, seen: views{wanting(2)}}, "Scaled: 2 to 0"},
		{decision{reason: "one that is too many, though its data stay", network: changes{leads(2), onClaims}, nodes: []state.Node{at(0), at(1), with(at(2), claimed)}, seen: views{wanting(2)}}, "Scaled: 2 to 0"},
		{decision{reason: "not to one that is down", network: changes{leads(2), taken(0, restart, time.Second)}, nodes: []state.Node{at(0), at(1), at(2)}, seen: views{wanting(2)}}, "Scaled: 2 to 1"},

		// Data that are gone, or behind.
		{decision{reason: "a pod that somebody drains", network: changes{leads(0)}, nodes: []state.Node{at(0, statetest.Terminating), at(1)}}, "DataLost: 0 to 1"},
		{decision{reason: "with a volume it comes back", network: changes{leads(0), onClaims}, nodes: []state.Node{with(at(0, statetest.Terminating), claimed), at(1)}}, "0"},
		{decision{reason: "a pod that is gone", network: changes{leads(0)}, nodes: []state.Node{state.Missing(""), at(1)}}, "DataLost: 0 to 1"},
		{decision{reason: "another pod, which copies the chain", network: changes{leads(0)}, nodes: []state.Node{behind(0, another), at(1)}}, "DataLost: 0 to 1"},
		{decision{reason: "another pod, which has it already", network: changes{leads(0)}, nodes: []state.Node{at(0, another), at(1)}}, "0"},
		{decision{reason: "another pod on a public chain, which has all to copy", network: changes{leads(0)}, nodes: []state.Node{behind(0, another), at(1)}, seen: views{public}}, "DataLost: 0 to 1"},
		{decision{reason: "a node that falls behind", network: changes{leads(0)}, nodes: []state.Node{with(behind(0), lagging(15*time.Second)), at(1)}}, "Behind: 0 to 1"},
		{decision{reason: "a block takes a moment from node to node", network: changes{leads(0)}, nodes: []state.Node{with(behind(0), lagging(14*time.Second)), at(1)}}, "0"},
		{decision{reason: "of a public chain nodes are behind for days", network: changes{leads(0)}, nodes: []state.Node{with(behind(0), lagging(long)), at(1)}, seen: views{public}}, "0"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			test.seen = append(test.seen, func(seen *state.Network) {
				seen.StatefulSet.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(60))
			})
			decided := decide(test.decision)
			if got := told(decided.Lead); got != test.lead {
				t.Errorf("got %q, want %q", got, test.lead)
			}
			if move, step := decided.Lead.Move, decided.Step; move != nil && step != nil && (step.Ordinal == move.From || step.Ordinal == move.To) {
				t.Error("a node is taken down that clients are led from, or to")
			}
		})
	}
}

// A node that clients have left because it hung is ended: those that are connected to it
// would stay.
func TestNodesThatClientsHaveLeftAreEnded(t *testing.T) {
	run(t, []decision{
		{reason: "it still hangs", network: changes{leads(1, 0)}, nodes: []state.Node{hung(0), at(1)}, want: "Replace 0 at once"},
		{reason: "with a volume, to which it may be writing", network: changes{leads(1, 0), onVolumes}, nodes: []state.Node{hung(0), at(1)}, want: "Replace 0"},
		{reason: "it answers again", network: changes{leads(1, 0)}, nodes: []state.Node{at(0), at(1)}},
		{reason: "the kubelet finds it ready again", network: changes{leads(1, 0)}, nodes: []state.Node{silent(0), at(1)}},
		{reason: "another pod has taken its place", network: changes{leads(1, 0)}, nodes: []state.Node{silent(0, another, statetest.NotReady), at(1)}},
		{reason: "its container has", network: changes{leads(1, 0)}, nodes: []state.Node{silent(0, startedAgain, statetest.NotReady), at(1)}},
		{reason: "it goes already", network: changes{leads(1, 0)}, nodes: []state.Node{hung(0, statetest.Terminating), at(1)}},
		{reason: "it does not run, so nobody is connected", network: changes{leads(1, 0)}, nodes: []state.Node{with(crashed(0), lately), at(1)}},
		{reason: "not while it may be the last to have the chain", network: changes{leads(1, 0)}, nodes: []state.Node{hung(0), behind(1)}, seen: views{recording(7)},
			want: "0 waits for somebody, best_block: " + dilemma},
	})

	lead := decide(decision{network: changes{leads(0)}, nodes: []state.Node{with(silent(0, statetest.NotReady), dead(time.Hour)), at(1)}}).Lead
	if left := lead.Primary.Left; len(left) != 1 || left[0].Ordinal != 0 || left[0].PodUID != statetest.Pod(0).UID {
		t.Errorf("the node that hangs is not on record: %+v", left)
	}
	lead = decide(decision{network: changes{leads(0)}, nodes: []state.Node{with(crashed(0), dead(time.Hour)), at(1)}}).Lead
	if len(lead.Primary.Left) > 0 {
		t.Errorf("one that does not run need not be ended: %+v", lead.Primary.Left)
	}
}

// The nodes that a network has too many wait until clients are led elsewhere.
func TestNodesStayUntilClientsAreLedElsewhere(t *testing.T) {
	nodes := []state.Node{at(0), at(1), at(2), at(3)}
	for _, test := range []struct {
		reason  string
		network []func(*v1alpha1.BitcoinNetwork)
		nodes   []state.Node
		want    int
	}{
		{"clients are led to one that stays", changes{leads(0)}, nodes, 1},
		{"they are led to one that goes", changes{leads(2)}, nodes, 3},
		{"and they have nowhere else to go", changes{leads(2)}, []state.Node{at(0, statetest.NotReady), at(1), at(2), at(3)}, 1},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := statetest.Seen(test.nodes...)
			seen.Wanted = 1
			size := rollout.SizeOf(statetest.Network(1, test.network...), seen)
			if size.Pods != test.want {
				t.Errorf("got %d pods, want %d", size.Pods, test.want)
			}
			if held := size.Wait != nil; held != (test.want > 1) {
				t.Errorf("who waits is said: %t", held)
			}
		})
	}
}
