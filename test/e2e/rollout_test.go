package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// The chain of a network without volumes is in its pods alone. Whoever drains machines
// must not be able to take the last pod that has it, however fast: an empty node is
// there long before it has copied the chain.
func TestEvictionsKeepTheChain(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	drained := up(t, g, ctx, "team-a", "drained", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	tip := mineMany(g, ctx, drained, 4000)
	before := lives(g, ctx, "team-a", "drained")
	for _, node := range drained.Nodes {
		refused := evict(g, ctx, node)
		t.Logf("%s was evicted after %d refusals", node, refused)
	}
	wait(g, ctx, replaced("team-a", "drained", before, 3))
	ready(g, ctx, drained)
	wait(g, ctx, has(drained, tip))
}

// mineMany mines blocks on the first node, a thousand at a time, and waits until all
// nodes have the last.
func mineMany(g Gomega, ctx context.Context, on fleet.Network, blocks int) string {
	for range blocks / 1000 {
		_, err := on.Nodes[0].Bitcoin(ctx, "-rpcclienttimeout=0", "generatetodescriptor", "1000", "raw(51)")
		g.Expect(err).NotTo(HaveOccurred())
	}
	return mine(g, ctx, on, 0, 1)
}

// evict evicts a node's pod, as kubectl drain does: again and again until it may. It
// returns how often it was refused.
func evict(g Gomega, ctx context.Context, node fleet.Node) int {
	refused := 0
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		pod, err := podOf(ctx, node)
		if err != nil {
			return false, "", err
		}
		err = cluster.API.SubResource("eviction").Create(ctx, pod, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}})
		if apierrors.IsTooManyRequests(err) {
			refused++
			return false, node.String() + " to be evicted", nil
		}
		return err == nil, "", err
	})
	return refused
}

// With a node that has the chain and cannot pass it on, scaling down waits.
func TestScalingDownKeepsTheNodeWithTheChain(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	shrunk := up(t, g, ctx, "team-a", "shrunk", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	wait(g, ctx, higher(shrunk, 0))
	behind := processOf(g, ctx, shrunk.Nodes[0])
	g.Expect(syscall.Kill(behind, syscall.SIGSTOP)).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(behind, syscall.SIGCONT) })
	tip, err := shrunk.Nodes[1].Mine(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		has, err := shrunk.Nodes[2].Has(ctx, tip)
		return has, "the block on the node beside", err
	})
	// It is known to the operator when it has looked again.
	look(g, ctx, shrunk)

	scale(g, ctx, shrunk, 1)
	wait(g, ctx, tells(shrunk, "Ready", "NodesNotReady", "shrunk-1 waits for shrunk-0 to have the best block"))
	g.Expect(lives(g, ctx, "team-a", "shrunk")).To(HaveLen(2), "the one above has nothing that the other lacks")

	g.Expect(syscall.Kill(behind, syscall.SIGCONT)).To(Succeed())
	ready(g, ctx, shrunk)
	wait(g, ctx, has(network(g, ctx, "team-a", "shrunk"), tip))
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		return len(lives(g, ctx, "team-a", "shrunk")) == 1, "one node to be left", nil
	})
}

// look has the operator look at a network, and waits until it has.
func look(g Gomega, ctx context.Context, of fleet.Network) {
	at := time.Now().Format(time.RFC3339Nano)
	_, err := cluster.Kubectl(ctx, "annotate", "btcnet", of.Name, "--namespace", of.Namespace, "--overwrite", "reconcile.fluxcd.io/requestedAt="+at)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		now, err := cluster.Network(ctx, of.Namespace, of.Name)
		return now.Status.LastHandledReconcileAt == at, "the operator to have looked at " + of.String(), err
	})
}

// The only node of a network is replaced, and its chain is not lost: another copies it.
func TestOneNodeKeepsItsChainThroughAnImageChange(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	const next = "localhost/e2e/bitcoind:alone"
	alone := up(t, g, ctx, "team-b", "alone", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName})
	g.Expect(cluster.TagImage(ctx, alone.Status.Image, next)).To(Succeed())
	t.Cleanup(func() { _ = cluster.RemoveImage(context.WithoutCancel(ctx), next) })
	tip := mine(g, ctx, alone, 0, 20)
	before := lives(g, ctx, "team-b", "alone")

	alter(g, ctx, alone, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "localhost/e2e/missing:1" })
	wait(g, ctx, tells(alone, "Ready", "Rolling", "alone-0 waits for alone-1 to serve", "localhost/e2e/missing:1"))
	g.Expect(lives(g, ctx, "team-b", "alone")).To(HaveKeyWithValue("alone-0", before["alone-0"]), "an image that does not exist takes nothing")

	alter(g, ctx, alone, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = next })
	ready(g, ctx, alone)
	after := lives(g, ctx, "team-b", "alone")
	g.Expect(after).To(HaveLen(1))
	g.Expect(after["alone-0"].UID).NotTo(Equal(before["alone-0"].UID))
	wait(g, ctx, has(alone, tip))
}

// A template that was bad takes down one node of those that ran, and its correction
// heals them all, whatever the others do.
func TestCorrectedTemplateHealsNodesThatCrash(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	limit := func(memory string) func(*v1alpha1.BitcoinNetworkSpec) {
		return func(spec *v1alpha1.BitcoinNetworkSpec) {
			spec.Resources = &v1alpha1.Resources{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)}}
		}
	}
	// With this cache a node needs more than a hundred MiB.
	crashing := up(t, g, ctx, "team-a", "crashing", v1alpha1.BitcoinNetworkSpec{
		Nodes: 3, Secret: secretName, Config: []v1alpha1.ConfigLine{"maxsigcachesize=128"},
	})
	tip := mine(g, ctx, crashing, 0, 5)
	before := lives(g, ctx, "team-a", "crashing")

	alter(g, ctx, crashing, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 5; limit("64Mi")(spec) })
	wait(g, ctx, fleet.All(
		tells(crashing, "NodesReady", "NodesNotReady", "crashing-3: ", "crashing-4: ", "OOMKilled"),
		tells(crashing, "Ready", "NodesNotReady", "crashing-0 waits for crashing-3 to serve")))
	for pod, life := range before {
		g.Expect(lives(g, ctx, "team-a", "crashing")).To(HaveKeyWithValue(pod, life), "%s was taken down by a template that does not work", pod)
	}

	alter(g, ctx, crashing, limit("400Mi"))
	ready(g, ctx, crashing)
	wait(g, ctx, replaced("team-a", "crashing", before, 5))
	wait(g, ctx, has(network(g, ctx, "team-a", "crashing"), tip))
}

// A line that bitcoind does not take stops one node, and not the one to which clients are
// led. Those whose turn has not come are made with another, also for a container that is
// started again meanwhile.
func TestBadConfigTakesOneNode(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	torn := up(t, g, ctx, "team-a", "torn", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	tip := mine(g, ctx, torn, 0, 5)
	before := lives(g, ctx, "team-a", "torn")
	alter(g, ctx, torn, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Config = []v1alpha1.ConfigLine{"blockfilterindex=nonsense"}
	})
	wait(g, ctx, tells(torn, "Ready", "NodesNotReady", "torn-1: ", "waits for torn-1 to serve"))

	last := torn.Nodes[2]
	g.Expect(syscall.Kill(processOf(g, ctx, last), syscall.SIGKILL)).To(Succeed())
	again := life{before["torn-2"].UID, before["torn-2"].Restarts + 1}
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		return lives(g, ctx, "team-a", "torn")["torn-2"] == again, "the container of " + last.String() + " to be started again", nil
	})
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		has, err := last.Has(ctx, tip)
		return has, "the block on " + last.String(), err
	})
	g.Expect(configOf(g, ctx, last)).NotTo(ContainSubstring("blockfilterindex"))

	alter(g, ctx, torn, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = nil })
	ready(g, ctx, torn)
	g.Expect(lives(g, ctx, "team-a", "torn")).To(And(HaveKeyWithValue("torn-0", before["torn-0"]), HaveKeyWithValue("torn-2", again)))
	wait(g, ctx, has(network(g, ctx, "team-a", "torn"), tip))
}

// A network that came up in parts has no links that could be waited for. Nodes that
// have no room for what they send finish no handshake.
func TestNetworkThatCameUpSplitTakesTheCorrection(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	split := create(t, g, ctx, "team-b", "split", v1alpha1.BitcoinNetworkSpec{
		Nodes: 3, Secret: secretName, Config: []v1alpha1.ConfigLine{"maxsendbuffer=0"},
	})
	wait(g, ctx, tells(split, "Ready", "Split"))
	alter(g, ctx, split, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = nil })
	ready(g, ctx, split)
}

func TestBadImageTakesOneNodeWithAVolume(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	kept := up(t, g, ctx, "team-b", "kept", v1alpha1.BitcoinNetworkSpec{
		Nodes: 3, Secret: secretName, Storage: &v1alpha1.Storage{Size: resource.MustParse("64Mi")},
	})
	before := lives(g, ctx, "team-b", "kept")
	alter(g, ctx, kept, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "localhost/pause:1" })
	wait(g, ctx, tells(kept, "Ready", "NodesNotReady", "the image has no bitcoind on its PATH", "waits for kept-1 to serve"))
	g.Consistently(func() int {
		same := 0
		for pod, life := range lives(g, ctx, "team-b", "kept") {
			if before[pod] == life {
				same++
			}
		}
		return same
	}, "20s", "2s").Should(Equal(2))

	alter(g, ctx, kept, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "" })
	ready(g, ctx, kept)
}

// Who was away when a password leaked, and who cannot be made, holds up nobody: the
// nodes that run get the new one, and keep their chains.
func TestLeakedPasswordLeavesEveryNode(t *testing.T) {
	g, ctx := needsClusterFor(t, 8*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	leaky := addTenants(t, g, ctx, platform, func(team *fleet.Team) {}, "leaky")[0]
	wait(g, ctx, push(g, ctx, leaky, "A network").Done)
	old := pairOf(g, ctx, "leaky")

	var networks []fleet.Network
	tips := map[string]string{}
	for _, nodes := range []int{1, 2, 3} {
		name := fmt.Sprintf("nodes-%d", nodes)
		created := up(t, g, ctx, "leaky", name, v1alpha1.BitcoinNetworkSpec{Nodes: int32(nodes), Secret: secretName})
		tips[name] = mine(g, ctx, created, 0, 10)
		networks = append(networks, created)
	}
	// Away: the operator's Deployment has no pod, and Flux is not asked to mend that.
	operate := func(replicas string) {
		_, err := cluster.Kubectl(ctx, "scale", "deployment", "bitcoin-operator", "--namespace=leaky", "--replicas="+replicas)
		g.Expect(err).NotTo(HaveOccurred())
	}
	operate("0")
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		names, err := cluster.Kubectl(ctx, "get", "pods", "--namespace=leaky", "--selector=app.kubernetes.io/name=bitcoin-operator", "--output=name")
		return strings.TrimSpace(names) == "", "the operator to be gone", err
	})
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(leaky.SealCredentials(ctx, sealer)).To(Succeed())
	push(g, ctx, leaky, "The password leaked")
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		return pairOf(g, ctx, "leaky") != old, "the new password to be unsealed", nil
	})
	operate("1")

	for _, changed := range networks {
		ready(g, ctx, changed)
		g.Expect(lives(g, ctx, "leaky", changed.Name)).To(HaveLen(len(changed.Nodes)))
		wait(g, ctx, has(changed, tips[changed.Name]))
		wait(g, ctx, rejects(changed, old))
	}

	// Two of these fit into the tenant's quota, three do not.
	full := create(t, g, ctx, "leaky", "full", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName, Resources: &v1alpha1.Resources{
		Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("25Gi")},
	}})
	wait(g, ctx, tells(full, "NodesReady", "NodesNotReady", "2 of 3 nodes answer RPC", "exceeded quota"))

	before, old := lives(g, ctx, "leaky", "full"), pairOf(g, ctx, "leaky")
	g.Expect(leaky.SealCredentials(ctx, sealer)).To(Succeed())
	push(g, ctx, leaky, "It leaked again")
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		return pairOf(g, ctx, "leaky") != old, "the new password to be unsealed", nil
	})
	within(t, g, ctx, "the nodes that run rejected the old password", 2*time.Minute, rejects(full, old))
	for pod, life := range lives(g, ctx, "leaky", "full") {
		g.Expect(life.UID).To(Equal(before[pod].UID), "%s was replaced, not restarted", pod)
	}
}

// rejects is so when no node of a network that runs accepts a pair.
func rejects(of fleet.Network, pair pair) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		for _, node := range of.Nodes {
			address := addressOf(ctx, node)
			if err := call(ctx, address, pair); address != "" && !errors.Is(err, errUnauthorized) {
				return false, fmt.Sprintf("%s to reject the old password: %v", node, err), nil
			}
		}
		return true, "", nil
	}
}

// Spoiled data do not mend themselves: without a volume the node is made anew. It
// takes five minutes until that is certain.
func TestSlowNodeWithSpoiledDataIsReplaced(t *testing.T) {
	slow(t)
	t.Parallel()
	g, ctx := needsClusterFor(t, 15*time.Minute)
	spoiled := up(t, g, ctx, "team-a", "spoiled", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	tip := mine(g, ctx, spoiled, 0, 20)
	before := lives(g, ctx, "team-a", "spoiled")
	_, err := cluster.Kubectl(ctx, "exec", "spoiled-1", "--namespace=team-a", "--", "sh", "-c",
		`echo MANIFEST-999999 >~/.bitcoin/regtest/blocks/index/CURRENT; bitcoin-cli stop`)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, tells(spoiled, "NodesReady", "NodesNotReady", "spoiled-1: "))
	ready(g, ctx, spoiled)
	after := lives(g, ctx, "team-a", "spoiled")
	g.Expect(after["spoiled-1"].UID).NotTo(Equal(before["spoiled-1"].UID))
	g.Expect(after).To(HaveKeyWithValue("spoiled-0", before["spoiled-0"]))
	wait(g, ctx, has(spoiled, tip))
	told(g, ctx, spoiled.Object(), ContainElement(HavePrefix("Warning Repaired: replacing spoiled-1: it has not served for ")))
}

// Twelve nodes change their password under a client, one after the other.
func TestSlowPasswordOfTwelveNodesChangesUnderAClient(t *testing.T) {
	slow(t)
	changePasswordUnderAClient(t, 12)
}
