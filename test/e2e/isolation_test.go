package e2e

import (
	"os"
	"os/exec"
	"testing"

	. "github.com/onsi/gomega"
)

// What evaluates network policies has dependencies that the product has no use
// for, and so is a module of its own.
func TestNetworkPoliciesKeepTeamsApart(t *testing.T) {
	g, ctx := needsCluster(t)
	cmd := exec.CommandContext(ctx, "go", "-C", "../isolation", "test", "-count=1", "-v", "./...")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig())
	out, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), "%s", out)
	g.Expect(string(out)).To(ContainSubstring("--- PASS: TestTeamsAreApart"), "it was skipped")
}
