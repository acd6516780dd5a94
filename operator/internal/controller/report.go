package controller

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// Reasons of Reconciling.
const (
	// progressing: what was asked for is not there yet.
	progressing = meta.ProgressingReason
	// degraded: what was there is not there any more.
	degraded = "Degraded"
)

// report writes into the network's status what has been seen of it. It is pure:
// whatever it says follows from its arguments and from what the status said
// before.
func report(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *observation, plan peering.Plan, failure error) {
	wasReady := conditions.IsReady(network)
	wasObserved := network.Status.ObservedGeneration == network.Generation

	reportNodes(network, platform, seen)
	reportLinks(network, plan)

	setCredentialsReady(network, seen)
	setNodesReady(network, seen)
	setPeersConnected(network, seen, plan)
	setChainsAgree(network, seen)
	setReady(network, seen, failure)
	setSuspended(network)
	setProgress(network, wasReady && wasObserved)
	network.Status.ObservedGeneration = network.Generation
	network.Status.LastHandledReconcileAt, _ = meta.ReconcileAnnotationValue(network.Annotations)
}

func reportNodes(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *observation) {
	status := &network.Status
	status.Image = platform.Image(network)
	status.Selector = labels.SelectorFromSet(resources.Selector(network)).String()
	status.Ready = outOf(seen.answering(), len(seen.nodes))
	status.Storage = claimed(seen)
	status.Replicas = 0
	if seen.statefulSet != nil {
		status.Replicas = seen.statefulSet.Status.Replicas
	}
	status.Nodes = make([]v1alpha1.NodeStatus, len(seen.nodes))
	for ordinal, node := range seen.nodes {
		status.Nodes[ordinal] = v1alpha1.NodeStatus{
			Ordinal: int32(ordinal),
			Ready:   node.answers(),
			DNSName: platform.DNSName(network, ordinal),
		}
		if node.pod != nil {
			status.Nodes[ordinal].IP = node.pod.Status.PodIP
			status.Nodes[ordinal].NodeName = node.pod.Spec.NodeName
		}
	}
}

func reportLinks(network *v1alpha1.BitcoinNetwork, plan peering.Plan) {
	planned, connected := len(plan.Links), len(plan.Links)-len(plan.Missing)
	network.Status.Links = &v1alpha1.LinksStatus{
		Planned:   int32(planned),
		Connected: int32(connected),
		Summary:   outOf(connected, planned),
	}
}

func setCredentialsReady(network *v1alpha1.BitcoinNetwork, seen *observation) {
	const condition = v1alpha1.CredentialsReadyCondition
	secret := network.Spec.Secret
	was := conditions.GetReason(network, condition)
	took, behind, deaf := tookSecret(seen)
	switch {
	case seen.unfit != nil && network.Status.Height != nil && len(seen.nodes) > 0:
		conditions.MarkFalse(network, condition, seen.unfit.Reason, "%s; the nodes are left as they are", seen.unfit.Message)
	case seen.unfit != nil:
		conditions.MarkFalse(network, condition, seen.unfit.Reason, "%s", seen.unfit.Message)
	case secret == "":
		conditions.MarkTrue(network, condition, v1alpha1.DefaultCredentialsReason,
			"the nodes use the well-known credentials, since spec.secret is not set: anybody who reaches them can use them")
	case deaf > 0 && behind == 0:
		conditions.MarkTrue(network, condition, v1alpha1.RotatingReason,
			"%d of %d nodes started with what is in Secret %q and do not take all of it: an image of your own must take %s and %s as well as the current pair",
			deaf, len(seen.nodes), secret, bitcoind.PreviousUserKey, bitcoind.PreviousPasswordKey)
	case len(seen.pairs) > 1 && (behind > 0 || was == v1alpha1.RotatingReason && took < len(seen.nodes)):
		conditions.MarkTrue(network, condition, v1alpha1.RotatingReason,
			"Secret %q has new credentials, which %d of %d nodes take; go on using the previous ones until all do", secret, took, len(seen.nodes))
	case behind > 0:
		conditions.MarkTrue(network, condition, v1alpha1.RotatingReason,
			"Secret %q has new credentials, which %d of %d nodes take; the others are being replaced", secret, took, len(seen.nodes))
	case len(seen.pairs) > 1 && (took == len(seen.nodes) || was == v1alpha1.RotatedReason):
		conditions.MarkTrue(network, condition, v1alpha1.RotatedReason,
			"Secret %q was read, and every node takes the new credentials and the previous ones: have all clients use the new ones, then drop %s and %s",
			secret, bitcoind.PreviousUserKey, bitcoind.PreviousPasswordKey)
	default:
		conditions.MarkTrue(network, condition, v1alpha1.SecretReadReason, "Secret %q was read", secret)
	}
}

// tookSecret counts the nodes that take the Secret's credentials, those that do not
// yet, and those that never will, since replacing them would not help.
func tookSecret(seen *observation) (took, behind, deaf int) {
	waiting := outdated(seen)
	for _, node := range seen.nodes {
		isWaiting := node.pod != nil && slices.Contains(waiting, node.pod)
		switch {
		case (node.stale || node.refuses) && !isWaiting && seen.statefulSet != nil && settled(seen.statefulSet):
			deaf++
		case node.stale || node.refuses, isWaiting && len(seen.pairs) > 1:
			behind++ // one that takes the current pair may not have been made with both
		case node.answers():
			took++
		}
	}
	return took, behind, deaf
}

func setNodesReady(network *v1alpha1.BitcoinNetwork, seen *observation) {
	wanted, answering := len(seen.nodes), seen.answering()
	if answering == wanted {
		conditions.MarkTrue(network, v1alpha1.NodesReadyCondition, v1alpha1.NodesAnswerReason, "%s", answer(wanted))
		return
	}
	if seen.unfit != nil {
		conditions.MarkUnknown(network, v1alpha1.NodesReadyCondition, v1alpha1.WaitingForCredentialsReason,
			"without credentials the nodes cannot be asked")
		return
	}
	var problems []string
	for ordinal, node := range seen.nodes {
		if !node.answers() {
			problems = append(problems, fmt.Sprintf("%s: %s", resources.PodName(network, ordinal), node.problem))
		}
	}
	conditions.MarkFalse(network, v1alpha1.NodesReadyCondition, v1alpha1.NodesNotReadyReason,
		"%d of %d nodes answer RPC; %s", answering, wanted, list(problems))
}

func setPeersConnected(network *v1alpha1.BitcoinNetwork, seen *observation, plan peering.Plan) {
	planned, missing := len(plan.Links), len(plan.Missing)
	switch {
	case seen.unfit != nil && planned > 0:
		conditions.MarkUnknown(network, v1alpha1.PeersConnectedCondition, v1alpha1.WaitingForCredentialsReason,
			"without credentials the nodes cannot be asked for their peers")
	case planned == 0:
		conditions.MarkTrue(network, v1alpha1.PeersConnectedCondition, v1alpha1.LinksConnectedReason, "no links are planned")
	case missing == 0:
		conditions.MarkTrue(network, v1alpha1.PeersConnectedCondition, v1alpha1.LinksConnectedReason,
			"%s connected, all that are planned", count(planned, "link"))
	case len(plan.Parts) > 1 && seen.answering() == len(seen.nodes):
		conditions.MarkFalse(network, v1alpha1.PeersConnectedCondition, v1alpha1.SplitReason,
			"the network is in %d parts: %s; %d of %s connected", len(plan.Parts), listParts(plan.Parts), planned-missing, count(planned, "link"))
	default:
		conditions.MarkFalse(network, v1alpha1.PeersConnectedCondition, v1alpha1.LinksMissingReason,
			"%d of %s connected; missing: %s", planned-missing, count(planned, "link"), listLinks(plan.Missing))
	}
}

func setChainsAgree(network *v1alpha1.BitcoinNetwork, seen *observation) {
	const condition = v1alpha1.ChainsAgreeCondition
	tips := tipsOf(seen)
	var texts []string
	for _, tip := range tips {
		texts = append(texts, tip.String())
	}
	switch verdict := agree(tips, seen.branches); verdict {
	case noTips:
		conditions.MarkUnknown(network, condition, string(verdict), "no node answers")
	case equal:
		conditions.MarkTrue(network, condition, string(verdict), "the tips are equal or one block apart, on %s", count(seen.answering(), "node"))
	case lagging:
		conditions.MarkFalse(network, condition, string(verdict), "nodes are behind on one chain; %s", list(texts))
	case forked:
		conditions.MarkFalse(network, condition, string(verdict), "nodes are on different chains; %s", list(texts))
	default:
		conditions.MarkUnknown(network, condition, string(verdict), "whether these are on one chain could not be asked; %s", list(texts))
	}
}

// setReady sums up: the first condition that is not True is the reason.
func setReady(network *v1alpha1.BitcoinNetwork, seen *observation, failure error) {
	if seen.notAllowed {
		conditions.MarkFalse(network, meta.ReadyCondition, v1alpha1.ChainNotAllowedReason,
			"spec.chain: the platform does not allow %s in this namespace; ask the platform team, who set the operator's flag --allowed-chains", network.Spec.Chain)
		return
	}
	if failure != nil {
		reason := meta.FailedReason
		switch {
		case errors.As(failure, new(*conflict)):
			reason = v1alpha1.ConflictReason
		case errors.As(failure, new(*storageRefused)):
			reason = v1alpha1.StorageRefusedReason
		case errors.As(failure, new(*leftover)):
			reason = meta.ProgressingReason
		}
		conditions.MarkFalse(network, meta.ReadyCondition, reason, "%s", failure)
		return
	}
	for _, name := range []string{
		v1alpha1.CredentialsReadyCondition, v1alpha1.NodesReadyCondition, v1alpha1.PeersConnectedCondition,
	} {
		if condition := conditions.Get(network, name); condition.Status != metav1.ConditionTrue {
			conditions.MarkFalse(network, meta.ReadyCondition, condition.Reason, "%s", condition.Message)
			return
		}
	}
	switch pods := outdated(seen); {
	case len(seen.nodes) == 0:
		conditions.MarkTrue(network, meta.ReadyCondition, v1alpha1.ParkedReason, "the network is parked: spec.nodes is 0")
	case seen.statefulSet != nil && !settled(seen.statefulSet):
		conditions.MarkFalse(network, meta.ReadyCondition, v1alpha1.RollingReason,
			"the StatefulSet has changed; waiting for Kubernetes to take it up")
	case len(pods) > 0:
		conditions.MarkFalse(network, meta.ReadyCondition, v1alpha1.RollingReason,
			"replacing the nodes one at a time; %s to go", count(len(pods), "node"))
	default:
		conditions.MarkTrue(network, meta.ReadyCondition, v1alpha1.ConnectedReason,
			"%s, %s connected", answer(len(seen.nodes)), count(int(network.Status.Links.Connected), "link"))
	}
}

// setSuspended says so of a network that is left as it is.
func setSuspended(network *v1alpha1.BitcoinNetwork) {
	if ready := conditions.Get(network, meta.ReadyCondition); network.Spec.Suspend {
		ready.Reason = v1alpha1.SuspendedReason
		ready.Message = "suspended by spec.suspend; " + ready.Message
		conditions.Set(network, ready)
	}
}

// setProgress says in the terms of kstatus what to expect of a network that is
// not Ready: Stalled when somebody must act, else Reconciling.
func setProgress(network *v1alpha1.BitcoinNetwork, wasReady bool) {
	ready := conditions.Get(network, meta.ReadyCondition)
	wasDegraded := conditions.GetReason(network, meta.ReconcilingCondition) == degraded &&
		network.Status.ObservedGeneration == network.Generation
	switch {
	case ready.Status == metav1.ConditionTrue:
		conditions.Delete(network, meta.ReconcilingCondition)
		conditions.Delete(network, meta.StalledCondition)
	case isStalled(ready.Reason):
		conditions.MarkStalled(network, ready.Reason, "%s", ready.Message)
	case wasDegraded || wasReady && ready.Reason != v1alpha1.RollingReason:
		conditions.MarkReconciling(network, degraded, "%s", ready.Message)
	default:
		conditions.MarkReconciling(network, progressing, "%s", ready.Message)
	}
}

// isStalled tells whether a network that is not Ready for this reason stays so
// until somebody acts.
func isStalled(reason string) bool {
	switch reason {
	case v1alpha1.SecretForbiddenReason, v1alpha1.SecretInvalidReason, v1alpha1.ChainNotAllowedReason,
		v1alpha1.ConflictReason, v1alpha1.StorageRefusedReason, v1alpha1.SuspendedReason:
		return true
	default:
		return false
	}
}
