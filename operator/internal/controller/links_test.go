package controller

import (
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"

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
			{Addr: dialName(0), Version: 70016, SubVer: "/Satoshi:29.4.0(team-a.payments.0)/"},
			{Addr: "10.0.0.2:40000", Inbound: true, Version: 70016, SubVer: "/Satoshi:29.4.0(team-a.payments.2; x)/Knots:20260508/"},
			{Addr: "10.0.0.3:40000", Inbound: true},
		},
	}
	want := peering.Report{
		Added: []string{dialName(0), "example.com:18444"},
		Peers: []peering.Peer{
			{Name: dialName(0), Handshaken: true, Comments: []string{"team-a.payments.0"}},
			{Name: "10.0.0.2:40000", Inbound: true, Handshaken: true, Comments: []string{"team-a.payments.2", "x"}},
			{Name: "10.0.0.3:40000", Inbound: true}, // half open: it has not said its version
		},
	}
	if diff := cmp.Diff(want, reportOf(state)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(peering.Report{}, reportOf(bitcoind.State{})); diff != "" {
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
		(&Reconciler{Nodes: nodes}).askNodes(t.Context(), seen, newMemory())
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
	(&Reconciler{Nodes: nodes}).updatePeers(t.Context(), seen, plan)

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
