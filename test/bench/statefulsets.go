package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/bitcoin-operator/bitcoin-operator/test/statefulset"
)

// statusPeriod is how often a StatefulSet's status is written at most.
const statusPeriod = 200 * time.Millisecond

// statefulSets plays their controller: it makes and deletes pods, and counts them.
type statefulSets struct {
	client.Client

	mu    sync.Mutex
	wrote map[types.NamespacedName]time.Time
}

func playStatefulSets(manager ctrl.Manager) error {
	s := &statefulSets{Client: manager.GetClient(), wrote: map[types.NamespacedName]time.Time{}}
	return ctrl.NewControllerManagedBy(manager).For(&appsv1.StatefulSet{}).Owns(&corev1.Pod{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).Complete(s)
}

// Reconcile implements reconcile.Reconciler.
func (s *statefulSets) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	set := &appsv1.StatefulSet{}
	if err := s.Get(ctx, request.NamespacedName, set); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	pods, err := s.pods(ctx, set)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := s.correct(ctx, set, pods); err != nil {
		return ctrl.Result{}, err
	}
	return s.report(ctx, set, pods)
}

// pods returns those of a StatefulSet by ordinal, which are the cache's own.
func (s *statefulSets) pods(ctx context.Context, set *appsv1.StatefulSet) (map[int]*corev1.Pod, error) {
	var list corev1.PodList
	if err := s.List(ctx, &list, client.InNamespace(set.Namespace), client.MatchingLabels(set.Spec.Selector.MatchLabels), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the pods of %s: %w", set.Name, err)
	}
	pods := map[int]*corev1.Pod{}
	for i, pod := range list.Items {
		if !metav1.IsControlledBy(&pod, set) {
			continue
		}
		ordinal, err := strconv.Atoi(pod.Labels[appsv1.PodIndexLabel])
		if err != nil {
			return nil, fmt.Errorf("pod %s has no ordinal: %w", pod.Name, err)
		}
		pods[ordinal] = &list.Items[i]
	}
	return pods, nil
}

// correct makes the pods that lack and deletes those that are too many.
func (s *statefulSets) correct(ctx context.Context, set *appsv1.StatefulSet, pods map[int]*corev1.Pod) error {
	wanted := int(*set.Spec.Replicas)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(podsAtOnce)
	for ordinal := range wanted {
		if pods[ordinal] == nil {
			group.Go(func() error {
				err := s.Create(ctx, statefulset.Pod(set, ordinal))
				if apierrors.IsAlreadyExists(err) {
					return nil // the cache will know
				}
				return err
			})
		}
	}
	for ordinal, pod := range pods {
		if ordinal >= wanted && pod.DeletionTimestamp == nil {
			group.Go(func() error { return client.IgnoreNotFound(s.Delete(ctx, pod)) })
		}
	}
	return group.Wait()
}

// report writes the status when it has changed, but not too often.
func (s *statefulSets) report(ctx context.Context, set *appsv1.StatefulSet, pods map[int]*corev1.Pod) (ctrl.Result, error) {
	status := statusOf(set, pods)
	if equality.Semantic.DeepEqual(status, set.Status) {
		return ctrl.Result{}, nil
	}
	key := client.ObjectKeyFromObject(set)
	if remaining := s.mayWriteIn(key); remaining > 0 {
		return ctrl.Result{RequeueAfter: remaining}, nil
	}
	set.Status = status
	if err := s.Status().Update(ctx, set); apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: statusPeriod}, nil
	} else if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	return ctrl.Result{}, nil
}

// mayWriteIn returns how long a StatefulSet's status may not be written yet; when it may,
// it counts as written.
func (s *statefulSets) mayWriteIn(set types.NamespacedName) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if remaining := s.wrote[set].Add(statusPeriod).Sub(now); remaining > 0 {
		return remaining
	}
	s.wrote[set] = now
	return 0
}

func statusOf(set *appsv1.StatefulSet, pods map[int]*corev1.Pod) appsv1.StatefulSetStatus {
	status := appsv1.StatefulSetStatus{
		ObservedGeneration: set.Generation,
		Replicas:           int32(len(pods)), CurrentReplicas: int32(len(pods)),
		CurrentRevision: statefulset.Revision(set), UpdateRevision: statefulset.Revision(set),
		CollisionCount: new(int32(0)),
	}
	for _, pod := range pods {
		if pod.Labels[appsv1.ControllerRevisionHashLabelKey] == status.UpdateRevision {
			status.UpdatedReplicas++
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil {
				status.ReadyReplicas++
				status.AvailableReplicas++
			}
		}
	}
	return status
}
