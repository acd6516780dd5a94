package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Mining makes blocks on a regtest network. Nothing is mined while the network is
// suspended, or has split: each part would go on with a chain of its own.
type Mining struct {
	// interval is how long after a block the next one is mined, by the time
	// that the last block carries: a duration such as "30s" or "10m", 1 second
	// to 24 hours. A time in the future counts as that at which the operator first
	// saw the block. If unset, blocks are not mined regularly.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="must be 1s to 24h"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// address receives the new coins: a regtest address. If unset, those of the first
	// 110 blocks are for the wallet from which the operator pays what BitcoinRequests
	// ask for; later ones anybody can spend, with no wallet needed.
	// +optional
	// +kubebuilder:validation:MaxLength=90
	// +kubebuilder:validation:Pattern="^(bcrt1[02-9ac-hj-np-z]{6,85}|[2mn][1-9A-HJ-NP-Za-km-z]{25,39})$"
	Address string `json:"address,omitempty"`

	// keepFresh mines one block when the nodes are in initial block download,
	// because there is no block yet or the last one is more than a day old:
	// bitcoind relays no transactions until there is a new one.
	// +optional
	// +kubebuilder:default=true
	KeepFresh *bool `json:"keepFresh,omitempty"`
}
