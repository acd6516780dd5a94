package v1alpha1

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Storage is a volume for each node.
//
// +kubebuilder:validation:XValidation:rule="has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)",fieldPath=".className",message="cannot be changed: volumes stay in their class; create another network"
type Storage struct {
	// size is how large each volume is, such as 10Gi. It can grow, where the
	// storage class lets volumes grow: claims that exist and those of new nodes
	// alike, without a restart unless the storage needs one. Volumes cannot
	// shrink, so it can go back only as long as they have not grown, to
	// status.storage and anything above.
	// As a guide, blocks and chain state took in 2026: main 870Gi, testnet4
	// 33Gi, signet 28Gi; regtest a few Mi.
	// +required
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('1Mi')) >= 0",message="must be at least 1Mi"
	Size resource.Quantity `json:"size"`

	// className is the volumes' storage class. Default: the cluster's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName *string `json:"className,omitempty"`

	// whenDeleted is what becomes of the volumes when the network is deleted:
	// Retain keeps them, for a network of the same name to find; Delete deletes
	// them.
	// +optional
	// +kubebuilder:default=Retain
	// +kubebuilder:validation:Enum=Retain;Delete
	WhenDeleted appsv1.PersistentVolumeClaimRetentionPolicyType `json:"whenDeleted,omitempty"`

	// whenScaled is what becomes of the volumes of nodes that go when the
	// network is made smaller: Retain keeps them for when the nodes come back;
	// Delete deletes them. A network that is parked (nodes: 0) keeps all of
	// them whatever this says.
	// +optional
	// +kubebuilder:default=Retain
	// +kubebuilder:validation:Enum=Retain;Delete
	WhenScaled appsv1.PersistentVolumeClaimRetentionPolicyType `json:"whenScaled,omitempty"`
}
