package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// The platform freezes a team by a line in its tenant.yaml: what it commits and does by
// hand changes nothing, and its nodes run on. It thaws, and may be off-boarded frozen.
func TestFreezingATeam(t *testing.T) {
	g, ctx := needsClusterFor(t, 8*time.Minute)
	const name = "frozen"
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	team := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, name)[0]
	wait(g, ctx, push(g, ctx, team, "A network").Done)
	payments := network(g, ctx, name, "payments")
	before := lives(g, ctx, name, "payments")
	freeze := func(from, to string) {
		t.Helper()
		g.Expect(platform.Edit("tenants/"+name+"/tenant.yaml", fmt.Sprintf("frozen: %q", from), fmt.Sprintf("frozen: %q", to))).To(Succeed())
		commit, err := platform.Push(ctx, fmt.Sprintf("Freeze %s: %s", name, to))
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, platform.Delivery("tenants", commit).Done)
	}
	person := []string{"--namespace=" + name, "--as=somebody", "--as-group=" + name, "--as-group=system:authenticated"}
	byHand := func(args ...string) error {
		_, err := cluster.Kubectl(ctx, append(person, args...)...)
		return err
	}
	const refused = "the platform has frozen this namespace"

	freeze("false", "true")
	g.Expect(byHand("scale", "btcnet", "payments", "--replicas=4")).To(MatchError(ContainSubstring(refused)))
	g.Expect(byHand("patch", "btcnet", "payments", "--type=merge", `--patch={"spec":{"suspend":true}}`)).To(MatchError(ContainSubstring(refused)))
	g.Expect(team.Edit("payments.yaml", "nodes: 3", "nodes: 4")).To(Succeed())
	later := push(g, ctx, team, "One more node")
	reconciler := []string{"--namespace=" + name, "--as=system:serviceaccount:" + name + ":reconciler", "--as-group=system:serviceaccounts"}
	for _, kind := range []string{"btcnet/payments", "sealedsecret/" + secretName} {
		_, err := cluster.Kubectl(ctx, append(reconciler, "delete", kind)...)
		g.Expect(err).To(MatchError(ContainSubstring(refused)), "what Flux would apply as")
	}
	wait(g, ctx, has(payments, mine(g, ctx, payments, 0, 3)))
	wait(g, ctx, cluster.NetworksReady(name)) // its operator looks after it
	g.Expect(network(g, ctx, name, "payments").Spec.Nodes).To(BeEquivalentTo(3))
	g.Expect(lives(g, ctx, name, "payments")).To(Equal(before), "its nodes run on")

	freeze("true", "false")
	wait(g, ctx, later.Done)
	g.Expect(network(g, ctx, name, "payments").Spec.Nodes).To(BeEquivalentTo(4), "what was committed meanwhile")

	freeze("false", "true")
	g.Expect(platform.RemoveTenant(ctx, name)).To(Succeed())
	commit, err := platform.Push(ctx, "Remove "+name)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, fleet.All(platform.Delivery("tenants", commit).Done, goneFrom(name, "deployments,kustomizations,gitrepositories")))
	g.Expect(network(g, ctx, name, "payments").Name).To(Equal("payments"), "Flux removes nothing of what is suspended")
	removeNamespace(g, ctx, name)
}

// Whatever people set by hand, Flux takes back, by whichever name they do it.
func TestFluxTakesBackWhatIsSetByHand(t *testing.T) {
	g, ctx := needsClusterFor(t, 5*time.Minute)
	const name = "by-hand"
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	team := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, name)[0]
	wait(g, ctx, push(g, ctx, team, "A network").Done)
	for _, manager := range []string{"", "--field-manager=mine", "--field-manager=bitcoin-operator"} {
		args := []string{"--namespace=" + name, "--as=somebody", "--as-group=" + name, "--as-group=system:authenticated",
			"patch", "btcnet", "payments", "--type=merge", `--patch={"spec":{"suspend":true}}`}
		if manager != "" {
			args = append(args, manager)
		}
		_, err := cluster.Kubectl(ctx, args...)
		g.Expect(err).NotTo(HaveOccurred(), manager)
		g.Expect(network(g, ctx, name, "payments").Spec.Suspend).To(BeTrue(), manager)
		_, err = cluster.Kubectl(ctx, "annotate", "--overwrite", "--namespace="+name, "kustomization/networks", "reconcile.fluxcd.io/requestedAt="+fmt.Sprint(time.Now().UnixNano()))
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, func(ctx context.Context) (bool, string, error) {
			now, err := cluster.Network(ctx, name, "payments")
			return err == nil && !now.Spec.Suspend, "suspend to be taken back from " + manager, err
		})
	}
	wait(g, ctx, cluster.NetworksReady(name))
}

// A team that has used up its pods does not keep its operator from coming back.
func TestOperatorComesBackBesideAFullQuota(t *testing.T) {
	g, ctx := needsClusterFor(t, 5*time.Minute)
	const name = "full"
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	team := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, name)[0]
	g.Expect(platform.Edit("tenants/"+name+"/kustomization.yaml", "components:",
		"patches:\n  - target: {kind: ResourceQuota, name: tenant-pods}\n    patch: |\n      - {op: replace, path: /spec/hard/pods, value: \"2\"}\ncomponents:")).To(Succeed())
	commit, err := platform.Push(ctx, "Two pods for "+name)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, platform.Delivery("tenants", commit).Done)
	push(g, ctx, team, "A network of three nodes")
	of := fleet.Object{Kind: fleet.BitcoinNetwork, Namespace: name, Name: "payments"}
	wait(g, ctx, says(of, "NodesReady", "exceeded quota: tenant-pods"))

	var pods corev1.PodList
	operators := client.MatchingLabels{"app.kubernetes.io/name": "bitcoin-operator"}
	g.Expect(cluster.API.List(ctx, &pods, client.InNamespace(name), operators)).To(Succeed())
	g.Expect(pods.Items).To(HaveLen(1))
	old := pods.Items[0]
	g.Expect(cluster.API.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: old.Name}})).To(Succeed())
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		err := cluster.API.List(ctx, &pods, client.InNamespace(name), operators)
		ready := false
		for _, pod := range pods.Items {
			for _, condition := range pod.Status.Conditions {
				ready = ready || pod.UID != old.UID && condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue
			}
		}
		return ready, "another operator, beside " + strings.TrimPrefix(old.Name, "bitcoin-operator-"), err
	})
}
