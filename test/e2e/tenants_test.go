package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// addTenants adds teams to the fleet, each with its credentials and its repository's
// files as edit leaves them, and returns them when the platform's part of them is
// there. They go when the test ends.
func addTenants(t *testing.T, g Gomega, ctx context.Context, platform *fleet.Fleet, edit func(team *fleet.Team), names ...string) []*fleet.Team {
	t.Helper()
	g.Expect(platform.Update(ctx)).To(Succeed())
	for _, name := range names {
		g.Expect(platform.AddTenant(ctx, name)).To(Succeed())
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 3*time.Minute, errors.New("three minutes after the test"))
		defer cancel()
		removeTenants(NewWithT(t), ctx, platform, names...)
	})
	commit, err := platform.Push(ctx, fmt.Sprint("Add ", names))
	g.Expect(err).NotTo(HaveOccurred())
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	var teams []*fleet.Team
	for _, name := range names {
		team := team(g, ctx, name)
		g.Expect(team.Seed()).To(Succeed())
		g.Expect(team.SealCredentials(ctx, sealer)).To(Succeed())
		edit(team)
		teams = append(teams, team)
	}
	wait(g, ctx, platform.Delivery("tenants", commit).Done)
	return teams
}

// Flux waits for a team's networks with a worker of its own, which others do not need.
func TestBrokenTeamsDelayNobody(t *testing.T) {
	g, ctx := needsClusterFor(t, 10*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	broken := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		g.Expect(team.Edit("payments.yaml", "  nodes: 3\n", "  nodes: 1\n  image: localhost/e2e/none:1\n")).To(Succeed())
	}, "broken-1", "broken-2", "broken-3", "broken-4", "broken-5")

	waiting := fleet.All()
	for _, team := range broken {
		push(g, ctx, team, "A network that never comes up")
		waiting = fleet.All(waiting, says(fleet.Object{Kind: fleet.BitcoinNetwork, Namespace: team.Name, Name: "payments"}, "NodesReady", "payments-0: "))
	}
	wait(g, ctx, waiting)

	well := team(g, ctx, "team-a")
	g.Expect(os.WriteFile(well.Path("NOTES.md"), []byte(time.Now().String()+"\n"), 0o644)).To(Succeed())
	within(t, g, ctx, "a commit of a team that is well was applied", 20*time.Second, push(g, ctx, well, "Say something").Done)

	// Flux would wait three minutes for what the fix replaces.
	mended := broken[0]
	g.Expect(mended.Edit("payments.yaml", "  image: localhost/e2e/none:1\n", "")).To(Succeed())
	within(t, g, ctx, "a commit that mends a broken team's network was applied", time.Minute, push(g, ctx, mended, "Mend it").Done)
	for _, team := range broken[1:] {
		state, err := cluster.State(ctx, fleet.Object{Kind: fleet.Kustomization, Namespace: team.Name, Name: "networks"})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(state.Is("Ready")).To(BeFalse(), "%s was broken all the while", team.Name)
	}
}

// An operator that does not come up is red in Flux, and holds up no other team.
func TestSlowOperatorThatDoesNotComeUp(t *testing.T) {
	slow(t)
	g, ctx := needsClusterFor(t, 8*time.Minute)
	const name, other = "silenced", "heard"
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	team := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, name, other)[1]
	operators := fleet.Object{Kind: fleet.Kustomization, Namespace: "flux-system", Name: "operators"}

	g.Expect(platform.Edit("tenants/"+name+"/tenant.yaml", "chains: regtest", "chains: regtst")).To(Succeed())
	commit, err := platform.Push(ctx, "A chain that there is not")
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, fleet.All(platform.Delivery("tenants", commit).Done, says(operators, "Ready", "Deployment/"+name+"/bitcoin-operator")))

	within(t, g, ctx, "another team's networks are up", time.Minute, push(g, ctx, team, "Networks").Done)

	g.Expect(platform.Edit("tenants/"+name+"/tenant.yaml", "chains: regtst", "chains: regtest")).To(Succeed())
	commit, err = platform.Push(ctx, "The chain that was meant")
	g.Expect(err).NotTo(HaveOccurred())
	within(t, g, ctx, "its operator is up", time.Minute, platform.Delivery("operators", commit).Done)
}

// Whatever goes first, all of it goes but what was asked to be kept.
func TestOffboardingInAnyOrder(t *testing.T) {
	const name = "team-o"
	for _, test := range []struct {
		reason string
		first  func(g Gomega, ctx context.Context)
	}{
		{"the operator first, with its rights", func(g Gomega, ctx context.Context) {
			_, err := cluster.Kubectl(ctx, "delete", "--namespace="+name, "deployment/bitcoin-operator", "role/bitcoin-operator", "role/bitcoin-operator-secret")
			g.Expect(err).NotTo(HaveOccurred())
		}},
		{"the team's repository first", func(g Gomega, ctx context.Context) {
			_, err := cluster.Kubectl(ctx, "delete", "--namespace="+name, "gitrepository/networks")
			g.Expect(err).NotTo(HaveOccurred())
		}},
		{"the team's account first, as which Flux would remove the rest", func(g Gomega, ctx context.Context) {
			_, err := cluster.Kubectl(ctx, "delete", "--namespace="+name, "bitcoinnetworks", "--all", "--wait=false")
			g.Expect(err).NotTo(HaveOccurred())
			_, err = cluster.Kubectl(ctx, "delete", "--namespace="+name, "sealedsecrets/bitcoin-rpc", "serviceaccount/reconciler")
			g.Expect(err).NotTo(HaveOccurred())
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g, ctx := needsClusterFor(t, 6*time.Minute)
			platform, err := cluster.Fleet(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			team := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
				g.Expect(os.WriteFile(team.Path("volumes.yaml"), []byte(volumes), 0o644)).To(Succeed())
			}, name)[0]
			wait(g, ctx, push(g, ctx, team, "Networks with volumes").Done)

			// Flux would mend what is deleted by hand: the folder goes at the same time.
			g.Expect(platform.RemoveTenant(ctx, name)).To(Succeed())
			test.first(g, ctx)
			commit, err := platform.Push(ctx, "Remove "+name)
			g.Expect(err).NotTo(HaveOccurred())
			wait(g, ctx, fleet.All(platform.Delivery("tenants", commit).Done, gone(name)))
			g.Expect(claims(g, ctx, name)).To(ConsistOf("data-keeps-0"), "volumes stay, unless their owner opted out")
			fenced(g, ctx, name)
			removeNamespace(g, ctx, name)
		})
	}
}

// A team that has just gone may come back at once: nothing of it is in the way.
func TestTeamComesBackAtOnce(t *testing.T) {
	g, ctx := needsClusterFor(t, 6*time.Minute)
	const name = "again"
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	team := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, name)[0]
	delivery := push(g, ctx, team, "Networks")
	wait(g, ctx, delivery.Done)
	for range 2 {
		g.Expect(platform.RemoveTenant(ctx, name)).To(Succeed())
		commit, err := platform.Push(ctx, "Remove "+name)
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, fleet.All(platform.Delivery("tenants", commit).Done, gone(name)))

		g.Expect(platform.AddTenant(ctx, name)).To(Succeed())
		commit, err = platform.Push(ctx, "Add "+name)
		g.Expect(err).NotTo(HaveOccurred())
		within(t, g, ctx, "its network is back", 30*time.Second, fleet.All(platform.Delivery("tenants", commit).Done, delivery.Done))
	}
}

// volumes are two networks, of which one leaves its volume behind.
const volumes = `apiVersion: bitcoin-operator.github.io/v1alpha1
kind: BitcoinNetwork
metadata:
  name: keeps
spec:
  nodes: 1
  secret: bitcoin-rpc
  storage:
    size: 64Mi
---
apiVersion: bitcoin-operator.github.io/v1alpha1
kind: BitcoinNetwork
metadata:
  name: drops
spec:
  nodes: 1
  secret: bitcoin-rpc
  storage:
    size: 64Mi
    whenDeleted: Delete
`

// claims waits until no claim is going, and returns those that stay.
func claims(g Gomega, ctx context.Context, namespace string) []string {
	var names []string
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		var list corev1.PersistentVolumeClaimList
		err := cluster.API.List(ctx, &list, client.InNamespace(namespace))
		names = nil
		going := 0
		for _, claim := range list.Items {
			names = append(names, claim.Name)
			if claim.DeletionTimestamp != nil || claim.Name == "data-drops-0" {
				going++
			}
		}
		return err == nil && going == 0, fmt.Sprintf("%d claims to go", going), err
	})
	return names
}

// fenced expects that what bounds a namespace stays as long as the namespace does.
func fenced(g Gomega, ctx context.Context, namespace string) {
	for _, fence := range []string{"resourcequota/tenant", "limitrange/tenant", "networkpolicy/tenant.default-deny", "configmap/tenant"} {
		_, err := cluster.Kubectl(ctx, "get", "--namespace="+namespace, fence)
		g.Expect(err).NotTo(HaveOccurred())
	}
	var found corev1.Namespace
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Name: namespace}, &found)).To(Succeed())
	g.Expect(found.Labels).To(HaveKeyWithValue("pod-security.kubernetes.io/enforce", "restricted"))
}
