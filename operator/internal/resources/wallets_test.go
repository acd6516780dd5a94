package resources

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestWithoutWallets(t *testing.T) {
	for _, test := range []struct {
		reason string
		config []v1alpha1.ConfigLine
		want   bool
	}{
		{"a network says nothing of wallets", nil, false},
		{"it has none", []v1alpha1.ConfigLine{"txindex=1", "disablewallet=1"}, true},
		{"it says that it has", []v1alpha1.ConfigLine{"disablewallet=0"}, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			template := templateOf(func(network *v1alpha1.BitcoinNetwork) { network.Spec.Config = test.config })
			pod := &corev1.Pod{ObjectMeta: template.ObjectMeta}
			if got := WithoutWallets(pod); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
	if WithoutWallets(&corev1.Pod{}) {
		t.Error("a pod of an earlier operator, which does not carry its bitcoin.conf, may have wallets")
	}
}
