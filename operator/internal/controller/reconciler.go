// Package controller reconciles BitcoinNetworks: it has a network and its nodes
// observed, applies the network's objects, plans, acts, and reports.
package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/runtime/jitter"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/observe"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/status"
)

// Reconciler reconciles the BitcoinNetworks of one namespace.
type Reconciler struct {
	// Client reads from a cache of what the operator owns, and writes.
	Client client.Client
	// API reads from the API server itself.
	API client.Reader
	// Observer finds out how networks stand.
	Observer *observe.Observer
	// Nodes talks to the nodes.
	Nodes Nodes
	// Platform is what the platform team decides.
	Platform resources.Platform
	// Metrics counts what there is to count.
	Metrics *metrics.Collector
	// Events tells events to Kubernetes, and to Flux where it is asked to.
	Events record.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock

	caches sync.Map // of types.NamespacedName to *cache
	turns  turns
}

// pass is one reconcile of one network.
type pass struct {
	*Reconciler
	network *v1alpha1.BitcoinNetwork
	// before is the network as it was last written.
	before *v1alpha1.BitcoinNetwork
	nodes  Nodes
	seen   *state.Network
	cache  *cache
	// dials reports that nodes were told to dial in this pass.
	dials bool
	// isThere reports that the API server has said that the network is there still.
	isThere bool
}

// Reconcile brings one network closer to what it should be and reports how it
// stands.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	end, err := r.turns.take(ctx, request.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	defer end()
	network := &v1alpha1.BitcoinNetwork{}
	switch err := r.Client.Get(ctx, request.NamespacedName, network); {
	case apierrors.IsNotFound(err):
		r.forget(request.NamespacedName)
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, fmt.Errorf("read BitcoinNetwork %s: %w", request.Name, err)
	case !network.DeletionTimestamp.IsZero():
		return ctrl.Result{}, nil // its children are owned, and go with it
	}
	defer r.Metrics.Reconciled(request.NamespacedName, r.Clock.Now())
	cache := r.cacheOf(network)
	network, err = cache.latest(network)
	if err != nil {
		return ctrl.Result{}, err
	}
	if asked, _ := meta.ReconcileAnnotationValue(network.Annotations); asked != network.Status.LastHandledReconcileAt {
		r.Observer.AskAll(request.NamespacedName) // somebody wants to see what is so now
	}

	nodes := meteredNodes{r.Nodes, r.Metrics, request.NamespacedName}
	seen, err := r.Observer.Observe(ctx, network, nodes)
	if err != nil {
		return ctrl.Result{}, err
	}
	p := &pass{Reconciler: r, network: network, before: network.DeepCopy(), nodes: nodes, seen: seen, cache: cache}
	return p.run(ctx)
}

// run applies, plans, acts and reports. What fails on the way does not keep the rest
// from being done, nor from being told.
func (p *pass) run(ctx context.Context) (ctrl.Result, error) {
	known := p.network.DeepCopy()
	todo, err := p.shape(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	asPlanned := p.seen.StatefulSet
	created, failure := p.applyShape(ctx, todo.Shape)
	if errors.Is(failure, errNetworkGone) {
		return ctrl.Result{}, nil // of which the informers are about to hear
	}
	if !p.isStill(asPlanned, todo.Shape) {
		todo = p.plan(todo.Shape)
	}
	outcome := p.act(ctx, todo)
	outcome.Created, outcome.Failure = created, errors.Join(failure, outcome.Failure)

	status.Report(p.network, p.Platform, p.seen, todo, outcome)
	heightAt := status.ReportHeight(known, p.network, p.seen, p.cache.heightAt)
	p.Metrics.SetNetwork(client.ObjectKeyFromObject(p.network), status.Measure(p.network, p.seen, todo, outcome))
	wait := status.MayWait(p.before, p.network, p.cache.writtenAt, p.seen.Now)
	events := status.Events(known, p.network, p.seen, todo, outcome)
	if wait <= 0 || len(events) > 0 || outcome.Failure != nil {
		wait, p.cache.heightAt = 0, heightAt
		if err := p.writeStatus(ctx); err != nil {
			return ctrl.Result{}, errors.Join(outcome.Failure, err)
		}
		p.tell(events)
	}
	p.tell(slices.Concat(
		p.cache.patience.Events(p.network, p.seen, todo, outcome),
		status.Mined(p.network, outcome, p.cache.miningProblem),
	))
	if outcome.Mined != nil || outcome.MiningProblem != "" {
		p.cache.miningProblem = outcome.MiningProblem
	}

	if outcome.Failure != nil && !conditions.IsStalled(p.network) {
		return ctrl.Result{}, outcome.Failure
	}
	next := todo.LookAgain
	if wait > 0 {
		next = min(next, wait)
	}
	if p.dials {
		next = min(next, dialled)
	}
	if outcome.Refused != nil {
		next = min(next, rollout.RetryAfter)
	}
	if again := outcome.Connection.Again; again > 0 {
		next = min(next, again)
	}
	return ctrl.Result{RequeueAfter: jitter.Percent(0.1, nil)(next)}, nil
}

// shape decides the shape of the network, and plans the rest with the objects as they are
// before they have it. The nodes on which it rests, and what else is to be done, are asked in
// this pass, and then it is decided again.
func (p *pass) shape(ctx context.Context) (plan.Plan, error) {
	for {
		todo := plan.For(p.network, p.seen, p.Platform, plan.ShapeOf(p.network, p.seen, p.Platform))
		unasked := todo.Unasked(p.seen)
		if p.seen.HandsOff(p.network) || len(unasked) == 0 {
			return todo, nil
		}
		if err := p.Observer.Ask(ctx, p.network, p.nodes, p.seen, unasked); err != nil {
			return plan.Plan{}, err
		}
	}
}

// isStill reports whether the StatefulSet is as it was when the pass planned, and had the
// shape already: then the plan stands, as at every regular look.
func (p *pass) isStill(set *appsv1.StatefulSet, shape plan.Shape) bool {
	if set == nil || p.seen.StatefulSet == nil || p.seen.HandsOff(p.network) {
		return false
	}
	pods, _ := state.Replicas(set)
	return pods == shape.Size.Pods && set.UID == p.seen.StatefulSet.UID && set.ResourceVersion == p.seen.StatefulSet.ResourceVersion
}

// plan plans the rest, with the objects as they are now. What should rest on other nodes
// all of a sudden is put off.
func (p *pass) plan(shape plan.Shape) plan.Plan {
	todo := plan.For(p.network, p.seen, p.Platform, shape)
	unasked := todo.Unasked(p.seen)
	if p.seen.HandsOff(p.network) || len(unasked) == 0 {
		return todo
	}
	for _, ordinal := range unasked {
		p.Observer.Told(client.ObjectKeyFromObject(p.network), p.seen, ordinal)
	}
	return todo.PutOff(p.network, unasked)
}

// tell records events.
func (p *pass) tell(events []status.Event) {
	for _, event := range events {
		p.Events.Event(p.network, event.Type, event.Reason, event.Message)
		p.Metrics.Told(client.ObjectKeyFromObject(p.network), event.Reason)
	}
}

// writeStatus writes the status if it has changed since it was last written.
func (p *pass) writeStatus(ctx context.Context) error {
	if equality.Semantic.DeepEqual(p.before.Status, p.network.Status) {
		return nil
	}
	if err := p.Client.Status().Patch(ctx, p.network, client.MergeFrom(p.before), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("write the status of %s: %w", p.network.Name, err)
	}
	p.before = p.network.DeepCopy()
	p.cache.written, p.cache.writtenAt = p.before, p.seen.Now
	return nil
}

// forget drops what is remembered of a network that is gone.
func (r *Reconciler) forget(network types.NamespacedName) {
	r.caches.Delete(network)
	r.Observer.Forget(network)
	r.Metrics.DeleteNetwork(network)
}
