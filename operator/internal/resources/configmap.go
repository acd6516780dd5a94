package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// ConfigMap returns the one that the pods of a StatefulSet mount which an earlier
// operator made, with the bitcoin.conf of their template, or nil. Once there is
// another template nobody writes it any more: pods from before may still read it. It
// goes with the network.
func ConfigMap(network *v1alpha1.BitcoinNetwork, live *appsv1.StatefulSet) *corev1.ConfigMap {
	last, ok := lastApplied(live)
	if !ok || last.Config == "" {
		return nil
	}
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: objectMeta(network, network.Name),
		Data:       map[string]string{configFile: last.Config},
	}
}
