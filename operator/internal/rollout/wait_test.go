package rollout_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// What is waited for is written into the status: while nothing changes but that blocks
// come, it stays in the same words.
func TestWaitsStayWhileBlocksCome(t *testing.T) {
	tip := func(ordinal int, height int32) state.Node { return statetest.NodeAt(ordinal, height, "a") }
	outdated := func(ordinal int, height int32) state.Node { return statetest.NodeAt(ordinal, height, "a", old) }
	hadIt := func(node state.Node, height int32) state.Node {
		node.Answers, node.Shown, node.Problem = false, false, "its RPC port is closed"
		node.Tip = new(statetest.Block(height, "a"))
		return node
	}
	for _, test := range []struct {
		reason string
		nodes  func(height int32) []state.Node
		wanted int // fewer than there are, if any
	}{
		{"a node is behind that was replaced already", func(height int32) []state.Node {
			return []state.Node{outdated(0, height), tip(1, height-3)}
		}, 0},
		{"the one that has the best block does not show it", func(height int32) []state.Node {
			return []state.Node{outdated(0, height-3), hadIt(tip(1, height), height)}
		}, 0},
		{"one that goes has the best block", func(height int32) []state.Node {
			return []state.Node{tip(0, height-3), tip(1, height)}
		}, 1},
		{"one of some has to have it", func(height int32) []state.Node {
			return []state.Node{tip(0, height-3), tip(1, height-3), tip(2, height)}
		}, 2},
	} {
		t.Run(test.reason, func(t *testing.T) {
			waits := func(height int32) []*rollout.Wait {
				seen := statetest.Seen(test.nodes(height)...)
				for i := range seen.Nodes {
					if !seen.Has(seen.Nodes[i]) {
						seen.Nodes[i].LastServed = statetest.Now.Add(-time.Minute)
					}
				}
				network := statetest.Network(int32(len(seen.Nodes)))
				if test.wanted > 0 {
					seen.Wanted, network.Spec.Nodes = test.wanted, int32(test.wanted)
				}
				return []*rollout.Wait{rollout.SizeOf(network, seen).Wait, rollout.Next(network, seen, statetest.Links(len(seen.Nodes))).Wait}
			}
			now := waits(7)
			if now[0] == nil && now[1] == nil {
				t.Fatal("nothing waits")
			}
			if diff := cmp.Diff(now, waits(8)); diff != "" {
				t.Errorf("a block has come (-before +after):\n%s", diff)
			}
		})
	}
}
