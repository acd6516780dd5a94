package e2e

import (
	"testing"

	. "github.com/onsi/gomega"
)

// What builds teams' commits may look at what Flux has to do, and be `reconciler`.
func TestControllersMayDoNoMoreThanTheyMust(t *testing.T) {
	g, ctx := needsCluster(t)
	const (
		builds  = "kustomize-controller"
		fetches = "source-controller"

		kustomizations = "kustomizations.kustomize.toolkit.fluxcd.io"
		repositories   = "gitrepositories.source.toolkit.fluxcd.io"
	)
	for _, test := range []struct {
		reason  string
		account string
		verb    string
		what    string
		in      string
		want    bool
	}{
		{"what there is to build", builds, "watch", kustomizations, "", true},
		{"of what", builds, "watch", repositories, "", true},
		{"a team's account, for its commits", builds, "impersonate", "serviceaccounts/reconciler", "team-a", true},
		{"whether that is still there", builds, "list", "serviceaccounts", "", true},
		{"a team's finalizer", builds, "patch", kustomizations + "/networks", "team-a", true},
		{"that of a team that goes, without its Roles", builds, "patch", kustomizations + "/networks", "anywhere", true},
		{"what became of it", builds, "create", "events", "team-a", true},
		{"the platform's", builds, "patch", kustomizations + "/tenants", "flux-system", false},
		{"new ones", builds, "create", kustomizations, "team-a", false},
		{"none any more", builds, "delete", kustomizations + "/networks", "team-a", false},
		{"the team's operator", builds, "impersonate", "serviceaccounts/bitcoin-operator", "team-a", false},
		{"every account of a pod", builds, "impersonate", "serviceaccounts/default", "team-a", false},
		{"a cluster administrator", builds, "impersonate", "serviceaccounts/kustomize-controller", "flux-system", false},
		{"people", builds, "impersonate", "users", "", false},
		{"tokens", builds, "create", "serviceaccounts/token", "team-a", false},
		{"passwords", builds, "get", "secrets/bitcoin-rpc", "team-a", false},
		{"passwords", builds, "list", "secrets", "", false},
		{"what others are told", builds, "list", "configmaps", "", false},
		{"the team's networks, but as its account", builds, "patch", "bitcoinnetworks.bitcoin-operator.github.io", "team-a", false},
		{"pods", builds, "create", "pods", "team-a", false},
		{"anything", builds, "*", "*", "", false},

		{"what there is to fetch", fetches, "watch", repositories, "", true},
		{"what of it was fetched", fetches, "patch", repositories + "/networks", "team-a", true},
		{"the fleet's", fetches, "patch", repositories + "/flux-system", "flux-system", false},
		{"new ones", fetches, "create", repositories, "team-a", false},
		{"a team's account", fetches, "impersonate", "serviceaccounts/reconciler", "team-a", false},
		{"credentials, unless the platform gives some", fetches, "get", "secrets/git", "team-a", false},
		{"the fleet's credentials", fetches, "get", "secrets/flux-system", "flux-system", false},
		{"passwords", fetches, "get", "secrets/bitcoin-rpc", "team-a", false},
		{"anything", fetches, "*", "*", "", false},
	} {
		who := account("flux-tenants", test.account)
		g.Expect(may(g, ctx, who, test.verb, test.what, test.in)).To(Equal(test.want), "%s: %s may %s %s in %q", test.reason, test.account, test.verb, test.what, test.in)
	}
}

// Flux's images have git, ssh and a shell, as the published ones do: out of reach.
func TestNothingIsThereToRun(t *testing.T) {
	g, ctx := needsCluster(t)
	for _, namespace := range []string{"flux-system", "flux-tenants"} {
		for _, controller := range []string{"source-controller", "kustomize-controller"} {
			exec := func(program string) error {
				_, err := cluster.Kubectl(ctx, "exec", "deployment/"+controller, "--namespace="+namespace, "--", program, "--version")
				return err
			}
			for _, program := range []string{"git", "ssh", "gpg", "sh"} {
				g.Expect(exec(program)).To(MatchError(ContainSubstring("executable file not found in $PATH")), "%s/%s", namespace, controller)
			}
			g.Expect(exec("/usr/bin/git")).To(Succeed(), "then nothing was shown")
		}
	}
}
