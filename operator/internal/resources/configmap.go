package resources

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

const configKey = "bitcoin.conf"

// ConfigMap holds the bitcoin.conf of a network's nodes.
func ConfigMap(network *v1alpha1.BitcoinNetwork, workload Workload) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: objectMeta(network, network.Name),
		Data:       map[string]string{configKey: workload.Config},
	}
}
