package e2e

import (
	"context"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
)

func TestOperatorMayDoNoMoreThanItMust(t *testing.T) {
	g, ctx := needsCluster(t)
	const operator = "system:serviceaccount:team-a:bitcoin-operator"
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
	const reconciler = "system:serviceaccount:team-a:reconciler"
	for what, want := range map[string]bool{
		"bitcoinnetworks.bitcoin-operator.github.io": true,
		"sealedsecrets.bitnami.com":                  true,
		"secrets":                                    false,
		"configmaps":                                 false,
		"pods":                                       false,
		"deployments.apps":                           false,
		"roles.rbac.authorization.k8s.io":            false,
		"kustomizations.kustomize.toolkit.fluxcd.io": false,
	} {
		g.Expect(may(g, ctx, reconciler, "create", what, "team-a")).To(Equal(want), what)
		g.Expect(may(g, ctx, reconciler, "create", what, "team-b")).To(BeFalse(), "%s of another team", what)
	}
}

// may asks the API server whether somebody may do something with a resource, as
// "resource", "resource/name" or "resource.group", in all namespaces where none is
// named.
func may(g Gomega, ctx context.Context, who, verb, what, namespace string) bool {
	resource, name, _ := strings.Cut(what, "/")
	resource, group, _ := strings.Cut(resource, ".")
	attributes := &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: group, Resource: resource, Name: name}
	if name == "exec" || name == "token" {
		attributes.Subresource, attributes.Name = name, ""
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               who,
		Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:team-a", "system:authenticated"},
		ResourceAttributes: attributes,
	}}
	g.Expect(cluster.API.Create(ctx, review)).To(Succeed())
	g.Expect(review.Status.EvaluationError).To(BeEmpty())
	return review.Status.Allowed
}
