package resources

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

const (
	ownPods      = "pods bitcoin-operator.github.io/network=payments"
	operatorPods = "pods app.kubernetes.io/name=bitcoin-operator"
	clientPods   = "pods bitcoin-operator.github.io/client=true"
	dnsPods      = "namespaces kubernetes.io/metadata.name=kube-system pods k8s-app=kube-dns"
	dnsRule      = dnsPods + ", 169.254.20.10/32: UDP 53, TCP 53"

	exceptV4 = "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16"
	exceptV6 = "::1/128 fc00::/7 fe80::/10"
	world4   = "0.0.0.0/0 but " + exceptV4
	world6   = "::/0 but " + exceptV6
)

func TestNetworkPolicy(t *testing.T) {
	for _, test := range []struct {
		reason          string
		change          func(*v1alpha1.BitcoinNetwork)
		ranges          []string
		ingress, egress []string
	}{
		{
			"regtest: nobody but the network's own nodes, which ask each other nothing over RPC", on(v1alpha1.Regtest), nil,
			[]string{ownPods + ": TCP 18444", operatorPods + ", " + clientPods + ": TCP 18443"},
			[]string{ownPods + ": TCP 18444", dnsRule},
		},
		{
			"the public signet: its peers are anywhere", on(v1alpha1.Signet), nil,
			[]string{ownPods + ": TCP 38333", operatorPods + ", " + clientPods + ": TCP 38332"},
			[]string{ownPods + ": TCP 38333", dnsRule, world4 + ", " + world6 + ": TCP 38333"},
		},
		{
			"a signet of one's own: no peers elsewhere", ownSignet, nil,
			[]string{ownPods + ": TCP 38333", operatorPods + ", " + clientPods + ": TCP 38332"},
			[]string{ownPods + ": TCP 38333", dnsRule},
		},
		{
			"testnet4", on(v1alpha1.Testnet4), nil,
			[]string{ownPods + ": TCP 48333", operatorPods + ", " + clientPods + ": TCP 48332"},
			[]string{ownPods + ": TCP 48333", dnsRule, world4 + ", " + world6 + ": TCP 48333"},
		},
		{
			"main", on(v1alpha1.Main), nil,
			[]string{ownPods + ": TCP 8333", operatorPods + ", " + clientPods + ": TCP 8332"},
			[]string{ownPods + ": TCP 8333", dnsRule, world4 + ", " + world6 + ": TCP 8333"},
		},
		{
			"clients may listen, the world may not", func(n *v1alpha1.BitcoinNetwork) {
				n.Spec.Chain, n.Spec.ZMQ = v1alpha1.Main, []v1alpha1.ZMQTopic{v1alpha1.RawBlock, v1alpha1.RawTx}
			}, nil,
			[]string{ownPods + ": TCP 8333", operatorPods + ", " + clientPods + ": TCP 8332, TCP 28332, TCP 28333"},
			[]string{ownPods + ": TCP 8333", dnsRule, world4 + ", " + world6 + ": TCP 8333"},
		},
		{
			"clients of other namespaces, as the network names them", func(n *v1alpha1.BitcoinNetwork) {
				n.Spec.ZMQ = []v1alpha1.ZMQTopic{v1alpha1.RawBlock, v1alpha1.RawTx}
				n.Spec.Clients = []v1alpha1.Client{
					{Namespaces: []string{"shop", "till"}, PodLabels: map[string]v1alpha1.LabelValue{"app": "lnd"}, Ports: []v1alpha1.ClientPort{v1alpha1.ZMQPort, v1alpha1.RPCPort}},
					{Namespaces: []string{"index"}, Ports: []v1alpha1.ClientPort{v1alpha1.P2PPort}},
				}
			}, nil,
			[]string{
				ownPods + ": TCP 18444", operatorPods + ", " + clientPods + ": TCP 18443, TCP 28332, TCP 28333",
				"namespaces kubernetes.io/metadata.name=shop pods app=lnd, namespaces kubernetes.io/metadata.name=till pods app=lnd: TCP 18443, TCP 28332, TCP 28333",
				"namespaces kubernetes.io/metadata.name=index: TCP 18444",
			},
			[]string{ownPods + ": TCP 18444", dnsRule},
		},
		{
			"who may hear what nobody tells reaches nothing, and not everything", func(n *v1alpha1.BitcoinNetwork) {
				n.Spec.Clients = []v1alpha1.Client{{Namespaces: []string{"shop"}, Ports: []v1alpha1.ClientPort{v1alpha1.ZMQPort}}}
			}, nil,
			[]string{ownPods + ": TCP 18444", operatorPods + ", " + clientPods + ": TCP 18443"},
			[]string{ownPods + ": TCP 18444", dnsRule},
		},
		{
			"no peers in the cluster, whatever its addresses", on(v1alpha1.Main), []string{"192.0.2.0/24", "2001:db8::/32", "198.51.100.0/24", "2001:db9::/48"},
			[]string{ownPods + ": TCP 8333", operatorPods + ", " + clientPods + ": TCP 8332"},
			[]string{
				ownPods + ": TCP 8333", dnsRule,
				world4 + " 192.0.2.0/24 198.51.100.0/24, " + world6 + " 2001:db8::/32 2001:db9::/48: TCP 8333",
			},
		},
		{
			"a cluster of IPv6 alone", on(v1alpha1.Main), []string{"2001:db8::/32"},
			[]string{ownPods + ": TCP 8333", operatorPods + ", " + clientPods + ": TCP 8332"},
			[]string{ownPods + ": TCP 8333", dnsRule, world4 + ", " + world6 + " 2001:db8::/32: TCP 8333"},
		},
		{
			"the cluster's ranges matter on no private chain", on(v1alpha1.Regtest), []string{"192.0.2.0/24", "2001:db8::/32"},
			[]string{ownPods + ": TCP 18444", operatorPods + ", " + clientPods + ": TCP 18443"},
			[]string{ownPods + ": TCP 18444", dnsRule},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network := networkNamed("payments", test.change)
			platform := platform
			platform.ClusterRanges = test.ranges
			policy := NetworkPolicy(network, platform, chainOf(network))
			g.Expect(policy.Spec.PolicyTypes).To(ConsistOf(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress),
				"what no rule allows is forbidden, both ways")

			var ingress, egress []string
			for _, rule := range policy.Spec.Ingress {
				ingress = append(ingress, ruleText(rule.From, rule.Ports))
			}
			for _, rule := range policy.Spec.Egress {
				egress = append(egress, ruleText(rule.To, rule.Ports))
				checkBlocks(t, rule.To)
			}
			g.Expect(ingress).To(Equal(test.ingress))
			g.Expect(egress).To(Equal(test.egress))
		})
	}
}

// checkBlocks holds the address blocks against what the API server takes.
func checkBlocks(t *testing.T, peers []networkingv1.NetworkPolicyPeer) {
	t.Helper()
	for _, peer := range peers {
		if peer.IPBlock == nil {
			continue
		}
		all, err := netip.ParsePrefix(peer.IPBlock.CIDR)
		if err != nil {
			t.Error(err)
		}
		for _, except := range peer.IPBlock.Except {
			block, err := netip.ParsePrefix(except)
			if err != nil {
				t.Error(err)
				continue
			}
			if block != block.Masked() || !all.Contains(block.Addr()) || block.Bits() <= all.Bits() {
				t.Errorf("%s is no part of %s", except, all)
			}
		}
	}
}

func ruleText(peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort) string {
	var who, where []string
	for _, peer := range peers {
		var parts []string
		if block := peer.IPBlock; block != nil {
			parts = append(parts, block.CIDR)
			if len(block.Except) > 0 {
				parts = append(parts, "but "+strings.Join(block.Except, " "))
			}
		}
		if peer.NamespaceSelector != nil {
			parts = append(parts, "namespaces "+metav1.FormatLabelSelector(peer.NamespaceSelector))
		}
		if peer.PodSelector != nil {
			parts = append(parts, "pods "+metav1.FormatLabelSelector(peer.PodSelector))
		}
		who = append(who, strings.Join(parts, " "))
	}
	for _, port := range ports {
		where = append(where, fmt.Sprintf("%s %s", *port.Protocol, port.Port))
	}
	return strings.Join(who, ", ") + ": " + strings.Join(where, ", ")
}

// One operator serves many networks: the ranges of one call are no other's.
func TestNetworkPoliciesAreApart(t *testing.T) {
	g := NewWithT(t)
	v4, v6 := slices.Clone(notPublic), slices.Clone(notPublicV6)
	t.Cleanup(func() { copy(notPublic, v4); copy(notPublicV6, v6) })
	exceptions := func(policy *networkingv1.NetworkPolicy) [2][]string {
		to := policy.Spec.Egress[2].To
		return [2][]string{to[0].IPBlock.Except, to[1].IPBlock.Except}
	}
	with := func(ranges ...string) *networkingv1.NetworkPolicy {
		network := networkNamed("payments", on(v1alpha1.Main))
		return NetworkPolicy(network, Platform{ClusterRanges: ranges}, chainOf(network))
	}
	one, other, none := with("192.0.2.0/24", "2001:db8::/32"), with("198.51.100.0/24", "2001:db9::/32"), with()
	g.Expect(exceptions(one)).To(Equal([2][]string{append(slices.Clone(v4), "192.0.2.0/24"), append(slices.Clone(v6), "2001:db8::/32")}))
	g.Expect(exceptions(other)).To(Equal([2][]string{append(slices.Clone(v4), "198.51.100.0/24"), append(slices.Clone(v6), "2001:db9::/32")}))
	g.Expect(exceptions(none)).To(Equal([2][]string{v4, v6}))

	for _, policy := range []*networkingv1.NetworkPolicy{one, other, none} {
		for _, blocks := range exceptions(policy) {
			blocks[0] = "scribbled"
		}
		g.Expect(exceptions(with())).To(Equal([2][]string{v4, v6}))
	}
}

// The platform denies a tenant's operator everything but what it names.
func TestOperatorMayAskNodesOfEveryChain(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("../../../tenants/base/network-policies.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	var allowed []string
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var policy networkingv1.NetworkPolicy
		g.Expect(yaml.UnmarshalStrict([]byte(document), &policy)).To(Succeed())
		if policy.Spec.PodSelector.MatchLabels[nameLabel] != operator {
			continue
		}
		for _, rule := range policy.Spec.Egress {
			allowed = append(allowed, ruleText(rule.To, rule.Ports))
		}
	}

	var ports []string
	for _, name := range bitcoind.ChainNames() {
		chain, err := bitcoind.ChainNamed(name)
		g.Expect(err).NotTo(HaveOccurred())
		ports = append(ports, fmt.Sprintf("TCP %d", chain.RPCPort))
	}
	g.Expect(allowed).To(ContainElement("pods " + NetworkLabel + ": " + strings.Join(ports, ", ")))
}

// judged is the policy of a network with clients of all kinds, by which test/isolation
// says who reaches whom.
const judged = "../../../test/isolation/testdata/clients.yaml"

func TestPolicyIsTheOneThatIsJudged(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments", withTopics(v1alpha1.RawBlock), func(n *v1alpha1.BitcoinNetwork) {
		all := []v1alpha1.ClientPort{v1alpha1.RPCPort, v1alpha1.ZMQPort, v1alpha1.P2PPort}
		n.Spec.Clients = []v1alpha1.Client{{Namespaces: []string{"all"}, PodLabels: map[string]v1alpha1.LabelValue{"app": "btcpay"}, Ports: all}}
		for _, port := range all {
			n.Spec.Clients = append(n.Spec.Clients, v1alpha1.Client{Namespaces: []string{string(port)}, Ports: []v1alpha1.ClientPort{port}})
		}
	})
	want, err := os.ReadFile(judged)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(yaml.Marshal(NetworkPolicy(network, platform, chainOf(network)))).To(MatchYAML(want))
}
