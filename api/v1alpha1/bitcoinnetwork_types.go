package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// BitcoinNetwork is a network of bitcoind nodes in one namespace, peered with
// each other. The namespace's operator runs them as a StatefulSet, manages each
// node's peers over JSON-RPC, and reports the state of the network in status.
//
// All objects of a network are named after it, so its name must be a DNS label of
// at most 52 characters. It must not end in "-rpc", "-primary" or "-connection",
// the suffixes of its Services and of the ConfigMap with its addresses.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=btcnet,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.nodes,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Chain",type=string,JSONPath=`.spec.chain`
// +kubebuilder:printcolumn:name="Nodes",type=integer,JSONPath=`.spec.nodes`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.ready`,description="Nodes that answer RPC, out of spec.nodes."
// +kubebuilder:printcolumn:name="Links",type=string,JSONPath=`.status.links.summary`,description="Links that are connected, out of those planned."
// +kubebuilder:printcolumn:name="Height",type=integer,JSONPath=`.status.height`
// +kubebuilder:printcolumn:name="Sync",type=string,JSONPath=`.status.sync.summary`,description="Nodes that are synced, out of spec.nodes."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 52",message="metadata.name: must have at most 52 characters, so that the names of its pods fit in a DNS label"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name: must be a DNS label: lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit"
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.endsWith('-rpc')",message="metadata.name: must not end in '-rpc', the suffix of a network's client Service"
// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || !self.metadata.name.endsWith('-primary')",optionalOldSelf=true,message="metadata.name: must not end in '-primary', the suffix of a network's primary Service"
// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || !self.metadata.name.endsWith('-connection')",optionalOldSelf=true,message="metadata.name: must not end in '-connection', the suffix of the ConfigMap with a network's addresses"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.storage) || !has(oldSelf.spec.storage) || quantity(string(self.spec.storage.size)).compareTo(quantity(string(oldSelf.spec.storage.size))) >= 0 || (has(oldSelf.status.storage) && quantity(string(self.spec.storage.size)).compareTo(quantity(string(oldSelf.status.storage))) >= 0)",fieldPath=".spec.storage.size",message="volumes cannot shrink: must be at least their present size (status.storage)"
type BitcoinNetwork struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state of the network.
	// +required
	Spec BitcoinNetworkSpec `json:"spec"`

	// status is the observed state of the network.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status BitcoinNetworkStatus `json:"status,omitempty"`
}

// BitcoinNetworkSpec is the desired state of a network.
//
// +kubebuilder:validation:XValidation:rule="self.chain == 'regtest' || has(self.secret)",fieldPath=".secret",reason=FieldValueRequired,message="is required on every chain except regtest: the default credentials are publicly known"
// +kubebuilder:validation:XValidation:rule="!has(self.users) || self.users.size() == 0 || has(self.secret)",fieldPath=".users",message="requires spec.secret, which holds the users' passwords"
// +kubebuilder:validation:XValidation:rule="!has(self.signet) || self.chain == 'signet'",fieldPath=".signet",message="is allowed on signet only"
// +kubebuilder:validation:XValidation:rule="has(self.signet) == has(oldSelf.signet)",fieldPath=".signet",message="cannot be added or removed; create another network for another chain"
// +kubebuilder:validation:XValidation:rule="!has(self.mining) || self.chain == 'regtest'",fieldPath=".mining",message="is allowed on regtest only"
// +kubebuilder:validation:XValidation:rule="has(self.storage) == has(oldSelf.storage)",fieldPath=".storage",message="cannot be added or removed; create another network"
type BitcoinNetworkSpec struct {
	// nodes is the number of bitcoind nodes, 0 to 1000. "kubectl scale" changes it.
	// Scaling restarts none of the remaining nodes. 0 parks the network: no node
	// runs, and the network is Ready with reason Parked. With storage, the volumes
	// are kept for when the nodes return; without storage, the chain is lost with
	// the pods.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Nodes int32 `json:"nodes"`

	// secret is the name of the Secret, in the network's namespace, that holds the
	// credentials for JSON-RPC: type Opaque, with the keys BC_RPC_USER and
	// BC_RPC_PASSWORD. During a rotation it also has BC_RPC_USER_PREVIOUS and
	// BC_RPC_PASSWORD_PREVIOUS, which the nodes accept as well. Networks may share
	// a Secret. It must be the one that the namespace's operator may read (its flag
	// --secret); a network with any other is Stalled. The network waits while the
	// Secret does not exist. A change to the Secret restarts bitcoind in each pod, one
	// node at a time; pods and data stay.
	//
	// If unset, the nodes use the default credentials "user" and "password", which
	// are publicly known. This is for trying things out, and allowed on regtest only.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Secret string `json:"secret,omitempty"`

	// users are restricted users of the nodes' JSON-RPC, in addition to BC_RPC_USER, who
	// may call every method. Each may call only the methods that it is given. Their
	// passwords are keys of the same Secret. Nodes reject a user whose password is
	// missing or invalid; CredentialsReady reports it, and other users are not affected.
	// A changed password restarts bitcoind in each pod, like any change to the Secret.
	// Adding or removing a user, or changing its methods, replaces the nodes one at
	// a time. REST, on the same port, needs no user.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Users []User `json:"users,omitempty"`

	// chain is the chain that the nodes follow. It cannot be changed: create another
	// network for another chain. The platform may allow only some chains (the
	// operator's flag --allowed-chains); a network on any other is Stalled.
	// +optional
	// +kubebuilder:default=regtest
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot be changed; create another network for another chain"
	Chain Chain `json:"chain,omitempty"`

	// signet configures a private signet. It is allowed on signet only. If unset, the
	// nodes follow the public signet.
	// +optional
	Signet *SignetChain `json:"signet,omitempty"`

	// config lists additional lines of the nodes' bitcoin.conf, each "option=value"
	// ("bitcoind -help" lists the options). An option may be repeated. The lines go into
	// the chain's section, where they override what the operator sets. A change replaces
	// the nodes one at a time.
	//
	// Options that the operator manages are rejected, in any spelling: credentials,
	// files and directories, ports and addresses, peers, the chain, and ZMQ except its
	// high-water marks (zmqpub<topic>hwm). So are options that run programs, and options
	// that keep nodes from reaching or recognizing each other: dns=0, a proxy,
	// maxconnections below 40, uaspoof. A network that had such an option before it was
	// rejected keeps it until config is changed. dbcache and maxmempool are derived from
	// the memory limit unless set here.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="!(self.exists(line, line.matches('^prune=[1-9]')) && self.exists(line, line.matches('^(txindex=($|[^0]|0.)|notxindex=0)')))",message="txindex and prune exclude each other: an index of all transactions needs all blocks"
	// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() && oldSelf.value() == self || !self.exists(line, line.matches('^(no)?(alertnotify|blocknotify|startupnotify|shutdownnotify|walletnotify|signer|torexecute)='))",optionalOldSelf=true,messageExpression="self.filter(line, line.matches('^(no)?(alertnotify|blocknotify|startupnotify|shutdownnotify|walletnotify|signer|torexecute)='))[0].split('=')[0] + ' runs a program in the node, and nodes run only bitcoind; use spec.zmq to be notified of blocks and transactions'",message="options that run programs are not allowed; use spec.zmq to be notified of blocks and transactions"
	// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() && oldSelf.value() == self || !self.exists(line, line.matches('^(no)?(rpcauthfile|confrw)='))",optionalOldSelf=true,messageExpression="self.filter(line, line.matches('^(no)?(rpcauthfile|confrw)='))[0].split('=')[0] + ' reads credentials or options from another file; the operator manages both'",message="rpcauthfile and confrw read credentials or options from another file; the operator manages both"
	// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() && oldSelf.value() == self || !self.exists(line, line.matches('^(no)?dns=') && !line.matches('^(dns=1?|nodns=0)$'))",optionalOldSelf=true,message="dns must be 1: nodes dial each other by name"
	// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() && oldSelf.value() == self || !self.exists(line, line.matches('^(no)?proxy=') && !line.matches('^(proxy=(0|.*=(onion|tor|cjdns))?|noproxy=1?)$'))",optionalOldSelf=true,message="proxy is allowed for onion or cjdns only (proxy=address=onion): any other proxy gets the names by which nodes dial each other, and cannot resolve them"
	// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() && oldSelf.value() == self || !self.exists(line, line.matches('^(no)?maxconnections=') && !line.matches('^maxconnections=([4-9][0-9]|[1-9][0-9][0-9]+)$'))",optionalOldSelf=true,message="maxconnections must be at least 40: bitcoind reserves 11 for itself and accepts no connections at 10 or less; up to 22 nodes dial the same node, which needs room for them"
	// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() && oldSelf.value() == self || !self.exists(line, line.matches('^(no)?uaspoof='))",optionalOldSelf=true,message="uaspoof is not allowed: it hides uacomment, by which nodes recognize each other"
	Config []ConfigLine `json:"config,omitempty"`

	// zmq lists the notifications that the nodes publish over ZeroMQ, for example for
	// Lightning nodes and indexers. Each has its own port, which the network's Services
	// and NetworkPolicy open: rawblock 28332, rawtx 28333, hashblock 28334, hashtx
	// 28335, sequence 28336. A change replaces the nodes one at a time.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=5
	ZMQ []ZMQTopic `json:"zmq,omitempty"`

	// image is the container image of the nodes: any image with bitcoind on its PATH
	// (see docs/tenant-guide.md) that the kubelets can pull. A change replaces the nodes
	// one at a time. Default: the platform's image (the operator's flag
	// --bitcoind-image). status.image shows the image in use.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// imagePullPolicy is the pull policy of the nodes' image: Always, IfNotPresent
	// or Never. Default: Always for the tag "latest", IfNotPresent otherwise, as
	// everywhere in Kubernetes.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// imagePullSecrets are the Secrets, in the network's namespace, that the kubelets
	// use to pull the image.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	ImagePullSecrets []ImagePullSecret `json:"imagePullSecrets,omitempty"`

	// peering configures how the nodes are linked with each other.
	// +optional
	// +kubebuilder:default={}
	Peering Peering `json:"peering,omitempty"`

	// storage gives each node a volume for its chain and wallets. If unset, they are in
	// the pod (an emptyDir) and are lost with it. The network still keeps its chain while
	// nodes are replaced, because a node is replaced only when another one has the best
	// block. The chain is lost when all pods are deleted at once, as with nodes: 0.
	// +optional
	Storage *Storage `json:"storage,omitempty"`

	// resources are the compute resources of each node. A change replaces the nodes
	// one at a time. Defaults: on regtest, requests of 10m CPU and 64Mi of memory and a
	// memory limit of 512Mi; on other chains 100m, 1Gi and 4Gi. bitcoind's caches are
	// sized by the memory limit. Without storage there is also a limit for
	// ephemeral-storage, the disk space that a node may use on its machine: 20Gi on
	// regtest, 200Gi on signet, 300Gi on testnet4, 1800Gi on main. It is far above the
	// size of the chain, and nothing is reserved for it.
	// +optional
	Resources *Resources `json:"resources,omitempty"`

	// nodeSelector selects, by label, the machines that the nodes may run on.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// tolerations are the tolerations of the nodes' pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// affinity is the scheduling affinity of the nodes' pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// topologySpreadConstraints control how the nodes are spread over machines and
	// zones. A constraint without a labelSelector applies to the nodes of this network.
	// Default: as evenly as possible over machines (kubernetes.io/hostname).
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// podLabels are additional labels of the nodes' pods, for example for cost
	// accounting. Labels of Kubernetes and of the operator cannot be set. A change
	// replaces the nodes one at a time.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(key, !key.matches('(^|[.])(kubernetes[.]io|k8s[.]io|bitcoin-operator[.]github[.]io)/') && !(key in ['controller-revision-hash', 'pod-template-hash']))",message="labels of kubernetes.io, k8s.io and bitcoin-operator.github.io, controller-revision-hash and pod-template-hash are reserved: selectors use them"
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() <= 317 && key.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'))",message="a key or value is not valid for a label in Kubernetes: at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
	PodLabels map[string]LabelValue `json:"podLabels,omitempty"`

	// clients are the pods that may connect to the nodes, in addition to those in the
	// network's own namespace with the label bitcoin-operator.github.io/client: "true",
	// which may always reach rpc and zmq. A change replaces no node.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Clients []Client `json:"clients,omitempty"`

	// primary configures the Service <network>-primary, a stable address that leads to
	// one node at a time, which has the best block. A change replaces no node.
	// +optional
	Primary *Primary `json:"primary,omitempty"`

	// mining configures which blocks the operator mines, on regtest only. If unset, it
	// mines a block only when the nodes need one to relay transactions (see keepFresh).
	// +optional
	Mining *Mining `json:"mining,omitempty"`

	// suspend stops the operator from changing anything of the network: its objects,
	// pods and links. The nodes run on, and the operator still reports their state.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// protect keeps the network, and with it its chain, from being deleted by a commit or
	// by a person. It needs the platform's admission policies, which then reject DELETE by
	// the team's Flux account and by the team's people, and by nobody else. A network that
	// is renamed in Git, or whose file is removed, stays. The team's Kustomization reports
	// this until the network is back in Git, or has been committed with protect: false. A
	// change replaces no node.
	// +optional
	Protect bool `json:"protect,omitempty"`

	// interval is how often the operator checks the network when nothing else triggers
	// a check: a duration such as "30s" or "5m", 5 seconds to 1 hour. It notices changes
	// of pods, objects and the Secret at once. Only a check reveals that a node hangs or
	// that a link is broken, and the height of the chain.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('1h')",message="must be 5s to 1h"
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// ConfigLine is a line of bitcoin.conf, "option=value".
//
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9]*(-[a-z0-9]+)*=([^#[:cntrl:]]*[^#[:cntrl:][:space:]])?$') && !self.matches('^[^=]*=[[:space:]]')",message="must be a line option=value, without '-' or a section before the option, spaces around '=' or at the end, '#' or line breaks"
// +kubebuilder:validation:XValidation:rule="!self.matches('^(no)?(rpcuser|rpcpassword|rpcauth|rpccookiefile|rpccookieperms|rpcwhitelist|rpcwhitelistdefault|rpcbind|rpcport|rpcallowip|server|rest|daemon|daemonwait|datadir|blocksdir|walletdir|conf|includeconf|allowignoredconf|settings|pid|debuglogfile|printtoconsole|chain|main|regtest|testnet|testnet4|signet|signetchallenge|signetseednode|port|bind|whitebind|listen|connect|addnode|seednode|networkactive|uacomment|zmqpub[a-z]*)=') || self.matches('^zmqpub[a-z]+hwm=[0-9]+$')",messageExpression="'the operator sets ' + self.split('=')[0] + ' itself; see the other fields of spec for what can be chosen'",message="the operator sets this option itself"
// +kubebuilder:validation:XValidation:rule="!self.matches('^(no)?prune=') || self.matches('^(prune=(0|1|55[0-9]|5[6-9][0-9]|[6-9][0-9][0-9]|[1-9][0-9][0-9][0-9]+)|noprune=1)$')",message="prune must be 0 (off), 1 (manual, over RPC) or at least 550 (MiB)"
type ConfigLine string

// LabelValue is the value of a label.
//
// +kubebuilder:validation:MaxLength=63
type LabelValue string

// ImagePullSecret names a Secret.
type ImagePullSecret struct {
	// name is the Secret's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// Resources are the compute resources of a node.
//
// +kubebuilder:validation:XValidation:rule="!has(self.limits) || !('memory' in self.limits) || quantity(string(self.limits['memory'])).compareTo(quantity('16Mi')) >= 0 || quantity(string(self.limits['memory'])).compareTo(quantity('0')) == 0 || oldSelf.hasValue() && has(oldSelf.value().limits) && 'memory' in oldSelf.value().limits && self.limits['memory'] == oldSelf.value().limits['memory']",optionalOldSelf=true,fieldPath=".limits.memory",message="must be at least 16Mi: bitcoind does not start in less. A number without a unit is bytes: write 512Mi, not 512"
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !('cpu' in self.requests) || !has(self.limits) || !('cpu' in self.limits) || quantity(string(self.requests['cpu'])).compareTo(quantity(string(self.limits['cpu']))) <= 0 || oldSelf.hasValue() && has(oldSelf.value().requests) && 'cpu' in oldSelf.value().requests && self.requests['cpu'] == oldSelf.value().requests['cpu'] && has(oldSelf.value().limits) && 'cpu' in oldSelf.value().limits && self.limits['cpu'] == oldSelf.value().limits['cpu']",optionalOldSelf=true,fieldPath=".requests.cpu",message="must not be above the limit"
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !('memory' in self.requests) || !has(self.limits) || !('memory' in self.limits) || quantity(string(self.requests['memory'])).compareTo(quantity(string(self.limits['memory']))) <= 0 || oldSelf.hasValue() && has(oldSelf.value().requests) && 'memory' in oldSelf.value().requests && self.requests['memory'] == oldSelf.value().requests['memory'] && has(oldSelf.value().limits) && 'memory' in oldSelf.value().limits && self.limits['memory'] == oldSelf.value().limits['memory']",optionalOldSelf=true,fieldPath=".requests.memory",message="must not be above the limit"
type Resources struct {
	// requests are the resources reserved for each node. They must not exceed the limits.
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// limits are the most resources that a node may use. A node that exceeds its memory
	// limit is killed. memory must be at least 16Mi; 0 means no limit.
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
}

// Peering configures how the nodes of a network are linked with each other.
type Peering struct {
	// degree is the maximum number of peers that a node dials, 2 to 8; it accepts any
	// number of connections from other nodes. Networks of up to degree+1 nodes are a full
	// mesh. In larger networks, a lower degree means less work for the nodes; a higher
	// degree makes the network harder to split: at least degree nodes must fail. bitcoind
	// has 8 slots for such connections; a lower degree leaves some for your own peers.
	// +optional
	// +kubebuilder:default=8
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=8
	Degree int32 `json:"degree,omitempty"`
}

// BitcoinNetworkStatus is the observed state of a network.
type BitcoinNetworkStatus struct {
	// observedGeneration is the generation that the conditions refer to; -1 until the
	// operator has checked the network for the first time.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are the conditions of the network. Ready summarizes CredentialsReady,
	// NodesReady and PeersConnected. ChainsAgree, Synced and VersionsSupported are not
	// part of it; StorageReady, of networks with storage, is only if volumes cannot grow
	// until somebody acts. Reconciling and Stalled exist only while they are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation
	// reconcile.fluxcd.io/requestedAt that the operator has handled. Set the annotation
	// to a new value to have the network checked at once.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// replicas is the number of pods of the network, for the scale subresource.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`

	// selector selects the network's pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`

	// readyNodes is the number of nodes, out of spec.nodes, that answer RPC and can be
	// reached by clients.
	// +optional
	ReadyNodes int32 `json:"readyNodes,omitempty"`

	// ready is readyNodes out of spec.nodes, such as "2/3", for kubectl get.
	// +optional
	Ready string `json:"ready,omitempty"`

	// links counts the links between the nodes.
	// +optional
	Links *LinksStatus `json:"links,omitempty"`

	// height is the height of the highest tip, in blocks. It is updated at most once a
	// minute while nothing else changes.
	// +optional
	Height *int64 `json:"height,omitempty"`

	// sync is how far the nodes are with downloading the chain.
	// +optional
	Sync *SyncStatus `json:"sync,omitempty"`

	// warnings are the warnings of bitcoind itself, each with the nodes that report it, 5
	// at most. They are updated at most once a minute while nothing else changes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	Warnings []string `json:"warnings,omitempty"`

	// bestBlock is the tip with the most work that the network's nodes still have. The
	// operator evicts no node, removes none by scaling and deletes no data until another
	// node has shown that this block is on its active chain. bestBlock is absent while no
	// node has more than the genesis block. It is updated before any action that depends
	// on it, and otherwise together with height.
	// +optional
	BestBlock *BestBlockStatus `json:"bestBlock,omitempty"`

	// rollout lists the nodes that the operator has taken down to restart or replace
	// them, until they serve again. There is at most one, unless one does not come back
	// while credentials are being rotated.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Rollout []RolloutStatus `json:"rollout,omitempty"`

	// repairs lists the nodes that the operator has replaced because they were broken,
	// not because anything had changed, until they have served for a while.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Repairs []RepairStatus `json:"repairs,omitempty"`

	// primary is the node that the Service <network>-primary leads to. It is written
	// before the Service is changed, so that it survives a restart of the operator. While
	// a network with storage is parked, it keeps its last value. It is absent while a
	// network without storage has no nodes, and if another object has that name.
	// +optional
	Primary *PrimaryStatus `json:"primary,omitempty"`

	// requested counts what BitcoinRequests were granted on the day of the last one. A
	// request is counted before it is sent to a node.
	// +optional
	Requested *RequestedStatus `json:"requested,omitempty"`

	// secretChangedAt is when the Secret last changed, as far as the operator knows.
	// +optional
	SecretChangedAt *metav1.Time `json:"secretChangedAt,omitempty"`

	// secretPairs is the number of pairs of user and password in the Secret: 1, or 2
	// during a rotation.
	// +optional
	SecretPairs int32 `json:"secretPairs,omitempty"`

	// secretUsers is the number of passwords in the Secret for users of spec.users.
	// +optional
	SecretUsers int32 `json:"secretUsers,omitempty"`

	// secretRead is true if every node has been started with the current Secret.
	// +optional
	SecretRead bool `json:"secretRead,omitempty"`

	// drainsHeldSince is the time since which fewer than two ready nodes have the best
	// block, so that the disruption budget blocks evictions of ready nodes. See the
	// operator's flag --drain-hold.
	// +optional
	DrainsHeldSince *metav1.Time `json:"drainsHeldSince,omitempty"`

	// image is the container image that the nodes should run.
	// +optional
	Image string `json:"image,omitempty"`

	// storage is the size of the smallest volume of a node. spec.storage.size can be set
	// back to this or to anything above; StorageReady reports volumes that have not grown
	// yet. While the network is parked, it keeps its last value.
	// +optional
	Storage *resource.Quantity `json:"storage,omitempty"`

	// nodes lists the nodes that exist or are being created, by ordinal.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Nodes []NodeStatus `json:"nodes,omitempty"`
}

// LinksStatus counts the links of a network. A link is one P2P connection
// between two nodes, dialled by the one with the higher ordinal.
type LinksStatus struct {
	// planned is the number of links that there should be.
	// +required
	Planned int32 `json:"planned"`

	// connected is the number of planned links that are connected: the handshake is
	// done, and the nodes at both ends report it.
	// +required
	Connected int32 `json:"connected"`

	// summary is connected out of planned, such as "3/3", for kubectl get.
	// +required
	Summary string `json:"summary"`
}

// BestBlockStatus is the tip of a chain.
type BestBlockStatus struct {
	// height is the block's height.
	// +required
	Height int64 `json:"height"`

	// hash is the block's hash, in hexadecimal.
	// +required
	Hash string `json:"hash"`

	// chainWork is the total work of the chain up to the block, in hexadecimal, as
	// bitcoind reports it.
	// +required
	ChainWork string `json:"chainWork"`
}

// RolloutAction is what the operator does to a node.
// +kubebuilder:validation:Enum=Restart;Replace
type RolloutAction string

const (
	// RestartAction stops bitcoind over RPC; the kubelet starts it again in the same
	// pod. Its data stay, and it reads the current Secret.
	RestartAction RolloutAction = "Restart"
	// ReplaceAction evicts the node's pod; the StatefulSet creates another.
	ReplaceAction RolloutAction = "Replace"
)

// RolloutStatus is a node that the operator has taken down. It is written beforehand,
// so that it survives a restart of the operator.
type RolloutStatus struct {
	// ordinal is the node's number.
	// +required
	Ordinal int32 `json:"ordinal"`

	// action is what the operator does with the node: Restart stops bitcoind, which
	// starts again in the same pod; Replace evicts the pod.
	// +required
	Action RolloutAction `json:"action"`

	// podUID is the UID of the pod that was taken down.
	// +required
	PodUID types.UID `json:"podUID"`

	// restarts is the restart count of that pod's container before.
	// +required
	Restarts int32 `json:"restarts"`

	// since is when the operator took the node down.
	// +required
	Since metav1.Time `json:"since"`
}

// RepairStatus counts the replacements of a broken node.
type RepairStatus struct {
	// ordinal is the node's number.
	// +required
	Ordinal int32 `json:"ordinal"`

	// count is the number of replacements, 3 at most, since the node last served for a
	// while.
	// +required
	Count int32 `json:"count"`

	// last is the time of the last replacement.
	// +required
	Last metav1.Time `json:"last"`
}

// RequestedStatus counts what BitcoinRequests were granted on one day.
type RequestedStatus struct {
	// day is the day, in UTC, such as "2026-11-26".
	// +required
	Day string `json:"day"`

	// blocks is the number of blocks requested.
	// +optional
	Blocks int64 `json:"blocks,omitempty"`

	// amount is the amount requested, in BTC.
	// +optional
	Amount string `json:"amount,omitempty"`
}

// NodeStatus is one node of a network.
type NodeStatus struct {
	// ordinal is the node's number, from 0, as in its pod's name.
	// +required
	Ordinal int32 `json:"ordinal"`

	// ready is true if the node answers RPC and can be reached by clients.
	// +required
	Ready bool `json:"ready"`

	// ip is the address of the node's pod.
	// +optional
	IP string `json:"ip,omitempty"`

	// nodeName is the machine (Kubernetes node) that the pod runs on.
	// +optional
	NodeName string `json:"nodeName,omitempty"`

	// dnsName is the DNS name of the node for peers and clients. It stays the same when
	// the address of the pod changes.
	// +optional
	DNSName string `json:"dnsName,omitempty"`
}

// BitcoinNetworkList is a list of networks.
// +kubebuilder:object:root=true
type BitcoinNetworkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the networks.
	// +required
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
