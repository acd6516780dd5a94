package v1alpha1

// User is a user of the nodes' JSON-RPC who may call some methods and no others.
//
// +kubebuilder:validation:XValidation:rule="has(self.profile) != has(self.methods)",message="set the methods that the user may call: either a profile or a list of methods, not both"
type User struct {
	// name is the user's name, by which bitcoind knows it: at most 32 lower-case
	// letters, digits and '-', beginning with a letter and ending with a letter or
	// digit. Its password is the key BC_RPC_PASSWORD_<NAME> of spec.secret, and while
	// that is being changed also BC_RPC_PASSWORD_<NAME>_PREVIOUS, with the name in
	// upper case and '_' for '-'. It must not be "previous", nor end in "-previous",
	// which these keys are called by, nor be what BC_RPC_USER or BC_RPC_USER_PREVIOUS
	// say: such a user is not let in, and CredentialsReady tells.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^(.*-)?previous$')",message="must not be 'previous' or end in '-previous': keys of the Secret that end in _PREVIOUS hold passwords that are being changed"
	Name string `json:"name"`

	// profile is what the user is for, and so which methods it may call; docs/users.md
	// lists them. Later versions of the operator may add methods that a new version of
	// an application needs; a network has them from its next change on.
	// +optional
	Profile UserProfile `json:"profile,omitempty"`

	// methods are the methods that the user may call, where no profile fits. Names that
	// a node does not know do no harm.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Methods []RPCMethod `json:"methods,omitempty"`
}

// UserProfile is what a user of the nodes' JSON-RPC is for.
// +kubebuilder:validation:Enum=read;lightning;electrum;miner;wallet
type UserProfile string

const (
	// ReadProfile looks at the chain, the mempool and the node, and changes nothing.
	ReadProfile UserProfile = "read"
	// LightningProfile is for Lightning nodes: LND and Core Lightning.
	LightningProfile UserProfile = "lightning"
	// ElectrumProfile is for Electrum servers, such as electrs.
	ElectrumProfile UserProfile = "electrum"
	// MinerProfile makes blocks: by templates, and on regtest by itself.
	MinerProfile UserProfile = "miner"
	// WalletProfile uses the wallets of the nodes, all of them, and may spend from
	// them.
	WalletProfile UserProfile = "wallet"
)

// RPCMethod is a method of bitcoind's JSON-RPC.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern="^[a-z][a-z0-9]*$"
type RPCMethod string
