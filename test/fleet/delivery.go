package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A Delivery follows a commit from its repository to the cluster: Flux's source
// controller fetches it, the kustomize controller applies it, and says when all
// of it is healthy. Whoever waits for that need not wait for Flux's intervals,
// too: as `flux reconcile` does, a Delivery asks Flux to look again.
type Delivery struct {
	cluster       *Cluster
	source        Object
	kustomization Object
	commit        string
	asked         map[Object]time.Time
}

func (c *Cluster) delivery(source, kustomization Object, commit string) *Delivery {
	return &Delivery{c, source, kustomization, commit, map[Object]time.Time{}}
}

// Begun is so when Flux has fetched the commit and applies it, or has.
func (d *Delivery) Begun(ctx context.Context) (bool, string, error) {
	return d.reached(ctx, func(s State) bool {
		return strings.HasSuffix(s.LastAttemptedRevision, d.commit) && !s.Not("Ready")
	})
}

// Tried is so when Flux has tried to apply the commit, whatever came of it.
func (d *Delivery) Tried(ctx context.Context) (bool, string, error) {
	return d.reached(ctx, func(s State) bool { return strings.HasSuffix(s.LastAttemptedRevision, d.commit) })
}

// Done is so when Flux has applied the commit and found it healthy.
func (d *Delivery) Done(ctx context.Context) (bool, string, error) {
	return d.reached(ctx, func(s State) bool {
		return strings.HasSuffix(s.LastAppliedRevision, d.commit) && s.Is("Ready")
	})
}

func (d *Delivery) reached(ctx context.Context, stage func(State) bool) (bool, string, error) {
	source, err := d.cluster.State(ctx, d.source)
	if err != nil {
		return false, "", err
	}
	if !strings.HasSuffix(source.Artifact.Revision, d.commit) {
		return false, source.Message("Ready"), d.lookAgain(ctx, source)
	}
	kustomization, err := d.cluster.State(ctx, d.kustomization)
	if err != nil {
		return false, "", err
	}
	if stage(kustomization) {
		return true, "", nil
	}
	if kustomization.Not("Ready") { // and resting until it tries again
		err = d.lookAgain(ctx, kustomization)
	}
	return false, kustomization.Message("Ready"), err
}

// patience is how long Flux has for an answer before it is asked again.
const patience = 5 * time.Second

// lookAgain asks Flux to do now what it would do at its next interval.
func (d *Delivery) lookAgain(ctx context.Context, state State) error {
	if state.Generation == 0 || time.Since(d.asked[state.Object]) < patience {
		return nil
	}
	d.asked[state.Object] = time.Now()
	patch := map[string]any{"metadata": map[string]any{"annotations": map[string]any{"reconcile.fluxcd.io/requestedAt": time.Now().Format(time.RFC3339Nano)}}}
	if err := d.cluster.Patch(ctx, state.Object, patch); err != nil {
		return fmt.Errorf("ask Flux to look again: %w", err)
	}
	return nil
}
