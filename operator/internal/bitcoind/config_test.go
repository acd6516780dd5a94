package bitcoind

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The whole text, so that a change of it is seen: it changes every node, at its
// next roll. TestContract has real nodes read it.
const regtestConfig = `# Made by the Bitcoin Network Operator. Edit the BitcoinNetwork instead.
chain=regtest
includeconf=/run/bitcoind/rpcauth.conf

nodebuglogfile=1
printtoconsole=1
server=1
rest=1
listen=1
listenonion=0
discover=0
natpmp=0
dnsseed=0
fixedseeds=0
whitelist=noban,in,out@0.0.0.0/0
maxsigcachesize=1
addresstype=bech32
fallbackfee=0.0002
dbcache=128
maxmempool=64

[regtest]
bind=0.0.0.0
rpcbind=0.0.0.0
rpcallowip=0.0.0.0/0
`

const signetConfig = `# Made by the Bitcoin Network Operator. Edit the BitcoinNetwork instead.
chain=signet
includeconf=/run/bitcoind/rpcauth.conf

nodebuglogfile=1
printtoconsole=1
server=1
rest=1
listen=1
listenonion=0
discover=0
natpmp=0
dnsseed=0
fixedseeds=0
whitelist=noban,in,out@0.0.0.0/0
maxsigcachesize=1
addresstype=bech32
fallbackfee=0.0002
zmqpubrawblock=tcp://0.0.0.0:28332
zmqpubsequence=tcp://0.0.0.0:28336

[signet]
txindex=1
whitelist=relay@192.0.2.1
signetchallenge=51
bind=0.0.0.0
rpcbind=0.0.0.0
rpcallowip=0.0.0.0/0
`

const mainConfig = `# Made by the Bitcoin Network Operator. Edit the BitcoinNetwork instead.
chain=main
includeconf=/run/bitcoind/rpcauth.conf

nodebuglogfile=1
printtoconsole=1
server=1
rest=1
listen=1
listenonion=0
discover=0
natpmp=0
whitelist=noban,in,out@10.0.0.0/8
whitelist=noban,in,out@172.16.0.0/12
whitelist=noban,in,out@192.168.0.0/16
whitelist=noban,in,out@100.64.0.0/10
dbcache=1024
maxmempool=512

[main]
bind=0.0.0.0
rpcbind=0.0.0.0
rpcallowip=0.0.0.0/0
`

func TestConfig(t *testing.T) {
	for _, test := range []struct {
		reason   string
		settings Settings
		want     string
	}{
		{"a private chain on a small machine", Settings{Chain: chains["regtest"], Memory: 512}, regtestConfig},
		{"a signet of one's own, without a limit of memory, with notifications and lines of the user's",
			Settings{Chain: chains["signet"], Challenge: "51", Topics: []string{"rawblock", "sequence"}, Lines: []string{"txindex=1", "whitelist=relay@192.0.2.1"}}, signetConfig},
		{"a public chain finds its peers, and trusts private addresses alone", Settings{Chain: chains["main"], Memory: 4096}, mainConfig},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Config(test.settings)); diff != "" {
				t.Errorf("bitcoin.conf (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCachesFitIntoLittleMemory(t *testing.T) {
	config := Config(Settings{Chain: chains["regtest"], Memory: 12})
	for _, want := range []string{"dbcache=4\n", "maxmempool=5\n"} {
		if !strings.Contains(config, want) {
			t.Errorf("no %q, the least that bitcoind takes, in:\n%s", want, config)
		}
	}
}

func TestConfigKeepsToWhatBitcoindTakes(t *testing.T) {
	general, ofChain, found := strings.Cut(regtestConfig, "\n[regtest]\n")
	if !found {
		t.Fatal("no section [regtest]")
	}
	for _, test := range []struct {
		reason  string
		text    string
		option  string
		present bool
	}{
		{"bitcoind refuses to start with it outside the chain's section", general, "bind", false},
		{"bitcoind refuses to start with it outside the chain's section", general, "rpcbind", false},
		{"bitcoind refuses to start with it outside the chain's section", general, "addnode", false},
		{"peers are made over RPC: one in the file would stay in the list when it is no peer any more", ofChain, "addnode", false},
		{"it turns listen off, and manual peers with it", general, "connect", false},
		{"rpcbind counts only together with it", ofChain, "rpcallowip", true},
		{"the credentials come from memory, not from a ConfigMap", general, "includeconf", true},
		{"no password is in a ConfigMap", general, "rpcpassword", false},
		{"with it there would be no cookie, and bitcoin-cli would need flags", ofChain, "rpcpassword", false},
		{"the readiness probe asks over REST", general, "rest", true},
		{"pods have no file system to log to", general, "nodebuglogfile", true},
		{"the default of v31 follows the host's memory, not the pod's", general, "dbcache", true},
	} {
		if present := strings.Contains("\n"+test.text, "\n"+test.option+"="); present != test.present {
			t.Errorf("%s: present %t, want %t, since %s", test.option, present, test.present, test.reason)
		}
	}
}
