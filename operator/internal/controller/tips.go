package controller

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// tip is the end of a chain, with the nodes that are at it.
type tip struct {
	height int64
	hash   string
	nodes  []int
}

// String says where the tip is and who is there.
func (t tip) String() string {
	return fmt.Sprintf("height %d (%.12s…): %s", t.height, t.hash, listNodes(t.nodes))
}

// tipsOf returns the tips that the nodes report, the highest first.
func tipsOf(seen *observation) []tip {
	byHash := map[string]*tip{}
	for ordinal, node := range seen.nodes {
		if !node.answers() {
			continue
		}
		hash := node.state.Chain.BestBlockHash
		if byHash[hash] == nil {
			byHash[hash] = &tip{height: int64(node.state.Chain.Blocks), hash: hash}
		}
		byHash[hash].nodes = append(byHash[hash].nodes, ordinal)
	}
	var tips []tip
	for _, found := range byHash {
		tips = append(tips, *found)
	}
	slices.SortFunc(tips, func(a, b tip) int {
		return cmp.Or(cmp.Compare(b.height, a.height), cmp.Compare(a.nodes[0], b.nodes[0]))
	})
	return tips
}

// agreement is how the tips of a network's nodes relate.
type agreement string

const (
	noTips  agreement = v1alpha1.NoNodesReason
	equal   agreement = v1alpha1.TipsEqualReason
	lagging agreement = v1alpha1.LaggingReason
	forked  agreement = v1alpha1.ForkReason
	unclear agreement = v1alpha1.TipsDifferReason
)

// agree tells how tips relate. One block apart counts as equal: so they are for a
// moment whenever a block is found.
func agree(tips []tip, branches map[string]bool) agreement {
	switch {
	case len(tips) == 0:
		return noTips
	case len(tips) == 1:
		return equal
	case branches == nil:
		return unclear
	case slices.ContainsFunc(tips, func(tip tip) bool { return !branches[tip.hash] }):
		return forked
	case tips[0].height-tips[len(tips)-1].height <= 1:
		return equal
	default:
		return lagging
	}
}
