package e2e

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// Every field set once, each to something that is not its default, and seen where
// it takes effect.
func TestEveryField(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	const image = "localhost/e2e/bitcoind:every"
	g.Expect(cluster.TagImage(ctx, cmp.Or(tested, network(g, ctx, "team-a", "payments").Status.Image), image)).To(Succeed())
	t.Cleanup(func() { _ = cluster.RemoveImage(context.WithoutCancel(ctx), image) })

	every := create(t, g, ctx, "team-a", "every", v1alpha1.BitcoinNetworkSpec{
		Nodes:            4,
		Secret:           secretName,
		Chain:            v1alpha1.Regtest,
		Users:            []v1alpha1.User{{Name: "watch-only", Methods: []v1alpha1.RPCMethod{"uptime", "getblock"}}},
		Config:           []v1alpha1.ConfigLine{"txindex=1", "blockfilterindex=1", "maxmempool=77", "debug=net", "debug=zmq"},
		ZMQ:              []v1alpha1.ZMQTopic{v1alpha1.HashBlock, v1alpha1.HashTx, v1alpha1.RawBlock, v1alpha1.RawTx, v1alpha1.Sequence},
		Image:            image,
		ImagePullPolicy:  corev1.PullNever,
		ImagePullSecrets: []v1alpha1.ImagePullSecret{{Name: "registry"}},
		Peering:          v1alpha1.Peering{Degree: 2},
		Storage: &v1alpha1.Storage{
			Size: resource.MustParse("64Mi"), ClassName: new("standard"),
			WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType, WhenScaled: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		},
		Resources: &v1alpha1.Resources{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("11m"), corev1.ResourceMemory: resource.MustParse("72Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("400Mi")},
		},
		NodeSelector: map[string]string{corev1.LabelOSStable: "linux"},
		Tolerations:  []corev1.Toleration{{Key: "example.com/bitcoin", Operator: corev1.TolerationOpExists}},
		Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpExists}}}},
		}}},
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{MaxSkew: 2, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.DoNotSchedule}},
		PodLabels:                 map[string]v1alpha1.LabelValue{"example.com/cost-centre": "b-17"},
		Mining:                    &v1alpha1.Mining{Address: someone, KeepFresh: new(true)},
		Interval:                  &metav1.Duration{Duration: 10e9},
	})
	ready(g, ctx, every)
	g.Expect(network(g, ctx, "team-a", "every").Status.Links.Summary).To(Equal("5/5"), "a node dials two at most")
	g.Expect(network(g, ctx, "team-a", "every").Status.Image).To(Equal(image))

	t.Run("in the pod", func(t *testing.T) {
		g := NewWithT(t)
		found := pod(g, ctx, every.Nodes[3])
		container := found.Spec.Containers[0]
		g.Expect(found.Labels).To(And(HaveKeyWithValue("example.com/cost-centre", "b-17"), HaveKeyWithValue("bitcoin-operator.github.io/network", "every")))
		g.Expect(found.Spec.NodeSelector).To(HaveKeyWithValue(corev1.LabelOSStable, "linux"))
		g.Expect(found.Spec.Tolerations).To(ContainElement(HaveField("Key", "example.com/bitcoin")))
		g.Expect(found.Spec.Affinity).To(Equal(every.Spec.Affinity))
		g.Expect(found.Spec.TopologySpreadConstraints).To(HaveExactElements(And(
			HaveField("MaxSkew", BeEquivalentTo(2)),
			HaveField("LabelSelector.MatchLabels", HaveKeyWithValue("bitcoin-operator.github.io/network", "every")))))
		g.Expect(found.Spec.ImagePullSecrets).To(HaveExactElements(corev1.LocalObjectReference{Name: "registry"}))
		g.Expect(*found.Spec.TerminationGracePeriodSeconds).To(BeEquivalentTo(60))
		g.Expect(container.Env).To(ContainElement(corev1.EnvVar{Name: "BC_RPC_WHITELISTS", Value: "watch-only:getblock,uptime"}))
		g.Expect(container.Image).To(Equal(image))
		g.Expect(container.ImagePullPolicy).To(Equal(corev1.PullNever))
		g.Expect(container.Resources.Requests.Cpu().String()).To(Equal("11m"))
		g.Expect(container.Resources.Requests.Memory().String()).To(Equal("72Mi"))
		g.Expect(container.Resources.Limits.Memory().String()).To(Equal("400Mi"))
	})

	t.Run("in bitcoin.conf, and in what bitcoind makes of it", func(t *testing.T) {
		g := NewWithT(t)
		node := every.Nodes[3]
		written := configOf(g, ctx, node)
		_, section, found := strings.Cut(written, "[regtest]\n")
		g.Expect(found).To(BeTrue(), written)
		g.Expect(section).To(HavePrefix("txindex=1\nblockfilterindex=1\nmaxmempool=77\ndebug=net\ndebug=zmq\n"))
		g.Expect(written).To(ContainSubstring("\ndbcache=100\n"), "a quarter of the memory")
		indexes := ask[map[string]struct{ Synced bool }](g, ctx, node, "getindexinfo")
		g.Expect(indexes).To(And(HaveKey("txindex"), HaveKey("basic block filter index")))
		mempool := ask[struct{ MaxMempool int }](g, ctx, node, "getmempoolinfo")
		g.Expect(mempool.MaxMempool).To(Equal(77_000_000))
		topics := map[string]string{}
		for _, topic := range ask[[]struct{ Type, Address string }](g, ctx, node, "getzmqnotifications") {
			topics[topic.Type] = topic.Address
		}
		g.Expect(topics).To(Equal(map[string]string{
			"pubrawblock": "tcp://0.0.0.0:28332", "pubrawtx": "tcp://0.0.0.0:28333", "pubhashblock": "tcp://0.0.0.0:28334",
			"pubhashtx": "tcp://0.0.0.0:28335", "pubsequence": "tcp://0.0.0.0:28336",
		}))
	})

	t.Run("in the block that was mined", func(t *testing.T) {
		g := NewWithT(t)
		wait(g, ctx, higher(every, 0))
		hash, err := every.Nodes[0].Bitcoin(ctx, "getblockhash", "1")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(every.Nodes[0].Bitcoin(ctx, "getblock", hash, "2")).To(ContainSubstring(`"address": "` + someone + `"`))
	})

	t.Run("in the volume", func(t *testing.T) {
		g := NewWithT(t)
		wait(g, ctx, claimed(every, "64Mi", 4))
		var claim corev1.PersistentVolumeClaim
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-a", Name: "data-every-3"}, &claim)).To(Succeed())
		g.Expect(claim.Spec.StorageClassName).To(HaveValue(Equal("standard")))
		g.Expect(claim.Status.Phase).To(Equal(corev1.ClaimBound))
		g.Expect(pod(g, ctx, every.Nodes[3]).Spec.Volumes).To(ContainElement(HaveField("VolumeSource.PersistentVolumeClaim", HaveField("ClaimName", "data-every-3"))))
	})

	ports := map[string]int32{"rpc": 18443, "zmq-rawblock": 28332, "zmq-rawtx": 28333, "zmq-hashblock": 28334, "zmq-hashtx": 28335, "zmq-sequence": 28336}
	t.Run("in the Services", func(t *testing.T) {
		g := NewWithT(t)
		var headless, clients corev1.Service
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-a", Name: "every"}, &headless)).To(Succeed())
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-a", Name: "every-rpc"}, &clients)).To(Succeed())
		g.Expect(portsOf(clients)).To(Equal(ports))
		g.Expect(clients.Spec.ClusterIP).NotTo(Equal(corev1.ClusterIPNone))
		withP2P := portsOf(headless)
		g.Expect(withP2P).To(HaveKeyWithValue("p2p", BeEquivalentTo(18444)))
		delete(withP2P, "p2p")
		g.Expect(withP2P).To(Equal(ports))
		g.Expect(headless.Spec.ClusterIP).To(Equal(corev1.ClusterIPNone))
		g.Expect(headless.Spec.PublishNotReadyAddresses).To(BeTrue())
	})

	t.Run("in the NetworkPolicy and the PodDisruptionBudget", func(t *testing.T) {
		g := NewWithT(t)
		var policy networkingv1.NetworkPolicy
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-a", Name: "every"}, &policy)).To(Succeed())
		var open []int
		for _, port := range policy.Spec.Ingress[1].Ports {
			open = append(open, port.Port.IntValue())
		}
		g.Expect(open).To(ConsistOf(18443, 28332, 28333, 28334, 28335, 28336))
		g.Expect(policy.Spec.Egress).To(HaveLen(2), "its own nodes and DNS")
		var budget policyv1.PodDisruptionBudget
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-a", Name: "every"}, &budget)).To(Succeed())
		g.Expect(budget.Spec.MaxUnavailable.IntValue()).To(Equal(1))
		g.Expect(budget.Spec.UnhealthyPodEvictionPolicy).To(HaveValue(Equal(policyv1.AlwaysAllow)))
		g.Expect(budget.Status.CurrentHealthy).To(BeEquivalentTo(4))
	})

	t.Run("by a client in a pod", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(fromPod(t, g, ctx, "every-client", image, "every-rpc", "getnetworkinfo")).To(ContainSubstring("team-a.every."))
		g.Expect(fromPod(t, g, ctx, "every-client-2", image, "every-2.every", "getnetworkinfo")).To(ContainSubstring("team-a.every.2"))
	})

	t.Run("suspended, it is left as it is", func(t *testing.T) {
		g := NewWithT(t)
		alter(g, ctx, every, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Suspend, spec.Nodes = true, 3 })
		wait(g, ctx, tells(every, "Ready", "Suspended"))
		g.Consistently(func() int { return len(lives(g, ctx, "team-a", "every")) }, "3s", "500ms").Should(Equal(4))
		alter(g, ctx, every, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Suspend = false })
		ready(g, ctx, every)
		wait(g, ctx, claimed(every, "64Mi", 3))
	})
}

func portsOf(service corev1.Service) map[string]int32 {
	ports := map[string]int32{}
	for _, port := range service.Spec.Ports {
		ports[port.Name] = port.Port
	}
	return ports
}

// fromPod has a pod of the team call a method at a host, as the tenant guide says,
// and returns what it prints. What enforces network policies takes a moment to know a
// new pod.
func fromPod(t *testing.T, g Gomega, ctx context.Context, name, image, host, method string) string {
	caller := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: name, Labels: map[string]string{"bitcoin-operator.github.io/client": "true"}},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: new(false),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(1000)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "client", Image: image, Command: []string{"sh", "-c"},
				Args: []string{fmt.Sprintf(`printf %%s "$BC_RPC_PASSWORD" | bitcoin-cli -chain=regtest -rpcwait -rpcwaittimeout=30 -rpcconnect=%s -rpcuser="$BC_RPC_USER" -stdinrpcpass %s`, host, method)},
				EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: secretName},
				}}},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
	g.Expect(cluster.API.Create(ctx, caller)).To(Succeed())
	t.Cleanup(func() {
		_ = cluster.API.Delete(context.WithoutCancel(ctx), caller, client.GracePeriodSeconds(0))
	})
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		err := cluster.API.Get(ctx, client.ObjectKeyFromObject(caller), caller)
		phase := caller.Status.Phase
		return phase == corev1.PodSucceeded || phase == corev1.PodFailed, "the client's pod to end", err
	})
	printed, err := cluster.Kubectl(ctx, "logs", name, "--namespace=team-a")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(caller.Status.Phase).To(Equal(corev1.PodSucceeded), printed)
	return printed
}

func TestPrivateSignet(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	private := up(t, g, ctx, "team-b", "private", v1alpha1.BitcoinNetworkSpec{
		Nodes: 2, Secret: secretName, Chain: v1alpha1.Signet, Signet: &v1alpha1.SignetChain{Challenge: "51"}, Resources: modest,
	})
	for _, node := range private.Nodes {
		info := ask[struct {
			Chain     string
			Challenge string `json:"signet_challenge"`
		}](g, ctx, node, "getblockchaininfo")
		g.Expect(info.Chain).To(Equal("signet"))
		g.Expect(info.Challenge).To(Equal("51"))
	}
	var policy networkingv1.NetworkPolicy
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-b", Name: "private"}, &policy)).To(Succeed())
	g.Expect(policy.Spec.Egress).To(HaveLen(2), "nobody else is on that chain")
}

// modest is what a node of a public chain needs that has no blocks.
var modest = &v1alpha1.Resources{
	Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
	Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
}

// On public chains nothing is proved here but that nodes start, with the right files
// and flags. They look for no peers: these lines see to that, and nothing leads out
// of the cluster.
func TestPublicChainsStartOffline(t *testing.T) {
	t.Parallel()
	g, ctx := needsClusterFor(t, 6*60e9)
	for _, test := range []struct {
		chain    v1alpha1.Chain
		p2p, rpc int
	}{
		{v1alpha1.Testnet4, 48333, 48332},
		{v1alpha1.Main, 8333, 8332},
	} {
		name := "public-" + string(test.chain)
		public := up(t, g, ctx, "team-b", name, v1alpha1.BitcoinNetworkSpec{
			Nodes: 2, Secret: secretName, Chain: test.chain, Config: []v1alpha1.ConfigLine{"dnsseed=0", "fixedseeds=0"}, Resources: modest,
		})
		node := public.Nodes[1]
		g.Expect(ask[struct{ Chain string }](g, ctx, node, "getblockchaininfo").Chain).To(Equal(string(test.chain)))
		g.Expect(configOf(g, ctx, node)).To(And(
			ContainSubstring("chain=%s\n", test.chain),
			ContainSubstring("[%s]\ndnsseed=0\nfixedseeds=0\nbind=0.0.0.0\n", test.chain),
			ContainSubstring("dbcache=256\n"), ContainSubstring("maxmempool=128\n"),
			ContainSubstring("whitelist=noban,in,out@10.0.0.0/8\n"),
			Not(ContainSubstring("0.0.0.0/0\nmaxsigcachesize")), Not(ContainSubstring("fallbackfee"))))

		found := pod(g, ctx, node)
		container := found.Spec.Containers[0]
		g.Expect(*found.Spec.TerminationGracePeriodSeconds).To(BeEquivalentTo(600))
		g.Expect(container.Args).To(Equal([]string{"-uacomment=team-b." + name + ".$(ORDINAL)"}))
		g.Expect(container.Ports).To(ConsistOf(HaveField("ContainerPort", BeEquivalentTo(test.p2p)), HaveField("ContainerPort", BeEquivalentTo(test.rpc))))
		g.Expect(container.StartupProbe.FailureThreshold*container.StartupProbe.PeriodSeconds).To(BeNumerically(">=", 3600), "hours of replay")

		var policy networkingv1.NetworkPolicy
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-b", Name: name}, &policy)).To(Succeed())
		g.Expect(policy.Spec.Egress).To(HaveLen(3))
		world := policy.Spec.Egress[2]
		g.Expect(world.Ports).To(HaveExactElements(HaveField("Port.IntVal", BeEquivalentTo(test.p2p))))
		g.Expect(world.To[0].IPBlock.Except).To(ContainElements("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"))

		remove(g, ctx, &public.BitcoinNetwork)
	}
}

// A network that names no Secret has credentials that everybody knows.
func TestDefaultCredentials(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	open := up(t, g, ctx, "team-b", "open", v1alpha1.BitcoinNetworkSpec{Nodes: 2})
	wait(g, ctx, tells(open, "CredentialsReady", "DefaultCredentials"))
	told(g, ctx, open.Object(), ContainElement(HavePrefix("Warning DefaultCredentials: ")))
	var blocks int
	g.Expect(fleet.Call(ctx, pod(g, ctx, open.Nodes[1]).Status.PodIP+":18443", fleet.Pair{User: "user", Password: "password"}, &blocks, "getblockcount")).To(Succeed())
}
