package plan

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Resize is a volume claim that should ask for another size.
type Resize struct {
	// Node is the ordinal of the claim's node.
	Node int
	// To is what the claim should ask for.
	To resource.Quantity
}

// Shortage is a quota that has no room for the growth of a network's volumes.
type Shortage struct {
	// Quota is the name of the ResourceQuota, and Resource what it counts.
	Quota    string
	Resource corev1.ResourceName
	// Needed is what the growth takes, and Left what the quota has.
	Needed, Left resource.Quantity
}

// resizes returns the volume claims that should ask for another size, and the quotas in
// sight that have no room for their growth: then none of them grows, rather than some.
func resizes(network *v1alpha1.BitcoinNetwork, seen *state.Network) (resizes []Resize, short []Shortage) {
	if network.Spec.Storage == nil {
		return nil, nil
	}
	short = Short(network, seen)
	for ordinal, node := range seen.WantedNodes() {
		if node.Claim == nil || node.Claim.DeletionTimestamp != nil {
			continue
		}
		to, asked := request(node.Claim, network.Spec.Storage.Size), state.Asked(node.Claim)
		if order := to.Cmp(asked); order < 0 || order > 0 && len(short) == 0 {
			resizes = append(resizes, Resize{Node: ordinal, To: to})
		}
	}
	return resizes, short
}

// step is the least by which a claim asks for more than its volume has.
var step = resource.MustParse("1Mi")

// request returns what a claim should ask for. Claims of new nodes come with the size
// that the network began with, since a StatefulSet's template of claims cannot change,
// and grow like the others. One that asks for more than it should, and has not got it,
// takes that back: as far as Kubernetes lets it, which is to above what the volume has.
func request(claim *corev1.PersistentVolumeClaim, size resource.Quantity) resource.Quantity {
	asked := state.Asked(claim)
	if state.AsksForLess(claim, size) {
		return size
	}
	volume, exists := state.VolumeSize(claim)
	if !exists || asked.Cmp(volume) <= 0 || asked.Cmp(size) <= 0 {
		return asked
	}
	above := volume.DeepCopy()
	above.Add(step)
	return least(asked, most(size, above))
}

// Short returns the quotas in sight that have no room for volumes as large as the
// network says, counted as the API server counts.
func Short(network *v1alpha1.BitcoinNetwork, seen *state.Network) []Shortage {
	needed := neededStorage(network, seen)
	var short []Shortage
	for _, quota := range seen.Quotas {
		if len(quota.Spec.Scopes) > 0 || quota.Spec.ScopeSelector != nil {
			continue // it counts pods, or claims of a class of attributes, which the network's have not
		}
		for _, name := range slices.Sorted(maps.Keys(needed)) {
			hard, limited := quota.Status.Hard[name]
			if !limited {
				continue
			}
			left := hard.DeepCopy()
			left.Sub(quota.Status.Used[name])
			if left.Cmp(needed[name]) < 0 {
				short = append(short, Shortage{Quota: quota.Name, Resource: name, Needed: needed[name], Left: most(left, resource.Quantity{})})
			}
		}
	}
	return short
}

// storageOfClass follows the name of a storage class in that of the resource by which
// a quota counts the storage of that class.
const storageOfClass = ".storageclass.storage.k8s.io/" + corev1.ResourceRequestsStorage

// neededStorage returns how much more all claims would take of quotas, by resource: also
// those that have no volume yet, and grow when they have.
func neededStorage(network *v1alpha1.BitcoinNetwork, seen *state.Network) corev1.ResourceList {
	needed := corev1.ResourceList{}
	for _, node := range seen.WantedNodes() {
		claim := node.Claim
		if claim == nil || claim.DeletionTimestamp != nil {
			continue
		}
		grown := network.Spec.Storage.Size.DeepCopy()
		grown.Sub(taken(claim))
		if grown.Sign() <= 0 {
			continue
		}
		names := []corev1.ResourceName{corev1.ResourceRequestsStorage}
		if class := claim.Spec.StorageClassName; class != nil && *class != "" {
			names = append(names, corev1.ResourceName(*class)+storageOfClass)
		}
		for _, name := range names {
			sum := needed[name].DeepCopy()
			sum.Add(grown)
			needed[name] = sum
		}
	}
	return needed
}

// taken returns how much a claim takes of quotas: what it asks for, or what is set aside
// for it since it asked for more.
func taken(claim *corev1.PersistentVolumeClaim) resource.Quantity {
	return most(state.Asked(claim), claim.Status.AllocatedResources[corev1.ResourceStorage])
}

func least(a, b resource.Quantity) resource.Quantity {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

func most(a, b resource.Quantity) resource.Quantity {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}
