package isolation

import (
	"testing"

	. "github.com/onsi/gomega"
)

// sealed-secrets works for whoever asks; so nobody reaches it who has no business to, and
// what asks for all others reaches nothing else.
func TestSealingIsThePlatforms(t *testing.T) {
	cluster := built(NewWithT(t), "../../gitops/clusters/local/sealed-secrets")
	tenants := built(NewWithT(t), "../../gitops/clusters/local/tenants")
	cluster.Namespaces = append(cluster.Namespaces, tenants.Namespaces...)
	cluster.Pods = append(cluster.Pods, tenants.Pods...)
	cluster.Policies = append(cluster.Policies, tenants.Policies...)
	cluster.Add("team-a/node", map[string]string{network: "payments"})
	cluster.Add("team-a/publisher", map[string]string{"app.kubernetes.io/name": "certificate-publisher"})
	cluster.Add("team-a/wallet", map[string]string{client: "true"})
	cluster.Add("sealing/other", nil)
	cluster.Add("monitoring/prometheus", nil)
	cluster.Add("default/other", nil)
	cluster.Add("default/publisher", map[string]string{"app.kubernetes.io/name": "certificate-publisher"})
	cluster.Add("kube-system/coredns", map[string]string{"k8s-app": "kube-dns"})
	cluster.Add("kube-system/other", nil)
	const (
		sealedSecrets = "kube-system/sealed-secrets-controller"
		publisher     = "sealing/publisher"
		api           = "198.18.0.1"
	)

	for _, test := range []struct {
		reason         string
		from, to, port string
		allowed        bool
	}{
		{"the API server, for the platform's kubeseal", api, sealedSecrets, "http", true},
		{"what publishes the certificate", publisher, sealedSecrets, "http", true},
		{"metrics", "monitoring/prometheus", sealedSecrets, "metrics", true},
		{"metrics are for the monitoring", "default/other", sealedSecrets, "metrics", false},
		{"and nothing else is", "monitoring/prometheus", sealedSecrets, "http", false},
		{"a team's operator", "team-a/bitcoin-operator", sealedSecrets, "http", false},
		{"a team's node", "team-a/node", sealedSecrets, "http", false},
		{"a team's client", "team-a/wallet", sealedSecrets, "http", false},
		{"who is called like what publishes", "team-a/publisher", sealedSecrets, "http", false},
		{"the same of a namespace without policies", "default/publisher", sealedSecrets, "http", false},
		{"a pod elsewhere", "default/other", sealedSecrets, "http", false},
		{"a pod beside it", "kube-system/other", sealedSecrets, "http", false},
		{"a pod beside what publishes", "sealing/other", sealedSecrets, "http", false},
		{"the world", internet, sealedSecrets, "http", false},

		{"the API server, where the certificate goes", publisher, api, "16443", true},
		{"the kubelet beside it", publisher, api, "11250", false},
		{"names", publisher, "kube-system/coredns", "53/UDP", true},
		{"what else is in that namespace", publisher, "kube-system/other", "8080", false},
		{"a team's node", publisher, "team-a/node", "18443", false},
		{"the world", publisher, internet, "443", false},
		{"the cloud's credentials", publisher, metadata, "80", false},
		{"nobody has business with it", "default/other", publisher, "healthz", false},
	} {
		check(t, cluster, test.reason, test.from, test.to, test.port, test.allowed)
	}
}
