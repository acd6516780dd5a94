package rollout_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestSize(t *testing.T) {
	hourAgo := changedSecret(time.Hour)
	suspended := func(network *v1alpha1.BitcoinNetwork) { network.Spec.Suspend = true }
	for _, test := range []struct {
		reason  string
		network changes
		nodes   []state.Node
		seen    views
		pods    int
		wait    string
	}{
		{
			reason: "as many as are asked for",
			nodes:  []state.Node{at(0), at(1)},
			pods:   2,
		},
		{
			reason: "more, where more are asked for",
			nodes:  []state.Node{at(0), at(1)}, seen: views{wanting(3)},
			pods: 3,
		},
		{
			reason: "before there is a StatefulSet",
			nodes:  []state.Node{state.Missing(""), state.Missing("")},
			seen:   views{func(seen *state.Network) { seen.StatefulSet = nil }},
			pods:   2,
		},

		// Scaling down keeps the nodes that the best block needs.
		{
			reason: "fewer, where those that stay have the best block",
			nodes:  []state.Node{at(0), at(1), at(2)}, seen: views{wanting(1)},
			pods: 1,
		},
		{
			reason: "the one that stays has not caught up",
			nodes:  []state.Node{behind(0), at(1), at(2)}, seen: views{wanting(1)},
			pods: 2, wait: "1 waits, best_block: payments-0 to have " + best,
		},
		{
			reason: "none of those that stay has",
			nodes:  []state.Node{behind(0), behind(1), behind(2), at(3)}, seen: views{wanting(2)},
			pods: 4, wait: "3 waits, best_block: a node below payments-2 to have " + best,
		},
		{
			reason: "it must say so in this pass",
			nodes:  []state.Node{silent(0), silent(1), silent(2)}, seen: views{wanting(1)},
			pods: 3, wait: "2 waits, best_block: payments-0 to have " + best,
		},
		{
			reason: "one on its way out does not stay",
			nodes:  []state.Node{at(0, statetest.Terminating), at(1), at(2)}, seen: views{wanting(1)},
			pods: 2, wait: "1 waits, best_block: payments-0 to have " + best,
		},
		{
			reason: "nor one that was evicted just now, and answers by the cache",
			nodes:  []state.Node{at(0), at(1)}, seen: views{wanting(1)}, network: changes{taken(0, replace, time.Second)},
			pods: 2, wait: "1 waits, best_block: payments-0 to have " + best,
		},
		{
			reason: "one that goes may have more than those that stay, and has not told yet",
			nodes:  []state.Node{at(0), with(silent(1), untold)}, seen: views{wanting(1)},
			pods: 2, wait: "1 waits, best_block: its first answer, for up to a minute: it is not known yet which blocks it has",
		},
		{
			reason: "also where nobody has any block",
			nodes:  []state.Node{statetest.NodeAt(0, 0, "a"), with(silent(1), untold)}, seen: views{wanting(1), recording(0)},
			pods: 2, wait: "1 waits, best_block: its first answer, for up to a minute: it is not known yet which blocks it has",
		},
		{
			reason: "but not for ever",
			nodes:  []state.Node{at(0), with(silent(1), unknown)}, seen: views{wanting(1)},
			pods: 1,
		},
		{
			reason: "nobody has any block",
			nodes:  []state.Node{with(silent(0), empty), statetest.NodeAt(1, 0, "a")}, seen: views{wanting(1), func(seen *state.Network) { seen.SetBest(nil) }},
			pods: 1,
		},
		{
			reason: "the world has it",
			nodes:  []state.Node{behind(0), at(1)}, seen: views{wanting(1), public},
			pods: 1,
		},
		{
			reason: "volumes stay",
			nodes:  []state.Node{behind(0), at(1)}, seen: views{wanting(1)}, network: changes{onVolumes},
			pods: 1,
		},
		{
			reason: "volumes go with the nodes",
			nodes:  []state.Node{behind(0), at(1)}, seen: views{wanting(1)}, network: changes{onVolumesThatGo},
			pods: 2, wait: "1 waits, best_block: payments-0 to have " + best,
		},
		{
			reason: "no nodes at all is for the user to decide",
			nodes:  []state.Node{at(0), at(1)}, seen: views{wanting(0)},
			pods: 0,
		},

		// The only node is copied before it goes.
		{
			reason: "the only node is from before the change",
			nodes:  []state.Node{at(0, old)},
			pods:   2,
		},
		{
			reason: "and has its volume",
			nodes:  []state.Node{at(0, old)}, network: changes{onVolumes},
			pods: 1,
		},
		{
			reason: "and the world has its chain",
			nodes:  []state.Node{at(0, old)}, seen: views{public},
			pods: 1,
		},
		{
			reason: "and has no chain",
			nodes:  []state.Node{statetest.NodeAt(0, 0, "a", old)},
			pods:   1,
		},
		{
			reason: "and the team has suspended it",
			nodes:  []state.Node{at(0, old)}, network: changes{suspended},
			pods: 1,
		},
		{
			reason: "one of two has the other",
			nodes:  []state.Node{at(0, old), at(1)},
			pods:   2,
		},
		{
			reason: "it rejects every pair, and cannot be told to stop",
			nodes:  []state.Node{rejecting(0)}, seen: views{hourAgo},
			pods: 2,
		},
		{
			reason: "it does not answer, and cannot be told either",
			nodes:  []state.Node{hung(0)}, seen: views{hourAgo},
			pods: 2,
		},
		{
			reason: "it can be told to read the Secret",
			nodes:  []state.Node{with(at(0), rejectsCurrent)}, seen: views{hourAgo},
			pods: 1,
		},
		{
			reason: "it is on its way out, when the second has the chain",
			nodes:  []state.Node{silent(0, old, statetest.Terminating), at(1)}, seen: views{wanting(1)},
			pods: 2,
		},
		{
			reason: "it is made again",
			nodes:  []state.Node{state.Missing(""), at(1)}, seen: views{wanting(1)},
			pods: 2, wait: "1 waits, best_block: payments-0 to have " + best,
		},
		{
			reason: "it copies the chain back",
			nodes:  []state.Node{behind(0), at(1)}, seen: views{wanting(1)},
			pods: 2, wait: "1 waits, best_block: payments-0 to have " + best,
		},
		{
			reason: "it has it",
			nodes:  []state.Node{at(0), at(1)}, seen: views{wanting(1)},
			pods: 1,
		},
		{
			reason: "the change was taken back before it went",
			nodes:  []state.Node{at(0), with(crashed(1, old), empty)}, seen: views{wanting(1)},
			pods: 1,
		},
		{
			reason: "a change that comes with scaling down does not do away with the nodes that have the chain",
			nodes:  []state.Node{behind(0, old), behind(1, old), at(2, old)}, seen: views{wanting(1)},
			pods: 3, wait: "2 waits, best_block: a node below payments-2 to have " + best,
		},
		{
			reason: "nor with the second node",
			nodes:  []state.Node{at(0, old), at(1, old), at(2, old)}, seen: views{wanting(1)},
			pods: 2,
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := statetest.Seen(test.nodes...)
			for _, change := range test.seen {
				change(seen)
			}
			size := rollout.SizeOf(statetest.Network(int32(seen.Wanted), test.network...), seen)
			if size.Pods != test.pods {
				t.Errorf("got %d pods, want %d", size.Pods, test.pods)
			}
			if got := said(rollout.Decision{Wait: size.Wait}); got != test.wait {
				t.Errorf("got %q, want %q", got, test.wait)
			}
		})
	}
}

// What is taken away rests on another node's having the best block.
func TestKeeperOfFewerNodes(t *testing.T) {
	for _, test := range []struct {
		reason  string
		network changes
		nodes   []state.Node
		seen    views
		want    *int
	}{
		{reason: "nothing is taken away", nodes: []state.Node{at(0), at(1)}},
		{reason: "the first that has it", nodes: []state.Node{behind(0), at(1), at(2), at(3)}, seen: views{wanting(1)}, want: new(1)},
		{reason: "more than are asked for stay, and so does who has it", nodes: []state.Node{behind(0), at(1)}, seen: views{wanting(1)}},
		{reason: "there is no block", nodes: []state.Node{statetest.NodeAt(0, 0, "a"), statetest.NodeAt(1, 0, "a")}, seen: views{wanting(1)}},
		{reason: "volumes stay", nodes: []state.Node{at(0), at(1)}, seen: views{wanting(1)}, network: changes{onVolumes}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := statetest.Seen(test.nodes...)
			for _, change := range test.seen {
				change(seen)
			}
			if diff := cmp.Diff(test.want, rollout.SizeOf(statetest.Network(int32(seen.Wanted), test.network...), seen).Keeper); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
