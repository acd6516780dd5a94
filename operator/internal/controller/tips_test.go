package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTips(t *testing.T) {
	for _, test := range []struct {
		reason string
		nodes  []node
		want   []string
		agree  agreement
	}{
		{
			reason: "nodes of the same tip are told together",
			nodes:  []node{nodeAt(0, 7, "a"), nodeAt(1, 7, "a"), nodeAt(2, 7, "a")},
			want:   []string{"height 7 (a00007000000…): nodes 0, 1, 2"},
			agree:  equal,
		},
		{
			reason: "one block apart is on its way",
			nodes:  []node{nodeAt(0, 7, "a"), nodeAt(1, 8, "a"), nodeAt(2, 7, "a")},
			want:   []string{"height 8 (a00008000000…): node 1", "height 7 (a00007000000…): nodes 0, 2"},
			agree:  equal,
		},
		{
			reason: "two blocks apart is not",
			nodes:  []node{nodeAt(0, 7, "a"), nodeAt(1, 9, "a")},
			agree:  lagging,
			want:   []string{"height 9 (a00009000000…): node 1", "height 7 (a00007000000…): node 0"},
		},
		{
			reason: "two tips of one height are a fork; the lowest ordinal is told first",
			nodes:  []node{nodeAt(0, 7, "b"), nodeAt(1, 7, "a"), nodeAt(2, 7, "b")},
			agree:  forked,
			want:   []string{"height 7 (b00007000000…): nodes 0, 2", "height 7 (a00007000000…): node 1"},
		},
		{
			reason: "of three tips one is not on the chain of the highest, however close",
			nodes:  []node{nodeAt(0, 7, "a"), nodeAt(1, 8, "a"), nodeAt(2, 8, "b")},
			agree:  forked,
			want: []string{
				"height 8 (a00008000000…): node 1", "height 8 (b00008000000…): node 2", "height 7 (a00007000000…): node 0",
			},
		},
		{
			reason: "nodes that do not answer have no say",
			nodes:  []node{silent(0, "its RPC port is closed"), nodeAt(1, 7, "a"), {problem: "it has no pod"}},
			want:   []string{"height 7 (a00007000000…): node 1"},
			agree:  equal,
		},
		{
			reason: "fresh nodes are at the genesis block",
			nodes:  []node{nodeAt(0, 0, "a"), nodeAt(1, 0, "a")},
			want:   []string{"height 0 (a00000000000…): nodes 0, 1"},
			agree:  equal,
		},
		{
			reason: "no node, no tip",
			agree:  noTips,
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := seenOf(test.nodes...)
			tips := tipsOf(seen)
			var got []string
			for _, tip := range tips {
				got = append(got, tip.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := agree(tips, branches(seen)); got != test.agree {
				t.Errorf("they are %s, want %s", got, test.agree)
			}
		})
	}
}
