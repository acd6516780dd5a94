package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/request"
)

const (
	// tenantBounds is the ConfigMap with what the platform says of a tenant.
	tenantBounds = "tenant"
	// requestInterval is how soon a request is looked at again that waits.
	requestInterval = 2 * time.Second
	// nextRequest is how soon the next one is, once the informers have heard of the last.
	nextRequest = 100 * time.Millisecond
)

// Requests sees to BitcoinRequests. What it reconciles are the requests of a network, one
// after the other, by the network's name.
type Requests struct {
	*Reconciler
}

// SetupWithManager has the manager see to requests when there is a new one.
func (r *Requests) SetupWithManager(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		Named("bitcoinrequest").
		Watches(&v1alpha1.BitcoinRequest{}, handler.EnqueueRequestsFromMapFunc(networkOfRequest),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: maxConcurrentReconciles, RateLimiter: retryLimiter()}).
		Complete(r)
}

// networkOfRequest returns the network that a request names.
func networkOfRequest(_ context.Context, object client.Object) []reconcile.Request {
	name := types.NamespacedName{Namespace: object.GetNamespace(), Name: object.(*v1alpha1.BitcoinRequest).Spec.Network}
	return []reconcile.Request{{NamespacedName: name}}
}

// Reconcile does what the next request for a network asks for, and deletes those that
// have been finished for long enough.
func (r *Requests) Reconcile(ctx context.Context, network ctrl.Request) (ctrl.Result, error) {
	asked, err := r.requestsFor(ctx, network.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	again, err := r.deleteExpired(ctx, asked)
	if err != nil {
		return ctrl.Result{}, err
	}
	next := request.Next(asked)
	if next == nil {
		return ctrl.Result{RequeueAfter: again}, nil
	}
	current, err := r.asItIs(ctx, next)
	if err != nil {
		return ctrl.Result{}, err
	}
	if current == nil {
		return ctrl.Result{RequeueAfter: nextRequest}, nil
	}
	end, err := r.turns.take(ctx, network.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	defer end()
	errand, err := r.errand(ctx, network.NamespacedName, current)
	if err != nil {
		return ctrl.Result{}, err
	}
	again, err = errand.run(ctx)
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err): // the informers are about to hear of it
		return ctrl.Result{RequeueAfter: nextRequest}, nil
	case err != nil:
		return ctrl.Result{}, err
	default:
		return ctrl.Result{RequeueAfter: again}, nil
	}
}

func (r *Requests) requestsFor(ctx context.Context, network types.NamespacedName) ([]v1alpha1.BitcoinRequest, error) {
	var found v1alpha1.BitcoinRequestList
	if err := r.Client.List(ctx, &found, client.InNamespace(network.Namespace)); err != nil {
		return nil, fmt.Errorf("list the requests for %s: %w", network.Name, err)
	}
	var asked []v1alpha1.BitcoinRequest
	for _, one := range found.Items {
		if one.Spec.Network == network.Name && one.DeletionTimestamp.IsZero() {
			asked = append(asked, one)
		}
	}
	return asked, nil
}

// deleteExpired deletes requests that have been finished for long enough, and returns in
// how long the next one is; 0 where none is finished.
func (r *Requests) deleteExpired(ctx context.Context, asked []v1alpha1.BitcoinRequest) (next time.Duration, err error) {
	var errs []error
	for i := range asked {
		in, goes := request.Expires(&asked[i], r.Clock.Now())
		switch {
		case goes && in == 0:
			err := r.Client.Delete(ctx, &asked[i], client.Preconditions{UID: &asked[i].UID})
			if client.IgnoreNotFound(err) != nil {
				errs = append(errs, fmt.Errorf("delete BitcoinRequest %s, which is finished: %w", asked[i].Name, err))
			}
		case goes && (next == 0 || in < next):
			next = in
		}
	}
	return next, errors.Join(errs...)
}

// asItIs returns a request by the API server's own word, or nil if it is finished or gone:
// the informers lag behind, and nothing is to be done by what has been done.
func (r *Requests) asItIs(ctx context.Context, cached *v1alpha1.BitcoinRequest) (*v1alpha1.BitcoinRequest, error) {
	var found v1alpha1.BitcoinRequestList
	if err := r.API.List(ctx, &found, client.InNamespace(cached.Namespace), client.MatchingFields{metav1.ObjectNameField: cached.Name}); err != nil {
		return nil, fmt.Errorf("read BitcoinRequest %s: %w", cached.Name, err)
	}
	for i := range found.Items {
		if one := &found.Items[i]; one.UID == cached.UID && one.DeletionTimestamp.IsZero() && !one.Status.Phase.IsFinished() {
			return one, nil
		}
	}
	return nil, nil
}

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
	if e.request.Status.Phase == v1alpha1.RequestStarted {
		return e.lookUp(ctx)
	}
	decision := request.Decide(e.request, e.situation)
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
	return e.mine(ctx)
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

// mine has a node mine what was asked for.
func (e *errand) mine(ctx context.Context) (time.Duration, error) {
	start, mine := e.request.Status.Start, e.request.Spec.Mine
	hashes, err := e.nodes.Mine(ctx, e.endpoint(int(start.Node)), int(mine.Count), request.CoinsOf(e.request, e.situation.Network))
	switch {
	case err == nil:
		request.Mined(e.request, hashes[0], hashes[len(hashes)-1], e.Clock.Now())
		return e.finished(ctx)
	case !bitcoind.IsRefusal(err):
		return requestInterval, nil // it may be about it still
	}
	trace, lost := e.trace(ctx, int(start.Node))
	if lost != nil {
		return requestInterval, nil
	}
	request.NotMined(e.request, bitcoind.Explain(err), trace, e.Clock.Now())
	return e.finished(ctx)
}

// lookUp finds out what has become of a request that was started, and of whose answer
// nobody knows.
func (e *errand) lookUp(ctx context.Context) (time.Duration, error) {
	if e.situation.Network == nil {
		request.Lost(e.request, "its network is gone", e.situation.Now)
		return e.finished(ctx)
	}
	tips := e.situation.Seen.Tips()
	if len(tips) == 0 {
		return e.goOnLookingUp(ctx, "no node answers")
	}
	trace, err := e.trace(ctx, tips[0].Nodes[0])
	if err != nil {
		return e.goOnLookingUp(ctx, bitcoind.Explain(err))
	}
	if !request.LookUp(e.request, trace, e.situation.Now) {
		return requestInterval, nil
	}
	return e.finished(ctx)
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

// trace asks a node what its chain has where a request was started.
func (e *errand) trace(ctx context.Context, ordinal int) (request.Trace, error) {
	endpoint := e.endpoint(ordinal)
	answer, err := e.nodes.Check(ctx, endpoint)
	if err != nil {
		return request.Trace{}, err
	}
	from := int32(e.request.Status.Start.Height)
	hashes, err := e.nodes.BlockHashes(ctx, endpoint, []int32{from, from + 1, from + e.request.Spec.Mine.Count})
	if err != nil {
		return request.Trace{}, err
	}
	tip := answer.Tip()
	return request.Trace{Base: hashes[0], First: hashes[1], Last: hashes[2], Height: int64(tip.Height), Tip: tip.Hash}, nil
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
	e.Metrics.Asked(client.ObjectKeyFromObject(e.situation.Network), request.Kind(e.request), strings.ToLower(string(phase)))
	if phase != v1alpha1.RequestRefused {
		e.Events.Event(e.situation.Network, kind, request.EventReason(e.request), fmt.Sprintf("BitcoinRequest %s: %s", e.request.Name, message))
	}
	return nextRequest, nil
}

// endpoint is where, and with what, a node is reached that has answered.
func (e *errand) endpoint(ordinal int) bitcoind.Endpoint {
	return e.Observer.Endpoint(e.situation.Network, e.situation.Seen, ordinal)
}
