package rollout_test

import (
	"testing"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
	"github.com/google/go-cmp/cmp"
)

type (
	changes = []func(*v1alpha1.BitcoinNetwork)
	views   = []func(*state.Network)
)

const (
	best    = "the best block"
	dilemma = "a decision: no node that has, or may have, block 7 (a00007000000…) answers; to give that block up, scale the network to 0 and back"
)

func TestReplaceOutdatedNodes(t *testing.T) {
	run(t, []decision{
		{
			reason: "nothing to replace",
			nodes:  []state.Node{at(0), at(1)},
		},
		{
			reason: "one at a time, from the first",
			nodes:  []state.Node{at(0, old), at(1, old), at(2, old)},
			want:   "Replace 0",
		},
		{
			reason: "the next when the one before is back",
			nodes:  []state.Node{at(0), at(1, old), at(2, old)},
			want:   "Replace 1",
		},
		{
			reason: "one that does not serve goes first: that costs least",
			nodes:  []state.Node{at(0, old), at(1, old), behind(2, old)},
			want:   "Replace 2",
		},
		{
			reason: "what is on its way out need not be sent there again",
			nodes:  []state.Node{silent(0, old, statetest.Terminating), at(1)},
		},

		// A bad image must not take down a second node.
		{
			reason: "not while a node that has the change is starting",
			nodes:  []state.Node{silent(0), at(1, old), at(2, old)},
			want:   "1 waits, node: payments-0 to serve: its RPC port is closed",
		},
		{
			reason: "nor where it crashes, though the nodes have volumes",
			nodes:  []state.Node{crashed(0), at(1, old), at(2, old)}, network: changes{onVolumes, taken(0, replace, time.Hour)},
			want: "1 waits for somebody, node: payments-0 to serve: CrashLoopBackOff",
		},
		{
			reason: "nor where it is behind: it may be the one with an empty chain",
			nodes:  []state.Node{behind(0), at(1, old), at(2, old)},
			want:   "1 waits, node: payments-0 to serve: it does not have " + best + " yet",
		},
		{
			reason: "one that had it a moment ago is in use: where blocks come fast, nodes have it in turns",
			nodes:  []state.Node{with(behind(0), hadBest(15*time.Second-1)), at(1, old), at(2, old)},
			want:   "Replace 1",
		},
		{
			reason: "but not for long",
			nodes:  []state.Node{with(behind(0), hadBest(15*time.Second)), at(1, old), at(2, old)},
			want:   "1 waits, node: payments-0 to serve: it does not have " + best + " yet",
		},
		{
			reason: "nor where the kubelet does not report it ready",
			nodes:  []state.Node{at(0, statetest.NotReady), at(1, old), at(2, old)},
			want:   "1 waits, node: payments-0 to serve: the kubelet does not report it ready",
		},
		{
			reason: "nor where it rejects every password: its image may ignore them",
			nodes:  []state.Node{statetest.Rejecting(0, 7), at(1, old), at(2, old)},
			want:   "1 waits, node: payments-0 to serve: it rejects all credentials known to the operator",
		},
		{
			reason: "nor where the one that was replaced cannot be made again",
			nodes:  []state.Node{state.Missing("exceeded quota"), at(1, old)}, network: changes{taken(0, replace, 59*time.Second)},
			want: "1 waits, quota: payments-0 to serve: it has no pod: exceeded quota",
		},
		{
			reason: "which after a minute is for somebody to mend",
			nodes:  []state.Node{state.Missing("exceeded quota"), at(1, old)}, network: changes{taken(0, replace, time.Minute)},
			want: "1 waits for somebody, quota: payments-0 to serve: it has no pod: exceeded quota",
		},
		{
			reason: "nor while the one that was replaced is still there in the cache",
			nodes:  []state.Node{at(0, old), at(1, old)}, network: changes{taken(0, replace, time.Second)},
			want: "0 waits, time: its pod to be gone",
		},
		{
			reason: "nor while one that was restarted is not back",
			nodes:  []state.Node{silent(0, startedAgain), at(1, old)}, network: changes{taken(0, restart, 5*time.Minute-1)},
			want: "1 waits, node: payments-0 to serve: its RPC port is closed",
		},
		{
			reason: "but after five minutes it is broken by itself, and from before the change",
			nodes:  []state.Node{at(0, old), silent(1, old, startedAgain), at(2, old)}, network: changes{taken(1, restart, 5*time.Minute)},
			want: "Replace 1",
		},
		{
			reason: "nor while a link is missing between two that have the change",
			nodes:  []state.Node{at(0, old), at(1), at(2)}, missing: []peering.Link{{From: 2, To: 1}},
			want: "0 waits, link: the link 2→1",
		},
		{
			reason: "a link of one that is still to be replaced holds nothing",
			nodes:  []state.Node{at(0, old), at(1, old), at(2)}, missing: []peering.Link{{From: 1, To: 0}, {From: 2, To: 1}},
			want: "Replace 0",
		},
		{
			reason: "nor does one of a node that there is to be no longer",
			nodes:  []state.Node{at(0, old), at(1), at(2)}, missing: []peering.Link{{From: 2, To: 1}},
			seen: views{func(seen *state.Network) { seen.StatefulSet.Spec.Replicas = new(int32(2)) }},
			want: "Replace 0",
		},
		{
			reason: "a node that has just been asked for and cannot be made holds up nobody",
			nodes:  []state.Node{at(0, old), at(1, old), state.Missing("exceeded quota")},
			want:   "Replace 0",
		},

		// Nothing is lost.
		{
			reason: "not the one that alone has the best block",
			nodes:  []state.Node{statetest.NodeAt(0, 8, "a", old), at(1, old)},
			want:   "Replace 1",
		},
		{
			reason: "nor when all others have been replaced, of which one still copies it",
			nodes:  []state.Node{statetest.NodeAt(0, 8, "a", old), at(1)},
			want:   "0 waits, node: payments-1 to serve: it does not have " + best + " yet",
		},
		{
			reason: "nor where the other is at another block with as much work",
			nodes:  []state.Node{at(0, old), statetest.NodeAt(1, 7, "b")},
			want:   "0 waits, best_block: payments-1 to have " + best + ": it has another block with as much work as " + best + "; the next block decides",
		},
		{
			reason: "nor where the other has it, but does not say so in this pass",
			nodes:  []state.Node{at(0, old), silent(1, old)},
			want:   "Replace 1",
		},
		{
			reason: "nor where it does, and is on its way out",
			nodes:  []state.Node{at(0, old), at(1, old, statetest.Terminating)},
			want:   "0 waits, best_block: payments-1 to show that it has " + best + ": it has only just been taken down",
		},
		{
			reason: "a block that somebody gave up, as by invalidateblock, holds up nobody",
			nodes:  []state.Node{at(0, old), at(1, old)}, seen: views{recording(9)},
			want: "Replace 0",
		},
		{
			reason: "one that was recorded does, as long as a node may have it",
			nodes:  []state.Node{at(0, old), with(silent(1, old), unknown)}, seen: views{recording(9)},
			want: "0 waits, best_block: payments-1 to show that it has " + best + ": its RPC port is closed",
		},
		{
			reason: "of a public chain the world has it: a node in download holds up nobody",
			nodes:  []state.Node{statetest.NodeAt(0, 8, "a", old), at(1, old)}, seen: views{public},
			want: "Replace 0",
		},
		{
			reason: "data on volumes stay",
			nodes:  []state.Node{statetest.NodeAt(0, 8, "a", old), at(1)}, network: changes{onVolumes},
			want: "0 waits, node: payments-1 to serve: it does not have " + best + " yet",
		},
		{
			reason: "also where they go with nodes that are scaled away",
			nodes:  []state.Node{at(0, old), behind(1, old)}, network: changes{onVolumesThatGo},
			want: "Replace 1",
		},
		{
			reason: "a first block is nothing",
			nodes:  []state.Node{statetest.NodeAt(0, 0, "a", old)},
			want:   "Replace 0",
		},
		{
			reason: "the only node waits for a second one",
			nodes:  []state.Node{at(0, old)},
			want:   "0 waits, best_block: another node to have " + best + ", which no other node has",
		},
		{
			reason: "which is to be made",
			nodes:  []state.Node{at(0, old), state.Missing("")}, seen: views{wanting(1)},
			want: "0 waits, best_block: payments-1 to have " + best + ": it has no pod",
		},
		{
			reason: "and which a quota may not allow",
			nodes:  []state.Node{at(0, old), state.Missing("exceeded quota")}, seen: views{wanting(1)},
			want: "0 waits for somebody, quota: payments-1, which must copy " + best + " first: exceeded quota",
		},
		{
			reason: "one of two, where the other cannot be made for now, is not the only one of its network",
			nodes:  []state.Node{at(0, old), state.Missing("exceeded quota")},
			want:   "0 waits, quota: payments-1, which must copy " + best + " first: exceeded quota",
		},
		{
			reason: "the first is named of those that are to copy it",
			nodes: []state.Node{
				with(silent(0, old, statetest.Terminating), empty), with(silent(1, old, statetest.Terminating), empty), at(2, old),
			},
			want: "2 waits, best_block: payments-0 to have " + best + ": its RPC port is closed",
		},
		{
			reason: "or which does not come up with the change",
			nodes:  []state.Node{at(0, old), with(crashed(1), empty, lately)}, seen: views{wanting(1)},
			want: "0 waits, node: payments-1 to serve: CrashLoopBackOff",
		},
		{
			reason: "which is for somebody to mend when three new pods have not",
			nodes:  []state.Node{at(0, old), with(crashed(1), empty, servedAgo(time.Hour))}, seen: views{wanting(1)}, network: changes{repaired(1, 3, time.Hour)},
			want: "0 waits for somebody, node: payments-1 to serve: CrashLoopBackOff",
		},
		{
			reason: "and not before",
			nodes:  []state.Node{at(0, old), with(crashed(1), empty, servedAgo(time.Hour))}, seen: views{wanting(1)}, network: changes{repaired(1, 2, time.Minute)},
			want: "0 waits, node: payments-1 to serve: CrashLoopBackOff",
		},
		{
			reason: "when it has the chain, the first goes",
			nodes:  []state.Node{at(0, old), at(1)}, seen: views{wanting(1)},
			want: "Replace 0",
		},

		// A disruption budget may refuse.
		{
			reason: "what a budget did not let go has its turn later",
			nodes:  []state.Node{with(at(0, old), refused(time.Second)), at(1, old)},
			want:   "Replace 1",
		},
		{
			reason: "and says so",
			nodes:  []state.Node{with(at(0, old), refused(time.Second)), at(1)},
			want:   "0 waits, budget: a disruption budget to allow its eviction",
		},
		{
			reason: "it gives way to others for a minute",
			nodes:  []state.Node{with(at(0, old), refused(time.Minute-1)), at(1, old)},
			want:   "Replace 1",
		},
		{
			reason: "and not for longer",
			nodes:  []state.Node{with(at(0, old), refused(time.Minute)), at(1, old)},
			want:   "Replace 0",
		},
		{
			reason: "where there is nothing else to do, it is tried again soon",
			nodes:  []state.Node{with(at(0, old), refused(5*time.Second)), at(1)},
			want:   "Replace 0",
		},
	})
}

func TestReplaceBrokenNodes(t *testing.T) {
	run(t, []decision{
		{
			reason: "two that crash go one after the other, when the change that mends them is there: whatever the others do",
			nodes:  []state.Node{at(0, old), crashed(1, old), crashed(2, old)}, network: changes{taken(1, replace, time.Minute)},
			want: "Replace 1",
		},
		{
			reason: "also while one that has the change does not serve",
			nodes:  []state.Node{at(0, old), silent(1, another), crashed(2, old)}, network: changes{taken(1, replace, time.Minute)},
			want: "Replace 2",
		},
		{
			reason: "one that has ended once is back in a moment, and a bad change must not get it",
			nodes:  []state.Node{silent(0), at(1, old), endedOnce(2, old)}, network: changes{taken(0, replace, time.Minute)},
			want: "1 waits, node: payments-0 to serve: its RPC port is closed",
		},
		{
			reason: "one that is broken and has the change is not",
			nodes:  []state.Node{at(0), with(crashed(1), lately), at(2)},
			want:   "",
		},
		{
			reason: "not before another has shown the best block: either may have it",
			nodes:  []state.Node{crashed(0, old), crashed(1, old)},
			want:   "0 waits for somebody, best_block: " + dilemma,
		},
		{
			reason: "with volumes nothing is at stake",
			nodes:  []state.Node{crashed(0, old), crashed(1, old)}, network: changes{onVolumes},
			want: "Replace 0",
		},
		{
			reason: "nor of a public chain",
			nodes:  []state.Node{crashed(0, old), crashed(1, old)}, seen: views{public},
			want: "Replace 0",
		},
		{
			reason: "a network that never came up has nothing to lose",
			nodes:  []state.Node{with(crashed(0, old), empty), with(crashed(1, old), empty)},
			want:   "Replace 0",
		},
		{
			reason: "one that alone has the best block, and crashes, is for somebody to decide about",
			nodes:  []state.Node{behind(0), crashed(1, old)},
			want:   "1 waits for somebody, best_block: " + dilemma,
		},
		{
			reason: "as is one that may have it",
			nodes:  []state.Node{behind(0), with(crashed(1, old), unknown)}, seen: views{recording(7)},
			want: "1 waits for somebody, best_block: " + dilemma,
		},
		{
			reason: "one that lacks what nobody shows waits for whoever has it",
			nodes:  []state.Node{with(crashed(0, old), empty), with(silent(1), unknown)}, seen: views{recording(7)},
			want: "0 waits, best_block: payments-1 to show that it has " + best + ": its RPC port is closed",
		},
		{
			reason: "an operator that has just been started gives a node a moment to tell what it has",
			nodes:  []state.Node{at(0), with(crashed(1, old), untold)},
			want:   "1 waits, time: its first answer, for up to a minute: it is not known yet which blocks it has",
		},
		{
			reason: "a pod that never ran has nothing to lose, whoever else is down",
			nodes:  []state.Node{silent(0), with(silent(1, old, neverRan), unknown)}, seen: views{recording(7)},
			want: "Replace 1",
		},
		{
			reason: "a network that never came up heals from a bad image",
			nodes:  []state.Node{with(silent(0, old, neverRan), unknown), with(silent(1, old, neverRan), unknown)},
			want:   "Replace 0",
		},
		{
			reason: "one that never ran, and has the change, stays",
			nodes:  []state.Node{at(0), with(silent(1, neverRan), empty, lately)},
		},
		{
			reason: "one that no machine takes goes",
			nodes:  []state.Node{at(0, old), at(1), with(silent(2, old, unschedulable), empty), crashed(3)},
			want:   "Replace 2",
		},
		{
			reason: "one that hangs goes",
			nodes:  []state.Node{at(0, old), hung(1, old), crashed(2)},
			want:   "Replace 1",
		},
		{
			reason: "but not at once where the kubelet finds it ready: it may be the operator that cannot reach it",
			nodes:  []state.Node{at(0, old), with(hung(1, old), func(node *state.Node) { node.Pod = statetest.Pod(1, old) }), with(crashed(2), lately)},
			want:   "0 waits, node: payments-2 to serve: CrashLoopBackOff",
		},
		{
			reason: "one that did not come back from an earlier change does not wait for itself",
			nodes:  []state.Node{statetest.Rejecting(0, 7, old, another), at(1, old)}, network: changes{taken(0, replace, time.Minute)},
			want: "Replace 0",
		},
		{
			reason: "nor one whose eviction did not come to pass",
			nodes:  []state.Node{behind(0, old), at(1, old)}, network: changes{taken(0, replace, 10*time.Second)},
			want: "Replace 0",
		},
		{
			reason: "one that was restarted, and is not ready yet, is not broken",
			nodes:  []state.Node{at(0, old, startedAgain, statetest.NotReady), with(crashed(1), lately), at(2, old)}, network: changes{taken(0, restart, time.Second)},
			want: "0 waits, node: payments-0 to serve: the kubelet does not report it ready",
		},
		{
			reason: "what is on its way out need not be sent there again",
			nodes:  []state.Node{at(0), with(silent(1, old, neverRan, statetest.Terminating), unknown)},
		},
	})
}

// What a decision waits for that time alone brings about, it is made again for.
func TestLookAgain(t *testing.T) {
	rejecting := func(node *state.Node) { node.RejectsCurrent = true }
	for _, test := range []struct {
		decision
		want time.Duration
	}{
		{decision{reason: "nothing waits", nodes: []state.Node{at(0), at(1)}}, 0},
		{decision{reason: "an eviction may not have come to pass", nodes: []state.Node{at(0, old), at(1)},
			network: changes{taken(0, replace, 3*time.Second)}}, 7 * time.Second},
		{decision{reason: "a restart may not have come to pass", nodes: []state.Node{with(at(0), rejecting), at(1)},
			network: changes{taken(0, restart, 3*time.Second)}, seen: views{changedSecret(time.Hour)}}, 7 * time.Second},
		{decision{reason: "a budget may let it go", nodes: []state.Node{with(at(0, old), refused(time.Second/2)), at(1)}}, 3 * time.Second / 2},
		{decision{reason: "a node may tell what it has", nodes: []state.Node{at(0), with(crashed(1, old), untold)}}, time.Second},
		{decision{reason: "a node that is down is given five minutes", nodes: []state.Node{silent(0, startedAgain), with(at(1), rejecting)},
			network: changes{taken(0, restart, time.Minute)}, seen: views{changedSecret(time.Hour)}}, 4 * time.Minute},
		{decision{reason: "the kubelet's copy of the Secret comes up to date", nodes: []state.Node{with(at(0, statetest.Started(statetest.Now.Add(-50*time.Second))), rejecting)},
			seen: views{changedSecret(time.Minute)}}, 10 * time.Second},
		{decision{reason: "a node may serve again by itself", nodes: []state.Node{at(0), with(crashed(1), func(node *state.Node) { node.LastServed = statetest.Now.Add(-time.Minute) })}}, 4 * time.Minute},
		{decision{reason: "a step comes first, and what waits beside it is looked at later",
			nodes: []state.Node{with(at(0, old), refused(3*time.Second)), with(at(1, old), refused(time.Minute))}}, 57 * time.Second},
		{decision{reason: "what comes first", nodes: []state.Node{with(at(0, old), refused(time.Second)), with(at(1, old), refused(time.Second/4)), with(at(2, old), refused(time.Second/2))}}, time.Second},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := decide(test.decision).LookAgain; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestWhyAStepIsTaken(t *testing.T) {
	first := new(0)
	for _, test := range []struct {
		nodes []state.Node
		want  rollout.Step
	}{
		{[]state.Node{at(0), at(1, old)}, rollout.Step{Ordinal: 1, Action: replace, Keeper: first, Why: "it predates the last change"}},
		{[]state.Node{at(0), crashed(1, old)}, rollout.Step{Ordinal: 1, Action: replace, Keeper: first, Why: "it predates the last change and does not run"}},
		{[]state.Node{at(0), crashed(1)}, rollout.Step{Ordinal: 1, Action: replace, Keeper: first, Repair: true, Why: "it has not served for 1h0m0s: CrashLoopBackOff"}},
	} {
		if diff := cmp.Diff(&test.want, decide(decision{nodes: test.nodes}).Step); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// What rests on another node's having the best block says on which.
func TestKeeper(t *testing.T) {
	for _, test := range []struct {
		decision
		keeper *int
	}{
		{decision{reason: "the first of the others that has it", nodes: []state.Node{at(0), at(1, old), at(2)}}, new(0)},
		{decision{reason: "nothing is at stake", nodes: []state.Node{at(0, old), at(1)}, seen: views{public}}, nil},
		{decision{reason: "volumes stay", nodes: []state.Node{at(0, old), at(1)}, network: changes{onVolumes}}, nil},
		{decision{reason: "there is no block", nodes: []state.Node{statetest.NodeAt(0, 0, "a", old)}}, nil},
		{decision{reason: "a pod that never ran has nothing to lose", nodes: []state.Node{at(0), with(silent(1, old, neverRan), empty)}}, nil},
		{decision{reason: "a restart keeps the data", nodes: []state.Node{at(0), with(at(1), rejectsCurrent)}, seen: views{changedSecret(time.Hour)}}, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			step := decide(test.decision).Step
			if step == nil {
				t.Fatal("no step is taken")
			}
			if diff := cmp.Diff(test.keeper, step.Keeper); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
