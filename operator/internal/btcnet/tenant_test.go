package btcnet

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// fleet is the fleet repository of somebody of the platform.
type fleet struct{ dir string }

func newFleet(g Gomega, t *testing.T) fleet {
	f := fleet{t.TempDir()}
	for _, top := range []string{"gitops", "tenants"} {
		g.Expect(os.CopyFS(filepath.Join(f.dir, top), os.DirFS(filepath.Join("../../..", top)))).To(Succeed())
	}
	f.git(g, "init", "--quiet")
	f.commit(g)
	return f
}

func (f fleet) git(g Gomega, args ...string) string {
	out, err := exec.Command("git", slices.Concat([]string{"-C", f.dir, "-c", "user.name=x", "-c", "user.email=x@example.com"}, args)...).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	return string(out)
}

func (f fleet) commit(g Gomega) {
	f.git(g, "add", "--all")
	f.git(g, "commit", "--quiet", "--message=Teams")
}

func (f fleet) tenant(t *testing.T, args ...string) (code int, printed, said string) {
	var out, errOut bytes.Buffer
	args = slices.Concat([]string{"tenant", "--fleet", f.dir}, args)
	code = Run(t.Context(), args, genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
	return code, out.String(), errOut.String()
}

// A team comes and goes, and its name stays its own.
func TestTenantFromBeginningToEnd(t *testing.T) {
	g := NewWithT(t)
	f, d := newFleet(g, t), newDesk(g, t)
	repository := d.path("team-c")
	create := []string{"create", "team-c", "--in", "production", "--offline", "--set", "chains=signet", "--set", "secret=rpc"}

	code, printed, said := f.tenant(t, append(create, "--repository", repository, "--cert", d.path("cluster.pem"))...)
	g.Expect(code).To(Equal(Healthy), said)
	g.Expect(printed).To(ContainSubstring("wrote " + filepath.Join(f.dir, "tenants/team-c/tenant.yaml")))
	g.Expect(f.git(g, "status", "--porcelain", "--untracked-files=all")).To(Equal(
		" M gitops/clusters/production/tenants/kustomization.yaml\n?? tenants/team-c/kustomization.yaml\n?? tenants/team-c/tenant.yaml\n"))
	g.Expect(d.file(g, "team-c/payments.yaml")).To(ContainSubstring("  secret: rpc\n  chain: signet\n"))
	secret, values := d.opens(g, d.file(g, "team-c/rpc.yaml"))
	g.Expect(secret.String()).To(Equal("team-c/rpc"))
	g.Expect(values).To(HaveKeyWithValue("BC_RPC_USER", "team-c"))
	g.Expect(printed + said).NotTo(ContainSubstring(values["BC_RPC_PASSWORD"]))
	code, printed, said = f.tenant(t, "check", "team-c")
	g.Expect(code).To(Equal(Healthy), said)
	g.Expect(printed).To(Equal("team-c\n  · tenant.yaml: secret is rpc, not bitcoin-rpc\n  · tenant.yaml: chains is signet, not regtest\n"))

	code, _, said = f.tenant(t, create...)
	g.Expect(code).To(Equal(Failed))
	g.Expect(said).To(Equal("error: create team team-c: folder tenants/team-c already exists\n"))
	f.commit(g)

	code, printed, _ = f.tenant(t, "remove", "team-c", "--offline", "--dry-run")
	g.Expect(code).To(Equal(Healthy))
	g.Expect(printed).To(ContainSubstring("tenants/team-c would be removed\n"))
	g.Expect(f.git(g, "status", "--porcelain")).To(BeEmpty(), "it only told")
	code, _, said = f.tenant(t, "remove", "team-c", "--offline")
	g.Expect(code).To(Equal(Healthy), said)
	f.commit(g)
	g.Expect(f.git(g, "diff", "--stat", "HEAD~2")).To(BeEmpty(), "all is as it was before the team came")

	code, _, said = f.tenant(t, create...)
	g.Expect(code).To(Equal(Failed))
	g.Expect(said).To(MatchRegexp(`^error: there was a team team-c, in commit [0-9a-f]+ of [-0-9]+ of the fleet repository.\nWhat was sealed for namespace team-c opens there again, `))
	g.Expect(f.git(g, "status", "--porcelain")).To(BeEmpty(), "nothing was written")
	code, _, said = f.tenant(t, append(create, "--reuse-name")...)
	g.Expect(code).To(Equal(Healthy), said)
}

// Credentials that are not sealed are for the team to commit; the platform hears what is
// its own to do.
func TestTenantCreateWithASecretFromElsewhere(t *testing.T) {
	for source, step := range map[string]string{"sops": "Create a Secret sops-age in namespace team-c", "external-secrets": "Create a SecretStore in namespace team-c"} {
		g := NewWithT(t)
		f, d := newFleet(g, t), newDesk(g, t)
		code, printed, said := f.tenant(t, "create", "team-c", "--in", "production", "--offline", "--set", "secretFrom="+source, "--repository", d.path("team-c"), "--cert", d.path("cluster.pem"))
		g.Expect(code).To(Equal(Healthy), said)
		g.Expect(printed).To(And(ContainSubstring(step), HaveSuffix("The team has to commit its credentials: docs/secrets.md.\n"), Not(ContainSubstring("seal"))))
		g.Expect(os.ReadDir(d.path("team-c"))).To(HaveExactElements(HaveField("Name()", "payments.yaml")))
	}
}

func TestTenantCreateWritesNothingThatIsRefused(t *testing.T) {
	g := NewWithT(t)
	f, d := newFleet(g, t), newDesk(g, t)
	g.Expect(os.WriteFile(d.path("payments.yaml"), []byte("mine"), 0o644)).To(Succeed())
	for _, test := range []struct {
		reason string
		args   []string
		want   string
	}{
		{"nobody knows where", nil, "gitops/clusters has several clusters: choose one with --in: local, production"},
		{"no value", []string{"--in", "production", "--set", "chains"}, "--set chains: must be KEY=VALUE"},
		{"a team's file would be overwritten", []string{"--in", "production", "--offline", "--repository", d.dir}, d.path("payments.yaml") + " already exists"},
		{"nobody knows whether there is such a namespace", []string{"--in", "production", "--server", "http://127.0.0.1:1"}, "--offline skips asking the cluster"},
	} {
		code, _, said := f.tenant(t, append([]string{"create", "team-c"}, test.args...)...)
		g.Expect(code).To(Equal(Failed), test.reason)
		g.Expect(said).To(ContainSubstring(test.want), test.reason)
		g.Expect(f.git(g, "status", "--porcelain")).To(BeEmpty(), test.reason)
	}
	g.Expect(d.file(g, "payments.yaml")).To(Equal("mine"))
}

func TestTenantCheckSaysByItsCodeWhetherSomethingIsWrong(t *testing.T) {
	g := NewWithT(t)
	f := newFleet(g, t)
	code, printed, _ := f.tenant(t, "check")
	g.Expect(code).To(Equal(Healthy), printed)
	g.Expect(os.CopyFS(filepath.Join(f.dir, "tenants/team-c"), os.DirFS(filepath.Join(f.dir, "tenants/team-b")))).To(Succeed())
	code, printed, _ = f.tenant(t, "check")
	g.Expect(code).To(Equal(Unhealthy))
	g.Expect(printed).To(ContainSubstring("  ✗ repository: team-b.git is also that of team-c: "), "both are told")
	g.Expect(printed).To(ContainSubstring("  ✗ kustomization.yaml: namespace is team-b: "))
}

// What there is of a team is read with all that decides what becomes of it.
func TestInventory(t *testing.T) {
	g := NewWithT(t)
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, sealedsecrets.AddToScheme} {
		g.Expect(add(known)).To(Succeed())
	}
	networks := &unstructured.Unstructured{}
	networks.SetAPIVersion("kustomize.toolkit.fluxcd.io/v1")
	networks.SetKind("Kustomization")
	networks.SetNamespace("team-c")
	networks.SetName("networks")
	g.Expect(unstructured.SetNestedField(networks.Object, true, "spec", "suspend")).To(Succeed())
	g.Expect(unstructured.SetNestedSlice(networks.Object, []any{
		map[string]any{"id": "team-c_payments_bitcoin-operator.github.io_BitcoinNetwork", "v": "v1alpha1"},
		map[string]any{"id": "team-c_rpc__Secret", "v": "v1"},
		map[string]any{"id": "team-c_vault_external-secrets.io_ExternalSecret", "v": "v1"},
	}, "status", "inventory", "entries")).To(Succeed())
	in := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name}
	}
	cluster := fake.NewClientBuilder().WithScheme(known).WithObjects(networks,
		&v1alpha1.BitcoinNetwork{ObjectMeta: in("team-c", "payments")}, &v1alpha1.BitcoinNetwork{ObjectMeta: in("team-b", "lightning")},
		&sealedsecrets.SealedSecret{ObjectMeta: in("team-c", "bitcoin-rpc")},
		&corev1.Secret{ObjectMeta: in("team-c", "sops-age")},
		&corev1.PersistentVolumeClaim{ObjectMeta: in("team-c", "data-payments-0")},
		&appsv1.Deployment{ObjectMeta: in("team-c", "kustomize-controller")},
	).Build()

	found, err := inventoryOf(t.Context(), cluster, "team-c")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found.Networks).To(HaveExactElements(HaveField("Name", "payments")))
	g.Expect(found.SealedSecrets).To(HaveExactElements(HaveField("Name", "bitcoin-rpc")))
	g.Expect(found.Committed).To(HaveExactElements("Secret rpc", "ExternalSecret vault, and its Secret"))
	g.Expect(found.Claims).To(HaveLen(1))
	g.Expect(found.Suspended).To(BeTrue())
	g.Expect(found.OwnFlux).To(BeTrue())

	var out bytes.Buffer
	tellFate(&out, found.Fate())
	g.Expect(out.String()).To(Equal(`First:
  - Kustomization networks is suspended, and Flux removes nothing that a suspended one has applied:
    kubectl patch kustomization networks -n team-c --type=merge -p '{"spec":{"suspend":false}}', or unfreeze the team
  - the team has controllers of its own: remove it from Git first, then delete the namespace, not the other way round
Removed:
  - the operator, with its account and its rights
  - the rights of the team's people
Stays until the namespace is deleted:
  - Namespace team-c, with its limits, its network policies, and the account that Flux removes with
  - network payments, with its 0 nodes: it runs on without an operator
  - SealedSecret bitcoin-rpc, and its Secret
  - Secret rpc
  - ExternalSecret vault, and its Secret
  - volume claim data-payments-0 (0)
`))
}
