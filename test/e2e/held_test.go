package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A commit can kill or hold what builds teams' commits, by what a parser does with it or
// by its size. It never holds the platform, which suspends the team.
func TestSlowCommitsThatHoldTheirControllers(t *testing.T) {
	slow(t)
	g, ctx := needsClusterFor(t, 15*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	heavy := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, "heavy")[0]
	wait(g, ctx, push(g, ctx, heavy, "Harmless").Done)
	spared, err := restarts(ctx, "flux-system")
	g.Expect(err).NotTo(HaveOccurred())

	for _, test := range []struct {
		reason string
		write  func(path string) error
		held   fleet.Condition
		holds  string // what the platform suspends of the team's
	}{
		{"aliases without end", text("apiVersion: bitcoin-operator.github.io/v1alpha1\nkind: BitcoinNetwork\nmetadata: {name: aliases}\nspec: &all [*all]\n"), killed("kustomize-controller"), "Kustomization"},
		{"a blob that is small until it is unpacked", zeros(1_200_000_000), killed("source-controller"), "GitRepository"},
		{"ten thousand networks", text(manyNetworks(10_000)), built(heavy), "Kustomization"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(test.write(heavy.Path(file))).To(Succeed())
			push(g, ctx, heavy, test.reason)
			within(t, g, ctx, "it is seen", 2*time.Minute, test.held)

			suspend(g, platform, heavy, test.holds)
			commit, err := platform.Push(ctx, "Suspend "+heavy.Name)
			g.Expect(err).NotTo(HaveOccurred())
			within(t, g, ctx, "the team is suspended", 30*time.Second, platform.Delivery("tenants", commit).Done)
			// Kubernetes would wait ever longer before it starts them again.
			_, err = cluster.Kubectl(ctx, "delete", "pods", "--namespace=flux-tenants", "--all")
			g.Expect(err).NotTo(HaveOccurred())
			other := team(g, ctx, "team-a")
			g.Expect(os.WriteFile(other.Path("NOTES.md"), []byte(time.Now().String()+"\n"), 0o644)).To(Succeed())
			within(t, g, ctx, "another team's commit is applied", time.Minute, push(g, ctx, other, "Say something").Done)

			g.Expect(os.Remove(heavy.Path(file))).To(Succeed())
			mended := push(g, ctx, heavy, "Mend it")
			resume(g, platform, heavy, test.holds)
			commit, err = platform.Push(ctx, "Resume "+heavy.Name)
			g.Expect(err).NotTo(HaveOccurred())
			within(t, g, ctx, "the team is back", time.Minute, fleet.All(platform.Delivery("tenants", commit).Done, mended.Done))
		})
	}
	g.Expect(restarts(ctx, "flux-system")).To(Equal(spared), "the platform's controllers were spared")

	t.Run("what was suspended stays when the team goes, until its namespace does", func(t *testing.T) {
		g := NewWithT(t)
		suspend(g, platform, heavy, "Kustomization")
		commit, err := platform.Push(ctx, "Suspend "+heavy.Name)
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, platform.Delivery("tenants", commit).Done)
		g.Expect(platform.RemoveTenant(ctx, heavy.Name)).To(Succeed())
		commit, err = platform.Push(ctx, "Remove "+heavy.Name)
		g.Expect(err).NotTo(HaveOccurred())
		kustomization := fleet.Object{Kind: fleet.Kustomization, Namespace: heavy.Name, Name: "networks"}
		wait(g, ctx, fleet.All(platform.Delivery("tenants", commit).Done, func(ctx context.Context) (bool, string, error) {
			state, err := cluster.State(ctx, kustomization)
			return err == nil && state.Generation == 0, kustomization.String() + " to go", err
		}))
		g.Expect(network(g, ctx, heavy.Name, "payments").DeletionTimestamp).To(BeNil())
		removeNamespace(g, ctx, heavy.Name)
	})
}

// A Git server that never answers holds one worker of many, and no other team.
func TestSourceThatNeverAnswers(t *testing.T) {
	g, ctx := needsCluster(t)
	server, err := net.Listen("tcp", "198.18.0.1:0") // where pods reach this machine
	g.Expect(err).NotTo(HaveOccurred())
	defer server.Close()
	letFetch(t, g, ctx, server.Addr().(*net.TCPAddr))
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	addTenants(t, g, ctx, platform, func(*fleet.Team) {}, "silent")
	source := fleet.Object{Kind: fleet.GitRepository, Namespace: "silent", Name: "networks"}
	g.Expect(cluster.Patch(ctx, source, map[string]any{"spec": map[string]any{"url": "http://" + server.Addr().String() + "/silent.git"}})).To(Succeed())
	asked := make(chan error)
	go func() {
		_, err := server.Accept()
		asked <- err
	}()
	g.Eventually(asked).WithContext(ctx).Should(Receive(BeNil()), "it was not asked")

	other := team(g, ctx, "team-a")
	g.Expect(os.WriteFile(other.Path("NOTES.md"), []byte(time.Now().String()+"\n"), 0o644)).To(Succeed())
	within(t, g, ctx, "another team's commit is applied", 20*time.Second, push(g, ctx, other, "Say something").Done)
}

// letFetch lets the tenants' source-controller reach an address beside the Git server's,
// until the test ends.
func letFetch(t *testing.T, g Gomega, ctx context.Context, address *net.TCPAddr) {
	policy := &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "flux-tenants", Name: "another-git-server"},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "source-controller"}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
			Egress: []networkingv1.NetworkPolicyEgressRule{{
				To:    []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: address.IP.String() + "/32"}}},
				Ports: []networkingv1.NetworkPolicyPort{{Port: new(intstr.FromInt(address.Port))}},
			}},
		},
	}
	g.Expect(cluster.API.Create(ctx, policy)).To(Succeed())
	t.Cleanup(func() { _ = cluster.API.Delete(context.WithoutCancel(ctx), policy) })
}

// suspended is what the platform adds to a team's folder.
func suspended(kind string) string {
	return "patches:\n  - target: {kind: " + kind + ", name: networks}\n    patch: |\n      - {op: add, path: /spec/suspend, value: true}\n"
}

func suspend(g Gomega, platform *fleet.Fleet, team *fleet.Team, kind string) {
	folder := platform.Path("tenants", team.Name, "kustomization.yaml")
	content, err := os.ReadFile(folder)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(folder, append(content, suspended(kind)...), 0o644)).To(Succeed())
}

func resume(g Gomega, platform *fleet.Fleet, team *fleet.Team, kind string) {
	g.Expect(platform.Edit("tenants/"+team.Name+"/kustomization.yaml", suspended(kind), "")).To(Succeed())
}

// restarts are how often the containers of a namespace have been started again, by pod.
func restarts(ctx context.Context, namespace string) (map[string]int32, error) {
	var pods corev1.PodList
	err := cluster.API.List(ctx, &pods, client.InNamespace(namespace))
	counted := map[string]int32{}
	for _, pod := range pods.Items {
		for _, container := range pod.Status.ContainerStatuses {
			counted[pod.Name] += container.RestartCount
		}
	}
	return counted, err
}

// killed is so when one of the tenants' controllers has been started again.
func killed(controller string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		counted, err := restarts(ctx, "flux-tenants")
		for pod, times := range counted {
			if times > 0 && strings.HasPrefix(pod, controller) {
				return true, "", nil
			}
		}
		return false, controller + " to be killed", err
	}
}

// built is so while a team's last commit is being built.
func built(team *fleet.Team) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		head, err := team.Head(ctx)
		if err != nil {
			return false, "", err
		}
		state, err := cluster.State(ctx, fleet.Object{Kind: fleet.Kustomization, Namespace: team.Name, Name: "networks"})
		doing := meta.FindStatusCondition(state.Conditions, "Reconciling")
		return doing != nil && strings.HasPrefix(doing.Message, "Building manifests") && strings.Contains(doing.Message, head), state.Message("Ready"), err
	}
}

// manyNetworks are so many, parked.
func manyNetworks(many int) string {
	var all strings.Builder
	for i := range many {
		fmt.Fprintf(&all, "---\n%s", networkWith(fmt.Sprintf("many-%d", i)))
	}
	return all.String()
}

func text(content string) func(path string) error {
	return func(path string) error { return os.WriteFile(path, []byte(content), 0o644) }
}

// zeros take no room where they are written, nor in Git.
func zeros(size int64) func(path string) error {
	return func(path string) error {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		return os.Truncate(path, size)
	}
}
