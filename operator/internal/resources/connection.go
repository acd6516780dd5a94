package resources

import (
	"fmt"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// ConnectionName returns the name of the ConfigMap that says how a network is reached.
func ConnectionName(network *v1alpha1.BitcoinNetwork) string { return network.Name + "-connection" }

// Connection says how the one node is reached to which PrimaryService leads, and where
// its credentials are: the names of the Secret and of its keys, and no value.
func Connection(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain) *corev1.ConfigMap {
	host := fmt.Sprintf("%s.%s.svc.%s", PrimaryName(network), network.Namespace, platform.ClusterDomain)
	data := map[string]string{
		"type":     "bitcoind",
		"chain":    chain.Name,
		"host":     host,
		"rpc-port": strconv.Itoa(int(chain.RPCPort)),
		"p2p-port": strconv.Itoa(int(chain.P2PPort)),
	}
	for _, topic := range network.Spec.ZMQ {
		port := strconv.Itoa(int(bitcoind.ZMQPort(string(topic))))
		data["zmq-"+string(topic)] = "tcp://" + net.JoinHostPort(host, port)
	}
	if network.Spec.Secret != "" {
		data["secret"] = network.Spec.Secret
		data["secret-user-key"] = bitcoind.UserKey
		data["secret-password-key"] = bitcoind.PasswordKey
	}
	for _, user := range network.Spec.Users {
		data["secret-password-key-"+user.Name], _ = bitcoind.UserPasswordKeys(user.Name)
	}
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: objectMeta(network, ConnectionName(network)),
		Data:       data,
	}
}
