package state

import "github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"

// Shares of the machine's disk that a node may take, from which it is told that it
// fills, and from which no block is mined that would fill it: a pod that takes more is
// evicted, and its chain goes with it.
const (
	DiskFilling = 0.8
	DiskFull    = 0.9
)

// DiskUsed returns which share of the machine's disk that it may take a node has used,
// as its chain goes. It is 0 for one that has a volume, or does not answer.
func (n Node) DiskUsed() float64 {
	if !n.Answers || n.Pod == nil {
		return 0
	}
	most := resources.DiskOf(n.Pod)
	if most == 0 {
		return 0
	}
	return float64(n.State.Chain.SizeOnDisk) / float64(most)
}

// FirstWithDisk returns the ordinal of the first node that has used such a share of its
// disk.
func (n *Network) FirstWithDisk(share float64) (ordinal int, found bool) {
	for ordinal, node := range n.Nodes {
		if node.DiskUsed() >= share {
			return ordinal, true
		}
	}
	return 0, false
}
