package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// StatefulSet runs the nodes of a network. It starts them all at once and
// replaces none by itself (OnDelete): the operator does that, one at a time. Live
// is the StatefulSet that there is, or nil.
func StatefulSet(network *v1alpha1.BitcoinNetwork, workload Workload, pods int, live *appsv1.StatefulSet) *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: objectMeta(network, network.Name),
		Spec: appsv1.StatefulSetSpec{
			Replicas:            new(int32(pods)),
			ServiceName:         network.Name,
			Selector:            &metav1.LabelSelector{MatchLabels: Selector(network)},
			PodManagementPolicy: appsv1.ParallelPodManagement,
			UpdateStrategy:      appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
			Template:            *workload.Template.DeepCopy(),
		},
	}
	set.Annotations = map[string]string{workloadAnnotation: workload.record}
	if storage := network.Spec.Storage; storage != nil {
		set.Spec.VolumeClaimTemplates = claimTemplates(storage.DeepCopy())
		set.Spec.PersistentVolumeClaimRetentionPolicy = retention(network)
	}
	if live != nil {
		// The API server takes no change of these, not even of the size: claims
		// grow one by one.
		set.Spec.VolumeClaimTemplates = live.DeepCopy().Spec.VolumeClaimTemplates
	}
	return set
}

func claimTemplates(storage *v1alpha1.Storage) []corev1.PersistentVolumeClaim {
	return []corev1.PersistentVolumeClaim{{
		ObjectMeta: metav1.ObjectMeta{Name: DataVolume},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			StorageClassName: storage.ClassName,
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: storage.Size},
			},
		},
	}}
}

// retention keeps the volumes of a network that is parked: it is expected back as
// it was.
func retention(network *v1alpha1.BitcoinNetwork) *appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy {
	policy := &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
		WhenDeleted: network.Spec.Storage.WhenDeleted,
		WhenScaled:  network.Spec.Storage.WhenScaled,
	}
	if network.Spec.Nodes == 0 {
		policy.WhenScaled = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	}
	return policy
}
