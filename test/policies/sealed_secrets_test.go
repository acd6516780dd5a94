package policies_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

// value is what kubeseal makes of that many bytes, for a key of 4096 bits: two bytes
// with the length of the session key, that key, and the bytes with their tag.
func value(bytes int) string {
	return base64.StdEncoding.EncodeToString(make([]byte, 2+512+bytes+16))
}

// values are that many of them.
func values(number int) string {
	var all []string
	for i := range number {
		all = append(all, fmt.Sprintf("BC_RPC_PASSWORD_%d: Ag==", i))
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// sealedSecret reads one, of the team's namespace where it names none.
func (team *team) sealedSecret(metadata, spec string) *unstructured.Unstructured {
	spec = strings.ReplaceAll(spec, "NAMESPACE", team.namespace)
	return team.object("apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: " + metadata + "\nspec: " + spec + "\n")
}

func TestSealedSecrets(t *testing.T) {
	const (
		plain  = "{name: bitcoin-rpc}"
		empty  = "{encryptedData: {}}"
		byFlux = " is not allowed; the platform decides how Flux applies a commit"
		byName = "metadata.name: this namespace has one Secret for RPC, bitcoin-rpc; seal it under that name"
		strict = " is not allowed; seal with kubeseal --scope strict"
		others = "spec.template.metadata: name and namespace must be those of the SealedSecret, bitcoin-rpc and "
	)
	for _, test := range []struct {
		reason   string
		metadata string
		spec     string
		want     string
	}{
		{"as kubeseal makes it", plain, "{encryptedData: {BC_RPC_USER: Ag==, BC_RPC_PASSWORD: Ag==}, template: {metadata: {name: bitcoin-rpc, namespace: NAMESPACE}}}", ""},
		{"as kubeseal makes it of a Secret with a type", plain, "{encryptedData: {BC_RPC_USER: Ag==}, template: {metadata: {name: bitcoin-rpc, namespace: NAMESPACE}, type: Opaque}}", ""},
		{"as older ones made it", plain, "{encryptedData: {BC_RPC_USER: Ag==}, template: {data: null, metadata: {creationTimestamp: null, name: bitcoin-rpc, namespace: NAMESPACE}, type: Opaque}}", ""},
		{"as Flux applies it", `{name: bitcoin-rpc, labels: {kustomize.toolkit.fluxcd.io/name: networks, kustomize.toolkit.fluxcd.io/namespace: a, kustomize.toolkit.fluxcd.io/force: disabled}, annotations: {kustomize.toolkit.fluxcd.io/force: disabled}}`, empty, ""},
		{"without a template", plain, empty, ""},
		{"without metadata in it", plain, "{encryptedData: {}, template: {metadata: null}}", ""},
		{"with labels and annotations of the team's, which the Secret does not get", "{name: bitcoin-rpc, annotations: {a: b}, labels: {a: b}}", empty, ""},

		{"both pairs of a rotation", plain, "{encryptedData: {BC_RPC_USER: Ag==, BC_RPC_PASSWORD: Ag==, BC_RPC_USER_PREVIOUS: Ag==, BC_RPC_PASSWORD_PREVIOUS: Ag==}}", ""},
		{"further users' passwords", plain, "{encryptedData: {BC_RPC_PASSWORD_WALLET_2: Ag==}}", ""},
		{"the same password under a key that nodes keep", plain, "{encryptedData: {BC_RPC_USER: Ag==, LEAK: Ag==}}", "spec.encryptedData: LEAK" + wrongKeys},
		{"a key of another's", plain, "{encryptedData: {PATH: Ag==, LD_PRELOAD: Ag==}}", wrongKeys},
		{"one that begins alike", plain, "{encryptedData: {BC_RPC_USERS: Ag==}}", "BC_RPC_USERS" + wrongKeys},
		{"one that ends alike", plain, "{encryptedData: {MY_BC_RPC_USER: Ag==}}", "MY_BC_RPC_USER" + wrongKeys},
		{"small letters", plain, "{encryptedData: {BC_RPC_USER_a: Ag==}}", "BC_RPC_USER_a" + wrongKeys},
		{"a key in two lines", plain, `{encryptedData: {"BC_RPC_USER\nLEAK": Ag==}}`, "spec.encryptedData: a key that is too long or has other characters" + wrongKeys},
		{"a key that is as long as can be", plain, "{encryptedData: {BC_RPC_USER_" + strings.Repeat("A", 52) + ": Ag==}}", ""},
		{"a longer one", plain, "{encryptedData: {BC_RPC_USER_" + strings.Repeat("A", 53) + ": Ag==}}", "spec.encryptedData: a key that is too long or has other characters" + wrongKeys},
		{"the longest password that bitcoind takes", plain, "{encryptedData: {BC_RPC_PASSWORD: " + value(4800) + "}}", ""},
		{"one of a megabyte", plain, "{encryptedData: {BC_RPC_PASSWORD: " + value(700_000) + "}}", "spec.encryptedData: BC_RPC_PASSWORD is too large; at most 8192 characters are allowed"},
		{"passwords of as many users as there can be", plain, "{encryptedData: " + values(40) + "}", ""},
		{"one more", plain, "{encryptedData: " + values(41) + "}", "spec.encryptedData: has 41 values; at most 40 are allowed"},
		{"so many that one is worked on for minutes", plain, "{encryptedData: " + values(1200) + "}", "spec.encryptedData: has 1200 values; at most 40 are allowed"},

		{"a program, which the controller runs", plain, `{encryptedData: {}, template: {data: {BC_RPC_USER: "{{range until 100000}}{{end}}"}}}`, "spec.template.data: leave it out"},
		{"a text, which would be one", plain, `{encryptedData: {}, template: {data: {BC_RPC_USER: me}}}`, "spec.template.data: leave it out"},
		{"no text, which takes keys away", plain, `{encryptedData: {}, template: {data: {BC_RPC_USER: null}}}`, "spec.template.data: leave it out"},
		{"a token", plain, "{encryptedData: {}, template: {type: kubernetes.io/service-account-token}}", "spec.template.type: must be Opaque, not kubernetes.io/service-account-token"},
		{"registry credentials, which kubelets use", plain, "{encryptedData: {}, template: {type: kubernetes.io/dockerconfigjson}}", "spec.template.type: must be Opaque"},
		{"an account", plain, "{encryptedData: {}, template: {metadata: {annotations: {kubernetes.io/service-account.name: default}}}}", "spec.template: metadata.annotations" + bareSecret},
		{"an annotation by which it would be copied elsewhere", plain, `{encryptedData: {}, template: {metadata: {annotations: {replicator.v1.mittwald.de/replicate-to: ".*"}}}}`, "spec.template: metadata.annotations" + bareSecret},
		{"a label by which it would be loaded", plain, `{encryptedData: {}, template: {metadata: {labels: {grafana_datasource: "1"}}}}`, "spec.template: metadata.labels" + bareSecret},
		{"a Secret that stays", plain, "{encryptedData: {}, template: {metadata: {finalizers: [example.com/stay]}}}", "spec.template: metadata.finalizers" + bareSecret},
		{"one of somebody else's", plain, "{encryptedData: {}, template: {metadata: {ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: a}]}}}", "spec.template: metadata.ownerReferences" + bareSecret},
		{"a Secret that is there", plain, `{encryptedData: {}, template: {metadata: {annotations: {sealedsecrets.bitnami.com/managed: "true"}}}}`, "spec.template: metadata.annotations" + bareSecret},
		{"a Secret that could never be changed", plain, "{encryptedData: {}, template: {immutable: true}}", "spec.template.immutable: leave it out; the Secret could never be changed"},
		{"one that may be changed, in as many words", plain, "{encryptedData: {}, template: {immutable: false}}", "spec.template.immutable: leave it out"},
		{"a Secret by another name", plain, "{encryptedData: {}, template: {metadata: {name: git}}}", others},
		{"a Secret in another namespace", plain, "{encryptedData: {}, template: {metadata: {namespace: team-b}}}", others},
		{"the sealing of old", plain, "{encryptedData: {}, data: Ag==}", "spec.data: is not allowed"},

		{"every namespace", `{name: bitcoin-rpc, annotations: {sealedsecrets.bitnami.com/cluster-wide: "true"}}`, empty, "sealedsecrets.bitnami.com/cluster-wide" + strict},
		{"every name", `{name: bitcoin-rpc, annotations: {sealedsecrets.bitnami.com/namespace-wide: "true"}}`, empty, "sealedsecrets.bitnami.com/namespace-wide" + strict},
		{"every namespace, as said in the template", plain, `{encryptedData: {}, template: {metadata: {annotations: {sealedsecrets.bitnami.com/cluster-wide: "true"}}}}`, "spec.template: metadata.annotations" + bareSecret},
		{"another name", "{name: another}", empty, byName},
		{"a name that the platform uses", "{name: git}", empty, byName},
		{"a name that Kubernetes gives", "{generateName: bitcoin-rpc-}", empty, byName},
		{"no values, in as many words", plain, "{encryptedData: {BC_RPC_USER: null}, template: null, data: null}", ""},
		{"a template of nothing, in as many words", plain, "{encryptedData: {}, template: {type: null, immutable: null, metadata: {name: null}}}", ""},
		{"fields of the template in another spelling", plain, "{encryptedData: {}, template: {metadata: {Annotations: {a: b}}}}", "spec.template: metadata.Annotations" + bareSecret},
		{"one that stays", "{name: bitcoin-rpc, finalizers: [example.com/stay]}", empty, "metadata.finalizers: must be empty"},
		{"one that others own", "{name: bitcoin-rpc, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: a}]}", empty, "metadata.ownerReferences: must be empty"},
		{"one that Flux may not remove", "{name: bitcoin-rpc, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}", empty, "kustomize.toolkit.fluxcd.io/prune" + byFlux},
		{"the same as a label", "{name: bitcoin-rpc, labels: {kustomize.toolkit.fluxcd.io/prune: disabled}}", empty, "kustomize.toolkit.fluxcd.io/prune" + byFlux},
		{"one that Flux deletes and makes anew", "{name: bitcoin-rpc, annotations: {kustomize.toolkit.fluxcd.io/force: enabled}}", empty, "kustomize.toolkit.fluxcd.io/force" + byFlux},
		{"a large note", "{name: bitcoin-rpc, annotations: {a: " + strings.Repeat("a", 16<<10) + "}}", empty, "metadata.annotations, metadata.labels: are too large"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			team.expect(team.as("").Create(team.ctx, team.sealedSecret(test.metadata, test.spec)), test.want, test.reason)
		})
	}
}

// One that was there before the rules may stay as it is, and go. What is new of it is
// held to them.
func TestSealedSecretsFromBefore(t *testing.T) {
	team := newTeam(t, bounds())
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "before-"}}
	team.Expect(team.as("").Create(team.ctx, namespace)).To(Succeed())
	team.namespace = namespace.Name
	old := team.sealedSecret("{name: old, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}, labels: {a: b}}",
		`{encryptedData: `+strings.ReplaceAll(values(1200), "Ag==", value(24))+`, template: {data: {x: "{{ 1 }}"}, immutable: true, metadata: {labels: {a: b}}}}`)
	team.Expect(team.as("").Create(team.ctx, old)).To(Succeed())
	namespace.Labels[policies.TenantLabel] = "true"
	team.Expect(team.as("").Update(team.ctx, namespace)).To(Succeed())
	team.Eventually(func() error {
		return team.as("").Create(team.ctx, team.sealedSecret("{name: bitcoin-rpc}", "{encryptedData: {LEAK: Ag==}}"), client.DryRunAll)
	}).WithTimeout(10*time.Second).Should(MatchError(ContainSubstring("denied request")), "it is a tenant's from now on")

	unsealer := "system:serviceaccount:kube-system:sealed-secrets-controller"
	team.allow("unsealer", unsealer, rbacv1.PolicyRule{APIGroups: []string{"bitnami.com"}, Resources: []string{"sealedsecrets/status"}, Verbs: []string{"update"}})
	condition := map[string]any{"type": "Synced", "status": "False", "message": "no key could decrypt secret"}
	team.Expect(unstructured.SetNestedSlice(old.Object, []any{condition}, "status", "conditions")).To(Succeed())
	team.expect(team.as(unsealer).Status().Update(team.ctx, old), "", "what the unsealer says of it")

	merge := func(patch string) error {
		return team.as("").Patch(team.ctx, old.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))
	}
	team.expect(merge(`{}`), "", "Flux, which applies it as it is")
	const flux = "kustomize.toolkit.fluxcd.io/"
	team.expect(merge(`{"metadata": {"annotations": {"`+flux+`force": "disabled"}, "labels": {"`+flux+`force": "disabled", "`+flux+`name": "networks", "`+flux+`namespace": "a"}}}`),
		"", "Flux of a later version, which says more of all that it applies")
	team.expect(merge(`{"metadata": {"annotations": {"`+flux+`force": "enabled"}}}`), "denied request", "that Flux makes it anew")
	team.expect(merge(`{"metadata": {"finalizers": ["foregroundDeletion"]}}`), "", "a finalizer of Kubernetes' own")
	team.expect(merge(`{"metadata": {"finalizers": null}}`), "", "that it is taken off")
	team.expect(merge(`{"metadata": {"finalizers": ["example.com/stay"]}}`), "denied request", "another")
	team.expect(merge(`{"spec": {"encryptedData": {"BC_RPC_USER": "Ag=="}}}`), "spec.template.data: leave it out", "a value more")
	team.expect(merge(`{"metadata": {"labels": {"a": "c"}}}`), "denied request", "another label")
	team.expect(merge(`{"metadata": {"generateName": "a"}}`), "denied request", "a name to generate")
	mended := `[{"op": "remove", "path": "/metadata/annotations"}, {"op": "remove", "path": "/spec/template"}, {"op": "replace", "path": "/spec/encryptedData", "value": {"BC_RPC_USER": "Ag=="}}]`
	team.expect(team.as("").Patch(team.ctx, old.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(mended))), "", "one that is none of it any more, but for its name")

	team.Expect(team.as("").Delete(team.ctx, old)).To(Succeed())
}

// Without its bounds no SealedSecret comes to a tenant's namespace; what is there can go,
// as when the namespace does, and its ConfigMap first.
func TestSealedSecretsWithoutBounds(t *testing.T) {
	team := newTeam(t, bounds())
	sealed := team.sealedSecret("{name: bitcoin-rpc, finalizers: [foregroundDeletion]}", "{encryptedData: {BC_RPC_USER: Ag==}}")
	team.Expect(team.as("").Create(team.ctx, sealed)).To(Succeed())
	team.losesBounds()
	another := team.sealedSecret("{name: another}", "{encryptedData: {}}")
	team.Eventually(func() error { return team.as("").Create(team.ctx, another.DeepCopy(), client.DryRunAll) }).
		WithTimeout(10 * time.Second).Should(MatchError(ContainSubstring("no params found for policy binding")))
	team.expect(team.as("").Delete(team.ctx, sealed, client.PropagationPolicy(metav1.DeletePropagationForeground)), "", "deleting it")
	team.expect(team.as("").Patch(team.ctx, sealed, client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`))), "", "what Kubernetes does then")
}
