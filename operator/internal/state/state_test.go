package state_test

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestServes(t *testing.T) {
	at := func(height int32, branch string, changes ...func(*corev1.Pod)) state.Node {
		return statetest.NodeAt(1, height, branch, changes...)
	}
	for _, test := range []struct {
		reason           string
		node             state.Node
		public, first    bool // the chain is public; the best node is at the first block, too
		serves, up, sync bool
		shows            bool
	}{
		{reason: "it answers, and has the best block", node: at(7, "a"), serves: true, up: true, sync: true, shows: true},
		{reason: "the kubelet does not report it ready", node: at(7, "a", statetest.NotReady), sync: true, shows: true},
		{reason: "it is on its way out", node: at(7, "a", statetest.Terminating), sync: true, shows: true},
		{reason: "it is behind", node: at(6, "a")},
		{reason: "it has another block, with as much work", node: at(7, "b"), serves: true, up: true, sync: true},
		{reason: "it was at the best block when it last answered", node: lastAt(1, block(7, "a"))},
		{reason: "it shows its tip and accepts no password", node: statetest.Rejecting(1, 7), up: true, sync: true, shows: true},
		{reason: "it has no pod", node: state.Missing("")},
		{reason: "of a public chain the world has the best block", node: at(6, "a"), public: true, serves: true, up: true},
		{reason: "a first block every node has", node: at(0, "a"), first: true, serves: true, up: true, sync: true, shows: true},
		{reason: "but it must say so", node: unknown(1), first: true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			best := statetest.NodeAt(0, 7, "a")
			if test.first {
				best = statetest.NodeAt(0, 0, "a")
			}
			seen := statetest.Seen(best, test.node)
			seen.Private = !test.public
			if got := seen.Serves(test.node); got != test.serves {
				t.Errorf("it serves: %t, want %t", got, test.serves)
			}
			if got := seen.IsUp(test.node); got != test.up {
				t.Errorf("it is up: %t, want %t", got, test.up)
			}
			if got := seen.IsSynced(test.node); got != test.sync {
				t.Errorf("it is synced: %t, want %t", got, test.sync)
			}
			if got := seen.Shows(test.node); got != test.shows {
				t.Errorf("it shows the best block: %t, want %t", got, test.shows)
			}
		})
	}
}

func TestHas(t *testing.T) {
	seen := statetest.Seen(statetest.NodeAt(0, 7, "a"), lastAt(1, block(7, "a")), lastAt(2, block(6, "a")), unknown(3))
	for ordinal, want := range []bool{true, true, false, false} {
		if got := seen.Has(seen.Nodes[ordinal]); got != want {
			t.Errorf("node %d has it: %t, want %t", ordinal, got, want)
		}
	}
}

func TestAtStake(t *testing.T) {
	seen := statetest.Healthy(1)
	if !seen.AtStake() {
		t.Error("a chain that nobody else has is not at stake")
	}
	seen.Private = false
	if seen.AtStake() {
		t.Error("a chain that the world has is at stake")
	}
	if statetest.Seen(statetest.NodeAt(0, 0, "a")).AtStake() {
		t.Error("a first block is at stake")
	}
}

func TestEmptyAndUntold(t *testing.T) {
	onVolume := unknown(0, neverRan)
	onVolume.Data = "claim"
	filled := lastAt(0, block(7, "a"))
	filled.Pod = statetest.Pod(0, neverRan)
	known := unknown(0, neverRan)
	known.Tip = &state.Block{}
	longSilent := unknown(0)
	longSilent.LastServed = statetest.Now.Add(-state.Silence)
	for _, test := range []struct {
		reason        string
		node          state.Node
		empty, untold bool
	}{
		{"it answers", statetest.NodeAt(0, 0, "a"), false, false},
		{"its pod never ran", unknown(0, neverRan), true, false},
		{"its pod never ran, and that is on record", known, true, false},
		{"its pod never ran, but it is on a volume from before", onVolume, false, true},
		{"its data are known to be something", filled, false, false},
		{"its pod runs, and nobody knows what it has", unknown(0), false, true},
		{"it has had a minute to tell", longSilent, false, false},
		{"it has no pod", state.Missing(""), false, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := test.node.IsEmpty(); got != test.empty {
				t.Errorf("it is empty: %t, want %t", got, test.empty)
			}
			seen := statetest.Seen(test.node)
			if got := seen.IsUntold(test.node); got != test.untold {
				t.Errorf("nobody knows: %t, want %t", got, test.untold)
			}
			if seen.Private = false; seen.IsUntold(test.node) {
				t.Error("of a public chain there is nothing to tell")
			}
		})
	}
}

func TestFirstTip(t *testing.T) {
	since := statetest.Now.Add(-time.Hour)
	onVolume := unknown(0, statetest.Created(statetest.Now))
	onVolume.Data = "claim"
	for _, test := range []struct {
		reason string
		node   state.Node
		known  bool
	}{
		{"its pod was made while somebody looked", unknown(0, statetest.Created(since.Add(time.Second))), true},
		{"it was there before", unknown(0, statetest.Created(since)), false},
		{"it was there before, and never ran", unknown(0, statetest.Created(since), neverRan), true},
		{"its volume may have been there before", onVolume, false},
		{"it has no pod", state.Missing(""), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			tip := test.node.FirstTip(since)
			if known := tip != nil; known != test.known || known && tip.Height != 0 {
				t.Errorf("got %v", tip)
			}
		})
	}
}

func TestHandsOff(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.BitcoinNetwork, *state.Network)
		want   bool
	}{
		{"all is well", func(*v1alpha1.BitcoinNetwork, *state.Network) {}, false},
		{"the team has suspended it", func(network *v1alpha1.BitcoinNetwork, _ *state.Network) { network.Spec.Suspend = true }, true},
		{"the platform does not allow its chain", func(_ *v1alpha1.BitcoinNetwork, seen *state.Network) { seen.ChainNotAllowed = true }, true},
		{"there are no credentials", func(_ *v1alpha1.BitcoinNetwork, seen *state.Network) {
			*seen = *statetest.Unusable(v1alpha1.SecretNotFoundReason, "no such Secret", 1)
		}, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network, seen := statetest.Network(1), statetest.Healthy(1)
			test.change(network, seen)
			if got := seen.HandsOff(network); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestOutdated(t *testing.T) {
	seen := statetest.Seen(
		statetest.NodeAt(0, 7, "a", statetest.OfOldRevision),
		statetest.NodeAt(1, 7, "a"),
		statetest.Silent(2, "its pod is being deleted", statetest.OfOldRevision, statetest.Terminating),
		state.Missing(""),
	)
	of := func() (outdated []bool) {
		for _, node := range seen.Nodes {
			outdated = append(outdated, seen.IsOutdated(node))
		}
		return outdated
	}
	expect := func(reason string, want ...bool) {
		t.Helper()
		for ordinal, got := range of() {
			if got != want[ordinal] {
				t.Errorf("%s: node %d is outdated: %t", reason, ordinal, got)
			}
		}
	}
	expect("pods are until they are gone", true, false, true, false)
	seen.StatefulSet.Generation++
	expect("what the status calls current is not yet the template as it is now", false, false, false, false)
	seen.StatefulSet.Generation--
	seen.StatefulSet.Status.UpdateRevision = ""
	expect("the StatefulSet controller has not looked at it at all", false, false, false, false)
	seen.StatefulSet = nil
	expect("there is no StatefulSet yet", false, false, false, false)
}

func TestNodeOfAnyOrdinal(t *testing.T) {
	seen := statetest.Healthy(2)
	for ordinal := range seen.Nodes {
		if got := seen.Node(ordinal).Pod; got != seen.Nodes[ordinal].Pod {
			t.Errorf("got %v, want the node of that ordinal", got)
		}
	}
	for _, ordinal := range []int{-1, 2} {
		if node := seen.Node(ordinal); node.Pod != nil || node.Ready() {
			t.Errorf("node %d: got %v, want one of which nothing is known", ordinal, node)
		}
	}
}

func TestReadyNodes(t *testing.T) {
	seen := statetest.Seen(statetest.NodeAt(0, 7, "a"), unknown(1), statetest.NodeAt(2, 7, "a"))
	if got := seen.Ready(); got != 2 {
		t.Errorf("got %d, want 2", got)
	}
	seen.Wanted = 2
	if got := seen.Ready(); got != 1 {
		t.Errorf("got %d, want 1: the last is not one of those wanted", got)
	}
}

func TestMissingNodes(t *testing.T) {
	if got, want := state.Missing("exceeded quota").Problem, "it has no pod: exceeded quota"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := state.Name(statetest.Network(1), 3), "payments-3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhereDataAre(t *testing.T) {
	if !state.InPods(statetest.Network(1)) {
		t.Error("without a volume data are in pods")
	}
	if state.InPods(statetest.Network(1, func(network *v1alpha1.BitcoinNetwork) {
		network.Spec.Storage = &v1alpha1.Storage{WhenScaled: appsv1.RetainPersistentVolumeClaimRetentionPolicyType}
	})) {
		t.Error("with one they are not")
	}
}

// Of a network that is suspended before it is made, or made larger, nodes that nobody
// makes are no nodes.
func TestMadeNodes(t *testing.T) {
	for _, test := range []struct {
		reason        string
		wanted, asked int // asked is -1 without a StatefulSet
		pods          []int
		want          int
	}{
		{"all are there", 3, 3, []int{0, 1, 2}, 3},
		{"some are still to come", 3, 3, []int{0}, 3},
		{"none is, and nobody makes any", 1000, -1, nil, 0},
		{"more are wanted than anybody makes", 1000, 3, []int{0, 1, 2}, 3},
		{"fewer are wanted than there are", 2, 3, []int{0, 1, 2}, 2},
		{"one is there that is not asked for any more", 3, 1, []int{0, 2}, 3},
		{"none is wanted", 0, 3, []int{0, 1, 2}, 0},
	} {
		seen := &state.Network{Wanted: test.wanted, Nodes: make([]state.Node, max(test.wanted, test.asked))}
		if test.asked >= 0 {
			seen.StatefulSet = &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: new(int32(test.asked))}}
		}
		for _, ordinal := range test.pods {
			seen.Nodes[ordinal].Pod = statetest.Pod(ordinal)
		}
		if got := len(seen.MadeNodes()); got != test.want {
			t.Errorf("%s: got %d, want %d", test.reason, got, test.want)
		}
	}
}

// That a node has the best tip rests on what it says now, and on what the others have said
// within half a minute, however seldom they are asked.
func TestOnWhomItRestsThatANodeMines(t *testing.T) {
	for _, test := range []struct {
		reason string
		ago    time.Duration
		want   []int
	}{
		{"all have been asked in this pass", 0, []int{1}},
		{"a check ago", 30 * time.Second, []int{1}},
		{"longer ago: spec.interval is 1h", 31 * time.Second, []int{1, 0, 2}},
	} {
		seen := &state.Network{Now: statetest.Now, AllAskedAt: statetest.Now.Add(-test.ago), Nodes: make([]state.Node, 3)}
		if got := seen.TipRestsOn(1); !slices.Equal(got, test.want) {
			t.Errorf("%s: it rests on %v, want %v", test.reason, got, test.want)
		}
	}
}
