package state

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Asked returns the size that a claim asks for.
func Asked(claim *corev1.PersistentVolumeClaim) resource.Quantity {
	return claim.Spec.Resources.Requests[corev1.ResourceStorage]
}

// VolumeSize returns the size of a claim's volume, and whether there is one.
func VolumeSize(claim *corev1.PersistentVolumeClaim) (size resource.Quantity, exists bool) {
	size, known := claim.Status.Capacity[corev1.ResourceStorage]
	return size, known && claim.Status.Phase == corev1.ClaimBound
}

// AsksForLess reports whether a claim asks for less than a size, and could ask for it:
// the API server lets only those grow that are bound.
func AsksForLess(claim *corev1.PersistentVolumeClaim, size resource.Quantity) bool {
	asked := Asked(claim)
	return claim.Status.Phase == corev1.ClaimBound && claim.DeletionTimestamp == nil && asked.Cmp(size) < 0
}

// IsInfeasible reports whether a volume cannot become as large as its claim asks. What
// is known of another size, which the claim asked for before, says nothing of this one.
func IsInfeasible(claim *corev1.PersistentVolumeClaim) bool {
	switch claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimControllerResizeInfeasible, corev1.PersistentVolumeClaimNodeResizeInfeasible:
		tried, known := claim.Status.AllocatedResources[corev1.ResourceStorage]
		return !known || tried.Cmp(Asked(claim)) == 0
	default:
		return false
	}
}

// resizeConditions are what a claim tells of its growth, what is the matter first.
var resizeConditions = []corev1.PersistentVolumeClaimConditionType{
	corev1.PersistentVolumeClaimControllerResizeError,
	corev1.PersistentVolumeClaimNodeResizeError,
	corev1.PersistentVolumeClaimFileSystemResizePending,
	corev1.PersistentVolumeClaimResizing,
}

// ResizeProgress returns what a claim itself says of how its volume grows. It is empty
// while nobody has begun to resize it.
func ResizeProgress(claim *corev1.PersistentVolumeClaim) string {
	reason, message := string(claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage]), ""
	for _, name := range resizeConditions {
		i := slices.IndexFunc(claim.Status.Conditions, func(condition corev1.PersistentVolumeClaimCondition) bool {
			return condition.Type == name && condition.Status == corev1.ConditionTrue
		})
		if i >= 0 {
			if reason == "" {
				reason = string(name)
			}
			message = claim.Status.Conditions[i].Message
			break
		}
	}
	return withReason(reason, message)
}
