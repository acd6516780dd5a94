package resources

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

func objectsOf(network *v1alpha1.BitcoinNetwork) []client.Object {
	children, err := Children(network, platform, chainOf(network), 1, nil)
	if err != nil {
		panic(err)
	}
	return children
}

func TestObjectsAreNamedAndLabelledAfterTheirNetwork(t *testing.T) {
	network := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) {
		// Flux finds what it has applied by these: on a child they would have it
		// pruned as something that is not in Git.
		n.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "networks"}
		n.Annotations = map[string]string{"note": "the team's own"}
	})
	for _, object := range objectsOf(network) {
		g := NewWithT(t)
		kind := object.GetObjectKind().GroupVersionKind().Kind
		g.Expect(kind).NotTo(BeEmpty(), "server-side apply needs it")
		g.Expect(object.GetName()).To(Or(Equal("payments"), Equal("payments-rpc")), kind)
		g.Expect(object.GetNamespace()).To(Equal("team-a"), kind)
		g.Expect(object.GetAnnotations()).NotTo(HaveKey("note"), kind)
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
}

// A change of an object must not be one of the network it was made for, which is
// written back to the API server.
func TestObjectsShareNothingWithTheirNetwork(t *testing.T) {
	network := networkNamed("payments")
	before := network.DeepCopy()
	set := setOf(network, platform)
	*set.Spec.Replicas = 42
	set.Labels[NetworkLabel] = "another"
	NewWithT(t).Expect(network).To(Equal(before))

	again := setOf(network, platform)
	NewWithT(t).Expect(*again.Spec.Replicas).To(BeEquivalentTo(3))
	NewWithT(t).Expect(again.Labels).To(HaveKeyWithValue(NetworkLabel, "payments"))
}

func TestSelectorsSelectThePods(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments")
	set := setOf(network, platform)
	pods := set.Spec.Template.Labels
	for what, selector := range map[string]map[string]string{
		"the StatefulSet's":                set.Spec.Selector.MatchLabels,
		"the headless Service's":           HeadlessService(network, regtest).Spec.Selector,
		"that of the pods' spread":         set.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels,
		"that of the network's own status": Selector(network),
	} {
		g.Expect(selector).To(Equal(map[string]string{NetworkLabel: "payments"}), what)
	}
	g.Expect(pods).To(HaveKeyWithValue(NetworkLabel, "payments"))
	g.Expect(Selector(networkNamed("invoices"))).NotTo(Equal(Selector(network)), "another network's pods")
}

func TestHeadlessService(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments")
	service := HeadlessService(network, regtest)
	g.Expect(service.Name).To(Equal(setOf(network, platform).Spec.ServiceName), "the pods' names are below it")
	g.Expect(service.Spec.ClusterIP).To(Equal(corev1.ClusterIPNone), "each pod has a name of its own")
	g.Expect(service.Spec.PublishNotReadyAddresses).To(BeTrue(), "links must not depend on readiness")
	g.Expect(service.Spec.Ports).To(HaveLen(2))

	ports := map[string]int32{}
	for _, port := range setOf(network, platform).Spec.Template.Spec.Containers[0].Ports {
		ports[port.Name] = port.ContainerPort
	}
	for _, port := range service.Spec.Ports {
		g.Expect(ports[port.TargetPort.StrVal]).To(Equal(port.Port), "port %s leads nowhere", port.Name)
	}
}

func TestRPCServiceLeadsToReadyNodes(t *testing.T) {
	g := NewWithT(t)
	service := RPCService(networkNamed("payments"), regtest)
	g.Expect(service.Name).To(Equal("payments-rpc"))
	g.Expect(service.Spec.ClusterIP).To(BeEmpty())
	g.Expect(service.Spec.PublishNotReadyAddresses).To(BeFalse())
	g.Expect(service.Spec.Ports).To(HaveLen(1))
}

func TestConfigMap(t *testing.T) {
	g := NewWithT(t)
	data := func(name string, changes ...func(*v1alpha1.BitcoinNetwork)) map[string]string {
		network := networkNamed(name, changes...)
		return ConfigMap(network, workloadOf(network, platform)).Data
	}
	g.Expect(data("payments")).To(Equal(map[string]string{
		"bitcoin.conf": bitcoind.Config(bitcoind.Settings{Chain: regtest, Memory: 512})}))
	g.Expect(data("invoices")).To(Equal(data("payments")), "what is in it is nothing of the network's name")
	g.Expect(data("payments", func(n *v1alpha1.BitcoinNetwork) {
		n.Spec.Chain, n.Spec.Signet = v1alpha1.Signet, &v1alpha1.SignetChain{Challenge: "51"}
		n.Spec.Config, n.Spec.ZMQ = []v1alpha1.ConfigLine{"txindex=1"}, []v1alpha1.ZMQTopic{v1alpha1.RawTx}
		n.Spec.Resources = &v1alpha1.Resources{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}}
	})).To(Equal(map[string]string{"bitcoin.conf": bitcoind.Config(bitcoind.Settings{
		Chain: chainOf(networkNamed("x", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Chain = v1alpha1.Signet })), Challenge: "51",
		Memory: 1024, Topics: []string{"rawtx"}, Lines: []string{"txindex=1"},
	})}))
}

// Of these the API server takes no change: an upgrade that wanted one would leave
// every network behind.
func TestWhatCannotChangeDependsOnNothingThatCan(t *testing.T) {
	fixed := func(set *appsv1.StatefulSet) appsv1.StatefulSetSpec {
		return appsv1.StatefulSetSpec{
			Selector: set.Spec.Selector, ServiceName: set.Spec.ServiceName,
			PodManagementPolicy: set.Spec.PodManagementPolicy, VolumeClaimTemplates: set.Spec.VolumeClaimTemplates,
		}
	}
	changed := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) {
		n.Spec = v1alpha1.BitcoinNetworkSpec{Nodes: 7, Image: "bitcoind:next", Chain: v1alpha1.Regtest}
	})
	other := Platform{DefaultImage: "bitcoind:other", ClusterDomain: "example.com"}
	NewWithT(t).Expect(fixed(setOf(changed, other))).To(Equal(fixed(setOf(networkNamed("payments"), platform))))
}
