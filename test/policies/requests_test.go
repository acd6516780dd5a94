package policies_test

import (
	"maps"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What people may ask for at once.
func TestRequests(t *testing.T) {
	const address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	const person, reconciler = "somebody@example.com", ":reconciler"
	for _, test := range []struct {
		reason string
		bounds map[string]string
		user   string
		meta   string
		spec   string
		want   string // empty where it passes
	}{
		{"a few blocks", nil, person, "", "mine: {count: 6}", ""},
		{"as many as may be", map[string]string{"maxBlocks": "50"}, person, "", "mine: {count: 50}", ""},
		{"more blocks than that", map[string]string{"maxBlocks": "50"}, person, "", "mine: {count: 51}", "spec.mine.count: the platform allows 50 blocks per request in this namespace, not 51"},
		{"where nothing is said of blocks", nil, person, "", "mine: {count: 1000}", ""},
		{"a few coins", nil, person, "", "pay: {address: " + address + `, amount: "2.5"}`, ""},
		{"as many as may be", map[string]string{"maxAmount": "2.5"}, person, "", "pay: {address: " + address + `, amount: "2.50000000"}`, ""},
		{"more coins than that", map[string]string{"maxAmount": "2.5"}, person, "", "pay: {address: " + address + `, amount: "2.50000001"}`, "spec.pay.amount: the platform allows 2.5 BTC per request in this namespace, not 2.50000001"},
		{"more coins where nothing is said of them", nil, person, "", "pay: {address: " + address + `, amount: "101"}`, "spec.pay.amount: the platform allows 100 BTC per request in this namespace, not 101"},

		{"one in Git", nil, reconciler, "", "mine: {count: 6}", "requests must not be in Git"},
		{"one that would keep the namespace", nil, person, `, finalizers: ["example.com/mine"]`, "mine: {count: 6}", "metadata.finalizers, metadata.ownerReferences: must be empty"},
		{"one that would go with something", nil, person, ", ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: a}]", "mine: {count: 6}", "metadata.finalizers, metadata.ownerReferences: must be empty"},
		{"one with a note", nil, person, ", annotations: {note: of mine}", "mine: {count: 6}", ""},
		{"one with a book", nil, person, ", annotations: {note: " + strings.Repeat("a", 20<<10) + "}", "mine: {count: 6}", "metadata.annotations, metadata.labels: at most 32 each, of at most 16 KiB in total"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			limits := bounds()
			maps.Copy(limits, test.bounds)
			team := newTeam(t, limits)
			if test.user == reconciler {
				test.user = "system:serviceaccount:" + team.namespace + reconciler
			}
			team.allow("requests", test.user, rbacv1.PolicyRule{APIGroups: []string{"bitcoin-operator.github.io"}, Resources: []string{"bitcoinrequests"}, Verbs: []string{"create"}})
			request := team.object("apiVersion: bitcoin-operator.github.io/v1alpha1\nkind: BitcoinRequest\nmetadata: {name: six" + test.meta + "}\nspec: {network: payments, " + test.spec + "}\n")
			team.expect(team.as(test.user).Create(team.ctx, request, client.DryRunAll), test.want, test.reason)
		})
	}
}

// What is asked for can neither be changed nor be asked for twice in one object.
func TestRequestsStayWhatTheyAre(t *testing.T) {
	team := newTeam(t, bounds())
	request := team.object("apiVersion: bitcoin-operator.github.io/v1alpha1\nkind: BitcoinRequest\nmetadata: {name: six}\nspec: {network: payments, mine: {count: 6}}\n")
	team.Expect(team.as("").Create(team.ctx, request)).To(Succeed())
	for _, patch := range []string{`{"spec": {"mine": {"count": 7}}}`, `{"spec": {"network": "other"}}`, `{"spec": {"ttl": "2h"}}`} {
		err := team.as("").Patch(team.ctx, request.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)), client.DryRunAll)
		team.Expect(err).To(MatchError(ContainSubstring("cannot be changed; create another request")), patch)
	}
}
