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

	resize(g, ctx, small, "128Mi")
	wait(g, ctx, fleet.All(
		tells(small, "Ready", "StorageRefused", "data-small-0", "only dynamically provisioned pvc can be resized", "no claim has grown", "status.storage"),
		tells(small, "StorageReady", "StorageRefused"),
		tells(small, "Stalled", "StorageRefused")))
	g.Expect(network(g, ctx, "team-a", "small").Status.Ready).To(Equal("2/2"), "the nodes go on")
	g.Expect(network(g, ctx, "team-a", "small").Status.Storage.String()).To(Equal("64Mi"))

	resize(g, ctx, small, "64Mi")
	ready(g, ctx, small)
	wait(g, ctx, claimed(small, "64Mi", 2))
}

// growing is a class that lets volumes grow, and of which nothing makes them grow: the
// tests play the storage.
const growing = "e2e-growing"

func TestVolumesThatGrow(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	class := &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: growing},
		Provisioner:          "rancher.io/local-path",
		VolumeBindingMode:    new(storagev1.VolumeBindingWaitForFirstConsumer),
		AllowVolumeExpansion: new(true),
	}
	g.Expect(client.IgnoreAlreadyExists(cluster.API.Create(ctx, class))).To(Succeed())
	t.Cleanup(func() { _ = cluster.API.Delete(context.WithoutCancel(ctx), class) })
	t.Run("and stay", volumesGrowAndStay)
	t.Run("or cannot", sizesGoBack)
}

func volumesGrowAndStay(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	grown := up(t, g, ctx, "team-a", "grown", v1alpha1.BitcoinNetworkSpec{
		Nodes: 2, Secret: secretName, Storage: &v1alpha1.Storage{
			Size: resource.MustParse("64Mi"), ClassName: new(growing),
			WhenScaled:  appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
			WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		},
	})
	before := lives(g, ctx, "team-a", "grown")

	resize(g, ctx, grown, "128Mi")
	wait(g, ctx, claimed(grown, "128Mi", 2))
	wait(g, ctx, tells(grown, "StorageReady", "Resizing", "data-grown-0 requests 128Mi and has 64Mi: resizing has not started"))
	ready(g, ctx, grown)
	g.Expect(network(g, ctx, "team-a", "grown").Status.Storage.String()).To(Equal("64Mi"), "it is what volumes have")
	has128Mi := func(claim *corev1.PersistentVolumeClaim) { claim.Status.Capacity = sized("128Mi") }
	storage(g, ctx, grown, has128Mi)
	wait(g, ctx, tells(grown, "StorageReady", "SizeReached", "2 volumes of at least 128Mi"))
	g.Expect(network(g, ctx, "team-a", "grown").Status.Storage.String()).To(Equal("128Mi"))

	scale(g, ctx, grown, 3)
	wait(g, ctx, claimed(grown, "128Mi", 3))
	wait(g, ctx, tells(grown, "StorageReady", "Resizing", "data-grown-2 requests 128Mi and has 64Mi"))
	storage(g, ctx, grown, has128Mi)
	wait(g, ctx, tells(grown, "StorageReady", "SizeReached", "3 volumes of at least 128Mi"))
	ready(g, ctx, grown)
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

// A size that cannot be had can be taken back, whoever refuses it: the quota before a
// claim has changed, the storage after.
func sizesGoBack(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	const limited = growing + ".storageclass.storage.k8s.io/" + corev1.ResourceRequestsStorage
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "tight"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{limited: resource.MustParse("2Gi")}},
	}
	g.Expect(cluster.API.Create(ctx, quota)).To(Succeed())
	t.Cleanup(func() { _ = cluster.API.Delete(context.WithoutCancel(ctx), quota) })
	putBack(g, ctx, "the quota to be counted", quota, func(o client.Object) bool { return len(o.(*corev1.ResourceQuota).Status.Used) > 0 })
	greedy := up(t, g, ctx, "team-b", "greedy", v1alpha1.BitcoinNetworkSpec{
		Nodes: 3, Secret: secretName, Storage: &v1alpha1.Storage{
			Size: resource.MustParse("64Mi"), ClassName: new(growing), WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		},
	})
	putBack(g, ctx, "the claims to be counted", quota, func(o client.Object) bool {
		used := o.(*corev1.ResourceQuota).Status.Used[limited]
		return used.Cmp(resource.MustParse("192Mi")) == 0
	})

	resize(g, ctx, greedy, "1Gi") // there is room for each, and not for all
	wait(g, ctx, fleet.All(
		tells(greedy, "StorageReady", "QuotaExceeded", `quota "tight" has 1856Mi left`, "no claim has grown", "back to 64Mi (status.storage)"),
		tells(greedy, "Stalled", "QuotaExceeded")))
	wait(g, ctx, claimed(greedy, "64Mi", 3))
	g.Expect(network(g, ctx, "team-b", "greedy").Status.Ready).To(Equal("3/3"), "the nodes go on")
	resize(g, ctx, greedy, "64Mi")
	ready(g, ctx, greedy)

	resize(g, ctx, greedy, "128Mi")
	wait(g, ctx, claimed(greedy, "128Mi", 3))
	storage(g, ctx, greedy, func(claim *corev1.PersistentVolumeClaim) {
		claim.Status.AllocatedResources = sized("128Mi")
		claim.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{
			corev1.ResourceStorage: corev1.PersistentVolumeClaimControllerResizeInfeasible,
		}
	})
	wait(g, ctx, fleet.All(
		tells(greedy, "StorageReady", "ResizeInfeasible", "data-greedy-0 requests 128Mi and has 64Mi: ControllerResizeInfeasible"),
		tells(greedy, "Stalled", "ResizeInfeasible")))
	resize(g, ctx, greedy, "64Mi")
	wait(g, ctx, claimed(greedy, "65Mi", 3)) // Kubernetes takes no less than that
	ready(g, ctx, greedy)
	wait(g, ctx, tells(greedy, "StorageReady", "SizeReached", "3 volumes of at least 64Mi"))
}

// resize changes the size that a network's volumes should have.
func resize(g Gomega, ctx context.Context, of fleet.Network, size string) {
	alter(g, ctx, of, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Storage.Size = resource.MustParse(size) })
}

// storage plays the storage of a network: it changes what claims say of their volumes.
func storage(g Gomega, ctx context.Context, of fleet.Network, change func(claim *corev1.PersistentVolumeClaim)) {
	var claims corev1.PersistentVolumeClaimList
	g.Expect(cluster.API.List(ctx, &claims, client.InNamespace(of.Namespace), labelled(of.Name))).To(Succeed())
	for _, claim := range claims.Items {
		before := claim.DeepCopy()
		change(&claim)
		g.Expect(cluster.API.Status().Patch(ctx, &claim, client.MergeFrom(before))).To(Succeed())
	}
}

func sized(size string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
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
