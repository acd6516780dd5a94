package bitcoind

import "testing"

func TestSoftwareOf(t *testing.T) {
	for _, test := range []struct {
		reason    string
		version   int32
		userAgent string
		want      string
	}{
		{"Bitcoin Core with a comment", 290000, "/Satoshi:29.0.0(team-a.payments.0)/", "Bitcoin Core 29.0"},
		{"Knots with a comment between its names", 290403, "/Satoshi:29.4.3(team-a.payments.0)/Knots:20260508/", "Bitcoin Knots 29.4.3"},
		{"two comments", 300100, "/Satoshi:30.1.0(team-a.payments.0; x)(y)/", "Bitcoin Core 30.1"},
		{"a comment is no name", 300000, "/Satoshi:30.0.0(a/Knots:1/)/", "Bitcoin Core 30.0"},
		{"a comment that does not end", 300000, "/Satoshi:30.0.0(a", "Bitcoin Core 30.0"},
		{"numbers of before 22", 210100, "/Satoshi:0.21.1/", "Bitcoin Core 0.21.1"},
		{"something else that is made of Core", 270000, "/Satoshi:27.0.0/Other:1.0/", "other software 27.0"},
		{"something else", 10000, "/btcwire:0.5.0/btcd:0.24.0/", "other software 0.1.0"},
		{"nothing", 0, "", "other software 0.0.0"},
	} {
		if got := SoftwareOf(test.version, test.userAgent).String(); got != test.want {
			t.Errorf("%s: %q is %s, want %s", test.reason, test.userAgent, got, test.want)
		}
	}
}

func TestSupportOn(t *testing.T) {
	for _, test := range []struct {
		reason   string
		software Software
		chain    string
		wallets  bool
		want     Support
	}{
		{"the current one", Software{BitcoinCore, 320100}, "main", true, Supported},
		{"the oldest that is mended", Software{BitcoinCore, 300200}, "main", true, Supported},
		{"one that this operator is too old to know of", Software{BitcoinCore, 400000}, "main", true, Supported},
		{"the newest that is not", Software{BitcoinCore, 290300}, "regtest", true, OutOfSupport},
		{"one of long ago", Software{BitcoinCore, 210100}, "main", true, OutOfSupport},
		{"it can delete wallets", Software{BitcoinCore, 300000}, "signet", true, KnownBad},
		{"so can this", Software{BitcoinCore, 300100}, "signet", true, KnownBad},
		{"it cannot where there are none", Software{BitcoinCore, 300100}, "signet", false, Supported},
		{"of Knots nobody says until when it is mended", Software{BitcoinKnots, 290403}, "regtest", true, NotListed},
		{"it follows signet as others do", Software{BitcoinKnots, 290403}, "signet", true, NotListed},
		{"it leaves main", Software{BitcoinKnots, 290403}, "main", true, KnownBad},
		{"it leaves testnet4", Software{BitcoinKnots, 290403}, "testnet4", false, KnownBad},
		{"the one before stays there", Software{BitcoinKnots, 290300}, "main", true, NotListed},
		{"Core's numbers say nothing of others", Software{Other, 270000}, "main", true, NotListed},
	} {
		support, why := test.software.SupportOn(test.chain, test.wallets)
		if support != test.want {
			t.Errorf("%s: %s on %s is %d, want %d", test.reason, test.software, test.chain, support, test.want)
		}
		if (why != "") != (support >= OutOfSupport) {
			t.Errorf("%s: why is %q", test.reason, why)
		}
	}
}
