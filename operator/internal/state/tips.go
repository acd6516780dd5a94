package state

import (
	"cmp"
	"slices"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// Tip is the end of a chain, with the nodes that are at it.
type Tip struct {
	Height int64
	Hash   string
	Nodes  []int
}

// Tips returns the tips that the wanted nodes report over RPC, the highest first.
func (n *Network) Tips() []Tip {
	byHash := map[string]*Tip{}
	for ordinal, node := range n.WantedNodes() {
		if !node.Answers {
			continue
		}
		hash := node.State.Chain.BestBlockHash
		if byHash[hash] == nil {
			byHash[hash] = &Tip{Height: int64(node.State.Chain.Blocks), Hash: hash}
		}
		byHash[hash].Nodes = append(byHash[hash].Nodes, ordinal)
	}
	var tips []Tip
	for _, found := range byHash {
		tips = append(tips, *found)
	}
	slices.SortFunc(tips, func(a, b Tip) int {
		return cmp.Or(cmp.Compare(b.Height, a.Height), cmp.Compare(a.Nodes[0], b.Nodes[0]))
	})
	return tips
}

// Agreement is how the tips of a network's nodes relate: a reason of the condition
// ChainsAgree.
type Agreement string

// The ways in which tips relate.
const (
	NoTips  Agreement = v1alpha1.NoNodesReason
	Equal   Agreement = v1alpha1.TipsEqualReason
	Lagging Agreement = v1alpha1.LaggingReason
	Forked  Agreement = v1alpha1.ForkReason
	Unclear Agreement = v1alpha1.TipsDifferReason
)

// Agree returns how tips relate. One block apart counts as equal: so they are for a
// moment whenever a block is found.
func Agree(tips []Tip, branches map[string]bool) Agreement {
	switch {
	case len(tips) == 0:
		return NoTips
	case len(tips) == 1:
		return Equal
	case branches == nil:
		return Unclear
	case slices.ContainsFunc(tips, func(tip Tip) bool { return !branches[tip.Hash] }):
		return Forked
	case tips[0].Height-tips[len(tips)-1].Height <= 1:
		return Equal
	default:
		return Lagging
	}
}
