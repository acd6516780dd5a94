package isolation

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestJudge(t *testing.T) {
	cluster := Cluster{
		Namespaces: []*corev1.Namespace{namespace("a"), namespace("b")},
		Pods: []*corev1.Pod{
			pod("a", "shop", "192.0.2.1"), pod("a", "till-x7k2p", "192.0.2.2"), pod("b", "shop", "192.0.2.3"), pod("b", "till", "192.0.2.4"),
		},
		Policies: []*networkingv1.NetworkPolicy{
			{
				ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "deny"},
				Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}},
			},
			{
				ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "shop"},
				Spec: networkingv1.NetworkPolicySpec{
					PodSelector: called("shop"),
					PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
					Ingress: []networkingv1.NetworkPolicyIngressRule{{
						From:  []networkingv1.NetworkPolicyPeer{{PodSelector: new(called("till"))}},
						Ports: []networkingv1.NetworkPolicyPort{{Port: new(intstr.FromString("pay"))}},
					}},
				},
			},
			{
				ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "till"},
				Spec: networkingv1.NetworkPolicySpec{
					PodSelector: called("till"),
					PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
					Egress: []networkingv1.NetworkPolicyEgressRule{
						{To: []networkingv1.NetworkPolicyPeer{{PodSelector: new(called("shop"))}}},
						{
							To: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "198.51.100.0/24", Except: []string{"198.51.100.7/32"}}}},
							Ports: []networkingv1.NetworkPolicyPort{
								{Protocol: new(corev1.ProtocolUDP), Port: new(intstr.FromInt32(53))},
							},
						},
					},
				},
			},
		},
	}
	for _, test := range []struct {
		reason         string
		from, to, port string
		want           Verdict
	}{
		{"both sides allow it", "a/till", "a/shop", "pay", Verdict{Leaves: true, Enters: true}},
		{"the same port by its number", "a/till", "a/shop", "8443", Verdict{Leaves: true, Enters: true}},
		{"another port", "a/till", "a/shop", "8444", Verdict{Leaves: true}},
		{"the source may not", "a/shop", "a/till", "pay", Verdict{}},
		{"the destination will not", "b/till", "a/shop", "pay", Verdict{Leaves: true}},
		{"without policies everything may", "b/till", "b/shop", "pay", Verdict{Leaves: true, Enters: true}},
		{"the selector is for one's own namespace", "a/till", "b/shop", "pay", Verdict{Enters: true}},
		{"an address outside", "a/till", "198.51.100.1", "53/UDP", Verdict{Leaves: true, Enters: true}},
		{"another protocol", "a/till", "198.51.100.1", "53/TCP", Verdict{Enters: true}},
		{"TCP where nothing is said", "a/till", "198.51.100.1", "53", Verdict{Enters: true}},
		{"an address that is excepted", "a/till", "198.51.100.7", "53/UDP", Verdict{Enters: true}},
		{"from outside", "198.51.100.1", "a/shop", "pay", Verdict{Leaves: true}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			verdict, err := cluster.Judge(test.from, test.to, test.port)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(verdict).To(Equal(test.want))
			g.Expect(verdict.Allowed()).To(Equal(test.want.Leaves && test.want.Enters))
		})
	}
}

// Whatever is not found would be allowed, since no policy is for it.
func TestJudgeOnlyWhatIsThere(t *testing.T) {
	cluster := Cluster{
		Namespaces: []*corev1.Namespace{namespace("a")},
		Pods:       []*corev1.Pod{pod("a", "shop", "192.0.2.1"), pod("a", "new", ""), pod("gone", "shop", "192.0.2.2")},
	}
	for _, test := range []struct{ reason, from, to, port, want string }{
		{"no such source", "a/till", "a/shop", "pay", "pod a/till is not there"},
		{"no such destination", "a/shop", "a/sho", "pay", "pod a/sho is not there"},
		{"no address yet", "a/new", "a/shop", "pay", "pod a/new has no address"},
		{"no such namespace", "a/shop", "gone/shop", "pay", "namespace gone is not there"},
		{"no such port", "a/shop", "a/shop", "rpc", "find port rpc of a/shop"},
		{"no port of an address has a name", "a/shop", "192.0.2.9", "pay", "find port pay of 192.0.2.9"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := cluster.Judge(test.from, test.to, test.port)
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(test.want)))
		})
	}
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelMetadataName: name}}}
}

func pod(namespace, name, address string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name[:min(4, len(name))]}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Ports: []corev1.ContainerPort{{Name: "pay", ContainerPort: 8443, Protocol: corev1.ProtocolTCP}},
		}}},
		Status: corev1.PodStatus{PodIP: address},
	}
}

func called(name string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
}
