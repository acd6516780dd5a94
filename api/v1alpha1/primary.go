package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Primary is how the node is chosen to which the Service <network>-primary leads.
type Primary struct {
	// failover is whether the Service leads to another node when its node serves no
	// longer. With false it stays where it is, as for a wallet in that node: until the
	// node serves again it leads nowhere. In either case it leads elsewhere when its
	// node is scaled away, or loses its data, and with them its wallets, as nodes
	// without storage do when they are replaced.
	// +optional
	// +kubebuilder:default=true
	Failover *bool `json:"failover,omitempty"`

	// failoverAfter is for how long the node must have served neither the kubelet's
	// probe nor RPC before the Service leads to another, as a duration such as "30s",
	// 10 seconds to 1 hour. That the node rejects credentials is no reason. A node
	// that the operator restarts or replaces has, in addition, as long as its pod has
	// to end.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('1h')",message="must be 10s to 1h"
	FailoverAfter *metav1.Duration `json:"failoverAfter,omitempty"`
}

// PrimaryStatus is the node to which the Service <network>-primary leads.
type PrimaryStatus struct {
	// ordinal is the node's number.
	// +required
	Ordinal int32 `json:"ordinal"`

	// data tells the node's data apart from those that it had before, or will have: the
	// UID of its volume claim, or without storage that of its pod.
	// +optional
	Data types.UID `json:"data,omitempty"`

	// since is when the Service began to lead to this node.
	// +required
	Since metav1.Time `json:"since"`

	// left are nodes that the Service has left because they did not answer, and that
	// the operator is to end: connections that stand would go on hanging.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Left []LeftStatus `json:"left,omitempty"`
}

// LeftStatus is a node that did not answer, in the life that it had then.
type LeftStatus struct {
	// ordinal is the node's number.
	// +required
	Ordinal int32 `json:"ordinal"`

	// podUID is the UID of its pod.
	// +required
	PodUID types.UID `json:"podUID"`

	// restarts is how often the container of that pod had been started again.
	// +required
	Restarts int32 `json:"restarts"`
}
