package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// boundDisk says how much of the machine's disk a node may take that has no volume,
// unless the network says so: far more than its chain does. None is asked for: it is a
// bound, and would otherwise be reserved.
func boundDisk(needs corev1.ResourceRequirements, network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) {
	if network.Spec.Storage != nil {
		return
	}
	asked := needs.Requests[corev1.ResourceEphemeralStorage]
	setMissing(needs.Limits, corev1.ResourceEphemeralStorage, atLeast(*resource.NewQuantity(chain.Disk, resource.BinarySI), asked))
	setMissing(needs.Requests, corev1.ResourceEphemeralStorage, resource.Quantity{Format: resource.DecimalSI})
}

// DiskOf returns how many bytes of the machine's disk the data of a pod's node may
// take. It is 0 where nothing says so, or where they are on a volume.
func DiskOf(pod *corev1.Pod) int64 {
	most := int64(0)
	bound := func(quantity *resource.Quantity) {
		if quantity != nil && quantity.Value() > 0 && (most == 0 || quantity.Value() < most) {
			most = quantity.Value()
		}
	}
	for _, volume := range pod.Spec.Volumes {
		if volume.Name != DataVolume || volume.EmptyDir == nil {
			continue
		}
		bound(volume.EmptyDir.SizeLimit)
		for _, container := range pod.Spec.Containers {
			if limit, limited := container.Resources.Limits[corev1.ResourceEphemeralStorage]; limited && container.Name == Container {
				bound(&limit)
			}
		}
	}
	return most
}
