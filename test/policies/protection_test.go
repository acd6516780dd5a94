package policies_test

import (
	"maps"
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

const protected = "spec.protect: the network is protected from deletion by a commit or by hand; " +
	"to delete it, commit spec.protect: false, then remove it in a later commit, or ask the platform team"

// grouped are the bounds of a team whose people are a group.
func grouped() map[string]string {
	withGroup := bounds()
	maps.Copy(withGroup, map[string]string{"group": "team-a"})
	return withGroup
}

// mayDelete gives a user of the team every right to networks.
func (team *team) mayDelete(role, user string) {
	team.allow(role, user, rbacv1.PolicyRule{APIGroups: []string{"bitcoin-operator.github.io"}, Resources: []string{"bitcoinnetworks"}, Verbs: []string{"*"}})
}

func TestProtection(t *testing.T) {
	const everything = "system:masters"
	for _, test := range []struct {
		reason string
		spec   string
		user   string // in the namespace, where it begins with a colon
		groups []string
		want   string
	}{
		{"a commit that leaves it out", `protect: true`, ":reconciler", nil, protected},
		{"one that was never protected", `{}`, ":reconciler", nil, ""},
		{"one that no longer is", `protect: false`, ":reconciler", nil, ""},
		{"one that has no nodes, but volumes perhaps", `{protect: true, nodes: 0}`, ":reconciler", nil, protected},

		{"somebody of the team", `protect: true`, "somebody@example.com", []string{"team-a"}, protected},
		{"somebody of the team, who is of the platform's, too", `protect: true`, "somebody@example.com", []string{everything, "team-a"}, protected},
		{"one that is not protected", `{}`, "somebody@example.com", []string{"team-a"}, ""},
		{"somebody of another team, who has been given the right", `protect: true`, "somebody@example.com", []string{"team-b"}, ""},

		{"the platform team", `protect: true`, "admin@example.com", []string{everything}, ""},
		{"the platform's own Flux", `protect: true`, "system:serviceaccount:flux-system:kustomize-controller", nil, ""},
		{"another namespace's reconciler, which has been given the right", `protect: true`, "system:serviceaccount:team-b:reconciler", nil, ""},
		{"Kubernetes, when the namespace goes", `protect: true`, "system:serviceaccount:kube-system:namespace-controller", nil, ""},
		{"Kubernetes, when its owner goes", `protect: true`, "system:serviceaccount:kube-system:generic-garbage-collector", nil, ""},
		{"Kubernetes with one account for all its controllers", `protect: true`, "system:kube-controller-manager", nil, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, grouped())
			if test.user[0] == ':' {
				test.user = "system:serviceaccount:" + team.namespace + test.user
			}
			team.mayDelete("deleter", test.user)
			deleter := team.as(test.user, test.groups...)
			network := team.network("payments", test.spec)
			team.Expect(team.as("").Create(team.ctx, network)).To(Succeed())

			all := &v1alpha1.BitcoinNetwork{}
			team.expect(deleter.DeleteAllOf(team.ctx, all, client.InNamespace(team.namespace), client.DryRunAll), test.want, "all at once")
			for _, how := range []metav1.DeletionPropagation{metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan} {
				team.expect(deleter.Delete(team.ctx, network.DeepCopy(), client.DryRunAll, client.PropagationPolicy(how)), test.want, string(how))
			}
			team.expect(deleter.Delete(team.ctx, network), test.want, test.reason)
		})
	}
}

// The way out that the message names.
func TestProtectionEndsByACommit(t *testing.T) {
	team := newTeam(t, grouped())
	user := "system:serviceaccount:" + team.namespace + ":reconciler"
	team.mayDelete("reconciler", user)
	reconciler := team.as(user)
	network := team.network("payments", `protect: true`)
	team.Expect(reconciler.Create(team.ctx, network)).To(Succeed())
	team.expect(reconciler.Delete(team.ctx, network), protected, "while it is protected")
	team.Expect(reconciler.Patch(team.ctx, network, client.RawPatch(types.MergePatchType, []byte(`{"spec": {"protect": false}}`)))).To(Succeed())
	team.expect(reconciler.Delete(team.ctx, network), "", "once it is not")
}

// A team that goes may lose its bounds first. Then nothing may keep its namespace from
// being deleted, and a commit still may not delete a network.
func TestProtectionWithoutBounds(t *testing.T) {
	team := newTeam(t, grouped())
	network := team.network("payments", `protect: true`)
	team.Expect(team.as("").Create(team.ctx, network)).To(Succeed())
	team.losesBounds()

	user := "system:serviceaccount:" + team.namespace + ":reconciler"
	team.mayDelete("reconciler", user)
	// For a second, in which the API server sees that they are gone.
	team.Consistently(func() error { return team.as(user).Delete(team.ctx, network.DeepCopy()) }).
		Should(MatchError(ContainSubstring(protected)), "a commit")

	const kubernetes = "system:serviceaccount:kube-system:namespace-controller"
	team.mayDelete("namespace-controller", kubernetes)
	team.expect(team.as(kubernetes).DeleteAllOf(team.ctx, &v1alpha1.BitcoinNetwork{}, client.InNamespace(team.namespace)), "", "Kubernetes")
}
