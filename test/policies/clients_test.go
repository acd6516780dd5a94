package policies_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

// What the operator writes is held to the same bounds as what it is told to: it may have
// been taken over.
func TestWhomTheOperatorLetsIn(t *testing.T) {
	const policy = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: payments, ` + owner + `}
spec:
  podSelector: {matchLabels: {bitcoin-operator.github.io/network: payments}}
  ingress: `
	const notNamed = "spec.ingress: "
	for _, test := range []struct {
		reason, ingress, want string
	}{
		{"pods of its own namespace", `[{from: [{podSelector: {matchLabels: {a: b}}}], ports: [{port: 18443}]}]`, ""},
		{"clients of a namespace that may have any", `[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}, podSelector: {matchLabels: {a: b}}}], ports: [{port: 18443}, {port: 28332}]}]`, ""},
		{"peers of one that may have any", `[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: index}}}], ports: [{port: 18444}]}]`, ""},
		{"clients of another", `[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}], ports: [{port: 18443}]}]`, "spec.ingress: the operator may let in pods only of namespaces that tenant.yaml names"},
		{"peers of one that may have clients", `[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}], ports: [{port: 18443}, {port: 18444}]}]`, "spec.ingress: the operator may let in pods only of namespaces that tenant.yaml names"},
		{"clients of one that may have peers", `[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: index}}}], ports: [{port: 18443}]}]`, "spec.ingress: the operator may let in pods only of namespaces that tenant.yaml names"},
		{"every namespace", `[{from: [{namespaceSelector: {}}], ports: [{port: 18443}]}]`, notNamed},
		{"namespaces by another label", `[{from: [{namespaceSelector: {matchLabels: {team: shop}}}], ports: [{port: 18443}]}]`, notNamed},
		{"every port", `[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]`, notNamed},
		{"a port and those above", `[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}], ports: [{port: 18443, endPort: 18444}]}]`, notNamed},
		{"one that may beside one that may not", `[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}, {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}], ports: [{port: 18443}]}]`, "spec.ingress: the operator may let in pods only of namespaces that tenant.yaml names"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			team.expect(team.operator().Create(team.ctx, team.object(policy+test.ingress), client.DryRunAll), test.want, test.reason)
		})
	}
}

// What a network has stays when the platform allows less: it can be scaled and deleted.
func TestClientsFromBeforeTheBoundsChanged(t *testing.T) {
	team := newTeam(t, bounds())
	network := team.network("payments", `clients: [{namespaces: [shop], ports: [rpc]}]`)
	team.Expect(team.as("").Create(team.ctx, network)).To(Succeed())
	tenant := team.object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tenant}")
	team.Expect(team.as("").Patch(team.ctx, tenant, client.RawPatch(types.MergePatchType, []byte(`{"data": {"clientNamespaces": null}}`)))).To(Succeed())

	another := team.network("another", `clients: [{namespaces: [shop], ports: [rpc]}]`)
	team.Eventually(func() error { return team.as("").Create(team.ctx, another.DeepCopy(), client.DryRunAll) }, "10s", "50ms").
		Should(MatchError(ContainSubstring("spec.clients: the platform allows rpc and zmq")))
	scale := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"nodes": 2}}`))
	team.expect(team.as("").Patch(team.ctx, network, scale), "", "as many clients as before")
	more := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"clients": [{"namespaces": ["shop"], "ports": ["rpc", "zmq"]}]}}`))
	team.expect(team.as("").Patch(team.ctx, network, more), "spec.clients: the platform allows rpc and zmq", "more than before")
}

// Flux makes the network policies of a new tenant beside its bounds, in no order.
func TestPlatformFencesANamespaceThatHasNoBoundsYet(t *testing.T) {
	team := newTeam(t, bounds())
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "team-", Labels: map[string]string{policies.TenantLabel: "true"}}}
	team.Expect(team.as("").Create(team.ctx, namespace)).To(Succeed())
	team.namespace = namespace.Name
	policy := team.object("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: tenant.default-deny}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress]}")
	team.expect(team.as("").Create(team.ctx, policy), "", "by the platform")
	team.Expect(team.as("").Create(team.ctx, team.network("payments", ""))).To(MatchError(ContainSubstring("no params found")), "nothing else comes before the bounds")
}
