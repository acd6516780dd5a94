package policies_test

import (
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Whoever has taken over what builds commits may patch Flux's objects: it must.
func TestControllers(t *testing.T) {
	const refused = "the controllers that serve tenants may change only finalizers and status"
	objects := []string{
		"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: networks, labels: {sharding.fluxcd.io/key: tenants}}\nspec: {serviceAccountName: reconciler}\n",
		"apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: networks, labels: {sharding.fluxcd.io/key: tenants}}\nspec: {url: theirs}\n",
	}
	for _, test := range []struct {
		reason string
		patch  string
		want   string
	}{
		{"its finalizer", `{"metadata": {"finalizers": ["finalizers.fluxcd.io"]}}`, ""},
		{"a finalizer that nobody takes off", `{"metadata": {"finalizers": ["finalizers.fluxcd.io", "example.com/stay"]}}`, "metadata.finalizers: the controllers that serve tenants may use only the finalizer"},
		{"a name to generate, of any length", `{"metadata": {"generateName": "a"}}`, refused},
		{"handing it to the platform's", `{"metadata": {"labels": {"sharding.fluxcd.io/key": null}}}`, refused},
		{"handing it to another's", `{"metadata": {"labels": {"sharding.fluxcd.io/key": "others"}}}`, refused},
		{"keeping the platform from it", `{"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}}`, refused},
		{"an owner, with which it would go", `{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"}]}}`, refused},
		{"another account", `{"spec": {"serviceAccountName": "bitcoin-operator"}}`, refused},
		{"another source", `{"spec": {"url": "mine"}}`, refused},
		{"less to do", `{"spec": {"suspend": true}}`, refused},
	} {
		for _, manifest := range objects {
			t.Run(test.reason, func(t *testing.T) {
				team := newTeam(t, bounds())
				object := team.object(manifest)
				team.Expect(team.as("").Create(team.ctx, object)).To(Succeed())
				patch := client.RawPatch(types.MergePatchType, []byte(test.patch))
				for _, in := range []string{"flux-tenants", team.namespace} {
					user := "system:serviceaccount:" + in + ":kustomize-controller"
					team.allow(in, user, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
					api := team.as(user, "system:serviceaccounts", "system:serviceaccounts:"+in)
					team.expect(api.Patch(team.ctx, object.DeepCopy(), patch, client.DryRunAll), test.want, test.reason)

					status := client.RawPatch(types.MergePatchType, []byte(`{"status": {"observedGeneration": 1}}`))
					team.expect(api.Status().Patch(team.ctx, object.DeepCopy(), status, client.DryRunAll), "", "its status")
					made := team.object(manifest)
					made.SetName("mine")
					team.expect(api.Create(team.ctx, made, client.DryRunAll), refused, "one of its own")
				}
				team.expect(team.as("").Patch(team.ctx, object, patch), "", "the platform changes it")
			})
		}
	}
}
