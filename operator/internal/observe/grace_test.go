package observe

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// A node that is late once is given another check: what it said before stands until then.
func TestNodeThatIsLateOnce(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.MineAt(hostOf(0))
	said := s.look().Nodes[0].State

	s.Fail(hostOf(0), context.DeadlineExceeded)
	for _, in := range []time.Duration{30 * time.Second, 0} {
		node := s.lookAfter(in).Nodes[0]
		g.Expect(node.Ready()).To(BeTrue(), "after %s", in)
		g.Expect(node.Problem).To(Equal("it timed out"))
		g.Expect(node.Answers || node.Shown).To(BeFalse(), "nobody acts by what it may have by now")
		g.Expect(node.State).To(Equal(said))
		g.Expect(node.AskAgain).To(BeNumerically("<=", firstWait), "it is asked again soon")
	}
	g.Expect(s.lookAfter(firstWait).Nodes[0].Ready()).To(BeFalse(), "twice is too often")

	s.Fail(hostOf(0), nil)
	g.Expect(s.lookAfter(time.Minute).Nodes[0].Ready()).To(BeTrue())
	s.Fail(hostOf(0), context.DeadlineExceeded)
	g.Expect(s.lookAfter(time.Minute).Nodes[0].Ready()).To(BeTrue(), "it was well in between")
}

func TestWhoIsGivenNoOtherCheck(t *testing.T) {
	late := func(s *scene) { s.Fail(hostOf(0), context.DeadlineExceeded) }
	for _, test := range []struct {
		reason        string
		before, after func(*scene)
	}{
		{"one that has never answered", late, late},
		{"one that the kubelet does not find ready", func(*scene) {}, func(s *scene) { late(s); statetest.NotReady(s.pods[0]) }},
		{"one that says something else", func(*scene) {}, func(s *scene) { s.Fail(hostOf(0), bitcoind.ErrBusy) }},
		{"one that is not there", func(*scene) {}, func(s *scene) { s.Fail(hostOf(0), errors.New("no route to host")) }},
		{"a container that has just been started", func(*scene) {}, func(s *scene) { late(s); s.pods[0] = statetest.Pod(0, restarted) }},
		{"one that was not well before", func(s *scene) { s.RestartWith(hostOf(0), bob) }, late},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 1)
			test.before(s)
			s.look()
			test.after(s)
			node := s.lookAfter(time.Minute).Nodes[0]
			g.Expect(node.Problem).NotTo(BeEmpty())
			g.Expect(node.Ready() || node.IsLate).To(BeFalse())
		})
	}
}
