package isolation

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// What the platform gives each tenant of the local cluster, before its operator
// has made any network's policy.
func TestTenantsBeginApart(t *testing.T) {
	cluster := built(NewWithT(t), "../../gitops/clusters/local/tenants")
	for _, team := range []string{"team-a", "team-b"} {
		cluster.Add(team+"/node", map[string]string{network: "payments"})
		cluster.Add(team+"/wallet", map[string]string{client: "true"})
		cluster.Add(team+"/other", nil)
	}
	cluster.Add("monitoring/prometheus", nil)
	cluster.Add("default/other", nil)
	cluster.Add("kube-system/coredns", map[string]string{"k8s-app": "kube-dns"})
	cluster.Add("kube-system/other", nil)
	const api = "198.18.0.1"

	both, out, in, neither := Verdict{Leaves: true, Enters: true}, Verdict{Leaves: true}, Verdict{Enters: true}, Verdict{}
	for _, test := range []struct {
		reason         string
		from, to, port string
		want           Verdict
	}{
		{"the API server", "team-a/bitcoin-operator", api, "16443", both},
		{"the kubelet beside it", "team-a/bitcoin-operator", api, "11250", in},
		{"another address", "team-a/bitcoin-operator", "198.18.0.2", "16443", in},
		{"the world", "team-a/bitcoin-operator", internet, "443", in},
		{"names", "team-a/bitcoin-operator", "kube-system/coredns", "53/UDP", both},
		{"DNS serves nothing else to it", "team-a/bitcoin-operator", "kube-system/coredns", "9153", in},
		{"what else is beside DNS", "team-a/bitcoin-operator", "kube-system/other", "53/UDP", in},
		{"main", "team-a/bitcoin-operator", "team-a/node", "8332", out},
		{"regtest", "team-a/bitcoin-operator", "team-a/node", "18443", out},
		{"signet", "team-a/bitcoin-operator", "team-a/node", "38332", out},
		{"testnet4", "team-a/bitcoin-operator", "team-a/node", "48332", out},
		{"P2P", "team-a/bitcoin-operator", "team-a/node", "18444", neither},
		{"a pod that is no node", "team-a/bitcoin-operator", "team-a/other", "18443", neither},
		{"another team's node", "team-a/bitcoin-operator", "team-b/node", "18443", neither},

		{"metrics", "monitoring/prometheus", "team-b/bitcoin-operator", "http-prom", both},
		{"metrics are for the monitoring", "default/other", "team-b/bitcoin-operator", "http-prom", out},
		{"another team's metrics", "team-a/other", "team-b/bitcoin-operator", "http-prom", neither},
		{"nothing else is for the monitoring", "monitoring/prometheus", "team-b/bitcoin-operator", "healthz", out},

		{"a client of the team's networks", "team-a/wallet", "team-a/node", "18443", out},
		{"not of another team's", "team-a/wallet", "team-b/node", "18443", neither},
		{"nor of anything else", "team-a/wallet", internet, "443", in},
		{"whoever does not say that it is a client", "team-a/other", "team-a/node", "18443", neither},

		{"whoever is nobody yet has names", "team-a/other", "kube-system/coredns", "53/TCP", both},
		{"and nothing else", "team-a/other", internet, "443", in},
		{"nor is it reached", internet, "team-a/other", "443", out},
		{"a node before its network has a policy", "team-a/node", "team-a/node", "18444", neither},
	} {
		t.Run(test.reason+": "+test.from+" to "+test.to+" "+test.port, func(t *testing.T) {
			g := NewWithT(t)
			verdict, err := cluster.Judge(test.from, test.to, test.port)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(verdict).To(Equal(test.want))
		})
	}
}

// built returns what a folder builds: namespaces, policies, and a pod of each
// Deployment.
func built(g Gomega, folder string) Cluster {
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	g.Expect(err).NotTo(HaveOccurred())
	var cluster Cluster
	for _, object := range objects.Resources() {
		text := []byte(object.MustYaml())
		switch object.GetKind() {
		case "Namespace":
			namespace := namespace(object.GetName())
			g.Expect(yaml.Unmarshal(text, namespace)).To(Succeed())
			cluster.Namespaces = append(cluster.Namespaces, namespace)
		case "NetworkPolicy":
			var policy networkingv1.NetworkPolicy
			g.Expect(yaml.UnmarshalStrict(text, &policy)).To(Succeed())
			cluster.Policies = append(cluster.Policies, &policy)
		case "Deployment":
			var deployment appsv1.Deployment
			g.Expect(yaml.Unmarshal(text, &deployment)).To(Succeed())
			pod := &corev1.Pod{ObjectMeta: deployment.Spec.Template.ObjectMeta, Spec: deployment.Spec.Template.Spec}
			pod.Namespace, pod.Name, pod.Status.PodIP = deployment.Namespace, deployment.Name, "198.51.100.1"
			cluster.Pods = append(cluster.Pods, pod)
		}
	}
	return cluster
}
