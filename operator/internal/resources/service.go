package resources

import (
	"time"

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

// port is one that nodes listen on.
type port struct {
	name   string
	number int32
}

// kind is what of a node is behind a port.
func (p port) kind() v1alpha1.ClientPort {
	switch p.name {
	case p2pPort:
		return v1alpha1.P2PPort
	case rpcPort:
		return v1alpha1.RPCPort
	default:
		return v1alpha1.ZMQPort
	}
}

// clientPorts are those for clients of the nodes: RPC, and ZeroMQ where it is
// asked for.
func clientPorts(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) []port {
	ports := []port{{rpcPort, chain.RPCPort}}
	for _, topic := range network.Spec.ZMQ {
		ports = append(ports, port{"zmq-" + string(topic), bitcoind.ZMQPort(string(topic))})
	}
	return ports
}

// nodePorts are all that nodes listen on.
func nodePorts(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) []port {
	return append([]port{{p2pPort, chain.P2PPort}}, clientPorts(network, chain)...)
}

// HeadlessService gives every node a DNS name, also before the node is ready:
// links between nodes must not depend on readiness.
func HeadlessService(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) *corev1.Service {
	service := serviceOf(network, network.Name, nodePorts(network, chain))
	service.Spec.ClusterIP = corev1.ClusterIPNone
	service.Spec.PublishNotReadyAddresses = true
	return service
}

// affinity is for how long a client that is idle is led to the same node. Kubernetes
// would fill in as much; but what is not the operator's own an older operator, which
// knows no affinity, could not take away.
const affinity = 3 * time.Hour

// RPCService is for clients to which one node is as good as another: it leads to
// one that is ready, and the same client to the same one.
func RPCService(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) *corev1.Service {
	service := serviceOf(network, ClientService(network), clientPorts(network, chain))
	service.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
	service.Spec.SessionAffinityConfig = &corev1.SessionAffinityConfig{
		ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: new(int32(affinity / time.Second))},
	}
	return service
}

func serviceOf(network *v1alpha1.BitcoinNetwork, name string, ports []port) *corev1.Service {
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: objectMeta(network, name),
		Spec:       corev1.ServiceSpec{Selector: Selector(network)},
	}
	for _, port := range ports {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
			Name: port.name, Port: port.number, TargetPort: intstr.FromString(port.name), Protocol: corev1.ProtocolTCP,
		})
	}
	return service
}
