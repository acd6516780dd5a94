package e2e

import (
	"context"
	"fmt"
	"testing"

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

func TestVolumesThatCannotGrowSaySo(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	small := up(t, g, ctx, "team-a", "small", v1alpha1.BitcoinNetworkSpec{
		Nodes: 2, Secret: secretName, Storage: &v1alpha1.Storage{Size: resource.MustParse("64Mi"), ClassName: new("standard")},
	})
	wait(g, ctx, claimed(small, "64Mi", 2))

	resize := func(size string) {
		alter(g, ctx, small, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Storage.Size = resource.MustParse(size) })
	}
	resize("128Mi")
	wait(g, ctx, fleet.All(
		tells(small, "Ready", "StorageRefused", "data-small-0", "only dynamically provisioned pvc can be resized", "status.storage"),
		tells(small, "Stalled", "StorageRefused")))
	g.Expect(network(g, ctx, "team-a", "small").Status.Ready).To(Equal("2/2"), "the nodes go on")
	g.Expect(network(g, ctx, "team-a", "small").Status.Storage.String()).To(Equal("64Mi"))

	resize("64Mi")
	ready(g, ctx, small)
	wait(g, ctx, claimed(small, "64Mi", 2))
}

func TestVolumesGrowAndStay(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	class := &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: "e2e-growing"},
		Provisioner:          "rancher.io/local-path",
		VolumeBindingMode:    new(storagev1.VolumeBindingWaitForFirstConsumer),
		AllowVolumeExpansion: new(true),
	}
	g.Expect(client.IgnoreAlreadyExists(cluster.API.Create(ctx, class))).To(Succeed())
	t.Cleanup(func() { _ = cluster.API.Delete(context.WithoutCancel(ctx), class) })

	grown := up(t, g, ctx, "team-a", "grown", v1alpha1.BitcoinNetworkSpec{
		Nodes: 2, Secret: secretName, Storage: &v1alpha1.Storage{
			Size: resource.MustParse("64Mi"), ClassName: &class.Name,
			WhenScaled:  appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
			WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		},
	})
	before := lives(g, ctx, "team-a", "grown")

	alter(g, ctx, grown, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Storage.Size = resource.MustParse("128Mi") })
	wait(g, ctx, claimed(grown, "128Mi", 2))
	ready(g, ctx, grown)
	scale(g, ctx, grown, 3)
	wait(g, ctx, claimed(grown, "128Mi", 3))
	ready(g, ctx, grown)
	g.Expect(network(g, ctx, "team-a", "grown").Status.Storage.String()).To(Equal("128Mi"))
	for pod, life := range before {
		g.Expect(lives(g, ctx, "team-a", "grown")).To(HaveKeyWithValue(pod, life), "%s was restarted", pod)
	}
	tip := mine(g, ctx, network(g, ctx, "team-a", "grown"), 0, 3)

	// Scaling down deletes the claim; parking keeps all.
	scale(g, ctx, grown, 2)
	wait(g, ctx, claimed(grown, "128Mi", 2))
	ready(g, ctx, grown)
	scale(g, ctx, grown, 0)
	wait(g, ctx, fleet.All(cluster.Says(grown.Object(), "Ready"), tells(grown, "Ready", "Parked"), nodeless(grown)))
	wait(g, ctx, claimed(grown, "128Mi", 2))
	scale(g, ctx, grown, 2)
	ready(g, ctx, grown)
	wait(g, ctx, has(grown, tip))

	g.Expect(cluster.API.Delete(ctx, &grown.BitcoinNetwork)).To(Succeed())
	wait(g, ctx, claimed(grown, "128Mi", 0))
}

// claimed is so when a network has this many claims, which all ask for this size.
func claimed(of fleet.Network, size string, want int) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var claims corev1.PersistentVolumeClaimList
		if err := cluster.API.List(ctx, &claims, client.InNamespace(of.Namespace), labelled(of.Name)); err != nil {
			return false, "", err
		}
		right := len(claims.Items) == want
		var sizes []string
		for _, claim := range claims.Items {
			asked := claim.Spec.Resources.Requests.Storage().String()
			sizes = append(sizes, asked)
			right = right && asked == size
		}
		return right, fmt.Sprintf("%d claims of %s: there are %v", want, size, sizes), nil
	}
}

// nodeless is so when a network has no pods.
func nodeless(of fleet.Network) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var pods corev1.PodList
		err := cluster.API.List(ctx, &pods, client.InNamespace(of.Namespace), labelled(of.Name))
		return err == nil && len(pods.Items) == 0, "the pods of " + of.String() + " to go", err
	}
}
