// Package v1alpha1 holds the API of the Bitcoin Network Operator: the
// BitcoinNetwork, a network of peered bitcoind nodes in one namespace.
//
// +kubebuilder:object:generate=true
// +groupName=bitcoin-operator.github.io
package v1alpha1
