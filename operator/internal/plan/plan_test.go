package plan

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// plan plans for a network as it is.
func plan(network *v1alpha1.BitcoinNetwork, seen *state.Network) Plan {
	return For(network, seen, platform, ShapeOf(network, seen, platform))
}

// link has a node report all the links that it should have in a network of three.
func link(seen *state.Network, ordinal int) {
	for other := range 3 {
		if other != ordinal {
			seen.Nodes[ordinal].State.Peers = append(seen.Nodes[ordinal].State.Peers, bitcoind.Peer{
				ID: int32(other), Addr: dialName(other), Inbound: other > ordinal, Version: 70016,
				SubVer: fmt.Sprintf("/Satoshi:29.4.0(team-a.payments.%d)/", other),
			})
		}
	}
}

// busy returns a network with something to do of each kind: lists of peers lack names,
// a node is from before a change, a gate is to be opened, a claim is too small, and a
// block is due.
func busy() (*v1alpha1.BitcoinNetwork, *state.Network) {
	network := statetest.Network(3, every(time.Minute), statetest.WithStorage("2Gi"))
	seen := aged(3, time.Hour)
	for ordinal := range seen.Nodes {
		link(seen, ordinal)
	}
	statetest.OfOldRevision(seen.Nodes[0].Pod)
	gated(seen.Nodes[2].Pod)
	seen.Nodes[0].Claim = statetest.Claim("1Gi", "1Gi")
	return network, seen
}

func TestPlan(t *testing.T) {
	g := NewWithT(t)
	network, seen := busy()
	todo := plan(network, seen)
	g.Expect(todo.Shape.Size.Pods).To(Equal(3))
	g.Expect(todo.Links.Changes).NotTo(BeEmpty())
	g.Expect(todo.Rollout.Step).To(HaveField("Ordinal", 0))
	g.Expect(todo.Synced).To(Equal([]int{2}))
	g.Expect(todo.Resize).To(HaveLen(1))
	g.Expect(todo.LookAgain).To(Equal(settlingInterval))
}

// One that hands are off is looked at, and nothing is done to it.
func TestNothingIsPlannedForANetworkThatIsLeftAlone(t *testing.T) {
	for reason, change := range map[string]func(*v1alpha1.BitcoinNetwork, *state.Network){
		"it is suspended":          func(n *v1alpha1.BitcoinNetwork, _ *state.Network) { n.Spec.Suspend = true },
		"its chain is not allowed": func(_ *v1alpha1.BitcoinNetwork, s *state.Network) { s.ChainNotAllowed = true },
		"it has no credentials": func(_ *v1alpha1.BitcoinNetwork, s *state.Network) {
			s.Secret.Unusable = &state.Problem{Reason: v1alpha1.SecretNotFoundReason}
		},
	} {
		for what, at := range map[string]func(*state.Network){
			"a node is to be replaced": func(*state.Network) {},
			"a block is to be mined":   func(s *state.Network) { s.Nodes[0].Pod = statetest.Pod(0) },
		} {
			t.Run(reason+", "+what, func(t *testing.T) {
				g := NewWithT(t)
				network, seen := busy()
				at(seen)
				todo := plan(network, seen)
				g.Expect(todo.Rollout.Step != nil || todo.Mine != nil).To(BeTrue(), "else it would be")
				change(network, seen)
				todo = plan(network, seen)
				g.Expect(todo.Links.Changes).To(BeEmpty())
				g.Expect(todo.Links.Parts).To(HaveLen(1), "how the links stand is said all the same")
				g.Expect(todo.Rollout.Step).To(BeNil())
				g.Expect(todo.Resize).To(BeEmpty())
				g.Expect(todo.Mine).To(BeNil())
			})
		}
	}
}

// A block is due whatever the rollout does: its step may be refused.
func TestBlocksAreDueDuringRollouts(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.BitcoinNetwork, *state.Network)
		step   bool
		mines  bool
	}{
		{"there is nothing else to do", func(*v1alpha1.BitcoinNetwork, *state.Network) {}, false, true},
		{"a node is replaced", func(_ *v1alpha1.BitcoinNetwork, s *state.Network) { statetest.OfOldRevision(s.Nodes[2].Pod) }, true, true},
		{"the next one waits for it", func(n *v1alpha1.BitcoinNetwork, s *state.Network) {
			statetest.OfOldRevision(s.Nodes[2].Pod)
			n.Status.Rollout = []v1alpha1.RolloutStatus{{Ordinal: 1, Action: v1alpha1.ReplaceAction, PodUID: s.Nodes[1].Pod.UID}}
			s.Nodes[1].Tip, s.Nodes[1].Shown = nil, false
		}, false, true},
		{"none is due yet", func(n *v1alpha1.BitcoinNetwork, _ *state.Network) { every(2 * time.Hour)(n) }, false, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network, seen := statetest.Network(3, every(time.Minute)), aged(3, time.Hour)
			for ordinal := range seen.Nodes {
				link(seen, ordinal)
			}
			test.change(network, seen)
			todo := plan(network, seen)
			g.Expect(todo.Links.Parts).To(HaveLen(1))
			g.Expect(todo.Rollout.Step != nil).To(Equal(test.step))
			g.Expect(todo.Mine != nil).To(Equal(test.mines))
		})
	}
}

func TestWhatAPlanWaitsFor(t *testing.T) {
	g := NewWithT(t)
	toGo, toShrink := &rollout.Wait{Node: 1}, &rollout.Wait{Node: 2}
	both := Plan{Shape: Shape{Size: rollout.Size{Wait: toShrink}}, Rollout: rollout.Decision{Wait: toGo}}
	g.Expect(both.Waiting()).To(BeIdenticalTo(toGo), "nodes that are to be replaced come first")
	g.Expect(Plan{Shape: both.Shape}.Waiting()).To(BeIdenticalTo(toShrink))
	g.Expect(Plan{}.Waiting()).To(BeNil())
}

func TestShapeGoesByHowLongThePlatformHoldsDrains(t *testing.T) {
	g := NewWithT(t)
	network := statetest.Network(3)
	seen := statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.NodeAt(1, 6, "a"), statetest.NodeAt(2, 6, "a"))
	for ordinal := range 2 {
		seen.Nodes[ordinal+1].HadBest = time.Time{}
	}
	held := ShapeOf(network, seen, platform)
	g.Expect(held.Size.Pods).To(Equal(3))
	g.Expect(held.Drain.Budget.MaxUnavailable).To(BeZero())
	g.Expect(held.Drain.HeldSince.Time).To(Equal(statetest.Now))
	impatient := platform
	impatient.DrainHold = 0
	g.Expect(ShapeOf(network, seen, impatient).Drain.Budget.MaxUnavailable).To(BeEquivalentTo(1))
}
