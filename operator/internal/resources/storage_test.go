package resources

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestStorageIsAClaimForEachNode(t *testing.T) {
	g := NewWithT(t)
	set := setOf(networkNamed("payments", withStorage), platform)
	g.Expect(set.Spec.VolumeClaimTemplates).To(HaveLen(1))
	claim := set.Spec.VolumeClaimTemplates[0]
	g.Expect(claim.Name + "-payments-2").To(Equal(ClaimName(networkNamed("payments"), 2)))
	g.Expect(*claim.Spec.StorageClassName).To(Equal("fast"))
	g.Expect(claim.Spec.Resources.Requests[corev1.ResourceStorage]).To(Equal(resource.MustParse("10Gi")))
	for _, volume := range set.Spec.Template.Spec.Volumes {
		g.Expect(volume.Name).NotTo(Equal(claim.Name), "the claim's volume takes the emptyDir's place")
	}
	g.Expect(setOf(networkNamed("payments"), platform).Spec.PersistentVolumeClaimRetentionPolicy).To(BeNil())
}

func TestParkedNetworkKeepsItsVolumes(t *testing.T) {
	for _, test := range []struct {
		reason string
		nodes  int32
		want   appsv1.PersistentVolumeClaimRetentionPolicyType
	}{
		{"nodes that go take their volumes with them, as they should", 1, appsv1.DeletePersistentVolumeClaimRetentionPolicyType},
		{"a network that is parked comes back as it was", 0, appsv1.RetainPersistentVolumeClaimRetentionPolicyType},
	} {
		network := networkNamed("payments", withStorage, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Nodes = test.nodes })
		policy := setOf(network, platform).Spec.PersistentVolumeClaimRetentionPolicy
		if policy.WhenScaled != test.want || policy.WhenDeleted != appsv1.DeletePersistentVolumeClaimRetentionPolicyType {
			t.Errorf("%s: got %+v", test.reason, policy)
		}
	}
}

// The API server takes no change of a StatefulSet's claim templates, not even what
// it has filled in itself.
func TestClaimTemplatesStayAsTheyAre(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments", withStorage)
	live := setOf(network, platform)
	live.Spec.VolumeClaimTemplates[0].Spec.VolumeMode = new(corev1.PersistentVolumeFilesystem)
	network.Spec.Storage.Size = resource.MustParse("20Gi")
	set := StatefulSet(network, workloadOf(network, platform), live)
	g.Expect(set.Spec.VolumeClaimTemplates).To(Equal(live.Spec.VolumeClaimTemplates))
	g.Expect(set.Spec.Template).To(Equal(live.Spec.Template), "and no node is replaced for it")
}
