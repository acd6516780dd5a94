package controller

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// outdated returns the pods that do not run the StatefulSet's current template,
// by ordinal.
func outdated(seen *observation) []*corev1.Pod {
	set := seen.statefulSet
	if set == nil || !settled(set) {
		return nil
	}
	var pods []*corev1.Pod
	for _, node := range seen.nodes {
		if node.pod != nil && node.pod.Labels[appsv1.ControllerRevisionHashLabelKey] != set.Status.UpdateRevision {
			pods = append(pods, node.pod)
		}
	}
	return pods
}

// settled tells whether the StatefulSet controller has seen the present template,
// so that its status says which pods run it.
func settled(set *appsv1.StatefulSet) bool {
	return set.Status.ObservedGeneration == set.Generation && set.Status.UpdateRevision != ""
}

// nextToReplace returns the pod to replace now, or nil.
//
// A pod that never ran has nothing to lose and goes at once, and so does any of a
// network that never had a chain, so that a corrected image heals a network that
// never came up. Any other goes only when every other node answers, is linked, and
// has the best tip: then a network without volumes keeps its chain, since the node
// that comes back finds it whole at its peers.
func nextToReplace(network *v1alpha1.BitcoinNetwork, seen *observation, plan peering.Plan) *corev1.Pod {
	pods := outdated(seen)
	neverUp := network.Status.Height == nil && seen.answering() == 0
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil && (neverUp || neverRan(pod)) {
			return pod
		}
	}
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil && othersHold(seen, plan, pod) {
			return pod
		}
	}
	return nil
}

// othersHold tells whether the network can do without this pod: every other node
// answers, has all its links to the others, and has the best tip.
func othersHold(seen *observation, plan peering.Plan, pod *corev1.Pod) bool {
	spared := -1
	best := ""
	height := int32(-1)
	for ordinal, node := range seen.nodes {
		if node.pod != nil && node.pod.UID == pod.UID {
			spared = ordinal
		}
		if node.answers() && node.state.Chain.Blocks > height {
			height, best = node.state.Chain.Blocks, node.state.Chain.BestBlockHash
		}
	}
	for ordinal, node := range seen.nodes {
		if ordinal != spared && (!node.answers() || node.state.Chain.BestBlockHash != best) {
			return false
		}
	}
	for _, link := range plan.Missing {
		if link.From != spared && link.To != spared {
			return false
		}
	}
	return true
}

// replace evicts a pod, which a PodDisruptionBudget may refuse for now. The
// StatefulSet makes its successor.
func (r *Reconciler) replace(ctx context.Context, pod *corev1.Pod) error {
	eviction := &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: &metav1.DeleteOptions{
			Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
		},
	}
	err := r.Client.SubResource("eviction").Create(ctx, pod, eviction)
	switch {
	case apierrors.IsTooManyRequests(err), apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return nil // not now, or not this pod any more: the next look decides anew
	case err != nil:
		return fmt.Errorf("evict pod %s: %w", pod.Name, err)
	}
	ctrl.LoggerFrom(ctx).Info("evicted a pod that does not run the current template", "pod", pod.Name)
	return nil
}
