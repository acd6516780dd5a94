package observe

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// another makes a pod the successor of one.
func another(pod *corev1.Pod) { pod.UID += "-next" }

// dial connects a node to another.
func dial(s *scene, from int, name string) {
	s.t.Helper()
	if err := s.UpdatePeers(s.t.Context(), bitcoind.Endpoint{Address: hostOf(from), Credentials: alice}, bitcoind.PeerChange{Dial: []string{name}}); err != nil {
		s.t.Fatal(err)
	}
}

// Where data are known to be is remembered as long as they exist, and no longer.
func TestTipsAreRememberedWithTheData(t *testing.T) {
	for _, test := range []struct {
		reason string
		claims bool
		change func(*scene)
		known  bool
	}{
		{"the node does not answer", false, func(*scene) {}, true},
		{"its container was restarted: the data are in the pod", false, func(s *scene) { s.pods[0] = statetest.Pod(0, restarted) }, true},
		{"its pod was replaced, and the data with it", false, func(s *scene) { s.pods[0] = statetest.Pod(0, another) }, false},
		{"it has no pod", false, func(s *scene) { s.pods[0] = nil }, false},
		{"its pod was replaced, and the volume was not", true, func(s *scene) { s.pods[0] = statetest.Pod(0, another) }, true},
		{"it has no pod, and a volume", true, func(s *scene) { s.pods[0] = nil }, true},
		{"its volume was replaced", true, func(s *scene) { s.others[0].SetUID("another") }, false},
		{"its volume is gone", true, func(s *scene) { s.others = nil }, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 1)
			if test.claims {
				s.storage(0)
			}
			s.MineAt(hostOf(0))
			before := s.look().Nodes[0]
			g.Expect(before.Tip).NotTo(BeNil())
			g.Expect(before.Shown).To(BeTrue())

			s.Fail(hostOf(0), bitcoind.ErrBusy)
			test.change(s)
			after := s.lookAfter(time.Minute).Nodes[0]
			g.Expect(after.Shown).To(BeFalse())
			if !test.known {
				g.Expect(after.Tip).To(BeNil())
				g.Expect(after.HadBest).To(BeZero())
				g.Expect(s.cache().data).NotTo(HaveKey(before.Data))
				return
			}
			g.Expect(after.Tip).To(Equal(before.Tip))
			g.Expect(after.Data).To(Equal(before.Data))
		})
	}
}

// A pod that has never run has nothing. When its node runs and does not answer yet,
// that is still so as far as anybody knows.
func TestDataThatWereSeenEmptyAreKnown(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.Fail(hostOf(0), bitcoind.ErrBusy)
	g.Expect(s.look().Nodes[0].Tip).To(BeNil(), "nobody saw it begin")

	s.pods[0] = statetest.Pod(0, another, statetest.Container(statetest.Waiting("ContainerCreating", "")))
	g.Expect(s.look().Nodes[0].Tip).To(HaveValue(Equal(state.Block{})))
	s.pods[0] = statetest.Pod(0, another)
	g.Expect(s.look().Nodes[0].Tip).To(HaveValue(Equal(state.Block{})))

	s.Fail(hostOf(0), nil)
	s.MineAt(hostOf(0))
	g.Expect(s.lookAfter(time.Minute).Nodes[0].Tip).To(HaveValue(HaveField("Height", int64(1))))

	s.storage(0)
	s.pods[0] = statetest.Pod(0, statetest.Container(statetest.Waiting("ContainerCreating", "")))
	g.Expect(s.look().Nodes[0].Tip).To(BeNil(), "of a volume that says nothing")
}

func TestWhenANodeLastAnsweredAndServed(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	expect := func(answered, served time.Duration, reason string) {
		t.Helper()
		node := s.look().Nodes[0]
		g.Expect(node.LastAnswer.Sub(statetest.Now)).To(Equal(answered), reason)
		g.Expect(node.LastServed.Sub(statetest.Now)).To(Equal(served), reason)
	}
	const minute = time.Minute
	at := func(after time.Duration) { s.clock.SetTime(statetest.Now.Add(after)) }

	s.Fail(hostOf(0), bitcoind.ErrBusy)
	expect(0, 0, "a node that is new is not blamed for the time before")
	at(1 * minute)
	expect(0, 0, "and then for what it does not do")
	at(2 * minute)
	s.Fail(hostOf(0), nil)
	expect(2*minute, 2*minute, "it answers and serves")

	at(60 * minute)
	s.Fail(hostOf(0), bitcoind.ErrBusy)
	expect(60*minute, 60*minute, "what it did between two looks nobody knows: one that fails says nothing of the hour before")
	at(61 * minute)
	expect(60*minute, 60*minute, "two do")

	s.pods[0] = statetest.Pod(0, restarted)
	expect(61*minute, 60*minute, "a new container has to answer anew; clients see no difference")
	s.pods[0] = statetest.Pod(0, another)
	expect(61*minute, 61*minute, "a new pod is another chance")

	at(70 * minute)
	s.Fail(hostOf(0), nil)
	s.pods[0] = statetest.Pod(0, another, statetest.NotReady)
	expect(70*minute, 61*minute, "it answers, and the kubelet does not report it ready")

	at(80 * minute)
	s.RestartWith(hostOf(0), bob)
	s.pods[0] = statetest.Pod(0, another, restarted, statetest.NotReady)
	expect(80*minute, 61*minute, "to reject the credentials is an answer")
}

// unready makes a pod one that the kubelet has not found ready since then.
func unready(at time.Time) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		statetest.NotReady(pod)
		for i := range pod.Status.Conditions {
			pod.Status.Conditions[i].LastTransitionTime = metav1.NewTime(at)
		}
	}
}

// Whether a node is alive the kubelet says, and the node: either will do. The kubelet's
// word is there for an operator that has just been started, too.
func TestWhenANodeWasLastAlive(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	const minute = time.Minute
	expect := func(want time.Duration, reason string) {
		t.Helper()
		g.Expect(s.look().Nodes[0].LastAlive.Sub(statetest.Now)).To(Equal(want), reason)
	}
	at := func(after time.Duration) { s.clock.SetTime(statetest.Now.Add(after)) }

	s.Fail(hostOf(0), bitcoind.ErrBusy)
	at(1 * minute)
	expect(1*minute, "the kubelet finds it ready, though it does not answer")
	s.pods[0] = statetest.Pod(0, unready(statetest.Now.Add(90*time.Second)))
	at(2 * minute)
	expect(90*time.Second, "the kubelet says since when it is not")
	at(3 * minute)
	expect(90*time.Second, "and goes on saying so")
	s.observer.Forget(client.ObjectKeyFromObject(s.network))
	s.cache().backoff = backoffAt(s.clock)
	expect(90*time.Second, "to an operator that knows nothing else, too")
	s.Fail(hostOf(0), nil)
	s.cache().backoff = backoffAt(s.clock)
	at(4 * minute)
	expect(4*minute, "it answers, though the kubelet does not report it ready")
	s.Fail(hostOf(0), bitcoind.ErrBusy)
	at(5 * minute)
	expect(4*minute, "which it did later than it served the kubelet")
	s.RestartWith(hostOf(0), bob)
	s.cache().backoff = backoffAt(s.clock)
	at(6 * minute)
	expect(6*minute, "to reject the credentials is an answer")

	s.pods[0] = nil
	at(60 * minute)
	expect(60*minute, "of a node without a pod nobody knows since when: not before it is seen")
	at(61 * minute)
	expect(60*minute, "and then since that")
}

// Which pod of a node was last seen alive shows that it has gone, though its successor is
// there already.
func TestPodThatWasLastSeenAlive(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	first := s.pods[1].UID
	s.pods[1] = nil
	g.Expect(s.look().Nodes[1].AlivePod).To(BeEmpty(), "it is not there yet")
	s.pods[1] = statetest.Pod(1)
	g.Expect(s.look().Nodes[1].AlivePod).To(Equal(first))
	s.pods[1] = nil
	g.Expect(s.look().Nodes[1].AlivePod).To(Equal(first), "it has gone")
	s.Fail(hostOf(1), bitcoind.ErrBusy)
	s.pods[1] = statetest.Pod(1, another, unready(statetest.Now))
	g.Expect(s.look().Nodes[1].AlivePod).To(Equal(first), "its successor starts")
	s.pods[1] = statetest.Pod(1, another)
	g.Expect(s.look().Nodes[1].AlivePod).To(Equal(s.pods[1].UID))
}

func TestSinceWhenDataAreBehind(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	dial(s, 1, "payments-0:18444")
	s.MineAt(hostOf(0))
	for _, node := range s.look().Nodes {
		g.Expect(node.BehindSince).To(BeZero())
	}
	s.Cut(hostOf(0), hostOf(1))
	s.MineAt(hostOf(0))
	seen := s.lookAfter(time.Hour)
	since := seen.Now
	g.Expect(seen.Nodes[0].BehindSince).To(BeZero())
	g.Expect(seen.Nodes[1].BehindSince).To(Equal(since), "not since it last had the best block: nobody has looked since")
	g.Expect(s.lookAfter(time.Minute).Nodes[1].BehindSince).To(Equal(since))
	s.Fail(hostOf(1), bitcoind.ErrBusy)
	g.Expect(s.lookAfter(time.Minute).Nodes[1].BehindSince).To(BeZero(), "it says nothing")
	s.Fail(hostOf(1), nil)
	seen = s.lookAfter(time.Minute)
	g.Expect(seen.Nodes[1].BehindSince).To(Equal(seen.Now), "and may have had the block meanwhile, and lack the next")
	dial(s, 1, "payments-0:18444")
	g.Expect(s.lookAfter(time.Minute).Nodes[1].BehindSince).To(BeZero())
}

// Where blocks come fast, a node may lack the newest at each look, and none for long.
func TestANodeThatKeepsUpIsNotBehindForLong(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	for range 3 {
		dial(s, 1, "payments-0:18444") // it comes to where the other is
		s.Cut(hostOf(0), hostOf(1))
		s.MineAt(hostOf(0))
		seen := s.lookAfter(time.Minute)
		g.Expect(seen.Nodes[1].BehindSince).To(Equal(seen.Now), "it lacks a block that it did not lack before")
	}
}

// Without credentials nobody is asked, and nobody is to be replaced for it when there
// are some again.
func TestNodeThatNobodyAskedIsNotSilent(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.look()
	secret := s.secret
	s.secret = nil
	s.lookAfter(time.Minute)
	s.lookAfter(time.Hour)
	s.secret = secret
	s.Fail(hostOf(0), bitcoind.ErrBusy)
	seen := s.lookAfter(time.Second)
	g.Expect(seen.Nodes[0].LastAnswer).To(Equal(seen.Now))
	g.Expect(seen.Nodes[0].LastServed).To(Equal(seen.Now))
	g.Expect(seen.FaultOf(seen.Nodes[0])).To(Equal(state.NoFault))
	seen = s.lookAfter(time.Minute)
	g.Expect(seen.FaultOf(seen.Nodes[0])).To(Equal(state.Hung))
}

func TestWhenDataLastHadTheBestBlock(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	dial(s, 1, "payments-0:18444")
	s.MineAt(hostOf(0))
	for _, node := range s.look().Nodes {
		g.Expect(node.HadBest).To(Equal(statetest.Now))
	}
	s.Cut(hostOf(0), hostOf(1))
	s.MineAt(hostOf(0))
	seen := s.lookAfter(time.Minute)
	g.Expect(seen.Nodes[0].HadBest).To(Equal(seen.Now))
	g.Expect(seen.Nodes[1].HadBest).To(Equal(statetest.Now), "it has the block before")
	seen = s.lookAfter(time.Minute)
	g.Expect(seen.Nodes[1].HadBest).To(Equal(statetest.Now))

	s.Fail(hostOf(0), bitcoind.ErrBusy)
	seen = s.lookAfter(time.Minute)
	g.Expect(seen.Nodes[0].HadBest).To(Equal(seen.Now), "its data have it, whether it answers or not")
}

func TestWhenABudgetRefusedToLetAPodGo(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	seen := s.look()
	s.observer.Refused(client.ObjectKeyFromObject(s.network), seen, 1)
	seen = s.lookAfter(time.Second)
	g.Expect(seen.Nodes[0].RefusedAt).To(BeZero())
	g.Expect(seen.Nodes[1].RefusedAt).To(Equal(statetest.Now))
	g.Expect(s.lookAfter(time.Hour).Nodes[1].RefusedAt).To(Equal(statetest.Now), "it stays known")
	s.pods[1] = statetest.Pod(1, another)
	g.Expect(s.look().Nodes[1].RefusedAt).To(BeZero(), "of that pod")
}

// The best block is the better one of what is on record and what is remembered: a
// status is not written for each block, and an operator that was just started
// remembers nothing.
func TestBestBlockIsTheBetterOfStatusAndMemory(t *testing.T) {
	record := func(s *scene, block state.Block) {
		s.network.Status.BestBlock = &v1alpha1.BestBlockStatus{Height: block.Height, Hash: block.Hash, ChainWork: block.Work}
	}
	for _, test := range []struct {
		reason   string
		recorded *state.Block
		restart  bool // of the operator
		want     int64
	}{
		{"nothing is on record yet", nil, false, 2},
		{"the record is behind", new(statetest.Block(1, "a")), false, 2},
		{"it is ahead, as another operator wrote it", new(statetest.Block(9, "a")), false, 9},
		{"an operator that was just started goes by the record", new(statetest.Block(9, "a")), true, 9},
		{"without one, by what the nodes say", nil, true, 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 2)
			s.Fail(hostOf(1), bitcoind.ErrBusy) // so that it may have any block
			s.MineAt(hostOf(0))
			s.MineAt(hostOf(0))
			g.Expect(s.look().Best).To(HaveField("Height", int64(2)))

			s.Stop(hostOf(0))
			s.run(0, alice)
			s.pods[0] = statetest.Pod(0, another)
			if test.recorded != nil {
				record(s, *test.recorded)
			}
			if test.restart {
				s.observer.Forget(client.ObjectKeyFromObject(s.network))
			}
			seen := s.look()
			if test.want == 0 {
				g.Expect(seen.Best).To(BeNil())
				return
			}
			g.Expect(seen.Best).To(HaveField("Height", test.want))
			g.Expect(seen.Lost).To(BeNil(), "the node that does not answer may have it")
		})
	}

	t.Run("of two that are as good, the one that is remembered", func(t *testing.T) {
		g := NewWithT(t)
		s := newScene(t, 2)
		s.Fail(hostOf(1), bitcoind.ErrBusy)
		s.MineAt(hostOf(0))
		remembered := s.look().Best
		record(s, statetest.Block(1, "b"))
		g.Expect(s.look().Best).To(Equal(remembered))
	})

	t.Run("a block that nobody has any more is lost, once", func(t *testing.T) {
		g := NewWithT(t)
		s := newScene(t, 1)
		s.MineAt(hostOf(0))
		best := s.look().Best
		s.Stop(hostOf(0))
		s.run(0, alice)
		s.pods[0] = statetest.Pod(0, another)
		seen := s.look()
		g.Expect(seen.Best).To(BeNil())
		g.Expect(seen.Lost).To(Equal(best))
		g.Expect(s.look().Lost).To(BeNil())
	})
}

func TestClaimsOfANetwork(t *testing.T) {
	for _, test := range []struct {
		reason string
		claims []int
		known  []types.UID
		data   []types.UID
		spare  bool
	}{
		{"each node has its own", []int{0, 1}, []types.UID{"data-payments-0", "data-payments-1"}, []types.UID{"data-payments-0", "data-payments-1"}, false},
		{"one has none yet", []int{1}, []types.UID{"data-payments-1"}, []types.UID{"", "data-payments-1"}, false},
		{"nobody has", nil, nil, []types.UID{"", ""}, false},
		{"those of nodes that were scaled away are kept", []int{0, 1, 2}, []types.UID{"data-payments-0", "data-payments-1"}, []types.UID{"data-payments-0", "data-payments-1"}, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 2)
			s.storage(test.claims...)
			seen := s.look()
			var known, data []types.UID
			for _, node := range seen.Nodes {
				if data = append(data, node.Data); node.Claim != nil {
					known = append(known, node.Claim.UID)
				}
			}
			g.Expect(known).To(Equal(test.known))
			g.Expect(data).To(Equal(test.data))
			g.Expect(seen.SpareData).To(Equal(test.spare))
		})
	}

	t.Run("a parked network has data to spare", func(t *testing.T) {
		g := NewWithT(t)
		s := newScene(t, 0)
		s.storage(0)
		g.Expect(s.look().SpareData).To(BeTrue())
	})

	t.Run("without storage the data are in the pods", func(t *testing.T) {
		g := NewWithT(t)
		s := newScene(t, 1)
		s.storage(0)
		s.network.Spec.Storage = nil
		seen := s.look()
		g.Expect(seen.Nodes[0].Claim).To(BeNil())
		g.Expect(seen.SpareData).To(BeFalse())
		g.Expect(seen.Nodes[0].Data).To(Equal(s.pods[0].UID))
	})
}

func TestHowTipsRelate(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 3)
	dial(s, 1, "payments-0:18444")
	s.MineAt(hostOf(0))
	seen := s.look()
	tips := seen.Tips()
	g.Expect(tips).To(HaveLen(2))
	g.Expect(seen.Branches).To(Equal(map[string]bool{tips[0].Hash: true, tips[1].Hash: true}), "the first block is everybody's")

	s.MineAt(hostOf(2))
	s.MineAt(hostOf(0))
	seen = s.look()
	tips = seen.Tips()
	g.Expect(tips).To(HaveLen(2))
	g.Expect(seen.Branches).To(Equal(map[string]bool{tips[0].Hash: true, tips[1].Hash: false}))

	dial(s, 2, "payments-0:18444")
	g.Expect(s.look().Branches).To(BeNil(), "one tip is nothing to compare")
}

// Which block is the better one is asked at the node that has it.
func TestTipsThatCannotBeComparedAreUnclear(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	s.MineAt(hostOf(0))
	seen := statetest.Seen(statetest.NodeAt(0, 1, "a"), statetest.NodeAt(1, 1, "b"))
	s.Fail(hostOf(0), bitcoind.ErrBusy)
	newSession(s, s.network, seen, s.cache()).compareTips(t.Context())
	g.Expect(seen.Branches).To(BeNil())
}

// A status of before best blocks were recorded tells a height.
func TestRecordedHeightIsKept(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.network.Status.Height = new(int64(7))
	s.Fail(hostOf(0), bitcoind.ErrBusy)
	g.Expect(s.look().Best).To(Equal(&state.Block{Height: 7}))
	s.network.Status.SecretChangedAt = new(metav1.NewTime(statetest.Now))
	g.Expect(s.look().Best).To(Equal(&state.Block{Height: 7}))
}

// A tip's own time is its miner's to choose.
func TestSinceWhenThereIsATip(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	first := s.look().Now
	g.Expect(s.lookAfter(time.Minute).TipSince).To(Equal(first))

	s.MineAt(hostOf(1))
	second := s.lookAfter(time.Minute)
	g.Expect(second.TipSince).To(Equal(second.Now), "one node is ahead")
	s.Fail(hostOf(0), errors.New("no"))
	s.Fail(hostOf(1), errors.New("no"))
	g.Expect(s.lookAfter(time.Minute).TipSince).To(Equal(second.Now), "nobody says otherwise")
}

func TestSinceWhenANetworkIsLookedAt(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	g.Expect(s.look().Since).To(Equal(statetest.Now))
	g.Expect(s.lookAfter(time.Minute).Since).To(Equal(statetest.Now))
	s.observer.Forget(client.ObjectKeyFromObject(s.network))
	seen := s.lookAfter(time.Minute)
	g.Expect(seen.Since).To(Equal(seen.Now), "as after a restart of the operator")
}

// What a node runs it does not change by being silent, nor by having no pod for a while.
func TestWhatANodeRunsIsRemembered(t *testing.T) {
	made := func(image, config string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Spec.Containers = []corev1.Container{{Name: resources.Container, Image: image}}
			pod.Annotations = map[string]string{resources.ConfigAnnotation: config}
		}
	}
	const image, config = "registry.example/bitcoind:30.1", resources.NoWallets + "\n"
	isPulled := statetest.Container(statetest.Waiting("ImagePullBackOff", ""))
	for _, test := range []struct {
		reason string
		change func(*scene)
		known  bool
	}{
		{"it answers", func(*scene) {}, true},
		{"it does not answer", func(s *scene) { s.Fail(hostOf(1), bitcoind.ErrBusy) }, true},
		{"it has no pod", func(s *scene) { s.pods[1] = nil }, true},
		{"its pod was replaced, and does not answer yet", func(s *scene) {
			s.pods[1] = statetest.Pod(1, another, made(image, config), isPulled)
		}, true},
		{"its pod was replaced by one of another image", func(s *scene) {
			s.pods[1] = statetest.Pod(1, another, made("registry.example/bitcoind:32.1", config), isPulled)
		}, false},
		{"its pod was replaced by one that lets it have wallets", func(s *scene) {
			s.pods[1] = statetest.Pod(1, another, made(image, ""), isPulled)
		}, false},
		{"nobody can be asked", func(s *scene) { s.secret = nil }, true},
		{"it was scaled away, and is made anew", func(s *scene) {
			s.pods = s.pods[:1]
			s.network.Spec.Nodes, s.set.Spec.Replicas = 1, new(int32(1))
			s.look()
			s.network.Spec.Nodes, s.set.Spec.Replicas = 2, new(int32(2))
		}, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 2)
			made(image, config)(s.pods[1])
			want := state.Software{Software: bitcoind.Software{Name: bitcoind.BitcoinKnots, Version: 290400}, WithoutWallets: true}
			g.Expect(s.look().Nodes[1].Runs).To(Equal(want))
			test.change(s)
			if !test.known {
				want = state.Software{}
			}
			g.Expect(s.lookAfter(time.Minute).Nodes[1].Runs).To(Equal(want))
		})
	}
}
