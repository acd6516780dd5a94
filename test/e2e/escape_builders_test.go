package e2e

import (
	"context"
	"encoding/json"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// Whoever has found a way to run code in what builds teams' commits has its token.
var asItsBuilder = chapter{"As the controllers that build teams' commits, after a takeover", []attempt{
	{"the hostile team's password", byBuildersRole, `secrets "bitcoin-rpc" is forbidden`, builder("get", "secret", secretName, "--namespace="+mallory)},
	{"all Secrets", byBuildersRole, `cannot list resource "secrets"`, builder("get", "secrets", "--all-namespaces")},
	{"all ConfigMaps", byBuildersRole, `cannot list resource "configmaps"`, builder("get", "configmaps", "--all-namespaces")},
	{"a pod", byBuildersRole, `cannot create resource "pods"`, builderCreates("v1", "Pod", mallory, "spec: {containers: [{name: a, image: a}]}\n")},
	{"a right", byBuildersRole, `cannot create resource "rolebindings"`,
		builderCreates(rbac, "RoleBinding", mallory, "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n")},
	{"a Kustomization of its own", byBuildersRole, `cannot create resource "kustomizations"`,
		builderCreates("kustomize.toolkit.fluxcd.io/v1", "Kustomization", mallory, "spec: {interval: 1m, prune: true, sourceRef: {kind: GitRepository, name: networks}}\n")},
	{"a token of the team's account", byBuildersRole, `cannot create resource "serviceaccounts/token"`, builder("create", "token", "reconciler", "--namespace="+mallory)},
	{"to be the team's operator", byBuildersRole, `cannot impersonate resource "serviceaccounts"`,
		builder("get", "pods", "--namespace="+mallory, "--as=system:serviceaccount:"+mallory+":bitcoin-operator")},
	{"to be the cluster's administrator", byBuildersRole, `cannot impersonate resource "serviceaccounts"`,
		builder("get", "pods", "--namespace="+mallory, "--as=system:serviceaccount:flux-system:kustomize-controller")},
	{"to be a person, and of a group", byBuildersRole, "cannot impersonate resource", builder("get", "pods", "--namespace="+mallory, "--as=someone", "--as-group=system:masters")},
	{"the platform's Kustomizations", byBuildersRole, `kustomizations.kustomize.toolkit.fluxcd.io "tenants" is forbidden`,
		builderPatches("flux-system", "tenants", `{"spec":{"suspend":true}}`)},
	{"deleting a Kustomization", byBuildersRole, `cannot delete resource "kustomizations"`, builder("delete", "kustomization/networks", "--namespace="+mallory)},
	{"a Kustomization that is handed to the platform's controllers", byControllers, finalizersOnly,
		builderPatches(mallory, "networks", `{"metadata":{"labels":{"sharding.fluxcd.io/key":null}}}`)},
	{"another account for the team's commits", byControllers, finalizersOnly,
		builderPatches(mallory, "networks", `{"spec":{"serviceAccountName":"bitcoin-operator"}}`)},
	{"an owner for it, with which it would be deleted", byControllers, finalizersOnly,
		builderPatches(mallory, "networks", `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"none","uid":"none"}]}}`)},
	{"another repository", byControllers, finalizersOnly,
		fetcherPatches(mallory, "networks", `{"spec":{"url":"http://example.com/mine.git"}}`)},
	{"a repository of which nothing is left out", byControllers, finalizersOnly,
		fetcherPatches(mallory, "networks", `{"spec":{"ignore":null}}`)},
	{"what keeps the platform's commits away", byControllers, finalizersOnly,
		fetcherPatches(mallory, "networks", `{"metadata":{"annotations":{"kustomize.toolkit.fluxcd.io/reconcile":"disabled"}}}`)},
	{"the fleet's repository", byBuildersRole, `gitrepositories.source.toolkit.fluxcd.io "flux-system" is forbidden`,
		fetcherPatches("flux-system", "flux-system", `{"spec":{"url":"http://example.com/mine.git"}}`)},
	{"its credentials", byBuildersRole, `secrets "flux-system" is forbidden`, fetcher("get", "secret", "flux-system", "--namespace=flux-system")},
}}

// finalizersOnly is what admission policy `controllers` says.
const finalizersOnly = "the controllers that serve tenants may change only finalizers and status"

// A deed is what somebody does to a cluster, as whoever it is to him.
type deed func(ctx context.Context, c *fleet.Cluster) error

// kubectl is a deed by a command.
func kubectl(args ...string) deed {
	return func(ctx context.Context, c *fleet.Cluster) error {
		_, err := c.Kubectl(ctx, args...)
		return err
	}
}

// changes is a deed by a patch, without reading what is changed.
func changes(kind schema.GroupVersionKind, namespace, name, patch string) deed {
	return func(ctx context.Context, c *fleet.Cluster) error {
		return c.Patch(ctx, fleet.Object{Kind: kind, Namespace: namespace, Name: name}, json.RawMessage(patch))
	}
}

// builder tries with kubectl, as what builds teams' commits.
func builder(args ...string) func(*hostile, string) {
	return takenOver("kustomize-controller", kubectl(args...))
}

// builderPatches tries to change a Kustomization, as what builds teams' commits.
func builderPatches(namespace, name, patch string) func(*hostile, string) {
	return takenOver("kustomize-controller", changes(fleet.Kustomization, namespace, name, patch))
}

// fetcher tries with kubectl, as what fetches teams' repositories.
func fetcher(args ...string) func(*hostile, string) {
	return takenOver("source-controller", kubectl(args...))
}

// fetcherPatches tries to change a GitRepository, as what fetches teams' repositories.
func fetcherPatches(namespace, name, patch string) func(*hostile, string) {
	return takenOver("source-controller", changes(fleet.GitRepository, namespace, name, patch))
}

// takenOver tries something with the token of one of these accounts.
func takenOver(account string, try deed) func(*hostile, string) {
	return func(h *hostile, told string) {
		asAccount, err := cluster.As(h.ctx, "flux-tenants", account)
		h.Expect(err).NotTo(HaveOccurred())
		h.Expect(try(h.ctx, asAccount)).To(MatchError(ContainSubstring(told)))
	}
}

func builderCreates(apiVersion, kind, namespace, lines string) func(*hostile, string) {
	return func(h *hostile, told string) {
		creates(h, object(apiVersion, kind, "attempt", lines), func(path string) {
			builder("create", "--namespace="+namespace, "--filename="+path)(h, told)
		})
	}
}
