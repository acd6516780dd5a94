package controller

import (
	"testing"

	"github.com/fluxcd/pkg/runtime/conditions"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
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
	for _, test := range []struct {
		reason string
		claim  corev1.PersistentVolumeClaim
		want   bool
	}{
		{"one that asks for less", claimOf("1Gi", corev1.ClaimBound), true},
		{"not one that asks for as much", claimOf("2Gi", corev1.ClaimBound), false},
		{"nor in other words", claimOf("2048Mi", corev1.ClaimBound), false},
		{"nor for more: volumes do not shrink", claimOf("3Gi", corev1.ClaimBound), false},
		{"nor one that has no volume yet, which the API server refuses", claimOf("1Gi", corev1.ClaimPending), false},
	} {
		if got := growsTo(&test.claim, resource.MustParse("2Gi")); got != test.want {
			t.Errorf("%s: %t, want %t", test.reason, got, test.want)
		}
	}
}

func TestLargestClaimIsTheSizeThatCannotShrink(t *testing.T) {
	g := NewWithT(t)
	seen := healthy(2)
	g.Expect(claimed(seen)).To(BeNil())
	seen.claims = []corev1.PersistentVolumeClaim{claimOf("1Gi", corev1.ClaimBound), claimOf("2Gi", corev1.ClaimBound), claimOf("1500Mi", corev1.ClaimBound)}
	g.Expect(claimed(seen).String()).To(Equal("2Gi"))
}

func TestRefusedGrowthStallsTheNetwork(t *testing.T) {
	g := NewWithT(t)
	refused := ready(3)
	refused.failure = &storageRefused{claim: "data-payments-0", err: apierrors.NewForbidden(
		schema.GroupResource{Resource: "persistentvolumeclaims"}, "data-payments-0", nil)}
	network := refused.report()
	g.Expect(conditions.GetReason(network, "Stalled")).To(Equal(v1alpha1.StorageRefusedReason))
	g.Expect(conditions.GetMessage(network, "Ready")).To(And(
		HavePrefix(`volume claim "data-payments-0" cannot grow: `), ContainSubstring("status.storage")))
}
