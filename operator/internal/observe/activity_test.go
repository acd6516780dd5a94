package observe

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestSilentPeers(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	type look struct {
		after      time.Duration
		sent, last int64
	}
	for _, test := range []struct {
		reason string
		looks  []look
		want   bool
	}{
		{"nothing is known at the first look, however long the gap", []look{{0, 200, 100}}, false},
		{"a peer that answers the ping is not silent, though it had nothing to say before", []look{{0, 200, 100}, {30 * time.Second, 200, 200}}, false},
		{"a peer that has not answered since is", []look{{0, 200, 100}, {30 * time.Second, 230, 100}}, true},
		{"as soon as it has had the time to answer", []look{{0, 160, 100}, {answerTime, 160, 100}}, true},
		{"two looks in a hurry leave no time for an answer", []look{{0, 200, 100}, {10 * time.Millisecond, 200, 100}}, false},
		{"a short gap is none", []look{{0, 130, 100}, {30 * time.Second, 159, 100}}, false},
		{"a handshake that has not begun is no silence, though 0 is long ago", []look{{0, 100, 0}, {30 * time.Second, 100, 0}}, false},
		{"nor on a machine that takes its time over many of them", []look{{0, 100, 0}, {59 * time.Second, 100, 0}}, false},
		{"a handshake has a minute to begin", []look{{0, 100, 0}, {time.Minute, 100, 0}}, true},
		{"and one that has begun goes on by the rules of all others", []look{{0, 100, 0}, {time.Minute, 160, 150}}, false},
		{"the clock that counts is the node's", []look{{0, 100, 100}, {time.Hour, 100, 100}}, false},
	} {
		activity, now, silent := newActivity(), began, map[int32]bool{}
		for _, look := range test.looks {
			now = now.Add(look.after)
			silent = activity.silentPeers("pod", []bitcoind.Peer{{ID: 7, LastSend: look.sent, LastRecv: look.last}}, now)
		}
		if silent[7] != test.want {
			t.Errorf("%s: silent = %t, want %t", test.reason, silent[7], test.want)
		}
	}
}

func TestActivityIsForgottenWithThePod(t *testing.T) {
	g := NewWithT(t)
	activity := newActivity()
	for ordinal := range 2 {
		activity.silentPeers(statetest.Pod(ordinal).UID, []bitcoind.Peer{{ID: 7}}, statetest.Now)
	}
	activity.forgetOthers([]state.Node{{}, {Pod: statetest.Pod(1)}, {Pod: statetest.Pod(2)}})
	g.Expect(activity.nodes).To(HaveLen(1))
	g.Expect(activity.nodes).To(HaveKey(statetest.Pod(1).UID))
}

// A node whose peer's machine is lost is told to close the connection.
func TestSilentPeersOfANode(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	dial(s, 1, "payments-0:18444")
	s.look()
	s.Freeze(hostOf(0))
	s.pods[0] = nil // so that nobody waits for it
	for range 2 {
		s.Elapse(time.Minute)
		s.clock.Step(time.Minute)
		s.look()
	}
	seen := s.look()
	g.Expect(seen.Nodes[1].State.Peers).To(HaveLen(1))
	g.Expect(seen.Nodes[1].Silent).To(Equal(map[int32]bool{seen.Nodes[1].State.Peers[0].ID: true}))
}
