package policies_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// from are the bounds of a team whose Secret comes from there.
func from(source string) map[string]string {
	bounds := grouped()
	bounds["secretFrom"] = source
	return bounds
}

// commits returns a client of what applies the team's commits, which may do anything here:
// what stops it is not its Role.
func (team *team) commits() client.Client {
	user := "system:serviceaccount:" + team.namespace + ":reconciler"
	team.allow("commits", user, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
	return team.as(user)
}

// secret reads one, as it is once it is decrypted.
func (team *team) secret(metadata, content string) *unstructured.Unstructured {
	return team.object("apiVersion: v1\nkind: Secret\nmetadata: " + metadata + "\n" + content + "\n")
}

// expectOfCommits expects that a commit may make an object, or is refused so, which the
// platform may make in any case.
func (team *team) expectOfCommits(object *unstructured.Unstructured, want, reason string) {
	team.t.Helper()
	team.expect(team.commits().Create(team.ctx, object.DeepCopy(), client.DryRunAll), want, reason)
	if want != "" {
		team.expect(team.as("").Create(team.ctx, object.DeepCopy(), client.DryRunAll), "", "the platform may")
	}
}

const (
	wrongKeys  = " is not allowed; keys must be BC_RPC_USER or BC_RPC_PASSWORD, optionally followed by _ and more of A-Z, 0-9 and _, of at most 64 characters"
	bareSecret = " is not allowed; the Secret may have no metadata other than a name and a namespace"
)

// What a commit may make of the one Secret, where the platform lets it.
func TestSecretsOfACommit(t *testing.T) {
	const (
		plain = "{name: bitcoin-rpc}"
		pair  = "stringData: {BC_RPC_USER: me, BC_RPC_PASSWORD: secret}"
		byFor = "metadata.name: this namespace has one Secret for RPC, bitcoin-rpc; use that name"
		none  = "stringData: {}"
	)
	for _, test := range []struct {
		reason   string
		metadata string
		content  string
		want     string
	}{
		{"as Flux applies it", "{name: bitcoin-rpc, labels: {kustomize.toolkit.fluxcd.io/name: networks, kustomize.toolkit.fluxcd.io/namespace: a, kustomize.toolkit.fluxcd.io/force: disabled}, annotations: {kustomize.toolkit.fluxcd.io/force: disabled}}", pair, ""},
		{"with its type", plain, "type: Opaque\n" + pair, ""},
		{"in base64", plain, "data: {BC_RPC_USER: bWU=, BC_RPC_PASSWORD: c2VjcmV0}", ""},
		{"both pairs of a rotation, and another user's password", plain, "stringData: {BC_RPC_USER: me, BC_RPC_PASSWORD: b, BC_RPC_USER_PREVIOUS: me, BC_RPC_PASSWORD_PREVIOUS: a, BC_RPC_PASSWORD_WALLET: c}", ""},
		{"the longest password that bitcoind takes", plain, "stringData: {BC_RPC_PASSWORD: " + strings.Repeat("a", 4800) + "}", ""},

		{"a key that nodes keep", plain, "stringData: {BC_RPC_USER: me, LEAK: a}", "data, stringData: LEAK" + wrongKeys},
		{"the same in base64", plain, "data: {LD_PRELOAD: bWU=}", "data, stringData: LD_PRELOAD" + wrongKeys},
		{"one that begins alike", plain, "stringData: {BC_RPC_USERS: a}", "BC_RPC_USERS" + wrongKeys},
		{"a key that is too long", plain, "stringData: {BC_RPC_USER_" + strings.Repeat("A", 53) + ": a}", wrongKeys},
		{"a value that is too large", plain, "stringData: {BC_RPC_PASSWORD: " + strings.Repeat("a", 5002) + "}", "data, stringData: BC_RPC_PASSWORD is too large"},
		{"more values than users need", plain, "stringData: " + values(41), "data, stringData: has 41 values; at most 40 are allowed"},

		{"a token", "{name: bitcoin-rpc, annotations: {kubernetes.io/service-account.name: bitcoin-operator}}", "type: kubernetes.io/service-account-token", "type: must be Opaque, not kubernetes.io/service-account-token"},
		{"registry credentials, which kubelets use", plain, "type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: \"{}\"}", "type: must be Opaque"},
		{"another account to join the cluster as", plain, "type: bootstrap.kubernetes.io/token\n" + none, "type: must be Opaque"},
		{"a Secret that could never be changed", plain, "immutable: true\n" + pair, "immutable: leave it out"},
		{"one that may be changed, in as many words", plain, "immutable: false\n" + pair, "immutable: leave it out"},

		{"an annotation by which it would be copied elsewhere", `{name: bitcoin-rpc, annotations: {replicator.v1.mittwald.de/replicate-to: ".*"}}`, pair, "metadata.annotations, metadata.labels: replicator.v1.mittwald.de/replicate-to" + bareSecret},
		{"a label by which it would be loaded", `{name: bitcoin-rpc, labels: {grafana_datasource: "1"}}`, pair, "grafana_datasource" + bareSecret},
		{"one that Flux may not remove", "{name: bitcoin-rpc, labels: {kustomize.toolkit.fluxcd.io/prune: disabled}}", pair, "kustomize.toolkit.fluxcd.io/prune" + bareSecret},
		{"one that Flux deletes and makes anew", "{name: bitcoin-rpc, annotations: {kustomize.toolkit.fluxcd.io/force: enabled}}", pair, "kustomize.toolkit.fluxcd.io/force" + bareSecret},
		{"one that Flux does not decrypt", "{name: bitcoin-rpc, annotations: {kustomize.toolkit.fluxcd.io/decrypt: disabled}}", pair, "kustomize.toolkit.fluxcd.io/decrypt" + bareSecret},
		{"Flux's labels as annotations", "{name: bitcoin-rpc, annotations: {kustomize.toolkit.fluxcd.io/name: networks}}", pair, "kustomize.toolkit.fluxcd.io/name" + bareSecret},
		{"one that stays", "{name: bitcoin-rpc, finalizers: [example.com/stay]}", pair, "metadata.finalizers: must be empty"},
		{"one that others own", "{name: bitcoin-rpc, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: a}]}", pair, "metadata.ownerReferences: must be empty"},
		{"a name to generate", "{name: bitcoin-rpc, generateName: a}", pair, "metadata.generateName: leave it out"},

		{"another name", "{name: another}", pair, byFor},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, from("sops"))
			team.expectOfCommits(team.secret(test.metadata, test.content), test.want, test.reason)
		})
	}
}

// Not even a platform that names one of its own Secrets by mistake gives it to a team.
func TestSecretsOfThePlatform(t *testing.T) {
	for _, name := range []string{"git", "sops-age"} {
		bounds := from("sops")
		bounds["secret"] = name
		team := newTeam(t, bounds)
		want := "metadata.name: only the platform may change the Secret " + name
		team.expect(team.commits().Create(team.ctx, team.secret("{name: "+name+"}", "stringData: {BC_RPC_USER: me}")), want, name)

		bounds["secretFrom"] = "external-secrets"
		team = newTeam(t, bounds)
		team.expect(team.commits().Create(team.ctx, team.externalSecret("{name: "+name+"}", "{secretStoreRef: {name: vault}, data: []}")), want, name)
	}
}

// The Secret was the platform's, or sealed-secrets', before a commit takes it over: what is
// there may stay, and nothing may come.
func TestSecretThatWasThere(t *testing.T) {
	team := newTeam(t, from("sops"))
	commits := team.commits()
	there := team.secret(`{name: bitcoin-rpc, labels: {app: a}, finalizers: [example.com/stay],
  ownerReferences: [{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, name: bitcoin-rpc, uid: a, controller: true}]}`, "stringData: {BC_RPC_USER: me}")
	team.Expect(team.as("").Create(team.ctx, there)).To(Succeed())
	merge := func(patch string) error {
		return commits.Patch(team.ctx, there.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)), client.DryRunAll)
	}
	team.expect(merge(`{"stringData": {"BC_RPC_PASSWORD": "a"}}`), "", "a password")
	team.expect(merge(`{"metadata": {"ownerReferences": null, "finalizers": null, "labels": null}}`), "", "nothing of it any more")
	team.expect(merge(`{"stringData": {"LEAK": "a"}}`), "data, stringData: LEAK"+wrongKeys, "another key")
	team.expect(merge(`{"metadata": {"labels": {"app": "b"}}}`), "app"+bareSecret, "another label")
	team.expect(merge(`{"metadata": {"finalizers": ["example.com/stay", "example.com/too"]}}`), "metadata.finalizers: must be empty", "another finalizer")
	team.expect(merge(`{"immutable": true}`), "immutable: leave it out", "that it never changes")

	// Its owner stays, so it goes with its SealedSecret, as docs/secrets.md says of changing over.
	applied := team.secret("{name: bitcoin-rpc}", "stringData: {BC_RPC_USER: me, BC_RPC_PASSWORD: a}")
	team.expect(commits.Apply(team.ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("kustomize-controller"), client.ForceOwnership), "", "what Flux applies")
	team.Expect(team.as("").Get(team.ctx, client.ObjectKeyFromObject(there), there)).To(Succeed())
	team.Expect(there.GetOwnerReferences()).To(HaveExactElements(HaveField("Kind", "SealedSecret")))
}

// A platform may have let a team commit its Secret before there was a switch for that: what
// Flux has applied it applies again, or none of the team's commits would be any more.
func TestSecretFromBeforeTheSwitch(t *testing.T) {
	team := newTeam(t, grouped())
	commits := team.commits()
	for _, there := range []*unstructured.Unstructured{
		team.secret("{name: theirs, labels: {app: a}}", "type: kubernetes.io/basic-auth\nstringData: {username: me}"),
		team.externalSecret("{name: theirs, labels: {app: a}}", "{secretStoreRef: {name: all, kind: ClusterSecretStore}, dataFrom: [{find: {}}]}"),
	} {
		team.Expect(team.as("").Create(team.ctx, there.DeepCopy())).To(Succeed())
		apply := func(fields ...string) error {
			again := there.DeepCopy()
			if len(fields) > 0 {
				team.Expect(unstructured.SetNestedField(again.Object, "b", fields...)).To(Succeed())
			}
			return commits.Apply(team.ctx, client.ApplyConfigurationFromUnstructured(again), client.FieldOwner("kustomize-controller"), client.ForceOwnership)
		}
		team.expect(apply(), "", "as it is")
		team.expect(apply("metadata", "labels", "app"), "denied request", "another label")
		content := []string{"stringData", "username"}
		if there.GetKind() == "ExternalSecret" {
			content = []string{"spec", "secretStoreRef", "name"}
		}
		team.expect(apply(content...), "denied request", "another content")
	}
}

// externalSecret reads one.
func (team *team) externalSecret(metadata, spec string) *unstructured.Unstructured {
	return team.object("apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: " + metadata + "\nspec: " + spec + "\n")
}

// What a commit may have External Secrets make, where the platform lets it.
func TestExternalSecretsOfACommit(t *testing.T) {
	const (
		plain  = "{name: bitcoin-rpc}"
		store  = "secretStoreRef: {name: vault}"
		pair   = "data: [{secretKey: BC_RPC_USER, remoteRef: {key: rpc, property: user}}, {secretKey: BC_RPC_PASSWORD, remoteRef: {key: rpc, property: password}}]"
		usual  = "{" + store + ", " + pair + "}"
		fields = " is not allowed; list each key of the Secret in spec.data, with its remoteRef"
		signs  = " is not allowed; the Secret would get them, too"
		others = "spec.secretStoreRef: must name a SecretStore of this namespace; only the platform may use a ClusterSecretStore"
	)
	many := make([]string, 41)
	for i := range many {
		many[i] = fmt.Sprintf("{secretKey: BC_RPC_PASSWORD_%d, remoteRef: {key: rpc}}", i)
	}
	for _, test := range []struct {
		reason   string
		metadata string
		spec     string
		want     string
	}{
		{"a pair of the team's store", plain, usual, ""},
		{"as Flux applies it", "{name: bitcoin-rpc, labels: {kustomize.toolkit.fluxcd.io/name: networks, kustomize.toolkit.fluxcd.io/namespace: a, kustomize.toolkit.fluxcd.io/force: disabled}, annotations: {kustomize.toolkit.fluxcd.io/force: disabled}}", usual, ""},
		{"with all that may be said", plain, "{secretStoreRef: {name: vault, kind: SecretStore}, refreshInterval: 5m, refreshPolicy: Periodic, target: {name: bitcoin-rpc, creationPolicy: Owner, deletionPolicy: Delete}, " + pair + "}", ""},
		{"fetched once", plain, `{` + store + `, refreshInterval: "0", ` + pair + `}`, ""},
		{"fetched once, in as many words", plain, `{` + store + `, refreshInterval: 0h0m0s, ` + pair + `}`, ""},
		{"fetched twice in three hours", plain, `{` + store + `, refreshInterval: 1h30m, ` + pair + `}`, ""},

		{"a store that is everybody's", plain, "{secretStoreRef: {name: vault, kind: ClusterSecretStore}, " + pair + "}", others},
		{"no store", plain, "{" + pair + "}", others},
		{"a store of a value's own", plain, "{" + store + ", data: [{secretKey: BC_RPC_USER, remoteRef: {key: rpc}, sourceRef: {storeRef: {name: all, kind: ClusterSecretStore}}}]}", "spec: data[].sourceRef" + fields},
		{"all that the store has", plain, "{" + store + ", dataFrom: [{find: {name: {regexp: .*}}}]}", "spec: dataFrom" + fields},
		{"what a generator makes, such as a token", plain, "{" + store + ", dataFrom: [{sourceRef: {generatorRef: {kind: ECRAuthorizationToken, name: a}}}]}", "spec: dataFrom" + fields},
		{"a program, which the controller runs", plain, "{" + store + ", target: {template: {data: {BC_RPC_USER: \"{{ .a }}\"}}}, " + pair + "}", "spec: target.template" + fields},
		{"a token", plain, "{" + store + ", target: {template: {type: kubernetes.io/service-account-token}}}", "spec: target.template" + fields},
		{"an object that is no Secret", plain, "{" + store + ", target: {manifest: {apiVersion: rbac.authorization.k8s.io/v1, kind: Role}}, " + pair + "}", "spec: target.manifest" + fields},
		{"a Secret that could never be changed", plain, "{" + store + ", target: {immutable: true}, " + pair + "}", "spec: target.immutable" + fields},
		{"another Secret", plain, "{" + store + ", target: {name: git}, " + pair + "}", "spec.target.name: must be bitcoin-rpc, the name of the ExternalSecret"},
		{"a Secret that is somebody's", plain, "{" + store + ", target: {creationPolicy: Merge}, " + pair + "}", "spec.target.creationPolicy: must be Owner"},
		{"a Secret that stays", plain, "{" + store + ", target: {creationPolicy: Orphan}, " + pair + "}", "spec.target.creationPolicy: must be Owner"},
		{"a key that nodes keep", plain, "{" + store + ", data: [{secretKey: LEAK, remoteRef: {key: rpc}}]}", "spec.data: LEAK" + wrongKeys},
		{"more values than users need", plain, "{" + store + ", data: [" + strings.Join(many, ", ") + "]}", "spec.data: has 41 values; at most 40 are allowed"},
		{"a request of any size", plain, "{" + store + ", data: [{secretKey: BC_RPC_USER, remoteRef: {key: " + strings.Repeat("a", 1025) + "}}]}", "spec.data: key, property and version of a remoteRef may have at most 1024 characters"},
		{"requests without end", plain, "{" + store + ", refreshInterval: 1s, " + pair + "}", "spec.refreshInterval: must be at least 1m"},
		{"an interval from the past", plain, "{" + store + ", refreshInterval: -1h, " + pair + "}", "spec.refreshInterval: must be at least 1m"},
		{"an interval in what is no unit", plain, "{" + store + ", refreshInterval: 1d, " + pair + "}", "spec.refreshInterval: must be at least 1m"},
		{"an interval that is not said", plain, "{" + store + `, refreshInterval: "", ` + pair + "}", "spec.refreshInterval: must be at least 1m"},
		{"an interval longer than a time can be", plain, "{" + store + ", refreshInterval: 9999999999h, " + pair + "}", "spec.refreshInterval: must be at least 1m"},

		{"an annotation that the Secret would get", `{name: bitcoin-rpc, annotations: {replicator.v1.mittwald.de/replicate-to: ".*"}}`, usual, "replicator.v1.mittwald.de/replicate-to" + signs},
		{"a label that the Secret would get", `{name: bitcoin-rpc, labels: {grafana_datasource: "1"}}`, usual, "grafana_datasource" + signs},
		{"one that Flux may not remove", "{name: bitcoin-rpc, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}", usual, "kustomize.toolkit.fluxcd.io/prune" + signs},
		{"one that stays", "{name: bitcoin-rpc, finalizers: [example.com/stay]}", usual, "metadata.finalizers: must be empty"},
		{"one that others own", "{name: bitcoin-rpc, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: a}]}", usual, "metadata.ownerReferences: must be empty"},
		{"a name to generate", "{name: bitcoin-rpc, generateName: a}", usual, "metadata.generateName: leave it out"},
		{"another name", "{name: another}", usual, "metadata.name: this namespace has one Secret for RPC, bitcoin-rpc; use that name"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, from("external-secrets"))
			team.expectOfCommits(team.externalSecret(test.metadata, test.spec), test.want, test.reason)
		})
	}
}

// What External Secrets itself has put onto an ExternalSecret does not keep a commit from
// changing it.
func TestExternalSecretThatIsLookedAfter(t *testing.T) {
	team := newTeam(t, from("external-secrets"))
	there := team.externalSecret("{name: bitcoin-rpc, finalizers: [externalsecrets.external-secrets.io/externalsecret-cleanup], annotations: {force-sync: a}}",
		"{secretStoreRef: {name: vault}, data: []}")
	team.Expect(team.as("").Create(team.ctx, there)).To(Succeed())
	commits := team.commits()
	merge := func(patch string) error {
		return commits.Patch(team.ctx, there.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)), client.DryRunAll)
	}
	team.expect(merge(`{"spec": {"data": [{"secretKey": "BC_RPC_USER", "remoteRef": {"key": "rpc"}}]}}`), "", "a value")
	team.expect(merge(`{"spec": {"secretStoreRef": {"kind": "ClusterSecretStore"}}}`), "spec.secretStoreRef: must name a SecretStore", "another store, later")
	team.expect(merge(`{"spec": {"target": {"template": {"type": "kubernetes.io/service-account-token"}}}}`), "spec: target.template", "a template, later")
}

// Where the one Secret comes from is the platform's to say, whatever a Role lets a commit do.
func TestWhereTheSecretComesFrom(t *testing.T) {
	for _, test := range []struct {
		from             string
		secret, external string // what is refused
	}{
		{"", "only where the platform has set secretFrom to sops in the ConfigMap tenant; in this namespace it is sealed-secrets", "only where the platform has set secretFrom to external-secrets in the ConfigMap tenant; in this namespace it is sealed-secrets"},
		{"sealed-secrets", "in this namespace it is sealed-secrets", "in this namespace it is sealed-secrets"},
		{"sops", "", "only where the platform has set secretFrom to external-secrets in the ConfigMap tenant; in this namespace it is sops"},
		{"external-secrets", "only where the platform has set secretFrom to sops", ""},
		{"SOPS", "in this namespace it is SOPS", "in this namespace it is SOPS"},
	} {
		t.Run("from "+test.from, func(t *testing.T) {
			bounds := from(test.from)
			if test.from == "" {
				delete(bounds, "secretFrom")
			}
			team := newTeam(t, bounds)
			commits := team.commits()
			secret := team.secret("{name: bitcoin-rpc}", "stringData: {BC_RPC_USER: me}")
			external := team.externalSecret("{name: bitcoin-rpc}", "{secretStoreRef: {name: vault}, data: [{secretKey: BC_RPC_USER, remoteRef: {key: rpc}}]}")
			team.expect(commits.Create(team.ctx, secret.DeepCopy(), client.DryRunAll), test.secret, "a Secret")
			team.expect(commits.Create(team.ctx, external.DeepCopy(), client.DryRunAll), test.external, "an ExternalSecret")
			sealed := team.sealedSecret("{name: bitcoin-rpc}", "{encryptedData: {BC_RPC_USER: Ag==}}")
			team.expect(commits.Create(team.ctx, sealed, client.DryRunAll), "", "a SealedSecret, with which one changes over")
			for _, there := range []*unstructured.Unstructured{secret, external} {
				team.expect(team.as("").Create(team.ctx, there), "", "the platform")
				label := client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "networks"}}}`))
				want := test.secret
				if there == external {
					want = test.external
				}
				team.expect(commits.Patch(team.ctx, there, label, client.DryRunAll), want, "a change of what is there")
			}
		})
	}
}

// variant gives the team the rights that tenants/base and a component give one.
func (team *team) variant(component string) {
	team.t.Helper()
	here, err := os.Getwd()
	team.Expect(err).NotTo(HaveOccurred())
	folder := team.t.TempDir()
	tenants, err := filepath.Rel(folder, filepath.Join(here, "../../tenants"))
	team.Expect(err).NotTo(HaveOccurred())
	components := "  - " + tenants + "/base\n"
	if component != "" {
		components += "  - " + tenants + "/" + component + "\n"
	}
	for name, content := range map[string]string{
		"kustomization.yaml": "namespace: " + team.namespace + "\nresources:\n  - tenant.yaml\ncomponents:\n" + components,
		"tenant.yaml":        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tenant}\ndata: {repository: a.git, group: team-a, secret: bitcoin-rpc, frozen: \"false\", chains: regtest, secretFrom: " + cmp.Or(component, "sealed-secrets") + "}\n",
	} {
		team.Expect(os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600)).To(Succeed())
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	team.Expect(err).NotTo(HaveOccurred())
	for _, resource := range built.Resources() {
		if kind := resource.GetKind(); kind != "Role" && kind != "RoleBinding" {
			continue
		}
		object := &unstructured.Unstructured{}
		team.Expect(yaml.Unmarshal([]byte(resource.MustYaml()), &object.Object)).To(Succeed())
		team.Expect(team.as("").Create(team.ctx, object)).To(Succeed())
	}
	team.Eventually(func() (bool, error) {
		return team.may("reconciler", "get", "bitcoin-operator.github.io", "bitcoinnetworks", "")
	}).Should(BeTrue())
	team.Eventually(func() (bool, error) { return team.may("bitcoin-operator", "get", "", "secrets", "bitcoin-rpc") }).Should(BeTrue())
}

// may reports whether an account of the team's, or of another namespace where the name has
// one before a slash, may do that.
func (team *team) may(account, verb, group, resource, name string) (bool, error) {
	in, account, found := strings.Cut(account, "/")
	if !found {
		in, account = team.namespace, in
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + in + ":" + account,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: team.namespace, Verb: verb, Group: group, Resource: resource, Name: name},
	}}
	err := team.as("").Create(team.ctx, review)
	return review.Status.Allowed, err
}

// Each variant opens what it is for, and nothing else.
func TestRightsOfVariants(t *testing.T) {
	const builds = "flux-tenants/kustomize-controller"
	rights := []struct {
		account, verb, group, resource, name string
		in                                   string // where the Secret comes from that one may with
	}{
		{"reconciler", "create", "", "secrets", "bitcoin-rpc", "sops"},
		{"reconciler", "patch", "", "secrets", "bitcoin-rpc", "sops"},
		{"reconciler", "get", "", "secrets", "bitcoin-rpc", "sops"},
		{"reconciler", "delete", "", "secrets", "bitcoin-rpc", "sops"},
		{"reconciler", "create", "", "secrets", "", ""}, // as by a POST, which says no name
		{"reconciler", "list", "", "secrets", "", ""},
		{"reconciler", "deletecollection", "", "secrets", "", ""},
		{"reconciler", "get", "", "secrets", "sops-age", ""},
		{"reconciler", "patch", "", "secrets", "sops-age", ""},
		{"reconciler", "patch", "", "secrets", "git", ""},
		{"reconciler", "patch", "external-secrets.io", "externalsecrets", "bitcoin-rpc", "external-secrets"},
		{"reconciler", "create", "external-secrets.io", "externalsecrets", "bitcoin-rpc", "external-secrets"},
		{"reconciler", "create", "external-secrets.io", "externalsecrets", "", ""},
		{"reconciler", "patch", "external-secrets.io", "externalsecrets", "git", ""},
		{"reconciler", "patch", "external-secrets.io", "secretstores", "bitcoin-rpc", ""},
		{"reconciler", "patch", "external-secrets.io", "pushsecrets", "bitcoin-rpc", ""},
		{"reconciler", "patch", "bitnami.com", "sealedsecrets", "bitcoin-rpc", "sealed-secrets sops external-secrets"},

		{builds, "get", "", "secrets", "sops-age", "sops"},
		{builds, "list", "", "secrets", "", ""},
		{builds, "get", "", "secrets", "bitcoin-rpc", ""},
		{builds, "patch", "", "secrets", "sops-age", ""},

		{"bitcoin-operator", "get", "", "secrets", "sops-age", ""},
		{"bitcoin-operator", "patch", "", "secrets", "bitcoin-rpc", ""},
		{"bitcoin-operator", "get", "external-secrets.io", "externalsecrets", "bitcoin-rpc", ""},
		{"bitcoin-operator", "get", "external-secrets.io", "secretstores", "vault", ""},
	}
	for _, component := range []string{"", "sops", "external-secrets"} {
		source := cmp.Or(component, "sealed-secrets")
		t.Run(source, func(t *testing.T) {
			team := newTeam(t, from(source))
			team.variant(component)
			for _, right := range rights {
				allowed, err := team.may(right.account, right.verb, right.group, right.resource, right.name)
				team.Expect(err).NotTo(HaveOccurred())
				team.Expect(allowed).To(Equal(slices.Contains(strings.Fields(right.in), source)), "%s: %s %s/%s", right.account, right.verb, right.resource, right.name)
			}
		})
	}
}

// What Flux does with the rights of a variant: it applies, reads, and removes.
func TestCommitsByTheirRights(t *testing.T) {
	const flux = client.FieldOwner("kustomize-controller")
	secretOf := func(team *team) *unstructured.Unstructured {
		return team.secret("{name: bitcoin-rpc}", "stringData: {BC_RPC_USER: me, BC_RPC_PASSWORD: a}")
	}
	externalOf := func(team *team) *unstructured.Unstructured {
		return team.externalSecret("{name: bitcoin-rpc}", "{secretStoreRef: {name: vault}, data: [{secretKey: BC_RPC_USER, remoteRef: {key: rpc}}]}")
	}
	for _, test := range []struct {
		component        string
		secret, external string
	}{
		{"", `cannot patch resource "secrets"`, `cannot patch resource "externalsecrets"`},
		{"sops", "", `cannot patch resource "externalsecrets"`},
		{"external-secrets", `cannot patch resource "secrets"`, ""},
	} {
		t.Run("with component "+test.component, func(t *testing.T) {
			team := newTeam(t, from(cmp.Or(test.component, "sealed-secrets")))
			team.variant(test.component)
			reconciler := team.as("system:serviceaccount:" + team.namespace + ":reconciler")
			for object, want := range map[*unstructured.Unstructured]string{secretOf(team): test.secret, externalOf(team): test.external} {
				apply := func(object *unstructured.Unstructured, more ...client.ApplyOption) error {
					return reconciler.Apply(team.ctx, client.ApplyConfigurationFromUnstructured(object.DeepCopy()), append(more, flux, client.ForceOwnership)...)
				}
				team.expect(apply(object, client.DryRunAll), want, "a dry run of "+object.GetKind())
				team.expect(apply(object), want, object.GetKind())
				if want != "" {
					continue
				}
				team.expect(apply(object), "", "once more")
				team.expect(reconciler.Get(team.ctx, client.ObjectKeyFromObject(object), object.DeepCopy()), "", "what is there")
				other := object.DeepCopy()
				other.SetName("other")
				team.expect(apply(other), `"other" is forbidden`, "another name")
				team.expect(reconciler.Create(team.ctx, other), "cannot create resource", "another name, by a POST")
				team.expect(reconciler.Delete(team.ctx, object), "", "what is no longer in Git")
			}
		})
	}
}

// A team that is frozen changes its Secret by no variant.
func TestFrozenSecrets(t *testing.T) {
	const frozen = "the platform has frozen this namespace"
	for _, source := range []string{"sops", "external-secrets"} {
		t.Run(source, func(t *testing.T) {
			bounds := from(source)
			bounds["frozen"] = "true"
			team := newTeam(t, bounds)
			commits := team.commits()
			object := team.secret("{name: bitcoin-rpc}", "stringData: {BC_RPC_USER: me}")
			if source == "external-secrets" {
				object = team.externalSecret("{name: bitcoin-rpc}", "{secretStoreRef: {name: vault}, data: []}")
			}
			team.expect(commits.Create(team.ctx, object.DeepCopy()), frozen, "it comes")
			team.Expect(team.as("").Create(team.ctx, object)).To(Succeed(), "the platform, sealed-secrets and External Secrets still may")
			label := client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "networks"}}}`))
			team.expect(commits.Patch(team.ctx, object.DeepCopy(), label), frozen, "it changes")
			team.expect(commits.Delete(team.ctx, object), frozen, "it goes")
		})
	}
}

// Without its bounds, as while it goes, a namespace's Secrets can be made and changed by
// all that made and changed them before.
func TestSecretsWithoutBounds(t *testing.T) {
	team := newTeam(t, from("sops"))
	team.losesBounds()
	team.Eventually(func() error {
		return team.as("").Create(team.ctx, team.network("another", ""), client.DryRunAll)
	}).Should(MatchError(ContainSubstring("no params found")))
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: team.namespace, Name: "git"}}
	team.expect(team.as("").Create(team.ctx, secret), "", "a Secret of the platform's")
	team.expect(team.commits().Create(team.ctx, team.secret("{name: bitcoin-rpc}", "type: bootstrap.kubernetes.io/token")), "type: must be Opaque", "a commit is bound all the same")
}
