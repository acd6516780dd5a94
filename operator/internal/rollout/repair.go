package rollout

import (
	"fmt"
	"slices"
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
		repairs := Repairs(d.network, d.seen, ordinal)
		if repairs != nil && repairs.Count >= maxRepairs {
			continue
		}
		since, pause := node.LastServed, repairAfter
		if repairs != nil {
			since, pause = later(since, repairs.Last.Time), repairAfter<<repairs.Count
		}
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

// Repairs returns how often a node has been replaced because it was broken by
// itself; nil if it never was, or has served for a while since.
func Repairs(network *v1alpha1.BitcoinNetwork, seen *state.Network, ordinal int) *v1alpha1.RepairStatus {
	i := slices.IndexFunc(network.Status.Repairs, func(repairs v1alpha1.RepairStatus) bool { return int(repairs.Ordinal) == ordinal })
	if i < 0 {
		return nil
	}
	repairs := network.Status.Repairs[i]
	if seen.Serves(seen.Node(ordinal)) && seen.Now.Sub(repairs.Last.Time) >= healedAfter {
		return nil
	}
	return &repairs
}

// isBeyondRepair reports whether a node is broken for good: no pod can be made for
// it, or placed, or three new ones have not mended it. One with a volume, which a new
// pod would not mend, is when it has not served for as long as mending takes to show.
func isBeyondRepair(network *v1alpha1.BitcoinNetwork, seen *state.Network, ordinal int) bool {
	node := seen.Node(ordinal)
	switch seen.FaultOf(node) {
	case state.NotMade, state.Unschedulable, state.MachineLost:
		return true
	case state.Crashing, state.Hung:
		if !state.InPods(network) {
			return seen.Now.Sub(node.LastServed) >= healedAfter
		}
		repairs := Repairs(network, seen, ordinal)
		return repairs != nil && repairs.Count >= maxRepairs
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
