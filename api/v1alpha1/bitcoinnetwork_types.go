package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// BitcoinNetwork is a network of bitcoind nodes in one namespace, peered with
// each other. The operator of the namespace runs them as a StatefulSet, keeps
// every node's peers right over JSON-RPC, and tells here how the network stands.
//
// Every object of a network is called after it, so its name is a DNS label of
// at most 52 characters that does not end in "-rpc", "-primary" or "-connection", the
// endings of its Services and of the ConfigMap that says how it is reached.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=btcnet,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.nodes,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Chain",type=string,JSONPath=`.spec.chain`
// +kubebuilder:printcolumn:name="Nodes",type=integer,JSONPath=`.spec.nodes`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.ready`,description="Wanted nodes that answer RPC, as 2/3."
// +kubebuilder:printcolumn:name="Links",type=string,JSONPath=`.status.links.summary`,description="Planned links that are connected, as 2/3."
// +kubebuilder:printcolumn:name="Height",type=integer,JSONPath=`.status.height`
// +kubebuilder:printcolumn:name="Sync",type=string,JSONPath=`.status.sync.summary`,description="Wanted nodes that are synced, as 2/3."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 52",message="metadata.name: at most 52 characters, so that the names of its pods fit in a DNS label"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name: a DNS label: lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit"
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.endsWith('-rpc')",message="metadata.name: must not end in '-rpc', which names the client Service of a network"
// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || !self.metadata.name.endsWith('-primary')",optionalOldSelf=true,message="metadata.name: must not end in '-primary', which names the Service of a network that leads to one node"
// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || !self.metadata.name.endsWith('-connection')",optionalOldSelf=true,message="metadata.name: must not end in '-connection', which names the ConfigMap of a network that says how it is reached"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.storage) || !has(oldSelf.spec.storage) || quantity(string(self.spec.storage.size)).compareTo(quantity(string(oldSelf.spec.storage.size))) >= 0 || (has(oldSelf.status.storage) && quantity(string(self.spec.storage.size)).compareTo(quantity(string(oldSelf.status.storage))) >= 0)",fieldPath=".spec.storage.size",message="volumes cannot shrink below what they have (status.storage)"
type BitcoinNetwork struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the network should be.
	// +required
	Spec BitcoinNetworkSpec `json:"spec"`

	// status is how the network stands, as the operator last saw it.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status BitcoinNetworkStatus `json:"status,omitempty"`
}

// BitcoinNetworkSpec is what a network should be.
//
// +kubebuilder:validation:XValidation:rule="self.chain == 'regtest' || has(self.secret)",fieldPath=".secret",reason=FieldValueRequired,message="is required on every chain except regtest: the default credentials are publicly known"
// +kubebuilder:validation:XValidation:rule="!has(self.users) || self.users.size() == 0 || has(self.secret)",fieldPath=".users",message="needs spec.secret, which has the users' passwords"
// +kubebuilder:validation:XValidation:rule="!has(self.signet) || self.chain == 'signet'",fieldPath=".signet",message="is for chain signet only"
// +kubebuilder:validation:XValidation:rule="has(self.signet) == has(oldSelf.signet)",fieldPath=".signet",message="cannot be added or removed; create another network for another chain"
// +kubebuilder:validation:XValidation:rule="!has(self.mining) || self.chain == 'regtest'",fieldPath=".mining",message="is for chain regtest only, whose blocks cost nothing"
// +kubebuilder:validation:XValidation:rule="has(self.storage) == has(oldSelf.storage)",fieldPath=".storage",message="cannot be added or removed; create another network"
type BitcoinNetworkSpec struct {
	// nodes is how many bitcoind nodes the network has, 0 to 1000. It is also
	// the scale subresource, so "kubectl scale" works. A change touches only
	// the nodes that come or go. 0 parks the network: no node runs, and the
	// network is Ready with reason Parked. With storage, the volumes are kept
	// for when the nodes come back; without, the chain is in the pods and gone
	// with them.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Nodes int32 `json:"nodes"`

	// secret names the Secret, in the network's namespace, that holds the
	// credentials for JSON-RPC: type Opaque, keys BC_RPC_USER and
	// BC_RPC_PASSWORD, and while a password is being changed also
	// BC_RPC_USER_PREVIOUS and BC_RPC_PASSWORD_PREVIOUS, which the nodes accept
	// as well. Several networks may share it. It must be the one that the
	// namespace's operator may read (its flag --secret); a network that names
	// another is Stalled. While the Secret is missing the network waits. A
	// changed key restarts the nodes in their pods, with their data, one at a time.
	//
	// If unset, the nodes use the default credentials "user" and "password", which
	// everybody knows: for trying things out, on regtest only.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Secret string `json:"secret,omitempty"`

	// users are users of the nodes' JSON-RPC in addition to the one of BC_RPC_USER, who
	// may call everything: each may call some methods and no others. Their passwords
	// are keys of the same Secret. Nodes reject a user whose password is missing or
	// unfit; CredentialsReady says so, and nobody else is affected. A changed
	// password restarts the nodes in their pods, like any change of the Secret;
	// adding or removing a user, or changing its methods, replaces the nodes one at
	// a time. REST, on the same port, needs no user.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Users []User `json:"users,omitempty"`

	// chain is the chain that the nodes follow. It cannot change: another
	// chain is another network. The platform may allow fewer than these (the
	// operator's flag --allowed-chains); a network on one that it does not
	// allow is Stalled.
	// +optional
	// +kubebuilder:default=regtest
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot be changed; create another network for another chain"
	Chain Chain `json:"chain,omitempty"`

	// signet makes a private signet; chain signet only. If unset, the nodes follow
	// the public signet.
	// +optional
	Signet *SignetChain `json:"signet,omitempty"`

	// config are lines of the nodes' bitcoin.conf in addition to those that the
	// operator writes: each "option=value", as in bitcoind's own documentation
	// ("bitcoind -help"). An option may repeat. The lines go into the chain's
	// section, where they override what the operator sets. A change replaces
	// the nodes one at a time.
	//
	// Options that the operator manages are rejected: credentials, files and
	// directories, ports and addresses, peers, the chain, and ZMQ except its
	// high-water marks (zmqpub<topic>hwm), in any spelling. So are options that run
	// programs, and those with which nodes cannot reach or recognize each other:
	// dns=0, a proxy, maxconnections below 40, uaspoof. A network that had one of
	// these before it was rejected keeps it until config changes. dbcache and
	// maxmempool follow the memory limit unless set here.
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

	// zmq are the notifications that the nodes publish over ZeroMQ, such as
	// Lightning nodes and indexers need. Each has a port of its own, which the
	// network's Services and NetworkPolicy open: rawblock 28332, rawtx 28333,
	// hashblock 28334, hashtx 28335, sequence 28336. A change replaces the nodes
	// one at a time.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=5
	ZMQ []ZMQTopic `json:"zmq,omitempty"`

	// image is the container image of the nodes: any with bitcoind on its PATH
	// (see docs/tenant-guide.md). It must be
	// something that the kubelets can pull. A change replaces the nodes one at
	// a time. Default: the image that the platform gave to the operator, its
	// flag --bitcoind-image; the one in use is in status.image.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// imagePullPolicy is when the kubelets pull the image: Always, IfNotPresent
	// or Never. Default: that of Kubernetes, Always for the tag "latest" and
	// IfNotPresent for others.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// imagePullSecrets name Secrets, in the network's namespace, with which the
	// kubelets may pull the image.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	ImagePullSecrets []ImagePullSecret `json:"imagePullSecrets,omitempty"`

	// peering is how the nodes are linked with each other.
	// +optional
	// +kubebuilder:default={}
	Peering Peering `json:"peering,omitempty"`

	// storage gives each node a volume for its chain and wallets. If unset, they
	// are in the pod (an emptyDir) and are lost with it. The network keeps its chain
	// all the same while nodes are replaced, because each is replaced only when
	// another node has the best block. The chain is lost when all pods go at once,
	// as with nodes: 0.
	// +optional
	Storage *Storage `json:"storage,omitempty"`

	// resources are the compute resources of each node. A change replaces the nodes
	// one at a time. Defaults, where a figure is
	// missing: on regtest, requests of 10m CPU and 64Mi of memory, and a limit of
	// 512Mi; on other chains 100m, 1Gi and 4Gi. bitcoind's caches follow the
	// memory limit. Without storage also a limit of ephemeral-storage, what a node
	// may take of its machine's disk, far above the chain: 20Gi on regtest, 200Gi on
	// signet, 300Gi on testnet4, 1800Gi on main; none of it is set aside.
	// +optional
	Resources *Resources `json:"resources,omitempty"`

	// nodeSelector are labels that a machine must have for nodes to run on it.
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

	// topologySpreadConstraints are how nodes spread over machines and zones.
	// One without a labelSelector counts the nodes of this network. Default:
	// over machines (kubernetes.io/hostname) as evenly as can be.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// podLabels are labels of the nodes' pods in addition to the operator's own,
	// for accounting and the like. Labels of Kubernetes and of the operator
	// cannot be set. A change replaces the nodes one at a time.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(key, !key.matches('(^|[.])(kubernetes[.]io|k8s[.]io|bitcoin-operator[.]github[.]io)/') && !(key in ['controller-revision-hash', 'pod-template-hash']))",message="labels of kubernetes.io, k8s.io and bitcoin-operator.github.io, controller-revision-hash and pod-template-hash are reserved: selectors use them"
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() <= 317 && key.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'))",message="a key or value is not valid for a label in Kubernetes: at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
	PodLabels map[string]LabelValue `json:"podLabels,omitempty"`

	// clients are pods that may connect to the nodes, beside those of the network's
	// own namespace with the label bitcoin-operator.github.io/client: "true", which
	// may reach rpc and zmq. Setting it replaces no node.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Clients []Client `json:"clients,omitempty"`

	// primary is how the node is chosen to which the Service <network>-primary leads:
	// one address for the network's life, and one node at a time that has the best
	// block. Setting it replaces no node.
	// +optional
	Primary *Primary `json:"primary,omitempty"`

	// mining makes blocks; chain regtest only. If unset, one block is mined when
	// the nodes need one to relay (see keepFresh), and the others are yours to
	// mine.
	// +optional
	Mining *Mining `json:"mining,omitempty"`

	// suspend keeps the operator from changing anything about the network: its
	// objects, its pods, its links. It goes on looking, and tells here what it
	// sees.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// protect keeps the network, and with it its chain, from being deleted by a
	// commit or by a person: where the platform's admission policies are in force,
	// DELETE is refused to Flux's account of the team and to the team's people, and
	// to nobody else. A network that is renamed in Git, or whose file is removed,
	// stays; Flux says so on the team's Kustomization until the network is back in
	// Git, or was committed with protect: false first. Setting it replaces no node.
	// +optional
	Protect bool `json:"protect,omitempty"`

	// interval is how often the operator looks at the network when nothing calls
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

// ConfigLine is a line of bitcoin.conf, "option=value".
//
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9]*(-[a-z0-9]+)*=([^#[:cntrl:]]*[^#[:cntrl:][:space:]])?$') && !self.matches('^[^=]*=[[:space:]]')",message="must be a line option=value: the option's name alone (no '-' or section before it), no space around '=' or at the end, no '#' or line break"
// +kubebuilder:validation:XValidation:rule="!self.matches('^(no)?(rpcuser|rpcpassword|rpcauth|rpccookiefile|rpccookieperms|rpcwhitelist|rpcwhitelistdefault|rpcbind|rpcport|rpcallowip|server|rest|daemon|daemonwait|datadir|blocksdir|walletdir|conf|includeconf|allowignoredconf|settings|pid|debuglogfile|printtoconsole|chain|main|regtest|testnet|testnet4|signet|signetchallenge|signetseednode|port|bind|whitebind|listen|connect|addnode|seednode|networkactive|uacomment|zmqpub[a-z]*)=') || self.matches('^zmqpub[a-z]+hwm=[0-9]+$')",messageExpression="'the operator sets ' + self.split('=')[0] + ' itself; see the other fields of spec for what can be chosen'",message="the operator sets this option itself"
// +kubebuilder:validation:XValidation:rule="!self.matches('^(no)?prune=') || self.matches('^(prune=(0|1|55[0-9]|5[6-9][0-9]|[6-9][0-9][0-9]|[1-9][0-9][0-9][0-9]+)|noprune=1)$')",message="prune must be 0, 1 (by hand, over RPC) or at least 550 (MiB), the least that bitcoind prunes to by itself"
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
	// requests are reserved for each node. They must not exceed the limits.
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// limits are the most that a node may use. A node that exceeds its memory limit
	// is killed. memory must be at least 16Mi; 0 means no limit.
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
}

// Peering is how the nodes of a network are linked with each other.
type Peering struct {
	// degree is the most peers that a node dials, 2 to 8; nodes accept as many
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

// BitcoinNetworkStatus is how a network stands.
type BitcoinNetworkStatus struct {
	// observedGeneration is the generation that the conditions speak of; -1
	// until the operator has looked at the network.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions: Ready sums up CredentialsReady, NodesReady and
	// PeersConnected; ChainsAgree, Synced and VersionsSupported stand beside them,
	// and of a network with storage StorageReady; Reconciling and Stalled are there
	// only while they are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation
	// reconcile.fluxcd.io/requestedAt that the operator has answered: set it to
	// another value, and the operator looks at the network at once.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// replicas is how many pods the network has, for the scale subresource.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`

	// selector selects the network's pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`

	// readyNodes is how many of the wanted nodes answer RPC, and are reached by clients.
	// +optional
	ReadyNodes int32 `json:"readyNodes,omitempty"`

	// ready is readyNodes of spec.nodes as "2/3", for the column of kubectl get.
	// +optional
	Ready string `json:"ready,omitempty"`

	// links tells of the links between the nodes.
	// +optional
	Links *LinksStatus `json:"links,omitempty"`

	// height is the greatest height of a tip, in blocks. It is written at most
	// once a minute while nothing else changes.
	// +optional
	Height *int64 `json:"height,omitempty"`

	// sync is how far the nodes are that copy the chain.
	// +optional
	Sync *SyncStatus `json:"sync,omitempty"`

	// warnings are what bitcoind itself warns of, in its own words, with the nodes that
	// do. There are 5 at most. They are written at most once a minute while nothing else
	// changes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	Warnings []string `json:"warnings,omitempty"`

	// bestBlock is the tip with the most work among the data that the network's
	// nodes still have. The operator evicts, scales away and deletes no data before
	// another node has shown that this block is on its active chain. It is absent
	// while no node has more than the first block of the chain. It is written
	// before an act that rests on it, and else with the height.
	// +optional
	BestBlock *BestBlockStatus `json:"bestBlock,omitempty"`

	// rollout lists the nodes that the operator has taken down to restart or to
	// replace them, each until it serves again. There is one at most, unless one
	// does not come back while credentials change.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Rollout []RolloutStatus `json:"rollout,omitempty"`

	// repairs lists the nodes that the operator has replaced because they were broken by
	// themselves, each until it has served for a while.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Repairs []RepairStatus `json:"repairs,omitempty"`

	// primary is the node to which the Service <network>-primary leads. It is written
	// before the Service is, and so outlives the operator. Of a parked network with
	// storage it is what it last was. It is absent while one without has no nodes, and
	// where somebody else has an object of that name.
	// +optional
	Primary *PrimaryStatus `json:"primary,omitempty"`

	// requested is what BitcoinRequests have been given on the day of the last one. It is
	// counted before a node is told.
	// +optional
	Requested *RequestedStatus `json:"requested,omitempty"`

	// secretChangedAt is when the Secret last changed, as far as the operator knows.
	// +optional
	SecretChangedAt *metav1.Time `json:"secretChangedAt,omitempty"`

	// secretPairs is how many pairs of user and password the Secret has: 1, or 2 while a
	// password is being changed.
	// +optional
	SecretPairs int32 `json:"secretPairs,omitempty"`

	// secretUsers is how many passwords the Secret has for users of spec.users.
	// +optional
	SecretUsers int32 `json:"secretUsers,omitempty"`

	// secretRead is whether every node has been started with the Secret as it is.
	// +optional
	SecretRead bool `json:"secretRead,omitempty"`

	// drainsHeldSince is since when fewer than two nodes that are ready have the
	// best block, so that the disruption budget keeps ready nodes from being
	// evicted; see the operator's flag --drain-hold.
	// +optional
	DrainsHeldSince *metav1.Time `json:"drainsHeldSince,omitempty"`

	// image is the container image that the nodes should run.
	// +optional
	Image string `json:"image,omitempty"`

	// storage is the size of the smallest volume that a node of the network has:
	// what every node has at least. spec.storage.size may go back to this and to
	// anything above; StorageReady tells of growth that has not come to pass. Of a
	// parked network it is what it last was.
	// +optional
	Storage *resource.Quantity `json:"storage,omitempty"`

	// nodes lists the network's nodes that are there or being made, by ordinal.
	// +optional
	// +listType=map
	// +listMapKey=ordinal
	Nodes []NodeStatus `json:"nodes,omitempty"`
}

// LinksStatus counts the links of a network. A link is one P2P connection
// between two nodes, dialled by the one with the higher ordinal.
type LinksStatus struct {
	// planned is how many links there should be.
	// +required
	Planned int32 `json:"planned"`

	// connected is how many of them stand: the handshake is done, and the
	// nodes at both ends report it.
	// +required
	Connected int32 `json:"connected"`

	// summary is the two as "3/3", for the column of kubectl get.
	// +required
	Summary string `json:"summary"`
}

// BestBlockStatus is a block that is the tip of a chain.
type BestBlockStatus struct {
	// height is the block's height.
	// +required
	Height int64 `json:"height"`

	// hash is the block's hash, in hexadecimal.
	// +required
	Hash string `json:"hash"`

	// chainWork is the work in the chain that ends with the block, in hexadecimal,
	// as bitcoind tells it.
	// +required
	ChainWork string `json:"chainWork"`
}

// RolloutAction is what the operator does to a node.
// +kubebuilder:validation:Enum=Restart;Replace
type RolloutAction string

const (
	// RestartAction stops bitcoind over RPC, and the kubelet starts it again in the
	// same pod: its data stay, and it reads the Secret anew.
	RestartAction RolloutAction = "Restart"
	// ReplaceAction evicts the node's pod, and the StatefulSet makes another.
	ReplaceAction RolloutAction = "Replace"
)

// RolloutStatus is a node that the operator has taken down. It is written before
// the operator does so, and so outlives the operator.
type RolloutStatus struct {
	// ordinal is the node's number.
	// +required
	Ordinal int32 `json:"ordinal"`

	// action is what the operator does to the node.
	// +required
	Action RolloutAction `json:"action"`

	// podUID is the UID of the pod that the node had before.
	// +required
	PodUID types.UID `json:"podUID"`

	// restarts is how often the container of that pod had been started again before.
	// +required
	Restarts int32 `json:"restarts"`

	// since is when the operator took the node down.
	// +required
	Since metav1.Time `json:"since"`
}

// RepairStatus tells of replacements of a node that was broken by itself.
type RepairStatus struct {
	// ordinal is the node's number.
	// +required
	Ordinal int32 `json:"ordinal"`

	// count is how many there were, 3 at most, since the node last served for a
	// while.
	// +required
	Count int32 `json:"count"`

	// last is when the last one was.
	// +required
	Last metav1.Time `json:"last"`
}

// RequestedStatus is what BitcoinRequests have been given on a day.
type RequestedStatus struct {
	// day is the day, in UTC, as in 2026-11-26.
	// +required
	Day string `json:"day"`

	// blocks is how many blocks they asked for.
	// +optional
	Blocks int64 `json:"blocks,omitempty"`

	// amount is how much they were to be paid, in BTC.
	// +optional
	Amount string `json:"amount,omitempty"`
}

// NodeStatus is one node of a network.
type NodeStatus struct {
	// ordinal is the node's number, from 0, as in its pod's name.
	// +required
	Ordinal int32 `json:"ordinal"`

	// ready is whether the node answers RPC.
	// +required
	Ready bool `json:"ready"`

	// ip is the address of the node's pod.
	// +optional
	IP string `json:"ip,omitempty"`

	// nodeName is the Kubernetes node that the pod runs on.
	// +optional
	NodeName string `json:"nodeName,omitempty"`

	// dnsName is the name by which peers and clients reach this node,
	// whatever address its pod has.
	// +optional
	DNSName string `json:"dnsName,omitempty"`
}

// BitcoinNetworkList is a list of networks.
// +kubebuilder:object:root=true
type BitcoinNetworkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the networks.
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
