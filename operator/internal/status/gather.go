package status

import (
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// gathersFor is how long progress gathers before it is written, for each node: a status
// tells of every node, and while a thousand come up each look finds a few more.
const gathersFor = 5 * time.Millisecond

// gathersAtLeast is how long it gathers in a small network: less than anybody waits for, and
// what happens to one node in a row is told at once.
const gathersAtLeast = time.Second

// MayWait returns how long a status may wait to be written, given when it last was: as long
// as it tells of nothing but progress. A network that has come to be otherwise, of which
// somebody has asked something, or that is ready, says so at once.
func MayWait(before, after *v1alpha1.BitcoinNetwork, written, now time.Time) time.Duration {
	if conditions.IsReady(after) || !isProgress(before, after) {
		return 0
	}
	return max(time.Duration(len(after.Status.Nodes))*gathersFor, gathersAtLeast) - now.Sub(written)
}

// isProgress reports whether two statuses differ in nothing but how many nodes and links
// there are, and where.
func isProgress(before, after *v1alpha1.BitcoinNetwork) bool {
	was, is := before.Status, after.Status
	if len(was.Conditions) != len(is.Conditions) {
		return false
	}
	for i, condition := range is.Conditions {
		if other := was.Conditions[i]; other.Type != condition.Type || other.Status != condition.Status || other.Reason != condition.Reason {
			return false
		}
	}
	is.Conditions = was.Conditions
	is.Nodes, is.ReadyNodes, is.Ready, is.Links, is.Replicas = was.Nodes, was.ReadyNodes, was.Ready, was.Links, was.Replicas
	is.Height, is.BestBlock, is.Sync = was.Height, was.BestBlock, was.Sync
	return equality.Semantic.DeepEqual(was, is)
}
