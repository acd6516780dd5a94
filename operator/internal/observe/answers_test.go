package observe

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// settled is a scene whose nodes have all been asked, at the first block.
func settled(t *testing.T, nodes int) *scene {
	s := newScene(t, nodes)
	for ordinal := range nodes {
		s.MineAt(hostOf(ordinal))
	}
	s.look()
	s.partial = true
	return s
}

// asked returns the nodes that a look in a second asks.
func (s *scene) asked(g Gomega) []int {
	before := make([]int, len(s.pods))
	for ordinal := range before {
		before[ordinal] = s.Checks(hostOf(ordinal))
	}
	seen := s.lookAfter(time.Second)
	var asked []int
	for ordinal := range before {
		if s.Checks(hostOf(ordinal)) > before[ordinal] {
			asked = append(asked, ordinal)
		}
		g.Expect(seen.Nodes[ordinal].Asked).To(Equal(slices.Contains(asked, ordinal)), "node %d", ordinal)
	}
	return asked
}

// What happens to one node costs no requests to all.
func TestWhomALookAsks(t *testing.T) {
	for _, test := range []struct {
		reason  string
		happens func(*scene)
		want    []int
	}{
		{"nothing has happened", func(*scene) {}, nil},
		{"a pod has been replaced", func(s *scene) { s.pods[1].UID = "another" }, []int{1}},
		{"a container has been started again", func(s *scene) { s.pods[1] = statetest.Pod(1, restarted) }, []int{1}},
		{"a pod is no longer ready", func(s *scene) { statetest.NotReady(s.pods[1]) }, []int{1}},
		{"a label that matters to nobody", func(s *scene) { s.pods[1].Labels["team"] = "blue" }, nil},
		{"a node was told something", func(s *scene) {
			s.observer.Told(client.ObjectKeyFromObject(s.network), &state.Network{Nodes: []state.Node{{Pod: s.pods[0]}, {Pod: s.pods[1]}}}, 1)
		}, []int{1}},
		{"somebody has changed the network", func(s *scene) { s.network.Generation++ }, []int{0, 1, 2}},
		{"somebody asks", func(s *scene) { s.observer.AskAll(client.ObjectKeyFromObject(s.network)) }, []int{0, 1, 2}},
		{"the Secret has changed", func(s *scene) { s.sets(statetest.Now, alice, bob) }, []int{0, 1, 2}},
		{"it is their turn", func(s *scene) { s.clock.Step(30 * time.Second) }, []int{0, 1, 2}},
		{"it is not their turn", func(s *scene) { s.clock.Step(20 * time.Second) }, nil},
		{"their turn comes seldom", func(s *scene) {
			s.network.Spec.Interval = &metav1.Duration{Duration: 5 * time.Minute}
			s.clock.Step(time.Minute)
		}, nil},
		{"somebody has changed the network, and the first look failed", func(s *scene) {
			s.network.Generation++
			s.failure, s.fails = errors.New("no"), "*v1.PodList"
			if _, err := s.observe(); err == nil {
				s.t.Error("the look has not failed")
			}
			s.failure = nil
		}, []int{0, 1, 2}},
		{"there was no Secret for longer than their turn", func(s *scene) {
			secret := s.secret
			s.secret = nil
			s.lookAfter(time.Minute)
			s.secret = secret
		}, []int{0, 1, 2}},
		{"one that answered after the last look has a better block", func(s *scene) {
			s.MineAt(hostOf(1))
			said, _ := s.cache().answers.of(state.Node{Pod: s.pods[1], Data: s.pods[1].UID})
			said.Tip = blockOf(s.State(hostOf(1)).Tip())
			s.cache().answers.came(&question{asked: said, round: s.cache().answers.round})
		}, []int{0, 1, 2}},
		{"one that is asked has a better block", func(s *scene) {
			s.pods[1] = statetest.Pod(1, restarted)
			s.MineAt(hostOf(1))
		}, []int{0, 1, 2}},
		{"one that is not asked has a better block", func(s *scene) {
			s.pods[1] = statetest.Pod(1, restarted)
			s.MineAt(hostOf(2))
		}, []int{1}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := settled(t, 3)
			test.happens(s)
			g.Expect(s.asked(g)).To(Equal(test.want))
		})
	}
}

// A node is asked once after it was told something.
func TestNodeThatWasToldSomethingIsAskedOnce(t *testing.T) {
	g := NewWithT(t)
	s := settled(t, 2)
	s.cache().answers.tells(s.pods[1].UID)
	g.Expect(s.asked(g)).To(Equal([]int{1}))
	g.Expect(s.asked(g)).To(BeEmpty())
}

// What a node has agreed to be in its list it need not be asked; whether it is connected it
// is.
func TestNodeThatHasAgreed(t *testing.T) {
	for _, test := range []struct {
		reason     string
		change     bitcoind.PeerChange
		dialsLater bool
		asked      []int
	}{
		{"a name less", bitcoind.PeerChange{Remove: []string{"payments-0:18444"}}, false, nil},
		{"a name more", bitcoind.PeerChange{Add: []string{"payments-0:18444"}}, false, nil},
		{"a name more, which it dials when it is less busy", bitcoind.PeerChange{Add: []string{"payments-0:18444"}}, true, []int{1}},
		{"a name that it dials", bitcoind.PeerChange{Dial: []string{"payments-0:18444"}}, false, []int{1}},
		{"a connection that it closes", bitcoind.PeerChange{Disconnect: []int32{7}}, false, []int{1}},
	} {
		g := NewWithT(t)
		s := newScene(t, 2)
		if err := s.UpdatePeers(t.Context(), bitcoind.Endpoint{Address: hostOf(1), Credentials: alice}, bitcoind.PeerChange{Add: []string{"payments-0:18444"}}); err != nil {
			t.Fatal(err)
		}
		seen := s.look()
		s.partial = true
		key := client.ObjectKeyFromObject(s.network)
		s.observer.Agreed(key, seen, 1, test.change, test.dialsLater)
		g.Expect(s.asked(g)).To(Equal(test.asked), test.reason)
		names := func() (names []string) {
			said, _ := s.cache().answers.of(state.Node{Pod: s.pods[1], Data: s.pods[1].UID})
			for _, added := range said.State.Added {
				names = append(names, added.AddedNode)
			}
			return names
		}
		g.Expect(slices.Contains(names(), "payments-0:18444")).To(Equal(test.change.Remove == nil), test.reason)
		g.Expect(seen.Nodes[1].State.Added).To(HaveLen(1), "what was seen is not changed")
	}
}

// A node that copies the chain is asked at each look: no watch tells of it.
func TestNodeThatIsBehindIsAskedAtEachLook(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	s.MineAt(hostOf(0))
	s.look()
	s.partial = true
	g.Expect(s.asked(g)).To(Equal([]int{1}))
	g.Expect(s.asked(g)).To(Equal([]int{1}))
}

// What was said by those that are not asked stands, with its time.
func TestWhatWasSaidStands(t *testing.T) {
	g := NewWithT(t)
	s := settled(t, 2)
	first := s.clock.Now()
	seen := s.lookAfter(10 * time.Second)
	for _, node := range seen.Nodes {
		g.Expect(node.Answers && node.Shown && !node.Asked).To(BeTrue())
		g.Expect(node.AskedAt).To(Equal(first))
		g.Expect(node.Tip.Height).To(BeEquivalentTo(1))
		g.Expect(node.Problem).To(BeEmpty())
	}
	g.Expect(seen.AllAskedAt).To(Equal(first))
	g.Expect(seen.Ready()).To(Equal(2))
}

// What cannot be taken back rests on what a node says now.
func TestAskInAddition(t *testing.T) {
	g := NewWithT(t)
	s := settled(t, 3)
	s.MineAt(hostOf(2))
	seen := s.lookAfter(time.Second)
	g.Expect(seen.Best.Height).To(BeEquivalentTo(1), "nobody has been asked")
	g.Expect(seen.Unasked([]int{0, 2})).To(Equal([]int{0, 2}))

	g.Expect(s.observer.Ask(t.Context(), s.network, s, seen, []int{0})).To(Succeed())
	g.Expect(seen.Unasked([]int{0, 2})).To(Equal([]int{2}))
	g.Expect(s.observer.Ask(t.Context(), s.network, s, seen, []int{2})).To(Succeed())
	g.Expect(seen.Best.Height).To(BeEquivalentTo(2))
	g.Expect(seen.Unasked([]int{0, 1, 2})).To(BeEmpty(), "one had a better block, so all are asked")
}

// A look does not wait for a node that hangs: what it said stands until it is known that it
// does not answer, and nobody acts by it.
func TestLookDoesNotWaitForANodeThatHangs(t *testing.T) {
	g := NewWithT(t)
	s := settled(t, 2)
	s.cache().answers.patience = 20 * time.Millisecond
	s.Freeze(hostOf(1))
	s.partial = false
	began := time.Now()
	seen := s.look()
	g.Expect(time.Since(began)).To(BeNumerically("<", time.Second))
	g.Expect(seen.Nodes[0].Asked).To(BeTrue())
	g.Expect(seen.Nodes[1].Answers && !seen.Nodes[1].Asked).To(BeTrue())
	g.Expect(seen.Nodes[1].AskAgain).To(Equal(firstWait))
	s.partial = true
	g.Expect(s.observer.Ask(t.Context(), s.network, s, seen, []int{1})).To(Succeed())
	g.Expect(seen.Nodes[1].Answers || seen.Nodes[1].Shown).To(BeFalse(), "nothing rests on it")
	g.Expect(seen.Nodes[1].IsLate).To(BeTrue())
	g.Eventually(func() string { return s.look().Nodes[1].Problem }, "5s").Should(Equal("it timed out"))
	g.Expect(s.cache().answers.late).To(BeZero())
	g.Expect(s.cache().answers.asking).To(BeEmpty())
}

// sluggish are nodes of which one takes its time, or all do.
type sluggish struct {
	*bitcoindtest.Network
	address string
	takes   time.Duration
	asked   atomic.Int32
}

func (s *sluggish) Check(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.State, error) {
	if s.address == "" || endpoint.Address == s.address {
		s.asked.Add(1)
		time.Sleep(s.takes)
	}
	return s.Network.Check(ctx, endpoint)
}

// A node that is always slow, as one whose CPU is limited, must not hold up for ever what
// rests on it.
func TestWhatRestsOnASlowNodeWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := settled(t, 2)
		s.cache().answers.patience = patience
		defer s.observer.Forget(client.ObjectKeyFromObject(s.network))
		nodes := &sluggish{Network: s.Network, address: hostOf(1), takes: patience + time.Millisecond}
		s.nodes = nodes
		s.partial = false
		s.look()
		time.Sleep(time.Second) // it has answered, and has shown how long that takes

		seen := s.lookAfter(time.Second)
		g.Expect(seen.Nodes[1].Answers && !seen.Nodes[1].Asked).To(BeTrue(), "a look does not wait for it")
		g.Expect(s.observer.Ask(t.Context(), s.network, nodes, seen, []int{1})).To(Succeed())
		g.Expect(seen.Nodes[1].Answers && seen.Nodes[1].Asked).To(BeTrue())
		g.Expect(nodes.asked.Load()).To(BeEquivalentTo(2), "what it is being asked in the pass it is not asked twice")

		s.look()
		s.partial = true
		seen = s.lookAfter(time.Second)
		g.Expect(s.observer.Ask(t.Context(), s.network, nodes, seen, []int{1})).To(Succeed())
		g.Expect(seen.Nodes[1].Answers && seen.Nodes[1].AskedAt.Equal(seen.Now)).To(BeTrue(), "what an earlier look asked is no answer")
	})
}

// However many are slow, what rests on them waits for so long and no longer.
func TestWhatRestsOnManySlowNodesDoesNotWaitForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := settled(t, 5*maxParallelRequests)
		answers, all := s.cache().answers, []int{}
		for ordinal, pod := range s.pods {
			all = append(all, ordinal)
			last := answers.said[voice(pod)]
			last.took = longestPatience
			answers.said[voice(pod)] = last
		}
		nodes := &sluggish{Network: s.Network, takes: time.Hour}
		seen := s.lookAfter(time.Second)
		began := time.Now()
		g.Expect(s.observer.Ask(t.Context(), s.network, nodes, seen, all)).To(Succeed())
		g.Expect(time.Since(began)).To(Equal(longestPatience))
		for ordinal, node := range seen.Nodes {
			g.Expect(node.Answers || node.Shown).To(BeFalse(), "nothing rests on node %d", ordinal)
		}
		time.Sleep(time.Hour) // until all have been asked
	})
}

// How long a look waits for a node.
func TestPatience(t *testing.T) {
	for _, test := range []struct {
		reason      string
		took        time.Duration
		late, rests bool
		want        time.Duration
	}{
		{"it is quick", time.Millisecond, false, false, patience},
		{"it is slow, and nothing rests on it", time.Second, false, false, patience},
		{"it is quick, and something rests on it", time.Millisecond, false, true, patience},
		{"it is slow, and something rests on it", time.Second, false, true, 2 * time.Second},
		{"it takes all the time that it can get", time.Minute, false, true, longestPatience},
		{"it has timed out", time.Second, true, true, patience / 8},
	} {
		answers, pod := newAnswers(), statetest.Pod(0)
		answers.said[voice(pod)] = answer{took: test.took}
		if got := answers.patienceWith(pod, test.late, test.rests); got != test.want {
			t.Errorf("%s: %s, want %s", test.reason, got, test.want)
		}
	}
}

// Nothing asks the nodes of a network that is gone.
func TestForgottenNetworkIsAskedNothing(t *testing.T) {
	g := NewWithT(t)
	s := settled(t, 2)
	s.cache().answers.patience = 20 * time.Millisecond
	s.Freeze(hostOf(1))
	s.partial = false
	s.look()
	answers := s.cache().answers
	began := time.Now()
	s.observer.Forget(client.ObjectKeyFromObject(s.network))
	g.Expect(answers.asking).To(BeEmpty())
	g.Expect(time.Since(began)).To(BeNumerically("<", time.Second), "it does not wait for the node")
}

// A look that is over waits for no node.
func TestLookThatIsOverWaitsForNobody(t *testing.T) {
	g := NewWithT(t)
	s := settled(t, 2)
	s.Freeze(hostOf(1))
	seen := s.lookAfter(time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	g.Expect(s.observer.Ask(ctx, s.network, s, seen, []int{0, 1})).To(MatchError(context.DeadlineExceeded))
	g.Expect(time.Since(began)).To(BeNumerically("<", time.Second))
	g.Expect(seen.Nodes[1].Answers).To(BeFalse(), "nothing rests on it")
	s.observer.Forget(client.ObjectKeyFromObject(s.network))
}

// A node that has answered, and that the kubelet does not find ready, was alive when it
// answered, and not for as long as that stands.
func TestWhatWasSaidIsNoSignOfLife(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	statetest.NotReady(s.pods[1])
	first := s.look().Now
	s.partial = true
	seen := s.lookAfter(10 * time.Second)
	g.Expect(seen.Nodes[0].LastAlive).To(Equal(seen.Now), "the kubelet says so")
	g.Expect(seen.Nodes[1].Answers && !seen.Nodes[1].Asked).To(BeTrue())
	g.Expect(seen.Nodes[1].LastAlive).To(Equal(first))
	g.Expect(s.observer.Ask(t.Context(), s.network, s, seen, []int{1})).To(Succeed())
	g.Expect(seen.Nodes[1].LastAlive).To(Equal(seen.Now))
}

// Many that hang do not keep the others from being asked.
func TestNodesThatHangHoldUpNoOthers(t *testing.T) {
	g := NewWithT(t)
	s := settled(t, 60)
	s.cache().answers.patience = 50 * time.Millisecond
	for ordinal := range 40 {
		s.Freeze(hostOf(ordinal))
	}
	s.partial = false
	began := time.Now()
	seen := s.look()
	g.Expect(time.Since(began)).To(BeNumerically("<", 2*time.Second), "as long as one of them takes")
	for ordinal := 40; ordinal < 60; ordinal++ {
		g.Expect(seen.Nodes[ordinal].Asked).To(BeTrue(), "node %d", ordinal)
	}
}

// Every field of a node is either seen without asking it, or said by it.
func TestWhatIsSaidAndWhatIsSeen(t *testing.T) {
	said := []string{
		"Problem", "Asked", "AskedAt", "Answers", "State", "Silent", "Runs", "Latest", "IsLate", "WarmsUp", "AskAgain",
		"RejectsCurrent", "RejectsPrevious", "RejectsAll", "AcceptsOld", "MayAcceptOld", "RejectsUsers", "KeepsUsers", "Tip", "Shown",
	}
	full := state.Node{
		Pod: statetest.Pod(0), NotMade: "x", ReadsOther: true, Data: "x", HadBest: statetest.Now, LastServed: statetest.Now, LastAnswer: statetest.Now,
		LastAlive: statetest.Now, AlivePod: "x", BehindSince: statetest.Now, RefusedAt: statetest.Now, NotStoppedAt: statetest.Now,
		SyncedAt: statetest.Now, StalledSince: statetest.Now, Earlier: state.Progress{At: statetest.Now}, Invalid: &state.Block{},
	}
	var kept state.Node
	keepSeen(&kept, full)
	for field, value := range reflect.ValueOf(kept).Fields() {
		isSaid := slices.Contains(said, field.Name)
		if field.Name != "Claim" && value.IsZero() != isSaid {
			t.Errorf("%s: said %t, kept %t", field.Name, isSaid, !value.IsZero())
		}
	}
}
