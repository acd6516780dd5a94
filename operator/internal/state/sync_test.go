package state_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// public makes a network one of a chain that others follow, too.
func public(seen *state.Network) { seen.Private = false }

// said changes what a node says of its chain.
func said(headers int32, progress float64, download bool) func(*state.Node) {
	return func(node *state.Node) {
		node.State.Chain.Headers, node.State.Chain.VerificationProgress, node.State.Chain.InitialBlockDownload = headers, progress, download
	}
}

func behindFor(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.BehindSince = statetest.Now.Add(-ago) }
}

func stalledFor(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.StalledSince = statetest.Now.Add(-ago) }
}

func rejects(node *state.Node) { node.Invalid = new(statetest.Block(8, "a")) }

func syncedAgo(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.SyncedAt = statetest.Now.Add(-ago) }
}

// latest makes a node one that last said how far it is some time ago.
func latest(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.Latest.At = statetest.Now.Add(-ago) }
}

// isSilent makes a node one that does not answer now.
func isSilent(node *state.Node) {
	node.Answers, node.Shown, node.Problem = false, false, "it timed out"
}

// isLate makes a node one that does not answer for the first time.
func isLate(node *state.Node) { isSilent(node); node.IsLate = true }

func TestSyncOf(t *testing.T) {
	type changes = []func(*state.Node)
	for _, test := range []struct {
		reason  string
		height  int32 // of node 1; node 0 is at 100
		changes changes
		seen    func(*state.Network)
		want    state.Sync
	}{
		{"it has the best block", 100, nil, nil, state.Synced},
		{"it has more than anybody else", 101, nil, nil, state.Synced},
		{"one block may be on its way", 99, nil, nil, state.Synced},
		{"for a moment", 99, changes{behindFor(59 * time.Second)}, nil, state.Synced},
		{"and not for ever", 99, changes{behindFor(time.Minute)}, nil, state.Downloading},
		{"two are more than that", 98, nil, nil, state.Downloading},
		{"it has the best block, and headers of better ones", 100, changes{said(102, 1, false)}, nil, state.Downloading},
		{"or of one more", 100, changes{said(101, 1, false)}, nil, state.Synced},
		{"it is late once, and said so before", 100, changes{isLate}, nil, state.Synced},
		{"or that it was behind", 50, changes{isLate}, nil, state.Downloading},

		{"a private chain whose last block is old is in initial download for ever", 100, changes{said(100, 1, true)}, nil, state.Synced},
		{"a public one is not", 100, changes{said(100, 1, true)}, public, state.Downloading},
		{"it has what the world has", 100, changes{said(100, 1, false)}, public, state.Synced},
		{"it has headers of what the world has", 100, changes{said(900, .1, false)}, public, state.Downloading},
		{"it has less than the node beside it, and has not heard of it", 90, changes{said(90, 1, false)}, public, state.Downloading},

		{"its chain has stood still for a moment", 50, changes{stalledFor(59 * time.Second)}, nil, state.Downloading},
		{"for a minute", 50, changes{stalledFor(time.Minute)}, nil, state.NotCatchingUp},
		{"which is nothing where blocks come from the world", 50, changes{stalledFor(29 * time.Minute), said(100, .5, true)}, public, state.Downloading},
		{"half an hour is", 50, changes{stalledFor(30 * time.Minute), said(100, .5, true)}, public, state.NotCatchingUp},
		{"and it says why", 50, changes{stalledFor(time.Minute), rejects}, nil, state.RejectsBlock},
		{"what it holds for invalid is nobody's business while it grows", 50, changes{rejects}, nil, state.Downloading},
		{"it has the chain, however long it has not grown", 100, changes{stalledFor(time.Hour), rejects}, nil, state.Synced},

		{"it says nothing, and never did", 100, changes{isSilent}, nil, state.Untold},
		{"it had the chain a moment ago, and is being restarted", 100, changes{isSilent, syncedAgo(4 * time.Minute)}, nil, state.Synced},
		{"and was not behind since", 100, changes{isSilent, syncedAgo(4 * time.Minute), latest(4 * time.Minute)}, nil, state.Synced},
		{"and was behind since", 50, changes{isSilent, syncedAgo(4 * time.Minute), latest(3 * time.Minute)}, nil, state.Untold},
		{"that is long ago", 100, changes{isSilent, syncedAgo(5 * time.Minute)}, nil, state.Untold},
		{"it was behind when it was last heard of", 50, changes{isSilent, stalledFor(time.Hour)}, nil, state.Untold},
	} {
		t.Run(test.reason, func(t *testing.T) {
			node := statetest.NodeAt(1, test.height, "a")
			for _, change := range test.changes {
				change(&node)
			}
			seen := statetest.Seen(statetest.NodeAt(0, 100, "a"), node)
			if test.seen != nil {
				test.seen(seen)
			}
			if got := seen.SyncOf(seen.Nodes[1]); got != test.want {
				t.Errorf("it is %d, want %d", got, test.want)
			}
		})
	}
}

// Nodes that nobody mined on yet, or that are at two blocks with as much work, are none
// behind another.
func TestNobodyIsBehind(t *testing.T) {
	for reason, seen := range map[string]*state.Network{
		"there is the first block alone": statetest.Seen(statetest.NodeAt(0, 0, "a"), statetest.NodeAt(1, 0, "a")),
		"two blocks are as good":         statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.NodeAt(1, 7, "b")),
	} {
		if behind := seen.Behind(); len(behind) > 0 {
			t.Errorf("%s: %v are behind", reason, behind)
		}
		if remaining, known := seen.Remaining(); known {
			t.Errorf("%s: that is so in %s", reason, remaining)
		}
	}
}

// earlier is how far a node was some time ago.
func earlier(ago time.Duration, done float64) func(*state.Node) {
	return func(node *state.Node) {
		node.Earlier = state.Progress{At: statetest.Now.Add(-ago), Done: done}
	}
}

// askedAgo makes what a node says something that it said some time ago.
func askedAgo(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.AskedAt = statetest.Now.Add(-ago) }
}

func TestRemaining(t *testing.T) {
	at := func(ordinal int, height int32, changes ...func(*state.Node)) state.Node {
		node := statetest.NodeAt(ordinal, height, "a")
		for _, change := range changes {
			change(&node)
		}
		return node
	}
	done := at(0, 20_000)
	for _, test := range []struct {
		reason string
		nodes  []state.Node
		seen   func(*state.Network)
		want   time.Duration // 0 is not known
	}{
		{"all are there", []state.Node{done}, nil, 0},
		{"half is there, the last tenth in ten seconds", []state.Node{done, at(1, 10_000, earlier(10*time.Second, 8_000))}, nil, 50 * time.Second},
		{"as it said some seconds ago", []state.Node{done, at(1, 10_000, earlier(20*time.Second, 8_000), askedAgo(10*time.Second))}, nil, 40 * time.Second},
		{"it is late, and should be there by now", []state.Node{done, at(1, 10_000, earlier(110*time.Second, 8_000), askedAgo(time.Minute+40*time.Second))}, nil, 0},
		{"the others do not tell when it will", []state.Node{done, at(1, 10_000, earlier(10*time.Second, 8_000)), at(2, 10_000, earlier(110*time.Second, 8_000), askedAgo(time.Minute+40*time.Second))}, nil, 0},
		{"it has not been seen before", []state.Node{done, at(1, 10_000)}, nil, 0},
		{"nor for long enough", []state.Node{done, at(1, 10_000, earlier(4*time.Second, 8_000))}, nil, 0},
		{"it has not grown", []state.Node{done, at(1, 10_000, earlier(10*time.Second, 10_000))}, nil, 0},
		{"the last counts", []state.Node{done, at(1, 10_000, earlier(10*time.Second, 8_000)), at(2, 5_000, earlier(10*time.Second, 4_000))}, nil, 150 * time.Second},
		{"of one nobody knows", []state.Node{done, at(1, 10_000, earlier(10*time.Second, 8_000)), at(2, 5_000)}, nil, 0},
		{"one does not answer", []state.Node{done, at(1, 10_000, earlier(10*time.Second, 8_000)), at(2, 5_000, isSilent)}, nil, 0},
		{"one does not catch up", []state.Node{done, at(1, 10_000, earlier(10*time.Second, 8_000)), at(2, 5_000, stalledFor(time.Hour))}, nil, 0},
		{"it would take more than a year", []state.Node{done, at(1, 1, earlier(time.Hour, 0.9))}, nil, 0},
		{"to where headers lead, too", []state.Node{at(0, 10_000, said(20_000, 1, false), earlier(10*time.Second, 8_000))}, nil, 50 * time.Second},
		{"of a public chain by its transactions: early blocks are small", []state.Node{at(0, 10_000, said(20_000, .25, true), earlier(time.Hour, .2))}, public, 15 * time.Hour},
		{"a node that claims more than all has nothing left to tell", []state.Node{at(0, 10_000, said(20_000, 1e300, true), earlier(time.Hour, 1))}, public, 0},
		{"nor has one that claims less than nothing", []state.Node{at(0, 10_000, said(20_000, -1e300, true), earlier(time.Hour, 0))}, public, 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := statetest.Seen(test.nodes...)
			if test.seen != nil {
				test.seen(seen)
			}
			for i := range seen.Nodes {
				node := &seen.Nodes[i]
				node.AskedAt = cmp.Or(node.AskedAt, seen.Now)
				node.Latest = seen.ProgressOf(*node)
			}
			got, known := seen.Remaining()
			if known != (test.want != 0) || (got-test.want).Abs() > time.Millisecond {
				t.Errorf("%s, known: %t, want %s", got, known, test.want)
			}
		})
	}
}

// A node that does not answer is behind if it was when it last did.
func TestIsAnyBehind(t *testing.T) {
	type changes = []func(*state.Node)
	for _, test := range []struct {
		reason  string
		height  int32 // of node 1; node 0 is at 100
		changes changes
		want    bool
	}{
		{"it has the chain", 100, nil, false},
		{"it copies it", 50, nil, true},
		{"it has not for a while", 50, changes{stalledFor(time.Hour)}, true},
		{"it does not answer, and never did", 100, changes{isSilent}, false},
		{"it does not answer, and had the chain", 100, changes{isSilent, latest(time.Hour), syncedAgo(time.Hour)}, false},
		{"it does not answer, and was behind", 50, changes{isSilent, latest(time.Hour)}, true},
		{"it does not answer, and was behind after it had the chain", 50, changes{isSilent, latest(time.Hour), syncedAgo(2 * time.Hour)}, true},
	} {
		node := statetest.NodeAt(1, test.height, "a")
		for _, change := range test.changes {
			change(&node)
		}
		if got := statetest.Seen(statetest.NodeAt(0, 100, "a"), node).IsAnyBehind(); got != test.want {
			t.Errorf("%s: behind %t", test.reason, got)
		}
	}
}

// What a node was that has said nothing since the operator was restarted, nobody knows, and
// after a while nobody asks.
func TestMayAnyBeBehind(t *testing.T) {
	type changes = []func(*state.Node)
	for _, test := range []struct {
		reason  string
		changes changes
		since   time.Duration // that the operator has looked
		want    bool
	}{
		{"it has not answered yet", changes{isSilent}, 0, true},
		{"for almost five minutes", changes{isSilent}, 5*time.Minute - time.Second, true},
		{"for five minutes", changes{isSilent}, 5 * time.Minute, false},
		{"it answers", changes{latest(0)}, 0, false},
		{"it had the chain, and is silent since", changes{isSilent, latest(time.Minute), syncedAgo(time.Minute)}, time.Minute, false},
	} {
		node := statetest.NodeAt(1, 100, "a")
		for _, change := range test.changes {
			change(&node)
		}
		seen := statetest.Seen(statetest.NodeAt(0, 100, "a"), node)
		seen.Since = seen.Now.Add(-test.since)
		if got := seen.MayAnyBeBehind(); got != test.want {
			t.Errorf("%s: may be behind %t", test.reason, got)
		}
	}
}

func TestBehind(t *testing.T) {
	seen := statetest.Seen(statetest.NodeAt(0, 50, "a"), statetest.NodeAt(1, 100, "a"), statetest.NodeAt(2, 10, "a"),
		statetest.Silent(3, "it timed out"), statetest.NodeAt(4, 50, "a"), statetest.NodeAt(5, 5, "a"))
	seen.Wanted = 5
	if got, want := seen.Behind(), []int{2, 0, 4}; !slices.Equal(got, want) {
		t.Errorf("behind are %v, want %v: the furthest first, and none that says nothing or is beyond those that are wanted", got, want)
	}
	if got := seen.Part(seen.Nodes[2]); got != .1 {
		t.Errorf("it has %v of the chain, want 0.1", got)
	}
	seen.Private = false
	seen.Nodes[2].State.Chain.VerificationProgress = 7
	if got := seen.Part(seen.Nodes[2]); got != 1 {
		t.Errorf("a node that says so has %v of the chain, want 1 at most", got)
	}
}
