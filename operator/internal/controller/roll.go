package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// outdated returns the pods that are not as they should be, by ordinal: they do not
// run the StatefulSet's current template, or do not take the Secret's credentials.
func outdated(seen *observation) []*corev1.Pod {
	set := seen.statefulSet
	if set == nil || !settled(set) {
		return nil
	}
	var pods []*corev1.Pod
	for _, node := range seen.nodes {
		if node.pod == nil {
			continue
		}
		if node.pod.Labels[appsv1.ControllerRevisionHashLabelKey] != set.Status.UpdateRevision || missedSecret(seen, node) {
			pods = append(pods, node.pod)
		}
	}
	return pods
}

// missedSecret tells whether a node does not take the Secret's credentials because
// its container started before the Secret was as it is. One that started later and
// refuses them all the same has an image that goes its own way; replacing it again
// and again would not help.
func missedSecret(seen *observation, node node) bool {
	return (node.stale || node.refuses) && startedAt(node.pod).Before(seen.pairsSince)
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
	neverUp := network.Status.Height == nil && seen.answering() == 0 && !slices.ContainsFunc(seen.nodes, func(node node) bool { return node.refuses })
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil && (neverUp || neverRan(pod)) {
			return pod
		}
	}
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil && othersHold(network, seen, plan, pod) {
			return pod
		}
	}
	return nil
}

// othersHold tells whether the network can do without this pod: every other node
// answers, has all its links to the others, and has the best tip. Nodes that refuse
// the operator's credentials, as all do when it was not there while the Secret
// changed, cannot be asked: they count when the kubelet finds them ready, and the
// best tip is then as high as the status has it.
func othersHold(network *v1alpha1.BitcoinNetwork, seen *observation, plan peering.Plan, pod *corev1.Pod) bool {
	spared := slices.IndexFunc(seen.nodes, func(node node) bool { return node.pod != nil && node.pod.UID == pod.UID })
	best, height := "", int64(-1)
	if tips := tipsOf(seen); len(tips) > 0 {
		best, height = tips[0].hash, tips[0].height
	}
	for ordinal, node := range seen.nodes {
		switch {
		case ordinal == spared:
		case node.refuses && isReady(node.pod):
			if network.Status.Height != nil && seen.answering() > 0 && height < *network.Status.Height {
				return false
			}
		case !node.answers() || node.state.Chain.BestBlockHash != best:
			return false
		}
	}
	for _, link := range plan.Missing {
		if link.From == spared || link.To == spared || seen.nodes[link.From].refuses || seen.nodes[link.To].refuses {
			continue
		}
		return false
	}
	return true
}

// evictionTimeout is how long an eviction may take. The API server asks for patience
// while it works out a disruption budget, and the client would wait for up to minutes.
const evictionTimeout = 2 * time.Second

// replace evicts a pod, which a PodDisruptionBudget may refuse for now. The
// StatefulSet makes its successor.
func (r *Reconciler) replace(ctx context.Context, pod *corev1.Pod) error {
	eviction := &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: &metav1.DeleteOptions{
			Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
		},
	}
	short, cancel := context.WithTimeout(ctx, evictionTimeout)
	defer cancel()
	err := r.Client.SubResource("eviction").Create(short, pod, eviction)
	switch {
	case apierrors.IsTooManyRequests(err), apierrors.IsNotFound(err), apierrors.IsConflict(err), ctx.Err() == nil && short.Err() != nil:
		return nil // not now, or not this pod any more: the next look decides anew
	case err != nil:
		return fmt.Errorf("evict pod %s: %w", pod.Name, err)
	}
	ctrl.LoggerFrom(ctx).Info("evicted a pod to replace it", "pod", pod.Name)
	return nil
}
