package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// What the platform adds to a team's folder: its kustomization files have a say, as they
// once had; and nothing is removed, while that changes.
const (
	obeying = "patches:\n  - target: {kind: GitRepository, name: networks}\n    patch: |\n      - {op: remove, path: /spec/ignore}\n"
	keeping = "patches:\n  - target: {kind: Kustomization, name: networks}\n    patch: |\n      - {op: replace, path: /spec/prune, value: false}\n"
)

// When a team's kustomization files lose their say, in two pushes, no network goes that
// had its name, or its size, from one.
func TestUpgradeToPlainManifests(t *testing.T) {
	g, ctx := needsClusterFor(t, 8*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	names := []string{"prefixed", "overlaid"}
	teams := addTenants(t, g, ctx, platform, func(*fleet.Team) {}, names...)
	prefixed, overlaid := teams[0], teams[1]
	say := func(message, from, to string) {
		for _, name := range names {
			folder := platform.Path("tenants", name, "kustomization.yaml")
			content, err := os.ReadFile(folder)
			g.Expect(err).NotTo(HaveOccurred())
			if from == "" {
				g.Expect(os.WriteFile(folder, append(content, to...), 0o644)).To(Succeed())
			} else {
				g.Expect(platform.Edit("tenants/"+name+"/kustomization.yaml", from, to)).To(Succeed())
			}
		}
		commit, err := platform.Push(ctx, message)
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, platform.Delivery("tenants", commit).Done)
	}
	say("As it was", "", obeying)

	running := strings.Replace(networkWith("payments"), "nodes: 0", "nodes: 2", 1)
	write(g, prefixed, map[string]string{
		"kustomization.yaml":       "resources: [named, bitcoin-rpc.yaml]\n",
		"named/kustomization.yaml": "resources: [payments.yaml]\nnamePrefix: our-\n",
		"named/payments.yaml":      running,
	})
	write(g, overlaid, map[string]string{
		"kustomization.yaml":       "resources: [large, bitcoin-rpc.yaml]\n",
		"large/kustomization.yaml": "resources: [../small]\npatches: [{path: nodes.yaml}]\n",
		"large/nodes.yaml":         "apiVersion: bitcoin-operator.github.io/v1alpha1\nkind: BitcoinNetwork\nmetadata:\n  name: payments\nspec:\n  nodes: 4\n",
		"small/kustomization.yaml": "resources: [payments.yaml]\n",
		"small/payments.yaml":      running,
	})
	for _, team := range teams {
		g.Expect(os.Remove(team.Path("payments.yaml"))).To(Succeed())
	}
	wait(g, ctx, fleet.All(push(g, ctx, prefixed, "A prefix").Done, push(g, ctx, overlaid, "An overlay").Done))
	before := lives(g, ctx, prefixed.Name, "our-payments")
	large := lives(g, ctx, overlaid.Name, "payments")
	g.Expect(large).To(HaveLen(4))

	say("The first push", obeying, keeping)
	said, err := leftovers(ctx)
	g.Expect(err).To(HaveOccurred(), said)
	g.Expect(said).To(ContainSubstring("prefixed: BitcoinNetwork/our-payments is in none of its files, and would go"))
	g.Expect(said).To(ContainSubstring("overlaid: not applied (BuildFailed)"))
	g.Expect(said).NotTo(ContainSubstring("team-a"))

	g.Expect(prefixed.Edit("named/payments.yaml", "name: payments", "name: our-payments")).To(Succeed())
	g.Expect(os.RemoveAll(overlaid.Path("large"))).To(Succeed())
	g.Expect(overlaid.Edit("small/payments.yaml", "nodes: 2", "nodes: 4")).To(Succeed())
	wait(g, ctx, fleet.All(push(g, ctx, prefixed, "The name that it has").Done, push(g, ctx, overlaid, "The size that it has").Done))
	kubectlPrints(g, ctx, "delete", "btcnet", "payments", "--namespace="+prefixed.Name) // which nobody used
	said, err = leftovers(ctx)
	g.Expect(err).NotTo(HaveOccurred(), said)

	say("The second push", keeping, "")
	wait(g, ctx, fleet.All(push(g, ctx, prefixed, "Nothing else").Done, push(g, ctx, overlaid, "Nothing else").Done))
	g.Expect(lives(g, ctx, prefixed.Name, "our-payments")).To(Equal(before), "its nodes have not noticed")
	g.Expect(lives(g, ctx, overlaid.Name, "payments")).To(Equal(large), "its nodes have not noticed")
}

// write puts files into a team's clone.
func write(g Gomega, team *fleet.Team, files map[string]string) {
	for name, content := range files {
		g.Expect(os.MkdirAll(filepath.Dir(team.Path(name)), 0o755)).To(Succeed())
		g.Expect(os.WriteFile(team.Path(name), []byte(content), 0o644)).To(Succeed())
	}
}

// leftovers runs what the platform runs between the two pushes.
func leftovers(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "../../tenants/leftovers.sh")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig(), "PATH="+cluster.Bin()+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}
