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
// before to after. It is pure, and says nothing when nothing has changed.
func eventsOf(before, after *v1alpha1.BitcoinNetwork, done deeds) []event {
	var events []event
	tell := func(kind, reason, format string, args ...any) {
		events = append(events, event{kind, reason, fmt.Sprintf(format, args...)})
	}
	had, has := len(before.Status.Nodes), len(after.Status.Nodes)
	failed := conditions.HasAnyReason(after, meta.ReadyCondition,
		v1alpha1.ConflictReason, v1alpha1.ChainNotAllowedReason, v1alpha1.StorageRefusedReason, meta.FailedReason)
	acted := conditions.IsTrue(after, v1alpha1.CredentialsReadyCondition) && !failed && !after.Spec.Suspend

	switch {
	case done.created:
		tell(corev1.EventTypeNormal, "Created", "created the network with %s on %s", count(has, "node"), after.Spec.Chain)
	case had != has && before.Status.ObservedGeneration > 0 && acted:
		tell(corev1.EventTypeNormal, "Scaled", "scaled from %s to %d", count(had, "node"), has)
	}
	parked := had > 0 && has == 0 && acted && before.Status.Replicas > 0
	switch {
	case parked && after.Spec.Storage != nil:
		tell(corev1.EventTypeNormal, v1alpha1.ParkedReason, "the network has no nodes now; their volumes are kept")
	case parked:
		tell(corev1.EventTypeWarning, v1alpha1.ParkedReason, "the network has no nodes now, and its chain is gone with them, since they have no volumes")
	}

	events = append(events, credentialsEvents(before, after)...)
	const chains = v1alpha1.ChainsAgreeCondition
	switch wasFork, isFork := conditions.GetReason(before, chains) == v1alpha1.ForkReason, conditions.GetReason(after, chains) == v1alpha1.ForkReason; {
	case isFork && !wasFork:
		tell(corev1.EventTypeWarning, v1alpha1.ForkReason, "%s", conditions.GetMessage(after, chains))
	case wasFork && !isFork && !conditions.IsUnknown(after, chains):
		tell(corev1.EventTypeNormal, conditions.GetReason(after, chains), "the fork is gone: %s", conditions.GetMessage(after, chains))
	}

	switch {
	case after.Spec.Suspend && !was(before, v1alpha1.SuspendedReason):
		tell(corev1.EventTypeNormal, v1alpha1.SuspendedReason, "the network is left as it is from now on: spec.suspend is set")
	case !after.Spec.Suspend && was(before, v1alpha1.SuspendedReason):
		tell(corev1.EventTypeNormal, "Resumed", "the network is looked after again")
	}

	if reason := conditions.GetReason(after, meta.ReadyCondition); reason == v1alpha1.RollingReason && !was(before, reason) && conditions.IsReady(before) {
		tell(corev1.EventTypeNormal, reason, "%s", conditions.GetMessage(after, meta.ReadyCondition))
		if has == 1 && after.Spec.Storage == nil {
			tell(corev1.EventTypeWarning, "ChainLost", "the only node is being replaced and has no volume: its chain goes with it")
		}
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

// credentialsEvents tells of the credentials, and of their change when it begins and
// when it ends, not of each node on the way.
func credentialsEvents(before, after *v1alpha1.BitcoinNetwork) []event {
	const condition = v1alpha1.CredentialsReadyCondition
	now := conditions.Get(after, condition)
	kind := corev1.EventTypeWarning
	switch now.Reason {
	case v1alpha1.RotatingReason, v1alpha1.RotatedReason:
		if conditions.GetReason(before, condition) == now.Reason {
			return nil
		}
		kind = corev1.EventTypeNormal
	case v1alpha1.SecretReadReason:
		kind = corev1.EventTypeNormal
	}
	if !turned(before, after, condition) {
		return nil
	}
	return []event{{kind, now.Reason, now.Message}}
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
