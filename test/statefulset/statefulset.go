// Package statefulset makes pods as the StatefulSet controller does, for tests and
// benchmarks at an API server that has none.
package statefulset

import (
	"fmt"
	"hash/crc32"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Revision returns one for each template of a StatefulSet's pods. It is a label's value,
// which an image's name is not.
func Revision(set *appsv1.StatefulSet) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(set.Spec.Template.String())))
}

// Pod returns a StatefulSet's pod with an ordinal, of the present revision.
func Pod(set *appsv1.StatefulSet, ordinal int) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: *set.Spec.Template.ObjectMeta.DeepCopy(), Spec: *set.Spec.Template.Spec.DeepCopy()}
	pod.Name, pod.Namespace = PodName(set, ordinal), set.Namespace
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(ordinal)
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = Revision(set)
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))}
	for _, claim := range set.Spec.VolumeClaimTemplates {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: claim.Name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-" + pod.Name},
		}})
	}
	return pod
}

// PodName returns the name of a StatefulSet's pod with an ordinal.
func PodName(set *appsv1.StatefulSet, ordinal int) string {
	return fmt.Sprintf("%s-%d", set.Name, ordinal)
}
