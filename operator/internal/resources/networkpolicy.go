package resources

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// nodeLocalDNS is where machines with a DNS cache of their own serve it, the
// address that Kubernetes' NodeLocal DNSCache has by default.
const nodeLocalDNS = "169.254.20.10/32"

// Where nodes of a public chain look for no peers, beside the cluster's ranges:
// private, shared, loopback and link-local addresses.
var (
	notPublic   = []string{"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"}
	notPublicV6 = []string{"::1/128", "fc00::/7", "fe80::/10"}
)

// NetworkPolicy lets a network's nodes talk P2P with each other, and be asked over
// RPC and ZeroMQ by the operator, by pods of the namespace with ClientLabel, and by
// those that the network itself names. Out they reach each other and DNS, and on a
// public chain the world.
func NetworkPolicy(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain) *networkingv1.NetworkPolicy {
	own := podsWith(Selector(network))
	p2p := portsOf([]port{{p2pPort, chain.P2PPort}})
	policy := &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: objectMeta(network, network.Name),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: *own.PodSelector,
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress: []networkingv1.NetworkPolicyIngressRule{{
				From: []networkingv1.NetworkPolicyPeer{own}, Ports: p2p,
			}, {
				From: []networkingv1.NetworkPolicyPeer{
					podsWith(map[string]string{nameLabel: operator}), podsWith(map[string]string{ClientLabel: "true"}),
				},
				Ports: portsOf(clientPorts(network, chain)),
			}},
			Egress: []networkingv1.NetworkPolicyEgressRule{{
				To: []networkingv1.NetworkPolicyPeer{own}, Ports: p2p,
			}, {
				To: []networkingv1.NetworkPolicyPeer{clusterDNS(), {IPBlock: &networkingv1.IPBlock{CIDR: nodeLocalDNS}}},
				Ports: []networkingv1.NetworkPolicyPort{
					{Protocol: new(corev1.ProtocolUDP), Port: new(intstr.FromInt32(53))},
					{Protocol: new(corev1.ProtocolTCP), Port: new(intstr.FromInt32(53))},
				},
			}},
		},
	}
	for _, client := range network.Spec.Clients {
		if rule, reaches := ruleFor(client, network, chain); reaches {
			policy.Spec.Ingress = append(policy.Spec.Ingress, rule)
		}
	}
	if !IsPrivate(network, chain) {
		policy.Spec.Egress = append(policy.Spec.Egress, networkingv1.NetworkPolicyEgressRule{To: world(platform.ClusterRanges), Ports: p2p})
	}
	return policy
}

// ruleFor lets a client in, and reports whether there is anything that it may reach: a
// rule without ports would be one for all of them.
func ruleFor(client v1alpha1.Client, network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) (rule networkingv1.NetworkPolicyIngressRule, reaches bool) {
	var ports []port
	for _, port := range nodePorts(network, chain) {
		if slices.Contains(client.Ports, port.kind()) {
			ports = append(ports, port)
		}
	}
	labels := make(map[string]string, len(client.PodLabels))
	for key, value := range client.PodLabels {
		labels[key] = string(value)
	}
	for _, namespace := range client.Namespaces {
		var peer networkingv1.NetworkPolicyPeer // every pod of a namespace
		if len(labels) > 0 {
			peer = podsWith(labels)
		}
		// Kubernetes sets this label, and nobody can set another.
		peer.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}}
		rule.From = append(rule.From, peer)
	}
	rule.Ports = portsOf(ports)
	return rule, len(rule.From) > 0 && len(rule.Ports) > 0
}

func podsWith(labels map[string]string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{MatchLabels: labels}}
}

// clusterDNS are the pods of the cluster's DNS, by the labels that all
// distributions give them.
func clusterDNS() networkingv1.NetworkPolicyPeer {
	peer := podsWith(map[string]string{"k8s-app": "kube-dns"})
	peer.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: metav1.NamespaceSystem}}
	return peer
}

// world is every address but those of the cluster and of private networks.
func world(clusterRanges []string) []networkingv1.NetworkPolicyPeer {
	v4 := &networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: slices.Clone(notPublic)}
	v6 := &networkingv1.IPBlock{CIDR: "::/0", Except: slices.Clone(notPublicV6)}
	for _, block := range clusterRanges {
		if strings.Contains(block, ":") {
			v6.Except = append(v6.Except, block)
		} else {
			v4.Except = append(v4.Except, block)
		}
	}
	return []networkingv1.NetworkPolicyPeer{{IPBlock: v4}, {IPBlock: v6}}
}

func portsOf(ports []port) []networkingv1.NetworkPolicyPort {
	var list []networkingv1.NetworkPolicyPort
	for _, port := range ports {
		list = append(list, networkingv1.NetworkPolicyPort{Protocol: new(corev1.ProtocolTCP), Port: new(intstr.FromInt32(port.number))})
	}
	return list
}
