package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// PrimaryService is for clients that need one node, at an address that stays while
// pods come and go: it leads to the pod of one ordinal, when that is ready.
func PrimaryService(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain, ordinal int) *corev1.Service {
	service := serviceOf(network, PrimaryName(network), nodePorts(network, chain))
	service.Spec.Selector[appsv1.StatefulSetPodNameLabel] = PodName(network, ordinal)
	return service
}

// PrimaryName returns the name of the Service that leads to one node.
func PrimaryName(network *v1alpha1.BitcoinNetwork) string { return network.Name + "-primary" }
