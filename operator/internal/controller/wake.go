package controller

import (
	"context"
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// gathers is how long events gather before they wake a network: a pod that starts is a
// handful of them, and nodes come by the dozen.
const gathers = 100 * time.Millisecond

// gathered wakes the networks that an object is of when events have gathered.
func gathered(networks handler.MapFunc) handler.EventHandler {
	wake := func(ctx context.Context, object client.Object, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		for _, network := range networks(ctx, object) {
			queue.AddAfter(network, gathers)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, created event.CreateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			wake(ctx, created.Object, queue)
		},
		UpdateFunc: func(ctx context.Context, updated event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			wake(ctx, updated.ObjectOld, queue) // the label by which its network is known may have changed
			wake(ctx, updated.ObjectNew, queue)
		},
		DeleteFunc: func(ctx context.Context, deleted event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			wake(ctx, deleted.Object, queue)
		},
	}
}

// statefulSetChanged lets pass what somebody has changed of a StatefulSet, and of its
// status what is read: most of it only counts pods, which wake their network themselves.
func statefulSetChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(updated event.UpdateEvent) bool {
		before, now := updated.ObjectOld.(*appsv1.StatefulSet), updated.ObjectNew.(*appsv1.StatefulSet)
		return before.Generation != now.Generation ||
			before.DeletionTimestamp.IsZero() != now.DeletionTimestamp.IsZero() ||
			before.Status.ObservedGeneration != now.Status.ObservedGeneration ||
			before.Status.UpdateRevision != now.Status.UpdateRevision ||
			before.Status.Replicas != now.Status.Replicas ||
			!maps.Equal(before.Labels, now.Labels) || !maps.Equal(before.Annotations, now.Annotations) ||
			!equality.Semantic.DeepEqual(before.OwnerReferences, now.OwnerReferences)
	}}
}
