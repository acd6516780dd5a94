package bitcoind

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Software is what a node runs, by its own account.
type Software struct {
	// Name is BitcoinCore, BitcoinKnots, or Other.
	Name string
	// Version is the number that getnetworkinfo tells: 290403 is 29.4.3.
	Version int32
}

// The names of software. Nothing else of a user agent is repeated anywhere: it may say
// anything.
const (
	BitcoinCore  = "Bitcoin Core"
	BitcoinKnots = "Bitcoin Knots"
	Other        = "other software"
)

// SoftwareOf tells software by a node's version and user agent. All that is made of
// Bitcoin Core calls itself Satoshi first, with Core's numbers, and then by its own name, as
// in "/Satoshi:29.4.3(team-a.payments.0)/Knots:20260508/".
func SoftwareOf(version int32, userAgent string) Software {
	var names []string
	for part := range strings.SplitSeq(withoutComments(userAgent), "/") {
		if name, _, named := strings.Cut(part, ":"); named {
			names = append(names, name)
		}
	}
	software := Software{Name: Other, Version: version}
	switch {
	case slices.Equal(names, []string{"Satoshi"}):
		software.Name = BitcoinCore
	case slices.Equal(names, []string{"Satoshi", "Knots"}):
		software.Name = BitcoinKnots
	}
	return software
}

// withoutComments takes what is in parentheses out of a user agent.
func withoutComments(userAgent string) string {
	var rest strings.Builder
	for {
		before, after, found := strings.Cut(userAgent, "(")
		rest.WriteString(before)
		if !found {
			return rest.String()
		}
		_, userAgent, _ = strings.Cut(after, ")")
	}
}

// Number says a version as people do: "30.1", "29.4.3", and of before 22 "0.21.1".
func (s Software) Number() string {
	major, minor, build := s.Version/10_000, s.Version/100%100, s.Version%100
	switch {
	case major < 22:
		return fmt.Sprintf("0.%d.%d", major, minor)
	case build == 0:
		return fmt.Sprintf("%d.%d", major, minor)
	default:
		return fmt.Sprintf("%d.%d.%d", major, minor, build)
	}
}

// String says "Bitcoin Core 30.1".
func (s Software) String() string { return s.Name + " " + s.Number() }

// Support is what those who make a software say of a version of it.
type Support int

// From the least to be said of a version to the most.
const (
	// Supported: it gets fixes.
	Supported Support = iota
	// NotListed: nobody has said until when it gets fixes.
	NotListed
	// OutOfSupport: it gets no fixes any more, not of security either.
	OutOfSupport
	// KnownBad: it is known to do harm.
	KnownBad
)

// release is what is known of some versions of a software.
type release struct {
	software string
	// from and below are the versions.
	from, below int32
	support     Support
	// why says what is wrong with them.
	why string
	// chains are those on which it is so; none are all. withWallets tells that it is so
	// only of nodes that may have wallets.
	chains      []string
	withWallets bool
}

// releases is what is known of versions, as of November 2026; the first that fits counts.
// docs/versions.md says the same to people.
//
// Sources: of what Bitcoin Core supports, https://bitcoincore.org/en/lifecycle/ (the
// latest three major versions, so that 29 ended with 32.0, and 30 ends with 33.0); of 30.0
// and 30.1, the notice of 2026-01-05 on bitcoincore.org; of Knots 29.4, its own
// getdeploymentinfo on these chains, which lists rules that begin at these heights and that
// no Bitcoin Core has.
var releases = []release{
	{software: BitcoinCore, from: 300_000, below: 300_200, withWallets: true, support: KnownBad,
		why: "migrating a legacy wallet can delete all wallets of the node"},
	{software: BitcoinCore, below: 300_000, support: OutOfSupport,
		why: "it has had no fixes, not even security fixes, since Bitcoin Core 32.0"},
	{software: BitcoinCore, from: 300_000, below: math.MaxInt32, support: Supported},
	{software: BitcoinKnots, from: 290_400, below: 290_500, chains: []string{"main"}, support: KnownBad,
		why: "at block 961640 it leaves the chain that Bitcoin Core follows"},
	{software: BitcoinKnots, from: 290_400, below: 290_500, chains: []string{"testnet4"}, support: KnownBad,
		why: "at block 150308 it leaves the chain that Bitcoin Core follows"},
}

// SupportOn returns what is known of a software on a chain, for nodes that may have
// wallets or that cannot, and why. Of what no list has, such as Knots, whose makers say
// nothing of how long they mend a version, nobody can say that it is out of support.
func (s Software) SupportOn(chain string, wallets bool) (support Support, why string) {
	for _, known := range releases {
		if known.software == s.Name && known.from <= s.Version && s.Version < known.below &&
			(wallets || !known.withWallets) && (known.chains == nil || slices.Contains(known.chains, chain)) {
			return known.support, known.why
		}
	}
	return NotListed, ""
}
