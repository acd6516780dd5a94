package v1alpha1

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Storage is a volume for each node.
//
// +kubebuilder:validation:XValidation:rule="has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)",fieldPath=".className",message="cannot be changed: volumes keep their class; create another network"
type Storage struct {
	// size is the size of each volume, such as 10Gi. It can be raised if the storage class
	// allows expansion: the volumes of all nodes grow, without a restart unless the storage
	// needs one. Volumes cannot shrink: size can be set back only to status.storage or
	// more, while they have not grown yet. For orientation, blocks and chain state took in
	// 2026: main 870Gi, testnet4 33Gi, signet 28Gi; regtest a few Mi.
	// +required
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('1Mi')) >= 0",message="must be at least 1Mi"
	Size resource.Quantity `json:"size"`

	// className is the storage class of the volumes. Default: the cluster's default
	// class.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName *string `json:"className,omitempty"`

	// whenDeleted is what happens to the volumes when the network is deleted: Retain
	// keeps them, and a new network of the same name uses them again; Delete deletes
	// them.
	// +optional
	// +kubebuilder:default=Retain
	// +kubebuilder:validation:Enum=Retain;Delete
	WhenDeleted appsv1.PersistentVolumeClaimRetentionPolicyType `json:"whenDeleted,omitempty"`

	// whenScaled is what happens to the volumes of nodes that are removed by scaling
	// down: Retain keeps them for when the nodes return; Delete deletes them. A parked
	// network (nodes: 0) keeps all of them in either case.
	// +optional
	// +kubebuilder:default=Retain
	// +kubebuilder:validation:Enum=Retain;Delete
	WhenScaled appsv1.PersistentVolumeClaimRetentionPolicyType `json:"whenScaled,omitempty"`
}
