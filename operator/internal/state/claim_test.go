package state_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	. "github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestWhichClaimsAskForLess(t *testing.T) {
	for _, test := range []struct {
		reason string
		claim  *corev1.PersistentVolumeClaim
		want   bool
	}{
		{"one that asks for less", Claim("1Gi", "1Gi"), true},
		{"not one that asks for as much", Claim("2Gi", "1Gi"), false},
		{"nor in other words", Claim("2048Mi", "1Gi"), false},
		{"nor for more", Claim("3Gi", "1Gi"), false},
		{"nor one that is on its way out", Claim("1Gi", "1Gi", func(claim *corev1.PersistentVolumeClaim) {
			claim.DeletionTimestamp = new(metav1.NewTime(Now))
		}), false},
		{"nor one that has no volume yet, which the API server refuses", Claim("1Gi", "1Gi", Unbound), false},
	} {
		if got := state.AsksForLess(test.claim, resource.MustParse("2Gi")); got != test.want {
			t.Errorf("%s: %t, want %t", test.reason, got, test.want)
		}
	}
}

func TestWhatAClaimSaysOfItsGrowth(t *testing.T) {
	const (
		inProgress = corev1.PersistentVolumeClaimControllerResizeInProgress
		infeasible = corev1.PersistentVolumeClaimControllerResizeInfeasible
		nodeFailed = corev1.PersistentVolumeClaimNodeResizeInfeasible
	)
	for _, test := range []struct {
		reason     string
		claim      *corev1.PersistentVolumeClaim
		want       string
		infeasible bool
	}{
		{"nobody has begun", Claim("2Gi", "1Gi"), "", false},
		{"somebody has", Claim("2Gi", "1Gi", Resizing("2Gi", inProgress), Says(corev1.PersistentVolumeClaimResizing, "")), "ControllerResizeInProgress", false},
		{
			"a driver of old says so in a condition alone",
			Claim("2Gi", "1Gi", Says(corev1.PersistentVolumeClaimResizing, "")), "Resizing", false,
		},
		{
			"the rest is for the machine",
			Claim("2Gi", "1Gi", Says(corev1.PersistentVolumeClaimFileSystemResizePending, "Waiting for user to (re-)start a pod")),
			"FileSystemResizePending: Waiting for user to (re-)start a pod", false,
		},
		{
			"an error comes first",
			Claim("2Gi", "1Gi", Resizing("2Gi", inProgress), Says(corev1.PersistentVolumeClaimResizing, "begun"), Says(corev1.PersistentVolumeClaimControllerResizeError, "the pool is\nbusy")),
			"ControllerResizeInProgress: the pool is busy", false,
		},
		{
			"the storage cannot",
			Claim("2Gi", "1Gi", Resizing("2Gi", infeasible), Says(corev1.PersistentVolumeClaimControllerResizeError, "out of range")),
			"ControllerResizeInfeasible: out of range", true,
		},
		{"nor can the machine", Claim("2Gi", "1Gi", Resizing("2Gi", nodeFailed)), "NodeResizeInfeasible", true},
		{"for what was tried nobody says", Claim("2Gi", "1Gi", Resizing("", infeasible)), "ControllerResizeInfeasible", true},
		{"it was another size that the storage could not have", Claim("2Gi", "1Gi", Resizing("1Ti", infeasible)), "ControllerResizeInfeasible", false},
		{
			"a driver chooses what it says",
			Claim("2Gi", "1Gi", Says(corev1.PersistentVolumeClaimNodeResizeError, strings.Repeat("x", 400)+"\x1b[31mno space")),
			"NodeResizeError: …" + strings.Repeat("x", 292) + "no space", false,
		},
	} {
		if got := state.ResizeProgress(test.claim); got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
		if got := state.IsInfeasible(test.claim); got != test.infeasible {
			t.Errorf("%s: infeasible is %t, want %t", test.reason, got, test.infeasible)
		}
	}
}
