package resources

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

const (
	keep   = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	remove = appsv1.DeletePersistentVolumeClaimRetentionPolicyType
)

func TestWithoutStorageTheDataIsInThePod(t *testing.T) {
	g := NewWithT(t)
	set := childrenOf(t, networkNamed("payments")).set
	g.Expect(set.Spec.VolumeClaimTemplates).To(BeEmpty())
	g.Expect(set.Spec.PersistentVolumeClaimRetentionPolicy).To(BeNil())
	g.Expect(volumesOf(set)).To(HaveKey(DataVolume))
}

func TestStorage(t *testing.T) {
	for _, test := range []struct {
		reason  string
		storage v1alpha1.Storage
		class   *string
		size    string
	}{
		{"the cluster's own class", v1alpha1.Storage{Size: resource.MustParse("1Mi")}, nil, "1Mi"},
		{"a class", v1alpha1.Storage{Size: resource.MustParse("870Gi"), ClassName: new("fast")}, new("fast"), "870Gi"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Storage = &test.storage })
			set := childrenOf(t, network).set
			g.Expect(set.Spec.VolumeClaimTemplates).To(HaveLen(1))
			claim := set.Spec.VolumeClaimTemplates[0]
			g.Expect(claim.Name+"-"+PodName(network, 2)).To(Equal(ClaimName(network, 2)), "as the StatefulSet controller calls a claim")
			g.Expect(claim.Spec.AccessModes).To(ConsistOf(corev1.ReadWriteOnce))
			g.Expect(claim.Spec.StorageClassName).To(Equal(test.class))
			g.Expect(figures(claim.Spec.Resources.Requests)).To(Equal("storage=" + test.size))
			g.Expect(claim.Spec.Resources.Limits).To(BeEmpty())

			g.Expect(volumesOf(set)).NotTo(HaveKey(claim.Name), "an emptyDir would stand for the claim")
			mounts := map[string]string{}
			for _, mount := range set.Spec.Template.Spec.Containers[0].VolumeMounts {
				mounts[mount.MountPath] = mount.Name
			}
			g.Expect(mounts).To(HaveKeyWithValue("/home/bitcoin/.bitcoin", claim.Name))
		})
	}
}

func volumesOf(set *appsv1.StatefulSet) map[string]corev1.VolumeSource {
	volumes := map[string]corev1.VolumeSource{}
	for _, volume := range set.Spec.Template.Spec.Volumes {
		volumes[volume.Name] = volume.VolumeSource
	}
	return volumes
}

func TestRetention(t *testing.T) {
	for _, test := range []struct {
		reason                      string
		nodes                       int32
		deleted, scaled             appsv1.PersistentVolumeClaimRetentionPolicyType
		wantOnDelete, wantOnScaling appsv1.PersistentVolumeClaimRetentionPolicyType
	}{
		{"all is kept", 3, keep, keep, keep, keep},
		{"nothing is", 3, remove, remove, remove, remove},
		{"what scaling leaves goes", 3, keep, remove, keep, remove},
		{"what deletion leaves goes", 3, remove, keep, remove, keep},
		{"one node is no parked network", 1, keep, remove, keep, remove},
		{"a parked network keeps its volumes", 0, keep, remove, keep, keep},
		{"until it is deleted", 0, remove, remove, remove, keep},
		{"a parked network that keeps all anyway", 0, keep, keep, keep, keep},
	} {
		network := networkNamed("payments", withStorage, func(n *v1alpha1.BitcoinNetwork) {
			n.Spec.Nodes, n.Spec.Storage.WhenDeleted, n.Spec.Storage.WhenScaled = test.nodes, test.deleted, test.scaled
		})
		want := &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{WhenDeleted: test.wantOnDelete, WhenScaled: test.wantOnScaling}
		// It can change, so also where there is a StatefulSet.
		live := served(t, childrenOf(t, networkNamed("payments", withStorage)).set)
		for _, live := range []*appsv1.StatefulSet{nil, live} {
			set := sorted(objectsOf(t, network, platform, live)).set
			NewWithT(t).Expect(set.Spec.PersistentVolumeClaimRetentionPolicy).To(Equal(want), "%s, there before: %t", test.reason, live != nil)
		}
	}
}

// The API server takes no change of a StatefulSet's claim templates, not even of
// what it has filled in itself: one that is wanted would have every other change
// refused, too.
func TestLiveClaimTemplatesAreKept(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.Storage)
	}{
		{"nothing has changed", func(*v1alpha1.Storage) {}},
		{"the size has", func(s *v1alpha1.Storage) { s.Size = resource.MustParse("20Gi") }},
		{"the class has, which the API refuses", func(s *v1alpha1.Storage) { s.ClassName = new("slow") }},
		{"retention has", func(s *v1alpha1.Storage) { s.WhenDeleted = keep }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network := networkNamed("payments", withStorage)
			live := served(t, childrenOf(t, network).set)
			test.change(network.Spec.Storage)
			set := sorted(objectsOf(t, network, platform, live)).set
			g.Expect(set.Spec.VolumeClaimTemplates).To(Equal(live.Spec.VolumeClaimTemplates))
			g.Expect(figures(set.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests)).To(Equal("storage=10Gi"))
			g.Expect(set.Spec.Template).To(Equal(setOf(networkNamed("payments", withStorage), platform).Spec.Template), "and no node is replaced for it")
		})
	}

	network := networkNamed("payments")
	set := sorted(objectsOf(t, network, platform, served(t, childrenOf(t, network).set))).set
	NewWithT(t).Expect(set.Spec.VolumeClaimTemplates).To(BeEmpty(), "where there are none, there are none")
}
