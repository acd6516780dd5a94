package rollout

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Size is how many pods a network should have now.
type Size struct {
	Pods int
	// Wait says why these are more than the network asks for, where they are.
	Wait *Wait
	// Keeper is the node that has shown the best block, where pods are taken away and
	// that rests on it, as for a Step; else nil.
	Keeper *int
}

// SizeOf decides how many pods a network should have now: as many as it asks for, and
// for a while more where the chain would be lost otherwise, or clients are led to one
// that is too many. No nodes at all is for the user to decide.
func SizeOf(network *v1alpha1.BitcoinNetwork, seen *state.Network) Size {
	d := newDecider(network, seen)
	return d.holdForClients(d.size())
}

// size is how many pods the network should have, whoever is led where.
func (d *decider) size() Size {
	network, seen := d.network, d.seen
	size, pods := seen.Wanted, len(d.staying())
	if size == 0 {
		return Size{}
	}
	if d.needsCopy() {
		size = 2
	}
	if !isLostWithNodes(network, seen) {
		return Size{Pods: size}
	}
	asked := size
	for ordinal := pods - 1; ordinal >= size; ordinal-- {
		isKeptBelow := seen.Best == nil || d.keeperBelow(ordinal) != nil
		if !isKeptBelow || seen.IsUntold(seen.Nodes[ordinal]) {
			size = ordinal + 1
		}
	}
	decided := Size{Pods: size}
	if size > asked {
		decided.Wait = d.waitToShrink(size, asked)
	}
	if size < pods && seen.Best != nil {
		decided.Keeper = d.keeperBelow(size)
	}
	return decided
}

// waitToShrink is what the last of so many nodes waits for, where fewer are asked for.
func (d *decider) waitToShrink(size, asked int) *Wait {
	wait := &Wait{Node: size - 1, On: OnBestBlock, NeedsHuman: true}
	for ordinal := range asked {
		wait.NeedsHuman = wait.NeedsHuman && d.isBeyondRepair(ordinal)
	}
	switch {
	case d.seen.IsUntold(d.seen.Nodes[size-1]):
		wait.For = firstAnswer
	case asked == 1:
		wait.For = state.Name(d.network, 0) + " to have the best block"
	default:
		wait.For = fmt.Sprintf("a node below %s to have the best block", state.Name(d.network, asked))
	}
	return wait
}

// isLostWithNodes reports whether the data of nodes that are scaled away are gone, and
// nobody but the network has its chain.
func isLostWithNodes(network *v1alpha1.BitcoinNetwork, seen *state.Network) bool {
	return seen.Private && (state.InPods(network) ||
		network.Spec.Storage.WhenScaled == appsv1.DeletePersistentVolumeClaimRetentionPolicyType)
}

// needsCopy reports whether the only node of a network needs a new pod and has the
// chain in its old one: a second node copies it first.
func (d *decider) needsCopy() bool {
	if d.seen.Wanted != 1 || !state.InPods(d.network) || !d.seen.AtStake() || d.seen.HandsOff(d.network) {
		return false
	}
	node := d.seen.Node(0)
	return d.seen.IsOutdated(node) || remedy(d.seen, node) == v1alpha1.ReplaceAction
}
