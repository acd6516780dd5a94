package credentials

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// notInstalled is what the API server says of a kind that it does not have.
var notInstalled = apierrors.NewGenericServerResponse(http.StatusNotFound, "get", schema.GroupResource{}, "", "", 0, true)

// sealedSecret returns the network's, with these conditions.
func sealedSecret(conditions ...any) *unstructured.Unstructured {
	sealed := &unstructured.Unstructured{Object: map[string]any{}}
	sealed.SetGroupVersionKind(SealedSecretKind)
	sealed.SetName("bitcoin-rpc")
	sealed.SetNamespace("team-a")
	if len(conditions) > 0 {
		sealed.Object["status"] = map[string]any{"conditions": conditions}
	}
	return sealed
}

// condition is one as the sealed-secrets controller writes it.
func condition(kind, status, message string) map[string]any {
	condition := map[string]any{"type": kind, "status": status, "lastUpdateTime": "2026-01-01T00:00:00Z"}
	if message != "" {
		condition["message"] = message
	}
	return condition
}

func TestWhyASecretIsMissing(t *testing.T) {
	const (
		none   = `Secret "bitcoin-rpc" does not exist in namespace team-a; commit the credentials under that name`
		sealed = `Secret "bitcoin-rpc" does not exist in namespace team-a yet; its SealedSecret has not been unsealed`
		noKey  = "no key could decrypt secret (BC_RPC_PASSWORD)"
	)
	withStatus := func(status any) *unstructured.Unstructured {
		odd := sealedSecret()
		odd.Object["status"] = status
		return odd
	}
	elsewhere := sealedSecret(condition("Synced", "False", noKey))
	elsewhere.SetNamespace("team-b")

	for _, test := range []struct {
		reason  string
		objects []client.Object
		failure error
		want    string
	}{
		{"nobody committed anything", nil, nil, none},
		{"sealed-secrets is not installed, which is nobody's fault", nil, notInstalled, none},
		{"the operator may not read SealedSecrets", nil, forbidden("sealedsecrets"), none},
		{"the API server has other trouble: the Secret is missing all the same", nil, apierrors.NewInternalError(errors.New("no")), none},
		{"another namespace's does not count", []client.Object{elsewhere}, nil, none},
		{"nobody has looked at it yet", []client.Object{sealedSecret()}, nil, sealed},
		{"it cannot be unsealed", []client.Object{sealedSecret(condition("Synced", "False", noKey))}, nil, sealed + ": " + noKey},
		{"without a reason", []client.Object{sealedSecret(condition("Synced", "False", ""))}, nil, sealed},
		{"among other conditions", []client.Object{sealedSecret(
			condition("Another", "False", "not this"), condition("Synced", "False", noKey))}, nil, sealed + ": " + noKey},
		{"it was unsealed before, and its old message means nothing", []client.Object{sealedSecret(condition("Synced", "True", "old"))}, nil, sealed},
		{"it is not known whether", []client.Object{sealedSecret(condition("Synced", "Unknown", "old"))}, nil, sealed},
		{"a status of another shape tells nothing", []client.Object{withStatus("odd")}, nil, sealed},
		{"nor do conditions", []client.Object{withStatus(map[string]any{"conditions": "odd"})}, nil, sealed},
		{"nor does one", []client.Object{sealedSecret("odd", condition("Synced", "False", noKey))}, nil, sealed + ": " + noKey},
		{"nor does a message", []client.Object{sealedSecret(map[string]any{"type": "Synced", "status": "False", "message": int64(7)})}, nil, sealed},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			var failures []failure
			if test.failure != nil {
				failures = append(failures, failure{"SealedSecret", test.failure})
			}
			reader := Reader{API: apiServerWith(test.objects, failures...), Secret: "bitcoin-rpc"}
			_, err := reader.Read(t.Context(), network("bitcoin-rpc"))
			unusable := &UnusableError{}
			g.Expect(errors.As(err, &unusable)).To(BeTrue(), "%v is no *UnusableError", err)
			g.Expect(unusable.Reason).To(Equal(v1alpha1.SecretNotFoundReason))
			g.Expect(unusable.Message).To(Equal(test.want))
		})
	}
}

// A Secret that there is serves on when its SealedSecret cannot be opened, or applied to
// it: so it is told that Git has another.
func TestSecretThatIsNotWhatItsSealedSecretSays(t *testing.T) {
	const (
		told      = "it does not match its SealedSecret, which could not be unsealed or applied: "
		noKey     = "no key could decrypt secret (BC_RPC_PASSWORD)"
		immutable = `Secret "bitcoin-rpc" is invalid: data: Forbidden: field is immutable when 'immutable' is set`
	)
	for _, test := range []struct {
		reason  string
		sealed  []client.Object
		failure error
		want    string
	}{
		{"there is none: somebody made the Secret", nil, nil, ""},
		{"it was applied", []client.Object{sealedSecret(condition("Synced", "True", ""))}, nil, ""},
		{"nobody has looked at it yet", []client.Object{sealedSecret()}, nil, ""},
		{"it cannot be opened", []client.Object{sealedSecret(condition("Synced", "False", noKey))}, nil, told + noKey},
		{"it cannot be applied", []client.Object{sealedSecret(condition("Synced", "False", immutable))}, nil, told + immutable},
		{"its words are cut, and made printable", []client.Object{sealedSecret(condition("Synced", "False", "a\x1b[31m\n"+strings.Repeat("b", 400)))}, nil,
			told + "…" + strings.Repeat("b", 300)},
		{"it may not be read", nil, forbidden("sealedsecrets"), ""},
		{"sealed-secrets is not installed", nil, notInstalled, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			var failures []failure
			if test.failure != nil {
				failures = append(failures, failure{"SealedSecret", test.failure})
			}
			reader := Reader{API: apiServerWith(append(test.sealed, secret()), failures...), Secret: "bitcoin-rpc"}
			got, err := reader.Read(t.Context(), network("bitcoin-rpc"))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got.Pairs).To(HaveLen(1))
			g.Expect(got.NotApplied).To(Equal(test.want))

			reader = Reader{API: apiServerWith(append(test.sealed, secret(lacking(bitcoind.UserKey))), failures...), Secret: "bitcoin-rpc"}
			_, err = reader.Read(t.Context(), network("bitcoin-rpc"))
			want := `Secret "bitcoin-rpc": BC_RPC_USER must be set and not be empty`
			if test.want != "" {
				want += "; " + test.want
			}
			g.Expect(err).To(MatchError(want), "nor does a Secret that is unfit hide what may mend it")
		})
	}
}

// What is read of a SealedSecret is in the definition that sealed-secrets brings.
func TestSealedSecretIsAsItsDefinitionSays(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("../../../gitops/infrastructure/sealed-secrets/crd.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	var definition struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Served bool
				Schema struct {
					OpenAPIV3Schema fields
				}
			}
		}
	}
	g.Expect(yaml.Unmarshal(text, &definition)).To(Succeed())
	g.Expect(definition.Spec.Group).To(Equal(SealedSecretKind.Group))
	g.Expect(definition.Spec.Names.Kind).To(Equal(SealedSecretKind.Kind))
	for _, version := range definition.Spec.Versions {
		if version.Name != SealedSecretKind.Version {
			continue
		}
		g.Expect(version.Served).To(BeTrue())
		conditions := version.Schema.OpenAPIV3Schema.Properties["status"].Properties["conditions"]
		g.Expect(conditions.Type).To(Equal("array"))
		for _, field := range []string{"type", "status", "message"} {
			g.Expect(conditions.Items.Properties[field].Type).To(Equal("string"), field)
		}
		g.Expect(conditions.Items.Properties["type"].Description).To(ContainSubstring(`Valid value: "Synced"`))
		return
	}
	t.Errorf("there is no version %s", SealedSecretKind.Version)
}

// fields are what matters here of the schema of a resource definition.
type fields struct {
	Type, Description string
	Properties        map[string]fields
	Items             *fields
}
