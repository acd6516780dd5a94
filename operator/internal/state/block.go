package state

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// Block is the tip of a chain.
type Block struct {
	Height int64
	// Hash and Work, in hexadecimal of 64 digits, are empty of a block of which an
	// earlier operator has recorded the height alone.
	Hash, Work string
}

// String says where the block is.
func (b Block) String() string {
	if b.Hash == "" {
		return fmt.Sprintf("block %d", b.Height)
	}
	return fmt.Sprintf("block %d (%.12s…)", b.Height, b.Hash)
}

// is reports whether a tip is the block. Nothing, as before the second block of a
// chain, every node has.
func (b *Block) is(tip *Block) bool {
	return b == nil || tip != nil && *b == *tip
}

// Compare orders blocks by the work in their chains.
func (b Block) Compare(other Block) int {
	if b.Work == "" || other.Work == "" {
		return cmp.Compare(b.Height, other.Height)
	}
	return cmp.Compare(b.Work, other.Work)
}

// Recorded returns the best block that a network's status tells of, or nil. A
// status of before best blocks were recorded tells a height.
func Recorded(network *v1alpha1.BitcoinNetwork) *Block {
	status := network.Status
	switch {
	case status.BestBlock != nil:
		return &Block{Height: status.BestBlock.Height, Hash: status.BestBlock.Hash, Work: status.BestBlock.ChainWork}
	case status.Height != nil && *status.Height > 0:
		return &Block{Height: *status.Height}
	default:
		return nil
	}
}

// SetBest finds the best block among the data that still exist: what the nodes are
// known to be at, and what was recorded before, as long as there are data that may
// have it. Of two with as much work it is the one that was recorded first.
func (n *Network) SetBest(recorded *Block) {
	n.Best, n.Lost = nil, nil
	if recorded != nil && n.mayHave(*recorded) {
		n.Best = recorded
	}
	for _, node := range n.Nodes {
		if tip := node.Tip; tip != nil && tip.Height > 0 && (n.Best == nil || better(*tip, *n.Best)) {
			n.Best = tip
		}
	}
	if recorded != nil && !n.SpareData && (n.Best == nil || n.Best.Compare(*recorded) < 0) {
		n.Lost = recorded
	}
}

// mayHave reports whether there are data which may have a block: they are known to
// be at it, or nothing is known of them, not even that they are empty.
func (n *Network) mayHave(block Block) bool {
	return slices.ContainsFunc(n.Nodes, func(node Node) bool {
		return node.Data != "" && (node.Tip == nil && !node.IsEmpty() || node.Tip != nil && *node.Tip == block)
	})
}

// better reports whether a tip takes the place of the best block. One of which the
// height alone was recorded gives way to any that is as high.
func better(tip, best Block) bool {
	order := tip.Compare(best)
	return order > 0 || order == 0 && best.Hash == ""
}
