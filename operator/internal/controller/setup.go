package controller

import (
	"context"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/runtime/predicates"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	informers "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// maxConcurrentReconciles is how many networks are looked at side by side, so
// that one whose nodes hang does not hold up the others.
const maxConcurrentReconciles = 4

// CacheOptions returns what the manager's cache may hold: of one namespace, the
// networks and what carries the operator's label, and of one Secret the metadata.
func CacheOptions(namespace, secret string) (informers.Options, error) {
	ours, err := labels.NewRequirement(resources.NetworkLabel, selection.Exists, nil)
	if err != nil {
		return informers.Options{}, fmt.Errorf("select by label %s: %w", resources.NetworkLabel, err)
	}
	owned := informers.ByObject{Label: labels.NewSelector().Add(*ours)}
	return informers.Options{
		DefaultNamespaces: map[string]informers.Config{namespace: {}},
		DefaultTransform:  informers.TransformStripManagedFields(),
		ByObject: map[client.Object]informers.ByObject{
			&corev1.Pod{}:                   {Label: owned.Label, Transform: withoutUnread},
			&corev1.Service{}:               owned,
			&corev1.ConfigMap{}:             owned,
			&corev1.PersistentVolumeClaim{}: owned,
			&appsv1.StatefulSet{}:           owned,
			&policyv1.PodDisruptionBudget{}: owned,
			&networkingv1.NetworkPolicy{}:   owned,
			&corev1.Secret{}:                {Field: fields.OneTermEqualSelector(metav1.ObjectNameField, secret)},
		},
	}, nil
}

// SetupWithManager has the manager run the reconciler when something happens to
// a network, its objects, its pods or its Secret.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.BitcoinNetwork{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		Watches(&appsv1.StatefulSet{}, gathered(networkByLabel), builder.WithPredicates(statefulSetChanged())).
		Owns(&corev1.Service{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&policyv1.PodDisruptionBudget{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})). // its status follows every pod
		Owns(&networkingv1.NetworkPolicy{}).
		Watches(&corev1.Pod{}, gathered(networkByLabel)).
		Watches(&corev1.PersistentVolumeClaim{}, gathered(networkByLabel)).
		WatchesRawSource(source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			return r.watchSecret(ctx, manager.GetCache(), queue)
		})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: maxConcurrentReconciles,
			RateLimiter:             retryLimiter(),
		}).
		Complete(r)
}

// retryLimiter says when what has failed is tried again. It may be mended any moment, a
// quota say, without a word to us: soon enough to be seen.
func retryLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, 30*time.Second)
}

// networkByLabel returns the network to which an object belongs by its label, as the
// StatefulSet's pods and claims do.
func networkByLabel(_ context.Context, object client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{
		Namespace: object.GetNamespace(),
		Name:      object.GetLabels()[resources.NetworkLabel],
	}}}
}

// watchSecret wakes the networks when the Secret comes, changes or goes. It sees
// metadata alone, so no value is ever in the cache. Unlike other watches it does
// not have to be in sync for the operator to start: an operator that may not
// watch its Secret must be there to say so.
func (r *Reconciler) watchSecret(ctx context.Context, watches informers.Cache, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	informer, err := watches.GetInformer(ctx, secret, informers.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watch Secret %s: %w", r.Observer.Credentials.Secret, err)
	}
	wake := func(object any) {
		version := ""
		if changed, isThere := object.(*metav1.PartialObjectMetadata); isThere {
			version = changed.ResourceVersion
		}
		r.Observer.SecretVersion.Tell(version)
		var networks v1alpha1.BitcoinNetworkList
		if err := r.Client.List(ctx, &networks); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "list the networks that a changed Secret concerns")
			return
		}
		for _, network := range networks.Items {
			if network.Spec.Secret == r.Observer.Credentials.Secret {
				queue.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&network)})
			}
		}
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    wake,
		UpdateFunc: func(_, changed any) { wake(changed) },
		DeleteFunc: func(any) { wake(nil) },
	})
	return err
}
