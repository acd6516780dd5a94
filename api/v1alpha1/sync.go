package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SyncStatus tells how far the nodes are that copy the chain. While nothing else changes,
// it is written at most once a minute.
type SyncStatus struct {
	// synced is how many nodes are synced: at the best block that the network has and
	// at the last that they have a header of, or one block before it; on a chain that
	// others follow, too, also out of initial block download.
	Synced int32 `json:"synced"`

	// nodes is how many nodes there should be.
	Nodes int32 `json:"nodes"`

	// summary is the two as "2/3".
	Summary string `json:"summary"`

	// lowestHeight is the least height of a tip, in blocks, of the nodes that answer.
	// +optional
	LowestHeight *int64 `json:"lowestHeight,omitempty"`

	// highestHeight is the greatest height of a tip, in blocks, of the nodes that answer.
	// +optional
	HighestHeight *int64 `json:"highestHeight,omitempty"`

	// behind lists the nodes that are furthest behind, the furthest first, 16 at most. A
	// node that does not answer is not among them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Behind []NodeSyncStatus `json:"behind,omitempty"`

	// behindSince is since when not all nodes that answer are synced.
	// +optional
	BehindSince *metav1.Time `json:"behindSince,omitempty"`

	// estimatedAt is when the last node is synced, at the pace of the last one or two
	// minutes. It is absent when there is no telling: some node does not answer, does
	// not catch up, or has not been seen for long enough.
	// +optional
	EstimatedAt *metav1.Time `json:"estimatedAt,omitempty"`
}

// NodeSyncStatus is how far a node is that copies the chain.
type NodeSyncStatus struct {
	// name is the name of the node's pod.
	Name string `json:"name"`

	// height is the height of the node's tip, in blocks.
	Height int64 `json:"height"`

	// headers is the height up to which the node has headers: at first it copies them.
	Headers int64 `json:"headers"`

	// progress is how much of the chain the node has, as "43.21%": of a chain that the
	// network's nodes alone follow by its blocks, of others by bitcoind's own estimate
	// of the transactions in it.
	Progress string `json:"progress"`
}
