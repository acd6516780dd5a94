package controller

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// dialName is what a node of the network "payments" is dialled by.
func dialName(ordinal int) string {
	return fmt.Sprintf("payments-%d.payments.team-a.svc.cluster.local:18444", ordinal)
}

func TestReportOf(t *testing.T) {
	state := bitcoind.State{
		Added: []btcjson.GetAddedNodeInfoResult{{AddedNode: dialName(0)}, {AddedNode: "example.com:18444"}},
		Peers: []btcjson.GetPeerInfoResult{
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
	if diff := cmp.Diff(want, reportOf(node{state: state, silent: map[int32]bool{4: true}})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(peering.Report{}, reportOf(node{})); diff != "" {
		t.Errorf("of a node without peers (-want +got):\n%s", diff)
	}
}

// What planLinks plans for fresh nodes, done by them, is what it wants: names,
// ports and comments are those that nodes go by.
func TestPlanComesToRest(t *testing.T) {
	g := NewWithT(t)
	const count = 12
	nodes := runNodes(count)
	ask := func() *observation {
		seen := healthy(count)
		seen.rpc = nodes
		(&Reconciler{Clock: clock.RealClock{}}).askNodes(t.Context(), seen, newMemory())
		return seen
	}

	seen := ask()
	plan := planLinks(networkOf(count), platform, seen)
	g.Expect(plan.Links).To(HaveLen(60))
	g.Expect(plan.Missing).To(HaveLen(60))
	g.Expect(plan.Changes[2]).To(Equal(peering.Change{
		Add:  []string{dialName(0), dialName(1)},
		Dial: []string{dialName(0), dialName(1)},
	}))
	(&Reconciler{Clock: clock.RealClock{}}).updatePeers(t.Context(), seen, plan, newMemory())

	plan = planLinks(networkOf(count), platform, ask())
	g.Expect(plan.Missing).To(BeEmpty())
	g.Expect(plan.Changes).To(BeEmpty())
	g.Expect(plan.Parts).To(HaveLen(1))
}

func TestPlanLeavesSilentNodesAlone(t *testing.T) {
	g := NewWithT(t)
	plan := planLinks(networkOf(3), platform, seenOf(nodeAt(0, 7, "a"), silent(1, closed), nodeAt(2, 7, "a")))
	g.Expect(plan.Missing).To(HaveLen(3))
	g.Expect(plan.Changes).To(HaveLen(1), "a node that does not answer cannot be told anything")
	g.Expect(plan.Changes[2].Dial).To(Equal([]string{dialName(0)}), "nor is it dialled")
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
	seen := healthy(2)
	for _, name := range slices.Concat([]string{dialName(0)}, own, others) {
		seen.nodes[1].state.Added = append(seen.nodes[1].state.Added, btcjson.GetAddedNodeInfoResult{AddedNode: name})
	}
	if diff := cmp.Diff(own, planLinks(networkOf(2), platform, seen).Changes[1].Remove); diff != "" {
		t.Errorf("to remove (-want +got):\n%s", diff)
	}
}

func TestPlanOfAParkedNetwork(t *testing.T) {
	g := NewWithT(t)
	plan := planLinks(networkOf(0), platform, healthy(0))
	g.Expect(plan.Links).To(BeEmpty())
	g.Expect(plan.Missing).To(BeEmpty())
	g.Expect(plan.Changes).To(BeEmpty())
}

// hanging are nodes that are busy for long with what they were told to dial.
type hanging struct {
	Nodes
	told []bitcoind.PeerChange
}

func (h *hanging) UpdatePeers(_ context.Context, _ bitcoind.Endpoint, change bitcoind.PeerChange) error {
	h.told = append(h.told, change)
	return context.DeadlineExceeded
}

// Each name that leads nowhere keeps one of a node's few RPC threads for seconds.
func TestNodeThatIsBusyDiallingIsNotToldToDialAgain(t *testing.T) {
	g := NewWithT(t)
	nodes, clock, memory := &hanging{}, newClock(), newMemory()
	reconciler := &Reconciler{Clock: clock}
	plan := peering.Plan{Changes: map[int]peering.Change{1: {Add: []string{"a"}, Dial: []string{"a", "b"}}}}
	update := func() {
		seen := healthy(2)
		seen.rpc = nodes
		reconciler.updatePeers(t.Context(), seen, plan, memory)
	}

	update()
	g.Expect(nodes.told).To(HaveLen(1))
	clock.SetTime(clock.Now().Add(time.Second))
	update()
	g.Expect(nodes.told[1]).To(Equal(bitcoind.PeerChange{Add: []string{"a"}}), "what takes no time is done meanwhile")
	clock.SetTime(clock.Now().Add(2 * bitcoind.LongestDial))
	update()
	g.Expect(nodes.told[2].Dial).To(Equal([]string{"a", "b"}))
}

// What is not done must not be told of, nor looked after every second.
func TestNetworkThatIsLeftAlonePlansNoChanges(t *testing.T) {
	g := NewWithT(t)
	seen := healthy(2)
	seen.nodes[0].state.Peers = []btcjson.GetPeerInfoResult{{Version: 70016, SubVer: "/Satoshi:29.4.0(team-b.lightning.0)/"}}
	network := networkOf(2)
	g.Expect(strangerEvents(network, planLinks(network, platform, seen))).To(HaveLen(1))

	suspended := networkOf(2, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Suspend = true })
	notAllowed := healthy(2)
	notAllowed.nodes[0].state.Peers, notAllowed.notAllowed = seen.nodes[0].state.Peers, true
	for reason, plan := range map[string]peering.Plan{
		"suspended":                      planLinks(suspended, platform, seen),
		"of a chain that is not allowed": planLinks(network, platform, notAllowed),
	} {
		g.Expect(plan.Changes).To(BeEmpty(), reason)
		g.Expect(plan.Missing).To(HaveLen(1), "%s: what it sees it goes on saying", reason)
		g.Expect(strangerEvents(network, plan)).To(BeEmpty(), reason)
	}
}
