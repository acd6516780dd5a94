package observe

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

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
