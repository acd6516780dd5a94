package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A network that was deleted without its objects has its nodes, and their chain, when it
// comes back.
func TestWhatANetworkLeftBehindIsTakenOver(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	spec := v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName}
	left := up(t, g, ctx, "team-b", "orphaned", spec)
	wait(g, ctx, higher(left, 0))
	before := lives(g, ctx, "team-b", "orphaned")

	deleted := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "orphaned"}}
	g.Expect(cluster.API.Delete(ctx, deleted, client.PropagationPolicy(metav1.DeletePropagationOrphan))).To(Succeed())
	g.Eventually(func() bool {
		return apierrors.IsNotFound(cluster.API.Get(ctx, client.ObjectKeyFromObject(deleted), deleted))
	}, "30s", "100ms").Should(BeTrue(), "its objects are let go of")
	again := up(t, g, ctx, "team-b", "orphaned", spec)
	g.Expect(lives(g, ctx, "team-b", "orphaned")).To(Equal(before))
	wait(g, ctx, higher(again, 0))
}

func TestWhatIsEditedByHandIsPutBack(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	edited := up(t, g, ctx, "team-b", "edited", v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName})
	wait(g, ctx, higher(edited, 0))
	before := lives(g, ctx, "team-b", "edited")
	meta := metav1.ObjectMeta{Namespace: "team-b", Name: "edited"}

	for _, test := range []struct {
		what   string
		object client.Object
		edit   string
		is     func(client.Object) bool
	}{
		{"the StatefulSet's replicas", &appsv1.StatefulSet{ObjectMeta: meta}, `{"spec": {"replicas": 4}}`,
			func(o client.Object) bool { return *o.(*appsv1.StatefulSet).Spec.Replicas == 2 }},
		{"its image", &appsv1.StatefulSet{ObjectMeta: meta}, `{"spec": {"template": {"spec": {"containers": [{"name": "bitcoind", "image": "localhost/pause:1"}]}}}}`,
			func(o client.Object) bool {
				return o.(*appsv1.StatefulSet).Spec.Template.Spec.Containers[0].Image == edited.Status.Image
			}},
		{"its label", &appsv1.StatefulSet{ObjectMeta: meta}, `{"metadata": {"labels": {"app.kubernetes.io/instance": "mine"}}}`,
			func(o client.Object) bool { return o.GetLabels()["app.kubernetes.io/instance"] == "edited" }},
		{"its label, taken off", &appsv1.StatefulSet{ObjectMeta: meta}, `{"metadata": {"labels": {"bitcoin-operator.github.io/network": null}}}`,
			func(o client.Object) bool {
				return o.GetLabels()["bitcoin-operator.github.io/network"] == "edited"
			}},
		{"bitcoin.conf", &appsv1.StatefulSet{ObjectMeta: meta}, `{"spec": {"template": {"metadata": {"annotations": {"bitcoin-operator.github.io/bitcoin.conf": "chain=main"}}}}}`,
			func(o client.Object) bool {
				return len(o.(*appsv1.StatefulSet).Spec.Template.Annotations["bitcoin-operator.github.io/bitcoin.conf"]) > len("chain=main")
			}},
		{"the headless Service", &corev1.Service{ObjectMeta: meta}, `{"spec": {"publishNotReadyAddresses": false}}`,
			func(o client.Object) bool { return o.(*corev1.Service).Spec.PublishNotReadyAddresses }},
		{"the client Service", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "edited-rpc"}}, `{"spec": {"selector": {"bitcoin-operator.github.io/network": "another"}}}`,
			func(o client.Object) bool {
				return o.(*corev1.Service).Spec.Selector["bitcoin-operator.github.io/network"] == "edited"
			}},
		{"the Service that leads to one node", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "edited-primary"}}, `{"spec": {"selector": {"statefulset.kubernetes.io/pod-name": "another-0"}}}`,
			func(o client.Object) bool {
				return o.(*corev1.Service).Spec.Selector["statefulset.kubernetes.io/pod-name"] == "edited-0"
			}},
		{"how it is reached", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "edited-connection"}}, `{"data": {"host": "example.com"}}`,
			func(o client.Object) bool { return o.(*corev1.ConfigMap).Data["host"] != "example.com" }},
		{"the PodDisruptionBudget", &policyv1.PodDisruptionBudget{ObjectMeta: meta}, `{"spec": {"maxUnavailable": 2}}`,
			func(o client.Object) bool {
				return *o.(*policyv1.PodDisruptionBudget).Spec.MaxUnavailable == intstr.FromInt32(1)
			}},
		{"the NetworkPolicy", &networkingv1.NetworkPolicy{ObjectMeta: meta}, `{"spec": {"ingress": null}}`,
			func(o client.Object) bool { return len(o.(*networkingv1.NetworkPolicy).Spec.Ingress) == 2 }},
	} {
		g.Expect(cluster.API.Patch(ctx, test.object, client.RawPatch(types.StrategicMergePatchType, []byte(test.edit)))).To(Succeed(), test.what)
		took := putBack(g, ctx, test.what, test.object, test.is)
		t.Logf("%s: put back within %.1f s", test.what, took.Seconds())
		g.Expect(took).To(BeNumerically("<", 10*time.Second), test.what)
	}

	for _, object := range []client.Object{
		&corev1.Service{ObjectMeta: meta}, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "edited-rpc"}},
		&policyv1.PodDisruptionBudget{ObjectMeta: meta}, &networkingv1.NetworkPolicy{ObjectMeta: meta},
	} {
		g.Expect(cluster.API.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		old := object.GetUID()
		g.Expect(cluster.API.Delete(ctx, object)).To(Succeed())
		what := fmt.Sprintf("a deleted %T %s", object, object.GetName())
		took := putBack(g, ctx, what, object, func(o client.Object) bool { return o.GetUID() != old })
		g.Expect(took).To(BeNumerically("<", 10*time.Second), what)
	}

	ready(g, ctx, edited)
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		left := len(lives(g, ctx, "team-b", "edited"))
		return left == 2, fmt.Sprintf("two nodes; there are %d", left), nil
	})
	g.Expect(lives(g, ctx, "team-b", "edited")).To(Equal(before), "no node is restarted")
}

// putBack waits until an object is as it should be again, and returns how long that
// took.
func putBack(g Gomega, ctx context.Context, what string, object client.Object, is func(client.Object) bool) time.Duration {
	edited := time.Now()
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		err := cluster.API.Get(ctx, client.ObjectKeyFromObject(object), object)
		if apierrors.IsNotFound(err) {
			return false, what + ", which is not there", nil
		}
		return err == nil && is(object), what, err
	})
	return time.Since(edited)
}

// What the operator has not set is somebody else's.
func TestWhatOthersAddStays(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	added := up(t, g, ctx, "team-b", "added", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName})
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "added"}}
	g.Expect(cluster.API.Patch(ctx, set, client.RawPatch(types.MergePatchType,
		[]byte(`{"metadata": {"annotations": {"example.com/mine": "yes"}}, "spec": {"replicas": 3}}`)))).To(Succeed())
	putBack(g, ctx, "replicas", set, func(o client.Object) bool { return *o.(*appsv1.StatefulSet).Spec.Replicas == 1 })
	g.Expect(set.Annotations).To(HaveKeyWithValue("example.com/mine", "yes"))
	ready(g, ctx, added)
}

func TestKubectlScales(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	scaled := up(t, g, ctx, "team-b", "scaled", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName})
	for _, nodes := range []int{3, 2} {
		_, err := cluster.Kubectl(ctx, "scale", "btcnet", "scaled", "--namespace=team-b", fmt.Sprintf("--replicas=%d", nodes))
		g.Expect(err).NotTo(HaveOccurred())
		ready(g, ctx, scaled)
		wait(g, ctx, replicas(scaled, nodes))
		g.Expect(cluster.Kubectl(ctx, "get", "--raw", "/apis/bitcoin-operator.github.io/v1alpha1/namespaces/team-b/bitcoinnetworks/scaled/scale")).
			To(ContainSubstring(`"selector":"bitcoin-operator.github.io/network=scaled"`))
	}
}

// replicas is so when the scale subresource tells of that many pods.
func replicas(of fleet.Network, want int) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		now, err := cluster.Network(ctx, of.Namespace, of.Name)
		return int(now.Status.Replicas) == want, fmt.Sprintf("%d replicas of %s, not %d", want, of, now.Status.Replicas), err
	}
}
