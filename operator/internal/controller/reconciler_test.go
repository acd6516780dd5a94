package controller

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestNetworkComesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))

	w.Expect(network.Status.Ready).To(Equal("3/3"))
	w.Expect(*network.Status.Links).To(Equal(v1alpha1.LinksStatus{Planned: 3, Connected: 3, Summary: "3/3"}))
	w.Expect(network.Status.Image).To(Equal(platform.DefaultImage))
	w.Expect(*network.Status.Height).To(BeZero())
	w.Expect(network.Status.Nodes).To(HaveLen(3))
	w.Expect(network.Status.Nodes[2].Ready).To(BeTrue())
	w.Expect(network.Status.Nodes[2].IP).To(Equal(w.pod("payments-2").Status.PodIP))
	w.Expect(network.Status.Nodes[2].DNSName).To(Equal("payments-2.payments." + w.namespace + ".svc.cluster.local"))
	for _, name := range []string{
		v1alpha1.CredentialsReadyCondition, v1alpha1.NodesReadyCondition, v1alpha1.PeersConnectedCondition, v1alpha1.ChainsAgreeCondition,
	} {
		w.Expect(conditions.IsTrue(network, name)).To(BeTrue(), name)
	}

	told := w.tells("Normal Connected 3 nodes answer RPC, 3 links connected")
	w.Expect(told).To(HaveLen(3))
	w.Expect(told).To(ContainElement("Normal Created created the network with 3 nodes on regtest"))
	w.Expect(told).To(ContainElement(`Normal SecretRead Secret "bitcoin-rpc" was read`))
}

func TestNetworkOwnsItsObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 1))
	for _, object := range childrenOf(network, platform) {
		w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		w.Expect(metav1.IsControlledBy(object, network)).To(BeTrue(), "%T is not owned, so it would outlive the network", object)
	}
}

func TestScalingTouchesOnlyWhatComesAndGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	before := w.uids()
	w.tells("Normal Connected ")

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 12 })
	network = w.becomesReady(network)
	w.Expect(network.Status.Links.Summary).To(Equal("60/60"))
	w.tells("Normal Scaled scaled from 3 nodes to 12")
	for name, uid := range before {
		w.Expect(w.uids()[name]).To(Equal(uid), "%s was restarted", name)
	}

	updates := w.nodes.Updates(w.kubelet.address("payments-0"))
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 5 })
	network = w.becomesReady(network)
	w.Expect(network.Status.Links.Summary).To(Equal("10/10"))
	w.Expect(network.Status.Nodes).To(HaveLen(5))
	w.Expect(w.nodes.Updates(w.kubelet.address("payments-0"))).To(Equal(updates), "a node that stays was told about those that go")
}

func TestParking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2))
	w.tells("Normal Connected ")
	w.nodes.MineAt(w.kubelet.address("payments-0"))
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 0 })
	network = w.becomesReady(network)
	w.Expect(conditions.GetReason(network, meta.ReadyCondition)).To(Equal(v1alpha1.ParkedReason))
	w.tells("Warning Parked scaling to 0: the nodes have no volumes, so the chain will be lost, up to block 1 ")
}

func TestDefaultCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	network := w.becomesReady(w.network("payments", 2, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Secret = "" }))
	w.Expect(conditions.GetReason(network, v1alpha1.CredentialsReadyCondition)).To(Equal(v1alpha1.DefaultCredentialsReason))
	w.tells("Warning DefaultCredentials ")
}

func TestNetworkWaitsForItsSecret(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		secret func(*corev1.Secret)
		want   string
	}{
		{"there is none", nil, `False SecretNotFound: Secret "bitcoin-rpc" does not exist`},
		{"a key is missing", func(s *corev1.Secret) { delete(s.Data, bitcoind.PasswordKey) },
			`False SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_PASSWORD must be set and not be empty`},
		{"a key is empty", func(s *corev1.Secret) { s.Data[bitcoind.UserKey] = nil },
			`False SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_USER must be set and not be empty`},
		{"the type is not Opaque", func(s *corev1.Secret) { s.Type = "example.com/other" },
			`False SecretInvalid: Secret "bitcoin-rpc" is of type example.com/other`},
		{"the user has a colon", func(s *corev1.Secret) { s.Data[bitcoind.UserKey] = []byte("a:b") },
			`False SecretInvalid: Secret "bitcoin-rpc": BC_RPC_USER must not contain ':'`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var unfit *corev1.Secret
			if test.secret != nil {
				unfit = w.secret(test.secret)
			}
			network := w.network("payments", 3)
			w.Eventually(w.condition(network, v1alpha1.CredentialsReadyCondition)).Should(HavePrefix(test.want))

			reason := conditions.GetReason(w.status(network), v1alpha1.CredentialsReadyCondition)
			w.Expect(w.condition(network, meta.ReadyCondition)()).To(HavePrefix(test.want))
			w.Expect(conditions.IsStalled(w.status(network))).To(Equal(reason == v1alpha1.SecretInvalidReason))
			w.Consistently(w.uids).Should(BeEmpty(), "a node was started without credentials")
			w.Expect(w.tells("Warning " + reason)).To(HaveLen(1))

			if unfit != nil {
				w.Expect(w.api.Delete(w.ctx, unfit)).To(Succeed())
			}
			w.secret()
			w.becomesReady(network)
		})
	}
}

// Where no admission policy refuses it.
func TestNamingAnotherSecretStalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	w.fenceDown()
	other := w.secret(func(s *corev1.Secret) { s.Name = "other" })
	network := w.network("payments", 3, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Secret = other.Name })
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(HavePrefix("True SecretForbidden: spec.secret:"))
	w.Consistently(w.uids).Should(BeEmpty(), "a pod could mount a Secret that the operator may not read")

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Secret = secretName })
	w.becomesReady(network)
}

// A Role that does not name the Secret is the platform team's mistake. The
// operator must be there to say so, though it cannot watch the Secret.
func TestSecretThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "bitcoin-operator-secret", Namespace: w.namespace}}
	w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(binding), binding)).To(Succeed())
	w.Expect(w.api.Delete(w.ctx, binding.DeepCopy())).To(Succeed())

	network := w.network("payments", 1)
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		`True SecretForbidden: the operator's Role does not allow it to read Secret "bitcoin-rpc"; ask the platform team to add it there`))
	w.Expect(w.uids()).To(BeEmpty())
	w.tells("Warning SecretForbidden ")

	binding.ResourceVersion = ""
	w.Expect(w.api.Create(w.ctx, binding)).To(Succeed())
	w.becomesReady(network)
}

func TestSecretThatVanishesLeavesNodesRunning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.secret()
	network := w.becomesReady(w.network("payments", 2))
	before := w.uids()
	w.Expect(w.api.Delete(w.ctx, secret)).To(Succeed())
	w.Eventually(w.condition(network, meta.ReadyCondition)).Should(HavePrefix("False SecretNotFound"))
	w.Consistently(w.uids).Should(Equal(before))
	w.secret()
	w.becomesReady(network)
}

func TestNodeThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 4))
	w.tells("Normal Connected ")

	w.nodes.Fail(w.kubelet.address("payments-1"), bitcoind.ErrBusy)
	w.look(network)
	w.Eventually(w.condition(network, v1alpha1.NodesReadyCondition)).Should(
		Equal("False NodesNotReady: 3 of 4 nodes answer RPC; payments-1: its queue of RPC requests is full"))
	now := w.status(network)
	w.Expect(now.Status.Links.Summary).To(Equal("3/6"), "the others are peered all the same")
	w.Expect(conditions.GetReason(now, meta.ReconcilingCondition)).To(Equal("Degraded"))
	w.Expect(conditions.IsStalled(now)).To(BeFalse())

	w.nodes.Fail(w.kubelet.address("payments-1"), nil)
	w.becomesReady(network)
	told := w.tells("Normal Recovered 4 nodes answer RPC")
	w.Expect(told).To(HaveExactElements(HavePrefix("Warning Degraded 3 of 4 nodes answer RPC; payments-1:"), Not(BeEmpty())))
}

func TestPodThatIsReplacedIsPeeredAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 4))
	old := w.pod("payments-1")
	w.Expect(w.api.Delete(w.ctx, old)).To(Succeed())
	w.Eventually(func() bool {
		pod := w.pod("payments-1")
		return pod != nil && pod.UID != old.UID && pod.Status.PodIP != ""
	}).Should(BeTrue())
	w.Eventually(func() []v1alpha1.NodeStatus { return w.status(network).Status.Nodes }).Should(
		ContainElement(HaveField("IP", w.pod("payments-1").Status.PodIP)))
	w.becomesReady(network)
	w.Expect(w.nodes.State(w.kubelet.address("payments-1")).Peers).To(HaveLen(3))
}

func TestSteadyNetworkIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Storage = &v1alpha1.Storage{Size: resource.MustParse("1Gi")}
		spec.Interval = &metav1.Duration{Duration: 5 * time.Second}
	}))
	w.tells("Normal Connected ")
	node := w.kubelet.address("payments-2")
	updates, checks := w.nodes.Updates(node), w.nodes.Checks(node)
	applies := w.applies.Load()
	version, setVersion := w.status(network).ResourceVersion, w.statefulSet("payments").ResourceVersion

	for range 5 {
		w.touch("payments-2")
	}
	w.Consistently(func() int { return w.nodes.Checks(node) }, "3s").Should(BeNumerically("<=", checks+1), "nothing has happened to it")
	w.Eventually(func() int { return w.nodes.Checks(node) }, "20s").Should(BeNumerically(">", checks+2), "nobody looks after it")
	w.Expect(w.nodes.Updates(node)).To(Equal(updates))
	w.Expect(w.status(network).ResourceVersion).To(Equal(version), "the status was written though nothing changed")
	w.Expect(w.statefulSet("payments").ResourceVersion).To(Equal(setVersion), "the StatefulSet was written though nothing changed")
	w.Expect(w.applies.Load()).To(Equal(applies), "something was applied though nothing changed")
	w.Expect(w.events.Events).To(BeEmpty())
}

func TestObjectOfSomebodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	foreign := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: w.namespace},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}
	w.Expect(w.api.Create(w.ctx, foreign)).To(Succeed())
	network := w.network("payments", 2)
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		`True Conflict: Service "payments" already exists and is not owned by this network; delete it, or give the network another name`))
	w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(foreign), foreign)).To(Succeed())
	w.Expect(foreign.OwnerReferences).To(BeEmpty())
	w.Expect(w.uids()).To(BeEmpty())
	w.tells("Warning Conflict ")
}

// All that is in the way is told at once: whoever deletes one must not find the next.
func TestObjectsOfSomebodyElseAreToldTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	w.Expect(w.api.Create(w.ctx, &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: w.namespace}})).To(Succeed())
	w.Expect(w.api.Create(w.ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "payments-rpc", Namespace: w.namespace},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	})).To(Succeed())
	network := w.network("payments", 2)
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		`True Conflict: Service "payments-rpc", NetworkPolicy "payments" already exist and are not owned by this network; delete them, or give the network another name`))
	w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(network), &appsv1.StatefulSet{})).NotTo(Succeed())
}

// abandon deletes a network, and none of its objects.
func (w *world) abandon(network *v1alpha1.BitcoinNetwork) {
	for _, object := range childrenOf(network, platform) {
		w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		w.Expect(w.api.Patch(w.ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"ownerReferences": null}}`)))).To(Succeed())
	}
	w.Expect(w.api.Delete(w.ctx, network)).To(Succeed())
}

// A network that was deleted with --cascade=orphan comes back with its nodes, and with
// its chain.
func TestOrphansAreTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	w.nodes.MineAt(w.kubelet.address("payments-0"))
	w.Eventually(w.heights).Should(Equal([]int32{1, 1, 1}))
	before := w.uids()
	w.tells("Normal Connected ")
	w.stopOperator()
	w.abandon(network)
	network = w.network("payments", 3)
	w.startOperator()

	network = w.becomesReady(network)
	for _, object := range childrenOf(network, platform) {
		w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		w.Expect(metav1.IsControlledBy(object, network)).To(BeTrue(), "%T has no owner", object)
	}
	w.Expect(w.uids()).To(Equal(before))
	w.Expect(w.heights()).To(Equal([]int32{1, 1, 1}))
	w.Expect(w.tells("Normal Connected ")).To(HaveExactElements(HavePrefix("Normal SecretRead"), Not(BeEmpty())), "nothing was made, and nothing lost")
}

// Nodes of another chain are not what the network asks for, and may hold all there is of
// theirs.
func TestOrphansOfAnotherChainAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 1))
	before := w.uids()
	w.stopOperator()
	w.abandon(network)
	network = w.network("payments", 1, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Chain, spec.Mining = v1alpha1.Signet, nil })
	w.startOperator()
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		`True Conflict: StatefulSet "payments" already exists and is not owned by this network; delete it, or give the network another name`))
	w.Expect(w.uids()).To(Equal(before))
}

// What the API server takes for invalid it does not take the next time either.
func TestInvalidObjectStalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.network("payments", 1, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Resources = &v1alpha1.Resources{
			Requests: corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse("2Gi")},
			Limits:   corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse("1Gi")},
		}
	})
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(HavePrefix(
		`True Invalid: apply StatefulSet payments: StatefulSet.apps "payments" is invalid: [spec.template.spec.containers[0].resources.requests: ` +
			`Invalid value: "2Gi": must be less than or equal to ephemeral-storage limit of 1Gi`))
	w.tells("Warning Invalid apply StatefulSet payments: ")
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Resources = nil })
	w.becomesReady(network)
}

// A StatefulSet that has lost the label by which the operator watches is the network's
// all the same, with the record of what it was made of.
func TestStatefulSetThatLosesItsLabel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2))
	before, uids := w.statefulSet("payments"), w.uids()
	w.Expect(w.api.Patch(w.ctx, before.DeepCopy(), client.RawPatch(types.MergePatchType,
		[]byte(`{"metadata": {"labels": {"`+resources.NetworkLabel+`": null}}}`)))).To(Succeed())
	w.Eventually(func() map[string]string { return w.statefulSet("payments").Labels }).Should(Equal(before.Labels))
	w.Expect(w.statefulSet("payments").Spec).To(Equal(before.Spec))
	w.becomesReady(network)
	w.Expect(w.uids()).To(Equal(uids))
}

func TestHandEditIsPutBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2))

	set := w.statefulSet("payments")
	before := set.DeepCopy()
	set.Spec.Replicas = new(int32(7))
	set.Labels["team"] = "blue"
	w.Expect(w.api.Patch(w.ctx, set, client.MergeFrom(before), client.FieldOwner("somebody"))).To(Succeed())

	w.Eventually(func() int32 { return *w.statefulSet("payments").Spec.Replicas }).Should(BeEquivalentTo(2))
	w.Expect(w.statefulSet("payments").Labels).To(HaveKeyWithValue("team", "blue"), "a field that the operator does not own was taken away")
	w.becomesReady(network)
}

func TestImageChangeReplacesOneNodeAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	w.nodes.MineAt(w.kubelet.address("payments-0"))
	before := w.uids()
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "bitcoind:next" })
	w.Eventually(w.condition(network, meta.ReadyCondition)).ShouldNot(BeEmpty())
	w.Expect(w.condition(network, meta.ReadyCondition)()).To(HavePrefix("False "), "the network was Ready before its nodes had the new image")
	network = w.becomesReady(network)

	for name, uid := range w.uids() {
		w.Expect(uid).NotTo(Equal(before[name]), "%s was not replaced", name)
		w.Expect(w.pod(name).Spec.Containers[0].Image).To(Equal("bitcoind:next"))
		w.Expect(w.nodes.State(w.kubelet.address(name)).Chain.Blocks).To(BeEquivalentTo(1), "the chain was lost on the way")
	}
	w.Expect(network.Status.Image).To(Equal("bitcoind:next"))
}

func TestImageThatDoesNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	w.kubelet.refuse("bitcoind:typo")
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "bitcoind:typo" })
	w.Eventually(w.condition(network, v1alpha1.NodesReadyCondition)).Should(SatisfyAll(
		HavePrefix("False NodesNotReady: 2 of 3 nodes answer RPC"), ContainSubstring("ImagePullBackOff: no such image")))
	w.Consistently(func() string { return w.status(network).Status.Ready }).Should(Equal("2/3"), "a bad image took more than one node")

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "bitcoind:right" })
	w.becomesReady(network)
}

func TestSplitAndForkAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2))
	w.tells("Normal Connected ")
	a, b := w.kubelet.address("payments-0"), w.kubelet.address("payments-1")
	w.nodes.Cut(a, b)
	w.nodes.MineAt(a)
	w.nodes.MineAt(a)
	w.nodes.MineAt(b)
	w.look(network)
	w.tells("Warning Degraded the network is split into 2 parts: node 0; node 1")
	// The link is made again at once, and the longer chain wins.
	w.becomesReady(network)
	w.Eventually(func() int64 { return *w.status(network).Status.Height }).Should(BeEquivalentTo(2))
}

func TestSuspendedNetworkIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2))
	before := w.uids()
	w.tells("Normal Connected ")

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Suspend = true })
	w.Eventually(w.condition(network, meta.ReadyCondition)).Should(Equal(
		"True Suspended: suspended by spec.suspend; 2 nodes answer RPC, 1 link connected"))
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 4 })
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(HavePrefix(
		"True Suspended: suspended by spec.suspend, with unapplied changes: spec.nodes; 2 of 4 nodes answer RPC"))
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes, spec.Image = 2, "bitcoind:another" })
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal("True Suspended: suspended by spec.suspend, " +
		"with unapplied changes: the nodes' image, configuration or other settings; 2 nodes answer RPC, 1 link connected"))
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes, spec.Image = 4, "" })
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(ContainSubstring("spec.nodes"))
	now := w.status(network)
	w.Expect(now.Status.ObservedGeneration).To(Equal(now.Generation))
	w.Consistently(w.uids).Should(Equal(before))
	w.Expect(w.tells("Normal Suspended reconciliation is suspended: spec.suspend is true")).To(HaveLen(1))
	w.Expect(w.events.Events).To(BeEmpty())

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Suspend = false })
	w.becomesReady(network)
	w.Expect(w.uids()).To(HaveLen(4))
	w.tells("Normal Resumed reconciliation resumed")
}

func TestReconcileIsRequested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 1))
	checks := w.nodes.Checks(w.kubelet.address("payments-0"))

	before := network.DeepCopy()
	network.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	w.Expect(w.api.Patch(w.ctx, network, client.MergeFrom(before))).To(Succeed())
	w.Eventually(func() string { return w.status(network).Status.LastHandledReconcileAt }).Should(Equal("now"))
	w.Expect(w.nodes.Checks(w.kubelet.address("payments-0"))).To(BeNumerically(">", checks))
}

func TestDegree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 12, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Peering.Degree = 2 }))
	w.Expect(network.Status.Links.Summary).To(Equal("21/21"))
	before := w.uids()

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Peering.Degree = 8 })
	w.Expect(w.becomesReady(network).Status.Links.Summary).To(Equal("60/60"))
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Peering.Degree = 3 })
	w.Expect(w.becomesReady(network).Status.Links.Summary).To(Equal("30/30"))
	for ordinal := range 12 {
		state := w.nodes.State(w.kubelet.address(fmt.Sprintf("payments-%d", ordinal)))
		w.Expect(len(state.Added)).To(BeNumerically("<=", 3), "payments-%d lists what it should not dial any more", ordinal)
	}
	w.Expect(w.uids()).To(Equal(before), "a change of links restarted a node")
}

// A machine that is lost closes no connection. Its peers hold theirs, and cannot
// dial the same name anew, until the operator cuts what has fallen silent.
func TestLinkToALostMachineIsMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	lost := w.kubelet.address("payments-0")
	w.nodes.Freeze(lost)
	w.kubelet.forget("payments-0") // so that nothing closes its connections
	w.Expect(w.api.Delete(w.ctx, w.pod("payments-0"))).To(Succeed())
	w.Eventually(w.condition(network, v1alpha1.PeersConnectedCondition)).Should(HavePrefix("False "))
	w.nodes.Elapse(2 * time.Minute)
	w.becomesReady(network)
}

// Kubernetes collects the objects of a deleted network after a while, and its pods may
// take their time to end. A network that takes its name meanwhile waits, and is not in
// conflict with anybody. Its StatefulSet is not made before it can make its pods: the
// StatefulSet controller tries ever more seldom.
func TestNetworkThatIsMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	w.Expect(w.api.Delete(w.ctx, w.becomesReady(w.network("payments", 1)))).To(Succeed())
	network := w.network("payments", 2)
	w.Eventually(w.condition(network, meta.ReconcilingCondition)).Should(Equal(
		`True Progressing: waiting for Service "payments", left over from a deleted network of the same name, to be garbage-collected`))
	w.Expect(w.status(network).Status.Ready).To(Equal("0/2"), "the deleted network's nodes are not this one's")

	release := w.hold("payments-0")
	primary, connection := resources.PrimaryService(network, statetest.Regtest, 0), resources.Connection(network, platform, statetest.Regtest)
	for _, object := range append(childrenOf(network, platform), w.pod("payments-0")) {
		w.Expect(w.api.Delete(w.ctx, object)).To(Succeed())
	}
	w.Eventually(w.condition(network, meta.ReconcilingCondition), 2*soon).Should(Equal(
		`True Progressing: waiting for payments-0 of an earlier StatefulSet to be gone: the nodes need those names`))
	w.Consistently(func() error {
		return w.api.Get(w.ctx, client.ObjectKeyFromObject(network), &appsv1.StatefulSet{})
	}).Should(Satisfy(apierrors.IsNotFound), "its controller would back off")

	release()
	w.Eventually(func() error {
		return w.api.Get(w.ctx, client.ObjectKeyFromObject(network), &appsv1.StatefulSet{})
	}, "5s").Should(Succeed(), "the pod's end wakes the operator")
	w.Eventually(w.condition(network, meta.ReadyCondition)).Should(HaveSuffix(
		`; not applied: waiting for Service "payments-primary", left over from a deleted network of the same name, to be garbage-collected`))
	w.Expect(w.api.Delete(w.ctx, primary)).To(Succeed())
	w.Expect(w.api.Delete(w.ctx, connection)).To(Succeed())
	w.Eventually(w.condition(network, meta.ReadyCondition)).Should(Equal("True Connected: 2 nodes answer RPC, 1 link connected"))
}

// hold has a pod stay when it is deleted, as one does that takes its time to end, until
// it is released.
func (w *world) hold(name string) (release func()) {
	patch := func(finalizers string) {
		w.Expect(w.api.Patch(w.ctx, w.pod(name), client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"finalizers": `+finalizers+`}}`)))).To(Succeed())
	}
	patch(`["example.com/ends-slowly"]`)
	return func() { patch("null") }
}

// staleCache has a network as it was.
type staleCache struct {
	client.Client
	network *v1alpha1.BitcoinNetwork
}

// Get implements client.Reader.
func (c staleCache) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if network, asked := object.(*v1alpha1.BitcoinNetwork); asked {
		c.network.DeepCopyInto(network)
		return nil
	}
	return c.Client.Get(ctx, key, object, options...)
}

// A network may be deleted while a pass is under way that the informers let begin.
// Nothing is made for it any more: it would have the next network's names.
func TestNothingIsMadeForANetworkThatIsGone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		then   func(w *world, network *v1alpha1.BitcoinNetwork)
	}{
		{"it was deleted", func(w *world, network *v1alpha1.BitcoinNetwork) {
			w.Expect(w.api.Delete(w.ctx, network)).To(Succeed())
		}},
		{"it was deleted and made again", func(w *world, network *v1alpha1.BitcoinNetwork) {
			w.Expect(w.api.Delete(w.ctx, network)).To(Succeed())
			w.network(network.Name, 1)
		}},
		{"it is being deleted", func(w *world, network *v1alpha1.BitcoinNetwork) {
			w.Expect(w.api.Delete(w.ctx, network, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.stopOperator()
			w.secret()
			network := w.network("payments", 1)
			asItWas := network.DeepCopy()
			test.then(w, network)
			_, err := w.reconciler(staleCache{w.api, asItWas}, w.api).
				Reconcile(w.ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(network)})
			w.Expect(err).NotTo(HaveOccurred())
			for _, object := range childrenOf(asItWas, platform) {
				w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(object), object)).To(Satisfy(apierrors.IsNotFound), "%T was made", object)
			}
		})
	}
}

// That costs one request in a pass that applies something, and none in others.
func TestNetworkIsLookedForOnlyToApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stopOperator()
	w.secret()
	network := w.network("payments", 3)
	api, err := client.NewWithWatch(apiServer, client.Options{Scheme: scheme})
	w.Expect(err).NotTo(HaveOccurred())
	asked := 0
	counting := interceptor.NewClient(api, interceptor.Funcs{
		List: func(ctx context.Context, api client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			if _, networks := list.(*v1alpha1.BitcoinNetworkList); networks {
				asked++
			}
			return api.List(ctx, list, options...)
		},
	})
	r, request := w.reconciler(w.api, counting), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(network)}
	for pass, want := range []int{1, 1, 1} {
		_, err := r.Reconcile(w.ctx, request)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(asked).To(Equal(want), "pass %d", pass)
	}
	w.edit(w.status(network), func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 4 })
	_, err = r.Reconcile(w.ctx, request)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(asked).To(Equal(2))
}

// touch changes something about a pod that matters to nobody.
func (w *world) touch(name string) {
	pod := w.pod(name)
	before := pod.DeepCopy()
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations["touched"] = fmt.Sprint(len(pod.Annotations["touched"]) + 1)
	pod.Annotations["touched"] += before.Annotations["touched"]
	w.Expect(w.api.Patch(w.ctx, pod, client.MergeFrom(before))).To(Succeed())
}

// look has the operator ask all nodes of a network, as somebody does with an annotation.
func (w *world) look(network *v1alpha1.BitcoinNetwork) {
	now := w.status(network)
	before := now.DeepCopy()
	if now.Annotations == nil {
		now.Annotations = map[string]string{}
	}
	now.Annotations[meta.ReconcileRequestAnnotation] += "now"
	w.Expect(w.api.Patch(w.ctx, now, client.MergeFrom(before))).To(Succeed())
}

// Blocks that are due all the time must not keep an old node for ever.
func TestNetworkThatMinesAllTheTimeRolls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Mining = &v1alpha1.Mining{Interval: &metav1.Duration{Duration: time.Second}}
	}))
	w.Eventually(func() int32 { return w.heights()[0] }).Should(BeNumerically(">", 1))
	before, height := w.uids(), w.heights()[0]
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = []v1alpha1.ConfigLine{"txindex=1"} })
	w.Eventually(w.allReplaced(before), 6*soon).Should(BeTrue())
	w.becomesReady(network)
	w.Expect(w.heights()[2]).To(BeNumerically(">=", height), "the chain was lost on the way")
}
