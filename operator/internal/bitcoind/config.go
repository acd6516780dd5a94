package bitcoind

import (
	"fmt"
	"strings"
)

// Where a node finds its files. The image, bitcoind-start and the pods agree on
// these.
const (
	// EntryPoint is the program that lets the credentials in and becomes bitcoind.
	// Images have it on their PATH that are run without an operator, or by one that does
	// not bring it.
	EntryPoint = "bitcoind-start"
	// InstallCommand, with a file's name behind it, has the entry point copy itself
	// there: an image that has nothing else has nothing to copy it with.
	InstallCommand = "install"
	// StartDir is where the entry point is in pods that bring it, and StartFile what it
	// is called there.
	StartDir  = "/opt/bitcoin-operator"
	StartFile = StartDir + "/" + EntryPoint
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

// Settings are what bitcoin.conf depends on.
type Settings struct {
	Chain Chain
	// Challenge defines a signet of one's own, in hexadecimal.
	Challenge string
	// Memory is what the node may use, in MiB; 0 where there is no limit.
	Memory int64
	// Topics are the notifications over ZeroMQ to publish.
	Topics []string
	// Lines are more options, which win.
	Lines []string
}

// Config returns the bitcoin.conf of a node.
//
// Peers are made over RPC: pod addresses are not routable to bitcoind, so
// discovery finds none of them. Those that connect are white-listed, because they
// are nodes of this network, and without it every hop holds a transaction back for
// seconds. On a public chain that is for private addresses alone: others are the
// world's.
func Config(settings Settings) string {
	chain := settings.Chain
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
		"natpmp=0",
	}
	if chain.Private || settings.Challenge != "" {
		lines = append(lines,
			"dnsseed=0",
			"fixedseeds=0",
			"whitelist=noban,in,out@0.0.0.0/0",
			"maxsigcachesize=1", // it is for mempools larger than a private chain has; a node takes half the memory
			"addresstype=bech32",
			"fallbackfee=0.0002", // a private chain has no fee market to estimate from
		)
	} else {
		for _, private := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"} {
			lines = append(lines, "whitelist=noban,in,out@"+private)
		}
	}
	if settings.Memory > 0 {
		lines = append(lines,
			fmt.Sprintf("dbcache=%d", max(settings.Memory/4, 4)),
			fmt.Sprintf("maxmempool=%d", max(settings.Memory/8, 5)))
	}
	for _, topic := range settings.Topics {
		lines = append(lines, fmt.Sprintf("zmqpub%s=tcp://0.0.0.0:%d", topic, ZMQPort(topic)))
	}

	// bitcoind takes the first of several values in a section, and a section's
	// before what stands outside.
	lines = append(lines, "", fmt.Sprintf("[%s]", chain.Name))
	lines = append(lines, settings.Lines...)
	if settings.Challenge != "" {
		lines = append(lines, "signetchallenge="+settings.Challenge)
	}
	lines = append(lines,
		"bind=0.0.0.0",
		"rpcbind=0.0.0.0",
		"rpcallowip=0.0.0.0/0",
	)
	return strings.Join(lines, "\n") + "\n"
}
