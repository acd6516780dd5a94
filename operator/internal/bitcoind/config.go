package bitcoind

import (
	"fmt"
	"strings"
)

// Where a node finds its files. The image, bitcoind-start and the pods agree on
// these.
const (
	// Home is the home directory of the node's user. bitcoind and bitcoin-cli
	// look for their data and configuration below it, so that bitcoin-cli
	// works in the container without a flag.
	Home = "/home/bitcoin"
	// DataDir is bitcoind's default data directory.
	DataDir = Home + "/.bitcoin"
	// ConfigFile is bitcoind's default configuration file.
	ConfigFile = DataDir + "/bitcoin.conf"
	// AuthDir is in memory; bitcoind-start writes AuthFile there.
	AuthDir = "/run/bitcoind"
	// AuthFile holds the rpcauth lines. The configuration file includes it.
	AuthFile = AuthDir + "/rpcauth.conf"
)

// Config returns the bitcoin.conf of a node on that chain.
//
// Peers are made over RPC alone: pod addresses are not routable to bitcoind, so
// discovery finds nothing within a cluster. Peers that connect are white-listed,
// because they are nodes of this network, and without it every hop holds a
// transaction back for seconds. The signature cache is for mempools larger than a
// private chain has; with a small one a node takes half the memory.
func Config(chain Chain) string {
	lines := []string{
		"# Made by the Bitcoin Network Operator. Edit the BitcoinNetwork instead.",
		"chain=" + chain.Name,
		"includeconf=" + AuthFile,
		"",
		"nodebuglogfile=1",
		"printtoconsole=1",
		"server=1",
		"rest=1", // the readiness probe asks /rest/chaininfo.json, which needs no credentials
		"listen=1",
		"listenonion=0",
		"discover=0",
		"dnsseed=0",
		"fixedseeds=0",
		"natpmp=0",
		"whitelist=noban,in,out@0.0.0.0/0",
		"dbcache=32",
		"maxsigcachesize=1",
		"addresstype=bech32",
		"fallbackfee=0.0002", // a private chain has no fee market to estimate from
		"",
		fmt.Sprintf("[%s]", chain.Name),
		"bind=0.0.0.0",
		"rpcbind=0.0.0.0",
		"rpcallowip=0.0.0.0/0",
	}
	return strings.Join(lines, "\n") + "\n"
}
