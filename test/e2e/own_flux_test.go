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

// ownFlux is the component that gives a team controllers of its own, and private the one
// for a repository that wants credentials.
const (
	ownFlux = "  - ../../gitops/clusters/local/own-flux\n"
	private = "  - ../private\n"
)

// A team that is trusted less has its commits built by controllers of its own.
func TestTeamWithControllersOfItsOwn(t *testing.T) {
	g, ctx := needsClusterFor(t, 8*time.Minute)
	const name = "own"
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	team := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, name)[0]
	join := func(message string) {
		g.Expect(platform.Edit("tenants/"+name+"/kustomization.yaml", "  - ../base\n", "  - ../base\n"+private+ownFlux)).To(Succeed())
		commit, err := platform.Push(ctx, message)
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, platform.Delivery("tenants", commit).Done)
	}
	join("Controllers of its own")
	g.Expect(cluster.API.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "git"},
		StringData: map[string]string{"username": "anybody", "password": "none"},
	})).To(Succeed())
	delivery := push(g, ctx, team, "Networks")
	wait(g, ctx, delivery.Done)

	t.Run("they have built it, and the others have not", func(t *testing.T) {
		g := NewWithT(t)
		logged := func(namespace string) string {
			printed, err := cluster.Kubectl(ctx, "logs", "deployment/kustomize-controller", "--namespace="+namespace)
			g.Expect(err).NotTo(HaveOccurred())
			return printed
		}
		revision := strings.TrimSpace(kubectlPrints(g, ctx, "get", "kustomization", "networks", "--namespace="+name, "--output=jsonpath={.status.lastAppliedRevision}"))
		g.Expect(logged(name)).To(ContainSubstring(revision))
		g.Expect(logged("flux-tenants")).NotTo(ContainSubstring(revision))
	})

	t.Run("they have rights there alone", func(t *testing.T) {
		g := NewWithT(t)
		builds, fetches := account(name, "kustomize-controller"), account(name, "source-controller")
		const networks = "kustomizations.kustomize.toolkit.fluxcd.io/networks"
		g.Expect(may(g, ctx, builds, "impersonate", "serviceaccounts/reconciler", name)).To(BeTrue())
		g.Expect(may(g, ctx, builds, "impersonate", "serviceaccounts/reconciler", "team-a")).To(BeFalse())
		g.Expect(may(g, ctx, builds, "patch", networks, name)).To(BeTrue())
		g.Expect(may(g, ctx, builds, "patch", networks, "team-a")).To(BeFalse())
		g.Expect(may(g, ctx, builds, "list", "serviceaccounts", "")).To(BeFalse())
		g.Expect(may(g, ctx, fetches, "get", "secrets/git", name)).To(BeTrue(), "for its repository")
		g.Expect(may(g, ctx, fetches, "get", "secrets/bitcoin-rpc", name)).To(BeFalse())
		g.Expect(may(g, ctx, fetches, "list", "gitrepositories.source.toolkit.fluxcd.io", "team-a")).To(BeFalse())
		shared := account("flux-tenants", "kustomize-controller")
		g.Expect(may(g, ctx, shared, "impersonate", "serviceaccounts/reconciler", name)).To(BeFalse(), "those of the others have none here")
	})

	t.Run("taken over, they change finalizers and status alone", func(t *testing.T) {
		g := NewWithT(t)
		builds, err := cluster.As(ctx, name, "kustomize-controller")
		g.Expect(err).NotTo(HaveOccurred())
		handOver := changes(fleet.Kustomization, name, "networks", `{"metadata":{"labels":{"sharding.fluxcd.io/key":"tenants"}}}`)
		g.Expect(handOver(ctx, builds)).To(MatchError(ContainSubstring(finalizersOnly)))
	})

	t.Run("it goes out of Git, and then by its namespace", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(platform.RemoveTenant(ctx, name)).To(Succeed())
		commit, err := platform.Push(ctx, "Remove "+name)
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, fleet.All(platform.Delivery("tenants", commit).Done, goneFrom(name, "bitcoinnetworks,sealedsecrets,kustomizations,gitrepositories")))
		removeNamespace(g, ctx, name)
	})

	t.Run("a namespace that goes first is helped", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(platform.AddTenant(ctx, name)).To(Succeed())
		join("Once more")
		wait(g, ctx, cluster.Says(fleet.Object{Kind: fleet.Deployment, Namespace: name, Name: "kustomize-controller"}, "Available"))
		kubectlPrints(g, ctx, "delete", "namespace", name, "--wait=false")
		wait(g, ctx, held(name))
		for _, object := range []string{"kustomization/networks", "gitrepository/networks"} {
			kubectlPrints(g, ctx, "patch", object, "--namespace="+name, "--type=merge", `--patch={"metadata":{"finalizers":null}}`)
		}
		g.Expect(platform.RemoveTenant(ctx, name)).To(Succeed())
		_, err := platform.Push(ctx, "Remove "+name)
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, namespaceGone(name))
	})
}

// held is so when a namespace that goes waits for finalizers of both of Flux's objects.
func held(name string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var namespace corev1.Namespace
		err := cluster.API.Get(ctx, client.ObjectKey{Name: name}, &namespace)
		for _, condition := range namespace.Status.Conditions {
			if condition.Type == corev1.NamespaceFinalizersRemaining && strings.Contains(condition.Message, "finalizers.fluxcd.io in 2 ") {
				return true, "", nil
			}
		}
		return false, fmt.Sprintf("namespace %s to wait for finalizers: %v", name, namespace.Status.Conditions), err
	}
}

func kubectlPrints(g Gomega, ctx context.Context, args ...string) string {
	printed, err := cluster.Kubectl(ctx, args...)
	g.Expect(err).NotTo(HaveOccurred())
	return printed
}
