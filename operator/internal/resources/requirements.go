package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// requirements are what a node asks of its machine: what the network says, and
// for what it does not say the chain's defaults, as far as they fit.
func requirements(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) corev1.ResourceRequirements {
	cpu, memory, most := "100m", "1Gi", "4Gi"
	if IsPrivate(network, chain) {
		cpu, memory, most = "10m", "64Mi", "512Mi"
	}
	needs := corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}
	if own := network.Spec.Resources; own != nil {
		for name, quantity := range own.Requests {
			needs.Requests[name] = quantity
		}
		for name, quantity := range own.Limits {
			needs.Limits[name] = quantity
		}
	}
	setMissing(needs.Limits, corev1.ResourceMemory, atLeast(resource.MustParse(most), needs.Requests[corev1.ResourceMemory]))
	setMissing(needs.Requests, corev1.ResourceMemory, atMost(resource.MustParse(memory), needs.Limits, corev1.ResourceMemory))
	setMissing(needs.Requests, corev1.ResourceCPU, atMost(resource.MustParse(cpu), needs.Limits, corev1.ResourceCPU))
	boundDisk(needs, network, chain)
	return needs
}

func setMissing(list corev1.ResourceList, name corev1.ResourceName, quantity resource.Quantity) {
	if _, there := list[name]; !there {
		list[name] = quantity
	}
}

func atLeast(quantity, least resource.Quantity) resource.Quantity {
	if quantity.Cmp(least) < 0 {
		return least
	}
	return quantity
}

func atMost(quantity resource.Quantity, limits corev1.ResourceList, name corev1.ResourceName) resource.Quantity {
	if limit, limited := limits[name]; limited && quantity.Cmp(limit) > 0 {
		return limit
	}
	return quantity
}

// memoryOf is what a node may use, in MiB.
func memoryOf(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) int64 {
	limit := requirements(network, chain).Limits[corev1.ResourceMemory]
	return limit.Value() >> 20
}
