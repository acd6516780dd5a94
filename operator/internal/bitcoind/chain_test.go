package bitcoind

import "testing"

func TestChainNamed(t *testing.T) {
	chain, err := ChainNamed("regtest")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Chain{Name: "regtest", P2PPort: 18444, RPCPort: 18443}); chain != want {
		t.Errorf("got %+v, want %+v", chain, want)
	}
}

func TestUnknownChainIsAnError(t *testing.T) {
	for _, name := range []string{"", "Regtest", "regtest\nserver=0", "moon"} {
		if chain, err := ChainNamed(name); err == nil {
			t.Errorf("%q: got %+v, want an error", name, chain)
		}
	}
}
