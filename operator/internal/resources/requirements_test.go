package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestRequirements(t *testing.T) {
	amount := func(list ...string) corev1.ResourceList {
		amounts := corev1.ResourceList{}
		for i := 0; i < len(list); i += 2 {
			amounts[corev1.ResourceName(list[i])] = resource.MustParse(list[i+1])
		}
		return amounts
	}
	for _, test := range []struct {
		reason       string
		chain        v1alpha1.Chain
		given        *v1alpha1.Resources
		wantRequests corev1.ResourceList
		wantLimits   corev1.ResourceList
	}{
		{"a private chain takes little", v1alpha1.Regtest, nil, amount("cpu", "10m", "memory", "64Mi"), amount("memory", "512Mi")},
		{"a public one more", v1alpha1.Main, nil, amount("cpu", "100m", "memory", "1Gi"), amount("memory", "4Gi")},
		{"what is given counts, and the rest is filled in", v1alpha1.Regtest,
			&v1alpha1.Resources{Limits: amount("cpu", "2", "memory", "1Gi")},
			amount("cpu", "10m", "memory", "64Mi"), amount("cpu", "2", "memory", "1Gi")},
		{"no request is above its limit", v1alpha1.Regtest,
			&v1alpha1.Resources{Limits: amount("cpu", "5m", "memory", "32Mi")},
			amount("cpu", "5m", "memory", "32Mi"), amount("cpu", "5m", "memory", "32Mi")},
		{"nor a limit below what is requested", v1alpha1.Regtest,
			&v1alpha1.Resources{Requests: amount("memory", "2Gi")},
			amount("cpu", "10m", "memory", "2Gi"), amount("memory", "2Gi")},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Chain, n.Spec.Resources = test.chain, test.given })
			got := requirements(network, chainOf(network))
			if diff := cmp.Diff(corev1.ResourceRequirements{Requests: test.wantRequests, Limits: test.wantLimits}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
