package state_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// block returns a pointer to a block, as fields have it.
func block(height int32, branch string) *state.Block {
	return new(statetest.Block(height, branch))
}

// neverRan makes a pod one whose container waits for its image.
func neverRan(pod *corev1.Pod) {
	statetest.Container(statetest.Waiting("ImagePullBackOff", "no such image"))(pod)
}

// unknown is a node of whose data nothing is known.
func unknown(ordinal int, changes ...func(*corev1.Pod)) state.Node {
	return statetest.Silent(ordinal, "its RPC port is closed", changes...)
}

// lastAt is a node that does not answer now, and was last at a block.
func lastAt(ordinal int, tip *state.Block) state.Node {
	node := unknown(ordinal)
	node.Tip = tip
	return node
}

func TestBest(t *testing.T) {
	at := func(ordinal int, height int32, branch string) state.Node {
		return statetest.NodeAt(ordinal, height, branch)
	}
	older := &state.Block{Height: 7} // as a status of before best blocks were recorded has it
	more := block(7, "b")
	more.Work = block(9, "b").Work // a chain of fewer blocks that took more work
	for _, test := range []struct {
		reason     string
		recorded   *state.Block
		nodes      []state.Node
		spare      bool
		best, lost *state.Block
	}{
		{
			reason: "no node, no block",
		},
		{
			reason: "the first block of a chain is nothing",
			nodes:  []state.Node{at(0, 0, "a"), at(1, 0, "a")},
		},
		{
			reason: "the tip with the most work",
			nodes:  []state.Node{at(0, 7, "a"), at(1, 8, "a"), at(2, 7, "a")},
			best:   block(8, "a"),
		},
		{
			reason: "which need not be the highest",
			nodes:  []state.Node{at(0, 8, "a"), lastAt(1, more)},
			best:   more,
		},
		{
			reason: "of two with as much work the first",
			nodes:  []state.Node{at(0, 7, "b"), at(1, 7, "a")},
			best:   block(7, "b"),
		},
		{
			reason:   "or the one that was recorded",
			recorded: block(7, "a"),
			nodes:    []state.Node{at(0, 7, "b"), at(1, 7, "a")},
			best:     block(7, "a"),
		},
		{
			reason:   "a recorded one gives way to one with more work",
			recorded: block(7, "a"),
			nodes:    []state.Node{at(0, 7, "a"), at(1, 8, "b")},
			best:     block(8, "b"),
		},
		{
			reason: "a node that does not answer is where it was last",
			nodes:  []state.Node{at(0, 7, "a"), lastAt(1, block(9, "a"))},
			best:   block(9, "a"),
		},
		{
			reason:   "a recorded one stays while data may have it of which nothing is known",
			recorded: block(9, "a"),
			nodes:    []state.Node{at(0, 7, "a"), unknown(1)},
			best:     block(9, "a"),
		},
		{
			reason:   "a pod that never ran has no data",
			recorded: block(9, "a"),
			nodes:    []state.Node{at(0, 7, "a"), unknown(1, neverRan)},
			best:     block(7, "a"),
			lost:     block(9, "a"),
		},
		{
			reason:   "nor has one that was seen when it was empty: it is no heir of the pod before it",
			recorded: block(9, "a"),
			nodes:    []state.Node{at(0, 7, "a"), lastAt(1, &state.Block{})},
			best:     block(7, "a"),
			lost:     block(9, "a"),
		},
		{
			reason:   "nor has a node without a pod",
			recorded: block(9, "a"),
			nodes:    []state.Node{at(0, 7, "a"), state.Missing("")},
			best:     block(7, "a"),
			lost:     block(9, "a"),
		},
		{
			reason:   "a chain that nodes were told to give up, as by invalidateblock, is no longer the best",
			recorded: block(9, "a"),
			nodes:    []state.Node{at(0, 7, "a"), at(1, 7, "a")},
			best:     block(7, "a"),
			lost:     block(9, "a"),
		},
		{
			reason:   "all is gone",
			recorded: block(9, "a"),
			nodes:    []state.Node{at(0, 0, "a"), state.Missing("")},
			lost:     block(9, "a"),
		},
		{
			reason:   "another block with as much work is no loss",
			recorded: block(7, "a"),
			nodes:    []state.Node{at(0, 7, "b")},
			best:     block(7, "b"),
		},
		{
			reason:   "volumes of nodes that were scaled away may still have it",
			recorded: block(9, "a"),
			nodes:    []state.Node{at(0, 7, "a")},
			spare:    true,
			best:     block(7, "a"),
		},
		{
			reason:   "a height alone gives way to a block of that height",
			recorded: older,
			nodes:    []state.Node{at(0, 7, "a"), unknown(1)},
			best:     block(7, "a"),
		},
		{
			reason:   "and stays while there may be more than the nodes tell",
			recorded: older,
			nodes:    []state.Node{at(0, 6, "a"), unknown(1)},
			best:     older,
		},
		{
			reason:   "and is lost when there is not",
			recorded: older,
			nodes:    []state.Node{at(0, 6, "a"), at(1, 6, "a")},
			best:     block(6, "a"),
			lost:     older,
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := statetest.Seen(test.nodes...)
			seen.SpareData = test.spare
			seen.SetBest(test.recorded)
			if diff := cmp.Diff(test.best, seen.Best); diff != "" {
				t.Errorf("the best block (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.lost, seen.Lost); diff != "" {
				t.Errorf("the lost block (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewDataOnAVolumeMayHaveTheBestBlock(t *testing.T) {
	node := unknown(0, neverRan)
	node.Data = "claim"
	seen := statetest.Seen(node)
	seen.SetBest(block(9, "a"))
	if seen.Best == nil {
		t.Error("the volume's data were taken for none, since the pod is new")
	}
}

func TestRecorded(t *testing.T) {
	with := func(height *int64, best *v1alpha1.BestBlockStatus) *v1alpha1.BitcoinNetwork {
		return statetest.Network(1, func(network *v1alpha1.BitcoinNetwork) {
			network.Status.Height, network.Status.BestBlock = height, best
		})
	}
	for _, test := range []struct {
		reason  string
		network *v1alpha1.BitcoinNetwork
		want    *state.Block
	}{
		{"nothing was recorded", with(nil, nil), nil},
		{"a first block is nothing", with(new(int64(0)), nil), nil},
		{"a height, of before", with(new(int64(1)), nil), &state.Block{Height: 1}},
		{
			"a block, whatever the height of the moment",
			with(new(int64(3)), &v1alpha1.BestBlockStatus{Height: 7, Hash: "hash", ChainWork: "work"}),
			&state.Block{Height: 7, Hash: "hash", Work: "work"},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if diff := cmp.Diff(test.want, state.Recorded(test.network)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompareBlocks(t *testing.T) {
	low, high := state.Block{Height: 9, Work: "01"}, state.Block{Height: 7, Work: "02"}
	if low.Compare(high) >= 0 || high.Compare(low) <= 0 || low.Compare(low) != 0 {
		t.Error("blocks are not ordered by work")
	}
	high.Work = ""
	if low.Compare(high) <= 0 || high.Compare(low) >= 0 {
		t.Error("where the work of one is not known, blocks are not ordered by height")
	}
}

func TestBlockInWords(t *testing.T) {
	if got, want := statetest.Block(7, "a").String(), "block 7 (a00007000000…)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (state.Block{Height: 7}).String(), "block 7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
