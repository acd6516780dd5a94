package isolation

import (
	"testing"

	. "github.com/onsi/gomega"
)

// What opens everybody's Secrets is asked by way of the API server, and by no pod.
func TestUnsealerIsApart(t *testing.T) {
	cluster := built(NewWithT(t), "../../gitops/clusters/local/sealed-secrets")
	cluster.Add("kube-system/coredns", map[string]string{"k8s-app": "kube-dns"})
	cluster.Add("team-a/wallet", map[string]string{client: "true"})
	cluster.Add("flux-tenants/kustomize-controller", map[string]string{"app": "kustomize-controller"})
	cluster.Add("default/other", nil)
	cluster.Add("monitoring/prometheus", nil)
	const unsealer = "kube-system/sealed-secrets-controller"

	for _, test := range []struct {
		reason         string
		from, to, port string
		allowed        bool
	}{
		{"what people ask of it, the API server passes on", "198.18.0.1", unsealer, "http", true},
		{"another address", "198.18.0.2", unsealer, "http", false},
		{"a team", "team-a/wallet", unsealer, "http", false},
		{"what builds teams' commits", "flux-tenants/kustomize-controller", unsealer, "http", false},
		{"its own namespace", "kube-system/coredns", unsealer, "http", false},
		{"whoever has no policy", "default/other", unsealer, "http", false},
		{"metrics", "monitoring/prometheus", unsealer, "metrics", true},
		{"metrics are for the monitoring", "default/other", unsealer, "metrics", false},
		{"and nothing else is", "monitoring/prometheus", unsealer, "http", false},
		{"it asks the API server", unsealer, "198.18.0.1", "16443", true},
	} {
		check(t, cluster, test.reason, test.from, test.to, test.port, test.allowed)
	}
}
