package status

import (
	"slices"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// heightInterval is how often a change of nothing but the height, or of how far nodes are,
// is worth a write.
const heightInterval = time.Minute

// ReportHeight writes the best block and its height into the status, and keeps what
// was there, also of how far nodes are, when these alone would make a write too soon. It
// returns when they were last written.
func ReportHeight(before, after *v1alpha1.BitcoinNetwork, seen *state.Network, written time.Time) time.Time {
	if len(seen.Nodes) == 0 {
		after.Status.Height = nil // it went with the nodes
		if !seen.SpareData {
			after.Status.BestBlock = nil
		}
		return written
	}
	height, known := heightOf(seen), before.Status.Height
	isFirst := height != nil && known == nil
	settled := withProgressOf(before, after)
	otherwiseSame := !syncTurned(before, after) && equality.Semantic.DeepEqual(before.Status, settled)
	if otherwiseSame && !isFirst && seen.Lost == nil && seen.Now.Sub(written) < heightInterval {
		after.Status = settled
		return written
	}
	if !equality.Semantic.DeepEqual(after.Status, settled) {
		written = seen.Now
	}
	if height == nil {
		return written
	}
	if isFirst || *known != *height {
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

// progress are the conditions whose messages say how far nodes are.
var progress = []string{v1alpha1.ChainsAgreeCondition, v1alpha1.SyncedCondition}

// withProgressOf returns the status of a network with what an earlier one says of how far
// nodes are, which changes with each look.
func withProgressOf(before, after *v1alpha1.BitcoinNetwork) v1alpha1.BitcoinNetworkStatus {
	settled := after.Status
	settled.Sync, settled.Warnings = before.Status.Sync, before.Status.Warnings
	settled.Conditions = slices.Clone(settled.Conditions)
	for i, condition := range settled.Conditions {
		if earlier := conditions.Get(before, condition.Type); earlier != nil && slices.Contains(progress, condition.Type) {
			settled.Conditions[i] = *earlier
		}
	}
	return settled
}

// syncTurned reports whether there is more to tell of how far nodes are than that they came
// further: what is wrong with them, or when they are there, of which nobody knew before.
func syncTurned(before, after *v1alpha1.BitcoinNetwork) bool {
	if before.Status.Sync == nil || after.Status.Sync == nil {
		return before.Status.Sync != after.Status.Sync
	}
	hasTurned := func(condition string) bool {
		return conditions.GetReason(before, condition) != conditions.GetReason(after, condition)
	}
	return slices.ContainsFunc(progress, hasTurned) || before.Status.Sync.EstimatedAt == nil && after.Status.Sync.EstimatedAt != nil
}
