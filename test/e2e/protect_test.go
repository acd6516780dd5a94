package e2e

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A commit must not delete a network by mistake: neither by Flux's key force, with which
// Flux deletes what the API server finds invalid and makes it anew, nor by a network
// that is renamed, where it is protected.
func TestCommitsThatWouldDeleteANetwork(t *testing.T) {
	g, ctx := needsClusterFor(t, 8*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	team := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, "careless")[0]
	edit := func(from, to string) { g.Expect(team.Edit("payments.yaml", from, to)).To(Succeed()) }
	edit("  name: payments\n", "  name: payments\n  annotations: {kustomize.toolkit.fluxcd.io/force: enabled}\n  labels: {kustomize.toolkit.fluxcd.io/force: enabled}\n")
	wait(g, ctx, push(g, ctx, team, "A network, with Flux's key force").Done)
	payments := network(g, ctx, "careless", "payments")
	tip := mine(g, ctx, payments, 0, 5)
	commits := fleet.Object{Kind: fleet.Kustomization, Namespace: "careless", Name: "networks"}
	kept := func(why string) {
		t.Helper()
		g.Expect(network(g, ctx, "careless", "payments").UID).To(Equal(payments.UID), why)
		wait(g, ctx, has(payments, tip))
	}

	for _, mistake := range []struct{ reason, to, want string }{
		{"a value that the schema refuses", "nodes: 1001", "spec.nodes"},
		{"an option that a rule refuses", "nodes: 3\n  config: [server=1]", "spec.config"},
		{"a chain that a policy refuses", "nodes: 3\n  image: elsewhere.example.com/bitcoind:1", "spec.image"},
	} {
		edit("nodes: 3", mistake.to)
		wait(g, ctx, fleet.All(push(g, ctx, team, mistake.reason).Tried, says(commits, "Ready", mistake.want)))
		kept(mistake.reason)
		edit(mistake.to, "nodes: 3")
	}

	edit("nodes: 3", "nodes: 3\n  protect: true")
	wait(g, ctx, push(g, ctx, team, "Protect it").Done)
	edit("  name: payments\n", "  name: renamed\n")
	edit("  protect: true", "  protect: false")
	wait(g, ctx, fleet.All(push(g, ctx, team, "Rename it").Tried, says(commits, "Ready", "spec.protect")))
	kept("a protected network was deleted by a commit")
	wait(g, ctx, cluster.NetworksReady("careless"))

	edit("  name: renamed\n", "  name: payments\n")
	wait(g, ctx, push(g, ctx, team, "Name it as before, and protect it no more").Done)
	kept("its name was taken back")
}
