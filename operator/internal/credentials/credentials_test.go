package credentials

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// hush begins every value of every Secret here, so that a message that tells one
// is found out.
const hush = "hush"

// network returns one that names this Secret.
func network(secret string) *v1alpha1.BitcoinNetwork {
	return &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: "team-a"},
		Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secret, Chain: v1alpha1.Regtest},
	}
}

// secret returns one that is fit, but for these changes.
func secret(changes ...func(*corev1.Secret)) *corev1.Secret {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "bitcoin-rpc", Namespace: "team-a"},
		Type:       corev1.SecretTypeOpaque,
		Data: map[string][]byte{
			bitcoind.UserKey:     []byte(hush + "-user"),
			bitcoind.PasswordKey: []byte(hush + "-password"),
		},
	}
	for _, change := range changes {
		change(secret)
	}
	return secret
}

func holding(key, value string) func(*corev1.Secret) {
	return func(secret *corev1.Secret) { secret.Data[key] = []byte(value) }
}

func lacking(key string) func(*corev1.Secret) {
	return func(secret *corev1.Secret) { delete(secret.Data, key) }
}

// apiServer is one that holds objects and may answer some reads with an error.
type apiServer struct {
	client.Reader
	// reads are the kinds and names that were read.
	reads []string
}

// failure is what the API server answers to reads of a kind.
type failure struct {
	kind string
	err  error
}

func apiServerWith(objects []client.Object, failures ...failure) *apiServer {
	server := &apiServer{}
	server.Reader = fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithObjects(objects...).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(ctx context.Context, api client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
				kind := object.GetObjectKind().GroupVersionKind().Kind
				if _, ok := object.(*corev1.Secret); ok {
					kind = "Secret"
				}
				server.reads = append(server.reads, kind+" "+key.String())
				for _, failure := range failures {
					if failure.kind == kind {
						return failure.err
					}
				}
				return api.Get(ctx, key, object, options...)
			},
		}).Build()
	return server
}

func forbidden(resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "bitcoin-rpc", errors.New("no rule"))
}

func TestRead(t *testing.T) {
	g := NewWithT(t)
	server := apiServerWith([]client.Object{secret(holding("another", hush))})
	got, err := Reader{API: server, Secret: "bitcoin-rpc"}.Read(t.Context(), network("bitcoin-rpc"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(slices.Equal(got.Pairs, []bitcoind.Credentials{bitcoind.NewCredentials("hush-user", "hush-password")})).To(BeTrue())
	g.Expect(server.reads).To(Equal([]string{"Secret team-a/bitcoin-rpc", "SealedSecret team-a/bitcoin-rpc"}), "of that Secret, and of its SealedSecret")
}

func TestReadTakesWhatBitcoindTakes(t *testing.T) {
	for reason, values := range map[string][2]string{
		"any text is a password":   {"alice", "pass wörd$:#\n"},
		"a user with white space":  {"alice in chains", "password"},
		"characters of any script": {"алиса", "пароль"},
		"what looks like a number": {"0", "0"},
		"as long as may be":        {strings.Repeat("u", 1024), strings.Repeat("p", 4800)},
	} {
		found := secret(holding(bitcoind.UserKey, values[0]), holding(bitcoind.PasswordKey, values[1]))
		got, err := Reader{API: apiServerWith([]client.Object{found}), Secret: "bitcoin-rpc"}.Read(t.Context(), network("bitcoin-rpc"))
		if want := []bitcoind.Credentials{bitcoind.NewCredentials(values[0], values[1])}; err != nil || !slices.Equal(got.Pairs, want) {
			t.Errorf("%s: not taken as it is: %v", reason, err)
		}
	}
}

// Nodes take such a password, and networks run with it: it is told, and no more.
func TestLineBreakAtTheEndIsTold(t *testing.T) {
	const told = `BC_RPC_PASSWORD ends with a line break, which clients that read lines do not send: set it again without one, for example with tr -d '\n'`
	for _, test := range []struct {
		reason string
		secret *corev1.Secret
		want   string
	}{
		{"as the guide seals it", secret(), ""},
		{"a line of a file", secret(holding(bitcoind.PasswordKey, hush+"\n")), told},
		{"a line of a file from Windows", secret(holding(bitcoind.PasswordKey, hush+"\r\n")), told},
		{"half of such an end", secret(holding(bitcoind.PasswordKey, hush+"\r")), told},
		{"one that does not end it is meant", secret(holding(bitcoind.PasswordKey, hush+"\n"+hush)), ""},
		{"a previous one goes in any case", secret(holding(bitcoind.PreviousUserKey, hush), holding(bitcoind.PreviousPasswordKey, hush+"\n")), ""},
	} {
		got, err := Reader{API: apiServerWith([]client.Object{test.secret}), Secret: "bitcoin-rpc"}.Read(t.Context(), network("bitcoin-rpc"))
		if err != nil || got.Warning != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.reason, got.Warning, err, test.want)
		}
	}
}

func TestPreviousPairComesAfterThePresentOne(t *testing.T) {
	g := NewWithT(t)
	server := apiServerWith([]client.Object{secret(holding(bitcoind.PreviousUserKey, "old-user"), holding(bitcoind.PreviousPasswordKey, "old-password"))})
	got, err := Reader{API: server, Secret: "bitcoin-rpc"}.Read(t.Context(), network("bitcoin-rpc"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(slices.Equal(got.Pairs, []bitcoind.Credentials{
		bitcoind.NewCredentials("hush-user", "hush-password"), bitcoind.NewCredentials("old-user", "old-password"),
	})).To(BeTrue())
}

func TestNetworkWithoutASecretHasTheDefault(t *testing.T) {
	g := NewWithT(t)
	server := apiServerWith([]client.Object{secret()})
	got, err := Reader{API: server, Secret: "bitcoin-rpc"}.Read(t.Context(), network(""))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(slices.Equal(got.Pairs, []bitcoind.Credentials{bitcoind.DefaultCredentials})).To(BeTrue())
	g.Expect(server.reads).To(BeEmpty())
}

// Why credentials are unusable, and the message that the user reads.
func TestUnusable(t *testing.T) {
	const (
		missing          = `Secret "bitcoin-rpc" does not exist in namespace team-a`
		tokenOfAnAccount = corev1.SecretTypeServiceAccountToken
	)
	inAnotherNamespace := func(s *corev1.Secret) { s.Namespace = "team-b" }

	for _, test := range []struct {
		reason   string
		objects  []client.Object
		failures []failure
		want     string
	}{
		{"there is none",
			nil, nil,
			"SecretNotFound: " + missing + "; commit the credentials under that name"},
		{"there is one elsewhere, which does not count",
			[]client.Object{secret(inAnotherNamespace)}, nil,
			"SecretNotFound: " + missing + "; commit the credentials under that name"},
		{"it lacks the user",
			[]client.Object{secret(lacking(bitcoind.UserKey))}, nil,
			`SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_USER must be set and not be empty`},
		{"it lacks the password",
			[]client.Object{secret(lacking(bitcoind.PasswordKey))}, nil,
			`SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_PASSWORD must be set and not be empty`},
		{"it holds nothing",
			[]client.Object{secret(func(s *corev1.Secret) { s.Data = nil })}, nil,
			`SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_USER must be set and not be empty`},
		{"keys are told apart by case",
			[]client.Object{secret(lacking(bitcoind.UserKey), holding("bc_rpc_user", hush))}, nil,
			`SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_USER must be set and not be empty`},
		{"an empty user is none",
			[]client.Object{secret(holding(bitcoind.UserKey, ""))}, nil,
			`SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_USER must be set and not be empty`},
		{"an empty password is none",
			[]client.Object{secret(holding(bitcoind.PasswordKey, ""))}, nil,
			`SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_PASSWORD must be set and not be empty`},
		{"half of a previous pair",
			[]client.Object{secret(holding(bitcoind.PreviousPasswordKey, hush))}, nil,
			`SecretIncomplete: Secret "bitcoin-rpc": BC_RPC_USER_PREVIOUS must be set and not be empty`},
		{"a previous user that bitcoind could not take",
			[]client.Object{secret(holding(bitcoind.PreviousUserKey, "a:b"), holding(bitcoind.PreviousPasswordKey, hush))}, nil,
			`SecretInvalid: Secret "bitcoin-rpc": BC_RPC_USER_PREVIOUS must not contain ':', '#' or control characters, or begin or end with a space: bitcoin.conf cannot represent such a user name`},
		{"a type that Kubernetes fills in: whoever may make a SealedSecret would have an account's token",
			[]client.Object{secret(func(s *corev1.Secret) { s.Type = tokenOfAnAccount })}, nil,
			`SecretInvalid: Secret "bitcoin-rpc" is of type kubernetes.io/service-account-token; it must be of type Opaque`},
		{"the type comes before the keys: they would not help",
			[]client.Object{secret(lacking(bitcoind.UserKey), func(s *corev1.Secret) { s.Type = "example.com/other" })}, nil,
			`SecretInvalid: Secret "bitcoin-rpc" is of type example.com/other; it must be of type Opaque`},
		{"bitcoind ends a user at a colon",
			[]client.Object{secret(holding(bitcoind.UserKey, hush+":"))}, nil,
			`SecretInvalid: Secret "bitcoin-rpc": BC_RPC_USER must not contain ':', '#' or control characters, or begin or end with a space: bitcoin.conf cannot represent such a user name`},
		{"the end of line of a file that was sealed",
			[]client.Object{secret(holding(bitcoind.UserKey, hush+"\n"))}, nil,
			`SecretInvalid: Secret "bitcoin-rpc": BC_RPC_USER must not contain ':', '#' or control characters, or begin or end with a space: bitcoin.conf cannot represent such a user name`},
		{"a password that is no text",
			[]client.Object{secret(holding(bitcoind.PasswordKey, hush+"\xff"))}, nil,
			`SecretInvalid: Secret "bitcoin-rpc": BC_RPC_PASSWORD must be valid UTF-8 without NUL bytes`},
		{"a password with which every request would be refused",
			[]client.Object{secret(holding(bitcoind.PasswordKey, strings.Repeat("p", 4801)))}, nil,
			`SecretInvalid: Secret "bitcoin-rpc": BC_RPC_PASSWORD must have at most 4800 bytes: bitcoind rejects requests with long headers`},
		{"bytes count, not characters",
			[]client.Object{secret(holding(bitcoind.PasswordKey, strings.Repeat("ü", 2401)))}, nil,
			`SecretInvalid: Secret "bitcoin-rpc": BC_RPC_PASSWORD must have at most 4800 bytes: bitcoind rejects requests with long headers`},
		{"a user with whom every request would be refused",
			[]client.Object{secret(holding(bitcoind.UserKey, strings.Repeat(hush, 257)))}, nil,
			`SecretInvalid: Secret "bitcoin-rpc": BC_RPC_USER must have at most 1024 bytes: bitcoind rejects requests with long headers`},
		{"a previous pair with which they would be",
			[]client.Object{secret(holding(bitcoind.PreviousUserKey, hush), holding(bitcoind.PreviousPasswordKey, strings.Repeat("p", 4801)))}, nil,
			`SecretInvalid: Secret "bitcoin-rpc": BC_RPC_PASSWORD_PREVIOUS must have at most 4800 bytes: bitcoind rejects requests with long headers`},
		{"the operator's Role does not name it",
			[]client.Object{secret()}, []failure{{"Secret", forbidden("secrets")}},
			`SecretForbidden: the operator's Role does not allow it to read Secret "bitcoin-rpc"; ask the platform team to add it there`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			reader := Reader{API: apiServerWith(test.objects, test.failures...), Secret: "bitcoin-rpc"}
			got, err := reader.Read(t.Context(), network("bitcoin-rpc"))
			unusable := &UnusableError{}
			g.Expect(errors.As(err, &unusable)).To(BeTrue(), "%v is no *UnusableError", err)
			g.Expect(unusable.Reason + ": " + unusable.Message).To(Equal(test.want))
			g.Expect(unusable.Error()).To(Equal(unusable.Message))
			g.Expect(got.Pairs == nil).To(BeTrue(), "credentials that are unusable must not be used")
			g.Expect(fmt.Sprintf("%+v", err)).NotTo(ContainSubstring(hush), "it tells a value")
		})
	}
}

// A Secret that the operator may not read is not even asked for: whoever may make
// a BitcoinNetwork could find out by it which Secrets there are.
func TestAnotherSecretIsNotRead(t *testing.T) {
	g := NewWithT(t)
	other := secret(func(s *corev1.Secret) { s.Name = "tls" })
	for _, objects := range [][]client.Object{nil, {other}} {
		server := apiServerWith(objects)
		_, err := Reader{API: server, Secret: "bitcoin-rpc"}.Read(t.Context(), network("tls"))
		unusable := &UnusableError{}
		g.Expect(errors.As(err, &unusable)).To(BeTrue())
		g.Expect(unusable.Reason).To(Equal(v1alpha1.SecretForbiddenReason))
		g.Expect(unusable.Message).To(Equal(
			`spec.secret: the operator of this namespace may read only Secret "bitcoin-rpc"; set spec.secret to that, or ask the platform team`))
		g.Expect(server.reads).To(BeEmpty())
	}
}

// What is no state of the Secret is no reason to tell the user of: it is tried
// again.
func TestFailureToReadIsAnError(t *testing.T) {
	for _, failed := range []error{
		context.DeadlineExceeded,
		apierrors.NewInternalError(errors.New("etcd is away")),
		apierrors.NewUnauthorized("the operator's token has expired"),
		apierrors.NewTooManyRequests("later", 1),
	} {
		g := NewWithT(t)
		server := apiServerWith([]client.Object{secret()}, failure{"Secret", failed})
		_, err := Reader{API: server, Secret: "bitcoin-rpc"}.Read(t.Context(), network("bitcoin-rpc"))
		g.Expect(err).To(MatchError(failed))
		g.Expect(err).To(MatchError(HavePrefix("read Secret team-a/bitcoin-rpc: ")))
		g.Expect(errors.As(err, new(*UnusableError))).To(BeFalse())
	}
}

// When the data of a Secret became what they are, the API server says in its list of
// who manages which fields.
func TestChangedAt(t *testing.T) {
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	manages := func(after time.Duration, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{
			Manager: "controller", Operation: metav1.ManagedFieldsOperationUpdate,
			Time: new(metav1.NewTime(made.Add(after))), FieldsV1: metav1.NewFieldsV1(fields),
		}
	}
	const (
		hour     = time.Hour
		data     = `{"f:data":{".":{},"f:BC_RPC_PASSWORD":{},"f:BC_RPC_USER":{}},"f:type":{}}`
		password = `{"f:data":{"f:BC_RPC_PASSWORD":{}}}`
		metadata = `{"f:metadata":{"f:annotations":{".":{},"f:data":{}},"f:labels":{"f:data":{}}}}`
	)
	untimed := manages(hour, data)
	untimed.Time = nil
	unsaid := manages(hour, data)
	unsaid.FieldsV1 = nil

	for _, test := range []struct {
		reason  string
		entries []metav1.ManagedFieldsEntry
		want    time.Duration // after the Secret was made
	}{
		{"nobody says", nil, 0},
		{"who made it has never changed it", []metav1.ManagedFieldsEntry{manages(0, data)}, 0},
		{"it was changed", []metav1.ManagedFieldsEntry{manages(hour, data)}, hour},
		{"it was applied as plain text, which the API server notes so", []metav1.ManagedFieldsEntry{manages(hour, `{"f:stringData":{"f:BC_RPC_USER":{}}}`)}, hour},
		{"by two, of whom one changed a part of it later", []metav1.ManagedFieldsEntry{manages(hour, data), manages(2*hour, password)}, 2 * hour},
		{"in whatever order they are told", []metav1.ManagedFieldsEntry{manages(2*hour, password), manages(hour, data)}, 2 * hour},
		{"whoever labels it changes nothing", []metav1.ManagedFieldsEntry{manages(hour, data), manages(2*hour, metadata)}, hour},
		{"nor does who looks after its type", []metav1.ManagedFieldsEntry{manages(hour, data), manages(2*hour, `{"f:type":{}}`)}, hour},
		{"an entry without a time says nothing", []metav1.ManagedFieldsEntry{untimed}, 0},
		{"nor does one without fields", []metav1.ManagedFieldsEntry{unsaid}, 0},
		{"nor one that cannot be read", []metav1.ManagedFieldsEntry{manages(hour, `{"f:data":`), manages(hour, `{"f:data":"odd"}`)}, 0},
		{"the Secret was not changed before it was made", []metav1.ManagedFieldsEntry{manages(-hour, data)}, 0},
	} {
		found := secret(func(s *corev1.Secret) {
			s.CreationTimestamp, s.ManagedFields = metav1.NewTime(made), test.entries
		})
		if got := changedAt(found); !got.Equal(made.Add(test.want)) {
			t.Errorf("%s: %s, want %s", test.reason, got, made.Add(test.want))
		}
	}
}

func TestReadTellsWhenTheSecretChanged(t *testing.T) {
	g := NewWithT(t)
	made := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	server := apiServerWith([]client.Object{secret(func(s *corev1.Secret) { s.CreationTimestamp = made })})
	reader := Reader{API: server, Secret: "bitcoin-rpc"}
	found, err := reader.Read(t.Context(), network("bitcoin-rpc"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found.ChangedAt).To(BeTemporally("==", made.Time))

	found, err = reader.Read(t.Context(), network(""))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found.ChangedAt).To(BeZero(), "the default credentials never do")
}

// The SealedSecret is asked for once, whether or not there is a Secret.
func TestSealedSecretIsReadOnce(t *testing.T) {
	g := NewWithT(t)
	for _, objects := range [][]client.Object{nil, {secret()}, {secret(lacking(bitcoind.UserKey))}} {
		server := apiServerWith(objects)
		_, _ = Reader{API: server, Secret: "bitcoin-rpc"}.Read(t.Context(), network("bitcoin-rpc"))
		g.Expect(server.reads).To(Equal([]string{"Secret team-a/bitcoin-rpc", "SealedSecret team-a/bitcoin-rpc"}))
	}
}
