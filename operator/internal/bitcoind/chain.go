// Package bitcoind knows what a bitcoind node is: its chains and ports, its
// configuration, its credentials, and how to ask it things over JSON-RPC and REST.
package bitcoind

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Chain is what a node must know of the chain that it follows.
type Chain struct {
	// Name is the chain's name, as in bitcoind's option -chain and as the
	// section of bitcoin.conf.
	Name string
	// P2PPort and RPCPort are the chain's default ports.
	P2PPort, RPCPort int32
	// Grace is how long a node may take to stop. On a chain of any size it
	// writes gigabytes then, and one that is killed replays them when it starts.
	Grace time.Duration
	// Replay is how long a node may take until its P2P port opens, when it was
	// killed or builds its indexes anew.
	Replay time.Duration
	// Disk is how many bytes of the machine's disk a node may take that has no volume:
	// far more than the chain does, with its indexes.
	Disk int64
	// Private tells that nobody but the network's own nodes follows the chain, so
	// that there is nobody to find and no fee market to learn from.
	Private bool
}

const gib = 1 << 30

var chains = map[string]Chain{
	"regtest":  {Name: "regtest", P2PPort: 18444, RPCPort: 18443, Grace: time.Minute, Replay: 4 * time.Hour, Disk: 20 * gib, Private: true},
	"signet":   {Name: "signet", P2PPort: 38333, RPCPort: 38332, Grace: 10 * time.Minute, Replay: 24 * time.Hour, Disk: 200 * gib},
	"testnet4": {Name: "testnet4", P2PPort: 48333, RPCPort: 48332, Grace: 10 * time.Minute, Replay: 24 * time.Hour, Disk: 300 * gib},
	"main":     {Name: "main", P2PPort: 8333, RPCPort: 8332, Grace: 10 * time.Minute, Replay: 48 * time.Hour, Disk: 1800 * gib},
}

// ChainNames returns the names of all chains.
func ChainNames() []string { return slices.Sorted(maps.Keys(chains)) }

// ChainNamed returns the chain of that name.
func ChainNamed(name string) (Chain, error) {
	chain, known := chains[name]
	if !known {
		return Chain{}, fmt.Errorf("chain %q is not known", name)
	}
	return chain, nil
}

// topics are the notifications over ZeroMQ, with the port of each. That they have
// one each is what clients expect; the numbers are the usual ones.
var topics = map[string]int32{
	"rawblock":  28332,
	"rawtx":     28333,
	"hashblock": 28334,
	"hashtx":    28335,
	"sequence":  28336,
}

// ZMQPort returns the port on which a node publishes a topic.
func ZMQPort(topic string) int32 { return topics[topic] }
