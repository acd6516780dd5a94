package plan

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func claimOf(size string, phase corev1.PersistentVolumeClaimPhase) corev1.PersistentVolumeClaim {
	return corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data-payments-0"},
		Spec: corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
		}},
		Status: corev1.PersistentVolumeClaimStatus{Phase: phase},
	}
}

func TestWhichClaimsGrow(t *testing.T) {
	leaving := claimOf("1Gi", corev1.ClaimBound)
	leaving.DeletionTimestamp = new(metav1.NewTime(statetest.Now))
	for _, test := range []struct {
		reason string
		claim  corev1.PersistentVolumeClaim
		want   bool
	}{
		{"one that asks for less", claimOf("1Gi", corev1.ClaimBound), true},
		{"not one that asks for as much", claimOf("2Gi", corev1.ClaimBound), false},
		{"nor in other words", claimOf("2048Mi", corev1.ClaimBound), false},
		{"nor for more: volumes do not shrink", claimOf("3Gi", corev1.ClaimBound), false},
		{"nor one that is on its way out", leaving, false},
		{"nor one that has no volume yet, which the API server refuses", claimOf("1Gi", corev1.ClaimPending), false},
	} {
		if got := growsTo(&test.claim, resource.MustParse("2Gi")); got != test.want {
			t.Errorf("%s: %t, want %t", test.reason, got, test.want)
		}
	}
}

func TestEveryClaimThatIsTooSmallGrows(t *testing.T) {
	g := NewWithT(t)
	network := statetest.Network(3, func(n *v1alpha1.BitcoinNetwork) {
		n.Spec.Storage = &v1alpha1.Storage{Size: resource.MustParse("2Gi")}
	})
	seen := statetest.Healthy(3)
	g.Expect(growing(network, seen)).To(BeEmpty())
	seen.Claims = []corev1.PersistentVolumeClaim{claimOf("1Gi", corev1.ClaimBound), claimOf("2Gi", corev1.ClaimBound), claimOf("1500Mi", corev1.ClaimBound)}
	g.Expect(growing(network, seen)).To(Equal([]corev1.PersistentVolumeClaim{seen.Claims[0], seen.Claims[2]}))
}
