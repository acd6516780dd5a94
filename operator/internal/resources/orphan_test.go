package resources

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

func TestIsOrphan(t *testing.T) {
	regtest, _ := bitcoind.ChainNamed("regtest")
	signet, _ := bitcoind.ChainNamed("signet")
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.BitcoinNetwork, *appsv1.StatefulSet)
		chain  bitcoind.Chain
		want   bool
	}{
		{"left behind", func(*v1alpha1.BitcoinNetwork, *appsv1.StatefulSet) {}, regtest, true},
		{"what else somebody has put on it does not matter", func(_ *v1alpha1.BitcoinNetwork, set *appsv1.StatefulSet) { set.Labels["team"] = "blue" }, regtest, true},
		{"another number of nodes is asked for", func(network *v1alpha1.BitcoinNetwork, _ *appsv1.StatefulSet) { network.Spec.Nodes = 7 }, regtest, true},
		{"it has an owner", func(_ *v1alpha1.BitcoinNetwork, set *appsv1.StatefulSet) {
			set.OwnerReferences = []metav1.OwnerReference{{Name: "payments", Controller: new(true)}}
		}, regtest, false},
		{"one that does not control it", func(_ *v1alpha1.BitcoinNetwork, set *appsv1.StatefulSet) {
			set.OwnerReferences = []metav1.OwnerReference{{Name: "somebody"}}
		}, regtest, false},
		{"it is on its way out", func(_ *v1alpha1.BitcoinNetwork, set *appsv1.StatefulSet) { set.DeletionTimestamp = new(metav1.Now()) }, regtest, false},
		{"it is another network's", func(_ *v1alpha1.BitcoinNetwork, set *appsv1.StatefulSet) { set.Labels[NetworkLabel] = "invoices" }, regtest, false},
		{"it bears no label of the operator's", func(_ *v1alpha1.BitcoinNetwork, set *appsv1.StatefulSet) { set.Labels = nil }, regtest, false},
		{"its nodes follow another chain", func(*v1alpha1.BitcoinNetwork, *appsv1.StatefulSet) {}, signet, false},
		{"its nodes have volumes, and the network asks for none", func(network *v1alpha1.BitcoinNetwork, _ *appsv1.StatefulSet) { network.Spec.Storage = nil }, regtest, false},
		{"they have none, and the network asks for some", func(_ *v1alpha1.BitcoinNetwork, set *appsv1.StatefulSet) { set.Spec.VolumeClaimTemplates = nil }, regtest, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := networkNamed("payments", func(network *v1alpha1.BitcoinNetwork) { network.Spec.Storage = &v1alpha1.Storage{} })
			set := StatefulSet(network, Workload{}, 2, nil)
			set.Spec.Template.Spec = podSpec(network, Platform{DefaultImage: "image"}, regtest)
			test.change(network, set)
			if got := IsOrphan(network, test.chain, set); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
