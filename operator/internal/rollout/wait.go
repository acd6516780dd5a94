package rollout

import (
	"fmt"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Blocker is what kind of thing somebody waits for.
type Blocker string

// What somebody waits for.
const (
	// OnNode: a node that has to serve again first.
	OnNode Blocker = "node"
	// OnBestBlock: another node that has the best block.
	OnBestBlock Blocker = "best_block"
	// OnLink: a link between two nodes that have been replaced already.
	OnLink Blocker = "link"
	// OnBudget: a disruption budget that lets the pod go.
	OnBudget Blocker = "budget"
	// OnQuota: a quota, or whatever keeps Kubernetes from making a pod.
	OnQuota Blocker = "quota"
	// OnTime: nothing but time.
	OnTime Blocker = "time"
)

// Wait is what the next node to be restarted, replaced or scaled away waits for.
type Wait struct {
	// Node is the ordinal of the one that waits.
	Node int
	// On is what kind of thing it waits for, and For says which: in words that stay while
	// blocks come, since the status is written when they change. Which block is the best
	// stands in the status by itself, and is told here where no more come.
	On  Blocker
	For string
	// NeedsHuman reports that nothing changes until somebody acts.
	NeedsHuman bool
}

// firstAnswer is what a node waits for of which nothing is known.
const firstAnswer = "its first answer, for up to a minute: it is not known yet which blocks it has"

// waitForNode is to wait for a node that has not served since a while ago.
func (d *decider) waitForNode(next, other int, since time.Time) *Wait {
	node := d.seen.Node(other)
	wait := &Wait{
		Node: next, On: OnNode,
		For:        fmt.Sprintf("%s to serve: %s", state.Name(d.network, other), d.whyNot(node)),
		NeedsHuman: d.isBeyondRepair(other) && d.seen.Now.Sub(since) >= state.Silence,
	}
	if node.NotMade != "" {
		wait.On = OnQuota
	}
	return wait
}

// whyNot says why a node does not serve.
func (d *decider) whyNot(node state.Node) string {
	switch {
	case node.Problem != "":
		return node.Problem
	case !state.IsReady(node.Pod):
		return "the kubelet does not report it ready"
	case d.seen.AtStake() && d.seen.IsSynced(node) && !d.seen.Has(node):
		return "it has another block with as much work as the best block; the next block decides"
	case d.seen.AtStake() && !d.seen.Has(node):
		return "it does not have the best block yet"
	default:
		return "it has only just been taken down"
	}
}

// lastHolder is to wait for another node to have the best block, which may be lost
// with the one that is next.
func (d *decider) lastHolder(next int) *Wait {
	wait := &Wait{Node: next, On: OnBestBlock}
	holder, copying, notMade, answering := d.others(next)
	name := func(ordinal int) string { return state.Name(d.network, ordinal) }
	switch {
	case !answering:
		wait.NeedsHuman = true
		wait.For = fmt.Sprintf("a decision: no node that has, or may have, %s answers; to give that block up, scale the network to 0 and back", d.seen.Best)
	case holder != nil:
		wait.For = fmt.Sprintf("%s to show that it has the best block: %s", name(*holder), d.whyNot(d.seen.Nodes[*holder]))
	case copying != nil:
		wait.For = fmt.Sprintf("%s to have the best block: %s", name(*copying), d.whyNot(d.seen.Nodes[*copying]))
	case notMade != nil:
		wait.On, wait.NeedsHuman = OnQuota, len(d.staying()) > d.seen.Wanted
		wait.For = fmt.Sprintf("%s, which must copy the best block first: %s", name(*notMade), d.seen.Nodes[*notMade].NotMade)
	default:
		wait.For = "another node to have the best block, which no other node has"
	}
	return wait
}

// others returns the first node beside one that has the best block, or may have it;
// that may come to have it; and that cannot be made; nil where there is none. Answering
// reports whether any node that has the block, or may have it, runs.
func (d *decider) others(next int) (holder, copying, notMade *int, answering bool) {
	first := func(found **int, ordinal int) {
		if *found == nil && ordinal != next {
			*found = &ordinal
		}
	}
	for ordinal, node := range d.staying() {
		switch {
		case d.seen.Has(node) || node.Data != "" && node.Tip == nil:
			first(&holder, ordinal)
			answering = answering || !d.seen.FaultOf(node).IsRepairable()
		case node.NotMade != "":
			first(&notMade, ordinal)
		default:
			first(&copying, ordinal)
		}
	}
	return holder, copying, notMade, answering
}
