package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// aged returns nodes that are all at one tip, of that age, in initial download if it
// is so old that they would be after a start.
func aged(nodes int, age time.Duration) *state.Network {
	seen := statetest.Healthy(nodes)
	for ordinal := range seen.Nodes {
		chain := &seen.Nodes[ordinal].State.Chain
		chain.Time = seen.Now.Add(-age).Unix()
		chain.InitialBlockDownload = age > staleTip
	}
	return seen
}

// every has a network mine at that interval, and not else.
func every(interval time.Duration) func(*v1alpha1.BitcoinNetwork) {
	return func(n *v1alpha1.BitcoinNetwork) {
		n.Spec.Mining = &v1alpha1.Mining{Interval: &metav1.Duration{Duration: interval}, KeepFresh: new(false)}
	}
}

func TestNextBlock(t *testing.T) {
	unchanged := func(*v1alpha1.BitcoinNetwork) {}
	mining := func(mining v1alpha1.Mining) func(*v1alpha1.BitcoinNetwork) {
		return func(n *v1alpha1.BitcoinNetwork) { n.Spec.Mining = &mining }
	}
	with := func(seen *state.Network, change func(*state.Network)) *state.Network { change(seen); return seen }
	silence := func(ordinals ...int) func(*state.Network) {
		return func(s *state.Network) {
			for _, ordinal := range ordinals {
				s.Nodes[ordinal].Answers, s.Nodes[ordinal].Problem = false, closed
			}
		}
	}
	scaledTo := func(wanted int, further ...func(*state.Network)) func(*state.Network) {
		return func(s *state.Network) {
			s.Wanted = wanted
			for _, change := range further {
				change(s)
			}
		}
	}
	higher := func(ordinal int) func(*state.Network) {
		return func(s *state.Network) {
			s.Nodes[ordinal].State.Chain.Blocks++
			s.Nodes[ordinal].State.Chain.BestBlockHash = "a8"
		}
	}
	const old = 49 * time.Hour

	for _, test := range []struct {
		reason  string
		network func(*v1alpha1.BitcoinNetwork)
		seen    *state.Network
		parts   int
		want    *Block
	}{
		{"nothing is due", unchanged, aged(3, time.Hour), 1, nil},
		{"nodes with an old tip relay nothing", unchanged, aged(3, old), 1, &Block{Why: "the last one is 49 hours old"}},
		{"a tip that is just not old does not keep them from it", unchanged, with(aged(3, staleTip), func(s *state.Network) {
			s.Nodes[0].State.Chain.InitialBlockDownload = true
		}), 1, nil},
		{"nor do nodes without a block", unchanged, with(aged(3, old), func(s *state.Network) {
			for i := range s.Nodes {
				s.Nodes[i].State.Chain.Blocks = 0
			}
		}), 1, &Block{Why: "there was none"}},
		{"an old tip that came while they ran does not keep them from relaying", unchanged, with(aged(3, old), func(s *state.Network) {
			for i := range s.Nodes {
				s.Nodes[i].State.Chain.InitialBlockDownload = false
			}
		}), 1, nil},
		{"one that was started since is enough to need a block", unchanged, with(aged(3, old), func(s *state.Network) {
			s.Nodes[0].State.Chain.InitialBlockDownload, s.Nodes[1].State.Chain.InitialBlockDownload = false, false
		}), 1, &Block{Why: "the last one is 49 hours old"}},
		{"not one that does not answer", unchanged, with(aged(3, old), func(s *state.Network) {
			s.Nodes[0].State.Chain.InitialBlockDownload, s.Nodes[1].State.Chain.InitialBlockDownload = false, false
			silence(2)(s)
		}), 1, nil},
		{"a node that catches up with a fresh tip needs no help", unchanged, with(aged(3, time.Hour), func(s *state.Network) {
			s.Nodes[2].State.Chain.InitialBlockDownload = true
		}), 1, nil},
		{"it can be turned off", mining(v1alpha1.Mining{KeepFresh: new(false)}), aged(3, old), 1, nil},
		{"and on", mining(v1alpha1.Mining{KeepFresh: new(true)}), aged(3, old), 1, &Block{Why: "the last one is 49 hours old"}},
		{"where nothing is said it is on", mining(v1alpha1.Mining{Address: "bcrt1qqqqqqq"}), aged(3, old), 1, &Block{Why: "the last one is 49 hours old"}},
		{"and nothing else", mining(v1alpha1.Mining{Address: "bcrt1qqqqqqq"}), aged(3, time.Hour), 1, nil},

		{"a block is due when the last one is old enough, by its own time", every(time.Minute), aged(3, time.Minute), 1, &Block{}},
		{"and until then it is waited for", every(time.Minute), aged(3, 20*time.Second), 1, &Block{Wait: 40 * time.Second}},
		{"however late it is", every(time.Minute), aged(3, time.Hour), 1, &Block{}},
		{"a tip that lies in the future counts from when it was first seen", every(time.Minute),
			with(aged(3, -2*time.Hour), func(s *state.Network) { s.TipSince = s.Now.Add(-20 * time.Second) }), 1, &Block{Wait: 40 * time.Second}},
		{"and is followed by another like any other", every(time.Minute),
			with(aged(3, -2*time.Hour), func(s *state.Network) { s.TipSince = s.Now.Add(-time.Minute) }), 1, &Block{}},
		{"a tip of the past does not: another operator may have seen it", every(time.Minute),
			with(aged(3, time.Minute), func(s *state.Network) { s.TipSince = s.Now }), 1, &Block{}},
		{"by a node at the best tip", every(time.Minute), with(aged(3, time.Minute), higher(2)), 1, &Block{Node: 2}},

		{"none while it is split: each part would go its own way", every(time.Minute), aged(3, old), 2, nil},
		{"none while nobody is known to be linked to anybody", every(time.Minute), aged(3, old), 0, nil},
		{"none while most nodes do not answer: they may have a longer chain", every(time.Minute), with(aged(3, old), silence(0, 1)), 1, nil},
		{"half of them are not most", every(time.Minute), with(aged(4, old), silence(0, 1)), 1, nil},
		{"most are enough", every(time.Minute), with(aged(3, time.Minute), silence(0)), 1, &Block{Node: 1}},
		{"a node that is to be scaled away is no help", every(time.Minute), with(aged(5, time.Minute), scaledTo(3, silence(0, 1))), 1, nil},
		{"nor in the way", every(time.Minute), with(aged(5, time.Minute), scaledTo(3, silence(3, 4))), 1, &Block{}},
		{"nor does it mine, be it ever so far ahead", every(time.Minute), with(aged(3, time.Minute), scaledTo(2, higher(2))), 1, &Block{}},
		{"nor is a block mined for its sake", unchanged, with(aged(3, old), scaledTo(2, func(s *state.Network) {
			s.Nodes[0].State.Chain.InitialBlockDownload, s.Nodes[1].State.Chain.InitialBlockDownload = false, false
		})), 1, nil},
		{"none where blocks cost something", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Chain = v1alpha1.Signet }, aged(3, old), 1, nil},
		{"none on a parked network", unchanged, statetest.Healthy(0), 0, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			links := statetest.Links(len(test.seen.Nodes))
			links.Parts = make([][]int, test.parts)
			got := nextBlock(statetest.Network(int32(test.seen.Wanted), test.network), test.seen, links)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMiningProblem(t *testing.T) {
	const wrong = "spec.mining.address: its checksum does not match: is a character mistyped or missing?"
	for _, test := range []struct {
		reason, address, want string
	}{
		{"none: the coins are anybody's", "", ""},
		{"of a key", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", ""},
		{"of a script", "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry", ""},
		{"of Taproot", "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6", ""},
		{"of a witness version that is still to come, which bitcoind takes", "bcrt1zw508d6qejxtdg4y5r3zarvary0c5xw7k8pu4cm", ""},
		{"of a key, as before SegWit", "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8", ""},
		{"of a script, as before SegWit", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", ""},
		{"a letter is another", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08q", wrong},
		{"a letter is missing", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08", wrong},
		{"a letter in the middle is another", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw6kygt080", wrong},
		{"two letters have changed places", "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKr8Y", wrong},
		{"the checksum of later versions", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7k35mrzd", wrong},
		{"that of the first version", "bcrt1pw508d6qejxtdg4y5r3zarvary0c5xw7k0kuy2y", wrong},
	} {
		t.Run(test.reason, func(t *testing.T) {
			got := miningProblem(statetest.Network(1, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Mining = &v1alpha1.Mining{Address: test.address} }))
			if got != test.want {
				t.Errorf("%s: got %q, want %q", test.address, got, test.want)
			}
		})
	}
	if got := miningProblem(statetest.Network(1)); got != "" {
		t.Errorf("of a network that says nothing of mining: %q", got)
	}
}

// A node would refuse each block, and be asked for another each second.
func TestNobodyIsAskedToMineForAWrongAddress(t *testing.T) {
	g := NewWithT(t)
	network, seen := statetest.Network(3, every(time.Minute)), aged(3, time.Hour)
	for ordinal := range seen.Nodes {
		link(seen, ordinal)
	}
	g.Expect(plan(network, seen).Mine).NotTo(BeNil(), "else one would be")
	network.Spec.Mining.Address = "bcrt1qqqqqqq"
	todo := plan(network, seen)
	g.Expect(todo.Mine).To(BeNil())
	g.Expect(todo.MiningProblem).To(HavePrefix("spec.mining.address: "))
	network.Spec.Suspend = true
	g.Expect(plan(network, seen).MiningProblem).To(BeEmpty(), "nobody mines on a suspended network")
}

// Blocks would fill the disk until pods are evicted, and the chain goes with them.
func TestNobodyMinesWhereADiskIsNearlyFull(t *testing.T) {
	const full = "payments-1 has used 90% of its limit on the machine's disk, which holds its chain: raise spec.resources.limits.ephemeral-storage, or create another network with spec.storage"
	for _, test := range []struct {
		reason string
		used   int64
		mining func(*v1alpha1.BitcoinNetwork)
		mines  bool
		want   string
	}{
		{"there is room", 89, every(time.Minute), true, ""},
		{"there is none", 90, every(time.Minute), false, full},
		{"no block is wanted", 90, func(*v1alpha1.BitcoinNetwork) {}, false, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network, seen := statetest.Network(3, test.mining), aged(3, time.Hour)
			for ordinal := range seen.Nodes {
				link(seen, ordinal)
			}
			fills(&seen.Nodes[1], test.used)
			todo := plan(network, seen)
			g.Expect(todo.Mine != nil).To(Equal(test.mines))
			g.Expect(todo.MiningProblem).To(Equal(test.want))
		})
	}
}

// fills has a node's chain take so much of 100 bytes of its machine's disk.
func fills(node *state.Node, used int64) {
	node.Pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("100"))},
	}}}
	node.State.Chain.SizeOnDisk = used
}
