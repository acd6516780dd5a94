package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

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
	next := cmp.Or(request.Next(asked), request.NextSent(asked))
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
