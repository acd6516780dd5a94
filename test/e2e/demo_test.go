package e2e

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// The demo has run once, before all tests; it checks the main job itself.
func TestDemoAgain(t *testing.T) {
	g, _ := needsCluster(t)
	began := time.Now()
	g.Expect(demo()).To(Succeed())
	g.Expect(time.Since(began)).To(BeNumerically("<", 90*time.Second))
}

func TestEveryTeamHasAnOperatorOfItsOwn(t *testing.T) {
	g, ctx := needsCluster(t)
	for _, namespace := range []string{"team-a", "team-b"} {
		var deployments appsv1.DeploymentList
		g.Expect(cluster.API.List(ctx, &deployments, client.InNamespace(namespace))).To(Succeed())
		g.Expect(deployments.Items).To(HaveLen(1))
		g.Expect(deployments.Items[0].Name).To(Equal("bitcoin-operator"))
	}
}

func TestFluxFindsEverythingHealthy(t *testing.T) {
	g, ctx := needsCluster(t)
	states, err := cluster.States(ctx, fleet.Kustomization, "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(len(states)).To(BeNumerically(">=", 6), "the fleet's four and a team's each")
	for _, state := range states {
		g.Expect(state.Is("Ready")).To(BeTrue(), state.Message("Ready"))
	}
}
