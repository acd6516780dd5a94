package isolation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	network = "bitcoin-operator.github.io/network"
	client  = "bitcoin-operator.github.io/client"

	internet = "203.0.113.1"
	metadata = "169.254.169.254" // where clouds tell a machine its credentials
	dnsCache = "169.254.20.10"
)

// What is live in the cluster where the demo has run: team-a's network payments
// and team-b's lightning, both on regtest.
func TestTeamsAreApart(t *testing.T) {
	cluster := live(t)
	cluster.Add("team-a/wallet", map[string]string{client: "true"})
	cluster.Add("team-b/wallet", map[string]string{client: "true"})
	cluster.Add("team-a/other", nil)
	cluster.Add("monitoring/prometheus", nil)
	cluster.Add("default/other", nil)
	cluster.Twin(NewWithT(t), "team-a", "payments", "savings")
	api, apiPort := cluster.APIServer.Addr().String(), fmt.Sprint(cluster.APIServer.Port())

	for _, test := range []struct {
		reason         string
		from, to, port string
		allowed        bool
	}{
		{"nodes of a network are peers", "team-a/payments-0", "team-a/payments-1", "p2p", true},
		{"nodes of a network are peers", "team-b/lightning-2", "team-b/lightning-0", "p2p", true},
		{"nodes of a network have nothing to ask each other", "team-a/payments-0", "team-a/payments-1", "rpc", false},
		{"nodes find each other by name", "team-a/payments-0", "kube-system/coredns", "53/UDP", true},
		{"answers of DNS that are long", "team-a/payments-0", "kube-system/coredns", "53/TCP", true},
		{"a machine's own DNS cache", "team-a/payments-0", dnsCache, "53/UDP", true},
		{"nothing else at that address", "team-a/payments-0", dnsCache, "80", false},

		{"another network of the team", "team-a/payments-0", "team-a/savings-0", "p2p", false},
		{"another network of the team", "team-a/savings-0", "team-a/payments-0", "p2p", false},
		{"another network of the team", "team-a/payments-0", "team-a/savings-0", "rpc", false},
		{"another team's network", "team-b/lightning-0", "team-a/payments-0", "p2p", false},
		{"another team's network", "team-b/lightning-0", "team-a/payments-0", "rpc", false},
		{"another team's network", "team-a/payments-0", "team-b/lightning-0", "p2p", false},
		{"another team's network", "team-a/payments-0", "team-b/lightning-0", "rpc", false},
		{"another team's operator", "team-b/lightning-0", "team-a/bitcoin-operator", "http-prom", false},
		{"one's own operator", "team-a/payments-0", "team-a/bitcoin-operator", "http-prom", false},
		{"a node has no business with the API server", "team-a/payments-0", api, apiPort, false},
		{"nor with other programs of that machine", "team-a/payments-0", api, "10250", false},
		{"regtest has no peers in the world", "team-a/payments-0", internet, "18444", false},
		{"nor does a node talk to anything else there", "team-a/payments-0", internet, "443", false},
		{"the cloud's credentials", "team-a/payments-0", metadata, "80", false},
		{"from the world", internet, "team-a/payments-0", "p2p", false},
		{"from the world", internet, "team-a/payments-0", "rpc", false},

		{"the operator asks its own nodes", "team-a/bitcoin-operator", "team-a/payments-0", "rpc", true},
		{"the operator asks its own nodes", "team-b/bitcoin-operator", "team-b/lightning-2", "rpc", true},
		{"it is no peer", "team-a/bitcoin-operator", "team-a/payments-0", "p2p", false},
		{"not another team's", "team-a/bitcoin-operator", "team-b/lightning-0", "rpc", false},
		{"not another team's", "team-b/bitcoin-operator", "team-a/payments-0", "rpc", false},
		{"the API server, behind its Service", "team-a/bitcoin-operator", api, apiPort, true},
		{"not the other programs of that machine", "team-a/bitcoin-operator", api, "10250", false},
		{"names", "team-a/bitcoin-operator", "kube-system/coredns", "53/UDP", true},
		{"another team's operator", "team-a/bitcoin-operator", "team-b/bitcoin-operator", "http-prom", false},
		{"the operator has no business in the world", "team-a/bitcoin-operator", internet, "443", false},
		{"the cloud's credentials", "team-a/bitcoin-operator", metadata, "80", false},

		{"a client, which says so", "team-a/wallet", "team-a/payments-0", "rpc", true},
		{"a client finds nodes by name", "team-a/wallet", "kube-system/coredns", "53/UDP", true},
		{"a client is no peer", "team-a/wallet", "team-a/payments-0", "p2p", false},
		{"a client in another namespace", "team-b/wallet", "team-a/payments-0", "rpc", false},
		{"a client of the operator", "team-a/wallet", "team-a/bitcoin-operator", "http-prom", false},
		{"a pod that does not say that it is a client", "team-a/other", "team-a/payments-0", "rpc", false},
		{"a pod elsewhere", "default/other", "team-a/payments-0", "rpc", false},
		{"the monitoring asks operators, not nodes", "monitoring/prometheus", "team-a/payments-0", "rpc", false},

		{"metrics", "monitoring/prometheus", "team-a/bitcoin-operator", "http-prom", true},
		{"metrics", "monitoring/prometheus", "team-b/bitcoin-operator", "http-prom", true},
		{"metrics are for the monitoring", "default/other", "team-a/bitcoin-operator", "http-prom", false},
		{"and nothing else is", "monitoring/prometheus", "team-a/bitcoin-operator", "healthz", false},
	} {
		check(t, cluster, test.reason, test.from, test.to, test.port, test.allowed)
	}
}

func check(t *testing.T, cluster Cluster, reason, from, to, port string, allowed bool) {
	t.Run(fmt.Sprintf("%s: %s to %s %s", reason, from, to, port), func(t *testing.T) {
		g := NewWithT(t)
		verdict, err := cluster.Judge(from, to, port)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(verdict.Allowed()).To(Equal(allowed), "%+v", verdict)
	})
}

// live reads the cluster that KUBECONFIG leads to.
func live(t *testing.T) Cluster {
	t.Helper()
	file := os.Getenv("KUBECONFIG")
	if file == "" {
		t.Skip("needs the local cluster: run make e2e")
	}
	g := NewWithT(t)
	config, err := clientcmd.BuildConfigFromFlags("", file)
	g.Expect(err).NotTo(HaveOccurred())
	config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	cluster, err := Read(t.Context(), config)
	g.Expect(err).NotTo(HaveOccurred())
	return cluster
}

// Add adds a pod that is not there, in a namespace that need not be there either:
// as "namespace/name", with these labels.
func (c *Cluster) Add(name string, labels map[string]string) {
	in, name, _ := strings.Cut(name, "/")
	c.Pods = append(c.Pods, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: in, Name: name, Labels: labels},
		Status:     corev1.PodStatus{PodIP: "198.51.100.1"},
	})
	for _, is := range c.Namespaces {
		if is.Name == in {
			return
		}
	}
	c.Namespaces = append(c.Namespaces, namespace(in))
}

// Twin adds a network that differs from another of its namespace in nothing but
// its name.
func (c *Cluster) Twin(g Gomega, namespace, name, twin string) {
	renamed := func(from, to any) {
		text, err := json.Marshal(from)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(json.Unmarshal([]byte(strings.ReplaceAll(string(text), name, twin)), to)).To(Succeed())
	}
	for _, pod := range c.Pods {
		if pod.Namespace == namespace && pod.Labels[network] == name {
			var copied corev1.Pod
			renamed(pod, &copied)
			c.Pods = append(c.Pods, &copied)
		}
	}
	for _, policy := range c.Policies {
		if policy.Namespace == namespace && policy.Name == name {
			var copied networkingv1.NetworkPolicy
			renamed(policy, &copied)
			c.Policies = append(c.Policies, &copied)
		}
	}
}
