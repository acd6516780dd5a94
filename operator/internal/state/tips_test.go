package state_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestTips(t *testing.T) {
	at := func(ordinal int, height int32, branch string) state.Node {
		return statetest.NodeAt(ordinal, height, branch)
	}
	tip := func(height int32, branch string, nodes ...int) state.Tip {
		block := statetest.Block(height, branch)
		return state.Tip{Height: block.Height, Hash: block.Hash, Nodes: nodes}
	}
	for _, test := range []struct {
		reason string
		nodes  []state.Node
		want   []state.Tip
		agree  state.Agreement
	}{
		{
			reason: "nodes of the same tip are told together",
			nodes:  []state.Node{at(0, 7, "a"), at(1, 7, "a"), at(2, 7, "a")},
			want:   []state.Tip{tip(7, "a", 0, 1, 2)},
			agree:  state.Equal,
		},
		{
			reason: "one block apart is on its way",
			nodes:  []state.Node{at(0, 7, "a"), at(1, 8, "a"), at(2, 7, "a")},
			want:   []state.Tip{tip(8, "a", 1), tip(7, "a", 0, 2)},
			agree:  state.Equal,
		},
		{
			reason: "two blocks apart is not",
			nodes:  []state.Node{at(0, 7, "a"), at(1, 9, "a")},
			want:   []state.Tip{tip(9, "a", 1), tip(7, "a", 0)},
			agree:  state.Lagging,
		},
		{
			reason: "two tips of one height are a fork; the lowest ordinal is told first",
			nodes:  []state.Node{at(0, 7, "b"), at(1, 7, "a"), at(2, 7, "b")},
			want:   []state.Tip{tip(7, "b", 0, 2), tip(7, "a", 1)},
			agree:  state.Forked,
		},
		{
			reason: "of three tips one is not on the chain of the highest, however close",
			nodes:  []state.Node{at(0, 7, "a"), at(1, 8, "a"), at(2, 8, "b")},
			want:   []state.Tip{tip(8, "a", 1), tip(8, "b", 2), tip(7, "a", 0)},
			agree:  state.Forked,
		},
		{
			reason: "nodes that do not answer have no say, even if they show their tip",
			nodes:  []state.Node{statetest.Silent(0, "its RPC port is closed"), at(1, 7, "a"), state.Missing(""), statetest.Rejecting(3, 9)},
			want:   []state.Tip{tip(7, "a", 1)},
			agree:  state.Equal,
		},
		{
			reason: "fresh nodes are at the genesis block",
			nodes:  []state.Node{at(0, 0, "a"), at(1, 0, "a")},
			want:   []state.Tip{tip(0, "a", 0, 1)},
			agree:  state.Equal,
		},
		{
			reason: "no node, no tip",
			agree:  state.NoTips,
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := statetest.Seen(test.nodes...)
			tips := seen.Tips()
			if diff := cmp.Diff(test.want, tips); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := state.Agree(tips, statetest.Branches(seen)); got != test.agree {
				t.Errorf("they are %s, want %s", got, test.agree)
			}
		})
	}
}

func TestTipsOfNodesBeyondThoseWanted(t *testing.T) {
	seen := statetest.Healthy(2)
	seen.Wanted = 1
	if tips := seen.Tips(); len(tips) != 1 || len(tips[0].Nodes) != 1 {
		t.Errorf("got %v, want node 0 alone: the other is only there to copy", tips)
	}
}

func TestWhereNobodySaysHowTipsRelateThatIsUnclear(t *testing.T) {
	tips := statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.NodeAt(1, 9, "a")).Tips()
	if got := state.Agree(tips, nil); got != state.Unclear {
		t.Errorf("they are %s, want %s", got, state.Unclear)
	}
}
