package resources

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// rule puts peers and ports of a rule in a few words.
func rule(peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort) string {
	var who, where []string
	for _, peer := range peers {
		switch {
		case peer.IPBlock != nil:
			who = append(who, fmt.Sprintf("%s but %d", peer.IPBlock.CIDR, len(peer.IPBlock.Except)))
		case peer.NamespaceSelector != nil:
			who = append(who, fmt.Sprintf("%v in %v", peer.PodSelector.MatchLabels, peer.NamespaceSelector.MatchLabels))
		default:
			who = append(who, fmt.Sprint(peer.PodSelector.MatchLabels))
		}
	}
	for _, port := range ports {
		where = append(where, fmt.Sprintf("%s %s", *port.Protocol, port.Port))
	}
	return strings.Join(who, ", ") + " → " + strings.Join(where, ", ")
}

func TestNetworkPolicy(t *testing.T) {
	const (
		own     = "map[bitcoin-operator.github.io/network:payments]"
		clients = own + ", map[app.kubernetes.io/name:bitcoin-operator], map[bitcoin-operator.github.io/client:true]"
		dns     = "map[k8s-app:kube-dns] in map[kubernetes.io/metadata.name:kube-system], 169.254.20.10/32 but 0 → UDP 53, TCP 53"
	)
	for _, test := range []struct {
		reason          string
		change          func(*v1alpha1.BitcoinNetwork)
		ingress, egress []string
	}{
		{"nodes of a private chain talk with each other alone", func(*v1alpha1.BitcoinNetwork) {},
			[]string{own + " → TCP 18444", clients + " → TCP 18443"},
			[]string{own + " → TCP 18444, TCP 18443", dns}},
		{"notifications are for those for whom RPC is",
			func(n *v1alpha1.BitcoinNetwork) {
				n.Spec.ZMQ = []v1alpha1.ZMQTopic{v1alpha1.RawBlock, v1alpha1.RawTx}
			},
			[]string{own + " → TCP 18444", clients + " → TCP 18443, TCP 28332, TCP 28333"},
			[]string{own + " → TCP 18444, TCP 18443, TCP 28332, TCP 28333", dns}},
		{"on a public chain they find peers in the world, but in no private network", onMain,
			[]string{own + " → TCP 8333", clients + " → TCP 8332"},
			[]string{own + " → TCP 8333, TCP 8332", dns, "0.0.0.0/0 but 7, ::/0 but 4 → TCP 8333"}},
		{"a signet of one's own is a private chain",
			func(n *v1alpha1.BitcoinNetwork) {
				n.Spec.Chain, n.Spec.Signet = v1alpha1.Signet, &v1alpha1.SignetChain{Challenge: "51"}
			},
			[]string{own + " → TCP 38333", clients + " → TCP 38332"},
			[]string{own + " → TCP 38333, TCP 38332", dns}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := networkNamed("payments", test.change)
			platform := Platform{ClusterRanges: []string{"198.18.0.0/15", "2001:db8::/32"}}
			policy := NetworkPolicy(network, platform, chainOf(network))
			var ingress, egress []string
			for _, r := range policy.Spec.Ingress {
				ingress = append(ingress, rule(r.From, r.Ports))
			}
			for _, r := range policy.Spec.Egress {
				egress = append(egress, rule(r.To, r.Ports))
			}
			if diff := cmp.Diff([][]string{test.ingress, test.egress}, [][]string{ingress, egress}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if want := []networkingv1.PolicyType{"Ingress", "Egress"}; !slices.Equal(policy.Spec.PolicyTypes, want) {
				t.Errorf("of types %v, want %v: what is not said to be let through is not", policy.Spec.PolicyTypes, want)
			}
		})
	}
}
