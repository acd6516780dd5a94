package controller

import (
	"maps"
	"net/http"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
)

// NewMapper returns under which names the API server has the kinds that the operator reads
// and writes. They are known: to ask for the names of all kinds takes a dozen requests at each
// start, and memory for good.
func NewMapper(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	kinds := map[schema.GroupVersion][]string{
		v1alpha1.GroupVersion:                       {"BitcoinNetwork", "BitcoinRequest"},
		appsv1.SchemeGroupVersion:                   {"StatefulSet"},
		corev1.SchemeGroupVersion:                   {"ConfigMap", "Event", "PersistentVolumeClaim", "Pod", "ResourceQuota", "Secret", "Service"},
		credentials.SealedSecretKind.GroupVersion(): {credentials.SealedSecretKind.Kind},
		networkingv1.SchemeGroupVersion:             {"NetworkPolicy"},
		policyv1.SchemeGroupVersion:                 {"PodDisruptionBudget"},
	}
	mapper := meta.NewDefaultRESTMapper(slices.Collect(maps.Keys(kinds)))
	for version, kinds := range kinds {
		for _, kind := range kinds {
			mapper.Add(version.WithKind(kind), meta.RESTScopeNamespace)
			mapper.Add(version.WithKind(kind+"List"), meta.RESTScopeNamespace) // whose scope the cache asks for
		}
	}
	return mapper, nil
}
