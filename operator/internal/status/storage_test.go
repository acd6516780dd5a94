package status

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestLargestClaimIsTheSizeThatCannotShrink(t *testing.T) {
	g := NewWithT(t)
	seen := statetest.Healthy(2)
	g.Expect(claimed(seen)).To(BeNil())
	for _, size := range []string{"1Gi", "2Gi", "1500Mi"} {
		seen.Claims = append(seen.Claims, corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}},
		}})
	}
	g.Expect(claimed(seen).String()).To(Equal("2Gi"))
}
