package resources

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

const (
	p2pPort = "p2p"
	rpcPort = "rpc"
)

// HeadlessService gives every node a DNS name, also before the node is ready:
// links between nodes must not depend on readiness.
func HeadlessService(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: objectMeta(network),
		Spec: corev1.ServiceSpec{
			ClusterIP:                corev1.ClusterIPNone,
			PublishNotReadyAddresses: true,
			Selector:                 Selector(network),
			Ports: []corev1.ServicePort{
				{Name: p2pPort, Port: chain.P2PPort, TargetPort: intstr.FromString(p2pPort), Protocol: corev1.ProtocolTCP},
				{Name: rpcPort, Port: chain.RPCPort, TargetPort: intstr.FromString(rpcPort), Protocol: corev1.ProtocolTCP},
			},
		},
	}
}
