package status

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// running has nodes run these, by ordinal.
func running(agents ...bitcoind.Software) func(*situation) {
	return func(s *situation) {
		for ordinal, software := range agents {
			s.seen.Nodes[ordinal].Runs = state.Software{Software: software}
		}
	}
}

// Versions that the tests speak of.
var (
	core28  = bitcoind.Software{Name: bitcoind.BitcoinCore, Version: 280100}
	core29  = bitcoind.Software{Name: bitcoind.BitcoinCore, Version: 290000}
	core301 = bitcoind.Software{Name: bitcoind.BitcoinCore, Version: 300100}
	core32  = bitcoind.Software{Name: bitcoind.BitcoinCore, Version: 320100}
	knots29 = bitcoind.Software{Name: bitcoind.BitcoinKnots, Version: 290403}
)

func noneAnswers(s *situation) {
	for ordinal := range s.seen.Nodes {
		s.seen.Nodes[ordinal] = statetest.Silent(ordinal, closed)
	}
}

// isSilentNow is for a network one of whose nodes does not answer.
func isSilentNow(ordinal int) func(*situation) {
	return func(s *situation) { s.seen.Nodes[ordinal] = statetest.Silent(ordinal, closed) }
}

// withoutPod is for a network one of whose nodes has none.
func withoutPod(ordinal int) func(*situation) {
	return func(s *situation) { s.seen.Nodes[ordinal] = state.Missing("") }
}

// isMade is for a network one of whose nodes has had its pod for so long, and said nothing.
func isMade(ordinal int, since time.Duration) func(*situation) {
	return func(s *situation) {
		s.seen.Nodes[ordinal] = statetest.Silent(ordinal, closed, statetest.Created(statetest.Now.Add(-since)))
	}
}

func TestVersionsSupported(t *testing.T) {
	const (
		ask  = "; the image is the platform's: ask the platform team for another, or set spec.image"
		ends = ": it has had no fixes, not even security fixes, since Bitcoin Core 32.0"
	)
	onMain := func(s *situation) { s.seen.Chain, _ = bitcoind.ChainNamed("main") }
	for _, test := range []struct {
		reason  string
		changes []func(*situation)
		want    string
	}{
		{"all are mended", []func(*situation){running(core32)}, "True Supported every node whose version is known runs a supported version"},
		{"none is", []func(*situation){running(core29, core29, core28)},
			"False OutOfSupport nodes 0, 1: Bitcoin Core 29.0" + ends + "; node 2: Bitcoin Core 28.1" + ends + ask},
		{"one does harm, which is worse than those that are not mended", []func(*situation){running(core29, core301)},
			"False KnownBad node 1: Bitcoin Core 30.1: migrating a legacy wallet can delete all wallets of the node" + ask},
		{"it cannot without wallets", []func(*situation){running(core301), func(s *situation) { s.seen.Nodes[0].Runs.WithoutWallets = true }},
			"True Supported every node whose version is known runs a supported version"},
		{"its pod has wallets until it is replaced, as of a network that is suspended", []func(*situation){running(core301), func(s *situation) {
			s.network.Spec.Suspend, s.network.Spec.Config = true, []v1alpha1.ConfigLine{"disablewallet=1"}
		}}, "False KnownBad node 0: Bitcoin Core 30.1: migrating a legacy wallet can delete all wallets of the node" + ask},
		{"it does not answer now, and ran it before", []func(*situation){isSilentNow(0), running(core301)},
			"False KnownBad node 0: Bitcoin Core 30.1: migrating a legacy wallet can delete all wallets of the node" + ask},
		{"one has never said anything", []func(*situation){isSilentNow(0)}, "True Supported every node whose version is known runs a supported version"},
		{"the network has an image of its own", []func(*situation){running(core29), func(s *situation) { s.network.Spec.Image = "registry.example/bitcoind:29" }},
			"False OutOfSupport node 0: Bitcoin Core 29.0" + ends + "; set spec.image to an image with another version"},
		{"of Knots nobody knows", []func(*situation){running(knots29, knots29, core32)},
			"Unknown NotListed nodes 0, 1: Bitcoin Knots 29.4.3; it is not known how long that version gets fixes"},
		{"but that it leaves a chain", []func(*situation){running(knots29), onMain},
			"False KnownBad node 0: Bitcoin Knots 29.4.3: at block 961640 it leaves the chain that Bitcoin Core follows" + ask},
		{"nobody answers", []func(*situation){noneAnswers}, "Unknown NoNodes the version of no node is known"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := wellConnected(3).with(test.changes...).report()
			got := conditions.Get(network, v1alpha1.VersionsSupportedCondition)
			if text := fmt.Sprintf("%s %s %s", got.Status, got.Reason, got.Message); text != test.want {
				t.Errorf("it is\n%s, want\n%s", text, test.want)
			}
		})
	}
}

// What a node runs that is slow after a restart of the operator, or that has just been
// replaced, may be as bad as before, for a while.
func TestVersionsWhileANodeIsToTell(t *testing.T) {
	for _, test := range []struct {
		reason string
		before situation
		after  []func(*situation)
		want   string
	}{
		{"a node does harm, and is slow to answer", wellConnected(2).with(running(core32, core301)), []func(*situation){isSilentNow(1), isNew(0)}, v1alpha1.KnownBadReason},
		{"what the others run is not as bad", wellConnected(2).with(running(core29, core301)), []func(*situation){running(core29), isSilentNow(1), isNew(0)}, v1alpha1.KnownBadReason},
		{"what another runs is worse", wellConnected(2).with(running(core29, core29)), []func(*situation){running(core301), isSilentNow(1), isNew(0)}, v1alpha1.KnownBadReason},
		{"the slow one is not listed", wellConnected(2).with(running(core32, knots29)), []func(*situation){isSilentNow(1), isNew(0)}, v1alpha1.NotListedReason},
		{"all were silent before", wellConnected(2).with(noneAnswers), []func(*situation){isSilentNow(1), isNew(0)}, v1alpha1.SupportedReason},
		{"all answer, and were changed meanwhile", wellConnected(2).with(running(core32, core301)), []func(*situation){running(core32, core32), isNew(0)}, v1alpha1.SupportedReason},
		{"it is between two pods", wellConnected(2).with(running(core32, core301)), []func(*situation){withoutPod(1), isNew(0)}, v1alpha1.KnownBadReason},
		{"it has just been replaced", wellConnected(2).with(running(core32, core301)), []func(*situation){isMade(1, time.Minute)}, v1alpha1.KnownBadReason},
		{"its image cannot be pulled", wellConnected(2).with(running(core32, core301)), []func(*situation){isMade(1, 5*time.Minute)}, v1alpha1.SupportedReason},
		{"nor that of any", wellConnected(2).with(running(core301, core301)), []func(*situation){noneAnswers}, v1alpha1.NoNodesReason},
		{"it has been silent for five minutes", wellConnected(2).with(running(core32, core301)), []func(*situation){isSilentNow(1), isNew(5 * time.Minute)}, v1alpha1.SupportedReason},
	} {
		network := wellConnected(2).with(test.after...).on(test.before.report()).report()
		if got := conditions.GetReason(network, v1alpha1.VersionsSupportedCondition); got != test.want {
			t.Errorf("%s: it is %s, want %s", test.reason, got, test.want)
		}
	}
}

// Old versions are told of once: not again after nodes were silent, nor of each node on the
// way to another.
func TestEventsOfVersions(t *testing.T) {
	const told = "Warning OutOfSupport nodes 0, 1, 2: Bitcoin Core 29.0: it has had no fixes, not even security fixes, since Bitcoin Core 32.0; " +
		"the image is the platform's: ask the platform team for another, or set spec.image"
	before := wellConnected(3).report()
	for _, step := range []struct {
		reason string
		now    situation
		want   []string
	}{
		{"nodes are old", wellConnected(3).with(running(core29, core29, core29)), []string{told}},
		{"still", wellConnected(3).with(running(core29, core29, core29)), nil},
		{"none answers after a restart of the operator", wellConnected(3).with(noneAnswers, isNew(0)), nil},
		{"they do again", wellConnected(3).with(running(core29, core29, core29)), nil},
		{"one is new", wellConnected(3).with(running(core32, core29, core29)), nil},
		{"all are new", wellConnected(3).with(running(core32)), []string{"Normal Supported every node whose version is known runs a supported version"}},
		{"one does harm", wellConnected(3).with(running(core32, core301)), []string{"Warning KnownBad node 1: Bitcoin Core 30.1: migrating a legacy wallet can delete all wallets of the node; " +
			"the image is the platform's: ask the platform team for another, or set spec.image"}},
		{"and is restarted", wellConnected(3).with(isSilentNow(1), running(core32, core301)), nil},
		{"and answers again", wellConnected(3).with(running(core32, core301)), nil},
		{"it is new", wellConnected(3).with(running(core32)), []string{"Normal Supported every node whose version is known runs a supported version"}},
		{"they are Knots", wellConnected(3).with(running(knots29, knots29, knots29)), nil},
		{"they are not", wellConnected(3).with(running(core32)), nil},
	} {
		after := step.now.on(before).report()
		var texts []string
		for _, event := range Events(before, after, step.now.seen, step.now.todo, step.now.outcome) {
			if slices.Contains([]string{v1alpha1.KnownBadReason, v1alpha1.OutOfSupportReason, v1alpha1.SupportedReason, v1alpha1.NotListedReason}, event.Reason) {
				texts = append(texts, textsOf([]Event{event})...)
			}
		}
		if diff := cmp.Diff(step.want, texts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.reason, diff)
		}
		before = after
	}
}
