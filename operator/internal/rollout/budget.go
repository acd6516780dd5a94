package rollout

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// moment is for how long a node that had the best block counts as having it: so long
// a new block may take from one node to the next.
const moment = 5 * time.Second

// Drain is what others may evict of a network now.
type Drain struct {
	// Budget is what the disruption budget should say.
	Budget resources.Budget
	// HeldSince is since when too few nodes have the best block; nil while enough do.
	HeldSince *metav1.Time
	// Blank reports that all may go at once, with their data, since none has more than the
	// first block.
	Blank bool
	// Ended reports that they have been too few for so long that drains go on, and
	// JustEnded that this is news.
	Ended, JustEnded bool
}

// news is for how long it is news that drains go on: an operator that has been
// restarted meanwhile does not tell it again.
const news = 2 * time.Minute

// DrainOf decides what others may evict of so many pods. As long as two ready ones
// have the best block, or there is one alone, or nothing is at stake, that is one node
// beside those that are broken for good. Else no ready node may go, until drains have
// been held up for so long as the platform says.
func DrainOf(network *v1alpha1.BitcoinNetwork, seen *state.Network, size int, hold time.Duration) Drain {
	d := newDecider(network, seen)
	var beyondRepair, ready, holders int32
	for ordinal := range size {
		node := seen.Node(ordinal)
		if d.isBeyondRepair(ordinal) {
			beyondRepair++
		}
		if state.IsReady(node.Pod) {
			ready++
			if seen.Has(node) || seen.Now.Sub(node.HadBest) < moment {
				holders++
			}
		}
	}
	open := resources.Budget{MaxUnavailable: beyondRepair + 1, AlwaysAllow: true}
	isBlank := hasNothing(seen, size) && !(slices.ContainsFunc(seen.Nodes, goes) && slices.ContainsFunc(seen.Nodes, saysNothing))
	if isBlank {
		open.MaxUnavailable = int32(size)
	}
	if holders >= 2 || size <= 1 || !seen.AtStake() || !state.InPods(network) {
		return Drain{Budget: open, Blank: isBlank && state.InPods(network)}
	}
	since := network.Status.DrainsHeldSince
	if since == nil {
		since = new(metav1.NewTime(seen.Now.Truncate(time.Second)))
	}
	left := hold - seen.Now.Sub(since.Time)
	if left <= 0 {
		return Drain{Budget: open, HeldSince: since, Ended: true, JustEnded: left > -news}
	}
	held := resources.Budget{MaxUnavailable: max(int32(size)-ready-mustStay(seen, size), 0)}
	return Drain{Budget: held, HeldSince: since}
}

// hasNothing reports whether none of so many nodes has more than the first block of a
// chain that the world does not have, nor may have.
func hasNothing(seen *state.Network, size int) bool {
	for ordinal := range size {
		if node := seen.Node(ordinal); node.Data != "" && node.Tip == nil && !node.IsEmpty() {
			return false
		}
	}
	return seen.Private && seen.Best == nil
}

// saysNothing reports whether a node was asked, and says nothing: somebody may have mined
// there.
func saysNothing(node state.Node) bool {
	return node.Asked && !node.Answers && state.PodProblem(node.Pod) == ""
}

// mustStay counts the nodes that are not ready and may be the last to have the best
// block.
func mustStay(seen *state.Network, size int) int32 {
	var known, notReady, unknown int32
	for ordinal := range size {
		node := seen.Node(ordinal)
		switch {
		case node.Data == "":
		case node.Tip == nil:
			unknown++
		case seen.Has(node):
			known++
			if !state.IsReady(node.Pod) {
				notReady++
			}
		}
	}
	switch {
	case known == 0:
		return unknown
	case known == 1:
		return notReady
	default:
		return 0
	}
}
