package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Mining configures which blocks the operator mines on a regtest network. Nothing is
// mined while the network is suspended or split: each part would extend its own chain.
type Mining struct {
	// interval is the time between blocks: a duration such as "30s" or "10m", 1 second
	// to 24 hours. It is counted from the timestamp of the last block or, if that is in
	// the future, from when the operator first saw the block. If unset, no blocks are
	// mined regularly.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="must be 1s to 24h"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// address is the regtest address that receives the new coins. If unset, the
	// network's wallet, from which the operator pays for BitcoinRequests, receives the
	// coins of the first 110 blocks. The coins of later blocks can be spent by anyone,
	// without a wallet.
	// +optional
	// +kubebuilder:validation:MaxLength=90
	// +kubebuilder:validation:Pattern="^(bcrt1[02-9ac-hj-np-z]{6,85}|[2mn][1-9A-HJ-NP-Za-km-z]{25,39})$"
	Address string `json:"address,omitempty"`

	// keepFresh mines one block when the nodes are in initial block download because
	// there is no block yet, or the last one is more than a day old: bitcoind relays no
	// transactions until there is a new block.
	// +optional
	// +kubebuilder:default=true
	KeepFresh *bool `json:"keepFresh,omitempty"`
}
