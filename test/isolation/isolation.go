// Package isolation says who may talk to whom in a cluster, going by its
// NetworkPolicies alone. cyclonus evaluates them, which knows nothing of how they came
// about: in seconds, and without pods that would have to be there. That the local cluster
// enforces them shows test/e2e, whose pods dial each other.
package isolation

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// A Cluster is what of a cluster tells who may talk to whom.
type Cluster struct {
	Namespaces []*corev1.Namespace
	Pods       []*corev1.Pod
	Policies   []*networkingv1.NetworkPolicy
	// APIServer is the address of the API server, behind its Service.
	APIServer netip.AddrPort
}

// A Verdict is what the policies on both sides of a connection say to it.
type Verdict struct {
	// Leaves tells whether the source may open the connection.
	Leaves bool
	// Enters tells whether the destination may be reached by it.
	Enters bool
}

// Allowed tells whether the connection comes about.
func (v Verdict) Allowed() bool { return v.Leaves && v.Enters }

// Judge says what the policies say to a connection. Its ends are pods, as
// "namespace/name", or addresses outside the cluster. Of a name that Kubernetes
// completes, as it does a Deployment's pods', the beginning will do. The port is
// one of the destination's by name, or a number with or without protocol, as in
// "53/UDP".
func (c Cluster) Judge(from, to, port string) (Verdict, error) {
	source, _, err := c.end(from)
	if err != nil {
		return Verdict{}, err
	}
	destination, pod, err := c.end(to)
	if err != nil {
		return Verdict{}, err
	}
	traffic := &matcher.Traffic{Source: source, Destination: destination}
	if err := resolve(traffic, pod, port); err != nil {
		return Verdict{}, fmt.Errorf("find port %s of %s: %w", port, to, err)
	}
	result := matcher.BuildNetworkPolicies(false, c.Policies).IsTrafficAllowed(traffic)
	return Verdict{Leaves: result.Egress.IsAllowed(), Enters: result.Ingress.IsAllowed()}, nil
}

// end returns one end of a connection, and its pod where it is one.
func (c Cluster) end(name string) (*matcher.TrafficPeer, *corev1.Pod, error) {
	if _, err := netip.ParseAddr(name); err == nil {
		return &matcher.TrafficPeer{IP: name}, nil, nil
	}
	pod, err := c.pod(name)
	if err != nil {
		return nil, nil, err
	}
	if pod.Status.PodIP == "" {
		return nil, nil, fmt.Errorf("pod %s has no address", name)
	}
	namespace := slices.IndexFunc(c.Namespaces, func(n *corev1.Namespace) bool { return n.Name == pod.Namespace })
	if namespace < 0 {
		return nil, nil, fmt.Errorf("namespace %s is not there", pod.Namespace)
	}
	return &matcher.TrafficPeer{IP: pod.Status.PodIP, Internal: &matcher.InternalPeer{
		Namespace:       pod.Namespace,
		NamespaceLabels: c.Namespaces[namespace].Labels,
		PodLabels:       pod.Labels,
	}}, pod, nil
}

// pod returns the pod of that name, or else one whose name begins with it.
func (c Cluster) pod(name string) (*corev1.Pod, error) {
	isCalled := func(p *corev1.Pod) bool { return p.Namespace+"/"+p.Name == name }
	begins := func(p *corev1.Pod) bool { return strings.HasPrefix(p.Namespace+"/"+p.Name, name+"-") }
	for _, is := range []func(*corev1.Pod) bool{isCalled, begins} {
		if i := slices.IndexFunc(c.Pods, is); i >= 0 {
			return c.Pods[i], nil
		}
	}
	return nil, fmt.Errorf("pod %s is not there", name)
}

// resolve says which port the traffic goes to. Policies may call a port by its
// name or by its number, whichever it is called by here.
func resolve(traffic *matcher.Traffic, pod *corev1.Pod, port string) error {
	number, protocol, _ := strings.Cut(port, "/")
	parsed, err := strconv.ParseUint(number, 10, 16)
	traffic.ResolvedPort, traffic.Protocol = int(parsed), cmp.Or(corev1.Protocol(protocol), corev1.ProtocolTCP)
	for _, has := range portsOf(pod) {
		spoken := cmp.Or(has.Protocol, corev1.ProtocolTCP)
		if has.Name == port || int(has.ContainerPort) == traffic.ResolvedPort && spoken == traffic.Protocol {
			traffic.ResolvedPort, traffic.ResolvedPortName, traffic.Protocol = int(has.ContainerPort), has.Name, spoken
			return nil
		}
	}
	return err
}

func portsOf(pod *corev1.Pod) []corev1.ContainerPort {
	var ports []corev1.ContainerPort
	if pod != nil {
		for _, container := range pod.Spec.Containers {
			ports = append(ports, container.Ports...)
		}
	}
	return ports
}
