package status

import (
	"cmp"
	"fmt"

	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// ResizeRefusal is a volume claim of which the API server does not let the operator
// change the size.
type ResizeRefusal struct {
	// Claim is the name of the claim, and To what it should ask for.
	Claim string
	To    resource.Quantity
	// Err is what the API server says.
	Err error
}

// smallestVolume returns the size of the smallest volume, or nil while there is none.
// A parked network has its volumes still, as they were.
func smallestVolume(network *v1alpha1.BitcoinNetwork, seen *state.Network) *resource.Quantity {
	if network.Spec.Storage != nil && seen.Wanted == 0 {
		return network.Status.Storage
	}
	var smallest *resource.Quantity
	for _, node := range seen.WantedNodes() {
		if node.Claim == nil {
			continue
		}
		if size, exists := state.VolumeSize(node.Claim); exists && (smallest == nil || size.Cmp(*smallest) < 0) {
			smallest = &size
		}
	}
	return smallest
}

func setStorageReady(network *v1alpha1.BitcoinNetwork, seen *state.Network, outcome Outcome) {
	if network.Spec.Storage == nil {
		conditions.Delete(network, v1alpha1.StorageReadyCondition)
		return
	}
	ready := storageReady(network, seen, outcome)
	if kept := outcome.NotLowered; kept != nil {
		ready.Message += fmt.Sprintf("; %s cannot lower its request to %s: %s", kept.Claim, &kept.To, kept.Err)
	}
	ready.Type = v1alpha1.StorageReadyCondition
	conditions.Set(network, &ready)
}

func storageReady(network *v1alpha1.BitcoinNetwork, seen *state.Network, outcome Outcome) metav1.Condition {
	size := &network.Spec.Storage.Size
	notReady := func(reason, format string, args ...any) metav1.Condition {
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: reason, Message: fmt.Sprintf(format, args...)}
	}
	small := smallVolumes(network, seen)
	switch {
	case len(small.infeasible) > 0:
		return notReady(v1alpha1.ResizeInfeasibleReason, "%s; set spec.storage.size to what the storage can provide, which is at least %s (status.storage)", list(small.infeasible), network.Status.Storage)
	case len(outcome.Short) > 0:
		return notReady(v1alpha1.QuotaExceededReason, "volumes cannot grow to %s: %s; %s; ask the platform team for a larger quota%s",
			size, shortageText(outcome.Short), grownText(network, seen), orBack(network))
	case outcome.NotGrown != nil:
		return notReady(v1alpha1.StorageRefusedReason,
			"volume claim %q cannot grow to %s: %s; %s; the quotas that the operator sees have room, so check the storage class, limit ranges and admission policies%s",
			outcome.NotGrown.Claim, size, outcome.NotGrown.Err, grownText(network, seen), orBack(network))
	case len(small.growing) > 0:
		return notReady(v1alpha1.ResizingReason, "%s", list(append(small.growing, small.unbound...)))
	case len(small.unbound) > 0:
		return notReady(v1alpha1.UnboundReason, "%s", list(small.unbound))
	case seen.Wanted == 0:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.SizeReachedReason, Message: "no node needs a volume"}
	default:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.SizeReachedReason,
			Message: fmt.Sprintf("%s of at least %s", count(seen.Wanted, "volume"), size)}
	}
}

// volumes are the volumes that are not as large as they should be, told of by what is
// the matter.
type volumes struct {
	infeasible, growing, unbound []string
}

func smallVolumes(network *v1alpha1.BitcoinNetwork, seen *state.Network) volumes {
	var small volumes
	for ordinal, node := range seen.WantedNodes() {
		claim, name := node.Claim, resources.ClaimName(network, ordinal)
		if claim == nil {
			small.unbound = append(small.unbound, name+" does not exist yet")
			continue
		}
		has, exists := state.VolumeSize(claim)
		asked := state.Asked(claim)
		switch {
		case !exists:
			small.unbound = append(small.unbound, fmt.Sprintf("%s has no volume (%s)", name, cmp.Or(claim.Status.Phase, corev1.ClaimPending)))
		case has.Cmp(network.Spec.Storage.Size) >= 0:
		case asked.Cmp(network.Spec.Storage.Size) < 0:
			small.growing = append(small.growing, fmt.Sprintf("%s has %s and does not request %s yet", name, &has, &network.Spec.Storage.Size))
		default:
			text := fmt.Sprintf("%s requests %s and has %s: %s", name, &asked, &has, cmp.Or(state.ResizeProgress(claim), "resizing has not started"))
			if state.IsInfeasible(claim) {
				small.infeasible = append(small.infeasible, text)
			} else {
				small.growing = append(small.growing, text)
			}
		}
	}
	return small
}

// shortageText says which quotas have no room.
func shortageText(short []plan.Shortage) string {
	var texts []string
	for _, quota := range short {
		texts = append(texts, fmt.Sprintf("that needs %s of %s, and quota %q has %s left", &quota.Needed, quota.Resource, quota.Quota, &quota.Left))
	}
	return list(texts)
}

// grownText says which claims ask for the size that the network should have, and which
// do not.
func grownText(network *v1alpha1.BitcoinNetwork, seen *state.Network) string {
	var grown, others []int
	for ordinal, node := range seen.WantedNodes() {
		if node.Claim == nil {
			continue
		}
		if asked := state.Asked(node.Claim); asked.Cmp(network.Spec.Storage.Size) >= 0 {
			grown = append(grown, ordinal)
		} else {
			others = append(others, ordinal)
		}
	}
	if len(grown) == 0 {
		return "no claim has grown"
	}
	return fmt.Sprintf("the claims of %s already request it, those of %s do not", listNodes(grown), listNodes(others))
}

// orBack says how far the size may go back. There are volumes, or none would grow.
func orBack(network *v1alpha1.BitcoinNetwork) string {
	return fmt.Sprintf(", or set spec.storage.size back to %s (status.storage) or more", network.Status.Storage)
}
