package rollout

import (
	"fmt"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// maxRepairs is how often a node that is broken by itself is replaced.
	maxRepairs = 3
	// repairAfter is how long a node does not serve before it is replaced; it
	// doubles with each replacement.
	repairAfter = 5 * time.Minute
	// healedAfter is how long after its last replacement a node that serves counts
	// as mended.
	healedAfter = 15 * time.Minute
)

// repair replaces a node that is as it should be and broken all the same, as with
// spoiled data, when another node, or the world, has the best block, or there is none.
// Its volume would be spoiled in the next pod, too, so it is for nodes without.
func (d *decider) repair() *Step {
	if !state.InPods(d.network) {
		return nil
	}
	for ordinal, node := range d.staying() {
		if node.Pod == nil || d.seen.IsOutdated(node) || !d.seen.FaultOf(node).IsRepairable() {
			continue
		}
		repairs := d.repairs[ordinal]
		if repairs.Count >= maxRepairs {
			continue
		}
		since, pause := later(node.LastServed, repairs.Last.Time), repairAfter<<repairs.Count
		if left := pause - d.seen.Now.Sub(since); left > 0 {
			d.look(left)
			continue
		}
		why := fmt.Sprintf("it has not served for %s: %s", d.seen.Now.Sub(since).Round(time.Second), node.Problem)
		if step := d.evict(ordinal, why); step != nil {
			step.Repair = true
			return step
		}
	}
	return nil
}

// Repairs returns how often nodes have been replaced because they were broken by
// themselves, by ordinal: those of them that have not served for a while since.
func Repairs(network *v1alpha1.BitcoinNetwork, seen *state.Network) map[int]v1alpha1.RepairStatus {
	repairs := map[int]v1alpha1.RepairStatus{}
	for _, repair := range network.Status.Repairs {
		ordinal := int(repair.Ordinal)
		if !seen.Serves(seen.Node(ordinal)) || seen.Now.Sub(repair.Last.Time) < healedAfter {
			repairs[ordinal] = repair
		}
	}
	return repairs
}

// isBeyondRepair reports whether a node is broken for good: no pod can be made for
// it, or placed, or three new ones have not mended it. One with a volume, which a new
// pod would not mend, is when it has not served for as long as mending takes to show.
func (d *decider) isBeyondRepair(ordinal int) bool {
	node := d.seen.Node(ordinal)
	switch d.seen.FaultOf(node) {
	case state.NotMade, state.Unschedulable, state.MachineLost:
		return true
	case state.Crashing, state.Hung:
		if !state.InPods(d.network) {
			return d.seen.Now.Sub(node.LastServed) >= healedAfter
		}
		return d.repairs[ordinal].Count >= maxRepairs
	default:
		return false
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
