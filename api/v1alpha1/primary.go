package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Primary configures the failover of the Service <network>-primary.
type Primary struct {
	// failover is true if the Service fails over to another node when its node no longer
	// serves. If false, for example because clients use a wallet in that node, the Service
	// leads nowhere until the node serves again. In both cases it moves when its node is
	// removed by scaling, or loses its data and with them its wallets, as nodes without
	// storage do when they are replaced.
	// +optional
	// +kubebuilder:default=true
	Failover *bool `json:"failover,omitempty"`

	// failoverAfter is how long the node must have answered neither the kubelet's probe
	// nor RPC before the Service fails over: a duration such as "30s", 10 seconds to 1
	// hour. A node that merely rejects credentials is not failed over. A node that the
	// operator restarts or replaces is, in addition, given the termination grace period
	// of its pod.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('1h')",message="must be 10s to 1h"
	FailoverAfter *metav1.Duration `json:"failoverAfter,omitempty"`
}

// PrimaryStatus is the node that the Service <network>-primary leads to.
type PrimaryStatus struct {
	// ordinal is the node's number.
	// +required
	Ordinal int32 `json:"ordinal"`

	// data identifies the node's data: the UID of its volume claim or, without storage,
	// of its pod. It differs once the node has lost its data.
	// +optional
	Data types.UID `json:"data,omitempty"`

	// since is the time since which the Service leads to this node.
	// +required
	Since metav1.Time `json:"since"`

	// left lists nodes that the Service failed over from because they did not answer,
	// and that the operator still has to end: clients connected to them would hang.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Left []LeftStatus `json:"left,omitempty"`
}

// LeftStatus identifies a node that did not answer, and the run of its container.
type LeftStatus struct {
	// ordinal is the node's number.
	// +required
	Ordinal int32 `json:"ordinal"`

	// podUID is the UID of its pod.
	// +required
	PodUID types.UID `json:"podUID"`

	// restarts is the restart count of that pod's container.
	// +required
	Restarts int32 `json:"restarts"`
}
