package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SyncStatus is how far the nodes are with downloading the chain. It is updated at most
// once a minute while nothing else changes.
type SyncStatus struct {
	// synced is the number of nodes that are synced: at most one block behind the
	// network's best block and behind the last header that they have; on public chains
	// also out of initial block download.
	// +required
	Synced int32 `json:"synced"`

	// nodes is the number of nodes that there should be.
	// +required
	Nodes int32 `json:"nodes"`

	// summary is synced out of nodes, such as "2/3".
	// +required
	Summary string `json:"summary"`

	// lowestHeight is the height of the lowest tip, in blocks, among the nodes that
	// answer.
	// +optional
	LowestHeight *int64 `json:"lowestHeight,omitempty"`

	// highestHeight is the height of the highest tip, in blocks, among the nodes that
	// answer.
	// +optional
	HighestHeight *int64 `json:"highestHeight,omitempty"`

	// behind lists the nodes that are furthest behind, the furthest first, 16 at most,
	// without nodes that do not answer.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Behind []NodeSyncStatus `json:"behind,omitempty"`

	// behindSince is the time since which some nodes are behind. A node that does not
	// answer counts as when it last did.
	// +optional
	BehindSince *metav1.Time `json:"behindSince,omitempty"`

	// estimatedAt is the estimated time at which the last node will be synced, at the
	// pace of the last one or two minutes. It is absent while a node does not answer,
	// does not catch up, or has not been observed for long enough.
	// +optional
	EstimatedAt *metav1.Time `json:"estimatedAt,omitempty"`
}

// NodeSyncStatus is how far a node is with downloading the chain.
type NodeSyncStatus struct {
	// name is the name of the node's pod.
	// +required
	Name string `json:"name"`

	// height is the height of the node's tip, in blocks.
	// +required
	Height int64 `json:"height"`

	// headers is the height up to which the node has headers, which it downloads first.
	// +required
	Headers int64 `json:"headers"`

	// progress is the share of the chain that the node has, such as "43.21%": of the
	// blocks on regtest and private signets; of the transactions, as estimated by
	// bitcoind, on public chains.
	// +required
	Progress string `json:"progress"`
}
