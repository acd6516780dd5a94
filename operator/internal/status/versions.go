package status

import (
	"fmt"
	"slices"

	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// setVersionsSupported says what is known of the versions that the nodes run. What a node
// runs it does not change by being silent: it counts as it last said. Of nodes that have
// another pod, or another operator, it may soon be known: until it is, the condition stays as
// it was or becomes worse.
func setVersionsSupported(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	condition, before := versionsSupported(network, seen), conditions.Get(network, v1alpha1.VersionsSupportedCondition)
	if before != nil && badness(condition) <= badness(*before) && isAnyToTell(seen) {
		condition = *before
	}
	condition.Type = v1alpha1.VersionsSupportedCondition
	conditions.Set(network, &condition)
}

// badness ranks what the condition says.
func badness(condition metav1.Condition) int {
	return slices.Index([]string{v1alpha1.NoNodesReason, v1alpha1.SupportedReason, v1alpha1.NotListedReason,
		v1alpha1.OutOfSupportReason, v1alpha1.KnownBadReason}, condition.Reason)
}

// isAnyToTell reports whether it may soon be known of more nodes what they run.
func isAnyToTell(seen *state.Network) bool {
	return slices.ContainsFunc(seen.WantedNodes(), func(node state.Node) bool {
		return node.Runs.Name == "" && seen.MayTell(node)
	})
}

// versionsSupported returns the condition VersionsSupported. Its reason is the worst that
// there is to say of a node.
func versionsSupported(network *v1alpha1.BitcoinNetwork, seen *state.Network) metav1.Condition {
	var worst bitcoind.Support
	told := 0
	by := map[string][]int{}
	var order []string
	for ordinal, node := range seen.WantedNodes() {
		if node.Runs.Name == "" {
			continue
		}
		told++
		support, why := node.Runs.SupportOn(seen.Chain.Name, !node.Runs.WithoutWallets)
		if support < worst || support == bitcoind.Supported {
			continue
		}
		if support > worst {
			worst, order = support, nil
		}
		text := node.Runs.String()
		if why != "" {
			text += ": " + why
		}
		if !slices.Contains(order, text) {
			order = append(order, text)
		}
		by[text] = append(by[text], ordinal)
	}
	var texts []string
	for _, text := range order {
		texts = append(texts, fmt.Sprintf("%s: %s", listNodes(by[text]), text))
	}
	bad := func(reason string) metav1.Condition {
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: reason, Message: list(texts) + "; " + wayToAnother(network)}
	}
	switch {
	case told == 0:
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.NoNodesReason, Message: "the version of no node is known"}
	case worst == bitcoind.KnownBad:
		return bad(v1alpha1.KnownBadReason)
	case worst == bitcoind.OutOfSupport:
		return bad(v1alpha1.OutOfSupportReason)
	case worst == bitcoind.NotListed:
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.NotListedReason,
			Message: list(texts) + "; it is not known how long that version gets fixes"}
	default:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.SupportedReason, Message: "every node whose version is known runs a supported version"}
	}
}

// wayToAnother says how a network's nodes come to run another version.
func wayToAnother(network *v1alpha1.BitcoinNetwork) string {
	if network.Spec.Image == "" {
		return "the image is the platform's: ask the platform team for another, or set spec.image"
	}
	return "set spec.image to an image with another version"
}
