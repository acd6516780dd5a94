package resources

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

func withoutSecret(network *v1alpha1.BitcoinNetwork) { network.Spec.Secret = "" }

func on(chain v1alpha1.Chain) func(*v1alpha1.BitcoinNetwork) {
	return func(network *v1alpha1.BitcoinNetwork) { network.Spec.Chain = chain }
}

func ownSignet(network *v1alpha1.BitcoinNetwork) {
	network.Spec.Chain = v1alpha1.Signet
	network.Spec.Signet = &v1alpha1.SignetChain{Challenge: "51"}
}

func withTopics(topics ...v1alpha1.ZMQTopic) func(*v1alpha1.BitcoinNetwork) {
	return func(network *v1alpha1.BitcoinNetwork) { network.Spec.ZMQ = topics }
}

func withStorage(network *v1alpha1.BitcoinNetwork) {
	network.Spec.Storage = &v1alpha1.Storage{Size: resource.MustParse("10Gi"), ClassName: new("fast"), WhenDeleted: remove, WhenScaled: remove}
}

// everyField sets every field of a spec, to what it is nowhere by default. (Not
// that the API would take them together: nobody mines on a signet.)
func everyField(network *v1alpha1.BitcoinNetwork) {
	ownSignet(network)
	withStorage(network)
	spec := &network.Spec
	spec.Nodes = 5
	spec.Secret = "bitcoin-rpc"
	spec.Users = []v1alpha1.User{{Name: "lnd", Profile: v1alpha1.LightningProfile}, {Name: "btc-pay", Methods: []v1alpha1.RPCMethod{"uptime", "getblock"}}}
	spec.Config = []v1alpha1.ConfigLine{"txindex=1", "blocknotify=<&>"}
	spec.ZMQ = []v1alpha1.ZMQTopic{v1alpha1.RawBlock, v1alpha1.Sequence}
	spec.Image = "bitcoind:own"
	spec.ImagePullPolicy = corev1.PullAlways
	spec.ImagePullSecrets = []v1alpha1.ImagePullSecret{{Name: "registry"}}
	spec.Peering = v1alpha1.Peering{Degree: 2}
	spec.Resources = &v1alpha1.Resources{
		Requests: list("cpu=500m", "memory=1536Mi"),
		Limits:   list("memory=3Gi", "ephemeral-storage=1Gi"),
	}
	spec.NodeSelector = map[string]string{"disk": "ssd"}
	spec.Tolerations = []corev1.Toleration{{Key: "bitcoin", Operator: corev1.TolerationOpExists, TolerationSeconds: new(int64(60))}}
	spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: []string{"a", "b"}}},
		}}},
	}}
	spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
		MaxSkew: 2, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule, MinDomains: new(int32(3)),
	}, {
		MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway, MatchLabelKeys: []string{"rack"},
		LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "payments"}},
	}}
	spec.PodLabels = map[string]v1alpha1.LabelValue{"cost-centre": "4711"}
	spec.Mining = &v1alpha1.Mining{Interval: &metav1.Duration{Duration: time.Minute}, Address: "bcrt1qqqqqqq", KeepFresh: new(false)}
	spec.Clients = []v1alpha1.Client{{
		Namespaces: []string{"shop"}, PodLabels: map[string]v1alpha1.LabelValue{"app": "lnd"}, Ports: []v1alpha1.ClientPort{v1alpha1.RPCPort, v1alpha1.ZMQPort},
	}}
	spec.Primary = &v1alpha1.Primary{Failover: new(false), FailoverAfter: &metav1.Duration{Duration: time.Minute}}
	spec.Suspend = true
	spec.Protect = true
	spec.Interval = &metav1.Duration{Duration: time.Minute}
}

func TestEveryFieldIsEvery(t *testing.T) {
	spec := reflect.ValueOf(networkNamed("payments", everyField).Spec)
	for i := range spec.NumField() {
		if spec.Field(i).IsZero() {
			t.Errorf("everyField does not set spec.%s", spec.Type().Field(i).Name)
		}
	}
}

// children are the objects of a network, as Children returns them.
type children struct {
	config        *corev1.ConfigMap // nil but for networks of an earlier operator
	headless, rpc *corev1.Service
	budget        *policyv1.PodDisruptionBudget
	policy        *networkingv1.NetworkPolicy
	set           *appsv1.StatefulSet
}

func (c children) container() corev1.Container { return c.set.Spec.Template.Spec.Containers[0] }

// conf returns the bitcoin.conf of the pods, where the kubelet takes it from.
func (c children) conf(t testing.TB) string {
	t.Helper()
	for _, mount := range c.container().VolumeMounts {
		if mount.MountPath != bitcoind.ConfigFile {
			continue
		}
		switch volume := volumesOf(c.set)[mount.Name]; {
		case volume.ConfigMap != nil && c.config != nil && c.config.Name == volume.ConfigMap.Name:
			return c.config.Data[mount.SubPath]
		case volume.DownwardAPI != nil && volume.DownwardAPI.Items[0].Path == mount.SubPath:
			key := strings.TrimSuffix(strings.TrimPrefix(volume.DownwardAPI.Items[0].FieldRef.FieldPath, "metadata.annotations['"), "']")
			return c.set.Spec.Template.Annotations[key]
		}
	}
	t.Fatal("the pods have no bitcoin.conf")
	return ""
}

// oneAtATime is the disruption budget of a network that is as it should be.
var oneAtATime = Budget{MaxUnavailable: 1, AlwaysAllow: true}

// objectsOf returns the objects of a network that has as many pods as it asks for,
// given the StatefulSet that there is, or nil.
func objectsOf(t testing.TB, network *v1alpha1.BitcoinNetwork, platform Platform, live *appsv1.StatefulSet) []client.Object {
	t.Helper()
	objects, err := Children(network, platform, chainOf(network), int(network.Spec.Nodes), oneAtATime, live)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// childrenOf returns the objects of a network that has none yet.
func childrenOf(t testing.TB, network *v1alpha1.BitcoinNetwork) children {
	t.Helper()
	return sorted(objectsOf(t, network, platform, nil))
}

func sorted(objects []client.Object) children {
	var c children
	if config, isConfig := objects[0].(*corev1.ConfigMap); isConfig {
		c.config, objects = config, objects[1:]
	}
	c.headless = objects[0].(*corev1.Service)
	c.rpc = objects[1].(*corev1.Service)
	c.budget = objects[2].(*policyv1.PodDisruptionBudget)
	c.policy = objects[3].(*networkingv1.NetworkPolicy)
	c.set = objects[4].(*appsv1.StatefulSet)
	return c
}

// text is an object as the API server gets it.
func text(t testing.TB, object any) string {
	t.Helper()
	content, err := json.MarshalIndent(object, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestObjectsAreNamedAndLabelledAfterTheirNetwork(t *testing.T) {
	network := networkNamed("payments", everyField, func(n *v1alpha1.BitcoinNetwork) {
		// Flux finds what it has applied by these: on a child they would have it
		// pruned as something that is not in Git.
		n.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "networks"}
		n.Annotations = map[string]string{"note": "the team's own"}
	})
	want := []string{
		"/v1, Kind=Service payments", "/v1, Kind=Service payments-rpc",
		"policy/v1, Kind=PodDisruptionBudget payments", "networking.k8s.io/v1, Kind=NetworkPolicy payments",
		"apps/v1, Kind=StatefulSet payments", // the last: its pods need the others
	}
	var got []string
	for _, object := range objectsOf(t, network, platform, nil) {
		g := NewWithT(t)
		kind := object.GetObjectKind().GroupVersionKind().String() // server-side apply needs it
		got = append(got, kind+" "+object.GetName())
		g.Expect(object.GetNamespace()).To(Equal("team-a"), kind)
		for key := range object.GetAnnotations() {
			g.Expect(key).To(Equal(workloadAnnotation), kind)
		}
		g.Expect(object.GetLabels()).To(Equal(map[string]string{
			NetworkLabel:                   "payments", // by which the operator's cache selects
			"app.kubernetes.io/name":       "bitcoind",
			"app.kubernetes.io/instance":   "payments",
			"app.kubernetes.io/managed-by": "bitcoin-operator",
		}), kind)
		for key, value := range object.GetLabels() {
			g.Expect(validation.IsQualifiedName(key)).To(BeEmpty())
			g.Expect(validation.IsValidLabelValue(value)).To(BeEmpty())
		}
	}
	NewWithT(t).Expect(got).To(Equal(want))
}

// The same network gives the same objects, or they would be applied for ever.
func TestObjectsAreTheSameEachTime(t *testing.T) {
	network := networkNamed("payments", everyField, func(n *v1alpha1.BitcoinNetwork) {
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			n.Spec.PodLabels[key] = "x"
			n.Spec.NodeSelector[key] = "x"
		}
	})
	first := text(t, objectsOf(t, network, platform, nil))
	for range 20 {
		NewWithT(t).Expect(text(t, objectsOf(t, network, platform, nil))).To(Equal(first))
	}
}

// A change of an object must not be one of what it was made from: the network is
// written back to the API server, the live StatefulSet and the platform's settings
// are others', too.
func TestObjectsShareNothing(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.BitcoinNetwork)
		ranges []string
		live   bool
	}{
		{"a new network with every field", everyField, nil, false},
		{"one with every field that is there", everyField, nil, true},
		{"one with defaults alone", func(*v1alpha1.BitcoinNetwork) {}, nil, false},
		{"one on a public chain", on(v1alpha1.Main), nil, false},
		{"one on a public chain, in a cluster with ranges of its own", on(v1alpha1.Main), []string{"192.0.2.0/24", "2001:db8::/32"}, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			v4, v6 := slices.Clone(notPublic), slices.Clone(notPublicV6)
			t.Cleanup(func() { copy(notPublic, v4); copy(notPublicV6, v6) })
			network := networkNamed("payments", test.change)
			platform := platform
			platform.ClusterRanges = test.ranges
			var live *appsv1.StatefulSet
			if test.live {
				live = served(t, childrenOf(t, network).set)
			}
			networkBefore, liveBefore, rangesBefore := network.DeepCopy(), live.DeepCopy(), slices.Clone(test.ranges)

			objects := objectsOf(t, network, platform, live)
			before := text(t, objects)
			for i, object := range objects {
				others := text(t, slices.Delete(slices.Clone(objects), i, i+1))
				scribble(reflect.ValueOf(object))
				g.Expect(text(t, slices.Delete(slices.Clone(objects), i, i+1))).To(Equal(others), "object %d shares something with another", i)
			}
			g.Expect(text(t, objects)).NotTo(Equal(before), "nothing was changed")

			g.Expect(text(t, network)).To(Equal(text(t, networkBefore)), "the network")
			g.Expect(text(t, live)).To(Equal(text(t, liveBefore)), "the live StatefulSet")
			g.Expect(test.ranges).To(Equal(rangesBefore), "the platform's ranges")
			g.Expect(notPublic).To(Equal(v4), "what all NetworkPolicies are made of")
			g.Expect(notPublicV6).To(Equal(v6), "what all NetworkPolicies are made of")
			g.Expect(text(t, objectsOf(t, network, platform, live))).To(Equal(before), "the same network's objects, made anew")
		})
	}
}

// scribble changes everything that can be reached from a value.
func scribble(value reflect.Value) {
	if value.CanAddr() {
		switch known := value.Addr().Interface().(type) {
		case *resource.Quantity:
			known.Add(resource.MustParse("1"))
			return
		case *intstr.IntOrString:
			known.IntVal, known.StrVal = known.IntVal+1, "scribbled"
			return
		}
	}
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !value.IsNil() {
			scribble(value.Elem())
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).IsExported() {
				scribble(value.Field(i))
			}
		}
	case reflect.Slice:
		for i := range value.Len() {
			scribble(value.Index(i))
		}
	case reflect.Map:
		for _, key := range value.MapKeys() {
			element := reflect.New(value.Type().Elem()).Elem()
			element.Set(value.MapIndex(key))
			scribble(element)
			value.SetMapIndex(key, element)
		}
	case reflect.String:
		value.SetString("scribbled")
	case reflect.Bool:
		value.SetBool(!value.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		value.SetInt(value.Int() + 1)
	}
}

func TestSelectorsSelectThePods(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) {
		n.Spec.PodLabels = map[string]v1alpha1.LabelValue{NetworkLabel: "invoices"}
	})
	c := childrenOf(t, network)
	for what, selector := range map[string]map[string]string{
		"the StatefulSet's":                c.set.Spec.Selector.MatchLabels,
		"the headless Service's":           c.headless.Spec.Selector,
		"the client Service's":             c.rpc.Spec.Selector,
		"the PodDisruptionBudget's":        c.budget.Spec.Selector.MatchLabels,
		"the NetworkPolicy's":              c.policy.Spec.PodSelector.MatchLabels,
		"that of the pods' spread":         c.set.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels,
		"that of the network's own status": Selector(network),
	} {
		g.Expect(selector).To(Equal(map[string]string{NetworkLabel: "payments"}), what)
	}
	g.Expect(c.set.Spec.Template.Labels).To(HaveKeyWithValue(NetworkLabel, "payments"))
	g.Expect(Selector(networkNamed("invoices"))).NotTo(Equal(Selector(network)), "another network's pods")
}

func TestHeadlessService(t *testing.T) {
	g := NewWithT(t)
	c := childrenOf(t, networkNamed("payments"))
	g.Expect(c.headless.Name).To(Equal(c.set.Spec.ServiceName), "the pods' names are below it")
	g.Expect(c.headless.Spec.ClusterIP).To(Equal(corev1.ClusterIPNone), "each pod has a name of its own")
	g.Expect(c.headless.Spec.PublishNotReadyAddresses).To(BeTrue(), "links must not depend on readiness")
}

func TestClientService(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments")
	service := childrenOf(t, network).rpc
	g.Expect(service.Name).To(Equal("payments-rpc"))
	g.Expect(service.Name).To(Equal(ClientService(network)))
	g.Expect(service.Spec.ClusterIP).To(BeEmpty(), "not headless: clients need one address")
	g.Expect(service.Spec.Type).To(BeEmpty(), "within the cluster alone")
	g.Expect(service.Spec.PublishNotReadyAddresses).To(BeFalse(), "clients want a node that answers")
	g.Expect(service.Spec.SessionAffinity).To(Equal(corev1.ServiceAffinityClientIP), "what one node said the next may not know")
	g.Expect(service.Spec.SessionAffinityConfig.ClientIP.TimeoutSeconds).To(HaveValue(Equal(int32(10800))),
		"the operator's own, so that an older one takes it away together with the affinity")
}

// The ports of a network are the same wherever they are said.
func TestPorts(t *testing.T) {
	for _, test := range []struct {
		reason   string
		change   func(*v1alpha1.BitcoinNetwork)
		p2p, rpc int32
		topics   map[string]int32
	}{
		{"regtest", on(v1alpha1.Regtest), 18444, 18443, nil},
		{"the public signet", on(v1alpha1.Signet), 38333, 38332, nil},
		{"a signet of one's own", ownSignet, 38333, 38332, nil},
		{"testnet4", on(v1alpha1.Testnet4), 48333, 48332, nil},
		{"main", on(v1alpha1.Main), 8333, 8332, nil},
		{"a topic", withTopics(v1alpha1.Sequence), 18444, 18443, map[string]int32{"zmq-sequence": 28336}},
		{"every topic", withTopics(v1alpha1.Sequence, v1alpha1.RawTx, v1alpha1.HashTx, v1alpha1.RawBlock, v1alpha1.HashBlock), 18444, 18443, map[string]int32{
			"zmq-rawblock": 28332, "zmq-rawtx": 28333, "zmq-hashblock": 28334, "zmq-hashtx": 28335, "zmq-sequence": 28336,
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			c := childrenOf(t, networkNamed("payments", test.change))
			ofClients := map[string]int32{"rpc": test.rpc}
			ofNodes := map[string]int32{"rpc": test.rpc, "p2p": test.p2p}
			for name, port := range test.topics {
				ofClients[name], ofNodes[name] = port, port
			}

			ofContainer := map[string]int32{}
			for _, port := range c.container().Ports {
				ofContainer[port.Name] = port.ContainerPort
				g.Expect(validation.IsValidPortName(port.Name)).To(BeEmpty())
				g.Expect(port.Protocol).To(Equal(corev1.ProtocolTCP))
				g.Expect(port.HostPort).To(BeZero())
			}
			g.Expect(ofContainer).To(Equal(ofNodes), "the container's")
			g.Expect(portsOfService(g, c.headless)).To(Equal(ofNodes), "the headless Service's")
			g.Expect(portsOfService(g, c.rpc)).To(Equal(ofClients), "the client Service's")
			g.Expect(portsOfPolicy(c.policy.Spec.Ingress[0].Ports)).To(ConsistOf(test.p2p), "what nodes let nodes reach")
			g.Expect(portsOfPolicy(c.policy.Spec.Ingress[1].Ports)).To(ConsistOf(valuesOf(ofClients)), "what nodes let clients reach")
			g.Expect(portsOfPolicy(c.policy.Spec.Egress[0].Ports)).To(ConsistOf(test.p2p), "what nodes may reach")
			for name, port := range test.topics {
				line := fmt.Sprintf("zmqpub%s=tcp://0.0.0.0:%d\n", strings.TrimPrefix(name, "zmq-"), port)
				g.Expect(c.conf(t)).To(ContainSubstring(line))
			}
		})
	}
}

func portsOfService(g Gomega, service *corev1.Service) map[string]int32 {
	ports := map[string]int32{}
	for _, port := range service.Spec.Ports {
		ports[port.Name] = port.Port
		g.Expect(port.TargetPort).To(Equal(intstr.FromString(port.Name)))
		g.Expect(port.Protocol).To(Equal(corev1.ProtocolTCP))
	}
	return ports
}

func portsOfPolicy(ports []networkingv1.NetworkPolicyPort) []int32 {
	var numbers []int32
	for _, port := range ports {
		numbers = append(numbers, port.Port.IntVal)
	}
	return numbers
}

func valuesOf(ports map[string]int32) []int32 {
	var numbers []int32
	for _, port := range ports {
		numbers = append(numbers, port)
	}
	return numbers
}

func TestMachinesAreDrainedOfAsManyNodesAsCanBeSpared(t *testing.T) {
	for _, test := range []struct {
		reason    string
		budget    Budget
		unhealthy policyv1.UnhealthyPodEvictionPolicyType
	}{
		{"one at a time, and a broken node holds up no drain", oneAtATime, policyv1.AlwaysAllow},
		{"another one where some are broken for good", Budget{MaxUnavailable: 3, AlwaysAllow: true}, policyv1.AlwaysAllow},
		{"none that is ready", Budget{AlwaysAllow: true}, policyv1.AlwaysAllow},
		{"none at all, not even one that is not ready: it may have what nobody else has", Budget{}, policyv1.IfHealthyBudget},
	} {
		for _, nodes := range []int32{0, 1, 2, 1000} {
			g := NewWithT(t)
			network := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Nodes = nodes })
			objects, err := Children(network, platform, chainOf(network), int(nodes), test.budget, nil)
			g.Expect(err).NotTo(HaveOccurred())
			spec := sorted(objects).budget.Spec
			g.Expect(spec.MaxUnavailable).To(HaveValue(Equal(intstr.FromInt32(test.budget.MaxUnavailable))), test.reason)
			g.Expect(spec.MinAvailable).To(BeNil(), "a network of one node must not hold up a drain")
			g.Expect(spec.UnhealthyPodEvictionPolicy).To(HaveValue(Equal(test.unhealthy)), test.reason)
		}
	}
}

func TestConfiguration(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.BitcoinNetwork)
		want   bitcoind.Settings
	}{
		{"regtest", on(v1alpha1.Regtest), bitcoind.Settings{Memory: 512}},
		{"the public signet", on(v1alpha1.Signet), bitcoind.Settings{Memory: 4096}},
		{"a signet of one's own", ownSignet, bitcoind.Settings{Memory: 512, Challenge: "51"}},
		{"testnet4", on(v1alpha1.Testnet4), bitcoind.Settings{Memory: 4096}},
		{"main", on(v1alpha1.Main), bitcoind.Settings{Memory: 4096}},
		{"lines, in their order, twice the same option", func(n *v1alpha1.BitcoinNetwork) {
			n.Spec.Config = []v1alpha1.ConfigLine{"whitelist=relay@192.0.2.2", "whitelist=relay@192.0.2.1", "blocksonly=1"}
		}, bitcoind.Settings{Memory: 512, Lines: []string{"whitelist=relay@192.0.2.2", "whitelist=relay@192.0.2.1", "blocksonly=1"}}},
		{"notifications", withTopics(v1alpha1.HashTx, v1alpha1.HashBlock), bitcoind.Settings{Memory: 512, Topics: []string{"hashtx", "hashblock"}}},
		{"a memory limit", func(n *v1alpha1.BitcoinNetwork) {
			n.Spec.Resources = &v1alpha1.Resources{Limits: list("memory=2Gi")}
		}, bitcoind.Settings{Memory: 2048}},
		{"credentials are none of its business", withoutSecret, bitcoind.Settings{Memory: 512}},
		{"nor is storage", withStorage, bitcoind.Settings{Memory: 512}},
		{"every field", everyField, bitcoind.Settings{
			Memory: 3072, Challenge: "51", Topics: []string{"rawblock", "sequence"}, Lines: []string{"txindex=1", "blocknotify=<&>"},
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := networkNamed("payments", test.change)
			test.want.Chain = chainOf(network)
			NewWithT(t).Expect(childrenOf(t, network).conf(t)).To(Equal(bitcoind.Config(test.want)))
			invoices := networkNamed("invoices", test.change)
			NewWithT(t).Expect(childrenOf(t, invoices).conf(t)).To(Equal(childrenOf(t, network).conf(t)), "nothing in it is of the network's name")
		})
	}
}

// Of these fields no object knows: the operator itself goes by them.
func TestWhatShowsInNoObject(t *testing.T) {
	for field, change := range map[string]func(*v1alpha1.BitcoinNetwork){
		"peering":  func(n *v1alpha1.BitcoinNetwork) { n.Spec.Peering.Degree = 2 },
		"mining":   func(n *v1alpha1.BitcoinNetwork) { n.Spec.Mining = &v1alpha1.Mining{Address: "bcrt1qqqqqqq"} },
		"protect":  func(n *v1alpha1.BitcoinNetwork) { n.Spec.Protect = true },
		"suspend":  func(n *v1alpha1.BitcoinNetwork) { n.Spec.Suspend = true },
		"interval": func(n *v1alpha1.BitcoinNetwork) { n.Spec.Interval = &metav1.Duration{Duration: time.Hour} },
		"status":   func(n *v1alpha1.BitcoinNetwork) { n.Status.Ready, n.Status.Image = "3/3", "bitcoind:next" },
	} {
		before, after := networkNamed("payments"), networkNamed("payments", change)
		NewWithT(t).Expect(text(t, objectsOf(t, after, platform, nil))).To(Equal(text(t, objectsOf(t, before, platform, nil))), field)
	}
}
