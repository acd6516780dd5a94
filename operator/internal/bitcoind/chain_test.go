package bitcoind

import (
	"testing"
	"time"
)

func TestChainNamed(t *testing.T) {
	for name, want := range map[string]Chain{
		"regtest":  {Name: "regtest", P2PPort: 18444, RPCPort: 18443, Grace: time.Minute, Replay: 4 * time.Hour, Disk: 20 << 30, Private: true},
		"signet":   {Name: "signet", P2PPort: 38333, RPCPort: 38332, Grace: 10 * time.Minute, Replay: 24 * time.Hour, Disk: 200 << 30},
		"testnet4": {Name: "testnet4", P2PPort: 48333, RPCPort: 48332, Grace: 10 * time.Minute, Replay: 24 * time.Hour, Disk: 300 << 30},
		"main":     {Name: "main", P2PPort: 8333, RPCPort: 8332, Grace: 10 * time.Minute, Replay: 48 * time.Hour, Disk: 1800 << 30},
	} {
		if chain, err := ChainNamed(name); err != nil || chain != want {
			t.Errorf("got %+v, %v, want %+v", chain, err, want)
		}
	}
}

func TestUnknownChainIsAnError(t *testing.T) {
	for _, name := range []string{"", "Regtest", "regtest\nserver=0", "moon"} {
		if chain, err := ChainNamed(name); err == nil {
			t.Errorf("%q: got %+v, want an error", name, chain)
		}
	}
}
