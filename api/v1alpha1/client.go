package v1alpha1

// ClientPort is a port of a node that a client may reach.
// +kubebuilder:validation:Enum=rpc;zmq;p2p
type ClientPort string

const (
	// RPCPort is JSON-RPC, and REST, which is on the same port and needs no
	// credentials.
	RPCPort ClientPort = "rpc"
	// ZMQPort is all notifications of spec.zmq.
	ZMQPort ClientPort = "zmq"
	// P2PPort is Bitcoin's peer-to-peer protocol, as indexers and btcd use it.
	P2PPort ClientPort = "p2p"
)

// Client selects pods that may connect to the nodes, and the ports they may reach.
type Client struct {
	// namespaces are the names of the namespaces whose pods may connect. The network's
	// own namespace must be listed like any other. The platform decides which namespaces
	// a team may list.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
	Namespaces []string `json:"namespaces"`

	// podLabels are the labels that a pod must have to connect, all of them. If unset,
	// every pod in these namespaces may connect.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() <= 317 && key.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'))",message="a key or value is not valid for a label in Kubernetes: at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
	PodLabels map[string]LabelValue `json:"podLabels,omitempty"`

	// ports are the ports that they may reach: rpc, which includes REST; zmq, for the
	// notifications of spec.zmq; p2p. On regtest, whoever reaches p2p can rewrite the
	// chain, since blocks cost nothing and the chain with the most work wins. So the
	// platform has a separate list of the namespaces that may have p2p.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Ports []ClientPort `json:"ports"`
}
