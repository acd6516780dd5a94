package plan

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// growing returns the volume claims that should ask for more. Those of new nodes come
// with the size that the network began with, since a StatefulSet's template of claims
// cannot change, and grow like the others.
func growing(network *v1alpha1.BitcoinNetwork, seen *state.Network) []corev1.PersistentVolumeClaim {
	var claims []corev1.PersistentVolumeClaim
	for _, claim := range seen.Claims {
		if growsTo(&claim, network.Spec.Storage.Size) {
			claims = append(claims, claim)
		}
	}
	return claims
}

// growsTo reports whether a claim should ask for more. The API server lets only
// those grow that are bound.
func growsTo(claim *corev1.PersistentVolumeClaim, size resource.Quantity) bool {
	asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	return claim.Status.Phase == corev1.ClaimBound && claim.DeletionTimestamp == nil && asked.Cmp(size) < 0
}
