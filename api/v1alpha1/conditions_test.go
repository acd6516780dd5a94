package v1alpha1_test

import (
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// What kstatus and Flux have names for has those names.
func TestNamesOfKstatusAndFlux(t *testing.T) {
	g := NewWithT(t)
	g.Expect([]string{
		v1alpha1.ReadyCondition, v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition, v1alpha1.ProgressingReason, v1alpha1.FailedReason,
	}).To(Equal([]string{
		meta.ReadyCondition, meta.ReconcilingCondition, meta.StalledCondition, meta.ProgressingReason, meta.FailedReason,
	}))
}
