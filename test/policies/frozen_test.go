package policies_test

import (
	"testing"

	. "github.com/onsi/gomega"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Who changes nothing while the platform has frozen a team, and who still does.
func TestFrozen(t *testing.T) {
	const frozen = "the platform has frozen this namespace (frozen in its ConfigMap tenant)"
	for _, test := range []struct {
		reason string
		frozen string
		user   string // in the namespace, where it begins with a colon
		groups []string
		want   string
	}{
		{"a commit", "true", ":reconciler", nil, frozen},
		{"a commit, where somebody has written it another way", "True", ":reconciler", nil, frozen},
		{"somebody of the team", "true", "somebody@example.com", []string{"team-a"}, frozen},
		{"a commit to a team that is not frozen", "false", ":reconciler", nil, ""},
		{"somebody of a team of which nothing is said", "", "somebody@example.com", []string{"team-a"}, ""},

		{"the team's operator", "true", ":bitcoin-operator", nil, ""},
		{"the platform team", "true", "admin@example.com", nil, ""},
		{"the platform's own Flux", "true", "system:serviceaccount:flux-system:kustomize-controller", nil, ""},
		{"Kubernetes, when the namespace goes", "true", namespaceController, []string{"system:serviceaccounts:kube-system"}, ""},
		{"sealed-secrets", "true", "system:serviceaccount:kube-system:sealed-secrets-controller", []string{"system:serviceaccounts:kube-system"}, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			limits := grouped()
			if test.frozen != "" {
				limits["frozen"] = test.frozen
			}
			team := newTeam(t, limits)
			if test.user[0] == ':' {
				test.user = "system:serviceaccount:" + team.namespace + test.user
			}
			team.allow("all", test.user, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
			api := team.as(test.user, test.groups...)
			network := team.network("payments", "nodes: 3")
			sealed := team.object("apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: bitcoin-rpc}\nspec: {encryptedData: {BC_RPC_USER: Ag==, BC_RPC_PASSWORD: Ag==}}\n")
			for _, there := range []client.Object{network, sealed} {
				team.Expect(team.as("").Create(team.ctx, there)).To(Succeed())
			}
			request := team.object("apiVersion: bitcoin-operator.github.io/v1alpha1\nkind: BitcoinRequest\nmetadata: {name: six}\nspec: {network: payments, mine: {count: 6}}\n")
			if test.user != "system:serviceaccount:"+team.namespace+":reconciler" { // which makes none anyway
				team.expect(api.Create(team.ctx, request, client.DryRunAll), test.want, "blocks")
			}
			suspend := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"suspend": true}}`))
			team.expect(api.Patch(team.ctx, network.DeepCopy(), suspend, client.DryRunAll), test.want, "a network")
			scale := client.WithSubResourceBody(&autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 1}})
			team.expect(api.SubResource("scale").Update(team.ctx, network.DeepCopy(), scale, client.DryRunAll), test.want, "its size")
			team.expect(api.Create(team.ctx, team.network("another", ""), client.DryRunAll), test.want, "another")
			other := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"encryptedData": {"BC_RPC_USER": "AgA="}}}`))
			team.expect(api.Patch(team.ctx, sealed.DeepCopy(), other, client.DryRunAll), test.want, "credentials")
			for _, there := range []client.Object{network, sealed} {
				team.expect(api.Delete(team.ctx, there.DeepCopyObject().(client.Object), client.DryRunAll, client.PropagationPolicy(metav1.DeletePropagationBackground)), test.want, "none")
			}
			status := client.RawPatch(types.MergePatchType, []byte(`{"status": {"ready": "3/3"}}`))
			team.expect(api.Status().Patch(team.ctx, network.DeepCopy(), status, client.DryRunAll), "", "how it stands")
		})
	}
}

// A frozen team is thawed by the platform, which may always say so.
func TestThawing(t *testing.T) {
	limits := grouped()
	limits["frozen"] = "true"
	team := newTeam(t, limits)
	reconciler := "system:serviceaccount:" + team.namespace + ":reconciler"
	team.allow("reconciler", reconciler, rbacv1.PolicyRule{APIGroups: []string{"bitcoin-operator.github.io"}, Resources: []string{"bitcoinnetworks"}, Verbs: []string{"*"}})
	make := func() error {
		return team.as(reconciler).Create(team.ctx, team.network("payments", ""), client.DryRunAll)
	}
	team.Expect(make()).NotTo(Succeed())
	tenant := team.boundsObject()
	thaw := client.RawPatch(types.MergePatchType, []byte(`{"data": {"frozen": "false"}}`))
	team.Expect(team.as("").Patch(team.ctx, tenant, thaw)).To(Succeed())
	team.Eventually(make).Should(Succeed())
}
