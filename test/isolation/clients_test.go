package isolation

import (
	"fmt"
	"os"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// Who reaches what of a network is for its spec.clients to say. The namespaces here are
// called after what their pods may reach.
func TestClientsReachWhatTheyMay(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("testdata/clients.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	var policy networkingv1.NetworkPolicy
	g.Expect(yaml.UnmarshalStrict(text, &policy)).To(Succeed())
	cluster := Cluster{Policies: []*networkingv1.NetworkPolicy{&policy}}
	cluster.Add("team-a/payments-0", map[string]string{network: "payments"})
	cluster.Pods[0].Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{
		{Name: "rpc", ContainerPort: 18443}, {Name: "p2p", ContainerPort: 18444}, {Name: "zmq", ContainerPort: 28332},
	}}}
	cluster.Add("team-a/payments-1", map[string]string{network: "payments"})
	cluster.Add("team-a/wallet", map[string]string{client: "true"})
	cluster.Add("team-a/other", nil)
	cluster.Add("all/btcpay", map[string]string{"app": "btcpay"})
	cluster.Add("all/other", map[string]string{"app": "other"})
	for _, namespace := range []string{"rpc", "zmq", "p2p", "none"} {
		cluster.Add(namespace+"/pod", map[string]string{"app": "any"})
		cluster.Add(namespace+"/wallet", map[string]string{client: "true"})
	}

	for _, test := range []struct {
		reason, from  string
		rpc, zmq, p2p bool
	}{
		{"everything, by its label", "all/btcpay", true, true, true},
		{"a pod beside it, without", "all/other", false, false, false},
		{"RPC alone", "rpc/pod", true, false, false},
		{"notifications alone", "zmq/pod", false, true, false},
		{"peers alone", "p2p/pod", false, false, true},
		{"a namespace that is not named", "none/pod", false, false, false},
		{"the label of clients is for the network's own namespace", "none/wallet", false, false, false},
		{"where it stays as it was", "team-a/wallet", true, true, false},
		{"and nobody else is let in", "team-a/other", false, false, false},
		{"a node is a peer, and no client", "team-a/payments-1", false, false, true},
	} {
		for port, want := range map[string]bool{"rpc": test.rpc, "zmq": test.zmq, "p2p": test.p2p} {
			t.Run(fmt.Sprintf("%s: %s to %s", test.reason, test.from, port), func(t *testing.T) {
				g := NewWithT(t)
				verdict, err := cluster.Judge(test.from, "team-a/payments-0", port)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(verdict.Enters).To(Equal(want))
			})
		}
	}
}
