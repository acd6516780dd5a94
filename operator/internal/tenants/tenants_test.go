package tenants

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const repository = "../../.."

// working returns a working tree of the fleet repository, which a test may change.
func working(g Gomega, t *testing.T) string {
	dir := t.TempDir()
	for _, top := range []string{"gitops", "tenants"} {
		g.Expect(os.CopyFS(filepath.Join(dir, top), os.DirFS(filepath.Join(repository, top)))).To(Succeed())
	}
	return dir
}

func read(g Gomega, dir string) *Fleet {
	f, err := Read(dir, "")
	g.Expect(err).NotTo(HaveOccurred())
	return f
}

func contents(g Gomega, dir, name string) string {
	content, err := os.ReadFile(filepath.Join(dir, name))
	g.Expect(err).NotTo(HaveOccurred())
	return string(content)
}

func edit(g Gomega, dir, name, from, to string) {
	content := contents(g, dir, name)
	g.Expect(content).To(ContainSubstring(from))
	g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(content, from, to, 1)), 0o644)).To(Succeed())
}

func team(name string, changes ...func(*Team)) Team {
	added := Team{Name: name, Values: Defaults(name)}
	for _, change := range changes {
		change(&added)
	}
	return added
}

func with(key, value string) func(*Team) {
	return func(t *Team) { t.Values[key] = value }
}

// A team is two files and a line: whatever else it has comes from tenants/base, and so do
// all that there are.
func TestCreate(t *testing.T) {
	g := NewWithT(t)
	dir := working(g, t)
	change, err := read(g, dir).Create(team("team-c", with("images", "one.example.com/a\ntwo.example.com/\n")), []string{"local", "production"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(change.Removes).To(BeEmpty())
	g.Expect(change.Writes).To(HaveLen(4))
	g.Expect(change.Writes["tenants/team-c/kustomization.yaml"]).To(Equal(`apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: team-c
resources:
  - tenant.yaml
components:
  - ../base
`))
	g.Expect(change.Writes["tenants/team-c/tenant.yaml"]).To(HaveSuffix(`data:
  repository: team-c.git
  group: team-c
  secret: bitcoin-rpc
  chains: regtest
  frozen: "false"
  requireSecret: "true"
  images: |
    one.example.com/a
    two.example.com/
`))
	for _, cluster := range []string{"local", "production"} {
		list := "gitops/clusters/" + cluster + "/tenants/kustomization.yaml"
		g.Expect(change.Writes[list]).To(Equal(strings.Replace(contents(g, dir, list), "tenants/team-b\n", "tenants/team-b\n  - ../../../../tenants/team-c\n", 1)))
	}

	g.Expect(change.Apply(dir)).To(Succeed())
	f := read(g, dir)
	g.Expect(f.In("team-c")).To(Equal([]string{"local", "production"}))
	g.Expect(f.Teams()).To(Equal([]string{"team-a", "team-b", "team-c"}))
	g.Expect(kinds(g, f, "team-c")).To(Equal(kinds(g, f, "team-a")), "a team has what another one has")
	g.Expect(f.Check("team-c")).To(Equal([]Finding{{false, "tenant.yaml: images is one.example.com/a two.example.com/"}}))

	back, err := f.Remove("team-c")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(back.Apply(dir)).To(Succeed())
	g.Expect(os.Stat(filepath.Join(dir, "tenants", "team-c"))).Error().To(MatchError(os.ErrNotExist))
	for _, cluster := range []string{"local", "production"} {
		list := "gitops/clusters/" + cluster + "/tenants/kustomization.yaml"
		g.Expect(contents(g, dir, list)).To(Equal(contents(g, repository, list)))
	}
}

// kinds are the kinds and names of what a team is made of.
func kinds(g Gomega, f *Fleet, team string) []string {
	built, err := f.build("production")
	g.Expect(err).NotTo(HaveOccurred())
	var found []string
	for _, object := range built.Resources() {
		if object.GetNamespace() == team {
			found = append(found, object.GetKind()+" "+object.GetName())
		}
	}
	slices.Sort(found)
	return found
}

// The image of the operator that runs, the one that it is told of, and the one that the
// policy allows nodes to begin with are the same, wherever it comes from.
func TestOperatorsImageIsOne(t *testing.T) {
	const (
		list   = "gitops/clusters/production/tenants/kustomization.yaml"
		digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	)
	for _, test := range []struct {
		reason, image, want string
	}{
		{"the project's own", "", "ghcr.io/bitcoin-operator/operator:v0.1.0"},
		{"another version", "\n    newTag: v0.2.0", "ghcr.io/bitcoin-operator/operator:v0.2.0"},
		{"a registry of the platform's, with a port", "\n    newName: registry.example.com:5000/mirror/operator", "registry.example.com:5000/mirror/operator:v0.1.0"},
		{"as make pin writes it", "\n    newTag: v0.2.0\n    digest: " + digest[1:], "ghcr.io/bitcoin-operator/operator:v0.2.0" + digest},
	} {
		g := NewWithT(t)
		dir := working(g, t)
		if test.image != "" {
			edit(g, dir, list, "images:\n", "images:\n  - name: ghcr.io/bitcoin-operator/operator"+test.image+"\n")
		}
		objects, err := read(g, dir).objects("production", "team-b")
		g.Expect(err).NotTo(HaveOccurred())
		var found []any
		for _, object := range objects {
			switch object.GetKind() + " " + object.GetName() {
			case "ConfigMap tenant":
				found = append(found, object.Object["data"].(map[string]any)["operatorImage"])
			case "Deployment bitcoin-operator":
				var deployment appsv1.Deployment
				g.Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &deployment)).To(Succeed())
				operator := deployment.Spec.Template.Spec.Containers[0]
				told := slices.IndexFunc(operator.Env, func(variable corev1.EnvVar) bool { return variable.Name == "OPERATOR_IMAGE" })
				found = append(found, operator.Image, operator.Env[told].Value)
			}
		}
		g.Expect(found).To(HaveExactElements(test.want, test.want, test.want), test.reason)
	}
}

func TestCreateForAPrivateRepository(t *testing.T) {
	g := NewWithT(t)
	f := read(g, working(g, t))
	change, err := f.Create(team("team-c", func(t *Team) { t.Private = true }), []string{"production"})
	g.Expect(err).NotTo(HaveOccurred())
	next, err := f.with(change)
	g.Expect(err).NotTo(HaveOccurred())
	built, err := next.build("production")
	g.Expect(err).NotTo(HaveOccurred())
	for _, object := range built.Resources() {
		if object.GetKind() == "GitRepository" {
			g.Expect(strings.Contains(object.MustYaml(), "secretRef")).To(Equal(object.GetNamespace() == "team-c"))
		}
	}
}

// Where the Secret comes from is said once, and the rights for that follow, and nothing else.
func TestCreateWithASecretFromElsewhere(t *testing.T) {
	for source, want := range map[string][]string{
		SOPS:            {"ConfigMap tenant", "Kustomization networks", "Role kustomize-controller", "Role reconciler"},
		ExternalSecrets: {"ConfigMap tenant", "Kustomization networks", "Role people", "Role reconciler"},
	} {
		t.Run(source, func(t *testing.T) {
			g := NewWithT(t)
			dir := working(g, t)
			usual, err := read(g, dir).Create(team("team-c"), []string{"local", "production"})
			g.Expect(err).NotTo(HaveOccurred())
			before, err := read(g, dir).with(usual)
			g.Expect(err).NotTo(HaveOccurred())
			change, err := read(g, dir).Create(team("team-c", with("secretFrom", source)), []string{"local", "production"})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(change.Writes["tenants/team-c/kustomization.yaml"]).To(HaveSuffix("components:\n  - ../base\n  - ../" + source + "\n"))
			g.Expect(change.Apply(dir)).To(Succeed())
			g.Expect(read(g, dir).Check("team-c")).To(Equal([]Finding{{false, "tenant.yaml: secretFrom is " + source}}))
			g.Expect(changed(g, before, read(g, dir), "team-c")).To(Equal(want))
		})
	}
}

// changed are the kinds and names of what a team is made of that differ.
func changed(g Gomega, before, after *Fleet, team string) []string {
	was, err := before.objects("production", team)
	g.Expect(err).NotTo(HaveOccurred())
	is, err := after.objects("production", team)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(is).To(HaveLen(len(was)))
	var found []string
	for i, object := range is {
		if !reflect.DeepEqual(object, was[i]) {
			found = append(found, object.GetKind()+" "+object.GetName())
		}
	}
	slices.Sort(found)
	return found
}

// A team whose files are decrypted says so in its values, or its folder does not build.
func TestDecryptionNeedsTheSwitch(t *testing.T) {
	g := NewWithT(t)
	dir := working(g, t)
	edit(g, dir, "tenants/team-b/kustomization.yaml", "  - ../base\n", "  - ../base\n  - ../sops\n")
	_, err := read(g, dir).build("production")
	g.Expect(err).To(MatchError(ContainSubstring("data.secretFrom")))
}

// The first team of a fleet has nobody to come after, and the last one nobody to go before.
func TestFirstAndLastTeam(t *testing.T) {
	g := NewWithT(t)
	dir := working(g, t)
	for _, name := range []string{"team-a", "team-b"} {
		change, err := read(g, dir).Remove(name)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(change.Apply(dir)).To(Succeed())
	}
	f := read(g, dir)
	g.Expect(f.Teams()).To(BeEmpty())
	g.Expect(f.build("production")).To(HaveField("Resources()", BeEmpty()))
	change, err := f.Create(team("first"), []string{"production", "local"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(change.Apply(dir)).To(Succeed())
	g.Expect(read(g, dir).In("first")).To(HaveLen(2))
}

func TestCreateRefuses(t *testing.T) {
	g := NewWithT(t)
	dir := working(g, t)
	f := read(g, dir)
	for _, test := range []struct {
		reason   string
		team     Team
		clusters []string
		want     string
	}{
		{"it would be overwritten", team("team-a"), nil, "folder tenants/team-a already exists"},
		{"what all teams have is no team's", team("base"), nil, "folder tenants/base already exists"},
		{"no namespace could have that name", team("Team_C"), nil, `"Team_C" is not a valid name of a namespace: a lowercase RFC 1123 label`},
		{"out of the folder", team("../x"), nil, `"../x" is not a valid name of a namespace: `},
		{"Flux's own namespace would be bounded", team("flux-system"), nil, "namespace flux-system cannot be a team's"},
		{"and Kubernetes' own", team("kube-system"), nil, "namespace kube-system cannot be a team's"},
		{"a cluster that there is not", team("team-c"), []string{"prod"}, "there is no cluster prod in gitops/clusters; there are: local, production"},
		{"a key that nothing reads", team("team-c", with("maxnodes", "5")), nil, "maxnodes: is not a known key: nothing reads it"},
		{"the base sets that one", team("team-c", with("image", "x")), nil, "image: is not a known key: nothing reads it"},
		{"another team's repository", team("team-c", with("repository", "team-b.git")), nil,
			"repository: team-b.git is also that of team-b: what one team commits would be applied for the other"},
		{"another team's people", team("team-c", with("group", "team-a")), nil, "group: team-a is also that of team-a: its people would be in both namespaces"},
		{"a repository elsewhere", team("team-c", with("repository", "https://example.com/c.git")), nil, `repository: "https://example.com/c.git" is not a path on the Git server, such as team.git`},
		{"or out of the path", team("team-c", with("repository", "../c.git")), nil, `repository: "../c.git" is not a path`},
		{"a chain that there is not", team("team-c", with("chains", "regtest,testnet3")), nil, `chains: "testnet3" is not a chain`},
		{"neither yes nor no", team("team-c", with("frozen", "no")), nil, `frozen: "no" is neither "true" nor "false"`},
		{"no number", team("team-c", with("maxNodes", "many")), nil, `maxNodes: "many" is not a number`},
		{"no amount", team("team-c", with("maxAmount", "-1")), nil, `maxAmount: "-1" is not an amount in BTC, such as 2.5`},
		{"nobody's group", team("team-c", with("group", " ")), nil, "group: is empty"},
	} {
		_, err := f.Create(test.team, test.clusters)
		g.Expect(err).To(MatchError(ContainSubstring(test.want)), test.reason)
	}

	edit(g, dir, "tenants/base/kustomization.yaml", "- people.yaml", "- nobody.yaml")
	_, err := read(g, dir).Create(team("team-c"), []string{"local"})
	g.Expect(err).To(MatchError(HavePrefix("before any change: build gitops/clusters/local/tenants: ")), "it is not the new team's fault")
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(g Gomega, dir string)
		team   string
		want   []Finding
	}{
		{"an example", func(Gomega, string) {}, "team-b", []Finding{
			{false, "tenant.yaml: chains is regtest,signet,testnet4,main, not regtest"},
			{false, `tenant.yaml: requireSecret is unset, not "true"`},
			{false, "tenant.yaml: images is ghcr.io/bitcoin-operator/bitcoind"},
		}},
		{"a key that nothing reads, one that is missing and one that is no value", func(g Gomega, dir string) {
			edit(g, dir, "tenants/team-b/tenant.yaml", "chains:", "chain:")
			edit(g, dir, "tenants/team-b/tenant.yaml", `"false"`, `"no"`)
		}, "team-b", []Finding{
			{true, "tenant.yaml: chain: is not a known key: nothing reads it"},
			{true, "tenant.yaml: chains: is missing"},
			{true, `tenant.yaml: frozen: "no" is neither "true" nor "false"`},
		}},
		{"a copy of another team's folder", func(g Gomega, dir string) {
			g.Expect(os.CopyFS(filepath.Join(dir, "tenants/team-c"), os.DirFS(filepath.Join(dir, "tenants/team-b")))).To(Succeed())
		}, "team-c", []Finding{
			{true, "repository: team-b.git is also that of team-b: what one team commits would be applied for the other"},
			{true, "group: team-b is also that of team-b: its people would be in both namespaces"},
			{true, "kustomization.yaml: namespace is team-b: it must be the name of the folder, which is the team's name"},
			{false, "no cluster in gitops/clusters lists it"},
		}},
		{"what the platform has added is told, and what nothing reads", func(g Gomega, dir string) {
			edit(g, dir, "tenants/team-b/kustomization.yaml", "components:\n  - ../base\n",
				"  - client.yaml\ncomponents:\n  - ../base\n  - ../private\npatches:\n  - target: {kind: ResourceQuota, name: tenant-pods}\n    patch: |\n      - {op: replace, path: /spec/hard/pods, value: \"5\"}\n")
			for name, content := range map[string]string{"client.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: client}\n", "networks/lightning.yaml": ""} {
				g.Expect(os.MkdirAll(filepath.Dir(filepath.Join(dir, "tenants/team-b", name)), 0o755)).To(Succeed())
				g.Expect(os.WriteFile(filepath.Join(dir, "tenants/team-b", name), []byte(content), 0o644)).To(Succeed())
			}
		}, "team-b", []Finding{
			{false, "kustomization.yaml: also has client.yaml"},
			{false, "kustomization.yaml: also has ../private"},
			{false, "kustomization.yaml: patches ResourceQuota tenant-pods"},
			{false, "networks/lightning.yaml is in no list of kustomization.yaml: nothing reads it"},
		}},
		{"the Secret comes by SOPS, and nothing lets it", func(g Gomega, dir string) {
			edit(g, dir, "tenants/team-b/tenant.yaml", "  chains:", "  secretFrom: sops\n  chains:")
		}, "team-b", []Finding{
			{true, "kustomization.yaml: component ../sops is missing, which secretFrom: sops in tenant.yaml needs"},
		}},
		{"rights to what the policies refuse", func(g Gomega, dir string) {
			edit(g, dir, "tenants/team-b/kustomization.yaml", "  - ../base\n", "  - ../base\n  - ../external-secrets\n  - ../sops\n")
			edit(g, dir, "tenants/team-b/tenant.yaml", "  chains:", "  secretFrom: external-secrets\n  chains:")
		}, "team-b", []Finding{
			{true, "kustomization.yaml: has component ../sops, but secretFrom in tenant.yaml is external-secrets"},
		}},
		{"a source that there is not, and the platform's Secret", func(g Gomega, dir string) {
			edit(g, dir, "tenants/team-b/tenant.yaml", "secret: bitcoin-rpc", "secret: sops-age\n  secretFrom: vault")
		}, "team-b", []Finding{
			{true, `tenant.yaml: secret: "sops-age" is a Secret of the platform's`},
			{true, `tenant.yaml: secretFrom: "vault" is not one of sealed-secrets, sops, external-secrets`},
		}},
		{"nothing bounds it", func(g Gomega, dir string) {
			edit(g, dir, "tenants/team-b/kustomization.yaml", "components:\n  - ../base\n", "")
		}, "team-b", []Finding{
			{true, "kustomization.yaml: component ../base is missing: without it the team has no limits"},
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			dir := working(g, t)
			test.change(g, dir)
			found, err := read(g, dir).Check(test.team)
			g.Expect(err).NotTo(HaveOccurred())
			for _, want := range test.want {
				g.Expect(found).To(ContainElement(want))
			}
			wrong := func(findings []Finding) int {
				return len(slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool {
					return !f.Wrong || strings.HasPrefix(f.Text, "build ") // what it comes to, which has a test of its own
				}))
			}
			g.Expect(wrong(found)).To(Equal(wrong(test.want)), "%v", found)
		})
	}
}

func TestCheckTellsWhatDoesNotBuild(t *testing.T) {
	g := NewWithT(t)
	dir := working(g, t)
	edit(g, dir, "tenants/team-b/tenant.yaml", "  frozen: \"false\"\n", "")
	found, err := read(g, dir).Check("team-b")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found).To(ContainElement(HaveField("Text", ContainSubstring("build gitops/clusters/production/tenants: "))))
}

func TestNoFleet(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	_, err := Read(dir, "")
	g.Expect(err).To(MatchError(dir + " is not a fleet repository: it has no folder gitops/clusters"))
	f := read(g, working(g, t))
	_, err = f.Check("nobody")
	g.Expect(err).To(MatchError("there is no team nobody: no file tenants/nobody/tenant.yaml"))
	_, err = f.Remove("nobody")
	g.Expect(err).To(MatchError("there is no team nobody: no file tenants/nobody/tenant.yaml"))
}

// A fleet repository that refers to a release has its clusters and teams alone.
func TestFleetThatRefersToARelease(t *testing.T) {
	g := NewWithT(t)
	dir, release := working(g, t), working(g, t)
	for _, taken := range []string{"gitops/crds", "gitops/fence", "gitops/infrastructure", "gitops/monitoring", "gitops/operator", "gitops/policies", "tenants/base", "tenants/private", "tenants/sops", "tenants/external-secrets"} {
		g.Expect(os.RemoveAll(filepath.Join(dir, taken))).To(Succeed())
	}
	added, in := team("team-c", func(t *Team) { t.Private = true }), []string{"production"}
	_, err := read(g, dir).Create(added, in)
	g.Expect(err).To(MatchError(ContainSubstring("there is no folder tenants/base: where the fleet repository refers to a release, ")))

	// A clone of the project at the release's tag has teams and clusters of its own.
	g.Expect(os.Rename(filepath.Join(release, "tenants/team-a"), filepath.Join(release, "tenants/another"))).To(Succeed())
	g.Expect(os.Rename(filepath.Join(release, "gitops/clusters/local"), filepath.Join(release, "gitops/clusters/another"))).To(Succeed())
	f, err := Read(dir, release)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Teams()).To(Equal([]string{"team-a", "team-b"}))
	g.Expect(f.Clusters()).To(Equal([]string{"local", "production"}))
	change, err := f.Create(added, in)
	g.Expect(err).NotTo(HaveOccurred())
	whole, err := read(g, working(g, t)).Create(added, in)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(change).To(Equal(whole), "what is written is what is written beside a copy")
	g.Expect(f.Check("team-a")).NotTo(ContainElement(HaveField("Wrong", BeTrue())), "it builds")
	for _, source := range []string{SOPS, ExternalSecrets} {
		_, err := f.Create(team("team-d", with("secretFrom", source)), in)
		g.Expect(err).NotTo(HaveOccurred(), source)
	}

	_, err = Read(dir, t.TempDir())
	g.Expect(err).To(MatchError(ContainSubstring("does not have a release's manifests: it has no folder tenants/base")))
	_, err = read(g, dir).Remove("team-a")
	g.Expect(err).NotTo(HaveOccurred(), "what is taken away need not build")

	g.Expect(os.RemoveAll(filepath.Join(dir, "tenants"))).To(Succeed())
	edit(g, dir, "gitops/clusters/production/tenants/kustomization.yaml", "resources:\n  - ../../../../tenants/team-a\n  - ../../../../tenants/team-b\n", "resources: []\n")
	_, err = read(g, dir).Create(added, in)
	g.Expect(err).To(MatchError(ContainSubstring("there is no folder tenants/base: ")), "the first team")
	f, err = Read(dir, release)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.Create(added, in)
	g.Expect(err).NotTo(HaveOccurred(), "the first team")
}

// The keys are those that something reads, and the guide has each.
func TestKeysAreRead(t *testing.T) {
	g := NewWithT(t)
	read := map[string]bool{}
	collect := func(pattern string, files ...string) {
		for _, glob := range files {
			names, err := filepath.Glob(filepath.Join(repository, glob))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(names).NotTo(BeEmpty(), glob)
			for _, name := range names {
				for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(contents(g, ".", name), -1) {
					read[found[1]] = true
				}
			}
		}
	}
	collect(`params\.\??data\.\??(\w+)`, "gitops/policies/*.yaml")
	collect(`name: tenant\n      fieldPath: data\.(\w+)`, "tenants/base/kustomization.yaml")
	collect(`tenant\["(\w+)"\]`, "operator/internal/request/bounds.go")
	for _, puts := range []string{"image", "operatorImage"} { // which tenants/base puts there
		delete(read, puts)
	}
	var known []string
	for _, key := range Keys {
		known = append(known, key.Name)
		g.Expect(contents(g, repository, "docs/tenant-guide.md")).To(MatchRegexp("(?m)^\\| `([a-zA-Z`, ]+, `)?"+key.Name+"`"), "the guide has %s", key.Name)
	}
	var wanted []string
	for name := range read {
		wanted = append(wanted, name)
	}
	g.Expect(known).To(ConsistOf(wanted))
}

func TestSeed(t *testing.T) {
	for chains, want := range map[string]string{"regtest": "regtest", "signet,regtest": "regtest", "main, signet": "main"} {
		values := Defaults("team-c")
		values["chains"], values["secret"] = chains, "rpc"
		NewWithT(t).Expect(values.Seed()).To(HaveSuffix("  secret: rpc\n  chain: " + want + "\n"))
	}
	// The guide shows it.
	g := NewWithT(t)
	g.Expect(contents(g, repository, "docs/tenant-guide.md")).To(ContainSubstring(Defaults("team-a").Seed()))
}
