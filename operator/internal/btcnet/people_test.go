package btcnet

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain/explaintest"
)

// password is what nobody must see.
const password = "correct-horse-battery-staple"

// has makes on the API server what a case of explaintest has read, and a Secret.
func (team *team) has(name string) {
	at := slices.IndexFunc(explaintest.Cases, func(test explaintest.Case) bool { return test.Name == name })
	team.Expect(at).To(BeNumerically(">=", 0), name)
	seen := explaintest.Cases[at].Seen()
	team.put(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "bitcoin-rpc"},
		StringData: map[string]string{"BC_RPC_USER": "bitcoin", "BC_RPC_PASSWORD": password, "BC_RPC_PASSWORD_LND": password},
	})
	network := &seen.Networks[0]
	network.Labels["kustomize.toolkit.fluxcd.io/namespace"] = team.namespace
	network.Status.ObservedGeneration = 1
	network.Spec.Peering.Degree = 8
	team.put(network)
	for i := range seen.StatefulSets {
		set := &seen.StatefulSets[i]
		labels := map[string]string{"app": "bitcoind"}
		set.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		set.Spec.Template = corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podOf("bitcoind")}
		team.put(set)
	}
	for i := range seen.Pods {
		pod := &seen.Pods[i]
		pod.Spec = podOf(pod.Status.ContainerStatuses[0].Name)
		if pod.Labels["app.kubernetes.io/name"] == "bitcoind" {
			pod.Labels["bitcoin-operator.github.io/network"] = "payments"
		}
		team.put(pod)
	}
	team.putAll(explain.GitRepositoryKind, seen.Repositories)
	team.putAll(explain.KustomizationKind, seen.Kustomizations)
	for _, sealed := range seen.SealedSecrets {
		team.Expect(unstructured.SetNestedMap(sealed.Object, map[string]any{}, "spec", "encryptedData")).To(Succeed())
	}
	team.putAll(explain.SealedSecretKind, seen.SealedSecrets)
}

func podOf(container string) corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "example.com/bitcoind:1"}}}
}

// put makes an object, with its status.
func (team *team) put(object client.Object) {
	status := object.DeepCopyObject().(client.Object)
	object.SetNamespace(team.namespace)
	object.SetGeneration(0)
	team.Expect(admin.Create(team.ctx, object)).To(Succeed())
	if _, hasNone := object.(*corev1.Secret); hasNone {
		return
	}
	status.SetNamespace(team.namespace)
	status.SetResourceVersion(object.GetResourceVersion())
	status.SetUID(object.GetUID())
	team.Expect(admin.Status().Update(team.ctx, status)).To(Succeed())
}

func (team *team) putAll(kind schema.GroupVersionKind, objects []unstructured.Unstructured) {
	for i := range objects {
		objects[i].SetGroupVersionKind(kind)
		team.put(&objects[i])
	}
}

// All that status looks at, the Role people lets it see.
func TestPeopleSeeHowNetworksAre(t *testing.T) {
	for _, test := range []struct {
		name string
		code int
		want string
	}{
		{"healthy", Healthy, "is applied"},
		{"split", Unhealthy, "docs/troubleshooting.md#split"},
		{"wrong-image", Unhealthy, "Nodes: ImagePullBackOff"},
		{"sealed-elsewhere", Unhealthy, "SealedSecret: NotSynced"},
	} {
		t.Run(test.name, func(t *testing.T) {
			team := newTeam(t)
			team.has(test.name)
			told := team.runs("status", "payments")
			team.Expect(told.code).To(Equal(test.code), told.told())
			team.Expect(told.out).To(ContainSubstring(test.want))
			team.Expect(told.out).NotTo(ContainSubstring("not looked at"))
			team.Expect(told.errOut).To(BeEmpty())

			var printed struct {
				Healthy  bool
				Networks []explain.Report
			}
			asJSON := team.runs("status", "-o", "json")
			team.Expect(asJSON.code).To(Equal(test.code))
			team.Expect(json.Unmarshal([]byte(asJSON.out), &printed)).To(Succeed())
			team.Expect(printed.Healthy).To(Equal(test.code == Healthy))
			team.Expect(printed.Networks).To(ConsistOf(HaveField("Network", "payments")))
		})
	}
}

// Who may see less is told what was left out, and who may see nothing that nothing is known.
func TestWhatMayNotBeRead(t *testing.T) {
	team := newTeam(t)
	team.has("healthy")
	stranger := []string{"--as=stranger@example.com"}
	told := team.runsAs(stranger, "status", "payments")
	team.Expect(told.code).To(Equal(Failed))
	team.Expect(told.errOut).To(ContainSubstring("list the networks of namespace " + team.namespace))

	name := metav1.ObjectMeta{Namespace: team.namespace, Name: "stranger"}
	team.Expect(admin.Create(team.ctx, &rbacv1.Role{ObjectMeta: name, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"bitcoinnetworks"}, Verbs: []string{"list"}},
	}})).To(Succeed())
	team.Expect(admin.Create(team.ctx, &rbacv1.RoleBinding{ObjectMeta: name, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "stranger@example.com"}}})).To(Succeed())
	team.Eventually(func() int { told = team.runsAs(stranger, "status", "payments"); return told.code }, "10s", "100ms").Should(Equal(Healthy))
	for _, kind := range []string{"gitrepositories", "kustomizations", "sealedsecrets", "pods", "statefulsets", "events"} {
		team.Expect(told.out).To(ContainSubstring("you may not list " + kind))
	}

	everywhere := team.runs("status", "-A")
	team.Expect(everywhere.code).To(Equal(Failed))
	team.Expect(everywhere.errOut).To(ContainSubstring("with -n NAMESPACE, the Role people of that one is enough"))
}

func TestAskingForBlocksAndCoins(t *testing.T) {
	const address = "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
	for _, test := range []struct {
		args    []string
		phase   v1alpha1.RequestPhase
		message string
		spec    v1alpha1.BitcoinRequestSpec
		code    int
	}{
		{[]string{"mine", "payments", "6"}, v1alpha1.RequestSucceeded, "payments-0 mined 6 blocks",
			v1alpha1.BitcoinRequestSpec{Network: "payments", Mine: &v1alpha1.MineRequest{Count: 6}}, Healthy},
		{[]string{"mine", "payments", "1", "--address=" + address}, v1alpha1.RequestUnknown, "nobody knows whether it has done it",
			v1alpha1.BitcoinRequestSpec{Network: "payments", Mine: &v1alpha1.MineRequest{Count: 1, Address: address}}, Failed},
		{[]string{"pay", "payments", address, "2.5"}, v1alpha1.RequestRefused, "spec.pay.amount: the wallet of payments has 0 BTC to spend",
			v1alpha1.BitcoinRequestSpec{Network: "payments", Pay: &v1alpha1.PayRequest{Address: address, Amount: "2.5"}}, Failed},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			team := newTeam(t)
			answered := make(chan v1alpha1.BitcoinRequest, 1)
			go team.answer(test.phase, test.message, answered)
			told := team.runs(test.args...)
			team.Expect(told.code).To(Equal(test.code), told.told())
			team.Expect(told.told()).To(ContainSubstring(test.message))
			request := <-answered
			test.spec.TTL = request.Spec.TTL
			team.Expect(request.Spec).To(Equal(test.spec))
			team.Expect(request.ManagedFields).To(ContainElement(And(HaveField("Manager", HavePrefix("kubectl")), HaveField("Subresource", ""))))
		})
	}
}

// answer does what the operator does with the first request of the team.
func (team *team) answer(phase v1alpha1.RequestPhase, message string, answered chan<- v1alpha1.BitcoinRequest) {
	defer close(answered)
	var requests v1alpha1.BitcoinRequestList
	watch, err := admin.Watch(team.ctx, &requests, client.InNamespace(team.namespace))
	if err != nil {
		return
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		request, isRequest := event.Object.(*v1alpha1.BitcoinRequest)
		if !isRequest {
			continue
		}
		request.Status.Phase = phase
		request.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Tested", Message: message, LastTransitionTime: metav1.Now()}}
		if err := admin.Status().Update(team.ctx, request); err == nil {
			answered <- *request
		}
		return
	}
}

// Who does not wait for the answer, or not for long enough, leaves the request.
func TestRequestsStay(t *testing.T) {
	team := newTeam(t)
	told := team.runs("mine", "payments", "6", "--wait=false")
	team.Expect(told.code).To(Equal(Healthy), told.told())
	told = team.runs("mine", "payments", "6", "--timeout=200ms")
	team.Expect(told.code).To(Equal(Failed))
	team.Expect(told.errOut).To(ContainSubstring("it took longer than 200ms; the request stays, and kubectl get btcreq payments-"))

	interrupted, interrupt := context.WithCancel(team.ctx)
	time.AfterFunc(200*time.Millisecond, interrupt)
	another := *team
	another.ctx = interrupted
	told = another.runs("mine", "payments", "6")
	team.Expect(told.code).To(Equal(Failed))
	var requests v1alpha1.BitcoinRequestList
	team.Expect(admin.List(team.ctx, &requests, client.InNamespace(team.namespace))).To(Succeed())
	team.Expect(requests.Items).To(HaveLen(3))

	told = team.runs("mine", "payments", "0")
	team.Expect(told.code).To(Equal(Failed))
	team.Expect(told.errOut).To(ContainSubstring("spec.mine.count"), "the API server's own words")
}

// What people change, they change as who Flux takes it back from, and are told that it will.
func TestChangingANetwork(t *testing.T) {
	for _, test := range []struct {
		args []string
		is   func(*v1alpha1.BitcoinNetwork) bool
		tell string
	}{
		{[]string{"suspend", "payments"}, func(n *v1alpha1.BitcoinNetwork) bool { return n.Spec.Suspend }, "commit it: spec.suspend: true"},
		{[]string{"resume", "payments"}, func(n *v1alpha1.BitcoinNetwork) bool { return !n.Spec.Suspend }, "commit it: spec.suspend: false"},
		{[]string{"scale", "payments", "5"}, func(n *v1alpha1.BitcoinNetwork) bool { return n.Spec.Nodes == 5 }, "commit it: spec.nodes: 5"},
		{[]string{"look", "payments"}, func(n *v1alpha1.BitcoinNetwork) bool {
			return n.Annotations["reconcile.fluxcd.io/requestedAt"] == n.Status.LastHandledReconcileAt
		}, ""},
	} {
		t.Run(test.args[0], func(t *testing.T) {
			team := newTeam(t)
			team.has("healthy")
			ctx, cancel := context.WithCancel(team.ctx)
			stopped := make(chan struct{})
			go func() { defer close(stopped); team.operate(ctx) }()
			told := team.runs(test.args...)
			cancel()
			<-stopped
			team.Expect(told.code).To(Equal(Healthy), told.told())
			team.Expect(told.out).To(Equal("as it was asked for\n"))
			var network v1alpha1.BitcoinNetwork
			team.Expect(admin.Get(team.ctx, client.ObjectKey{Namespace: team.namespace, Name: "payments"}, &network)).To(Succeed())
			team.Expect(test.is(&network)).To(BeTrue())
			if test.tell == "" {
				team.Expect(told.errOut).NotTo(ContainSubstring("Flux"))
				return
			}
			team.Expect(told.errOut).To(ContainSubstring(test.tell))
			if test.args[0] != "resume" { // which takes nothing that was set
				team.Expect(network.ManagedFields).To(ContainElement(And(HaveField("Manager", HavePrefix("kubectl")), HaveField("Subresource", ""))))
			}
		})
	}
	team := newTeam(t)
	team.has("healthy")
	told := team.runs("scale", "payments", "11")
	team.Expect(told.code).To(Equal(Failed))
	team.Expect(told.errOut).To(ContainSubstring("spec.nodes: the platform allows 10 nodes per network in this namespace, not 11"))
	told = team.runs("scale", "nowhere", "1")
	team.Expect(told.errOut).To(ContainSubstring(`"nowhere" not found`))
}

// operate says of the network payments what the operator does once it has looked at it.
func (team *team) operate(ctx context.Context) {
	var networks v1alpha1.BitcoinNetworkList
	watch, err := admin.Watch(ctx, &networks, client.InNamespace(team.namespace))
	if err != nil {
		return
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		network, isNetwork := event.Object.(*v1alpha1.BitcoinNetwork)
		asked := ""
		if isNetwork {
			asked = network.Annotations["reconcile.fluxcd.io/requestedAt"]
		}
		if !isNetwork || network.Status.ObservedGeneration == network.Generation && network.Status.LastHandledReconcileAt == asked && messageOf(network.Status.Conditions) == "as it was asked for" {
			continue
		}
		network.Status.ObservedGeneration = network.Generation
		network.Status.LastHandledReconcileAt = asked
		for i := range network.Status.Conditions {
			if network.Status.Conditions[i].Type == "Ready" {
				network.Status.Conditions[i].Message = "as it was asked for"
			}
		}
		_ = admin.Status().Update(ctx, network) // in vain where it has changed: then it is told so
	}
}

// A password is in nothing that the command prints, whoever runs it.
func TestNoSecretIsPrinted(t *testing.T) {
	team := newTeam(t)
	team.has("healthy")
	platform := []string{"--as=platform", "--as-group=system:masters"}
	for _, args := range [][]string{
		{"status"}, {"status", "payments", "-o", "json"}, {"logs", "payments"}, {"mine", "payments", "1", "--wait=false"}, {"look", "payments", "--wait=false"},
		{"rpc", "payments", "getblockcount"}, {"rpc", "payments/1", "--user=lnd", "getblockcount"}, {"rpc", "payments", "--user=shop", "getblockcount"},
	} {
		for _, told := range []outcome{team.runs(args...), team.runsAs(platform, args...)} {
			team.Expect(told.told()).NotTo(ContainSubstring(password), "%v", args)
		}
	}
	told := team.runs("rpc", "payments", "getblockcount")
	team.Expect(told.code).To(Equal(Failed))
	team.Expect(told.errOut).To(ContainSubstring(`secrets "bitcoin-rpc" is forbidden`), "people may not")
	told = team.runsAs(platform, "rpc", "payments", "--user=shop", "getblockcount")
	team.Expect(told.errOut).To(ContainSubstring("has no BC_RPC_PASSWORD_SHOP, the password of user shop"))
	told = team.runsAs(platform, "rpc", "payments/lightning-0", "getblockcount")
	team.Expect(told.errOut).To(ContainSubstring(`"lightning-0" is not a node of payments`))
}

func TestNamesAreCompleted(t *testing.T) {
	team := newTeam(t)
	team.has("healthy")
	var out, errOut bytes.Buffer
	// A shell has the flags before the word to complete.
	Run(team.ctx, []string{"__complete", "--as=somebody@example.com", "--as-group=people-of-it", "--kubeconfig=" + kubeconfig, "--namespace=" + team.namespace, "status", ""},
		genericiooptions.IOStreams{In: &errOut, Out: &out, ErrOut: &errOut})
	team.Expect(out.String()).To(HavePrefix("payments\tregtest\n"), errOut.String())
}
