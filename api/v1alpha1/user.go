package v1alpha1

// User is a user of the nodes' JSON-RPC who may call only certain methods.
//
// +kubebuilder:validation:XValidation:rule="has(self.profile) != has(self.methods)",message="set the methods that the user may call: either a profile or a list of methods, not both"
type User struct {
	// name is the user name in bitcoind: at most 32 lower-case letters, digits and '-',
	// beginning with a letter and ending with a letter or digit. The password is the key
	// BC_RPC_PASSWORD_<NAME> of spec.secret, and during a rotation also
	// BC_RPC_PASSWORD_<NAME>_PREVIOUS, with the name in upper case and '_' for '-'. The
	// name must not be "previous" or end in "-previous", which would clash with these
	// keys. It must also differ from BC_RPC_USER and BC_RPC_USER_PREVIOUS: nodes reject
	// such a user, and CredentialsReady reports it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^(.*-)?previous$')",message="must not be 'previous' or end in '-previous': keys of the Secret that end in _PREVIOUS hold passwords that are being changed"
	Name string `json:"name"`

	// profile is the purpose of the user, and determines which methods it may call;
	// docs/users.md lists them. Later versions of the operator may add methods that new
	// versions of applications need; a network gets them with its next change.
	// +optional
	Profile UserProfile `json:"profile,omitempty"`

	// methods are the methods that the user may call, for when no profile fits. Names
	// that a node does not know do no harm.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Methods []RPCMethod `json:"methods,omitempty"`
}

// UserProfile is the purpose of a user of the nodes' JSON-RPC.
// +kubebuilder:validation:Enum=read;lightning;electrum;miner;wallet
type UserProfile string

const (
	// ReadProfile is for reading the chain, the mempool and the node; it changes nothing.
	ReadProfile UserProfile = "read"
	// LightningProfile is for Lightning nodes: LND and Core Lightning.
	LightningProfile UserProfile = "lightning"
	// ElectrumProfile is for Electrum servers, such as electrs.
	ElectrumProfile UserProfile = "electrum"
	// MinerProfile is for mining: by block templates and, on regtest, in the node.
	MinerProfile UserProfile = "miner"
	// WalletProfile is for using all wallets of the nodes, and may spend from them.
	WalletProfile UserProfile = "wallet"
)

// RPCMethod is a method of bitcoind's JSON-RPC.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern="^[a-z][a-z0-9]*$"
type RPCMethod string
