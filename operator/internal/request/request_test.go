package request_test

import (
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/request"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

const someone = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// mine returns a request for so many blocks.
func mine(count int32, changes ...func(*v1alpha1.BitcoinRequest)) *v1alpha1.BitcoinRequest {
	asked := &v1alpha1.BitcoinRequest{
		ObjectMeta: metav1.ObjectMeta{Name: "six", Namespace: "team-a", UID: "request", Generation: 1, CreationTimestamp: metav1.NewTime(statetest.Now)},
		Spec:       v1alpha1.BitcoinRequestSpec{Network: "payments", Mine: &v1alpha1.MineRequest{Count: count}},
	}
	for _, change := range changes {
		change(asked)
	}
	return asked
}

func to(address string) func(*v1alpha1.BitcoinRequest) {
	return func(asked *v1alpha1.BitcoinRequest) { asked.Spec.Mine.Address = address }
}

// waiting makes a request one that has waited for so long.
func waiting(since time.Duration) func(*v1alpha1.BitcoinRequest) {
	return func(asked *v1alpha1.BitcoinRequest) {
		asked.Status.WaitsSince = new(metav1.NewTime(statetest.Now.Add(-since)))
	}
}

// of returns the situation of a network of which this is seen.
func of(seen *state.Network, changes ...func(*request.Situation)) request.Situation {
	s := request.Situation{
		Now: statetest.Now, Network: statetest.Network(int32(seen.Wanted)), Seen: seen, Parts: 1, Bounds: request.BoundsOf(nil),
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

// network changes the network of a situation.
func network(change func(*v1alpha1.BitcoinNetwork)) func(*request.Situation) {
	return func(s *request.Situation) { change(s.Network) }
}

// primary has the network's Service lead to a node.
func primary(ordinal int32) func(*request.Situation) {
	return network(func(n *v1alpha1.BitcoinNetwork) { n.Status.Primary = &v1alpha1.PrimaryStatus{Ordinal: ordinal} })
}

func parts(count int) func(*request.Situation) {
	return func(s *request.Situation) { s.Parts = count }
}

// asked counts so many blocks for the day of that time.
func asked(count int64, day string) func(*request.Situation) {
	return network(func(n *v1alpha1.BitcoinNetwork) {
		n.Status.Requested = &v1alpha1.RequestedStatus{Day: day, Blocks: count}
	})
}

func seen(seen *state.Network, change func(*state.Network)) *state.Network {
	change(seen)
	return seen
}

func TestDecide(t *testing.T) {
	forked := statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.NodeAt(1, 7, "b"), statetest.NodeAt(2, 7, "a"))
	forked.Branches = statetest.Branches(forked)
	lagging := statetest.Seen(statetest.NodeAt(0, 3, "a"), statetest.NodeAt(1, 7, "a"), statetest.NodeAt(2, 7, "a"))
	lagging.Branches = statetest.Branches(lagging)
	silent := func(ordinal int) state.Node { return statetest.Silent(ordinal, "it timed out") }
	for _, test := range []struct {
		reason         string
		asked          *v1alpha1.BitcoinRequest
		situation      request.Situation
		refused, waits string
		node           int
	}{
		{"a healthy network", mine(6), of(statetest.Healthy(3)), "", "", 0},
		{"the primary is told, where it can be", mine(6), of(statetest.Healthy(3), primary(2)), "", "", 2},
		{"a primary that is behind is not", mine(6), of(lagging, primary(0)), "", "", 1},
		{"nor one that is about to go", mine(6), of(statetest.Seen(statetest.NodeAt(0, 7, "a", statetest.Terminating), statetest.NodeAt(1, 7, "a"), statetest.NodeAt(2, 7, "a")), primary(0)), "", "", 1},
		{"coins for somebody", mine(6, to(someone)), of(statetest.Healthy(3)), "", "", 0},
		{"one node of three is silent", mine(6), of(statetest.Seen(silent(0), statetest.NodeAt(1, 7, "a"), statetest.NodeAt(2, 7, "a"))), "", "", 1},

		{"no such network", mine(6), request.Situation{Now: statetest.Now}, `spec.network: there is no network "payments" in this namespace`, "", 0},
		{"a mistyped address", mine(6, to("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08q")), of(statetest.Healthy(3)), "spec.mine.address: its checksum does not match: is a character mistyped or missing?", "", 0},
		{"a public chain", mine(6), of(statetest.Healthy(3), network(func(n *v1alpha1.BitcoinNetwork) { n.Spec.Chain = v1alpha1.Main })), "spec.network: payments follows main; blocks and coins can be requested on regtest only", "", 0},
		{"a signet of the team's own", mine(6), of(statetest.Healthy(3), network(func(n *v1alpha1.BitcoinNetwork) { n.Spec.Chain = v1alpha1.Signet })), "spec.network: payments follows signet; blocks and coins can be requested on regtest only", "", 0},
		{"a chain that the platform takes away", mine(6), of(seen(statetest.Healthy(3), func(n *state.Network) { n.ChainNotAllowed = true })), "spec.network: the platform does not allow the chain of payments", "", 0},
		{"suspended", mine(6), of(statetest.Healthy(3), network(func(n *v1alpha1.BitcoinNetwork) { n.Spec.Suspend = true })), "spec.network: payments is suspended (spec.suspend)", "", 0},
		{"parked", mine(6), of(statetest.Seen(), network(func(n *v1alpha1.BitcoinNetwork) { n.Spec.Nodes = 0 })), "spec.network: payments is parked (spec.nodes: 0)", "", 0},
		{"the last of the day", mine(6), of(statetest.Healthy(3), asked(9994, "2026-01-02")), "", "", 0},
		{"more than that", mine(6), of(statetest.Healthy(3), asked(9995, "2026-01-02")), "spec.mine.count: the platform allows 10000 blocks per network and day (UTC) in this namespace; this request would bring today's total to 10001", "", 0},
		{"a new day", mine(6), of(statetest.Healthy(3), asked(9995, "2026-01-01")), "", "", 0},
		{"fewer a day", mine(6), of(statetest.Healthy(3), func(s *request.Situation) { s.Bounds = request.BoundsOf(map[string]string{"maxBlocksADay": "5"}) }), "spec.mine.count: the platform allows 5 blocks per network and day (UTC) in this namespace; this request would bring today's total to 6", "", 0},

		{"no credentials", mine(6), of(statetest.Unusable("SecretNotFound", `Secret "bitcoin-rpc" does not exist`, 3)), "", `spec.network: payments has no credentials: Secret "bitcoin-rpc" does not exist`, 0},
		{"most nodes are silent", mine(6), of(statetest.Seen(silent(0), silent(1), statetest.NodeAt(2, 7, "a"))), "", "spec.network: 1 of 3 nodes of payments answer; more than half must", 0},
		{"half are", mine(6), of(statetest.Seen(silent(0), statetest.NodeAt(1, 7, "a"))), "", "spec.network: 1 of 2 nodes of payments answer; more than half must", 0},
		{"split", mine(6), of(statetest.Healthy(3), parts(2)), "", "spec.network: payments is split into 2 parts", 0},
		{"forked", mine(6), of(forked), "", "spec.network: the nodes of payments are on different chains", 0},
		{"perhaps forked", mine(6), of(seen(statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.NodeAt(1, 7, "b")), func(n *state.Network) { n.Branches = nil })), "", "spec.network: the nodes of payments are on different chains", 0},
		{"nobody is ready", mine(6), of(statetest.Seen(statetest.NodeAt(0, 7, "a", func(pod *corev1.Pod) { statetest.NotReady(pod) }))), "", "spec.network: no node of payments that has the last block is ready", 0},
		{"split for less than a minute", mine(6, waiting(59*time.Second)), of(statetest.Healthy(3), parts(2)), "", "spec.network: payments is split into 2 parts", 0},
		{"split for a minute", mine(6, waiting(time.Minute)), of(statetest.Healthy(3), parts(2)), "spec.network: payments is split into 2 parts; this did not change within a minute", "", 0},
		{"healed within a minute", mine(6, waiting(time.Minute)), of(statetest.Healthy(3)), "", "", 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			got := request.Decide(test.asked, test.situation)
			g.Expect(got.Refused).To(Equal(test.refused))
			g.Expect(got.Waits).To(Equal(test.waits))
			if test.refused == "" && test.waits == "" {
				g.Expect(got.Node).To(Equal(test.node))
				g.Expect(got.Tip.Height).To(BeEquivalentTo(7))
			}
		})
	}
}

// What a request that was started has come to, by what the chain has above the block from
// which it was.
func TestLookUp(t *testing.T) {
	const base = "basebasebasebase"
	for _, test := range []struct {
		reason  string
		trace   request.Trace
		after   time.Duration
		phase   v1alpha1.RequestPhase
		message string
		blocks  *v1alpha1.RequestBlocks
	}{
		{"all are there", request.Trace{Base: base, First: "first", Last: "last", Height: 13, Tip: "last"}, time.Second,
			v1alpha1.RequestSucceeded, "payments-1 mined 6 blocks, up to block 13 (last…)", &v1alpha1.RequestBlocks{Count: 6, First: "first", Last: "last"}},
		{"and more on them", request.Trace{Base: base, First: "first", Last: "last", Height: 20, Tip: "tip"}, time.Hour,
			v1alpha1.RequestSucceeded, "payments-1 mined 6 blocks, up to block 13 (last…)", &v1alpha1.RequestBlocks{Count: 6, First: "first", Last: "last"}},
		{"none yet", request.Trace{Base: base, Height: 7, Tip: base}, 59 * time.Second, v1alpha1.RequestStarted, "sending the request to payments-1", nil},
		{"some yet", request.Trace{Base: base, First: "first", Height: 9, Tip: "tip"}, time.Second, v1alpha1.RequestStarted, "sending the request to payments-1", nil},
		{"some, and no more", request.Trace{Base: base, First: "first", Height: 9, Tip: "tip"}, time.Minute, v1alpha1.RequestUnknown,
			"the request was sent to payments-1, but its outcome is unknown: 2 of 6 blocks were found above block 7 (basebasebase…); it is not sent again", &v1alpha1.RequestBlocks{Count: 2, First: "first", Last: "tip"}},
		{"none", request.Trace{Base: base, Height: 7, Tip: base}, time.Minute, v1alpha1.RequestUnknown,
			"the request was sent to payments-1, but its outcome is unknown: 0 of 6 blocks were found above block 7 (basebasebase…); it is not sent again", nil},
		{"another chain", request.Trace{Base: "other", First: "first", Last: "last", Height: 13, Tip: "last"}, time.Second, v1alpha1.RequestUnknown,
			"the request was sent to payments-1, but its outcome is unknown: block 7 (basebasebase…), on which they were to be mined, is no longer in the chain; it is not sent again", nil},
		{"a chain that was lost", request.Trace{Height: 3, Tip: "tip"}, time.Second, v1alpha1.RequestUnknown,
			"the request was sent to payments-1, but its outcome is unknown: block 7 (basebasebase…), on which they were to be mined, is no longer in the chain; it is not sent again", nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			asked := mine(6)
			request.Start(asked, request.Decision{Node: 1, Tip: state.Tip{Height: 7, Hash: base}}, statetest.Now)
			finished := request.LookUp(asked, test.trace, statetest.Now.Add(test.after))
			g.Expect(asked.Status.Phase).To(Equal(test.phase))
			g.Expect(finished).To(Equal(test.phase.IsFinished()))
			g.Expect(asked.Status.FinishedAt != nil).To(Equal(finished))
			g.Expect(conditions.GetMessage(asked, meta.ReadyCondition)).To(Equal(test.message))
			g.Expect(asked.Status.Blocks).To(Equal(test.blocks))
			g.Expect(conditions.IsReconciling(asked)).To(Equal(!finished), "as kstatus has it")
			g.Expect(conditions.IsStalled(asked)).To(Equal(test.phase == v1alpha1.RequestUnknown), "as kstatus has it")
		})
	}
}

// Which request is next.
func TestNext(t *testing.T) {
	at := func(name string, phase v1alpha1.RequestPhase, after time.Duration) v1alpha1.BitcoinRequest {
		return *mine(1, func(r *v1alpha1.BitcoinRequest) {
			r.Name, r.Status.Phase, r.CreationTimestamp = name, phase, metav1.NewTime(statetest.Now.Add(after))
		})
	}
	for _, test := range []struct {
		reason string
		asked  []v1alpha1.BitcoinRequest
		want   string
	}{
		{"none", nil, ""},
		{"finished ones", []v1alpha1.BitcoinRequest{at("a", v1alpha1.RequestSucceeded, 0), at("b", v1alpha1.RequestUnknown, 0), at("c", v1alpha1.RequestRefused, 0), at("d", v1alpha1.RequestFailed, 0)}, ""},
		{"one whose coins are on their way", []v1alpha1.BitcoinRequest{at("a", v1alpha1.RequestSent, 0)}, ""},
		{"the oldest", []v1alpha1.BitcoinRequest{at("a", "", 2), at("b", v1alpha1.RequestPending, time.Second-time.Hour), at("c", "", 3)}, "b"},
		{"of the same second by name", []v1alpha1.BitcoinRequest{at("b", "", 0), at("a", "", 0)}, "a"},
		{"the one that was started", []v1alpha1.BitcoinRequest{at("a", "", -time.Hour), at("b", v1alpha1.RequestStarted, 0)}, "b"},
	} {
		got := ""
		if next := request.Next(test.asked); next != nil {
			got = next.Name
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
}

func TestExpires(t *testing.T) {
	g := NewWithT(t)
	asked := mine(1)
	_, goes := request.Expires(asked, statetest.Now)
	g.Expect(goes).To(BeFalse(), "it is not finished")
	request.Refuse(asked, "no", statetest.Now)
	in, goes := request.Expires(asked, statetest.Now)
	g.Expect(goes).To(BeTrue())
	g.Expect(in).To(Equal(time.Hour))
	asked.Spec.TTL = &metav1.Duration{Duration: time.Minute}
	in, _ = request.Expires(asked, statetest.Now.Add(2*time.Minute))
	g.Expect(in).To(BeZero())
}

// Whose the coins are.
func TestCoinsOf(t *testing.T) {
	g := NewWithT(t)
	wallet, err := bitcoind.WalletOf("network")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(request.CoinsOf(mine(6), statetest.Network(3))).To(Equal(wallet.Mined()))
	g.Expect(request.CoinsOf(mine(6, to(someone)), statetest.Network(3))).To(Equal("addr(" + someone + ")"))
}
