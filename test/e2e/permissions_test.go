package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestOperatorMayDoNoMoreThanItMust(t *testing.T) {
	g, ctx := needsCluster(t)
	operator := account("team-a", "bitcoin-operator")
	for _, test := range []struct {
		reason string
		verb   string
		what   string
		in     string
		want   bool
	}{
		{"its one Secret", "get", "secrets/bitcoin-rpc", "team-a", true},
		{"another Secret", "get", "secrets/other", "team-a", false},
		{"all Secrets", "list", "secrets", "team-a", false},
		{"all Secrets", "watch", "secrets", "team-a", false},
		{"to change its Secret", "patch", "secrets/bitcoin-rpc", "team-a", false},
		{"to make a Secret", "create", "secrets", "team-a", false},
		{"the same Secret of another team", "get", "secrets/bitcoin-rpc", "team-b", false},
		{"a Secret of the cluster", "get", "secrets", "kube-system", false},
		{"its networks", "list", "bitcoinnetworks.bitcoin-operator.github.io", "team-a", true},
		{"another team's networks", "list", "bitcoinnetworks.bitcoin-operator.github.io", "team-b", false},
		{"to change what a team wants", "patch", "bitcoinnetworks.bitcoin-operator.github.io", "team-a", false},
		{"what people ask for", "list", "bitcoinrequests.bitcoin-operator.github.io", "team-a", true},
		{"what is finished", "delete", "bitcoinrequests.bitcoin-operator.github.io", "team-a", true},
		{"to ask for something", "create", "bitcoinrequests.bitcoin-operator.github.io", "team-a", false},
		{"to change what people ask for", "patch", "bitcoinrequests.bitcoin-operator.github.io", "team-a", false},
		{"another team's pods", "list", "pods", "team-b", false},
		{"to run commands in pods", "create", "pods/exec", "team-a", false},
		{"to delete pods", "delete", "pods", "team-a", false},
		{"to give itself rights", "create", "rolebindings", "team-a", false},
		{"to give itself rights", "patch", "roles", "team-a", false},
		{"to be someone else", "impersonate", "serviceaccounts", "team-a", false},
		{"tokens", "create", "serviceaccounts/token", "team-a", false},
		{"objects of the cluster", "list", "nodes", "", false},
		{"objects of the cluster", "list", "namespaces", "", false},
		{"objects of the cluster", "get", "customresourcedefinitions", "", false},
		{"anything anywhere", "*", "*", "", false},
	} {
		g.Expect(may(g, ctx, operator, test.verb, test.what, test.in)).To(Equal(test.want), "%s: %s %s in %q", test.reason, test.verb, test.what, test.in)
	}
}

func TestTeamMayCommitNetworksAndSealedSecretsOnly(t *testing.T) {
	g, ctx := needsCluster(t)
	reconciler := account("team-a", "reconciler")
	for what, want := range map[string]bool{
		"bitcoinnetworks.bitcoin-operator.github.io": true,
		"sealedsecrets.bitnami.com":                  true,
		"bitcoinrequests.bitcoin-operator.github.io": false,
		"secrets":                         false,
		"configmaps":                      false,
		"pods":                            false,
		"deployments.apps":                false,
		"roles.rbac.authorization.k8s.io": false,
		"kustomizations.kustomize.toolkit.fluxcd.io": false,
	} {
		g.Expect(may(g, ctx, reconciler, "create", what, "team-a")).To(Equal(want), what)
		g.Expect(may(g, ctx, reconciler, "create", what, "team-b")).To(BeFalse(), "%s of another team", what)
	}
}

func TestPeopleMayLookScaleAndAskOnly(t *testing.T) {
	g, ctx := needsCluster(t)
	someone := authorizationv1.SubjectAccessReviewSpec{User: "someone@example.com", Groups: []string{"team-a", "system:authenticated"}}
	stranger := authorizationv1.SubjectAccessReviewSpec{User: "stranger@example.com", Groups: []string{"system:authenticated"}}
	const networks, requests = "bitcoinnetworks.bitcoin-operator.github.io", "bitcoinrequests.bitcoin-operator.github.io"
	for _, test := range []struct {
		reason string
		verb   string
		what   string
		want   bool
	}{
		{"how a network is", "get", networks, true},
		{"how networks are", "watch", networks, true},
		{"to suspend a network, or ask for a look at it", "patch", networks, true},
		{"to scale a network", "patch", "bitcoinnetworks.bitcoin-operator.github.io/scale", true},
		{"to scale a network from a size", "update", "bitcoinnetworks.bitcoin-operator.github.io/scale", true},
		{"networks come from Git", "create", networks, false},
		{"networks come from Git", "update", networks, false},
		{"networks go from Git", "delete", networks, false},
		{"networks go from Git", "deletecollection", networks, false},
		{"the status is the operator's", "patch", "bitcoinnetworks.bitcoin-operator.github.io/status", false},
		{"blocks and coins", "create", requests, true},
		{"what became of them", "watch", requests, true},
		{"what is not wanted any more", "delete", requests, true},
		{"others than were asked for", "patch", requests, false},
		{"what became of them is the operator's", "patch", requests + "/status", false},
		{"what became of a network", "list", "pods", true},
		{"what became of a network", "list", "statefulsets.apps", true},
		{"what became of a network", "list", "services", true},
		{"what became of a network", "list", "persistentvolumeclaims", true},
		{"what is left of the quota", "list", "resourcequotas", true},
		{"what a container may have", "list", "limitranges", true},
		{"what the platform allows", "get", "configmaps/tenant", true},
		{"how a network is reached", "list", "configmaps", true},
		{"what the operator writes", "patch", "configmaps", false},
		{"what a node says", "get", "pods/log", true},
		{"what the operator and Flux tell", "list", "events", true},
		{"why a Secret was not unsealed", "get", "sealedsecrets.bitnami.com", true},
		{"why a commit is not applied", "get", "kustomizations.kustomize.toolkit.fluxcd.io", true},
		{"why a commit is not fetched", "get", "gitrepositories.source.toolkit.fluxcd.io", true},
		{"passwords", "get", "secrets", false},
		{"passwords", "get", "secrets/bitcoin-rpc", false},
		{"passwords", "list", "secrets", false},
		{"passwords", "watch", "secrets", false},
		{"a password of one's own, unsealed", "create", "secrets", false},
		{"sealed ones come from Git", "create", "sealedsecrets.bitnami.com", false},
		{"a shell in a node", "create", "pods/exec", false},
		{"a shell in a node", "get", "pods/exec", false},
		{"what a node's process says and hears", "create", "pods/attach", false},
		{"a shell beside a node", "patch", "pods/ephemeralcontainers", false},
		{"ways past the network policies", "create", "pods/portforward", false},
		{"ways past the network policies", "get", "pods/portforward", false},
		{"ways past the network policies", "get", "pods/proxy", false},
		{"ways past the network policies", "get", "services/proxy", false},
		{"pods", "create", "pods", false},
		{"pods", "delete", "pods", false},
		{"pods", "create", "pods/eviction", false},
		{"volumes", "delete", "persistentvolumeclaims", false},
		{"to be the operator", "impersonate", "serviceaccounts", false},
		{"to be the operator", "create", "serviceaccounts/token", false},
		{"to give rights", "patch", "roles.rbac.authorization.k8s.io", false},
		{"to give rights", "create", "rolebindings.rbac.authorization.k8s.io", false},
		{"to open the network", "create", "networkpolicies.networking.k8s.io", false},
		{"to raise the quota", "patch", "resourcequotas", false},
		{"to apply other commits", "patch", "kustomizations.kustomize.toolkit.fluxcd.io", false},
		{"to apply another repository", "patch", "gitrepositories.source.toolkit.fluxcd.io", false},
		{"to stop the operator", "patch", "deployments.apps", false},
		{"anything", "*", "*", false},
	} {
		g.Expect(may(g, ctx, someone, test.verb, test.what, "team-a")).To(Equal(test.want), "%s: %s %s", test.reason, test.verb, test.what)
		g.Expect(may(g, ctx, someone, test.verb, test.what, "team-b")).To(BeFalse(), "of another team: %s %s", test.verb, test.what)
		g.Expect(may(g, ctx, someone, test.verb, test.what, "")).To(BeFalse(), "everywhere: %s %s", test.verb, test.what)
		g.Expect(may(g, ctx, stranger, test.verb, test.what, "team-a")).To(BeFalse(), "who is not of the team: %s %s", test.verb, test.what)
	}
}

func TestBuiltInRolesKnowNetworks(t *testing.T) {
	g, ctx := needsCluster(t)
	look, change := []string{"get", "list", "watch"}, []string{"create", "update", "patch", "delete", "deletecollection"}
	for name, want := range map[string]map[string][]string{
		"view": {
			"bitcoinnetworks": look, "bitcoinnetworks/status": look,
			"bitcoinrequests": look, "bitcoinrequests/status": look,
		},
		"edit":  {"bitcoinnetworks": change, "bitcoinrequests": change, "bitcoinnetworks/scale": {"get", "update", "patch"}},
		"admin": {"bitcoinnetworks": change, "bitcoinrequests": change, "bitcoinnetworks/scale": {"get", "update", "patch"}},
	} {
		var role rbacv1.ClusterRole
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Name: name}, &role)).To(Succeed())
		given := make(map[string][]string)
		for _, rule := range role.Rules {
			if slices.Contains(rule.APIGroups, v1alpha1.GroupVersion.Group) {
				for _, resource := range rule.Resources {
					given[resource] = append(given[resource], rule.Verbs...)
				}
			}
		}
		for resource, verbs := range want {
			g.Expect(given[resource]).To(ContainElements(verbs), "%s: %s", name, resource)
		}
		if name == "view" {
			g.Expect(given).To(Equal(want), "who may look may no more")
		}
	}
}

// account is who a service account is to the API server.
func account(namespace, name string) authorizationv1.SubjectAccessReviewSpec {
	return authorizationv1.SubjectAccessReviewSpec{
		User:   "system:serviceaccount:" + namespace + ":" + name,
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
	}
}

// subresources are what comes after a slash and is no object's name.
var subresources = []string{"attach", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "scale", "status", "token"}

// may asks the API server whether somebody may do something with a resource, as
// "resource.group" or "resource.group/name", in all namespaces where none is named.
func may(g Gomega, ctx context.Context, who authorizationv1.SubjectAccessReviewSpec, verb, what, namespace string) bool {
	resource, name, _ := strings.Cut(what, "/")
	resource, group, _ := strings.Cut(resource, ".")
	who.ResourceAttributes = &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: group, Resource: resource, Name: name}
	if slices.Contains(subresources, name) {
		who.ResourceAttributes.Subresource, who.ResourceAttributes.Name = name, ""
	}
	review := &authorizationv1.SubjectAccessReview{Spec: who}
	g.Expect(cluster.API.Create(ctx, review)).To(Succeed())
	g.Expect(review.Status.EvaluationError).To(BeEmpty())
	return review.Status.Allowed
}
