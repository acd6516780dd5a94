package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// podsGone is so when a network has no pods any more.
func podsGone(name string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var pods corev1.PodList
		err := cluster.API.List(ctx, &pods, client.InNamespace("team-a"), labelled(name))
		return err == nil && len(pods.Items) == 0, "the pods of " + name, err
	}
}

func TestEveryFieldShowsInThePods(t *testing.T) {
	g, ctx := needsCluster(t)
	class := &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: "growing"},
		Provisioner:          "rancher.io/local-path",
		VolumeBindingMode:    new(storagev1.VolumeBindingWaitForFirstConsumer),
		ReclaimPolicy:        new(corev1.PersistentVolumeReclaimDelete),
		AllowVolumeExpansion: new(true),
	}
	g.Expect(cluster.API.Create(ctx, class)).To(Succeed())
	t.Cleanup(func() { g.Expect(cluster.API.Delete(context.WithoutCancel(ctx), class)).To(Succeed()) })

	const address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	found := up(t, g, ctx, "team-a", "fields", v1alpha1.BitcoinNetworkSpec{
		Secret:          secretName,
		Nodes:           3,
		Config:          []v1alpha1.ConfigLine{"txindex=1", "maxmempool=50"},
		ZMQ:             []v1alpha1.ZMQTopic{v1alpha1.RawBlock, v1alpha1.Sequence},
		ImagePullPolicy: corev1.PullIfNotPresent,
		Peering:         v1alpha1.Peering{Degree: 2},
		Storage: &v1alpha1.Storage{
			Size: resource.MustParse("64Mi"), ClassName: new("growing"),
			WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
			WhenScaled:  appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		},
		Resources:    &v1alpha1.Resources{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")}},
		NodeSelector: map[string]string{"kubernetes.io/os": "linux"},
		Tolerations:  []corev1.Toleration{{Key: "bitcoin", Operator: corev1.TolerationOpExists}},
		PodLabels:    map[string]v1alpha1.LabelValue{"example.com/cost-center": "42"},
		Mining:       &v1alpha1.Mining{Interval: &metav1.Duration{Duration: 2 * time.Second}, Address: address},
	})
	before := lives(g, ctx, "team-a", "fields")

	for _, test := range []struct {
		reason, want string
		args         []string
	}{
		{"an index that the config asks for", `"txindex"`, []string{"getindexinfo"}},
		{"a size that the config sets", `"maxmempool": 50000000`, []string{"getmempoolinfo"}},
		{"notifications", "tcp://0.0.0.0:28332", []string{"getzmqnotifications"}},
		{"an order of what enters and leaves", "pubsequence", []string{"getzmqnotifications"}},
		{"coins that go to the address", address, []string{"scantxoutset", "start", `["addr(` + address + `)"]`}},
	} {
		wait(g, ctx, func(ctx context.Context) (bool, string, error) {
			answer, err := found.Nodes[1].Bitcoin(ctx, test.args...)
			if strings.HasPrefix(test.reason, "coins") {
				return err == nil && !strings.Contains(answer, `"total_amount": 0.00000000`), test.reason, err
			}
			return err == nil && strings.Contains(answer, test.want), test.reason, err
		})
	}
	pod, err := podOf(ctx, found.Nodes[0])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pod.Labels).To(HaveKeyWithValue("example.com/cost-center", "42"))
	g.Expect(pod.Spec.NodeSelector).To(HaveKeyWithValue("kubernetes.io/os", "linux"))
	g.Expect(pod.Spec.Tolerations).To(ContainElement(HaveField("Key", "bitcoin")))
	g.Expect(pod.Spec.Containers[0].Resources.Limits.Memory().String()).To(Equal("256Mi"))

	// Storage grows for the nodes that there are and for those that come.
	alter(g, ctx, found, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Storage.Size = resource.MustParse("96Mi")
		spec.Nodes = 4
	})
	wait(g, ctx, claims("fields", 4, "96Mi"))
	wait(g, ctx, cluster.NetworksReady("team-a"))
	after := lives(g, ctx, "team-a", "fields")
	for pod, life := range before {
		g.Expect(after).To(HaveKeyWithValue(pod, life), "%s was restarted", pod)
	}
	// A parked network keeps its volumes; nodes that go take theirs along.
	alter(g, ctx, found, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 0 })
	wait(g, ctx, podsGone("fields"))
	wait(g, ctx, claims("fields", 4, "96Mi"))
	alter(g, ctx, found, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 4 })
	wait(g, ctx, cluster.NetworksReady("team-a"))
	height, err := found.Nodes[0].Height(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(height).To(BeNumerically(">", 1), "the chain is on the volumes")
	alter(g, ctx, found, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 2 })
	wait(g, ctx, claims("fields", 2, "96Mi"))
	wait(g, ctx, cluster.NetworksReady("team-a"))
}

// claims is so when a network has so many volume claims, of that size.
func claims(network string, count int, size string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var list corev1.PersistentVolumeClaimList
		err := cluster.API.List(ctx, &list, client.InNamespace("team-a"), labelled(network))
		right := 0
		for _, claim := range list.Items {
			if asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]; asked.String() == size {
				right++
			}
		}
		return err == nil && right == count && len(list.Items) == count, "the claims of " + network, err
	}
}

// Private chains come up whole. Public ones are tried offline: with the right files
// and flags, and nobody to talk to.
func TestChains(t *testing.T) {
	g, ctx := needsCluster(t)
	offline := []v1alpha1.ConfigLine{"dnsseed=0", "fixedseeds=0"}
	for _, test := range []struct {
		name, want string
		spec       v1alpha1.BitcoinNetworkSpec
	}{
		{"signet", `"signet_challenge": "51"`, v1alpha1.BitcoinNetworkSpec{Chain: v1alpha1.Signet, Signet: &v1alpha1.SignetChain{Challenge: "51"}}},
		{"testnet4", `"chain": "testnet4"`, v1alpha1.BitcoinNetworkSpec{Chain: v1alpha1.Testnet4, Config: offline}},
		{"main", `"chain": "main"`, v1alpha1.BitcoinNetworkSpec{Chain: v1alpha1.Main, Config: append(offline, "prune=550")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.spec.Nodes = 2
			test.spec.Secret = secretName
			found := up(t, g, ctx, "team-a", "on-"+test.name, test.spec)
			answer, err := found.Nodes[0].Bitcoin(ctx, "getblockchaininfo")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(answer).To(ContainSubstring(test.want))
			pod, err := podOf(ctx, found.Nodes[0])
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(*pod.Spec.TerminationGracePeriodSeconds).To(BeEquivalentTo(600))
		})
	}
}
