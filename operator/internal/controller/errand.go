package controller

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/request"
)

// errand is one look at one request, with what is known of its network.
type errand struct {
	*Requests
	request   *v1alpha1.BitcoinRequest
	before    *v1alpha1.BitcoinRequest
	situation request.Situation
	nodes     Nodes
}

// errand looks at the network that a request names.
func (r *Requests) errand(ctx context.Context, name types.NamespacedName, asked *v1alpha1.BitcoinRequest) (*errand, error) {
	e := &errand{Requests: r, request: asked, before: asked.DeepCopy(), nodes: meteredNodes{r.Nodes, r.Metrics, name}}
	e.situation.Now = r.Clock.Now()
	network := &v1alpha1.BitcoinNetwork{}
	err := r.Client.Get(ctx, name, network)
	if apierrors.IsNotFound(err) || err == nil && !network.DeletionTimestamp.IsZero() {
		return e, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read BitcoinNetwork %s: %w", name.Name, err)
	}
	seen, err := r.Observer.Peek(ctx, network, e.nodes)
	if err != nil {
		return nil, err
	}
	bounds, err := r.bounds(ctx, name.Namespace)
	if err != nil {
		return nil, err
	}
	e.situation.Network, e.situation.Seen, e.situation.Bounds = network, seen, bounds
	e.situation.Parts = len(plan.Parts(network, seen, r.Platform))
	return e, nil
}

// bounds reads how much may be asked for a day.
func (r *Requests) bounds(ctx context.Context, namespace string) (request.Bounds, error) {
	tenant := &corev1.ConfigMap{}
	err := r.API.Get(ctx, types.NamespacedName{Namespace: namespace, Name: tenantBounds}, tenant)
	if client.IgnoreNotFound(err) != nil {
		return request.Bounds{}, fmt.Errorf("read the bounds of requests: %w", err)
	}
	return request.BoundsOf(tenant.Data), nil
}

// run takes a request as far as it comes now. It returns how soon to look again.
func (e *errand) run(ctx context.Context) (again time.Duration, err error) {
	switch e.request.Status.Phase {
	case v1alpha1.RequestStarted:
		return e.lookUp(ctx)
	case v1alpha1.RequestSent:
		return e.confirm(ctx)
	default:
		return e.start(ctx)
	}
}

// start has a node told what is asked for, if it can be now.
func (e *errand) start(ctx context.Context) (time.Duration, error) {
	decision, err := e.decide(ctx)
	if err != nil {
		return 0, err
	}
	if e.request.Spec.Pay != nil && decision.Tells() {
		decision = e.openWallet(ctx, decision)
	}
	switch {
	case decision.Refused != "":
		request.Refuse(e.request, decision.Refused, e.situation.Now)
		return e.finished(ctx)
	case decision.Waits != "":
		request.Wait(e.request, decision.Waits, e.situation.Now)
		return requestInterval, e.write(ctx)
	}
	if err := e.count(ctx); err != nil {
		return 0, err
	}
	request.Start(e.request, decision, e.situation.Now)
	if err := e.write(ctx); err != nil {
		return 0, err
	}
	if e.request.Spec.Pay != nil {
		return e.pay(ctx)
	}
	return e.mine(ctx)
}

// decide decides about the request. The node that is to be told is asked in this pass, and
// the others where they were not of late, and then it is decided again.
func (e *errand) decide(ctx context.Context) (request.Decision, error) {
	for {
		decision := request.Decide(e.request, e.situation)
		seen, network := e.situation.Seen, e.situation.Network
		if !decision.Tells() {
			return decision, nil
		}
		unasked := seen.Unasked(seen.TipRestsOn(decision.Node))
		if len(unasked) == 0 {
			return decision, nil
		}
		if err := e.Observer.PeekAt(ctx, network, e.nodes, seen, unasked); err != nil {
			return request.Decision{}, err
		}
		e.situation.Parts = len(plan.Parts(network, seen, e.Platform))
	}
}

// lookUp finds out what has become of a request that was started, and of whose answer
// nobody knows.
func (e *errand) lookUp(ctx context.Context) (again time.Duration, err error) {
	if e.situation.Network == nil {
		request.Lost(e.request, "its network is gone", e.situation.Now)
		return e.finished(ctx)
	}
	if e.request.Spec.Pay != nil {
		return e.lookUpPayment(ctx)
	}
	return e.lookUpBlocks(ctx)
}

// count counts what is asked for against the bounds of the day.
func (e *errand) count(ctx context.Context) error {
	network := e.situation.Network.DeepCopy()
	network.Status.Requested = request.Count(e.request, network.Status.Requested, e.situation.Now)
	patch := client.MergeFromWithOptions(e.situation.Network, client.MergeFromWithOptimisticLock{})
	if err := e.Client.Status().Patch(ctx, network, patch, client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("count what BitcoinRequest %s asks for: %w", e.request.Name, err)
	}
	return nil
}

// goOnLookingUp looks again soon while nobody tells what has become of a request, but not
// for ever: others wait.
func (e *errand) goOnLookingUp(ctx context.Context, why string) (time.Duration, error) {
	if e.situation.Now.Sub(e.request.Status.Start.At.Time) < request.LongestLookUp {
		return requestInterval, nil
	}
	request.Lost(e.request, why, e.situation.Now)
	return e.finished(ctx)
}

// write writes the status if it has changed, unless somebody else has changed the request
// meanwhile: of two operators, as while one takes over from another, one alone starts it.
func (e *errand) write(ctx context.Context) error {
	if equality.Semantic.DeepEqual(e.before.Status, e.request.Status) {
		return nil
	}
	patch := client.MergeFromWithOptions(e.before, client.MergeFromWithOptimisticLock{})
	if err := e.Client.Status().Patch(ctx, e.request, patch, client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("write the status of BitcoinRequest %s: %w", e.request.Name, err)
	}
	e.before = e.request.DeepCopy()
	return nil
}

// finished writes down, tells and counts what has come of a request, and has the next one
// looked at.
func (e *errand) finished(ctx context.Context) (time.Duration, error) {
	if err := e.write(ctx); err != nil {
		return 0, err
	}
	phase, message := e.request.Status.Phase, conditions.GetMessage(e.request, meta.ReadyCondition)
	kind := corev1.EventTypeWarning
	if phase == v1alpha1.RequestSucceeded {
		kind = corev1.EventTypeNormal
	}
	e.Events.Event(e.request, kind, string(phase), message)
	if e.situation.Network == nil {
		return nextRequest, nil
	}
	network := client.ObjectKeyFromObject(e.situation.Network)
	e.Metrics.Asked(network, request.Kind(e.request), strings.ToLower(string(phase)))
	if phase != v1alpha1.RequestRefused {
		e.Metrics.Told(network, request.EventReason(e.request))
		e.Events.Event(e.situation.Network, kind, request.EventReason(e.request), fmt.Sprintf("BitcoinRequest %s: %s", e.request.Name, message))
	}
	return nextRequest, nil
}

// endpoint is where, and with what, a node is reached that has answered.
func (e *errand) endpoint(ordinal int) bitcoind.Endpoint {
	return e.Observer.Endpoint(e.situation.Network, e.situation.Seen, ordinal)
}
