// Package bitcoind knows what a bitcoind node is: its chains and ports, its
// configuration, its credentials, and how to ask it things over JSON-RPC.
package bitcoind

import "fmt"

// Chain is what a node must know of the chain that it follows.
type Chain struct {
	// Name is the chain's name, as in bitcoind's option -chain and as the
	// section of bitcoin.conf.
	Name string
	// P2PPort and RPCPort are the chain's default ports.
	P2PPort, RPCPort int32
}

var regtest = Chain{Name: "regtest", P2PPort: 18444, RPCPort: 18443}

// ChainNamed returns the chain of that name.
func ChainNamed(name string) (Chain, error) {
	if name != regtest.Name {
		return Chain{}, fmt.Errorf("chain %q is not known", name)
	}
	return regtest, nil
}
