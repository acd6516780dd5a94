package e2e

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestSteadyNetworkCostsNoWrites(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	steady := up(t, g, ctx, "team-a", "steady", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	wait(g, ctx, higher(steady, 0))
	g.Eventually(func() *int64 { return network(g, ctx, "team-a", "steady").Status.Height }, 90*time.Second, time.Second).
		Should(HaveValue(BeEquivalentTo(1)), "the height is written once a minute")

	audit, err := cluster.Audit()
	g.Expect(err).NotTo(HaveOccurred())
	version, lived, told := network(g, ctx, "team-a", "steady").ResourceVersion, lives(g, ctx, "team-a", "steady"), events(g, ctx, steady.Object())
	g.Consistently(func() string { return network(g, ctx, "team-a", "steady").ResourceVersion }, 2*time.Minute, 5*time.Second).
		Should(Equal(version), "the status is not written")
	g.Expect(lives(g, ctx, "team-a", "steady")).To(Equal(lived), "no node is restarted")
	g.Expect(events(g, ctx, steady.Object())).To(Equal(told), "no event is told")
	g.Expect(audit.Writes("system:serviceaccount:team-a:bitcoin-operator", "steady")).To(BeEmpty())
}
