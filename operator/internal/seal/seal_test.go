package seal

import (
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	"github.com/bitnami/sealed-secrets/pkg/crypto"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

var (
	rpc      = types.NamespacedName{Namespace: "team-a", Name: "bitcoin-rpc"}
	operator = Whose{}
	shop     = Whose{User: "shop"}
)

// cluster is one that opens what is sealed for it.
type cluster map[string]*rsa.PrivateKey

// newCluster returns a cluster, and what seals for it by its certificate.
func newCluster(g Gomega) (cluster, Key) {
	private, certificate, err := crypto.GeneratePrivateKeyAndCert(2048, time.Hour, "cluster")
	g.Expect(err).NotTo(HaveOccurred())
	pem, err := cert.EncodeCertificates(certificate)
	g.Expect(err).NotTo(HaveOccurred())
	key, err := ParseCertificate(pem)
	g.Expect(err).NotTo(HaveOccurred())
	return cluster{"key": private}, key
}

// opens returns what is in the Secret that comes of a file.
func (c cluster) opens(g Gomega, f *File) map[string]string {
	secret, err := sealedIn(g, f).Unseal(scheme.Codecs, c)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(secret.Type).To(Equal(corev1.SecretTypeOpaque))
	values := map[string]string{}
	for key, value := range secret.Data {
		values[key] = string(value)
	}
	return values
}

func sealedIn(g Gomega, f *File) *sealedsecrets.SealedSecret {
	content, err := f.Bytes()
	g.Expect(err).NotTo(HaveOccurred())
	sealed := &sealedsecrets.SealedSecret{}
	g.Expect(yaml.UnmarshalStrict(content, sealed)).To(Succeed())
	return sealed
}

func newFile(g Gomega) *File {
	f, err := New(rpc)
	g.Expect(err).NotTo(HaveOccurred())
	return f
}

func TestSealedOpensForItsSecretAlone(t *testing.T) {
	g := NewWithT(t)
	cluster, key := newCluster(g)
	f := newFile(g)
	g.Expect(f.Add(operator, bitcoind.NewCredentials("payments", "hush"), key)).To(Succeed())
	g.Expect(cluster.opens(g, f)).To(Equal(map[string]string{"BC_RPC_USER": "payments", "BC_RPC_PASSWORD": "hush"}))

	content, err := f.Bytes()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(content)).NotTo(ContainSubstring("hush"))
	for _, moved := range []types.NamespacedName{{Namespace: "team-b", Name: "bitcoin-rpc"}, {Namespace: "team-a", Name: "other"}} {
		stolen := sealedIn(g, f)
		stolen.Namespace, stolen.Name = moved.Namespace, moved.Name
		_, err := stolen.Unseal(scheme.Codecs, cluster)
		g.Expect(err).To(HaveOccurred(), "%s", moved)
	}
	another, _ := newCluster(g)
	_, err = sealedIn(g, f).Unseal(scheme.Codecs, another)
	g.Expect(err).To(HaveOccurred(), "another cluster")
}

// What is sealed, step by step, as the cluster opens it.
func TestChanges(t *testing.T) {
	const user, password, oldUser, oldPassword = "BC_RPC_USER", "BC_RPC_PASSWORD", "BC_RPC_USER_PREVIOUS", "BC_RPC_PASSWORD_PREVIOUS"
	const shopPassword, shopOld = "BC_RPC_PASSWORD_SHOP", "BC_RPC_PASSWORD_SHOP_PREVIOUS"
	g := NewWithT(t)
	cluster, key := newCluster(g)
	f := newFile(g)
	for _, step := range []struct {
		reason string
		do     func() error
		want   map[string]string
	}{
		{"a pair",
			func() error { return f.Add(operator, bitcoind.NewCredentials("payments", "one"), key) },
			map[string]string{user: "payments", password: "one"}},
		{"a user beside it",
			func() error { return f.Add(shop, bitcoind.NewCredentials("shop", "a"), key) },
			map[string]string{user: "payments", password: "one", shopPassword: "a"}},
		{"a change keeps what was, the user's name too",
			func() error { return f.Rotate(operator, bitcoind.NewCredentials("", "two"), key) },
			map[string]string{user: "payments", password: "two", oldUser: "payments", oldPassword: "one", shopPassword: "a"}},
		{"a user's is another",
			func() error { return f.Rotate(shop, bitcoind.NewCredentials("shop", "b"), key) },
			map[string]string{user: "payments", password: "two", oldUser: "payments", oldPassword: "one", shopPassword: "b", shopOld: "a"}},
		{"one is finished without the other",
			func() error { return f.Finish(operator) },
			map[string]string{user: "payments", password: "two", shopPassword: "b", shopOld: "a"}},
		{"the other",
			func() error { return f.Finish(shop) },
			map[string]string{user: "payments", password: "two", shopPassword: "b"}},
		{"a change of the name, too",
			func() error { return f.Rotate(operator, bitcoind.NewCredentials("lightning", "three"), key) },
			map[string]string{user: "lightning", password: "three", oldUser: "payments", oldPassword: "two", shopPassword: "b"}},
		{"one that has leaked goes at once, and so does what it was changed from",
			func() error { return f.Replace(operator, bitcoind.NewCredentials("", "four"), key) },
			map[string]string{user: "lightning", password: "four", shopPassword: "b"}},
	} {
		g.Expect(step.do()).To(Succeed(), step.reason)
		g.Expect(cluster.opens(g, f)).To(Equal(step.want), step.reason)
	}
}

func TestWhatIsRefusedChangesNothing(t *testing.T) {
	const hush = "hush"
	g := NewWithT(t)
	_, key := newCluster(g)
	f := newFile(g)
	g.Expect(f.Add(operator, bitcoind.NewCredentials("payments", "one"), key)).To(Succeed())
	g.Expect(f.Add(shop, bitcoind.NewCredentials("shop", "one"), key)).To(Succeed())
	g.Expect(f.Rotate(shop, bitcoind.NewCredentials("shop", "two"), key)).To(Succeed())
	before, err := f.Bytes()
	g.Expect(err).NotTo(HaveOccurred())
	for _, test := range []struct {
		reason string
		err    error
		want   string
	}{
		{"a pair is there", f.Add(operator, bitcoind.NewCredentials("payments", hush), key),
			"BC_RPC_USER is already sealed in team-a/bitcoin-rpc"},
		{"a user is there", f.Add(shop, bitcoind.NewCredentials("shop", hush), key),
			"BC_RPC_PASSWORD_SHOP is already sealed in team-a/bitcoin-rpc"},
		{"a user who is not there is not changed", f.Rotate(Whose{"lnd"}, bitcoind.NewCredentials("lnd", hush), key),
			"BC_RPC_PASSWORD_LND is not sealed yet in team-a/bitcoin-rpc"},
		{"a second change would lose what clients use", f.Rotate(shop, bitcoind.NewCredentials("shop", hush), key),
			"BC_RPC_PASSWORD_SHOP_PREVIOUS is still there in team-a/bitcoin-rpc: finish the previous change first"},
		{"nothing is being changed", f.Finish(operator),
			"BC_RPC_USER_PREVIOUS does not exist: no change is in progress"},
		{"a name that bitcoin.conf cannot hold", f.Replace(operator, bitcoind.NewCredentials("a:b", hush), key),
			"BC_RPC_USER must not contain ':', '#' or control characters, or begin or end with a space: bitcoin.conf cannot represent such a user name"},
		{"a user's name would bind who may do everything", f.Replace(operator, bitcoind.NewCredentials("shop", hush), key),
			"team-a/bitcoin-rpc has a password for shop as a restricted user of spec.users: give BC_RPC_USER another name"},
		{"no password", f.Replace(operator, bitcoind.NewCredentials("payments", ""), key),
			"BC_RPC_PASSWORD must be set and not be empty"},
		{"a user without a password", f.Replace(shop, bitcoind.NewCredentials("shop", ""), key),
			"BC_RPC_PASSWORD_SHOP must be set and not be empty"},
		{"a password with which every request would be refused", f.Replace(shop, bitcoind.NewCredentials("shop", strings.Repeat(hush, 1201)), key),
			"BC_RPC_PASSWORD_SHOP must have at most 4800 bytes: bitcoind rejects requests with long headers"},
	} {
		g.Expect(test.err).To(MatchError(test.want), test.reason)
	}
	g.Expect(f.Bytes()).To(Equal(before))
}

func TestUsersNames(t *testing.T) {
	for name, fit := range map[string]bool{
		"shop": true, "btc-pay": true, "a1": true, "": false, "Shop": false, "previous": false,
		"shop-previous": false, "-shop": false, "shop-": false, "shop_1": false, strings.Repeat("a", 32): true, strings.Repeat("a", 33): false,
	} {
		whose, err := Of(name)
		NewWithT(t).Expect(err == nil).To(Equal(fit), "%q", name)
		NewWithT(t).Expect(err != nil || whose.User == name).To(BeTrue(), "%q", name)
	}
}

// A pipe that ends a line means the line; whoever wants a line break in a password has
// one that is not at its end.
func TestGiven(t *testing.T) {
	for line, want := range map[string]string{"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", " a b ": " a b ", "": ""} {
		NewWithT(t).Expect(Given("u", line).Password()).To(Equal(want), "%q", line)
	}
}

func TestRandomIsFitAndNobodysTwice(t *testing.T) {
	g := NewWithT(t)
	one, other := Random("u"), Random("u")
	g.Expect(one.Password()).NotTo(Equal(other.Password()))
	g.Expect(len(one.Password())).To(BeNumerically(">=", 26), "128 bits")
	_, err := operator.values(one)
	g.Expect(err).NotTo(HaveOccurred())
}

// A team's file may have been written by hand, and have more in it.
func TestReadKeepsWhatElseIsThere(t *testing.T) {
	const content = `# The networks of team-a.
apiVersion: bitcoin-operator.github.io/v1alpha1
kind: BitcoinNetwork
metadata:
  name: payments # the first
---
# By kubeseal.
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata:
  name: bitcoin-rpc
  namespace: team-a
  creationTimestamp: null
spec:
  encryptedData:
    BC_RPC_PASSWORD: AgBa
    BC_RPC_USER: AgBb # payments
  template:
    metadata:
      name: bitcoin-rpc
      namespace: team-a
`
	g := NewWithT(t)
	f, err := Read([]byte(content), types.NamespacedName{Name: "bitcoin-rpc"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Secret()).To(Equal(rpc))
	same, err := f.Bytes()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(same)).To(Equal(content))

	g.Expect(f.copy("BC_RPC_USER", "BC_RPC_USER_PREVIOUS")).To(Succeed())
	g.Expect(f.drop("BC_RPC_PASSWORD")).To(Succeed())
	changed, err := f.Bytes()
	g.Expect(err).NotTo(HaveOccurred())
	want := strings.Replace(content, "    BC_RPC_PASSWORD: AgBa\n", "", 1)
	want = strings.Replace(want, "AgBb # payments\n", "AgBb # payments\n    BC_RPC_USER_PREVIOUS: AgBb\n", 1)
	g.Expect(string(changed)).To(Equal(want))
}

func TestReadRefuses(t *testing.T) {
	sealed := func(namespace, annotations string) string {
		return "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: bitcoin-rpc\n" + namespace + annotations + "spec:\n  encryptedData: {}\n"
	}
	const here = "  namespace: team-a\n"
	for _, test := range []struct {
		reason, content string
		secret          types.NamespacedName
		want            string
	}{
		{"another Secret's", sealed(here, ""), types.NamespacedName{Name: "other"}, "there is no SealedSecret other"},
		{"nothing", "", rpc, "there is no SealedSecret bitcoin-rpc"},
		{"another namespace's", sealed(here, ""), types.NamespacedName{Namespace: "team-b", Name: "bitcoin-rpc"},
			"SealedSecret bitcoin-rpc is for namespace team-a, not team-b: what is sealed opens in one namespace only"},
		{"nobody knows whose", sealed("", ""), types.NamespacedName{Name: "bitcoin-rpc"},
			"SealedSecret bitcoin-rpc has no namespace: set the one that it was sealed for"},
		{"it opens under any name", sealed(here, "  annotations:\n    sealedsecrets.bitnami.com/namespace-wide: \"true\"\n"), rpc,
			"SealedSecret team-a/bitcoin-rpc was sealed with a scope other than strict, which the platform rejects: seal it again"},
	} {
		_, err := Read([]byte(test.content), test.secret)
		NewWithT(t).Expect(err).To(MatchError(test.want), test.reason)
	}
}

func TestExpiredCertificateSealsNothing(t *testing.T) {
	g := NewWithT(t)
	_, certificate, err := crypto.GeneratePrivateKeyAndCert(2048, -time.Hour, "cluster")
	g.Expect(err).NotTo(HaveOccurred())
	pem, err := cert.EncodeCertificates(certificate)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = ParseCertificate(pem)
	g.Expect(err).To(MatchError(HavePrefix("read the certificate to seal with: failed to encrypt using an expired certificate")))
	_, err = ParseCertificate([]byte("nothing"))
	g.Expect(err).To(HaveOccurred())
}

func TestRefusals(t *testing.T) {
	g := NewWithT(t)
	_, key := newCluster(g)
	f := newFile(g)
	g.Expect(f.Add(operator, bitcoind.NewCredentials("payments", "one"), key)).To(Succeed())
	g.Expect(f.Rotate(operator, bitcoind.NewCredentials("", "two"), key)).To(Succeed())
	live := func(changes ...func(*sealedsecrets.SealedSecret)) *sealedsecrets.SealedSecret {
		sealed := sealedIn(g, f)
		sealed.Generation = 3
		sealed.Status = &sealedsecrets.SealedSecretStatus{ObservedGeneration: 3, Conditions: []sealedsecrets.SealedSecretCondition{
			{Type: sealedsecrets.SealedSecretSynced, Status: corev1.ConditionTrue},
		}}
		for _, change := range changes {
			change(sealed)
		}
		return sealed
	}
	network := func(name, reason string, status metav1.ConditionStatus, generation int64) v1alpha1.BitcoinNetwork {
		return v1alpha1.BitcoinNetwork{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: name, Generation: 2},
			Spec:       v1alpha1.BitcoinNetworkSpec{Secret: "bitcoin-rpc"},
			Status: v1alpha1.BitcoinNetworkStatus{Conditions: []metav1.Condition{
				{Type: "CredentialsReady", Status: status, Reason: reason, Message: "so it stands", ObservedGeneration: generation},
			}},
		}
	}
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse
	rotated, another := network("payments", "Rotated", yes, 2), network("other", "SecretNotFound", no, 2)
	another.Spec.Secret = "another"
	silent := v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Name: "silent"}, Spec: rotated.Spec}

	for _, test := range []struct {
		reason   string
		live     *sealedsecrets.SealedSecret
		networks []v1alpha1.BitcoinNetwork
		want     []string
	}{
		{"every node accepts the new ones", live(), []v1alpha1.BitcoinNetwork{rotated, network("games", "Rotated", yes, 2)}, nil},
		{"what uses another Secret has no say", live(), []v1alpha1.BitcoinNetwork{rotated, another}, nil},
		{"nobody uses it", live(), nil, nil},
		{"it was never pushed", nil, []v1alpha1.BitcoinNetwork{rotated},
			[]string{"SealedSecret team-a/bitcoin-rpc is not in the cluster: push it, and wait for Flux to apply it"}},
		{"the change was not pushed: what is Rotated is one before it", live(func(s *sealedsecrets.SealedSecret) { s.Spec.EncryptedData["BC_RPC_PASSWORD"] = "AgBa" }), []v1alpha1.BitcoinNetwork{rotated},
			[]string{"SealedSecret team-a/bitcoin-rpc in the cluster differs from the file: push the file, and wait for Flux to apply it"}},
		{"it is about to be opened", live(func(s *sealedsecrets.SealedSecret) { s.Status.ObservedGeneration = 2 }), []v1alpha1.BitcoinNetwork{rotated},
			[]string{"SealedSecret team-a/bitcoin-rpc has not been opened since it was changed"}},
		{"nobody opens any", live(func(s *sealedsecrets.SealedSecret) { s.Status = nil }), nil,
			[]string{"SealedSecret team-a/bitcoin-rpc has not been opened since it was changed"}},
		{"it could not be opened", live(func(s *sealedsecrets.SealedSecret) {
			s.Status.Conditions[0].Status, s.Status.Conditions[0].Message = corev1.ConditionFalse, "no key could decrypt secret"
		}), []v1alpha1.BitcoinNetwork{rotated},
			[]string{"SealedSecret team-a/bitcoin-rpc was not opened: no key could decrypt secret"}},
		{"each network that is not there yet is named", live(), []v1alpha1.BitcoinNetwork{rotated, network("games", "Rotating", yes, 2), network("old", "Rotated", yes, 1), silent},
			[]string{
				"network games: CredentialsReady is True, with reason Rotating, not Rotated: so it stands",
				"network old: its operator has not reported its state since it was changed",
				"network silent: its operator has not reported its state since it was changed",
			}},
		{"a node rejects them", live(), []v1alpha1.BitcoinNetwork{network("payments", "CredentialsRejected", no, 2)},
			[]string{"network payments: CredentialsReady is False, with reason CredentialsRejected, not Rotated: so it stands"}},
	} {
		got, err := f.Refusals(test.live, test.networks)
		g.Expect(err).NotTo(HaveOccurred(), test.reason)
		g.Expect(got).To(Equal(test.want), test.reason)
	}
}
