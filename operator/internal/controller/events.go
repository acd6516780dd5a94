package controller

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// event is one to be told of a network.
type event struct {
	kind, reason, message string
}

// eventsOf returns what there is to tell when a network's status has gone from
// before to after; created tells that its StatefulSet is new. It is pure, and says
// nothing when nothing has changed.
func eventsOf(before, after *v1alpha1.BitcoinNetwork, created bool) []event {
	var events []event
	tell := func(kind, reason, format string, args ...any) {
		events = append(events, event{kind, reason, fmt.Sprintf(format, args...)})
	}
	had, has := len(before.Status.Nodes), len(after.Status.Nodes)
	failed := conditions.HasAnyReason(after, meta.ReadyCondition, v1alpha1.ConflictReason, meta.FailedReason)
	acted := conditions.IsTrue(after, v1alpha1.CredentialsReadyCondition) && !failed && !after.Spec.Suspend

	switch {
	case created:
		tell(corev1.EventTypeNormal, "Created", "created the network with %s on %s", count(has, "node"), after.Spec.Chain)
	case had != has && before.Status.ObservedGeneration > 0 && acted:
		tell(corev1.EventTypeNormal, "Scaled", "scaled from %s to %d", count(had, "node"), has)
	}
	parked := had > 0 && has == 0 && acted && before.Status.Replicas > 0
	if parked {
		tell(corev1.EventTypeWarning, v1alpha1.ParkedReason, "the network has no nodes now, and its chain is gone with them, since they have no volumes")
	}

	if turned(before, after, v1alpha1.CredentialsReadyCondition) {
		switch now := conditions.Get(after, v1alpha1.CredentialsReadyCondition); now.Reason {
		case v1alpha1.SecretReadReason:
			tell(corev1.EventTypeNormal, now.Reason, "%s", now.Message)
		default:
			tell(corev1.EventTypeWarning, now.Reason, "%s", now.Message)
		}
	}
	switch wasFork, isFork := conditions.IsFalse(before, v1alpha1.ChainsAgreeCondition), conditions.IsFalse(after, v1alpha1.ChainsAgreeCondition); {
	case isFork && !wasFork:
		tell(corev1.EventTypeWarning, v1alpha1.TipsDifferReason, "%s", conditions.GetMessage(after, v1alpha1.ChainsAgreeCondition))
	case wasFork && conditions.IsTrue(after, v1alpha1.ChainsAgreeCondition):
		tell(corev1.EventTypeNormal, v1alpha1.TipsEqualReason, "%s", conditions.GetMessage(after, v1alpha1.ChainsAgreeCondition))
	}

	switch {
	case after.Spec.Suspend && !was(before, v1alpha1.SuspendedReason):
		tell(corev1.EventTypeNormal, v1alpha1.SuspendedReason, "the network is left as it is from now on: spec.suspend is set")
	case !after.Spec.Suspend && was(before, v1alpha1.SuspendedReason):
		tell(corev1.EventTypeNormal, "Resumed", "the network is looked after again")
	}

	wasDegraded := conditions.GetReason(before, meta.ReconcilingCondition) == degraded
	isDegraded := conditions.GetReason(after, meta.ReconcilingCondition) == degraded
	switch {
	case parked: // told above
	case isDegraded && !wasDegraded:
		tell(corev1.EventTypeWarning, degraded, "%s", conditions.GetMessage(after, meta.ReadyCondition))
	case failed && turned(before, after, meta.ReadyCondition):
		tell(corev1.EventTypeWarning, conditions.GetReason(after, meta.ReadyCondition), "%s", conditions.GetMessage(after, meta.ReadyCondition))
	case conditions.IsReady(after) && !conditions.IsReady(before) && wasDegraded:
		tell(corev1.EventTypeNormal, "Recovered", "%s", conditions.GetMessage(after, meta.ReadyCondition))
	case conditions.IsReady(after) && !conditions.IsReady(before):
		tell(corev1.EventTypeNormal, conditions.GetReason(after, meta.ReadyCondition), "%s", conditions.GetMessage(after, meta.ReadyCondition))
	}
	return events
}

// was tells whether the network's last word on being Ready had that reason.
func was(before *v1alpha1.BitcoinNetwork, reason string) bool {
	return conditions.GetReason(before, meta.ReadyCondition) == reason
}

// turned tells whether a condition says something else than before. It is for
// those whose message changes only when there is something else to do about them.
func turned(before, after *v1alpha1.BitcoinNetwork, condition string) bool {
	return conditions.GetReason(before, condition) != conditions.GetReason(after, condition) ||
		conditions.GetMessage(before, condition) != conditions.GetMessage(after, condition) ||
		conditions.IsTrue(before, condition) != conditions.IsTrue(after, condition)
}

// strangerEvents tells of nodes that were connected to another network's and have
// been disconnected.
func strangerEvents(network *v1alpha1.BitcoinNetwork, plan peering.Plan) []event {
	var events []event
	for _, ordinal := range slices.Sorted(maps.Keys(plan.Changes)) {
		if strangers := plan.Changes[ordinal].Strangers; len(strangers) > 0 {
			events = append(events, event{corev1.EventTypeWarning, "Stranger", fmt.Sprintf(
				"disconnected %s from nodes of another network: %s", resources.PodName(network, ordinal), list(strangers))})
		}
	}
	return events
}
