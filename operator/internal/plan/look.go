package plan

import (
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// settlingInterval is how soon it is looked at again while a link is missing
	// that could stand, or is held until more nodes are up, or a node copies the chain.
	settlingInterval = time.Second
	// rollingInterval is how soon it is looked at again while nodes wait to be
	// replaced, since no watch tells that a tip has caught up.
	rollingInterval = 5 * time.Second
	// credentialsInterval is how soon a Secret that is missing is looked for
	// again; where the watch works, it is seen at once.
	credentialsInterval = 5 * time.Second
)

// lookAgain returns how long the network may be left alone.
func lookAgain(network *v1alpha1.BitcoinNetwork, seen *state.Network, plan Plan, due *Block) time.Duration {
	if seen.Secret.Unusable != nil {
		return credentialsInterval
	}
	next := state.CheckInterval(network)
	if !seen.AllAskedAt.IsZero() { // the regular look, whatever happens until then
		next = max(next-seen.Now.Sub(seen.AllAskedAt), settlingInterval)
	}
	sooner := func(wait time.Duration) {
		if wait > 0 {
			next = min(next, wait)
		}
	}
	awaitsSync := false
	for _, node := range seen.Nodes {
		sooner(node.AskAgain)
		awaitsSync = awaitsSync || node.Answers && state.AwaitsSync(node.Pod)
	}
	if awaitsSync {
		sooner(settlingInterval)
	}
	if seen.HandsOff(network) {
		return next
	}
	if plan.Rollout.Pending > 0 || len(plan.Rollout.Down) > 0 || plan.Waiting() != nil {
		sooner(rollingInterval)
	}
	if drain := plan.Shape.Drain; drain.HeldSince != nil && !drain.Ended {
		sooner(rollingInterval) // somebody may be waiting with a drain
	}
	sooner(plan.Rollout.LookAgain)
	if len(plan.Links.Changes) > 0 || plan.Links.Held || plan.Mine != nil {
		sooner(settlingInterval)
	}
	if due != nil {
		sooner(due.Wait)
	}
	return next
}
