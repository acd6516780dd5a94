package statetest

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// WithStorage has a network ask for volumes of that size.
func WithStorage(size string) func(*v1alpha1.BitcoinNetwork) {
	return func(network *v1alpha1.BitcoinNetwork) {
		network.Spec.Storage = &v1alpha1.Storage{Size: resource.MustParse(size)}
	}
}

// Claim returns a volume claim that asks for one size and has another, of the class
// "fast".
func Claim(asks, has string, changes ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data-payments", Namespace: "team-a"},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: new("fast"),
			Resources:        corev1.VolumeResourceRequirements{Requests: sized(asks)},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, Capacity: sized(has)},
	}
	for _, change := range changes {
		change(claim)
	}
	return claim
}

// Unbound is for a claim that has no volume yet.
func Unbound(claim *corev1.PersistentVolumeClaim) {
	claim.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}
}

// Resizing is for a claim of which somebody has said how far its growth is.
func Resizing(tried string, how corev1.ClaimResourceStatus) func(*corev1.PersistentVolumeClaim) {
	return func(claim *corev1.PersistentVolumeClaim) {
		if tried != "" {
			claim.Status.AllocatedResources = sized(tried)
		}
		claim.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{corev1.ResourceStorage: how}
	}
}

// Says is for a claim with a condition.
func Says(name corev1.PersistentVolumeClaimConditionType, message string) func(*corev1.PersistentVolumeClaim) {
	return func(claim *corev1.PersistentVolumeClaim) {
		claim.Status.Conditions = append(claim.Status.Conditions, corev1.PersistentVolumeClaimCondition{
			Type: name, Status: corev1.ConditionTrue, Message: message,
		})
	}
}

// Claims gives nodes their volume claims, by ordinal.
func Claims(seen *state.Network, claims ...*corev1.PersistentVolumeClaim) *state.Network {
	for ordinal, claim := range claims {
		seen.Nodes[ordinal].Claim = claim
	}
	return seen
}

func sized(size string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
}
