package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// Clients that need one node have one address for the network's life. They are led
// elsewhere before their node goes with its data, and when it is lost.
func TestClientsAreLedToOneNode(t *testing.T) {
	t.Parallel()
	g, ctx := needsClusterFor(t, 10*time.Minute)
	led := up(t, g, ctx, "team-a", "led", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName, ZMQ: []v1alpha1.ZMQTopic{v1alpha1.RawBlock}})
	wait(g, ctx, higher(led, 0))
	wait(g, ctx, leadsTo(led, 0))
	address := primary(g, ctx, led).Spec.ClusterIP
	g.Expect(portsOf(primary(g, ctx, led))).To(Equal(map[string]int32{"rpc": 18443, "p2p": 18444, "zmq-rawblock": 28332}))
	g.Expect(fromPod(t, g, ctx, "led-client", led.Status.Image, "led-primary", "getnetworkinfo")).To(ContainSubstring("team-a.led.0"))

	var connection corev1.ConfigMap
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-a", Name: "led-connection"}, &connection)).To(Succeed())
	g.Expect(connection.Data).To(And(
		HaveKeyWithValue("host", "led-primary.team-a.svc.cluster.local"), HaveKeyWithValue("rpc-port", "18443"),
		HaveKeyWithValue("zmq-rawblock", "tcp://led-primary.team-a.svc.cluster.local:28332"), HaveKeyWithValue("secret", secretName)))
	g.Expect(fmt.Sprint(connection.Data)).NotTo(ContainSubstring(pairOf(g, ctx, "team-a").password), "names and no values")

	t.Run("its pod is lost", func(t *testing.T) {
		g := NewWithT(t)
		tip := mine(g, ctx, led, 0, 1)
		lost := pod(g, ctx, led.Nodes[0])
		g.Expect(cluster.API.Delete(ctx, lost)).To(Succeed())
		within(t, g, ctx, "they were led elsewhere", 10*time.Second, leadsTo(led, 1))
		g.Expect(led.Nodes[1].Has(ctx, tip)).To(BeTrue(), "never to a node that lacks the best block")
		g.Expect(fromPod(t, g, ctx, "led-client-2", led.Status.Image, "led-primary", "getnetworkinfo")).To(ContainSubstring("team-a.led.1"))
		ready(g, ctx, led)
		staysAt(g, ctx, led, 1)
	})

	t.Run("all nodes are replaced", func(t *testing.T) {
		g := NewWithT(t)
		before := lives(g, ctx, "team-a", "led")
		moved := primaryMoves(g, ctx, led)
		alter(g, ctx, led, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = []v1alpha1.ConfigLine{"maxmempool=20"} })
		wait(g, ctx, replaced("team-a", "led", before, 3))
		ready(g, ctx, led)
		g.Expect(primaryMoves(g, ctx, led)).To(Equal(moved+1), "their node goes last, and they move once")
	})

	t.Run("it is scaled away", func(t *testing.T) {
		g := NewWithT(t)
		scale(g, ctx, led, 1)
		wait(g, ctx, leadsTo(led, 0))
		ready(g, ctx, network(g, ctx, "team-a", "led"))
	})
	g.Expect(primary(g, ctx, led).Spec.ClusterIP).To(Equal(address), "one address for the network's life")
}

// A node that hangs keeps its connections. Clients leave it, and it is ended: so do those
// that are connected.
func TestClientsLeaveANodeThatHangs(t *testing.T) {
	t.Parallel()
	leaveHanging(t, "hanging", func(Gomega, context.Context, fleet.Network) {})
}

// An operator that was killed meanwhile goes by what the kubelet has seen.
func TestSlowClientsLeaveANodeThatHangsThoughTheOperatorIsKilled(t *testing.T) {
	slow(t)
	leaveHanging(t, "forgetful", func(g Gomega, ctx context.Context, hanging fleet.Network) {
		wait(g, ctx, tells(hanging, "NodesReady", "NodesNotReady", hanging.Name+"-0: "))
		killOperator(g, ctx, hanging.Namespace)
	})
}

// leaveHanging has the node hang to which clients of a network of that name are led, lets
// something happen meanwhile, and has them leave it.
func leaveHanging(t *testing.T, name string, meanwhile func(Gomega, context.Context, fleet.Network)) {
	g, ctx := needsCluster(t)
	hanging := up(t, g, ctx, "team-a", name, v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	wait(g, ctx, higher(hanging, 0))
	wait(g, ctx, leadsTo(hanging, 0))
	before := lives(g, ctx, "team-a", name)

	process := processOf(g, ctx, hanging.Nodes[0])
	g.Expect(syscall.Kill(process, syscall.SIGSTOP)).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(process, syscall.SIGCONT) })
	meanwhile(g, ctx, hanging)
	// The kubelet takes up to 20 seconds to find it not ready, and 30 more have to pass.
	within(t, g, ctx, "clients left it", 2*time.Minute, leadsTo(hanging, 1))
	wait(g, ctx, replaced("team-a", name, before, 1))
	ready(g, ctx, hanging)
	after := lives(g, ctx, "team-a", name)
	for _, other := range []string{name + "-1", name + "-2"} {
		g.Expect(after[other]).To(Equal(before[other]), "%s has nothing to do with it", other)
	}
	staysAt(g, ctx, hanging, 1)
	g.Expect(primaryMoves(g, ctx, hanging)).To(Equal(1))
}

// Where a wallet is in the node, and on its volume, clients stay.
func TestClientsStayWhereTheirWalletIs(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	stays := up(t, g, ctx, "team-a", "stays", v1alpha1.BitcoinNetworkSpec{
		Nodes: 2, Secret: secretName, Storage: &v1alpha1.Storage{Size: resource.MustParse("64Mi")},
		Primary: &v1alpha1.Primary{Failover: new(false)},
	})
	wait(g, ctx, leadsTo(stays, 0))
	process := processOf(g, ctx, stays.Nodes[0])
	g.Expect(syscall.Kill(process, syscall.SIGSTOP)).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(process, syscall.SIGCONT) })
	_, err := cluster.Kubectl(ctx, "wait", "pod/stays-0", "--namespace=team-a", "--for=condition=Ready=false", "--timeout=1m")
	g.Expect(err).NotTo(HaveOccurred())
	g.Consistently(func() (bool, error) {
		stay, _, err := leadsTo(stays, 0)(ctx)
		return stay, err
	}, "60s", "2s").Should(BeTrue())
	g.Expect(syscall.Kill(process, syscall.SIGCONT)).To(Succeed())
	ready(g, ctx, stays)
}

// Pods of another namespace reach what the network says, and the platform allows, for
// each combination of RPC, ZMQ and P2P: at the node, and by the Service that leads to it.
func TestClientsReachWhatTheyMay(t *testing.T) {
	const team, shop = "serving", "shop"
	g, ctx := needsClusterFor(t, 8*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	serving := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, team)[0]
	for _, key := range []string{"clientNamespaces", "peerNamespaces"} {
		g.Expect(platform.Edit("tenants/"+team+"/tenant.yaml", "data:\n", "data:\n  "+key+": "+shop+"\n")).To(Succeed())
	}
	commit, err := platform.Push(ctx, "Let "+team+" let in "+shop)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, platform.Delivery("tenants", commit).Done)
	wait(g, ctx, push(g, ctx, serving, "Its credentials").Done)

	spec := v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName, ZMQ: []v1alpha1.ZMQTopic{v1alpha1.RawBlock}}
	numbers := map[v1alpha1.ClientPort]int{v1alpha1.RPCPort: 18443, v1alpha1.ZMQPort: 28332, v1alpha1.P2PPort: 18444}
	pods := map[string][]v1alpha1.ClientPort{"none": nil}
	for bits := 1; bits < 8; bits++ {
		var ports []v1alpha1.ClientPort
		name := "may"
		for i, port := range []v1alpha1.ClientPort{v1alpha1.RPCPort, v1alpha1.ZMQPort, v1alpha1.P2PPort} {
			if bits&(1<<i) != 0 {
				ports, name = append(ports, port), name+"-"+string(port)
			}
		}
		pods[name] = ports
		spec.Clients = append(spec.Clients, v1alpha1.Client{
			Namespaces: []string{shop}, PodLabels: map[string]v1alpha1.LabelValue{"app": v1alpha1.LabelValue(name)}, Ports: ports,
		})
	}
	served := up(t, g, ctx, team, "served", spec)
	node := pod(g, ctx, served.Nodes[0]).Status.PodIP

	g.Expect(cluster.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: shop}})).To(Succeed())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 2*time.Minute, errors.New("two minutes after the test"))
		defer cancel()
		removeNamespace(NewWithT(t), ctx, shop)
	})
	callers := map[string]*caller{}
	for name, ports := range pods {
		made := dialler(standIn{shop, name, map[string]string{"app": name, clientLabel: "true"}}, served.Status.Image)
		g.Expect(cluster.API.Create(ctx, made)).To(Succeed())
		callers[name] = &caller{namespace: shop, pod: name, reaches: map[string]bool{}}
		for port, number := range numbers {
			for _, host := range []string{node, "served-primary." + team + ".svc.cluster.local"} {
				callers[name].reaches[fmt.Sprintf("%s:%d", host, number)] = slices.Contains(ports, port)
			}
		}
	}
	for name, caller := range callers {
		_, err := cluster.Kubectl(ctx, "wait", "pod/"+name, "--namespace="+shop, "--for=condition=Ready", "--timeout=1m")
		g.Expect(err).NotTo(HaveOccurred())
		caller.dial(ctx)
		g.Expect(caller.err).NotTo(HaveOccurred(), "%s, which may reach %v: %v", name, pods[name], caller.outcomes)
	}
}

// primary reads the Service that leads to one node of a network.
func primary(g Gomega, ctx context.Context, of fleet.Network) corev1.Service {
	var service corev1.Service
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: of.Namespace, Name: of.Name + "-primary"}, &service)).To(Succeed())
	return service
}

// leadsTo is so when clients of a network are led to that node, and the status says so.
func leadsTo(of fleet.Network, ordinal int) fleet.Condition {
	want := fmt.Sprintf("%s-%d", of.Name, ordinal)
	return func(ctx context.Context) (bool, string, error) {
		var service corev1.Service
		if err := cluster.API.Get(ctx, client.ObjectKey{Namespace: of.Namespace, Name: of.Name + "-primary"}, &service); err != nil {
			return false, "the Service", client.IgnoreNotFound(err)
		}
		now, err := cluster.Network(ctx, of.Namespace, of.Name)
		leads := service.Spec.Selector["statefulset.kubernetes.io/pod-name"]
		recorded := now.Status.Primary != nil && int(now.Status.Primary.Ordinal) == ordinal
		return leads == want && recorded, fmt.Sprintf("clients to be led to %s, and not to %s", want, leads), err
	}
}

// staysAt sees to it that clients of a network are still led to that node.
func staysAt(g Gomega, ctx context.Context, of fleet.Network, ordinal int) {
	stays, leads, err := leadsTo(of, ordinal)(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(stays).To(BeTrue(), "once, and not back: %s", leads)
}

// primaryMoves counts how often clients of a network were led elsewhere, by its events.
func primaryMoves(g Gomega, ctx context.Context, of fleet.Network) int {
	var events corev1.EventList
	g.Expect(cluster.API.List(ctx, &events, client.InNamespace(of.Namespace))).To(Succeed())
	moves := 0
	for _, event := range events.Items {
		if event.Reason == v1alpha1.PrimaryMovedEvent && event.InvolvedObject.UID == of.UID && strings.HasPrefix(event.Message, of.Name+"-primary now leads to ") {
			moves += int(max(event.Count, 1))
		}
	}
	return moves
}
