package btcnet

import (
	"bytes"
	"crypto/rsa"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	"github.com/bitnami/sealed-secrets/pkg/crypto"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/seal"
)

// desk is where somebody seals: a folder, and a certificate of a cluster in it.
type desk struct {
	dir string
	key map[string]*rsa.PrivateKey
}

func newDesk(g Gomega, t *testing.T) desk {
	private, certificate, err := crypto.GeneratePrivateKeyAndCert(2048, time.Hour, "cluster")
	g.Expect(err).NotTo(HaveOccurred())
	pem, err := cert.EncodeCertificates(certificate)
	g.Expect(err).NotTo(HaveOccurred())
	d := desk{t.TempDir(), map[string]*rsa.PrivateKey{"key": private}}
	g.Expect(os.WriteFile(d.path("cluster.pem"), pem, 0o644)).To(Succeed())
	t.Setenv("KUBECONFIG", d.path("none"))
	return d
}

func (d desk) path(name string) string { return filepath.Join(d.dir, name) }

// seal runs the command without a cluster, and returns what it printed and said.
func (d desk) seal(t *testing.T, stdin string, args ...string) (code int, printed, said string) {
	var out, errOut bytes.Buffer
	args = slices.Concat([]string{"credentials", "seal", "--cert", d.path("cluster.pem")}, args)
	code = Run(t.Context(), args, genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &out, ErrOut: &errOut})
	return code, out.String(), errOut.String()
}

// opens returns what the cluster makes of a SealedSecret.
func (d desk) opens(g Gomega, content string) (types.NamespacedName, map[string]string) {
	sealed := &sealedsecrets.SealedSecret{}
	g.Expect(yaml.UnmarshalStrict([]byte(content), sealed)).To(Succeed())
	secret, err := sealed.Unseal(scheme.Codecs, d.key)
	g.Expect(err).NotTo(HaveOccurred())
	values := map[string]string{}
	for key, value := range secret.Data {
		values[key] = string(value)
	}
	return types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}, values
}

func (d desk) file(g Gomega, name string) string {
	content, err := os.ReadFile(d.path(name))
	g.Expect(err).NotTo(HaveOccurred())
	return string(content)
}

func TestSealPrintsNoPassword(t *testing.T) {
	const hush = "hush-hush"
	g := NewWithT(t)
	d := newDesk(g, t)
	file := d.path("bitcoin-rpc.yaml")
	shown := ""
	for _, args := range [][]string{
		{"-n", "team-a", "-f", file},
		{"-n", "team-a", "-f", file}, // refused: it is there
		{"-f", file, "--user", "shop", "--also", "shop/bitcoin"},
		{"-f", file, "--rotate", "--username", "payments", "--also", "shop/admin"},
		{"-f", file, "--rotate"}, // refused: the one before is not finished
		{"-f", file, "--replace"},
		{"-n", "team-a"},
	} {
		_, printed, said := d.seal(t, hush+"\n", append(args, "--password-stdin")...)
		g.Expect(printed+said).NotTo(BeEmpty(), "%q", args)
		shown += printed + said + d.file(g, "bitcoin-rpc.yaml")
	}
	g.Expect(shown).NotTo(ContainSubstring(hush))
	_, values := d.opens(g, d.file(g, "bitcoin-rpc.yaml"))
	g.Expect(values).To(Equal(map[string]string{"BC_RPC_USER": "payments", "BC_RPC_PASSWORD": hush, "BC_RPC_PASSWORD_SHOP": hush}))
}

func TestSealSteps(t *testing.T) {
	g := NewWithT(t)
	d := newDesk(g, t)
	file := d.path("bitcoin-rpc.yaml")
	secret := types.NamespacedName{Namespace: "team-a", Name: "bitcoin-rpc"}
	step := func(args ...string) (printed string) {
		t.Helper()
		code, printed, said := d.seal(t, "", append(args, "-f", file)...)
		g.Expect(code).To(Equal(Healthy), said)
		return printed
	}
	values := func() map[string]string {
		found, values := d.opens(g, d.file(g, "bitcoin-rpc.yaml"))
		g.Expect(found).To(Equal(secret))
		return values
	}

	g.Expect(step("-n", "team-a")).To(BeEmpty(), "the file has it")
	pair := values()
	g.Expect(pair).To(HaveKeyWithValue("BC_RPC_USER", "team-a"))

	printed := step("--user", "btc-pay", "--also", "shop/bitcoin")
	copied, application := d.opens(g, printed)
	g.Expect(copied).To(Equal(types.NamespacedName{Namespace: "shop", Name: "bitcoin"}))
	g.Expect(application).To(Equal(map[string]string{"BC_RPC_USER": "btc-pay", "BC_RPC_PASSWORD": values()["BC_RPC_PASSWORD_BTC_PAY"]}))

	step("--rotate")
	rotated := values()
	g.Expect(rotated).To(HaveLen(5))
	g.Expect(rotated["BC_RPC_PASSWORD"]).NotTo(Equal(pair["BC_RPC_PASSWORD"]))
	g.Expect(rotated["BC_RPC_PASSWORD_PREVIOUS"]).To(Equal(pair["BC_RPC_PASSWORD"]))

	step("--replace")
	g.Expect(slices.Sorted(maps.Keys(values()))).To(Equal([]string{"BC_RPC_PASSWORD", "BC_RPC_PASSWORD_BTC_PAY", "BC_RPC_USER"}))
}

func TestSealRefuses(t *testing.T) {
	g := NewWithT(t)
	d := newDesk(g, t)
	there := d.path("bitcoin-rpc.yaml")
	code, _, said := d.seal(t, "", "-n", "team-a", "-f", there)
	g.Expect(code).To(Equal(Healthy), said)
	before := d.file(g, "bitcoin-rpc.yaml")
	for _, test := range []struct {
		reason string
		args   []string
		want   string
	}{
		{"it would be overwritten", []string{"-f", there},
			"BC_RPC_USER is already sealed in team-a/bitcoin-rpc: --rotate changes it without an outage, --replace at once"},
		{"for nobody knows whom", nil,
			"name the namespace with -n: what is sealed opens only there"},
		{"it is another namespace's", []string{"-n", "team-b", "-f", there, "--replace"},
			"SealedSecret bitcoin-rpc is for namespace team-a, not team-b: what is sealed opens in one namespace only"},
		{"there is nothing to change", []string{"-n", "team-a", "--rotate"},
			"--rotate, --finish, --replace and --user change a file: name it with -f"},
		{"the file is not there", []string{"-n", "team-a", "--rotate", "-f", d.path("other.yaml")},
			"no such file or directory"},
		{"a name that is none", []string{"-f", there, "--user", "Shop"},
			`"Shop" is not a valid name in spec.users`},
		{"a copy for nobody", []string{"-f", there, "--user", "shop", "--also", "shop"},
			`--also: "shop/" is not a valid namespace and name of a Secret`},
		{"a copy has to say who", []string{"-f", there, "--rotate", "--also", "shop/bitcoin"},
			"--also needs the user's name, which is sealed: give it with --username"},
		{"one or the other", []string{"-f", there, "--rotate", "--replace"},
			"none of the others can be"},
		{"a password is no argument", []string{"-f", there, "--rotate", "hush"},
			`unknown command "hush"`},
	} {
		code, printed, said := d.seal(t, "", test.args...)
		g.Expect(code).To(Equal(Failed), test.reason)
		g.Expect(printed).To(BeEmpty(), test.reason)
		g.Expect(said).To(ContainSubstring(test.want), test.reason)
	}
	g.Expect(d.file(g, "bitcoin-rpc.yaml")).To(Equal(before))
}

// What the cluster says decides whether the previous password goes.
func TestFinish(t *testing.T) {
	g := NewWithT(t)
	d := newDesk(g, t)
	path := d.path("bitcoin-rpc.yaml")
	for _, args := range [][]string{{"-n", "team-a", "-f", path}, {"-f", path, "--rotate"}} {
		code, _, said := d.seal(t, "", args...)
		g.Expect(code).To(Equal(Healthy), said)
	}
	before := d.file(g, "bitcoin-rpc.yaml")
	applied := &sealedsecrets.SealedSecret{}
	g.Expect(yaml.Unmarshal([]byte(before), applied)).To(Succeed())
	applied.Status = &sealedsecrets.SealedSecretStatus{Conditions: []sealedsecrets.SealedSecretCondition{{Type: sealedsecrets.SealedSecretSynced, Status: corev1.ConditionTrue}}}
	network := &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "payments"},
		Spec:       v1alpha1.BitcoinNetworkSpec{Secret: "bitcoin-rpc"},
	}
	finish := func(reason string) (string, error) {
		network.Status.Conditions = []metav1.Condition{{Type: v1alpha1.CredentialsReadyCondition, Status: metav1.ConditionTrue, Reason: reason, Message: "1 of 3 nodes accept them"}}
		known := runtime.NewScheme()
		g.Expect(v1alpha1.AddToScheme(known)).To(Succeed())
		g.Expect(sealedsecrets.AddToScheme(known)).To(Succeed())
		cluster := fake.NewClientBuilder().WithScheme(known).WithObjects([]client.Object{applied.DeepCopy(), network.DeepCopy()}...).Build()
		file, err := seal.Read([]byte(before), types.NamespacedName{Name: "bitcoin-rpc"})
		g.Expect(err).NotTo(HaveOccurred())
		streams, _, _, said := genericiooptions.NewTestIOStreams()
		s := &sealing{IOStreams: streams, file: path, finish: true}
		err = s.end(t.Context(), cluster, file, seal.Whose{})
		return said.String(), err
	}

	_, err := finish(v1alpha1.RotatingReason)
	g.Expect(err).To(MatchError(path + " stays as it is: nodes might reject clients that use the new password\n" +
		"  network payments: CredentialsReady is True, with reason Rotating, not Rotated: 1 of 3 nodes accept them"))
	g.Expect(d.file(g, "bitcoin-rpc.yaml")).To(Equal(before))

	said, err := finish(v1alpha1.RotatedReason)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(said).To(HavePrefix("the previous password is removed from " + path + ": commit it, and push."))
	_, values := d.opens(g, d.file(g, "bitcoin-rpc.yaml"))
	g.Expect(slices.Sorted(maps.Keys(values))).To(Equal([]string{"BC_RPC_PASSWORD", "BC_RPC_USER"}))
}
