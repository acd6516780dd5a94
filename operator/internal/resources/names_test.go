package resources

import (
	"fmt"
	"math"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

var (
	platform = Platform{DefaultImage: "bitcoind:default", ClusterDomain: "cluster.local"}
)

// networkNamed returns a network of three nodes in namespace team-a.
func networkNamed(name string, changes ...func(*v1alpha1.BitcoinNetwork)) *v1alpha1.BitcoinNetwork {
	network := &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team-a"},
		Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: "bitcoin-rpc", Chain: v1alpha1.Regtest},
	}
	for _, change := range changes {
		change(network)
	}
	return network
}

// chainOf returns the chain that a network follows.
func chainOf(network *v1alpha1.BitcoinNetwork) bitcoind.Chain {
	chain, err := bitcoind.ChainNamed(string(network.Spec.Chain))
	if err != nil {
		panic(err)
	}
	return chain
}

// workloadOf returns what a network's nodes are made of from scratch.
func workloadOf(network *v1alpha1.BitcoinNetwork, platform Platform) Workload {
	workload, err := WorkloadOf(network, platform, chainOf(network), nil)
	if err != nil {
		panic(err)
	}
	return workload
}

// setOf returns the StatefulSet of a network that has none yet.
func setOf(network *v1alpha1.BitcoinNetwork, platform Platform) *appsv1.StatefulSet {
	return StatefulSet(network, workloadOf(network, platform), int(network.Spec.Nodes), nil)
}

func TestOrdinalIsTheInverseOfPodName(t *testing.T) {
	for _, name := range []string{"payments", "payments-2", "a", "a-0", "a-0-1"} {
		network := networkNamed(name)
		for ordinal := range 1000 {
			pod := PodName(network, ordinal)
			if got, ok := Ordinal(network, pod); !ok || got != ordinal {
				t.Fatalf("network %s, pod %s: got %d, %t", name, pod, got, ok)
			}
		}
	}
}

// Whatever else is called like a pod of the network is none.
func TestOrdinalOfWhatIsNoNode(t *testing.T) {
	for _, test := range []struct {
		reason, network, pod string
	}{
		{"another network's", "payments", "invoices-0"},
		{"one of a network whose name begins with this one's", "payments", "payments-2-0"},
		{"one of a network whose name this one's begins with", "payments-2", "payments-0"},
		{"of a network whose name only looks alike", "payments", "payments2-0"},
		{"the network itself", "payments", "payments"},
		{"no number", "payments", "payments-"},
		{"the client Service", "payments", "payments-rpc"},
		{"a pod of a Deployment", "payments", "payments-7d4b9c6f5-x2x9p"},
		{"a leading zero", "payments", "payments-01"},
		{"zero twice", "payments", "payments-00"},
		{"a negative number", "payments", "payments--1"},
		{"a sign", "payments", "payments-+1"},
		{"a minus before zero", "payments", "payments--0"},
		{"digits of another script", "payments", "payments-١"},
		{"another base", "payments", "payments-0x1"},
		{"a separator", "payments", "payments-1_0"},
		{"white space", "payments", "payments-1 "},
		{"something after the number", "payments", "payments-1.x"},
		{"a number beyond counting", "payments", "payments-99999999999999999999"},
		{"nothing", "payments", ""},
	} {
		if ordinal, ok := Ordinal(networkNamed(test.network), test.pod); ok {
			t.Errorf("%s: %q is taken for node %d of %s", test.reason, test.pod, ordinal, test.network)
		}
	}
}

func TestDNSName(t *testing.T) {
	g := NewWithT(t)
	g.Expect(platform.DNSName(networkNamed("payments"), 2)).To(Equal("payments-2.payments.team-a.svc.cluster.local"))
	elsewhere := Platform{ClusterDomain: "k8s.example.com"}
	g.Expect(elsewhere.DNSName(networkNamed("payments"), 2)).To(Equal("payments-2.payments.team-a.svc.k8s.example.com"))
}

// The longest name that a network may have leaves room in those of all its objects, in
// what Kubernetes derives of them, and in what nodes say of themselves. The namespace's
// is as long as can be, too.
func TestLongestNameFits(t *testing.T) {
	network := networkNamed(strings.Repeat("n", 52), func(network *v1alpha1.BitcoinNetwork) {
		network.Namespace = strings.Repeat("t", validation.DNS1123LabelMaxLength)
		network.Spec.Storage = &v1alpha1.Storage{Size: resource.MustParse("1Gi")}
		network.Spec.ZMQ = []v1alpha1.ZMQTopic{"rawblock", "rawtx", "hashblock", "hashtx", "sequence"}
	})
	fits := func(what, name string, problems []string) {
		t.Helper()
		if len(problems) > 0 {
			t.Errorf("%s %s: %v", what, name, problems)
		}
	}
	children, err := Children(network, platform, chainOf(network), 1000, Budget{MaxUnavailable: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range children {
		kind, name := child.GetObjectKind().GroupVersionKind().Kind, child.GetName()
		fits(kind, name, validation.IsDNS1035Label(name)) // what a Service must be called, the strictest
		for key, value := range child.GetLabels() {
			fits(kind+"'s label "+key, value, validation.IsValidLabelValue(value))
		}
	}

	const last = 999
	pod := PodName(network, last)
	fits("pod, and its host name", pod, validation.IsDNS1123Label(pod))
	fits("pod, in its label "+appsv1.StatefulSetPodNameLabel, pod, validation.IsValidLabelValue(pod))
	fits("claim", ClaimName(network, last), validation.IsDNS1123Label(ClaimName(network, last)))
	fits("DNS name", platform.DNSName(network, last), validation.IsDNS1123Subdomain(platform.DNSName(network, last)))
	// The StatefulSet controller ends it in a number of 32 bits, digit by digit.
	revision := network.Name + "-" + rand.SafeEncodeString(fmt.Sprint(uint32(math.MaxUint32)))
	fits("revision, in pods' label "+appsv1.ControllerRevisionHashLabelKey, revision, validation.IsValidLabelValue(revision))
	for key, value := range workloadOf(network, platform).Template.Labels {
		fits("pods' label "+key, value, validation.IsValidLabelValue(value))
	}
	for _, port := range nodePorts(network, chainOf(network)) {
		fits("port", port.name, validation.IsValidPortName(port.name))
	}

	// bitcoind ends when its user agent is longer (MAX_SUBVERSION_LENGTH).
	agent := fmt.Sprintf("/Satoshi:29.4.0(%s)/Knots:20261231/", Comment(network, last))
	if len(agent) > 256 {
		t.Errorf("user agent %s has %d characters", agent, len(agent))
	}
	if !IsMember(network, Comment(network, last)) {
		t.Errorf("%s is not taken for one of the network's nodes", Comment(network, last))
	}
}

// No network may be called so that its objects are those of another.
func TestNamesAreApart(t *testing.T) {
	g := NewWithT(t)
	g.Expect(ClientService(networkNamed("payments"))).To(Equal("payments-rpc"), "an ending that no network's name may have")
	_, isNode := Ordinal(networkNamed("payments"), ClientService(networkNamed("payments")))
	g.Expect(isNode).To(BeFalse())
}

func TestWhichChainsArePrivate(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.BitcoinNetwork)
		want   bool
	}{
		{"regtest is everybody's own", on(v1alpha1.Regtest), true},
		{"the public signet", on(v1alpha1.Signet), false},
		{"a signet of one's own", ownSignet, true},
		{"testnet4", on(v1alpha1.Testnet4), false},
		{"main", on(v1alpha1.Main), false},
	} {
		network := networkNamed("payments", test.change)
		if got := IsPrivate(network, chainOf(network)); got != test.want {
			t.Errorf("%s: got %t, want %t", test.reason, got, test.want)
		}
	}
}

func TestIsNode(t *testing.T) {
	network := networkNamed("payments")
	for _, test := range []struct {
		reason, host string
		want         bool
	}{
		{"a node", "payments-0.payments.team-a.svc.cluster.local", true},
		{"one that is gone, or will come", "payments-999.payments.team-a.svc.cluster.local", true},
		{"the same in another namespace", "payments-0.payments.team-b.svc.cluster.local", false},
		{"the same in another cluster domain", "payments-0.payments.team-a.svc.example.com", false},
		{"another network's pod behind this network's name", "invoices-0.payments.team-a.svc.cluster.local", false},
		{"this network's pod behind another's name", "payments-0.invoices.team-a.svc.cluster.local", false},
		{"no node's ordinal", "payments-01.payments.team-a.svc.cluster.local", false},
		{"a name below a node's", "x.payments-0.payments.team-a.svc.cluster.local", false},
		{"a name above a node's", "payments-0.payments.team-a.svc.cluster.local.example.com", false},
		{"the network's Service", "payments.team-a.svc.cluster.local", false},
		{"nothing but the network's domain", ".payments.team-a.svc.cluster.local", false},
		{"the root's dot is another form, which bitcoind tells apart", "payments-0.payments.team-a.svc.cluster.local.", false},
		{"an address", "10.0.0.1", false},
		{"nothing", "", false},
	} {
		if got := platform.IsNode(network, test.host); got != test.want {
			t.Errorf("%s: %q: got %t, want %t", test.reason, test.host, got, test.want)
		}
	}
	for ordinal := range 20 {
		if host := platform.DNSName(network, ordinal); !platform.IsNode(network, host) {
			t.Errorf("%s is not taken for a node", host)
		}
	}
}

func TestCommentsTellNodesApart(t *testing.T) {
	g := NewWithT(t)
	comment := Comment(networkNamed("payments"), 2)
	g.Expect(comment).To(Equal("team-a.payments.2"))
	g.Expect(bitcoind.Comments("/Satoshi:29.4.0("+comment+")/")).To(Equal([]string{comment}), "as peers see it in its user agent")

	// Names have no dots, so no two nodes of a cluster have the same comment.
	seen := map[string]bool{}
	for _, network := range []*v1alpha1.BitcoinNetwork{
		networkNamed("a"), networkNamed("a-1"), networkNamed("team-a"),
		networkNamed("a", func(n *v1alpha1.BitcoinNetwork) { n.Namespace = "team" }),
		networkNamed("a", func(n *v1alpha1.BitcoinNetwork) { n.Namespace = "team-a-a" }),
	} {
		for ordinal := range 12 {
			comment := Comment(network, ordinal)
			g.Expect(seen).NotTo(HaveKey(comment))
			seen[comment] = true
		}
	}
}

func TestImage(t *testing.T) {
	g := NewWithT(t)
	g.Expect(platform.Image(networkNamed("payments"))).To(Equal("bitcoind:default"))
	g.Expect(platform.Image(networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Image = "bitcoind:own" }))).To(Equal("bitcoind:own"))
}

func TestWhoseComment(t *testing.T) {
	network := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "payments"}}
	for _, test := range []struct {
		comment          string
		member, stranger bool
	}{
		{"team-a.payments.0", true, false},
		{"team-a.payments.999", true, false},
		{"team-a.lightning.0", false, true},
		{"team-b.payments.0", false, true},
		{"team-a.payments", false, false},
		{"team-a.payments.x", false, false},
		{"team-a.payments.-1", false, false},
		{"", false, false},
		{"my wallet 1.2.3", false, false},
		{"a.b.c.0", false, false},
		{"Team.Payments.0", false, false},
	} {
		if got := IsMember(network, test.comment); got != test.member {
			t.Errorf("IsMember(%q) = %t, want %t", test.comment, got, test.member)
		}
		if got := IsStranger(network, test.comment); got != test.stranger {
			t.Errorf("IsStranger(%q) = %t, want %t", test.comment, got, test.stranger)
		}
	}
}
