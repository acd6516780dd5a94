package plan

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

const closed = "its RPC port is closed"

// platform is what the platform team decides.
var platform = resources.Platform{DefaultImage: "bitcoind:default", ClusterDomain: "cluster.local", DrainHold: 15 * time.Minute}

// dialName is what a node of the network "payments" is dialled by.
func dialName(ordinal int) string {
	return fmt.Sprintf("payments-%d.payments.team-a.svc.cluster.local:18444", ordinal)
}

func TestReportOf(t *testing.T) {
	said := bitcoind.State{
		Added: []bitcoind.AddedNode{{AddedNode: dialName(0)}, {AddedNode: "example.com:18444"}},
		Peers: []bitcoind.Peer{
			{ID: 4, Addr: dialName(0), Version: 70016, SubVer: "/Satoshi:29.4.0(team-a.payments.0)/"},
			{Addr: "10.0.0.2:40000", Inbound: true, Version: 70016, SubVer: "/Satoshi:29.4.0(team-a.payments.2; x)/Knots:20260508/"},
			{Addr: "10.0.0.3:40000", Inbound: true},
		},
	}
	want := peering.Report{
		Added: []string{dialName(0), "example.com:18444"},
		Peers: []peering.Peer{
			{ID: 4, Name: dialName(0), Handshaken: true, Silent: true, Comments: []string{"team-a.payments.0"}},
			{Name: "10.0.0.2:40000", Inbound: true, Handshaken: true, Comments: []string{"team-a.payments.2", "x"}},
			{Name: "10.0.0.3:40000", Inbound: true}, // half open: it has not said its version
		},
	}
	if diff := cmp.Diff(want, reportOf(state.Node{State: said, Silent: map[int32]bool{4: true}})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(peering.Report{}, reportOf(state.Node{})); diff != "" {
		t.Errorf("of a node without peers (-want +got):\n%s", diff)
	}
}

// What is planned for fresh nodes, done by them, is what is wanted: names, ports and
// comments are those that nodes go by.
func TestPlanComesToRest(t *testing.T) {
	g := NewWithT(t)
	const count = 12
	nodes := bitcoindtest.NewNetwork()
	endpoint := func(ordinal int) bitcoind.Endpoint {
		return bitcoind.Endpoint{Address: fmt.Sprintf("10.0.0.%d:18443", ordinal), Credentials: bitcoind.DefaultCredentials}
	}
	for ordinal := range count {
		nodes.Start(endpoint(ordinal).Address, dialName(ordinal), fmt.Sprintf("team-a.payments.%d", ordinal), bitcoind.DefaultCredentials)
	}
	ask := func() *state.Network {
		seen := statetest.Healthy(count)
		for ordinal := range seen.Nodes {
			seen.Nodes[ordinal].State = nodes.State(endpoint(ordinal).Address)
		}
		return seen
	}

	plan := links(statetest.Network(count), ask(), platform, count)
	g.Expect(plan.Links).To(HaveLen(60))
	g.Expect(plan.Missing).To(HaveLen(60))
	g.Expect(plan.Changes[2]).To(Equal(peering.Change{
		Add:  []string{dialName(0), dialName(1)},
		Dial: []string{dialName(0), dialName(1)},
	}))
	for ordinal, change := range plan.Changes {
		g.Expect(nodes.UpdatePeers(t.Context(), endpoint(ordinal), bitcoind.PeerChange{Add: change.Add, Dial: change.Dial})).To(Succeed())
	}

	plan = links(statetest.Network(count), ask(), platform, count)
	g.Expect(plan.Missing).To(BeEmpty())
	g.Expect(plan.Changes).To(BeEmpty())
	g.Expect(plan.Parts).To(HaveLen(1))
}

func TestPlanLeavesSilentNodesAlone(t *testing.T) {
	g := NewWithT(t)
	seen := statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.Silent(1, closed), statetest.NodeAt(2, 7, "a"))
	plan := links(statetest.Network(3), seen, platform, 3)
	g.Expect(plan.Missing).To(HaveLen(3))
	g.Expect(plan.Changes).To(HaveLen(1), "a node that does not answer cannot be told anything")
	g.Expect(plan.Changes[2].Dial).To(Equal([]string{dialName(0)}), "nor is it dialled")
}

// What a node that is late said before stands, and nobody tells it anything meanwhile.
func TestPlanGivesNodesThatAreLateTime(t *testing.T) {
	g := NewWithT(t)
	seen := statetest.Healthy(3)
	for ordinal := range 3 {
		link(seen, ordinal)
	}
	g.Expect(links(statetest.Network(3), seen, platform, 3).Missing).To(BeEmpty())
	seen.Nodes[1].Answers, seen.Nodes[1].IsLate, seen.Nodes[1].Problem = false, true, "it timed out"
	seen.Nodes[1].State.Added = nil // which would have to be mended
	plan := links(statetest.Network(3), seen, platform, 3)
	g.Expect(plan.Missing).To(BeEmpty())
	g.Expect(plan.Parts).To(HaveLen(1))
	g.Expect(plan.Changes).NotTo(HaveKey(1))
	seen.Nodes[1].IsLate = false
	g.Expect(links(statetest.Network(3), seen, platform, 3).Missing).To(HaveLen(2))
}

// unservedSince has the kubelet find a pod's containers not ready since then.
func unservedSince(at time.Time) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		for i := range pod.Status.Conditions {
			if condition := &pod.Status.Conditions[i]; condition.Type == corev1.ContainersReady {
				condition.LastTransitionTime = metav1.NewTime(at)
			}
		}
	}
}

// Nodes that start together are told of each other in one update each, unless one of them
// takes long.
func TestPlanWaitsForNodesThatStartTogether(t *testing.T) {
	ago := func(since time.Duration) func(*corev1.Pod) { return statetest.Started(statetest.Now.Add(-since)) }
	for _, test := range []struct {
		reason string
		other  state.Node
		since  time.Duration
		held   bool
	}{
		{"one starts", statetest.Silent(0, "it is starting", statetest.NotReady), time.Second, true},
		{"one has no pod yet", state.Missing(""), time.Second, true},
		{"all answer", statetest.NodeAt(0, 7, "a"), time.Second, false},
		{"one hangs, which is another matter", statetest.Silent(0, closed), time.Second, false},
		{"also when the kubelet has noticed", statetest.Silent(0, closed, statetest.NotReady, unservedSince(statetest.Born.Add(time.Hour))), time.Second, false},
		{"one takes long", statetest.Silent(0, "it is starting", statetest.NotReady), startTogether, false},
		{"the machine's clock is ahead by a little", state.Missing(""), -time.Second, true},
		{"by much", state.Missing(""), -startTogether, false},
	} {
		seen := statetest.Seen(test.other, statetest.NodeAt(1, 7, "a"), statetest.NodeAt(2, 7, "a", ago(test.since)))
		plan := links(statetest.Network(3), seen, platform, 3)
		_, told := plan.Changes[2]
		if plan.Held != test.held || told == test.held {
			t.Errorf("%s: held %t, told %v, want %t", test.reason, plan.Held, plan.Changes[2], test.held)
		}
	}
}

// A node that rejects all credentials cannot be told to dial anybody, so the others
// dial it: else it would never copy the chain.
func TestPlanDialsNodesThatRejectAll(t *testing.T) {
	gated := func(pod *corev1.Pod) {
		for i := range pod.Status.Conditions {
			if condition := &pod.Status.Conditions[i]; condition.Type == corev1.PodReady {
				condition.Status = corev1.ConditionFalse
			}
		}
	}
	for _, test := range []struct {
		reason string
		node   state.Node
		want   []string
	}{
		{"one that runs", statetest.Rejecting(0, 7), []string{dialName(0)}},
		{"also before its readiness gate is open: that is not before it has copied the chain", statetest.Rejecting(0, 0, gated), []string{dialName(0)}},
		{"not one that does not run yet: its name may lead elsewhere", statetest.Rejecting(0, 7, statetest.NotReady), nil},
		{"nor one that does not answer", statetest.Silent(0, closed), nil},
		{"nor one without a pod", state.Missing(""), nil},
	} {
		seen := statetest.Seen(test.node, statetest.NodeAt(1, 7, "a"))
		plan := links(statetest.Network(2), seen, platform, 2)
		if diff := cmp.Diff(test.want, plan.Changes[1].Dial); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.reason, diff)
		}
		if len(plan.Missing) != 1 {
			t.Errorf("%s: missing %v: nobody knows whether the link stands", test.reason, plan.Missing)
		}
	}
}

func TestPlanRemovesOnlyTheNetworksOwnNames(t *testing.T) {
	own := []string{
		dialName(3), // it is gone since the network was scaled
		"payments-0.payments.team-a.svc.cluster.local:18445",
	}
	others := []string{
		"bitcoin.example.com:8333",
		"payments-0.payments.team-b.svc.cluster.local:18444",
		"payments-0.invoices.team-a.svc.cluster.local:18444",
		"invoices-0.payments.team-a.svc.cluster.local:18444",
		"payments-0.payments.team-a.svc.cluster.local", // without a port it is not one that the operator gave
		"10.0.0.0:18444",
		"",
		"[",
	}
	seen := statetest.Healthy(2)
	for _, name := range slices.Concat([]string{dialName(0)}, own, others) {
		seen.Nodes[1].State.Added = append(seen.Nodes[1].State.Added, bitcoind.AddedNode{AddedNode: name})
	}
	if diff := cmp.Diff(own, links(statetest.Network(2), seen, platform, 2).Changes[1].Remove); diff != "" {
		t.Errorf("to remove (-want +got):\n%s", diff)
	}
}

// While a pod is on its way out its name leads nowhere.
func TestPlanTakesNodesThatAreGoneOutOfTheLists(t *testing.T) {
	for _, test := range []struct {
		reason string
		node   state.Node
		want   []string
	}{
		{"one that runs stays", statetest.Silent(0, closed), nil},
		{"one without a pod does not", state.Missing(""), []string{dialName(0)}},
		{"nor one whose pod is on its way out", statetest.Silent(0, "its pod is being deleted", statetest.Terminating), []string{dialName(0)}},
	} {
		seen := statetest.Seen(test.node, statetest.NodeAt(1, 7, "a"))
		seen.Nodes[1].State.Added = []bitcoind.AddedNode{{AddedNode: dialName(0)}}
		if diff := cmp.Diff(test.want, links(statetest.Network(2), seen, platform, 2).Changes[1].Remove); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.reason, diff)
		}
	}
}

// Whose a connection is that has fallen silent is told by the comments of its other end.
func TestPlanClosesConnectionsThatHaveFallenSilent(t *testing.T) {
	g := NewWithT(t)
	seen := statetest.Healthy(1)
	seen.Nodes[0].State.Peers = []bitcoind.Peer{
		{ID: 4, Addr: "10.0.0.7:40000", Inbound: true, Version: 70016, SubVer: "/Satoshi:29.4.0(team-a.payments.7)/"},
		{ID: 5, Addr: "192.0.2.7:40000", Inbound: true, Version: 70016, SubVer: "/Satoshi:29.4.0(a person's)/"},
	}
	seen.Nodes[0].Silent = map[int32]bool{4: true, 5: true}
	g.Expect(links(statetest.Network(1), seen, platform, 1).Changes[0]).To(Equal(peering.Change{Disconnect: []int32{4}}))
}

func TestPlanGoesByTheNetworksDegree(t *testing.T) {
	g := NewWithT(t)
	network := statetest.Network(12, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Peering.Degree = 2 })
	plan := links(network, statetest.Healthy(12), platform, 12)
	g.Expect(plan.Links).To(Equal(peering.Links(12, 2)))
}

func TestPlanOfAParkedNetwork(t *testing.T) {
	g := NewWithT(t)
	plan := links(statetest.Network(0), statetest.Healthy(0), platform, 0)
	g.Expect(plan.Links).To(BeEmpty())
	g.Expect(plan.Missing).To(BeEmpty())
	g.Expect(plan.Changes).To(BeEmpty())
}

// What is not done must not be told of, nor looked after every second.
func TestNetworkThatIsLeftAlonePlansNoChanges(t *testing.T) {
	g := NewWithT(t)
	seen := func(changes ...func(*state.Network)) *state.Network {
		seen := statetest.Healthy(2)
		seen.Nodes[0].State.Peers = []bitcoind.Peer{{Version: 70016, SubVer: "/Satoshi:29.4.0(team-b.lightning.0)/"}}
		for _, change := range changes {
			change(seen)
		}
		return seen
	}
	network := statetest.Network(2)
	g.Expect(links(network, seen(), platform, 2).Changes[0].Strangers).To(Equal([]string{"team-b.lightning.0"}))

	suspended := statetest.Network(2, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Suspend = true })
	for reason, plan := range map[string]peering.Plan{
		"suspended":                      links(suspended, seen(), platform, 2),
		"of a chain that is not allowed": links(network, seen(func(s *state.Network) { s.ChainNotAllowed = true }), platform, 2),
		"without credentials":            links(network, seen(func(s *state.Network) { s.Secret.Unusable = &state.Problem{} }), platform, 2),
	} {
		g.Expect(plan.Changes).To(BeEmpty(), reason)
		g.Expect(plan.Missing).To(HaveLen(1), "%s: what it sees it goes on saying", reason)
	}
}

// Links are between the nodes that should have pods now: a second node that copies the
// chain of a single one is linked to it, and those that wait to be scaled away stay
// linked.
func TestPlanLinksThePodsThatThereShouldBe(t *testing.T) {
	g := NewWithT(t)
	copying := statetest.Seen(statetest.NodeAt(0, 7, "a", statetest.OfOldRevision), statetest.NodeAt(1, 0, "a"))
	copying.Wanted = 1
	network := statetest.Network(1)
	shape := ShapeOf(network, copying, platform)
	g.Expect(shape.Size.Pods).To(Equal(2))
	plan := For(network, copying, platform, shape)
	g.Expect(plan.Links.Links).To(Equal([]peering.Link{{From: 1, To: 0}}))
	g.Expect(plan.Links.Changes[1].Dial).To(Equal([]string{dialName(0)}))

	g.Expect(links(network, copying, platform, 1).Links).To(BeEmpty(), "when it has done so it is forgotten")
	g.Expect(links(statetest.Network(4), statetest.Healthy(2), platform, 4).Missing).To(HaveLen(6), "nodes that have no pod yet are missed")
}

// What an operator had a node add that was taken for another network's is taken out of
// its list. What a person has added stays.
func TestPlanTakesOutSiblings(t *testing.T) {
	seen := statetest.Healthy(1)
	for _, name := range []string{
		"invoices-0.invoices.team-a.svc.cluster.local:18444",
		"invoices-7.invoices.team-a.svc.cluster.local:18444",
		"invoices-0.invoices.team-b.svc.cluster.local:18444",     // another team's
		"electrs-0.electrs.team-a.svc.cluster.local:18444",       // no network's
		"invoices-rpc.team-a.svc.cluster.local:18444",            // no node's
		"node.example.com:18444", "192.0.2.1:18444", "192.0.2.2", // anybody's
	} {
		seen.Nodes[0].State.Added = append(seen.Nodes[0].State.Added, bitcoind.AddedNode{AddedNode: name})
	}
	seen.Siblings = []string{"shop", "invoices"}
	want := map[int]peering.Change{0: {Remove: []string{
		"invoices-0.invoices.team-a.svc.cluster.local:18444", "invoices-7.invoices.team-a.svc.cluster.local:18444",
	}}}
	if diff := cmp.Diff(want, links(statetest.Network(1), seen, platform, 1).Changes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
