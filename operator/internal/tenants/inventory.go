package tenants

import (
	"cmp"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// appliedBy is Flux's label on what the team's Kustomization has applied.
const appliedBy = "kustomize.toolkit.fluxcd.io/name"

// Inventory is what there is of a team in a cluster.
type Inventory struct {
	Team          string
	Networks      []v1alpha1.BitcoinNetwork
	SealedSecrets []metav1.ObjectMeta
	// Committed are Secrets and ExternalSecrets of the team's repository, in words.
	Committed []string
	Claims    []corev1.PersistentVolumeClaim
	// Suspended Kustomizations remove nothing when they go.
	Suspended bool
	// OwnFlux is so where controllers of the team's own build its commits.
	OwnFlux bool
}

// Fate is what becomes of what there is, when the team's folder and line are gone.
type Fate struct {
	Goes, Stays []string
	// First is what is to be done before.
	First []string
}

// Fate returns what becomes of what there is.
func (i Inventory) Fate() Fate {
	var fate Fate
	fate.Goes = []string{"the operator, with its account and its rights", "the rights of the team's people"}
	fate.Stays = []string{"Namespace " + i.Team + ", with its limits, its network policies, and the account that Flux removes with"}
	for _, network := range i.Networks {
		i.fateOf(network, &fate)
	}
	for _, sealed := range i.SealedSecrets {
		what := fmt.Sprintf("SealedSecret %s, and its Secret", sealed.Name)
		switch {
		case i.Suspended:
			fate.Stays = append(fate.Stays, what)
		case sealed.Labels[appliedBy] == "":
			fate.Stays = append(fate.Stays, what+": it is not from the team's repository")
		default:
			fate.Goes = append(fate.Goes, what)
		}
	}
	if i.Suspended {
		fate.Stays = append(fate.Stays, i.Committed...)
	} else {
		fate.Goes = append(fate.Goes, i.Committed...)
	}
	for _, claim := range i.Claims {
		what := fmt.Sprintf("volume claim %s (%s)", claim.Name, claim.Spec.Resources.Requests.Storage())
		if i.goesWithItsNetwork(claim) {
			fate.Goes = append(fate.Goes, what)
		} else {
			fate.Stays = append(fate.Stays, what)
		}
	}
	if i.Suspended {
		fate.First = append(fate.First, "Kustomization networks is suspended, and Flux removes nothing that a suspended one has applied:\n"+
			"kubectl patch kustomization networks -n "+i.Team+" --type=merge -p '{\"spec\":{\"suspend\":false}}', or unfreeze the team")
	}
	if i.OwnFlux {
		fate.First = append(fate.First, "the team has controllers of its own: remove it from Git first, then delete the namespace, not the other way round")
	}
	return fate
}

// fateOf says what becomes of a network.
func (i Inventory) fateOf(network v1alpha1.BitcoinNetwork, fate *Fate) {
	what := fmt.Sprintf("network %s, with its %d nodes", network.Name, network.Spec.Nodes)
	switch {
	case network.Spec.Protect:
		fate.Stays = append(fate.Stays, what+": spec.protect. It runs on without an operator, and Kustomization networks waits for it")
		fate.First = append(fate.First, fmt.Sprintf("network %s is protected: to remove it, commit protect: false first, or delete it afterwards as the platform team", network.Name))
	case i.Suspended:
		fate.Stays = append(fate.Stays, what+": it runs on without an operator")
	case network.Labels[appliedBy] == "":
		fate.Stays = append(fate.Stays, what+": it is not from the team's repository, and runs on without an operator")
	default:
		chain := "and its chain"
		if storage := network.Spec.Storage; storage != nil && cmp.Or(storage.WhenDeleted, appsv1.RetainPersistentVolumeClaimRetentionPolicyType) == appsv1.RetainPersistentVolumeClaimRetentionPolicyType {
			chain = "whose chain stays in its volumes"
		}
		fate.Goes = append(fate.Goes, what+", "+chain)
	}
}

// goesWithItsNetwork reports whether a claim's network goes, and takes it along.
func (i Inventory) goesWithItsNetwork(claim corev1.PersistentVolumeClaim) bool {
	n := slices.IndexFunc(i.Networks, func(network v1alpha1.BitcoinNetwork) bool {
		return network.Name == claim.Labels[resources.NetworkLabel]
	})
	if n < 0 || i.Suspended {
		return false
	}
	network := i.Networks[n]
	return !network.Spec.Protect && network.Labels[appliedBy] != "" && network.Spec.Storage != nil && network.Spec.Storage.WhenDeleted == appsv1.DeletePersistentVolumeClaimRetentionPolicyType
}
