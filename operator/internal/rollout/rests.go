package rollout

import (
	"cmp"
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// What was seen of nodes may be as old as a check, but of those on which something rests
// that cannot be taken back: these are to be asked in the very pass. That the one that
// goes has no better block than is known they tell, and that one that stays has it.

// RestsOn returns the nodes on whose answers a size rests: those that are to be taken
// away, and the one that has the best block.
func (s Size) RestsOn(seen *state.Network) []int {
	pods, _ := state.Replicas(seen.StatefulSet)
	if !seen.Private || s.Pods == 0 {
		return nil
	}
	var ordinals []int
	for ordinal := s.Pods; ordinal < min(pods, len(seen.Nodes)); ordinal++ {
		ordinals = append(ordinals, ordinal)
	}
	if len(ordinals) > 0 && s.Keeper != nil {
		ordinals = append(ordinals, *s.Keeper)
	}
	return ordinals
}

// RestsOn returns the nodes on whose answers it rests that all may go at once: when one goes,
// or has gone, all. Somebody may have mined at any of them since it was asked.
func (d Drain) RestsOn(seen *state.Network) []int {
	if !d.Blank || !slices.ContainsFunc(seen.Nodes, goes) {
		return nil
	}
	ordinals := make([]int, len(seen.Nodes))
	for ordinal := range ordinals {
		ordinals[ordinal] = ordinal
	}
	return ordinals
}

// goes reports whether a node's pod goes, or has gone and its successor was not seen alive.
func goes(node state.Node) bool {
	if node.Pod != nil && node.Pod.DeletionTimestamp != nil {
		return true
	}
	return node.AlivePod != "" && (node.Pod == nil || node.Pod.UID != node.AlivePod)
}

// RestsOn returns the nodes on whose answers a decision rests: of a step the one that is
// taken down and one that has the best block, and where clients are led elsewhere, both.
func (d Decision) RestsOn(seen *state.Network) []int {
	var ordinals []int
	if step := d.Step; step != nil {
		ordinals = append(ordinals, step.Ordinal)
		if keeper := cmp.Or(step.Keeper, holder(seen, step.Ordinal)); keeper != nil {
			ordinals = append(ordinals, *keeper)
		}
	}
	if move := d.Lead.Move; move != nil {
		ordinals = append(ordinals, move.From, move.To)
	}
	return ordinals
}

// holder returns a node beside one that has said that it has the best block; nil for none,
// or where nothing is at stake.
func holder(seen *state.Network, beside int) *int {
	if !seen.AtStake() {
		return nil
	}
	for ordinal, node := range seen.Nodes {
		if ordinal != beside && seen.Shows(node) {
			return &ordinal
		}
	}
	return nil
}

// PutOff puts off to the next pass what rests on a node that was not asked in this one.
func (d Decision) PutOff(network *v1alpha1.BitcoinNetwork, unasked int) Decision {
	if d.Step != nil {
		d.Wait = &Wait{Node: d.Step.Ordinal, On: OnTime, For: state.Name(network, unasked) + " to be asked once more"}
	}
	d.Step, d.Lead = nil, Lead{Primary: network.Status.Primary}
	d.LookAgain = time.Second
	return d
}

// SyncedRestsOn returns the nodes on whose answers it rests that readiness gates are
// opened: those nodes, and one beside that has the best block.
func SyncedRestsOn(seen *state.Network, synced []int) []int {
	if len(synced) == 0 || !seen.AtStake() {
		return nil
	}
	for ordinal, node := range seen.Nodes {
		if seen.Shows(node) && !slices.Contains(synced, ordinal) {
			return append(synced[:len(synced):len(synced)], ordinal)
		}
	}
	return synced
}
