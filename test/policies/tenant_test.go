package policies_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

const namespaceController = "system:serviceaccount:kube-system:namespace-controller"

func (team *team) boundsObject() *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tenant", Namespace: team.namespace}}
}

// losesBounds deletes the tenant's ConfigMap as Kubernetes does when the namespace goes.
func (team *team) losesBounds() {
	team.t.Helper()
	team.allow("namespace-controller-of-bounds", namespaceController, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"delete"}})
	team.Expect(team.as(namespaceController, "system:serviceaccounts:kube-system").Delete(team.ctx, team.boundsObject())).To(Succeed())
}

// Without its bounds nobody could say what a network may be changed to.
func TestBoundsStayAsLongAsTheNamespace(t *testing.T) {
	team := newTeam(t, bounds())
	const refused = "the ConfigMap tenant holds the limits of the namespace and is deleted with it"
	team.expect(team.as("").Delete(team.ctx, team.boundsObject()), refused, "the platform, by mistake")
	team.expect(team.as("").DeleteAllOf(team.ctx, &corev1.ConfigMap{}, client.InNamespace(team.namespace)), refused, "all at once")

	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "other", Namespace: team.namespace}}
	team.Expect(team.as("").Create(team.ctx, other)).To(Succeed())
	team.expect(team.as("").Delete(team.ctx, other), "", "another ConfigMap")

	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team.namespace}}
	team.Expect(team.as("").Delete(team.ctx, namespace)).To(Succeed())
	// The API server takes a moment to see it.
	team.Eventually(func() error { return team.as("").Delete(team.ctx, team.boundsObject()) }).Should(Succeed(), "once the namespace goes")
}

// What is deleted in the foreground waits for its finalizer to be taken off, also when
// the bounds went first. Else the namespace would wait for ever.
func TestWhatKubernetesFinishesWithoutBounds(t *testing.T) {
	team := newTeam(t, bounds())
	network := team.network("payments", "")
	team.Expect(team.as("").Create(team.ctx, network)).To(Succeed())
	set := team.object(statefulSet(`{containers: [{name: bitcoind, image: example.com/bitcoind}], automountServiceAccountToken: false}`))
	team.Expect(team.as("").Create(team.ctx, set)).To(Succeed())
	foreground := client.PropagationPolicy(metav1.DeletePropagationForeground)
	team.Expect(team.as("").Delete(team.ctx, network, foreground)).To(Succeed())
	team.Expect(team.as("").Delete(team.ctx, set, foreground)).To(Succeed())
	team.losesBounds()

	// Until the API server sees that they are gone.
	team.Eventually(func() error {
		return team.as("").Create(team.ctx, team.network("another", ""), client.DryRunAll)
	}).Should(MatchError(ContainSubstring("no params found")), "nothing is made without bounds")

	const collector = "system:serviceaccount:kube-system:generic-garbage-collector"
	team.allow("collector", collector, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
	none := client.RawPatch("application/merge-patch+json", []byte(`{"metadata": {"finalizers": null}}`))
	for _, going := range []client.Object{network, set} {
		team.Expect(team.as(collector, "system:serviceaccounts:kube-system").Patch(team.ctx, going, none)).To(Succeed())
		team.Expect(client.IgnoreNotFound(team.as("").Get(team.ctx, client.ObjectKeyFromObject(going), going))).To(Succeed())
	}
	var left v1alpha1.BitcoinNetworkList
	team.Expect(team.as("").List(team.ctx, &left, client.InNamespace(team.namespace))).To(Succeed())
	team.Expect(left.Items).To(BeEmpty())
}

// A network from before the platform's bounds became tighter is beyond them, and can go
// all the same.
func TestWhatKubernetesFinishesBeyondBounds(t *testing.T) {
	team := newTeam(t, bounds())
	network := team.network("payments", "image: example.com/bitcoind")
	team.Expect(team.as("").Create(team.ctx, network)).To(Succeed())
	team.tightens(map[string]string{"images": "example.com/other"})
	team.Expect(team.as("").Delete(team.ctx, network, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
	for _, user := range []string{"system:serviceaccount:kube-system:generic-garbage-collector", "system:kube-controller-manager"} {
		team.allow("collector-"+user[len(user)-7:], user, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
		groups := []string{"system:serviceaccounts:kube-system"}
		if user == "system:kube-controller-manager" {
			groups = nil // with one account for all controllers
		}
		none := client.RawPatch("application/merge-patch+json", []byte(`{"metadata": {"finalizers": null}}`))
		team.Expect(team.as(user, groups...).Patch(team.ctx, network.DeepCopy(), none, client.DryRunAll)).To(Succeed(), user)
	}
}

// tightens changes bounds of the team's, and waits until the API server goes by them.
func (team *team) tightens(to map[string]string) {
	team.t.Helper()
	tenant := team.boundsObject()
	team.Expect(team.as("").Get(team.ctx, client.ObjectKeyFromObject(tenant), tenant)).To(Succeed())
	for key, value := range to {
		tenant.Data[key] = value
	}
	tenant.Data["secret"] = "changed" // to be seen by
	team.Expect(team.as("").Update(team.ctx, tenant)).To(Succeed())
	team.Eventually(func() error {
		return team.as("").Create(team.ctx, team.network("probe", "secret: bitcoin-rpc"), client.DryRunAll)
	}).Should(MatchError(ContainSubstring("one Secret for RPC, changed")))
	tenant.Data["secret"] = "bitcoin-rpc"
	team.Expect(team.as("").Update(team.ctx, tenant)).To(Succeed())
	team.Eventually(func() error {
		return team.as("").Create(team.ctx, team.network("probe", "secret: changed"), client.DryRunAll)
	}).Should(MatchError(ContainSubstring("one Secret for RPC, bitcoin-rpc")))
}
