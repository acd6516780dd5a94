package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// IsOrphan reports whether an object is one that a network of this name has left
// behind, as when it is deleted with --cascade=orphan: it bears the network's labels,
// and has no owner. Nodes of another chain, or with their data elsewhere, are not those
// of this network: none changes that.
func IsOrphan(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain, object client.Object) bool {
	if len(object.GetOwnerReferences()) > 0 || object.GetDeletionTimestamp() != nil {
		return false
	}
	for key, value := range labels(network) {
		if object.GetLabels()[key] != value {
			return false
		}
	}
	set, isSet := object.(*appsv1.StatefulSet)
	return !isSet || follows(set, chain) && hasVolumes(set) == (network.Spec.Storage != nil)
}

// follows reports whether the nodes of a StatefulSet follow a chain, by its port.
func follows(set *appsv1.StatefulSet, chain bitcoind.Chain) bool {
	for _, container := range set.Spec.Template.Spec.Containers {
		for _, port := range container.Ports {
			if container.Name == Container && port == (corev1.ContainerPort{Name: p2pPort, ContainerPort: chain.P2PPort, Protocol: corev1.ProtocolTCP}) {
				return true
			}
		}
	}
	return false
}

func hasVolumes(set *appsv1.StatefulSet) bool { return len(set.Spec.VolumeClaimTemplates) > 0 }
