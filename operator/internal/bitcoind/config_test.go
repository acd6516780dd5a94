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
dnsseed=0
fixedseeds=0
natpmp=0
whitelist=noban,in,out@0.0.0.0/0
dbcache=32
maxsigcachesize=1
addresstype=bech32
fallbackfee=0.0002

[regtest]
bind=0.0.0.0
rpcbind=0.0.0.0
rpcallowip=0.0.0.0/0
`

func TestConfig(t *testing.T) {
	if diff := cmp.Diff(regtestConfig, Config(regtest)); diff != "" {
		t.Errorf("bitcoin.conf (-want +got):\n%s", diff)
	}
}

func TestConfigKeepsToWhatBitcoindTakes(t *testing.T) {
	general, ofChain, found := strings.Cut(Config(regtest), "\n[regtest]\n")
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
