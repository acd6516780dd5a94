package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// Here a team is hostile. It holds all that a team holds: it pushes to its own
// repository, its people have a kubeconfig, and it runs an image of its own; in the
// end it even speaks as its own operator, and as what builds its commits. Each attempt to get out of its namespace
// must fail, and say why.

// chapters are the attempts, by what they are after.
var chapters = []chapter{
	otherSecrets, sealedSecrets, otherKinds, itsBuild, itsBuildObeyed, itsOperator, itsPods, itsLabels,
	injection, passwords, hostileNodes, takeovers, limits, history, asItsOperator, asItsBuilder,
}

// chapter is a group of attempts.
type chapter struct {
	title    string
	attempts []attempt
}

// attempt is one try to get out.
type attempt struct {
	// what is tried.
	what string
	// stopped says what stands in the way.
	stopped string
	// told is in the refusal; where nothing is refused it says what comes of it.
	told string
	// try tries, and fails the test unless it is stopped as it should be.
	try func(h *hostile, told string)
}

// hostile is the team that tries.
type hostile struct {
	Gomega
	ctx context.Context
	t   *testing.T
	*fleet.Team
	platform *fleet.Fleet
	seed     map[string]string // the files of its repository, when all is well
}

// mallory is the hostile team, and victim the one that it is after.
const (
	mallory = "team-m"
	victim  = "team-b"
)

// hostilePods is how many pods the hostile team may have: so few that the machine feels
// little of those that it asks for beyond them.
const hostilePods = 20

const fewerPods = `patches:
  - target: {kind: ResourceQuota, name: tenant-pods}
    patch: |
      - {op: replace, path: /spec/hard/pods, value: "%d"}
resources:`

func TestNoWayOut(t *testing.T) {
	g, ctx := needsClusterFor(t, 15*time.Minute)
	h := newHostile(t, g, ctx)
	before := lives(g, ctx, victim, "lightning")
	for _, chapter := range chapters {
		t.Run(chapter.title, func(t *testing.T) {
			for _, attempt := range chapter.attempts {
				t.Run(attempt.what, func(t *testing.T) {
					h := *h
					h.Gomega, h.t = NewWithT(t), t
					attempt.try(&h, attempt.told)
				})
			}
		})
	}
	wait(g, ctx, cluster.Says(network(g, ctx, victim, "lightning").Object(), "Ready"))
	g.Expect(lives(g, ctx, victim, "lightning")).To(Equal(before), "the other team's nodes have not noticed")
}

var updateDocs = flag.Bool("update-docs", false, "write the documentation that is made from the tests")

// The attempts are documented, with what stops them: docs/escapes.md is made from them.
func TestEscapesAreDocumented(t *testing.T) {
	const file = "../../docs/escapes.md"
	var made bytes.Buffer
	g := NewWithT(t)
	g.Expect(escapes.Execute(&made, chapters)).To(Succeed())
	if *updateDocs {
		g.Expect(os.WriteFile(file, made.Bytes(), 0o644)).To(Succeed())
	}
	written, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(written)).To(Equal(made.String()), "run: go test ./test/e2e -run TestEscapesAreDocumented -update-docs")
}

// escapes is docs/escapes.md, of chapters.
var escapes = template.Must(template.New("escapes").Funcs(template.FuncMap{
	"title": func(c chapter) string { return c.title },
	"tries": func(c chapter) []attempt { return c.attempts },
	"row": func(a attempt) string {
		cell := strings.NewReplacer("|", `\|`, "\n", " ")
		return fmt.Sprintf("| %s | %s | %s |", cell.Replace(a.what), cell.Replace(a.stopped), cell.Replace(a.told))
	},
}).Parse(`# Escape attempts

` + "`make e2e`" + ` plays a hostile team on a real cluster. The team has what every team has: it pushes to its own
repository, its people have a kubeconfig, and it runs its own image. In the end it also acts as its own operator, and as the
controllers that build its commits, as if it had taken them over. This page is generated from that suite, which fails unless
each attempt ends as described here. [Security](security.md) describes what is defended and what is not.
{{range .}}
## {{title .}}

| attempt | stopped by | message or outcome |
|---|---|---|
{{range tries .}}{{row .}}
{{end}}{{end}}
## The network between them

` + "`TestWhoReachesWhom`" + ` has pods dial each other where NetworkPolicies are enforced, as on the
local cluster: nodes, clients with and without the label, operators, pods of the monitoring and of a
namespace without policies, and the controllers that build commits. They dial RPC, P2P, ZMQ and metrics of
their own team and of others, DNS, the API server, the kubelet, the Git server, both of Flux's stores,
sealed-secrets, and the metadata address at which clouds provide credentials. If a connection must fail, the
machine itself, to which no policy applies, has made it before, so that there is something to be reached. At the
metadata address there may be nothing, so that only a rejection by a policy counts.

The same policies and more are evaluated without a cluster, in seconds, by
[cyclonus](https://github.com/mattfenwick/cyclonus)' matcher: ` + "`test/isolation`" + `.
`))

// newHostile adds the team to the fleet, with a network that runs. The local cluster
// allows all images that were built on its machine, and so the team's own.
func newHostile(t *testing.T, g Gomega, ctx context.Context) *hostile {
	t.Helper()
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(platform.Update(ctx)).To(Succeed())
	g.Expect(platform.AddTenant(ctx, mallory)).To(Succeed())
	g.Expect(platform.Edit("tenants/"+mallory+"/kustomization.yaml", "resources:", fmt.Sprintf(fewerPods, hostilePods))).To(Succeed())
	_, err = platform.Push(ctx, "Add "+mallory)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Minute)
		defer cancel()
		removeTenants(NewWithT(t), ctx, platform, mallory)
	})
	h := &hostile{Gomega: g, ctx: ctx, t: t, Team: team(g, ctx, mallory), platform: platform, seed: map[string]string{}}
	g.Expect(h.Seed()).To(Succeed())
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(h.SealCredentials(ctx, sealer)).To(Succeed())
	wait(g, ctx, push(g, ctx, h.Team, "Begin harmlessly").Done)
	for _, file := range []string{"payments.yaml", secretName + ".yaml"} {
		content, err := os.ReadFile(h.Path(file))
		g.Expect(err).NotTo(HaveOccurred())
		h.seed[file] = string(content)
	}
	return h
}

// commit pushes the team's repository with these files beside, or in place of, those
// of the seed.
func (h *hostile) commit(message string, files map[string]string) *fleet.Delivery {
	entries, err := os.ReadDir(h.Dir)
	h.Expect(err).NotTo(HaveOccurred())
	for _, entry := range entries {
		if entry.Name() != ".git" {
			h.Expect(os.RemoveAll(h.Path(entry.Name()))).To(Succeed())
		}
	}
	all := maps.Clone(h.seed)
	maps.Copy(all, files)
	for file, content := range all {
		h.Expect(os.MkdirAll(filepath.Dir(h.Path(file)), 0o755)).To(Succeed())
		h.Expect(os.WriteFile(h.Path(file), []byte(content), 0o644)).To(Succeed())
	}
	return push(h, h.ctx, h.Team, message)
}

// commits tries by a push, which Flux refuses.
func commits(files map[string]string) func(*hostile, string) {
	return func(h *hostile, told string) {
		ctx, cancel := context.WithTimeout(h.ctx, time.Minute)
		defer cancel()
		wait(h, ctx, fleet.All(h.commit(h.t.Name(), files).Tried, says(applied, "Ready", told)))
	}
}

// applied is what applies the team's repository, and says why it does not.
var applied = fleet.Object{Kind: fleet.Kustomization, Namespace: mallory, Name: "networks"}

// file is the name of what an attempt commits.
const file = "attempt.yaml"

// commitsThis tries by committing these objects.
func commitsThis(manifest string) func(*hostile, string) {
	return commits(map[string]string{file: manifest})
}

// commitsNetwork tries by committing a network with these lines in its spec.
func commitsNetwork(lines ...string) func(*hostile, string) {
	return commitsThis(networkWith("attempt", lines...))
}

// networkWith returns a parked network, with these lines in its spec.
func networkWith(name string, lines ...string) string {
	manifest := "apiVersion: bitcoin-operator.github.io/v1alpha1\nkind: BitcoinNetwork\nmetadata:\n  name: " + name + "\nspec:\n  nodes: 0\n"
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "secret:") }) {
		manifest += "  secret: " + secretName + "\n"
	}
	for _, line := range lines {
		manifest += "  " + line + "\n"
	}
	return manifest
}

// people tries with kubectl, as one of the team's people.
func people(args ...string) func(*hostile, string) {
	return func(h *hostile, told string) {
		h.isRefused(told, append([]string{"--as=mallory", "--as-group=" + mallory, "--as-group=system:authenticated", "--namespace=" + mallory}, args...))
	}
}

// operator tries with kubectl, as the team's operator.
func operator(args ...string) func(*hostile, string) {
	return func(h *hostile, told string) {
		h.isRefused(told, slices.Concat(operatorIdentity, []string{"--namespace=" + mallory}, args))
	}
}

// operatorIdentity is how kubectl speaks as the hostile team's operator.
var operatorIdentity = []string{
	"--as=system:serviceaccount:" + mallory + ":bitcoin-operator",
	"--as-group=system:serviceaccounts", "--as-group=system:serviceaccounts:" + mallory, "--as-group=system:authenticated",
}

// operatorCreates tries to create an object, as the team's operator.
func operatorCreates(manifest string) func(*hostile, string) {
	return func(h *hostile, told string) {
		creates(h, manifest, func(path string) { operator("create", "--filename="+path)(h, told) })
	}
}

// creates writes a manifest to a file, for somebody to create what it says.
func creates(h *hostile, manifest string, create func(path string)) {
	// kubectl takes a comma in a path, as that of a test's own folder has, for two paths.
	folder, err := os.MkdirTemp("", "escape")
	h.Expect(err).NotTo(HaveOccurred())
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, file)
	h.Expect(os.WriteFile(path, []byte(manifest), 0o644)).To(Succeed())
	create(path)
}

func (h *hostile) isRefused(told string, args []string) {
	printed, err := cluster.Kubectl(h.ctx, args...)
	h.Expect(err).To(MatchError(ContainSubstring(told)), printed)
}
