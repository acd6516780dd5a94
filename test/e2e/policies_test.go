package e2e

import (
	"testing"

	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// Kubernetes checks the types of what policies say, and tells of doubts in their
// status. What the policies refuse is tested in test/policies, and in the attempts to
// get out.
func TestPoliciesAreWellTyped(t *testing.T) {
	g, ctx := needsCluster(t)
	var policies admissionv1.ValidatingAdmissionPolicyList
	g.Expect(cluster.API.List(ctx, &policies)).To(Succeed())
	g.Expect(policies.Items).NotTo(BeEmpty())
	for _, policy := range policies.Items {
		g.Expect(policy.Status.TypeChecking).NotTo(BeNil(), "%s has not been checked", policy.Name)
		g.Expect(policy.Status.TypeChecking.ExpressionWarnings).To(BeEmpty(), policy.Name)
	}
}
