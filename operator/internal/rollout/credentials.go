package rollout

import (
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// clockSkew is how much later than it has to be a node is started for the second
// time: times are told in whole seconds, and by more clocks than one.
const clockSkew = 10 * time.Second

// remedy returns what has a node read the Secret as it is; "" for one that has, or
// will when it starts. A node that can be asked is restarted in its pod, with its
// data. One that rejects everything, or does not answer for long, cannot be told to
// stop, and is replaced. One that has been started since the Secret changed, and
// rejects it all the same, would do so again.
func remedy(seen *state.Network, node state.Node) v1alpha1.RolloutAction {
	isWrong := node.DiffersFromSecret() || node.MayAcceptOld
	switch {
	case node.Pod == nil || state.PodProblem(node.Pod) != "" || node.ReadsOther:
		return ""
	case node.Answers && isWrong && seen.MissedSecret(node):
		return v1alpha1.RestartAction
	case node.RejectsAll && seen.MissedSecret(node),
		seen.FaultOf(node) == state.Hung && state.ReadSecretAt(node).Before(seen.Secret.ChangedAt):
		return v1alpha1.ReplaceAction
	default:
		return ""
	}
}

// renewCredentials has a node read the Secret anew: first one that has to be replaced,
// the highest ordinal first, since it can dial those that stay. A changed template
// that waits, or is halted, holds up nobody here.
func (d *decider) renewCredentials() *Step {
	var restart, replace []int
	for ordinal, node := range d.staying() {
		switch action := remedy(d.seen, node); {
		case action == "" || d.isTooEarly(ordinal) || d.isHeld(ordinal):
		case action == v1alpha1.RestartAction && d.mustRest(node.NotStoppedAt):
			d.waitsFor(Wait{Node: ordinal, On: OnNode, For: "its bitcoind to accept the call to stop"})
		case action == v1alpha1.RestartAction:
			restart = append(restart, ordinal)
		default:
			replace = append(replace, ordinal)
		}
	}
	for _, ordinal := range slices.Backward(replace) {
		if step := d.evict(ordinal, "it cannot be told to read the changed Secret"); step != nil {
			return step
		}
	}
	if len(restart) == 0 {
		return nil
	}
	return &Step{Ordinal: restart[0], Action: v1alpha1.RestartAction, Why: "the Secret has changed"}
}

// isTooEarly reports whether a node has been told to stop just now, or was started
// just after the Secret had changed: the kubelet may have given it its old copy, and
// may do so again. Where nobody knows what it accepts it cannot be told afterwards,
// either, so that it waits in any case.
func (d *decider) isTooEarly(ordinal int) bool {
	if d.isGoing(ordinal) {
		d.waitsFor(Wait{Node: ordinal, On: OnTime, For: "the kubelet to start it again"})
		return true
	}
	changed := d.seen.Secret.ChangedAt
	node := d.seen.Nodes[ordinal]
	isKnown := node.DiffersFromSecret() || !node.MayAcceptOld
	if isKnown && state.ReadSecretAt(node).Before(changed) {
		return false
	}
	left := changed.Add(state.SecretLag + clockSkew).Sub(d.seen.Now)
	if left <= 0 {
		return false
	}
	d.waitsFor(Wait{Node: ordinal, On: OnTime, For: "the kubelet to refresh its copy of the Secret"})
	d.look(left)
	return true
}

// isHeld reports whether a node that was taken down keeps another, which is in use,
// from going for a change of credentials. One that is back, and only rejects them,
// does not.
func (d *decider) isHeld(next int) bool {
	if !state.IsReady(d.seen.Nodes[next].Pod) {
		return false
	}
	for _, taken := range d.holding {
		other := int(taken.Ordinal)
		if other == next {
			continue
		}
		if d.wait == nil {
			d.waitsFor(*d.waitForNode(next, other, taken.Since.Time))
		}
		d.look(credentialsHold - d.seen.Now.Sub(taken.Since.Time))
		return true
	}
	return false
}

// holds reports whether a node that was taken down keeps others from going for a change
// of credentials.
func (d *decider) holds(taken v1alpha1.RolloutStatus) bool {
	return d.seen.Now.Sub(taken.Since.Time) < credentialsHold && !d.isBack(taken)
}

// isBack reports whether a node that was taken down is up again.
func (d *decider) isBack(taken v1alpha1.RolloutStatus) bool {
	node := d.seen.Node(int(taken.Ordinal))
	return d.seen.IsUp(node) && isNew(node, taken)
}
