package explain

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// The conditions of which not every operator tells, with the reasons that ask for somebody.
const (
	syncedCondition            = "Synced"
	notCatchingUp              = "NotCatchingUp"
	blockRejected              = "BlockRejected"
	versionsSupportedCondition = "VersionsSupported"
)

// storage says whether volumes are as large as they should be.
func storage(s *subject) []Finding {
	condition := s.condition(v1alpha1.StorageReadyCondition)
	if condition == nil {
		return nil
	}
	level := OK
	switch condition.Reason {
	case v1alpha1.QuotaExceededReason, v1alpha1.StorageRefusedReason, v1alpha1.ResizeInfeasibleReason:
		level = Problem
	default:
		if condition.Status != metav1.ConditionTrue {
			level = Note // keeps nobody from working
		}
	}
	return []Finding{finding(Storage, level, condition)}
}

// links says whether the nodes are connected as planned.
func links(s *subject) []Finding {
	condition := s.condition(v1alpha1.PeersConnectedCondition)
	if condition == nil {
		return nil
	}
	level := Waiting // a link takes seconds
	switch {
	case condition.Status == metav1.ConditionTrue:
		level = OK
	case condition.Status == metav1.ConditionUnknown:
		level = Unknown
	case condition.Reason == v1alpha1.SplitReason || s.lasts(condition):
		level = Problem
	}
	return []Finding{finding(Links, level, condition)}
}

// tips says whether the nodes are on one chain.
func tips(s *subject) []Finding {
	condition := s.condition(v1alpha1.ChainsAgreeCondition)
	if condition == nil {
		return nil
	}
	level := Waiting // nodes catch up
	switch {
	case condition.Status == metav1.ConditionTrue:
		level = OK
	case condition.Status == metav1.ConditionUnknown:
		level = Unknown
	case condition.Reason == v1alpha1.ForkReason || s.Now.Sub(condition.LastTransitionTime.Time) > 10*patience:
		level = Problem
	}
	return []Finding{finding(Tips, level, condition)}
}

// sync says how far the nodes are with the chain. Ready waits for no download.
func sync(s *subject) []Finding {
	condition := s.condition(syncedCondition)
	if condition == nil {
		return nil
	}
	level := Note
	switch {
	case condition.Status == metav1.ConditionTrue:
		level = OK
	case condition.Status == metav1.ConditionUnknown:
		level = Unknown
	case condition.Reason == notCatchingUp, condition.Reason == blockRejected:
		level = Problem
	}
	return []Finding{finding(Sync, level, condition)}
}

// versions says whether the nodes run what is still mended. Such nodes work.
func versions(s *subject) []Finding {
	condition := s.condition(versionsSupportedCondition)
	switch {
	case condition == nil:
		return nil
	case condition.Status == metav1.ConditionTrue:
		return []Finding{finding(Versions, OK, condition)}
	case condition.Status == metav1.ConditionUnknown:
		return []Finding{finding(Versions, Unknown, condition)}
	default:
		return []Finding{finding(Versions, Note, condition)}
	}
}

// primary says where the Service leads that leads to one node.
func primary(s *subject) []Finding {
	if s.network == nil || s.network.Status.Primary == nil || s.network.Spec.Nodes == 0 {
		return nil
	}
	leads := s.network.Status.Primary
	message := fmt.Sprintf("Service %s-primary leads to %s", s.network.Name, resources.PodName(s.network, int(leads.Ordinal)))
	serves := slices.ContainsFunc(s.network.Status.Nodes, func(node v1alpha1.NodeStatus) bool { return node.Ordinal == leads.Ordinal && node.Ready })
	found := Finding{Step: Primary, Level: OK, Message: message, Since: &leads.Since}
	if !serves && s.condition(v1alpha1.CredentialsReadyCondition) != nil {
		found.Level, found.Reason, found.Message = Waiting, "PrimaryNotReady", message+", which does not answer"
		found.Since = nil
	}
	return []Finding{found}
}
