package observe

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// apart returns a network of two nodes, the first of them so many blocks ahead.
func apart(t *testing.T, blocks int) *scene {
	s := newScene(t, 2)
	for range blocks {
		s.MineAt(hostOf(0))
	}
	return s
}

// syncs returns how each node's chain stands.
func syncs(seen *state.Network) []state.Sync {
	var found []state.Sync
	for _, node := range seen.Nodes {
		found = append(found, seen.SyncOf(node))
	}
	return found
}

func TestStalledIsToldFromBehind(t *testing.T) {
	g := NewWithT(t)
	s := apart(t, 9)
	seen := s.look()
	g.Expect(syncs(seen)).To(Equal([]state.Sync{state.Synced, state.Downloading}), "nobody knows yet whether it grows")
	g.Expect(seen.Nodes[1].StalledSince).To(BeZero())

	seen = s.lookAfter(30 * time.Second)
	g.Expect(seen.Nodes[1].StalledSince).To(Equal(seen.Now), "it has not, since the look before")
	s.MineAt(hostOf(1))
	seen = s.lookAfter(2 * time.Minute)
	g.Expect(syncs(seen)[1]).To(Equal(state.Downloading))
	g.Expect(seen.Nodes[1].StalledSince).To(BeZero(), "it has grown, whatever was before")

	since := s.lookAfter(30 * time.Second).Now
	seen = s.lookAfter(time.Minute)
	g.Expect(seen.Nodes[1].StalledSince).To(Equal(since))
	g.Expect(syncs(seen)[1]).To(Equal(state.NotCatchingUp))

	dial(s, 1, "payments-0:18444")
	seen = s.lookAfter(time.Second)
	g.Expect(syncs(seen)).To(HaveEach(state.Synced))
	g.Expect(seen.Nodes[1].StalledSince).To(BeZero())
	g.Expect(seen.Nodes[1].SyncedAt).To(Equal(seen.Now))
}

// A network that has been at rest for days has nobody who does not catch up, once there is
// a block again.
func TestRestIsNoStall(t *testing.T) {
	g := NewWithT(t)
	s := apart(t, 0)
	s.look()
	for range 5 {
		s.MineAt(hostOf(0))
	}
	g.Expect(syncs(s.lookAfter(48 * time.Hour))[1]).To(Equal(state.Downloading))
}

// The pace is that of the last one or two minutes.
func TestPaceIsOfAWhileAgo(t *testing.T) {
	g := NewWithT(t)
	s := apart(t, 200)
	first := s.look()
	g.Expect(first.Nodes[1].Earlier).To(Equal(state.Progress{At: first.Now}))
	for range 9 {
		s.MineAt(hostOf(1))
		s.lookAfter(6 * time.Second)
	}
	s.MineAt(hostOf(1))
	second := s.lookAfter(6 * time.Second)
	g.Expect(second.Nodes[1].Earlier).To(Equal(state.Progress{At: first.Now}), "a minute has just gone by")
	remaining, known := second.Remaining()
	g.Expect(known).To(BeTrue())
	g.Expect(remaining).To(BeNumerically("~", 190*6*time.Second, time.Millisecond))
	for range 10 {
		s.MineAt(hostOf(1))
		s.lookAfter(6 * time.Second)
	}
	g.Expect(s.lookAfter(time.Second).Nodes[1].Earlier).To(Equal(state.Progress{At: second.Now, Done: 10}))

	s.Stop(hostOf(1))
	s.run(1, alice)
	again := s.lookAfter(time.Second)
	g.Expect(again.Nodes[1].Earlier).To(Equal(state.Progress{At: again.Now}), "a chain that is shorter begins anew")
	dial(s, 1, "payments-0:18444")
	there := s.lookAfter(time.Second)
	g.Expect(there.Nodes[1].Earlier.At).To(Equal(there.Now), "how it came to be there tells nothing of the next time")
}

// world is a node of a public chain, which says how far it is.
type world struct {
	Nodes
	clock           clock.PassiveClock
	blocks, headers int32
}

// tipTime is when the world found a block, by its height.
func tipTime(height int32) time.Time {
	return statetest.Now.Add(-time.Duration(900_000-height) * 10 * time.Minute)
}

// Check has bitcoind's estimate: of the transactions that it has, out of those that there
// are by now, at the pace at which the world makes them.
func (w *world) Check(context.Context, bitcoind.Endpoint) (bitcoind.State, error) {
	const perBlock, perSecond = 2000, 2000.0 / 600
	has := perBlock * float64(w.blocks)
	var said bitcoind.State
	said.Chain.Blocks, said.Chain.Headers, said.Chain.InitialBlockDownload = w.blocks, w.headers, true
	said.Chain.BestBlockHash, said.Chain.ChainWork = fmt.Sprint(w.blocks), fmt.Sprintf("%064x", w.blocks)
	said.Chain.VerificationProgress = has / (has + perSecond*w.clock.Since(tipTime(w.blocks)).Seconds())
	return said, nil
}

// downloading returns a network of one node, which downloads a public chain.
func downloading(t *testing.T) (*scene, *world) {
	s := newScene(t, 1)
	s.network.Spec.Chain = v1alpha1.Main
	nodes := &world{Nodes: s, clock: s.clock, blocks: 500_000, headers: 900_000}
	s.nodes = nodes
	return s, nodes
}

// Whether a public node gets on is told by its blocks: bitcoind's estimate falls while none comes,
// and headers come from the world as long as anybody is connected.
func TestStallOfPublicChains(t *testing.T) {
	for _, test := range []struct {
		reason string
		goesOn func(w *world, minute int)
		want   state.Sync
	}{
		{"it stands still, and its estimate falls", func(*world, int) {}, state.NotCatchingUp},
		{"it has the headers of new blocks, and no blocks", func(w *world, minute int) { w.headers += int32(minute+1) % 10 / 9 }, state.NotCatchingUp},
		{"it downloads headers", func(w *world, _ int) { w.headers += 2000 }, state.Downloading},
		{"it claims to have fewer headers than none", func(w *world, minute int) {
			if minute == 20 {
				w.headers = math.MinInt32
			}
		}, state.NotCatchingUp},
		{"it downloads blocks", func(w *world, _ int) { w.blocks += 100 }, state.Downloading},
		{"it has a block now and then", func(w *world, minute int) { w.blocks += int32(minute+1) % 20 / 19 }, state.Downloading},
		{"it stood still, and begins anew", func(w *world, minute int) {
			if minute == 20 {
				w.blocks = 0
			}
		}, state.Downloading},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s, nodes := downloading(t)
			first := s.look()
			earlier := first.ProgressOf(first.Nodes[0]).Done
			for minute := range 31 {
				test.goesOn(nodes, minute)
				s.lookAfter(time.Minute)
			}
			seen := s.look()
			g.Expect(syncs(seen)).To(Equal([]state.Sync{test.want}))
			if nodes.blocks == 500_000 {
				g.Expect(seen.Nodes[0].Latest.Done).To(BeNumerically("<", earlier), "as bitcoind's does")
			}
		})
	}
}

// A block that takes long does not make the pace before it unknown.
func TestPaceOutlivesASlowBlock(t *testing.T) {
	g := NewWithT(t)
	s, nodes := downloading(t)
	s.look()
	for range 4 {
		nodes.blocks += 1000
		s.lookAfter(30 * time.Second)
	}
	seen := s.lookAfter(30 * time.Second)
	g.Expect(seen.Nodes[0].Latest.At.Sub(seen.Nodes[0].Earlier.At)).To(BeNumerically(">=", paceWindow))
	_, known := seen.Remaining()
	g.Expect(known).To(BeTrue())
}

// What a node has said is no newer because others are asked: when it will be there stays as
// it was until it says more.
func TestEstimateStaysBetweenAnswers(t *testing.T) {
	g := NewWithT(t)
	s, nodes := downloading(t)
	s.look()
	nodes.blocks += 1000
	seen := s.lookAfter(30 * time.Second)
	remaining, known := seen.Remaining()
	g.Expect(known).To(BeTrue())
	s.partial = true
	seen = s.lookAfter(20 * time.Second)
	g.Expect(seen.Nodes[0].Asked).To(BeFalse())
	then, known := seen.Remaining()
	g.Expect(known).To(BeTrue())
	g.Expect(then).To(BeNumerically("~", remaining-20*time.Second, time.Millisecond))
}

// A node that always takes longer than looks wait is noted as any other, by when it was
// asked.
func TestSyncOfANodeThatIsAlwaysLate(t *testing.T) {
	g := NewWithT(t)
	s := apart(t, 200)
	nodes := &slow{Nodes: s.Network, held: map[string]chan struct{}{}}
	s.nodes = nodes
	s.cache().answers.patience = 2 * time.Millisecond
	late := func(after time.Duration) *state.Network {
		nodes.hold(hostOf(1))
		seen := s.lookAfter(after)
		g.Expect(seen.Nodes[1].Asked).To(BeFalse())
		nodes.release()
		s.cache().answers.asks.Wait()
		return seen
	}
	late(0)
	first := late(30 * time.Second)
	g.Expect(first.Nodes[1].Earlier).To(Equal(state.Progress{At: statetest.Now}), "as it said to the look before")
	for range 3 {
		for range 10 {
			s.MineAt(hostOf(1))
		}
		late(30 * time.Second)
	}
	seen := late(30 * time.Second)
	g.Expect(seen.Nodes[1].Latest).To(Equal(state.Progress{At: seen.Now.Add(-30 * time.Second), Done: 30}))
	remaining, known := seen.Remaining()
	g.Expect(known).To(BeTrue())
	g.Expect(remaining).To(BeNumerically(">", 0))

	since := seen.Now
	late(30 * time.Second)
	seen = late(time.Minute)
	g.Expect(seen.Nodes[1].StalledSince).To(Equal(since), "it was asked then, and had no more")
	g.Expect(syncs(seen)[1]).To(Equal(state.NotCatchingUp))
	dial(s, 1, "payments-0:18444")
	at := late(30 * time.Second).Now
	g.Expect(late(30 * time.Second).Nodes[1].SyncedAt).To(Equal(at))
}

// What a node says in a pass counts once, however often others are asked in it.
func TestAskingTwiceIsNoStall(t *testing.T) {
	g := NewWithT(t)
	s := apart(t, 9)
	s.look()
	s.MineAt(hostOf(1))
	seen := s.lookAfter(30 * time.Second)
	for range 2 {
		g.Expect(s.observer.Ask(t.Context(), s.network, s, seen, []int{0})).To(Succeed())
	}
	g.Expect(seen.Nodes[1].Asked).To(BeTrue())
	g.Expect(seen.Nodes[1].StalledSince).To(BeZero(), "it has just grown")
	g.Expect(s.lookAfter(30 * time.Second).Nodes[1].StalledSince).NotTo(BeZero())
}

// A node that was synced a moment ago is taken to be so while it is restarted.
func TestSyncIsRememberedWithTheData(t *testing.T) {
	g := NewWithT(t)
	s := apart(t, 0)
	s.look()
	s.Fail(hostOf(1), bitcoind.ErrBusy)
	g.Expect(syncs(s.lookAfter(time.Minute))).To(Equal([]state.Sync{state.Synced, state.Synced}))
	g.Expect(syncs(s.lookAfter(4 * time.Minute))).To(Equal([]state.Sync{state.Synced, state.Untold}))
	s.pods[1] = statetest.Pod(1, another)
	g.Expect(syncs(s.lookAfter(time.Second))[1]).To(Equal(state.Untold), "its data went with its pod")
}

// forked returns a network whose second node holds a block of the first for invalid, which
// goes on.
func forked(t *testing.T) *scene {
	s := newScene(t, 2)
	dial(s, 1, "payments-0:18444")
	s.MineAt(hostOf(0))
	s.MineAt(hostOf(0))
	s.Invalidate(hostOf(1))
	s.MineAt(hostOf(0))
	return s
}

// why is nodes that say what they hold for invalid: what they do, or what they are told to.
type why struct {
	*bitcoindtest.Network
	asked []string
	says  []bitcoind.Tip
	err   error
}

func (w *why) InvalidTips(ctx context.Context, endpoint bitcoind.Endpoint) ([]bitcoind.Tip, error) {
	w.asked = append(w.asked, endpoint.Address)
	if w.says != nil || w.err != nil {
		return w.says, w.err
	}
	return w.Network.InvalidTips(ctx, endpoint)
}

func TestWhoDoesNotCatchUpIsAskedWhy(t *testing.T) {
	g := NewWithT(t)
	s := forked(t)
	nodes := &why{Network: s.Network}
	s.nodes = nodes
	s.look()
	s.lookAfter(30 * time.Second)
	g.Expect(nodes.asked).To(BeZero(), "nobody is asked while it may be catching up")

	seen := s.lookAfter(time.Minute)
	second := seen.Nodes[1].Invalid
	g.Expect(second).To(HaveValue(HaveField("Height", int64(2))), "the block that it dropped, which the other has")
	g.Expect(syncs(seen)).To(Equal([]state.Sync{state.Synced, state.RejectsBlock}))
	g.Expect(nodes.asked).To(Equal([]string{hostOf(1)}), "and the other is not asked")

	g.Expect(s.lookAfter(askedWhy - time.Second).Nodes[1].Invalid).To(Equal(second))
	g.Expect(nodes.asked).To(HaveLen(1), "it is not asked at each look")
	nodes.err = bitcoind.ErrBusy
	g.Expect(s.lookAfter(time.Second).Nodes[1].Invalid).To(Equal(second), "it did not say otherwise")
	g.Expect(nodes.asked).To(HaveLen(2))
	nodes.err, nodes.says = nil, []bitcoind.Tip{}
	g.Expect(s.lookAfter(askedWhy).Nodes[1].Invalid).To(BeNil(), "somebody had it look again")
}

func TestOnlyWhatOthersHaveExplainsWhyANodeIsBehind(t *testing.T) {
	for _, test := range []struct {
		reason string
		says   func(*scene) []bitcoind.Tip
		want   bool
	}{
		{"nothing", func(*scene) []bitcoind.Tip { return []bitcoind.Tip{} }, false},
		{"a block that nobody else has either", func(*scene) []bitcoind.Tip { return []bitcoind.Tip{{Height: 2, Hash: "f"}} }, false},
		{"a block beyond all others", func(*scene) []bitcoind.Tip { return []bitcoind.Tip{{Height: 99, Hash: "f"}} }, false},
		{"that and the one", func(s *scene) []bitcoind.Tip {
			return []bitcoind.Tip{{Height: 99, Hash: "f"}, {Height: 3, Hash: s.State(hostOf(0)).Tip().Hash}}
		}, true},
		{"more than are looked into", func(s *scene) []bitcoind.Tip {
			many := make([]bitcoind.Tip, maxInvalid)
			return append(many, bitcoind.Tip{Height: 3, Hash: s.State(hostOf(0)).Tip().Hash})
		}, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := forked(t)
			s.nodes = &why{Network: s.Network, says: test.says(s)}
			s.look()
			s.lookAfter(time.Second)
			seen := s.lookAfter(time.Minute)
			if test.want {
				g.Expect(seen.Nodes[1].Invalid).NotTo(BeNil())
				return
			}
			g.Expect(seen.Nodes[1].Invalid).To(BeNil())
			g.Expect(syncs(seen)[1]).To(Equal(state.NotCatchingUp))
		})
	}
}
