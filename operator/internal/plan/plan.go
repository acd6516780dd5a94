// Package plan says all that there is to do about a network in one pass, as one
// value. It is pure: whoever executes a plan decides nothing.
package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Shape is how many pods a network should have now, and how many of them may be
// evicted. The network's objects are made by it, before the rest is planned.
type Shape struct {
	Size  rollout.Size
	Drain rollout.Drain
}

// ShapeOf decides the shape of a network.
func ShapeOf(network *v1alpha1.BitcoinNetwork, seen *state.Network, platform resources.Platform) Shape {
	size := rollout.SizeOf(network, seen)
	return Shape{Size: size, Drain: rollout.DrainOf(network, seen, size.Pods, platform.DrainHold)}
}

// Plan is all that there is to do about a network in one pass.
type Plan struct {
	// Shape is what the network's objects were made by.
	Shape Shape
	// Links are the links that there should be, how they stand, and what nodes should
	// do about them.
	Links peering.Plan
	// Rollout is which node to restart or replace.
	Rollout rollout.Decision
	// Synced are the nodes whose pods' readiness gates are to be opened.
	Synced []int
	// Resize are the volume claims that should ask for another size.
	Resize []Resize
	// Short are the quotas in sight that have no room for volumes to grow, so that
	// none does.
	Short []Shortage
	// Mine is a block that is due now; nil where none is. It is mined unless the step of
	// the rollout is taken: a node must not go with a block that it alone has.
	Mine *Block
	// MiningProblem says why none can be mined, whichever node were asked.
	MiningProblem string
	// LookAgain is how long the network may be left alone.
	LookAgain time.Duration
}

// Waiting is what the rollout waits for; nil where nothing waits.
func (p Plan) Waiting() *rollout.Wait {
	if p.Rollout.Wait != nil {
		return p.Rollout.Wait
	}
	return p.Shape.Size.Wait
}

// Unasked returns the nodes on whose answers it rests what the plan does that cannot be
// taken back, and that were not asked in this pass.
func (p Plan) Unasked(seen *state.Network) []int {
	ordinals := slices.Concat(p.Shape.Size.RestsOn(seen), p.Shape.Drain.RestsOn(seen), p.Rollout.RestsOn(seen), rollout.SyncedRestsOn(seen, p.Synced))
	if p.Mine != nil {
		ordinals = append(ordinals, seen.TipRestsOn(p.Mine.Node)...)
	}
	return seen.Unasked(ordinals)
}

// PutOff puts off to the next pass what rests on nodes that were not asked in this one.
func (p Plan) PutOff(network *v1alpha1.BitcoinNetwork, unasked []int) Plan {
	p.Rollout, p.Synced, p.Mine = p.Rollout.PutOff(network, unasked[0]), nil, nil
	p.LookAgain = min(p.LookAgain, settlingInterval)
	return p
}

// For plans for a network whose objects are as they should be. One that the operator
// must keep its hands off gets no changes.
func For(network *v1alpha1.BitcoinNetwork, seen *state.Network, platform resources.Platform, shape Shape) Plan {
	plan := Plan{Shape: shape, Links: links(network, seen, platform, shape.Size.Pods), Synced: rollout.Synced(seen)}
	plan.Rollout = rollout.Next(network, seen, plan.Links)
	var due *Block
	if !seen.HandsOff(network) {
		plan.Resize, plan.Short = resizes(network, seen)
		due = nextBlock(network, seen, plan.Links)
		plan.MiningProblem = cmp.Or(miningProblem(network), diskProblem(network, seen, due))
		if due != nil && due.Wait == 0 && plan.MiningProblem == "" {
			plan.Mine = due
		}
	}
	plan.LookAgain = lookAgain(network, seen, plan, due)
	return plan
}
