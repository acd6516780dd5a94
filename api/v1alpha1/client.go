package v1alpha1

// ClientPort is what of a node a client may reach.
// +kubebuilder:validation:Enum=rpc;zmq;p2p
type ClientPort string

const (
	// RPCPort is JSON-RPC, and REST, which is on the same port and needs no
	// credentials.
	RPCPort ClientPort = "rpc"
	// ZMQPort is all notifications of spec.zmq.
	ZMQPort ClientPort = "zmq"
	// P2PPort is the protocol of Bitcoin itself, as indexers and btcd speak it.
	P2PPort ClientPort = "p2p"
)

// Client is who may connect to the nodes, and to what.
type Client struct {
	// namespaces are those whose pods may connect, by name; the network's own has to
	// be named like any other. The platform says which ones a team may name.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
	Namespaces []string `json:"namespaces"`

	// podLabels are labels that a pod must have to connect, all of them. If unset, every
	// pod of these namespaces may.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() <= 317 && key.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'))",message="a key or value is not valid for a label in Kubernetes: at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
	PodLabels map[string]LabelValue `json:"podLabels,omitempty"`

	// ports are what they may reach: rpc, with REST on the same port; zmq, the
	// notifications of spec.zmq; p2p. On regtest p2p is the power to rewrite the
	// chain: blocks cost nothing, and the longest chain wins. So the platform says
	// apart which namespaces may have it.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Ports []ClientPort `json:"ports"`
}
