package status

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// heightInterval is how often a change of nothing but the height is worth a write.
const heightInterval = time.Minute

// ReportHeight writes the best block and its height into the status, and keeps what
// was there when these alone would make a write too soon. It returns when the height
// was last written.
func ReportHeight(before, after *v1alpha1.BitcoinNetwork, seen *state.Network, written time.Time) time.Time {
	if len(seen.Nodes) == 0 {
		after.Status.Height = nil // it went with the nodes
		if !seen.SpareData {
			after.Status.BestBlock = nil
		}
		return written
	}
	height := heightOf(seen)
	if height == nil {
		return written
	}
	known := before.Status.Height
	otherwiseSame := equality.Semantic.DeepEqual(before.Status, after.Status)
	if otherwiseSame && known != nil && seen.Lost == nil && seen.Now.Sub(written) < heightInterval {
		return written
	}
	if known == nil || *known != *height {
		written = seen.Now
	}
	after.Status.Height = height
	RecordBest(after, seen)
	return written
}

// heightOf returns the height of the best block; nil where nobody has told of one.
// When a block is lost, all that is left without another is the first of the chain.
func heightOf(seen *state.Network) *int64 {
	if seen.Best != nil {
		return &seen.Best.Height
	}
	if seen.Lost != nil {
		return new(int64(0))
	}
	for _, node := range seen.Nodes {
		if node.Tip != nil {
			return new(int64(0))
		}
	}
	return nil
}
