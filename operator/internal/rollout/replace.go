package rollout

import (
	"fmt"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// replaceBroken replaces a node that does not run and is from before the change, at
// once and whatever the others do.
func (d *decider) replaceBroken() *Step {
	for _, ordinal := range d.outdated {
		if d.seen.Nodes[ordinal].Pod.DeletionTimestamp != nil || !d.isBroken(ordinal) {
			continue
		}
		if step := d.evict(ordinal, "it predates the last change and does not run"); step != nil {
			return step
		}
	}
	return nil
}

// isBroken reports whether a node with an outdated pod does not run, or never has. One
// that the kubelet finds ready may only be out of the operator's reach, and one that has
// ended once is started again: a bad template must not get it for that. One that the
// operator has replaced for an earlier change, and that has not served since, was
// broken by that change.
func (d *decider) isBroken(ordinal int) bool {
	node := d.seen.Nodes[ordinal]
	if d.taken[ordinal].Action == v1alpha1.ReplaceAction {
		return true
	}
	switch d.seen.FaultOf(node) {
	case state.Crashing:
		return !state.HasEndedOnce(node.Pod)
	case state.Unschedulable:
		return true
	case state.Hung:
		return !state.IsReady(node.Pod)
	default:
		return state.NeverRan(node.Pod)
	}
}

// replaceOutdated replaces a node that runs and is from before the change, one at a
// time, and not while one that has the change already does not serve: a bad image
// must not take down a second node.
func (d *decider) replaceOutdated() *Step {
	if len(d.outdated) == 0 {
		return nil
	}
	if wait := d.halted(); wait != nil {
		d.waitsFor(*wait)
		return nil
	}
	// One that does not serve goes first: that costs least. The one to which clients are
	// led goes last: so they have to move once.
	for _, cost := range []int{0, 1, 2} {
		for _, ordinal := range d.outdated {
			if d.seen.Nodes[ordinal].Pod.DeletionTimestamp != nil || d.costOf(ordinal) != cost {
				continue
			}
			if step := d.evict(ordinal, "it predates the last change"); step != nil {
				return step
			}
		}
	}
	return nil
}

// costOf ranks nodes by what it costs to take them down.
func (d *decider) costOf(ordinal int) int {
	switch {
	case !d.seen.Serves(d.seen.Nodes[ordinal]):
		return 0
	case !d.isPrimary(ordinal):
		return 1
	default:
		return 2
	}
}

// slack is for how long a node that is in use may lack the best block before it halts a
// rollout: where blocks come fast, nodes have it in turns.
const slack = 15 * time.Second

// isCatchingUp reports whether a node is in use, and had the best block a moment ago.
func (d *decider) isCatchingUp(node state.Node) bool {
	return state.IsReady(node.Pod) && node.Answers && d.seen.Now.Sub(node.HadBest) < slack
}

// halted returns what a changed template waits for before it takes down another node
// that serves, or nil.
func (d *decider) halted() *Wait {
	next := d.outdated[0]
	for _, taken := range d.down {
		if taken.Action == v1alpha1.ReplaceAction || d.seen.Now.Sub(taken.Since.Time) < credentialsHold {
			return d.waitForNode(next, int(taken.Ordinal), taken.Since.Time)
		}
	}
	isCurrent := func(ordinal int) bool {
		node := d.seen.Node(ordinal)
		return ordinal < len(d.staying()) && node.Pod != nil && !d.seen.IsOutdated(node)
	}
	for ordinal, node := range d.staying() {
		if isCurrent(ordinal) && !d.seen.Serves(node) && !d.isCatchingUp(node) {
			return d.waitForNode(next, ordinal, node.LastServed)
		}
	}
	for _, link := range d.links.Missing {
		if isCurrent(link.From) && isCurrent(link.To) {
			return &Wait{Node: next, On: OnLink, For: fmt.Sprintf("the link %d→%d", link.From, link.To)}
		}
	}
	return nil
}
