package controller

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// leadsTo returns the pod to which a network's primary Service leads.
func (w *world) leadsTo(network string) func() string {
	return func() string {
		service := &corev1.Service{}
		if err := w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: network + "-primary"}, service); err != nil {
			return err.Error()
		}
		return service.Spec.Selector["statefulset.kubernetes.io/pod-name"]
	}
}

// address returns the address of a network's primary Service.
func (w *world) primaryAddress(network string) string {
	service := &corev1.Service{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: network + "-primary"}, service)).To(Succeed())
	return service.Spec.ClusterIP
}

func TestClientsAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.ZMQ = []v1alpha1.ZMQTopic{v1alpha1.RawBlock}
		spec.Clients = []v1alpha1.Client{
			{Namespaces: []string{"shop"}, Ports: []v1alpha1.ClientPort{v1alpha1.RPCPort, v1alpha1.ZMQPort}},
			{Namespaces: []string{"index"}, Ports: []v1alpha1.ClientPort{v1alpha1.P2PPort}},
		}
	}))
	policy := &networkingv1.NetworkPolicy{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(network), policy)).To(Succeed())
	w.Expect(policy.Spec.Ingress).To(HaveLen(4), "the fence lets clients in whom the platform allows")
	config := &corev1.ConfigMap{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "payments-connection"}, config)).To(Succeed())
	host := "payments-primary." + w.namespace + ".svc.cluster.local"
	w.Expect(config.Data).To(And(HaveKeyWithValue("host", host), HaveKeyWithValue("zmq-rawblock", "tcp://"+host+":28332"), HaveKeyWithValue("secret", secretName)))
	for _, value := range config.Data {
		w.Expect(value).NotTo(Or(ContainSubstring(alice.User()), ContainSubstring(alice.Password())), "never a value of the Secret")
	}
	w.Eventually(w.leadsTo("payments")).Should(Equal("payments-0"))
	w.Expect(w.status(network).Status.Primary).To(HaveField("Ordinal", BeEquivalentTo(0)))
}

// Where nodes keep their data, clients stay; where not, they are led elsewhere before.
func TestClientsAreLedElsewhereBeforeTheirNodeGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	w.nodes.MineAt(w.kubelet.address("payments-0"))
	w.Eventually(w.heights).Should(Equal([]int32{1, 1, 1}))
	address := w.primaryAddress("payments")

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "bitcoind:next" })
	w.tells("Normal PrimaryMoved payments-primary now leads to payments-1 instead of payments-0: it is about to be replaced: it predates the last change")
	w.Eventually(w.leadsTo("payments")).Should(Equal("payments-1"))
	w.becomesReady(network)

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 1 })
	w.tells("Normal PrimaryMoved payments-primary now leads to payments-0 instead of payments-1: it is about to be removed by scaling down")
	w.becomesReady(network)
	w.Expect(w.leadsTo("payments")()).To(Equal("payments-0"))
	w.Expect(w.primaryAddress("payments")).To(Equal(address), "one address for the network's life")
}

func TestClientsLeaveANodeThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Primary = &v1alpha1.Primary{FailoverAfter: &metav1.Duration{Duration: 10 * time.Second}}
	}))
	w.nodes.MineAt(w.kubelet.address("payments-0"))
	w.Eventually(w.heights).Should(Equal([]int32{1, 1, 1}))
	before := w.uids()

	w.kubelet.hang("payments-0", time.Now())
	w.tells("Warning PrimaryMoved payments-primary now leads to payments-1 instead of payments-0: it has answered neither the kubelet nor the operator for 10s: ")
	w.Eventually(w.leadsTo("payments")).Should(Equal("payments-1"))
	w.Eventually(func() string { return w.uids()["payments-0"] }).ShouldNot(Equal(before["payments-0"]), "those that are connected to it would hang")
	w.becomesReady(network)
	w.Expect(w.leadsTo("payments")()).To(Equal("payments-1"), "once, and not back")
	w.Expect(w.status(network).Status.Primary.Left).To(BeEmpty())
	w.Expect(w.uids()).To(HaveKeyWithValue("payments-1", before["payments-1"]))
}

// An operator that is started while a node hangs goes by what the kubelet says of it.
func TestAnOperatorThatIsNewGoesByTheKubelet(t *testing.T) {
	t.Parallel()
	for reason, hang := range map[string]func(*fakeKubelet, string, time.Time){
		"it is stopped": (*fakeKubelet).hang,
		"it is locked up, and refuses whoever has a wrong password": (*fakeKubelet).deadlock,
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.secret()
			w.becomesReady(w.network("payments", 2))
			w.stopOperator()
			hang(w.kubelet, "payments-0", time.Now().Add(-time.Minute))
			w.startOperator()
			w.Eventually(w.leadsTo("payments")).WithTimeout(15 * time.Second).Should(Equal("payments-1"))
		})
	}
}

func TestClientsStayWhereTheNetworkSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Primary = &v1alpha1.Primary{Failover: new(false)}
	}))
	w.kubelet.hang("payments-0", time.Now().Add(-time.Hour))
	w.Eventually(w.condition(network, v1alpha1.NodesReadyCondition)).Should(HavePrefix("False"))
	w.Consistently(w.leadsTo("payments")).Should(Equal("payments-0"))
}

// What others have already is left to them, and the network is none the worse: such are
// those of a network called as another's Service.
func TestNamesOfWhatClientsGoByMayBeTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	for _, test := range []struct {
		name    string
		foreign client.Object
		want    string
	}{
		{"foo", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "foo-primary"}, Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}},
			`; not applied: Service "foo-primary", because another object has that name`},
		{"bar", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "bar-connection"}},
			`; not applied: ConfigMap "bar-connection", because another object has that name`},
	} {
		test.foreign.SetNamespace(w.namespace)
		w.Expect(w.api.Create(w.ctx, test.foreign)).To(Succeed())
		network := w.network(test.name, 1)
		w.Eventually(w.condition(network, meta.ReadyCondition)).Should(Equal("True Connected: 1 node answers RPC, 0 links connected" + test.want))
		w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(test.foreign), test.foreign)).To(Succeed())
		w.Expect(test.foreign.GetOwnerReferences()).To(BeEmpty())
	}
}

// A quota that has no room for what clients go by holds up nothing else.
func TestWhatClientsGoByIsMadeLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "tight", Namespace: w.namespace},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourceServices: resource.MustParse("2")}},
	}
	w.Expect(w.api.Create(w.ctx, quota)).To(Succeed())
	quota.Status.Hard, quota.Status.Used = quota.Spec.Hard, corev1.ResourceList{corev1.ResourceServices: resource.MustParse("0")}
	w.Expect(w.api.Status().Update(w.ctx, quota)).To(Succeed())

	network := w.network("payments", 2, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Interval = &metav1.Duration{Duration: 5 * time.Second}
	})
	w.Eventually(w.condition(network, meta.ReadyCondition)).Should(And(
		HavePrefix("True Connected: 2 nodes answer RPC, 1 link connected; not applied: apply Service payments-primary: "), ContainSubstring("exceeded quota: tight")))

	w.Expect(w.api.Delete(w.ctx, quota)).To(Succeed())
	w.Eventually(w.leadsTo("payments")).Should(Equal("payments-0"), "another try is made")
}

// Where the Service could not be led elsewhere at once, it is at the next try, and that it
// was is told then.
func TestClientsAreLedElsewhereAtAnotherTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Interval = &metav1.Duration{Duration: 5 * time.Second}
		spec.Primary = &v1alpha1.Primary{FailoverAfter: &metav1.Duration{Duration: 10 * time.Second}}
	}))
	role := &rbacv1.Role{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "bitcoin-operator"}, role)).To(Succeed())
	rules := role.DeepCopy().Rules
	for i := range role.Rules {
		if rule := &role.Rules[i]; slices.Contains(rule.Resources, "services") {
			rule.Verbs = slices.DeleteFunc(rule.Verbs, func(verb string) bool { return verb == "patch" })
		}
	}
	w.Expect(w.api.Update(w.ctx, role)).To(Succeed())
	operator, err := client.New(w.operator, client.Options{Scheme: scheme})
	w.Expect(err).NotTo(HaveOccurred())
	w.Eventually(func() error {
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "payments-primary"}}
		return operator.Patch(w.ctx, service, client.RawPatch(types.MergePatchType, []byte("{}")))
	}).Should(Satisfy(apierrors.IsForbidden), "the API server has heard of it")

	w.kubelet.hang("payments-0", time.Now().Add(-time.Minute))
	w.Eventually(w.condition(network, meta.ReadyCondition)).Should(ContainSubstring("; not applied: apply Service payments-primary: "))
	w.Expect(w.leadsTo("payments")()).To(Equal("payments-0"))
	role.Rules = rules
	w.Expect(w.api.Update(w.ctx, role)).To(Succeed())
	w.tells("Warning PrimaryMoved payments-primary now leads to payments-1 instead of payments-0: it has answered neither the kubelet nor the operator for 10s: ")
	w.Expect(w.leadsTo("payments")()).To(Equal("payments-1"))
}

// What somebody does to what clients go by is undone, and they stay at their node.
func TestWhatClientsGoByIsPutBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2))
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "payments-primary"}}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "payments-connection"}}
	for _, edit := range []struct{ to, patch string }{
		{"another node", `{"spec": {"selector": {"statefulset.kubernetes.io/pod-name": "payments-1"}}}`},
		{"all of them", `{"spec": {"selector": {"statefulset.kubernetes.io/pod-name": null}}}`},
		{"a pod that is none of the network's", `{"spec": {"selector": {"app": "shop"}}}`},
	} {
		w.Expect(w.api.Patch(w.ctx, service, client.RawPatch(types.MergePatchType, []byte(edit.patch)))).To(Succeed())
		w.Eventually(func() map[string]string {
			w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(service), service)).To(Succeed())
			return service.Spec.Selector
		}).Should(Equal(map[string]string{resources.NetworkLabel: "payments", "statefulset.kubernetes.io/pod-name": "payments-0"}), edit.to)
	}
	for _, object := range []client.Object{service, config} {
		w.Expect(w.api.Delete(w.ctx, object)).To(Succeed())
		before := object.GetUID()
		w.Eventually(func() types.UID {
			if err := w.api.Get(w.ctx, client.ObjectKeyFromObject(object), object); err != nil {
				return before
			}
			return object.GetUID()
		}).ShouldNot(Equal(before))
	}
	w.Expect(w.leadsTo("payments")()).To(Equal("payments-0"))
	w.Expect(w.status(network).Status.Primary).To(HaveField("Ordinal", BeEquivalentTo(0)))
}

// What is refused is tried again no more often than a network is looked at: it may stay so.
func TestHowSoonWhatClientsGoByIsTriedAgain(t *testing.T) {
	service := &corev1.Service{TypeMeta: metav1.TypeMeta{Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Name: "payments-primary"}}
	services := corev1.Resource("services")
	for _, test := range []struct {
		reason string
		err    error
		want   time.Duration
	}{
		{"it is made", nil, 0},
		{"its name is another's, until somebody acts", &conflictError{[]client.Object{service}}, 0},
		{"a quota has no room", applyError(service, apierrors.NewForbidden(services, service.Name, errors.New("exceeded quota: tenant"))), 30 * time.Second},
		{"it is invalid", applyError(service, apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Service").GroupKind(), service.Name, nil)), 30 * time.Second},
		{"the API server is away", applyError(service, context.DeadlineExceeded), 2 * time.Second},
		{"Kubernetes is about to collect it", &leftoverError{service}, 2 * time.Second},
	} {
		left := leftOut(service, test.err)
		if left.Again != test.want || (left.LeftOut != "") != (test.err != nil) {
			t.Errorf("%s: %q, again in %s, want %s", test.reason, left.LeftOut, left.Again, test.want)
		}
	}
}

// An operator that knows no affinity must be able to take over from this one: what it no
// longer applies goes, and what Kubernetes had filled in would not.
func TestAffinityGoesWithWhoeverSetIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 1))
	w.stopOperator()
	service := resources.RPCService(network, statetest.Regtest)
	service.Spec.SessionAffinity, service.Spec.SessionAffinityConfig = "", nil
	content, err := contentOf(service)
	w.Expect(err).NotTo(HaveOccurred())
	older := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content})
	w.Expect(w.api.Apply(w.ctx, older, client.FieldOwner(fieldOwner), client.ForceOwnership)).To(Succeed())
	w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(service), service)).To(Succeed())
	w.Expect(service.Spec.SessionAffinity).To(Equal(corev1.ServiceAffinityNone))
}
