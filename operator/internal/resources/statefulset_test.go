package resources

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// served returns a StatefulSet as the API server has it when it was applied: with
// the defaults of all that it does not say.
func served(t testing.TB, applied *appsv1.StatefulSet) *appsv1.StatefulSet {
	t.Helper()
	set := &appsv1.StatefulSet{}
	if err := json.Unmarshal([]byte(text(t, applied)), set); err != nil {
		t.Fatal(err)
	}
	set.UID, set.ResourceVersion, set.Generation = types.UID("1"), "1", 1
	set.Spec.RevisionHistoryLimit = new(int32(10))
	if set.Spec.PersistentVolumeClaimRetentionPolicy == nil {
		set.Spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{WhenDeleted: keep, WhenScaled: keep}
	}
	for i := range set.Spec.VolumeClaimTemplates {
		claim := &set.Spec.VolumeClaimTemplates[i]
		claim.APIVersion, claim.Kind = "v1", "PersistentVolumeClaim"
		claim.Spec.VolumeMode = new(corev1.PersistentVolumeFilesystem)
		claim.Status.Phase = corev1.ClaimPending
	}

	spec := &set.Spec.Template.Spec
	spec.RestartPolicy, spec.DNSPolicy, spec.SchedulerName = corev1.RestartPolicyAlways, corev1.DNSClusterFirst, corev1.DefaultSchedulerName
	for i := range spec.Volumes {
		if config := spec.Volumes[i].ConfigMap; config != nil {
			config.DefaultMode = new(corev1.ConfigMapVolumeSourceDefaultMode)
		}
		if downward := spec.Volumes[i].DownwardAPI; downward != nil {
			downward.DefaultMode = new(corev1.DownwardAPIVolumeSourceDefaultMode)
		}
	}
	for i := range spec.InitContainers {
		spec.InitContainers[i].TerminationMessagePath = corev1.TerminationMessagePathDefault
	}
	for i := range spec.Containers {
		container := &spec.Containers[i]
		container.TerminationMessagePath = corev1.TerminationMessagePathDefault
		if container.ImagePullPolicy == "" {
			container.ImagePullPolicy = corev1.PullIfNotPresent
		}
	}
	return set
}

func TestPodsAreStartedTogetherAndReplacedByTheOperator(t *testing.T) {
	for _, nodes := range []int32{0, 1, 3, 1000} {
		g := NewWithT(t)
		spec := childrenOf(t, networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Nodes = nodes })).set.Spec
		g.Expect(spec.Replicas).To(HaveValue(Equal(nodes)))
		g.Expect(spec.PodManagementPolicy).To(Equal(appsv1.ParallelPodManagement), "one node that does not start must not hold up the rest")
		g.Expect(spec.UpdateStrategy).To(Equal(appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}))
		g.Expect(spec.MinReadySeconds).To(BeZero())
	}
}

// Of these the API server takes no change: an upgrade that wanted one would leave
// every network behind.
func TestWhatCannotChangeDependsOnNothingThatCan(t *testing.T) {
	fixed := func(set *appsv1.StatefulSet) appsv1.StatefulSetSpec {
		return appsv1.StatefulSetSpec{
			Selector: set.Spec.Selector, ServiceName: set.Spec.ServiceName,
			PodManagementPolicy: set.Spec.PodManagementPolicy, VolumeClaimTemplates: set.Spec.VolumeClaimTemplates,
		}
	}
	other := Platform{DefaultImage: "bitcoind:other", ClusterDomain: "example.com", ClusterRanges: []string{"192.0.2.0/24"}}
	changed := networkNamed("payments", everyField, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Storage = nil })
	NewWithT(t).Expect(fixed(sorted(objectsOf(t, changed, other, nil)).set)).To(Equal(fixed(childrenOf(t, networkNamed("payments")).set)))

	live := served(t, childrenOf(t, networkNamed("payments", withStorage)).set)
	changed = networkNamed("payments", everyField, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Storage.Size = resource.MustParse("1Ti") })
	NewWithT(t).Expect(fixed(sorted(objectsOf(t, changed, other, live)).set)).To(Equal(fixed(live)))
}

// A network has more pods for a while where its chain would be lost otherwise. What
// else there is goes by what it asks for.
func TestThereAreAsManyPodsAsWereDecided(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments", withStorage)
	want := childrenOf(t, network)
	for _, pods := range []int{0, 2, 3, 1000} {
		objects, err := Children(network, platform, chainOf(network), pods, oneAtATime, nil)
		g.Expect(err).NotTo(HaveOccurred())
		got := sorted(objects)
		g.Expect(got.set.Spec.Replicas).To(HaveValue(BeEquivalentTo(pods)))
		got.set.Spec.Replicas = want.set.Spec.Replicas
		g.Expect(got).To(Equal(want))
	}
}
