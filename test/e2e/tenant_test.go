package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A team comes, makes each mistake that a team makes, and goes.
func TestLifeOfATenant(t *testing.T) {
	g, ctx := needsCluster(t)
	const name = "team-c"

	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(platform.Update(ctx)).To(Succeed())
	g.Expect(platform.AddTenant(ctx, name)).To(Succeed())
	commit, err := platform.Push(ctx, "Add "+name)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Minute)
		defer cancel()
		removeTenants(NewWithT(t), ctx, platform, name)
	})

	team := team(g, ctx, name)
	g.Expect(team.Seed()).To(Succeed())
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	network := fleet.Object{Kind: fleet.BitcoinNetwork, Namespace: name, Name: "payments"}

	t.Run("a network without its SealedSecret waits, and starts nothing", func(t *testing.T) {
		g := NewWithT(t)
		tried := push(g, ctx, team, "Forget the credentials").Tried
		wait(g, ctx, fleet.All(platform.Delivery("tenants", commit).Done, tried, says(network, "CredentialsReady", `Secret "bitcoin-rpc" does not exist in namespace team-c`)))
		g.Expect(pods(g, ctx, name)).To(BeEmpty())
		told(g, ctx, network, ContainElement(HavePrefix("Warning SecretNotFound")))
	})

	t.Run("a Secret that was sealed for somebody else says so", func(t *testing.T) {
		g := NewWithT(t)
		sealed, err := sealer.Seal(ctx, "team-b", "bitcoin-rpc", fleet.NewCredentials(name))
		g.Expect(err).NotTo(HaveOccurred())
		moved := strings.ReplaceAll(string(sealed), "team-b", name)
		g.Expect(os.WriteFile(team.Path("bitcoin-rpc.yaml"), []byte(moved), 0o644)).To(Succeed())
		tried := push(g, ctx, team, "Use another team's credentials").Tried
		wait(g, ctx, fleet.All(tried, says(network, "CredentialsReady", "no key could decrypt secret")))
		g.Expect(pods(g, ctx, name)).To(BeEmpty())
	})

	t.Run("the right Secret brings the network up", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(team.SealCredentials(ctx, sealer)).To(Succeed())
		wait(g, ctx, push(g, ctx, team, "Use credentials of our own").Done)
		found, err := cluster.Network(ctx, name, "payments")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found.Status.ObservedGeneration).To(Equal(found.Generation))
		wait(g, ctx, found.Connected)
	})

	t.Run("a new Secret that cannot be opened leaves the one that there is, and says so", func(t *testing.T) {
		g := NewWithT(t)
		ours, err := os.ReadFile(team.Path("bitcoin-rpc.yaml"))
		g.Expect(err).NotTo(HaveOccurred())
		before := lives(g, ctx, name, "payments")
		theirs, err := sealer.Seal(ctx, "team-b", "bitcoin-rpc", fleet.NewCredentials(name))
		g.Expect(err).NotTo(HaveOccurred())
		moved := strings.ReplaceAll(string(theirs), "team-b", name)
		g.Expect(os.WriteFile(team.Path("bitcoin-rpc.yaml"), []byte(moved), 0o644)).To(Succeed())
		tried := push(g, ctx, team, "Change to another team's credentials").Tried
		found, err := cluster.Network(ctx, name, "payments")
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, tried)
		look(g, ctx, found) // of a SealedSecret that changes the operator hears at its regular look
		wait(g, ctx, tells(found, "CredentialsReady", "SecretOutdated", "no key could decrypt secret"))
		wait(g, ctx, cluster.Says(network, "Ready"))
		g.Expect(lives(g, ctx, name, "payments")).To(Equal(before), "no node is restarted")
		g.Expect(os.WriteFile(team.Path("bitcoin-rpc.yaml"), ours, 0o644)).To(Succeed())
		wait(g, ctx, push(g, ctx, team, "Back to our own").Done)
		look(g, ctx, found)
		wait(g, ctx, tells(found, "CredentialsReady", "SecretRead"))
	})

	t.Run("a mistake in the manifest is refused at apply, with the field's name", func(t *testing.T) {
		for _, mistake := range []struct{ from, to, want string }{
			{"nodes: 3", "nodes: -1", "spec.nodes"},
			{"nodes: 3", "nodes: 1001", "spec.nodes"},
			{"chain: regtest", "chain: dogecoin", "spec.chain"},
			{"chain: regtest", `image: ""`, "spec.image"},
			{"name: payments", "name: payments-rpc", "must not end in '-rpc'"},
		} {
			g := NewWithT(t)
			g.Expect(team.Edit("payments.yaml", mistake.from, mistake.to)).To(Succeed())
			tried := push(g, ctx, team, mistake.to).Tried
			wait(g, ctx, fleet.All(tried, says(fleet.Object{Kind: fleet.Kustomization, Namespace: name, Name: "networks"}, "Ready", mistake.want)))
			g.Expect(team.Edit("payments.yaml", mistake.to, mistake.from)).To(Succeed())
		}
		g := NewWithT(t)
		wait(g, ctx, push(g, ctx, team, "Mend the manifest").Done)
	})

	t.Run("no password shows anywhere", func(t *testing.T) {
		g := NewWithT(t)
		var secret corev1.Secret
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: name, Name: "bitcoin-rpc"}, &secret)).To(Succeed())
		password := string(secret.Data["BC_RPC_PASSWORD"])
		g.Expect(password).NotTo(BeEmpty())
		for what, command := range map[string][]string{
			"objects, statuses and events": {"get", "bitcoinnetworks,statefulsets,services,configmaps,pods,events", "-o", "yaml"},
			"descriptions":                 {"describe", "bitcoinnetworks,statefulsets,pods"},
			"the operator's log":           {"logs", "deployment/bitcoin-operator"},
			"a node's log":                 {"logs", "payments-0"},
			"a node's processes":           {"exec", "payments-0", "--", "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline; tr '\\0' ' ' < /proc/1/environ"},
			"a node's configuration":       {"exec", "payments-0", "--", "sh", "-c", "cat ~/.bitcoin/bitcoin.conf /run/bitcoind/rpcauth.conf"},
		} {
			text, err := cluster.Kubectl(ctx, append([]string{"--namespace=" + name}, command...)...)
			g.Expect(err).NotTo(HaveOccurred(), what)
			g.Expect(text).NotTo(BeEmpty(), what)
			g.Expect(strings.Contains(text, password)).To(BeFalse(), "the password shows in %s", what)
		}
	})

	t.Run("off-boarding leaves the namespace, and nothing in it", func(t *testing.T) {
		g := NewWithT(t)
		removeTenants(g, ctx, platform, name)
	})
}

// removeTenants takes tenants out of the fleet, waits until all of them has gone,
// and then deletes their namespaces, which stay until somebody does.
func removeTenants(g Gomega, ctx context.Context, platform *fleet.Fleet, names ...string) {
	var left []string
	everything := []fleet.Condition{}
	for _, name := range names {
		if _, err := os.Stat(platform.Path("tenants", name)); err != nil {
			continue // done
		}
		g.Expect(platform.RemoveTenant(ctx, name)).To(Succeed())
		left, everything = append(left, name), append(everything, gone(name))
	}
	if len(left) == 0 {
		return
	}
	commit, err := platform.Push(ctx, fmt.Sprint("Remove ", left))
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, fleet.All(append(everything, platform.Delivery("tenants", commit).Done)...))
	for _, name := range left {
		removeNamespace(g, ctx, name)
	}
}

// removeNamespace deletes a namespace, and waits until it has gone.
func removeNamespace(g Gomega, ctx context.Context, name string) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	g.Expect(cluster.API.Delete(ctx, namespace)).To(Succeed())
	wait(g, ctx, namespaceGone(name))
}

func namespaceGone(name string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		err := cluster.API.Get(ctx, client.ObjectKey{Name: name}, &corev1.Namespace{})
		return apierrors.IsNotFound(err), "namespace " + name + " to go", client.IgnoreNotFound(err)
	}
}

// gone is so when a tenant's namespace holds nothing that was made for it, but for
// what Flux has removed it with: that account, and the rights to be it.
func gone(namespace string) fleet.Condition {
	return goneFrom(namespace, "bitcoinnetworks,sealedsecrets,secrets,statefulsets,deployments,pods,services,leases,roles,rolebindings,kustomizations,gitrepositories")
}

// goneFrom is so when a namespace holds none of these kinds.
func goneFrom(namespace, kinds string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		left, err := cluster.Kubectl(ctx, "get", "--namespace", namespace, "--output=name", "--ignore-not-found", kinds)
		left = strings.Join(slices.DeleteFunc(strings.Fields(left), func(object string) bool {
			_, name, _ := strings.Cut(object, "/")
			return slices.Contains([]string{"reconciler", "kustomize-controller", "source-controller"}, name)
		}), ", ")
		return err == nil && left == "", fmt.Sprintf("%s to go", left), err
	}
}

// says is so when a condition of an object that is not True has a text in its
// message.
func says(object fleet.Object, condition, text string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		state, err := cluster.State(ctx, object)
		if err != nil {
			return false, "", err
		}
		message := state.Message(condition)
		return state.Not(condition) && strings.Contains(message, text), fmt.Sprintf("%q in %s", text, message), nil
	}
}

// pods returns the names of the nodes' pods in a namespace.
func pods(g Gomega, ctx context.Context, namespace string) []string {
	var list corev1.PodList
	g.Expect(cluster.API.List(ctx, &list, client.InNamespace(namespace), client.HasLabels{"bitcoin-operator.github.io/network"})).To(Succeed())
	var names []string
	for _, pod := range list.Items {
		names = append(names, pod.Name)
	}
	return names
}

// told waits until events tell of an object what matches. They follow the status that
// they tell of.
func told(g Gomega, ctx context.Context, object fleet.Object, matcher types.GomegaMatcher) {
	g.Eventually(ctx, func(g Gomega) { g.Expect(events(g, ctx, object)).To(matcher) }).
		WithTimeout(10 * time.Second).WithPolling(200 * time.Millisecond).Should(Succeed())
}

// events returns what events tell of an object, as "Type Reason: message".
func events(g Gomega, ctx context.Context, object fleet.Object) []string {
	var list corev1.EventList
	g.Expect(cluster.API.List(ctx, &list, client.InNamespace(object.Namespace))).To(Succeed())
	var told []string
	for _, event := range list.Items {
		if event.InvolvedObject.Kind == object.Kind.Kind && event.InvolvedObject.Name == object.Name {
			told = append(told, fmt.Sprintf("%s %s: %s", event.Type, event.Reason, event.Message))
		}
	}
	return told
}
