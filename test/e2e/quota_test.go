package e2e

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestQuotaThatStopsNodesIsNamed(t *testing.T) {
	g, ctx := needsCluster(t)
	var pods corev1.PodList
	g.Expect(cluster.API.List(ctx, &pods, client.InNamespace("team-b"))).To(Succeed())
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "too-tight"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(int64(len(pods.Items)+1), resource.DecimalSI)}},
	}
	g.Expect(cluster.API.Create(ctx, quota)).To(Succeed())
	t.Cleanup(func() { _ = cluster.API.Delete(t.Context(), quota) })
	putBack(g, ctx, "the quota to be counted", quota, func(o client.Object) bool { return len(o.(*corev1.ResourceQuota).Status.Used) > 0 })

	stopped := create(t, g, ctx, "team-b", "stopped", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	began := time.Now()
	wait(g, ctx, tells(stopped, "NodesReady", "NodesNotReady", "1 of 3 nodes answer RPC", "exceeded quota: too-tight"))
	t.Logf("told after %.0f s", time.Since(began).Seconds())

	g.Expect(cluster.API.Delete(ctx, quota)).To(Succeed())
	began = time.Now()
	ready(g, ctx, stopped)
	t.Logf("all nodes were up %.0f s after the quota had gone", time.Since(began).Seconds())
}

// Pods that want no others beside them would keep another team's away. Of networks the
// admission policies say so; this is for whatever else makes a pod.
func TestAffinityLooksAtNoOtherNamespace(t *testing.T) {
	g, ctx := needsCluster(t)
	lonely := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "lonely"},
		Spec: corev1.PodSpec{
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{Name: "a", Image: "a", SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			}}},
		},
	}
	g.Expect(cluster.API.Create(ctx, lonely.DeepCopy(), client.DryRunAll)).To(Succeed())
	lonely.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
			TopologyKey:       corev1.LabelHostname,
			LabelSelector:     &metav1.LabelSelector{},
			NamespaceSelector: &metav1.LabelSelector{},
		}},
	}}
	g.Expect(cluster.API.Create(ctx, lonely, client.DryRunAll)).To(MatchError(ContainSubstring("exceeded quota: no-affinity-across-namespaces")))
}
