package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BitcoinNetwork is a network of bitcoind nodes in one namespace, peered with
// each other. The operator of the namespace runs them as a StatefulSet, keeps
// every node's peers right over JSON-RPC, and tells here how the network stands.
//
// Every object of a network is called after it, so its name is a DNS label of
// at most 52 characters that does not end in "-rpc", the client Service's ending.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=btcnet,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.nodes,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Chain",type=string,JSONPath=`.spec.chain`
// +kubebuilder:printcolumn:name="Nodes",type=integer,JSONPath=`.spec.nodes`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.ready`,description="How many of the wanted nodes answer RPC."
// +kubebuilder:printcolumn:name="Links",type=string,JSONPath=`.status.links.summary`,description="How many of the planned links stand."
// +kubebuilder:printcolumn:name="Height",type=integer,JSONPath=`.status.height`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 52",message="metadata.name: at most 52 characters, so that the names of its pods fit in a DNS label"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name: a DNS label: lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit"
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.endsWith('-rpc')",message="metadata.name: must not end in '-rpc', which names the client Service of a network"
type BitcoinNetwork struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what the network should be.
	// +required
	Spec BitcoinNetworkSpec `json:"spec"`

	// Status is how the network stands, as the operator last saw it.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status BitcoinNetworkStatus `json:"status,omitempty"`
}

// BitcoinNetworkSpec is what a network should be.
type BitcoinNetworkSpec struct {
	// Nodes is how many bitcoind nodes the network has, 0 to 1000. It is also
	// the scale subresource, so "kubectl scale" works. A change touches only
	// the nodes that come or go. 0 parks the network: no node runs, and the
	// network is Ready with reason Parked; nodes keep their chain in the pod,
	// so it is gone when they come back.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Nodes int32 `json:"nodes"`

	// Secret names the Secret, in the network's namespace, that holds the
	// credentials for JSON-RPC: type Opaque, keys BC_RPC_USER and
	// BC_RPC_PASSWORD. Several networks may share it. It must be the one that
	// the namespace's operator may read (its flag --secret); a network that
	// names another is Stalled. While the Secret is missing the network waits.
	//
	// Absent, the nodes use the well-known credentials "user" and "password":
	// for trying things out, on regtest only.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Secret string `json:"secret,omitempty"`

	// Chain is the chain that the nodes follow. It cannot change: another
	// chain is another network. Today regtest only, a private chain whose
	// blocks are mined on demand.
	// +optional
	// +kubebuilder:default=regtest
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot change; make another network for another chain"
	Chain Chain `json:"chain,omitempty"`

	// Image is the container image of the nodes: bitcoind with the operator's
	// entry point, bitcoind-start (see docs/tenant-guide.md). It must be
	// something that the kubelets can pull. A change replaces the nodes one at
	// a time. Default: the image that the platform gave to the operator, its
	// flag --bitcoind-image; the one in use is in status.image.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// Peering is how the nodes are linked with each other.
	// +optional
	// +kubebuilder:default={}
	Peering Peering `json:"peering,omitempty"`

	// Suspend keeps the operator from changing anything about the network: its
	// objects, its pods, its links. It goes on looking, and tells here what it
	// sees.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// Interval is how often the operator looks at the network when nothing calls
	// for it, as a duration such as "30s" or "5m", 5 seconds to 1 hour. What
	// happens to pods, objects and the Secret it sees at once; only by looking
	// does it see that a node hangs, that a link broke, and how high the chain is.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('1h')",message="must be 5s to 1h"
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// Peering is how the nodes of a network are linked with each other.
type Peering struct {
	// Degree is the most peers that a node dials, 2 to 8; nodes accept as many
	// as dial them. Networks of up to degree+1 nodes are a full mesh. In larger
	// ones fewer links are less work for the nodes, and more of them keep the
	// network whole when nodes fail: it takes at least degree nodes failing to
	// split it. 8 is all that bitcoind keeps of such connections; with less, the
	// slots that are left can be used for peers of one's own.
	// +optional
	// +kubebuilder:default=8
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=8
	Degree int32 `json:"degree,omitempty"`
}

// Chain names a Bitcoin chain, as bitcoind's option -chain does.
// +kubebuilder:validation:Enum=regtest
type Chain string

// Regtest is a private chain whose blocks are mined on demand.
const Regtest Chain = "regtest"

// BitcoinNetworkStatus is how a network stands.
type BitcoinNetworkStatus struct {
	// ObservedGeneration is the generation that the conditions speak of; -1
	// until the operator has looked at the network.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Ready sums up CredentialsReady, NodesReady and
	// PeersConnected; ChainsAgree stands beside them; Reconciling and Stalled
	// are there only while they are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// LastHandledReconcileAt is the last value of the annotation
	// reconcile.fluxcd.io/requestedAt that the operator has answered: set it to
	// another value, and the operator looks at the network at once.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// Replicas is how many pods the network has, for the scale subresource.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`

	// Selector selects the network's pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`

	// Ready is how many of the wanted nodes answer RPC, as "2/3".
	// +optional
	Ready string `json:"ready,omitempty"`

	// Links tells of the links between the nodes.
	// +optional
	Links *LinksStatus `json:"links,omitempty"`

	// Height is the greatest height of a tip, in blocks. It is written at most
	// once a minute while nothing else changes.
	// +optional
	Height *int64 `json:"height,omitempty"`

	// Image is the container image that the nodes should run.
	// +optional
	Image string `json:"image,omitempty"`

	// Nodes lists the network's nodes, by ordinal.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Nodes []NodeStatus `json:"nodes,omitempty"`
}

// LinksStatus counts the links of a network. A link is one P2P connection
// between two nodes, dialled by the one with the higher ordinal.
type LinksStatus struct {
	// Planned is how many links there should be.
	Planned int32 `json:"planned"`

	// Connected is how many of them stand: the handshake is done, and the
	// nodes at both ends report it.
	Connected int32 `json:"connected"`

	// Summary is the two as "3/3".
	Summary string `json:"summary"`
}

// NodeStatus is one node of a network.
type NodeStatus struct {
	// Ordinal is the node's number, from 0, as in its pod's name.
	Ordinal int32 `json:"ordinal"`

	// Ready is whether the node answers RPC.
	Ready bool `json:"ready"`

	// IP is the address of the node's pod.
	// +optional
	IP string `json:"ip,omitempty"`

	// NodeName is the Kubernetes node that the pod runs on.
	// +optional
	NodeName string `json:"nodeName,omitempty"`

	// DNSName is the name by which peers and clients reach this node,
	// whatever address its pod has.
	// +optional
	DNSName string `json:"dnsName,omitempty"`
}

// BitcoinNetworkList is a list of networks.
// +kubebuilder:object:root=true
type BitcoinNetworkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// Items are the networks.
	Items []BitcoinNetwork `json:"items"`
}

// GetConditions returns the conditions of the network.
func (n *BitcoinNetwork) GetConditions() []metav1.Condition {
	return n.Status.Conditions
}

// SetConditions sets the conditions of the network.
func (n *BitcoinNetwork) SetConditions(conditions []metav1.Condition) {
	n.Status.Conditions = conditions
}
