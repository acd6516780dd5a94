package v1alpha1

// Chain names a Bitcoin chain, as bitcoind's option -chain does.
// +kubebuilder:validation:Enum=regtest;signet;testnet4;main
type Chain string

const (
	// Regtest is a private chain whose blocks are mined on demand.
	Regtest Chain = "regtest"
	// Signet is a test chain whose blocks are signed: the public one, or a private one
	// with its own challenge.
	Signet Chain = "signet"
	// Testnet4 is the public test chain that succeeded testnet3.
	Testnet4 Chain = "testnet4"
	// Main is Bitcoin's main chain, whose coins have value.
	Main Chain = "main"
)

// SignetChain defines a private signet.
type SignetChain struct {
	// challenge is the script, in hexadecimal, that the signature of each block must
	// satisfy. It defines the chain, so it cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern="^([0-9a-f][0-9a-f])+$"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot be changed; create another network for another chain"
	Challenge string `json:"challenge"`
}
