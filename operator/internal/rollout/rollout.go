// Package rollout decides which node of a network to restart or replace now, and
// why not: how many pods there should be, how many of them others may evict, and
// which one the operator takes down itself. It is pure.
//
// Two rules hold everywhere. Nothing is lost: data that may be the last to have the
// best block stay until another node has shown, in this pass, that it has it.
// Nothing waits in vain: whoever waits does so for somebody who can come back, and
// it is said for whom.
package rollout

import (
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// credentialsHold is how long a node that was taken down holds up a change of
	// credentials. Then it is broken, and the next node has its turn.
	credentialsHold = 5 * time.Minute
	// unnoticed is how long a node that was taken down may look as if it were not:
	// an eviction or a stop that did not come to pass leaves it so for good.
	unnoticed = 10 * time.Second
	// refusedFor is how long a node that could not be taken down gives way to all
	// others.
	refusedFor = time.Minute
	// RetryAfter is how long it is left alone where there are none: a disruption budget
	// takes a moment to count a node that is back.
	RetryAfter = 2 * time.Second
)

// Step is one thing to do to one node.
type Step struct {
	Ordinal int
	Action  v1alpha1.RolloutAction
	// Repair reports that the node is replaced because it is broken by itself,
	// without a change that called for it.
	Repair bool
	// Why says why, as the end of a sentence about the node.
	Why string
	// Keeper is the node that has shown the best block, where the step rests on that;
	// nil where nothing is at stake. What was seen of its pod may be a moment old: it
	// must still be there, and not on its way out, when the step is taken.
	Keeper *int
	// AtOnce reports that the pod is given no time to end: its node does not answer, and
	// has no data that would outlive it.
	AtOnce bool
}

// Decision is what to do about the nodes of a network in this pass.
type Decision struct {
	// Step is the one thing to do now; nil for nothing.
	Step *Step
	// Down are the nodes that the operator has taken down and that do not serve
	// again yet.
	Down []v1alpha1.RolloutStatus
	// Pending is how many nodes are still to be restarted or replaced, the one of
	// Step included.
	Pending int
	// Wait is what the next of them waits for; nil where nothing waits.
	Wait *Wait
	// Lead is to which node clients are led that need one node.
	Lead Lead
	// LookAgain is when time alone may change the decision; zero for never.
	LookAgain time.Duration
}

// Next decides what to do now, given how the links stand.
func Next(network *v1alpha1.BitcoinNetwork, seen *state.Network, links peering.Plan) Decision {
	d := newDecider(network, seen)
	d.links = links
	decision := Decision{Down: d.down}
	if !seen.HandsOff(network) && seen.Settled() {
		d.classify()
		decision.Pending = len(d.outdated) + len(d.stale)
		decision.Step = d.step()
	}
	decision.Lead = d.lead(d.size().Pods, decision.Step)
	if decision.Step = d.firstLeadElsewhere(decision.Step, decision.Lead); decision.Step == nil {
		decision.Wait = d.wait
	}
	decision.LookAgain = d.lookAgain
	return decision
}

// step returns the one thing to do now, or nil. A node that could not be taken down of
// late is tried again when there is nothing else to do: it may wait for one of the
// others.
func (d *decider) step() *Step {
	for _, d.patience = range []time.Duration{refusedFor, RetryAfter} {
		for _, next := range []func() *Step{d.endLeft, d.replaceBroken, d.replaceOutdated, d.renewCredentials, d.repair} {
			if step := next(); step != nil {
				return step
			}
		}
	}
	return nil
}

// decider holds what is decided about one network in one pass. What is asked of each
// node about all others it works out once.
type decider struct {
	network *v1alpha1.BitcoinNetwork
	seen    *state.Network
	links   peering.Plan
	// down are the nodes that the operator has taken down and that do not serve again
	// yet, and taken the same by ordinal.
	down  []v1alpha1.RolloutStatus
	taken map[int]v1alpha1.RolloutStatus
	// holding are those of them that hold up a change of credentials.
	holding []v1alpha1.RolloutStatus
	// repairs are how often nodes have been replaced because they were broken.
	repairs map[int]v1alpha1.RepairStatus
	// keepers are the nodes that have shown that they have the best block, and that
	// nobody has told to go, in ascending order.
	keepers []int
	// patience is how long nodes are left alone that could not be taken down.
	patience time.Duration

	// outdated are the nodes whose pods do not run the present template; stale are
	// the others that have not read the Secret as it is.
	outdated, stale []int
	// wait is the first reason to wait that was found.
	wait *Wait
	// lookAgain is the shortest time that somebody has to wait.
	lookAgain time.Duration
}

func newDecider(network *v1alpha1.BitcoinNetwork, seen *state.Network) *decider {
	d := &decider{
		network: network, seen: seen, down: down(network, seen),
		taken: map[int]v1alpha1.RolloutStatus{}, repairs: Repairs(network, seen),
	}
	for _, taken := range d.down {
		d.taken[int(taken.Ordinal)] = taken
		if d.holds(taken) {
			d.holding = append(d.holding, taken)
		}
	}
	for ordinal, node := range d.staying() {
		if seen.Shows(node) && node.Pod.DeletionTimestamp == nil && !d.isGoing(ordinal) {
			d.keepers = append(d.keepers, ordinal)
		}
	}
	return d
}

// classify finds the nodes that have to be restarted or replaced. Pods on their way
// out count until they are gone.
func (d *decider) classify() {
	for ordinal, node := range d.staying() {
		switch {
		case d.seen.IsOutdated(node):
			d.outdated = append(d.outdated, ordinal)
		case remedy(d.seen, node) != "":
			d.stale = append(d.stale, ordinal)
		}
	}
}

// staying are the nodes that the StatefulSet is to have.
func (d *decider) staying() []state.Node { return staying(d.seen) }

func staying(seen *state.Network) []state.Node {
	pods, known := state.Replicas(seen.StatefulSet)
	if !known {
		return seen.Nodes
	}
	return seen.Nodes[:min(pods, len(seen.Nodes))]
}

// down returns the nodes that the operator has taken down and that do not serve
// again yet.
func down(network *v1alpha1.BitcoinNetwork, seen *state.Network) []v1alpha1.RolloutStatus {
	return slices.DeleteFunc(slices.Clone(network.Status.Rollout), func(taken v1alpha1.RolloutStatus) bool {
		if int(taken.Ordinal) >= len(staying(seen)) {
			return seen.StatefulSet != nil // it was scaled away
		}
		node := seen.Node(int(taken.Ordinal))
		return seen.Serves(node) && (isNew(node, taken) || seen.Now.Sub(taken.Since.Time) >= unnoticed)
	})
}

// isNew reports whether a node has a new pod, or a new container, since it was taken
// down.
func isNew(node state.Node, taken v1alpha1.RolloutStatus) bool {
	return node.Pod.UID != taken.PodUID ||
		taken.Action == v1alpha1.RestartAction && state.Restarts(node.Pod) > taken.Restarts
}

// isGoing reports whether a node's pod, or its container, is one that the operator
// has taken down: it may still be there in the cache, and answer. A bitcoind that
// ends may take its time to write out what it has.
func (d *decider) isGoing(ordinal int) bool {
	node := d.seen.Nodes[ordinal]
	taken, isTaken := d.taken[ordinal]
	if node.Pod == nil || !isTaken || isNew(node, taken) {
		return false
	}
	left := unnoticed
	if taken.Action == v1alpha1.RestartAction && !node.Answers {
		left = credentialsHold
	}
	left -= d.seen.Now.Sub(taken.Since.Time)
	d.look(left)
	return left > 0
}

// evict returns the step of replacing a node, or nil where its pod has to stay.
func (d *decider) evict(ordinal int, why string) *Step {
	if wait := d.mustWait(ordinal); wait != nil {
		d.waitsFor(*wait)
		return nil
	}
	step := &Step{Ordinal: ordinal, Action: v1alpha1.ReplaceAction, Why: why}
	if d.restsOnOthers(ordinal) {
		step.Keeper = d.keeperBeside(ordinal)
	}
	return step
}

// mustWait returns what a pod has to wait for before it may be evicted, or nil. Whom the
// last to have the best block waits for takes a look at all nodes, and only the first
// wait is told.
func (d *decider) mustWait(ordinal int) *Wait {
	node := d.seen.Nodes[ordinal]
	switch {
	case d.isGoing(ordinal):
		return &Wait{Node: ordinal, On: OnTime, For: "its pod to be gone"}
	case d.mustRest(node.RefusedAt):
		return &Wait{Node: ordinal, On: OnBudget, For: "a disruption budget to allow its eviction"}
	case state.InPods(d.network) && d.seen.IsUntold(node):
		d.look(time.Second)
		return &Wait{Node: ordinal, On: OnTime, For: firstAnswer}
	case d.restsOnOthers(ordinal) && d.keeperBeside(ordinal) == nil && d.wait != nil:
		return d.wait
	case d.restsOnOthers(ordinal) && d.keeperBeside(ordinal) == nil:
		return d.lastHolder(ordinal)
	default:
		return nil
	}
}

// mustRest reports whether a node is left alone for now, since it could not be taken
// down at that time.
func (d *decider) mustRest(failed time.Time) bool {
	left := d.patience - d.seen.Now.Sub(failed)
	d.look(left)
	return left > 0
}

// restsOnOthers reports whether the best block may be lost with a node's pod, unless
// another node has it.
func (d *decider) restsOnOthers(ordinal int) bool {
	return d.seen.AtStake() && state.InPods(d.network) && !d.seen.Nodes[ordinal].IsEmpty()
}

// keeperBeside returns the first node beside one that has shown that it has the best
// block; nil for none.
func (d *decider) keeperBeside(ordinal int) *int {
	for _, keeper := range d.keepers {
		if keeper != ordinal {
			return &keeper
		}
	}
	return nil
}

// keeperBelow returns the first of so many nodes that has shown that it has the best
// block; nil for none.
func (d *decider) keeperBelow(nodes int) *int {
	if len(d.keepers) == 0 || d.keepers[0] >= nodes {
		return nil
	}
	return &d.keepers[0]
}

// waitsFor takes note of what somebody waits for, unless something was noted before.
func (d *decider) waitsFor(wait Wait) {
	if d.wait == nil {
		d.wait = &wait
	}
}

// look takes note of when time alone changes something.
func (d *decider) look(in time.Duration) {
	if in <= 0 {
		return
	}
	if d.lookAgain == 0 {
		d.lookAgain = in
	}
	d.lookAgain = min(d.lookAgain, in)
}
