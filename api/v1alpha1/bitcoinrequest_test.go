package v1alpha1_test

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// mine and pay return specs of requests.
func mine(fields map[string]any) map[string]any {
	return map[string]any{"network": "payments", "mine": fields}
}

func pay(to string, amount any) map[string]any {
	return map[string]any{"network": "payments", "pay": map[string]any{"address": to, "amount": amount}}
}

func TestRequestValidation(t *testing.T) {
	needsAPIServer(t)
	for _, test := range []struct {
		reason string
		spec   map[string]any
		want   string // empty where it passes
	}{
		{"blocks", mine(map[string]any{"count": int64(6)}), ""},
		{"blocks whose coins are somebody's", mine(map[string]any{"count": int64(1000), "address": address}), ""},
		{"no block", mine(map[string]any{"count": int64(0)}), "spec.mine.count: Invalid value: 0: spec.mine.count in body should be greater than or equal to 1"},
		{"too many", mine(map[string]any{"count": int64(1001)}), "spec.mine.count: Invalid value: 1001: spec.mine.count in body should be less than or equal to 1000"},
		{"blocks whose coins are on main", mine(map[string]any{"count": int64(1), "address": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}), "spec.mine.address: Invalid value"},

		{"coins", pay(address, "1.5"), ""},
		{"a legacy address", pay("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "0.00001"), ""},
		{"all that there can be", pay(address, "21000000"), ""},
		{"more than that", pay(address, "21000000.00000001"), "spec.pay.amount: Invalid value: \"21000000.00000001\": must be 0.00001 to 21000000, in BTC"},
		{"nothing", pay(address, "0"), "spec.pay.amount: Invalid value: \"0\": must be 0.00001 to 21000000, in BTC"},
		{"less than is relayed", pay(address, "0.00000999"), "spec.pay.amount: Invalid value: \"0.00000999\": must be 0.00001 to 21000000, in BTC"},
		{"less than nothing", pay(address, "-1"), "spec.pay.amount: Invalid value"},
		{"parts of a satoshi", pay(address, "0.000010001"), "spec.pay.amount: Invalid value"},
		{"a figure without quotes, which may not be what it looks like", pay(address, 1.5), "spec.pay.amount: Invalid value: \"number\""},
		{"an address on main", pay("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "1"), "spec.pay.address: Invalid value"},
		{"nobody's address", map[string]any{"network": "payments", "pay": map[string]any{"amount": "1"}}, "spec.pay.address: Required value"},

		{"nothing at all", map[string]any{"network": "payments"}, "spec: Invalid value: set either mine or pay, not both"},
		{"both", map[string]any{"network": "payments", "mine": map[string]any{"count": int64(1)}, "pay": map[string]any{"address": address, "amount": "1"}}, "set either mine or pay, not both"},
		{"of no network", map[string]any{"mine": map[string]any{"count": int64(1)}}, "spec.network: Required value"},
		{"gone within a second", map[string]any{"network": "payments", "mine": map[string]any{"count": int64(1)}, "ttl": "1s"}, "spec.ttl: Invalid value: \"1s\": must be 1m to 168h"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			request := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": v1alpha1.GroupVersion.String(), "kind": "BitcoinRequest",
				"metadata": map[string]any{"name": "one", "namespace": metav1.NamespaceDefault},
				"spec":     test.spec,
			}}
			err := api.Create(t.Context(), request, client.DryRunAll)
			if test.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(test.want)))
		})
	}
}
