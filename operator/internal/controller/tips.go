package controller

import (
	"cmp"
	"fmt"
	"slices"
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

// agree tells whether all tips are equal or one block apart, as they are for a
// moment whenever a block is found. Two tips of the same height are a fork.
func agree(tips []tip) bool {
	return len(tips) == 1 || len(tips) == 2 && tips[0].height-tips[1].height == 1
}
