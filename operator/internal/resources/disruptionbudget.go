package resources

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// Budget is how many nodes others than the operator may evict.
type Budget struct {
	// MaxUnavailable is how many nodes may be not ready at the same time.
	MaxUnavailable int32
	// AlwaysAllow lets nodes that are not ready go whatever that says, so that a
	// broken node holds up no drain.
	AlwaysAllow bool
}

// PodDisruptionBudget lets machines be drained of as many nodes as the network can
// do without.
func PodDisruptionBudget(network *v1alpha1.BitcoinNetwork, budget Budget) *policyv1.PodDisruptionBudget {
	unhealthy := policyv1.IfHealthyBudget
	if budget.AlwaysAllow {
		unhealthy = policyv1.AlwaysAllow
	}
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: objectMeta(network, network.Name),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable:             new(intstr.FromInt32(budget.MaxUnavailable)),
			Selector:                   &metav1.LabelSelector{MatchLabels: Selector(network)},
			UnhealthyPodEvictionPolicy: &unhealthy,
		},
	}
}
