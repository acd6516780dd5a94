package e2e

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// Networks that an earlier operator runs go on running under this one: no node is
// restarted, nothing is written to their StatefulSets, and the status stays true.
func TestUpgradeFromAnEarlierOperatorRestartsNothing(t *testing.T) {
	g, ctx := needsClusterFor(t, 10*time.Minute)
	const name, earlier = "upgraded", "localhost/e2e/operator:earlier"
	base, err := os.ReadFile("testdata/upgrade-base")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cluster.LoadEarlier(ctx, strings.TrimSpace(string(base)), "./operator/cmd/operator", "/operator", earlier)).To(Succeed())
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())

	team := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		// As in the middle of a change of password: an earlier operator records that, too.
		credentials := fleet.NewCredentials(name)
		credentials["BC_RPC_USER_PREVIOUS"], credentials["BC_RPC_PASSWORD_PREVIOUS"] = "before", fleet.NewCredentials(name)["BC_RPC_PASSWORD"]
		g.Expect(team.Seal(ctx, sealer, credentials)).To(Succeed())
		g.Expect(platform.Edit("tenants/"+name+"/kustomization.yaml", "resources:",
			"images:\n  - name: ghcr.io/bitcoin-operator/operator\n    newName: localhost/e2e/operator\n    newTag: earlier\nresources:")).To(Succeed())
	}, name)[0]
	commit, err := platform.Push(ctx, "An earlier operator for "+name)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, platform.Delivery("operators", commit).Done)
	wait(g, ctx, push(g, ctx, team, "A network").Done)
	networks := []fleet.Network{network(g, ctx, name, "payments")}
	for network, spec := range map[string]v1alpha1.BitcoinNetworkSpec{
		"stored": {Nodes: 2, Secret: secretName, Storage: &v1alpha1.Storage{Size: resource.MustParse("64Mi")}},
		"alone":  {Nodes: 1, Secret: secretName, Config: []v1alpha1.ConfigLine{"txindex=1"}},
	} {
		networks = append(networks, up(t, g, ctx, name, network, spec))
	}
	lived, sets := map[string]map[string]life{}, map[string]int64{}
	for _, found := range networks {
		mine(g, ctx, found, 0, 3)
		lived[found.Name], sets[found.Name] = lives(g, ctx, name, found.Name), generation(g, ctx, found)
		g.Expect(network(g, ctx, name, found.Name).Status.BestBlock).To(BeNil(), "the earlier operator knows of no best block")
	}

	g.Expect(platform.Edit("tenants/"+name+"/kustomization.yaml",
		"images:\n  - name: ghcr.io/bitcoin-operator/operator\n    newName: localhost/e2e/operator\n    newTag: earlier\n", "")).To(Succeed())
	commit, err = platform.Push(ctx, "This operator for "+name)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, platform.Delivery("operators", commit).Done)

	for _, found := range networks {
		g.Eventually(ctx, func() *v1alpha1.BestBlockStatus { return network(g, ctx, name, found.Name).Status.BestBlock }, "90s", "1s").
			ShouldNot(BeNil(), "this operator looks after %s", found)
		ready(g, ctx, found)
		g.Expect(network(g, ctx, name, found.Name).Status.Height).To(HaveValue(BeNumerically(">=", 3)))
	}
	g.Consistently(func(g Gomega) {
		for _, found := range networks {
			g.Expect(lives(g, ctx, name, found.Name)).To(Equal(lived[found.Name]), "a node of %s was restarted", found)
			g.Expect(generation(g, ctx, found)).To(Equal(sets[found.Name]), "the StatefulSet of %s was written", found)
		}
	}, "20s", "2s").Should(Succeed())

	// Their pods read bitcoin.conf from a ConfigMap: it is there as long as their template
	// asks for it, and then as it was, for those whose turn has not come.
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "stored"}}
	g.Expect(cluster.API.Get(ctx, client.ObjectKeyFromObject(config), config)).To(Succeed())
	earlierUID, earlierData := config.UID, config.Data
	g.Expect(cluster.API.Delete(ctx, config)).To(Succeed())
	putBack(g, ctx, "the deleted ConfigMap", config, func(o client.Object) bool { return o.GetUID() != earlierUID })
	g.Expect(config.Data).To(Equal(earlierData))
	stored := network(g, ctx, name, "stored")
	alter(g, ctx, stored, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = []v1alpha1.ConfigLine{"txindex=1"} })
	ready(g, ctx, stored)
	for _, node := range stored.Nodes {
		g.Expect(configOf(g, ctx, node)).To(ContainSubstring("[regtest]\ntxindex=1\n"))
	}
	g.Expect(cluster.API.Get(ctx, client.ObjectKeyFromObject(config), config)).To(Succeed())
	g.Expect(config.Data).To(Equal(earlierData))
}

// generation returns how often the StatefulSet of a network has been changed.
func generation(g Gomega, ctx context.Context, of fleet.Network) int64 {
	var set appsv1.StatefulSet
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: of.Namespace, Name: of.Name}, &set)).To(Succeed())
	return set.Generation
}
