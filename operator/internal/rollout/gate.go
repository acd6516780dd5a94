package rollout

import (
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Synced returns the nodes whose pods' readiness gates are to be opened: they have a
// chain as good as any, or there is none yet.
func Synced(seen *state.Network) []int {
	var ordinals []int
	for ordinal, node := range seen.Nodes {
		if node.Pod == nil || node.Pod.DeletionTimestamp != nil || !state.AwaitsSync(node.Pod) {
			continue
		}
		if seen.Best == nil || seen.IsSynced(node) {
			ordinals = append(ordinals, ordinal)
		}
	}
	return ordinals
}
