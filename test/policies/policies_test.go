package policies_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

// apiServer is a real one, with the policies. It is nil with -short.
var apiServer *rest.Config

var scheme = runtime.NewScheme()

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if testing.Short() {
		return m.Run(), nil
	}
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return 0, err
		}
	}
	environment, err := policies.Serve(context.Background(), "../..", scheme)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	apiServer = environment.Config
	return m.Run(), nil
}

// team is a tenant on the API server.
type team struct {
	Gomega
	ctx       context.Context
	t         *testing.T
	namespace string
}

func newTeam(t *testing.T, bounds map[string]string) *team {
	t.Helper()
	if apiServer == nil {
		t.Skip("needs an API server, which -short leaves out")
	}
	team := &team{Gomega: NewWithT(t), ctx: t.Context(), t: t}
	var err error
	team.namespace, err = policies.Tenant(team.ctx, team.as(""), bounds)
	team.Expect(err).NotTo(HaveOccurred())
	return team
}

// bounds are those of a team that has some of everything.
func bounds() map[string]string {
	return map[string]string{
		"secret":           "bitcoin-rpc",
		"chains":           "regtest, signet",
		"images":           "example.com/bitcoind\nexample.com/team-a/",
		"imagePullSecrets": "registry",
		"nodeLabels":       "zone pool=bitcoin",
		"tolerations":      "bitcoin",
		"storageClasses":   "fast\nslow",
		"clientNamespaces": "shop\ntill",
		"peerNamespaces":   "index",
		"podLabels":        "example.com/\nbilling.example.org/team",
		"image":            "example.com/default:1",
		"operatorImage":    "example.com/operator:2",
	}
}

// as returns a client of that user, or of the administrator.
func (team *team) as(user string, groups ...string) client.Client {
	config := rest.CopyConfig(apiServer)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: groups}
	api, err := client.New(config, client.Options{Scheme: scheme})
	team.Expect(err).NotTo(HaveOccurred())
	return api
}

// operator returns a client of the team's operator, which may do anything here: what
// stops it is not its Role.
func (team *team) operator() client.Client {
	user := "system:serviceaccount:" + team.namespace + ":bitcoin-operator"
	team.allow("operator", user, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
	return team.as(user)
}

// allow gives a user of the team a right, by a Role of that name.
func (team *team) allow(role, user string, rule rbacv1.PolicyRule) {
	name := metav1.ObjectMeta{Name: role, Namespace: team.namespace}
	team.Expect(team.as("").Create(team.ctx, &rbacv1.Role{ObjectMeta: name, Rules: []rbacv1.PolicyRule{rule}})).To(Succeed())
	team.Expect(team.as("").Create(team.ctx, &rbacv1.RoleBinding{
		ObjectMeta: name,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	})).To(Succeed())
	// The API server takes a moment to go by it.
	resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
	api := team.as("")
	team.Eventually(func() (bool, error) {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: team.namespace, Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: resource, Subresource: subresource,
			},
		}}
		err := api.Create(team.ctx, review)
		return review.Status.Allowed, err
	}).WithTimeout(10 * time.Second).Should(BeTrue())
}

// object reads a manifest of an object of the team's.
func (team *team) object(manifest string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	team.Expect(yaml.UnmarshalStrict([]byte(manifest), &object.Object)).To(Succeed(), manifest)
	object.SetNamespace(team.namespace)
	return object
}

// expect expects to be forbidden something, with a text, or nothing where there is
// none. It is never Invalid: TestPoliciesSayNothingThatMakesFluxDelete says why.
func (team *team) expect(err error, want, reason string) {
	team.t.Helper()
	if want == "" {
		team.Expect(err).NotTo(HaveOccurred(), reason)
		return
	}
	team.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%s: %v", reason, err)
	team.Expect(err).To(MatchError(ContainSubstring(want)), reason)
}

// A policy that cannot be evaluated lets nothing pass.
func TestPoliciesFailClosed(t *testing.T) {
	team := newTeam(t, bounds())
	var list admissionv1.ValidatingAdmissionPolicyList
	team.Expect(team.as("").List(team.ctx, &list)).To(Succeed())
	team.Expect(list.Items).To(HaveLen(19))
	for _, policy := range list.Items {
		team.Expect(policy.Spec.FailurePolicy).To(HaveValue(Equal(admissionv1.Fail)), policy.Name)
	}
	var bindings admissionv1.ValidatingAdmissionPolicyBindingList
	team.Expect(team.as("").List(team.ctx, &bindings)).To(Succeed())
	team.Expect(bindings.Items).To(HaveLen(22))
	passes := map[string]string{ // without the ConfigMap, and why
		"protection-from-people.bitcoin-operator.github.io":  "TestProtectionWithoutBounds",
		"networks-that-are-there.bitcoin-operator.github.io": "TestWhatKubernetesFinishesWithoutBounds",
		"clients-that-are-there.bitcoin-operator.github.io":  "the same",
		"frozen.bitcoin-operator.github.io":                  "nobody says that the namespace is frozen",
		"secret-from.bitcoin-operator.github.io":             "TestSecretsWithoutBounds",
	}
	for _, binding := range bindings.Items {
		team.Expect(binding.Spec.ValidationActions).To(HaveExactElements(admissionv1.Deny, admissionv1.Audit), binding.Name)
		missing := admissionv1.DenyAction
		if passes[binding.Name] != "" {
			missing = admissionv1.AllowAction
		}
		if binding.Spec.ParamRef != nil {
			team.Expect(binding.Spec.ParamRef.ParameterNotFoundAction).To(HaveValue(Equal(missing)), binding.Name)
		}
	}
}

// Flux takes an answer that is Invalid, or speaks of what is immutable, for a change
// that needs another object: where a commit says `force`, it deletes the one that there
// is, and its chain.
func TestPoliciesSayNothingThatMakesFluxDelete(t *testing.T) {
	g := NewWithT(t)
	objects, err := policies.Read("../../gitops/policies")
	g.Expect(err).NotTo(HaveOccurred())
	const immutable = `is\simmutable|immutable\sfield`
	seen := 0
	for _, object := range objects {
		if object.GetKind() != "ValidatingAdmissionPolicy" {
			continue
		}
		var policy admissionv1.ValidatingAdmissionPolicy
		g.Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &policy)).To(Succeed())
		for _, validation := range policy.Spec.Validations {
			seen++
			g.Expect(validation.Reason).To(HaveValue(Equal(metav1.StatusReasonForbidden)), "%s: %s", policy.Name, validation.Expression)
			g.Expect(validation.Message+validation.MessageExpression).NotTo(Or(BeEmpty(), MatchRegexp(immutable)), "%s: %s", policy.Name, validation.Expression)
		}
	}
	g.Expect(seen).To(BeNumerically(">", 20), "validations")
}

func TestNetworks(t *testing.T) {
	const affine = "affinity: {%sAffinity: {%sDuringSchedulingIgnoredDuringExecution: %s}}"
	within := `{topologyKey: zone, labelSelector: {}}`
	across := `{topologyKey: zone, labelSelector: {}, namespaceSelector: {}}`
	named := `{topologyKey: zone, labelSelector: {}, namespaces: [team-b]}`
	for _, test := range []struct {
		reason string
		spec   string
		want   string // empty where it passes
	}{
		{"what most networks are", `secret: bitcoin-rpc`, ""},
		{"default credentials, which the operator knows", ``, ""},
		{"another Secret", `secret: another`, "spec.secret: this namespace has one Secret for RPC, bitcoin-rpc; use that one"},

		{"a chain that is allowed", `{secret: bitcoin-rpc, chain: signet}`, ""},
		{"a chain that is not", `{secret: bitcoin-rpc, chain: main}`, "spec.chain: the platform does not allow main in this namespace; it allows: regtest, signet"},

		{"an image that is allowed", `image: example.com/bitcoind`, ""},
		{"any tag of it", `image: "example.com/bitcoind:29"`, ""},
		{"any digest of it", `image: "example.com/bitcoind@sha256:00"`, ""},
		{"both", `image: "example.com/bitcoind:29@sha256:00"`, ""},
		{"one below a folder", `image: "example.com/team-a/any/thing:1"`, ""},
		{"another", `image: "docker.io/library/alpine:3"`, "spec.image: the platform does not allow docker.io/library/alpine:3 in this namespace; it allows: example.com/bitcoind, example.com/team-a/"},
		{"one whose name begins alike", `image: "example.com/bitcoind-too"`, "spec.image: the platform does not allow"},
		{"one below one", `image: "example.com/bitcoind/too"`, "spec.image: the platform does not allow"},
		{"one at a port, which looks like a tag", `image: "example.com/bitcoind:80/too"`, "spec.image: the platform does not allow"},
		{"a folder's own name", `image: "example.com/team-a"`, "spec.image: the platform does not allow"},

		{"the platform's own Secret for pulling", `imagePullSecrets: [{name: registry}]`, ""},
		{"any other", `imagePullSecrets: [{name: bitcoin-rpc}]`, "spec.imagePullSecrets: the platform allows only Secrets that it has put into this namespace"},

		{"a label with any value", `nodeSelector: {zone: a}`, ""},
		{"a label with its one value", `nodeSelector: {pool: bitcoin}`, ""},
		{"another value of it", `nodeSelector: {pool: control-plane}`, "spec.nodeSelector: the platform allows machines to be selected by these labels: zone pool=bitcoin"},
		{"another label", `nodeSelector: {kubernetes.io/hostname: a}`, "spec.nodeSelector: the platform allows machines to be selected by these labels"},
		{"all of several", `nodeSelector: {zone: a, pool: control-plane}`, "spec.nodeSelector: the platform allows machines to be selected by these labels"},
		{"the same in affinity's words", fmt.Sprintf(affine, "node", "required", `{nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: Exists}, {key: pool, operator: In, values: [bitcoin]}]}]}`), ""},
		{"another value in affinity's words", fmt.Sprintf(affine, "node", "required", `{nodeSelectorTerms: [{matchExpressions: [{key: pool, operator: In, values: [bitcoin, other]}]}]}`), "spec.affinity.nodeAffinity: the platform allows"},
		{"every value but one", fmt.Sprintf(affine, "node", "required", `{nodeSelectorTerms: [{matchExpressions: [{key: pool, operator: NotIn, values: [bitcoin]}]}]}`), "spec.affinity.nodeAffinity: the platform allows"},
		{"a machine by its name", fmt.Sprintf(affine, "node", "required", `{nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [a]}]}]}`), "spec.affinity.nodeAffinity: the platform allows"},
		{"what is only preferred", fmt.Sprintf(affine, "node", "preferred", `[{weight: 1, preference: {matchExpressions: [{key: other, operator: Exists}]}}]`), "spec.affinity.nodeAffinity: the platform allows"},

		{"its own pods apart", fmt.Sprintf(affine, "podAnti", "required", "["+within+"]"), ""},
		{"away from everybody's", fmt.Sprintf(affine, "podAnti", "required", "["+across+"]"), "spec.affinity: pods of other namespaces cannot be selected or avoided"},
		{"away from another team's", fmt.Sprintf(affine, "podAnti", "preferred", "[{weight: 1, podAffinityTerm: "+named+"}]"), "spec.affinity: pods of other namespaces"},
		{"near another team's", fmt.Sprintf(affine, "pod", "required", "["+named+"]"), "spec.affinity: pods of other namespaces"},
		{"near everybody's, if it can be", fmt.Sprintf(affine, "pod", "preferred", "[{weight: 1, podAffinityTerm: "+across+"}]"), "spec.affinity: pods of other namespaces"},

		{"a taint that may be tolerated", `tolerations: [{key: bitcoin, operator: Exists}]`, ""},
		{"another", `tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Exists}]`, "spec.tolerations: the platform allows taints with these keys to be tolerated: bitcoin"},
		{"all", `tolerations: [{operator: Exists}]`, "spec.tolerations: the platform allows taints"},

		{"the default class", `storage: {size: 1Gi}`, ""},
		{"a class that is allowed", `storage: {size: 1Gi, className: slow}`, ""},
		{"another", `storage: {size: 1Gi, className: gold}`, "spec.storage.className: the platform allows the default class and: fast slow"},

		{"clients of namespaces that may have any", `clients: [{namespaces: [shop, till], ports: [rpc, zmq]}, {namespaces: [shop], podLabels: {app: lnd}, ports: [zmq]}]`, ""},
		{"clients of another", `clients: [{namespaces: [shop], ports: [rpc]}, {namespaces: [shop, other], ports: [rpc]}]`, "spec.clients: the platform allows rpc and zmq only for pods of these namespaces: shop till"},
		{"clients of one whose name begins alike", `clients: [{namespaces: [shop-2], ports: [zmq]}]`, "spec.clients: the platform allows rpc and zmq only for pods of these namespaces: shop till"},
		{"peers of a namespace that may have any", `clients: [{namespaces: [index], ports: [p2p]}]`, ""},
		{"peers of one that may have clients", `clients: [{namespaces: [shop], ports: [p2p]}]`, "spec.clients: the platform allows p2p only for pods of these namespaces: index"},
		{"clients of one that may have peers", `clients: [{namespaces: [index], ports: [rpc]}]`, "spec.clients: the platform allows rpc and zmq only for pods of these namespaces: shop till"},
		{"both of one that may have one", `clients: [{namespaces: [shop], ports: [rpc, p2p]}]`, "spec.clients: the platform allows p2p only for pods of these namespaces: index"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			network := team.network("payments", test.spec)
			team.expect(team.as("").Create(team.ctx, network), test.want, test.reason)
		})
	}
}

// network returns a network with these fields in its spec.
func (team *team) network(name, spec string) *unstructured.Unstructured {
	network := team.object("apiVersion: bitcoin-operator.github.io/v1alpha1\nkind: BitcoinNetwork\nmetadata: {name: " + name + "}\nspec: {nodes: 1}\n")
	fields := map[string]any{"nodes": int64(1)}
	team.Expect(yaml.Unmarshal([]byte(spec), &fields)).To(Succeed())
	network.Object["spec"] = fields
	return network
}

func TestNetworksOfATeamWithoutBounds(t *testing.T) {
	team := newTeam(t, map[string]string{"secret": "bitcoin-rpc", "chains": "regtest"})
	for reason, spec := range map[string]string{
		"an image":      "image: example.com/bitcoind",
		"another chain": "{secret: bitcoin-rpc, chain: signet}",
		"a label":       "nodeSelector: {zone: a}",
		"a taint":       "tolerations: [{key: bitcoin, operator: Exists}]",
		"all taints":    "tolerations: [{operator: Exists}]",
		"a class":       "storage: {size: 1Gi, className: fast}",
		"a Secret":      "imagePullSecrets: [{name: registry}]",
		"a client":      "clients: [{namespaces: [shop], ports: [rpc]}]",
		"a peer":        "clients: [{namespaces: [shop], ports: [p2p]}]",
	} {
		team.expect(team.as("").Create(team.ctx, team.network("payments", spec)), "the platform", reason)
	}
	team.expect(team.as("").Create(team.ctx, team.network("payments", "storage: {size: 1Gi}")), "", "the defaults")

	team = newTeam(t, map[string]string{"secret": "bitcoin-rpc", "chains": "regtest", "nodeLabels": "*", "tolerations": "*"})
	team.expect(team.as("").Create(team.ctx, team.network("payments",
		`{nodeSelector: {zone: a}, tolerations: [{operator: Exists}], affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [a]}]}]}}}}`)),
		"", "a team that may choose any machine")
}

func TestNetworkThatWouldNotGo(t *testing.T) {
	team := newTeam(t, bounds())
	stays := team.network("payments", "")
	stays.SetFinalizers([]string{"example.com/stay"})
	team.expect(team.as("").Create(team.ctx, stays), "metadata.finalizers: must be empty in a tenant's namespace", "a finalizer")
	team.expect(team.as("").Create(team.ctx, team.network("tenant", "")), "metadata.name: 'tenant' is reserved", "the name of the ConfigMap with the bounds")

	goes := team.network("payments", "")
	team.Expect(team.as("").Create(team.ctx, goes)).To(Succeed())
	team.expect(team.as("").Delete(team.ctx, goes, client.PropagationPolicy(metav1.DeletePropagationForeground)), "", "foreground deletion, which is a finalizer of Kubernetes' own")
}

const owner = `ownerReferences: [{apiVersion: bitcoin-operator.github.io/v1alpha1, kind: BitcoinNetwork, name: payments, uid: "1", controller: true}]`

// statefulSet returns one of the operator's, with these changes to its pods.
func statefulSet(pod string) string {
	return `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: payments, ` + owner + `}
spec:
  serviceName: payments
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: ` + pod + "\n"
}

// claiming returns a StatefulSet whose pods have a claim with these fields.
func claiming(spec string) string {
	return statefulSet(`{containers: [{name: bitcoind, image: example.com/bitcoind}], automountServiceAccountToken: false}`) +
		"  volumeClaimTemplates: [{metadata: {name: data}, spec: {" + spec + "}}]\n"
}

func TestOperator(t *testing.T) {
	const (
		plain       = `containers: [{name: bitcoind, image: example.com/bitcoind}], automountServiceAccountToken: false`
		onlyOwned   = "the operator may write only what a BitcoinNetwork controls"
		noVolumes   = "spec.template.spec.volumes: nodes may have only emptyDir, configMap, downwardAPI for their annotation bitcoin-operator.github.io/bitcoin.conf, and volume claims"
		confItem    = `{path: bitcoin.conf, fieldRef: {fieldPath: "metadata.annotations['bitcoin-operator.github.io/bitcoin.conf']"}}`
		conf        = `{name: b, downwardAPI: {items: [` + confItem + `]}}`
		oneSecret   = "spec.template: nodes may use only the Secret bitcoin-rpc"
		onlyCluster = "the operator's Services must be of type ClusterIP"
		noStart     = "spec.template.spec.initContainers: nodes must start from the image of the operator, which is example.com/operator:2 in this namespace"
		noImage     = "spec.template.spec.containers: the platform does not allow this image in this namespace"
		newVolumes  = "spec.volumeClaimTemplates: nodes' volumes must be new"
	)
	for _, test := range []struct {
		reason   string
		manifest string
		want     string
	}{
		{"a StatefulSet as it makes them", statefulSet(`{containers: [{name: bitcoind, image: example.com/bitcoind, envFrom: [{secretRef: {name: bitcoin-rpc}}], env: [{name: A, value: b}]}],
      automountServiceAccountToken: false, imagePullSecrets: [{name: registry}], volumes: [{name: a, emptyDir: {}}, ` + conf + `]}`), ""},
		{"one as earlier ones made them", statefulSet(`{` + plain + `, volumes: [{name: a, emptyDir: {}}, {name: b, configMap: {name: payments}}]}`), ""},
		{"one that nobody owns", strings.Replace(statefulSet(`{`+plain+`}`), ", "+owner, "", 1), onlyOwned},
		{"one that another kind owns", strings.Replace(statefulSet(`{`+plain+`}`), "kind: BitcoinNetwork", "kind: Other", 1), onlyOwned},
		{"one that a network of another group owns", strings.Replace(statefulSet(`{`+plain+`}`), "bitcoin-operator.github.io/v1alpha1", "example.com/v1", 1), onlyOwned},
		{"one that a network does not control", strings.Replace(statefulSet(`{`+plain+`}`), ", controller: true", "", 1), onlyOwned},
		{"another Secret in the environment", statefulSet(`{containers: [{name: a, image: example.com/bitcoind, envFrom: [{secretRef: {name: other}}]}], automountServiceAccountToken: false}`), oneSecret},
		{"a key of another Secret", statefulSet(`{containers: [{name: a, image: example.com/bitcoind, env: [{name: A, valueFrom: {secretKeyRef: {name: other, key: a}}}]}], automountServiceAccountToken: false}`), oneSecret},
		{"another Secret in an init container", statefulSet(`{initContainers: [{name: i, image: "example.com/operator:2", envFrom: [{secretRef: {name: other}}]}], ` + plain + `}`), oneSecret},
		{"a Secret as a volume", statefulSet(`{` + plain + `, volumes: [{name: a, secret: {secretName: other}}]}`), noVolumes},
		{"a token as a volume", statefulSet(`{` + plain + `, volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: token}}]}}]}`), noVolumes},
		{"a folder of the machine", statefulSet(`{` + plain + `, volumes: [{name: a, hostPath: {path: /}}]}`), noVolumes},
		{"all annotations of a pod", statefulSet(`{` + plain + `, volumes: [{name: a, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.annotations}}]}}]}`), noVolumes},
		{"another annotation", statefulSet(`{` + plain + `, volumes: [{name: a, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: "metadata.annotations['a']"}}]}}]}`), noVolumes},
		{"a label", statefulSet(`{` + plain + `, volumes: [{name: a, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: "metadata.labels['bitcoin-operator.github.io/bitcoin.conf']"}}]}}]}`), noVolumes},
		{"the limits of a container", statefulSet(`{` + plain + `, volumes: [{name: a, downwardAPI: {items: [{path: a, resourceFieldRef: {containerName: bitcoind, resource: limits.memory}}]}}]}`), noVolumes},
		{"its name, beside what it may know", statefulSet(`{` + plain + `, volumes: [{name: a, downwardAPI: {items: [` + confItem + `, {path: a, fieldRef: {fieldPath: metadata.name}}]}}]}`), noVolumes},
		{"a projection, even of what it may know", statefulSet(`{` + plain + `, volumes: [{name: a, projected: {sources: [{downwardAPI: {items: [` + confItem + `]}}]}}]}`), noVolumes},
		{"a Secret beside a volume that is allowed", statefulSet(`{` + plain + `, volumes: [` + conf + `, {name: a, secret: {secretName: other}}]}`), noVolumes},
		{"a driver with a Secret", statefulSet(`{` + plain + `, volumes: [{name: a, csi: {driver: a, nodePublishSecretRef: {name: other}}}]}`), noVolumes},
		{"another Secret for pulling", statefulSet(`{` + plain + `, imagePullSecrets: [{name: other}]}`), "spec.template.spec.imagePullSecrets: the platform allows only Secrets"},
		{"a token", statefulSet(`{containers: [{name: a, image: example.com/bitcoind}], automountServiceAccountToken: true}`), "spec.template.spec.automountServiceAccountToken: must be false"},
		{"a token by default", statefulSet(`{containers: [{name: a, image: example.com/bitcoind}]}`), "spec.template.spec.automountServiceAccountToken: must be false"},
		{"a machine past the scheduler", statefulSet(`{` + plain + `, nodeName: control-plane}`), "spec.template.spec.nodeName, spec.template.spec.priorityClassName: nodes are placed by the scheduler"},
		{"a place before others", statefulSet(`{` + plain + `, priorityClassName: system-node-critical}`), "nodes are placed by the scheduler"},
		{"a taint that is allowed", statefulSet(`{` + plain + `, tolerations: [{key: bitcoin, operator: Exists}]}`), ""},
		{"all taints", statefulSet(`{` + plain + `, tolerations: [{operator: Exists}]}`), "spec.template.spec.tolerations: the platform allows taints with these keys to be tolerated: bitcoin"},
		{"an image of the team's own", statefulSet(`{containers: [{name: a, image: "example.com/team-a/any:1"}], automountServiceAccountToken: false}`), ""},
		{"the platform's image", statefulSet(`{containers: [{name: a, image: "example.com/default:1"}], automountServiceAccountToken: false}`), ""},
		{"another tag of it", statefulSet(`{containers: [{name: a, image: "example.com/default:2"}], automountServiceAccountToken: false}`), noImage},
		{"another image", statefulSet(`{containers: [{name: a, image: "docker.io/library/alpine:3"}], automountServiceAccountToken: false}`), noImage},
		{"the operator's image to begin with", statefulSet(`{initContainers: [{name: i, image: "example.com/operator:2"}], ` + plain + `}`), ""},
		{"another tag of it to begin with", statefulSet(`{initContainers: [{name: i, image: "example.com/operator:1"}], ` + plain + `}`), noStart},
		{"an image of the team's own to begin with", statefulSet(`{initContainers: [{name: i, image: "example.com/team-a/any:1"}], ` + plain + `}`), noStart},
		{"the platform's bitcoind to begin with", statefulSet(`{initContainers: [{name: i, image: "example.com/default:1"}], ` + plain + `}`), noStart},
		{"another image to begin with", statefulSet(`{initContainers: [{name: i, image: alpine}], ` + plain + `}`), noStart},
		{"another image beside the operator's to begin with", statefulSet(`{initContainers: [{name: i, image: "example.com/operator:2"}, {name: j, image: alpine}], ` + plain + `}`), noStart},
		{"the operator's image as a node", statefulSet(`{containers: [{name: a, image: "example.com/operator:2"}], automountServiceAccountToken: false}`), noImage},
		{"machines that are allowed", statefulSet(`{` + plain + `, nodeSelector: {pool: bitcoin}}`), ""},
		{"other machines", statefulSet(`{` + plain + `, nodeSelector: {node-role.kubernetes.io/control-plane: ""}}`), "spec.template.spec.nodeSelector: the platform allows machines to be selected by these labels: zone pool=bitcoin"},
		{"other machines by affinity", statefulSet(`{` + plain + `, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: gpu, operator: Exists}]}]}}}}`), "spec.template.spec.affinity.nodeAffinity: the platform allows"},
		{"other machines by a topology", statefulSet(`{` + plain + `, topologySpreadConstraints: [{maxSkew: 1, topologyKey: gpu, whenUnsatisfiable: DoNotSchedule}]}`), "spec.template.spec.affinity, spec.template.spec.topologySpreadConstraints: the platform allows as topologyKey"},
		{"nodes apart, as by default", statefulSet(`{` + plain + `, topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {a: b}}}]}`), ""},
		{"other teams' pods away", statefulSet(`{` + plain + `, affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, namespaceSelector: {}, labelSelector: {}}]}}}`), "spec.template.spec.affinity: pods of other namespaces"},
		{"another scheduler", statefulSet(`{` + plain + `, schedulerName: mine}`), "spec.template.spec.schedulerName: nodes are placed by the cluster's own scheduler"},
		{"another runtime", statefulSet(`{` + plain + `, runtimeClassName: other}`), "spec.template.spec.runtimeClassName: nodes run with the platform's own runtime"},
		{"ten minutes to end", statefulSet(`{` + plain + `, terminationGracePeriodSeconds: 600}`), ""},
		{"ten years to end", statefulSet(`{` + plain + `, terminationGracePeriodSeconds: 315360000}`), "spec.template.spec.terminationGracePeriodSeconds: at most 600"},
		{"a device", statefulSet(`{containers: [{name: a, image: example.com/bitcoind, resources: {limits: {devices.kubevirt.io/kvm: 1}}}], automountServiceAccountToken: false}`), "spec.template.spec.resources: the platform allows: cpu memory ephemeral-storage"},
		{"a device by a claim", statefulSet(`{` + plain + `, resourceClaims: [{name: gpu, resourceClaimName: gpu}]}`), "spec.template.spec.resourceClaims: nodes may not claim devices"},
		{"a finalizer", strings.Replace(statefulSet(`{`+plain+`}`), "metadata: {name: payments,", "metadata: {name: payments, finalizers: [example.com/stay],", 1), noFinalizers},
		{"a finalizer on pods", strings.Replace(statefulSet(`{`+plain+`}`), "metadata: {labels: {a: b}}", "metadata: {labels: {a: b}, finalizers: [example.com/stay]}", 1), "what the operator creates must not have finalizers"},
		{"the operator's note on pods", strings.Replace(statefulSet(`{`+plain+`}`), "metadata: {labels: {a: b}}", "metadata: {labels: {a: b}, annotations: {bitcoin-operator.github.io/config: a}}", 1), ""},
		{"another note on pods, as another network", strings.Replace(statefulSet(`{`+plain+`}`), "metadata: {labels: {a: b}}", "metadata: {labels: {a: b}, annotations: {k8s.v1.cni.cncf.io/networks: other}}", 1), "spec.template.metadata.annotations: only the operator's own are allowed, which begin with bitcoin-operator.github.io/"},
		{"the labels that nodes have", strings.Replace(statefulSet(`{`+plain+`}`), "metadata: {labels: {a: b}}", "metadata: {labels: {a: b, app.kubernetes.io/name: bitcoind, app.kubernetes.io/instance: a, app.kubernetes.io/managed-by: b, bitcoin-operator.github.io/network: payments, example.com/a: b}}", 1), ""},
		{"the operator's own label, which reaches the API server", strings.Replace(statefulSet(`{`+plain+`}`), "metadata: {labels: {a: b}}", "metadata: {labels: {a: b, app.kubernetes.io/name: bitcoin-operator}}", 1), "spec.template.metadata.labels: app.kubernetes.io/name must be bitcoind for all nodes"},
		{"a label that others obey", strings.Replace(statefulSet(`{`+plain+`}`), "metadata: {labels: {a: b}}", "metadata: {labels: {a: b, sidecar.istio.io/inject: a}}", 1), "spec.template.metadata.labels: any label without a prefix"},
		{"claims as it makes them", claiming(`accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}`), ""},
		{"claims of a class that is allowed", claiming(`accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}`), ""},
		{"claims of another", claiming(`accessModes: [ReadWriteOnce], storageClassName: gold, resources: {requests: {storage: 1Gi}}`), "spec.volumeClaimTemplates: the platform allows the default class and: fast slow"},
		{"somebody's volume", claiming(`accessModes: [ReadWriteOnce], volumeName: theirs, resources: {requests: {storage: 1Gi}}`), newVolumes},
		{"any volume", claiming(`accessModes: [ReadWriteOnce], selector: {matchLabels: {a: b}}, resources: {requests: {storage: 1Gi}}`), newVolumes},
		{"a copy of a volume", claiming(`accessModes: [ReadWriteOnce], dataSource: {kind: PersistentVolumeClaim, name: theirs}, resources: {requests: {storage: 1Gi}}`), newVolumes},
		{"claims with a label that others obey", strings.Replace(claiming(`accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}`), "{name: data}", "{name: data, labels: {velero.io/exclude-from-backup: a}}", 1), newVolumes},
		{"claims that are somebody else's", strings.Replace(claiming(`accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}`), "{name: data}", `{name: data, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: "2"}]}`, 1), newVolumes},
		{"as many nodes as a network can have", statefulSet(`{`+plain+`}`) + "  replicas: 1000\n", ""},
		{"so many that there is no memory for the list", statefulSet(`{`+plain+`}`) + "  replicas: 2147483647\n", "spec.replicas: at most 1000"},
		{"a history that no quota counts", statefulSet(`{`+plain+`}`) + "  revisionHistoryLimit: 11\n", "spec.revisionHistoryLimit: 0 to 10"},
		{"a history of less than nothing", statefulSet(`{`+plain+`}`) + "  revisionHistoryLimit: -1\n", "spec.revisionHistoryLimit: 0 to 10"},
		{"no history", statefulSet(`{`+plain+`}`) + "  revisionHistoryLimit: 0\n", ""},
		{"memory without a limit, which is nothing to a quota", statefulSet(`{containers: [{name: a, image: example.com/bitcoind, resources: {limits: {memory: 0}}}], automountServiceAccountToken: false}`), "spec.template.spec.resources.limits.memory: 0 means no limit"},
		{"the same to begin with", statefulSet(`{initContainers: [{name: i, image: "example.com/operator:2", resources: {limits: {memory: 0}}}], ` + plain + `}`), "spec.template.spec.resources.limits.memory: 0 means no limit"},
		{"an image as a volume", statefulSet(`{` + plain + `, volumes: [{name: a, image: {reference: alpine}}]}`), noVolumes},
		{"another's claim", statefulSet(`{` + plain + `, volumes: [{name: a, persistentVolumeClaim: {claimName: theirs}}]}`), noVolumes},
		{"a claim of its own making", statefulSet(`{` + plain + `, volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}]}`), noVolumes},
		{"its own account, by the field's old name", statefulSet(`{` + plain + `, serviceAccount: bitcoin-operator}`), "spec.template.spec.serviceAccountName: nodes must run as the service account default"},
		{"its own account", statefulSet(`{` + plain + `, serviceAccountName: bitcoin-operator}`), "spec.template.spec.serviceAccountName: nodes must run as the service account default"},

		{"a Service as it makes them", "apiVersion: v1\nkind: Service\nmetadata: {name: payments, " + owner + "}\nspec: {clusterIP: None, selector: {bitcoin-operator.github.io/network: payments}, ports: [{port: 1}]}", ""},
		{"one on every machine", "apiVersion: v1\nkind: Service\nmetadata: {name: payments, " + owner + "}\nspec: {type: NodePort, ports: [{port: 1}]}", onlyCluster},
		{"one for the world", "apiVersion: v1\nkind: Service\nmetadata: {name: payments, " + owner + "}\nspec: {type: LoadBalancer, ports: [{port: 1}]}", onlyCluster},
		{"one by another name", "apiVersion: v1\nkind: Service\nmetadata: {name: payments, " + owner + "}\nspec: {type: ExternalName, externalName: example.com}", onlyCluster},
		{"somebody's address", "apiVersion: v1\nkind: Service\nmetadata: {name: payments, " + owner + "}\nspec: {externalIPs: [192.0.2.1], ports: [{port: 1}]}", onlyCluster},
		{"a ConfigMap that nobody owns", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: payments}", onlyOwned},
		{"a budget that nobody owns", "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: payments}\nspec: {maxUnavailable: 1}", onlyOwned},
		{"a policy that nobody owns", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: payments}\nspec: {podSelector: {matchLabels: {bitcoin-operator.github.io/network: payments}}}", onlyOwned},
		{"its lease", "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: bitcoin-operator}\nspec: {}", ""},
		{"another", "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: other}\nspec: {}", "the operator may write only one Lease, bitcoin-operator"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			team.expect(team.operator().Create(team.ctx, team.object(test.manifest)), test.want, test.reason)
		})
	}
}

// What is not a network's stays out of the operator's hands, however it tries.
func TestOperatorTakesNothingOver(t *testing.T) {
	team := newTeam(t, bounds())
	operator := team.operator()
	tenant := team.object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tenant}")
	const refused = "the operator may write only what a BitcoinNetwork controls"
	for reason, patch := range map[string]string{
		"changing its own bounds":     `{"data": {"images": "a/"}}`,
		"making them a network's own": `{"metadata": {"ownerReferences": [{"apiVersion": "bitcoin-operator.github.io/v1alpha1", "kind": "BitcoinNetwork", "name": "a", "uid": "1", "controller": true}]}}`,
	} {
		team.expect(operator.Patch(team.ctx, tenant, client.RawPatch(types.MergePatchType, []byte(patch))), refused, reason)
	}
	team.expect(team.as("").Patch(team.ctx, tenant, client.RawPatch(types.MergePatchType, []byte(`{"data": {"images": "a/"}}`))), "", "the platform changes them")
}

// What a network was deleted without is the next one's of its name, as it was.
func TestOperatorTakesOverOrphans(t *testing.T) {
	const refused = "the operator may write only what a BitcoinNetwork controls"
	taking := `{"metadata": {"ownerReferences": [{"apiVersion": "bitcoin-operator.github.io/v1alpha1", "kind": "BitcoinNetwork", "name": "payments", "uid": "1", "controller": true}]}}`
	for _, test := range []struct {
		reason, metadata, patch, want string
	}{
		{"an orphan of the network", `labels: {bitcoin-operator.github.io/network: payments}`, taking, ""},
		{"it stays an orphan", `labels: {bitcoin-operator.github.io/network: payments}`, `{"data": {"a": "b"}}`, refused},
		{"another network's", `labels: {bitcoin-operator.github.io/network: invoices}`, taking, refused},
		{"nobody's", `labels: {a: b}`, taking, refused},
		{"one with the label, that has an owner", `labels: {bitcoin-operator.github.io/network: payments}, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: "2"}]`, taking, refused},
		{"one that is given the label at the same time", `labels: {a: b}`,
			strings.Replace(taking, `{"metadata": {`, `{"metadata": {"labels": {"bitcoin-operator.github.io/network": "payments"}, `, 1), refused},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			object := team.object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: payments, " + test.metadata + "}")
			team.expect(team.as("").Create(team.ctx, object), "", "the API server makes it")
			team.expect(team.operator().Patch(team.ctx, object, client.RawPatch(types.MergePatchType, []byte(test.patch))), test.want, test.reason)
		})
	}
}

func TestPeople(t *testing.T) {
	const (
		person = "somebody@example.com"
		spec   = "people may change only spec.nodes and spec.suspend; commit everything else to Git"
		force  = "kustomize.toolkit.fluxcd.io/force" // which Flux sets: tenants/base/networks.yaml
		meta   = "of metadata, people may change only the annotation reconcile.fluxcd.io/requestedAt; commit everything else to Git"
	)
	// What nobody may has one of two policies speak.
	const either = "denied request: "
	const notGit = "metadata.ownerReferences: must be empty on a network from Git: Kubernetes would delete the network with its owner; leave it out"
	nobody := []string{"being deleted by Flux and made anew", "the same as a label", "another note", "no time at all"}
	for _, test := range []struct {
		reason string
		patch  string
		want   string
	}{
		{"scaling", `{"spec": {"nodes": 5}}`, ""},
		{"no time at all", `{"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "` + strings.Repeat("a", 65) + `"}}}`, either},
		{"suspending", `{"spec": {"suspend": true}}`, ""},
		{"resuming", `{"spec": {"suspend": null}}`, ""},
		{"asking for a look", `{"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}}`, ""},
		{"another image", `{"spec": {"image": "example.com/bitcoind"}}`, spec},
		{"other options", `{"spec": {"config": ["txindex=1"]}}`, spec},
		{"no options any more", `{"spec": {"config": null}}`, spec},
		{"protection off", `{"spec": {"protect": false}}`, spec},
		{"protection gone", `{"spec": {"protect": null}}`, spec},
		{"being deleted by Flux and made anew", `{"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/force": "enabled"}}}`, either},
		{"the same as a label", `{"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/force": "enabled"}}}`, either},
		{"another note", `{"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}}`, either},
		{"a note less", `{"metadata": {"annotations": {"note": null}}}`, meta},
		{"a label", `{"metadata": {"labels": {"a": "b"}}}`, meta},
		{"an owner, with which it would go", `{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"}]}}`, meta},
		{"a name to generate, of any length", `{"metadata": {"generateName": "a"}}`, meta},
		{"a finalizer of Kubernetes' own, with which it would stay", `{"metadata": {"finalizers": ["orphan"]}}`, meta},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			team.allow("people", person, rbacv1.PolicyRule{APIGroups: []string{"bitcoin-operator.github.io"}, Resources: []string{"bitcoinnetworks"}, Verbs: []string{"get", "patch"}})
			network := team.network("payments", `{suspend: true, protect: true, config: [dbcache=100]}`)
			network.SetAnnotations(map[string]string{"note": "of the team's", force: "disabled"})
			network.SetLabels(map[string]string{force: "disabled"})
			team.Expect(team.as("").Create(team.ctx, network)).To(Succeed())
			patch := client.RawPatch(types.MergePatchType, []byte(test.patch))
			team.expect(team.as(person).Patch(team.ctx, network.DeepCopy(), patch, client.DryRunAll), test.want, test.reason)

			reconciler := "system:serviceaccount:" + team.namespace + ":reconciler"
			team.allow("reconciler", reconciler, rbacv1.PolicyRule{APIGroups: []string{"bitcoin-operator.github.io"}, Resources: []string{"bitcoinnetworks"}, Verbs: []string{"*"}})
			inGit := ""
			switch {
			case slices.Contains(nobody, test.reason):
				inGit = either
			case test.reason == "an owner, with which it would go":
				inGit = notGit
			}
			team.expect(team.as(reconciler).Patch(team.ctx, network.DeepCopy(), patch), inGit, "in Git")
		})
	}
}

// An object notes everybody who has applied something of it, for ever: not by the hundred.
func TestPeopleLeaveFewNames(t *testing.T) {
	team := newTeam(t, bounds())
	const person = "somebody@example.com"
	team.allow("people", person, rbacv1.PolicyRule{APIGroups: []string{"bitcoin-operator.github.io"}, Resources: []string{"bitcoinnetworks"}, Verbs: []string{"patch", "get"}})
	team.Expect(team.as("").Create(team.ctx, team.network("payments", ""))).To(Succeed())
	apply := func(manager int) error {
		nodes := team.network("payments", "nodes: 2")
		return team.as(person).Apply(team.ctx, client.ApplyConfigurationFromUnstructured(nodes), client.FieldOwner(fmt.Sprint("manager-", manager)), client.ForceOwnership)
	}
	for manager := range 15 { // beside whoever has made it
		team.expect(apply(manager), "", "a few")
	}
	team.expect(apply(15), "metadata.managedFields: too many field managers have changed this network", "one more")
	team.expect(apply(3), "", "one of those that are there")

	for manager := range 5 {
		notes := team.network("payments", "nodes: 2")
		team.Expect(team.as("").Apply(team.ctx, client.ApplyConfigurationFromUnstructured(notes), client.FieldOwner(fmt.Sprint("platform-", manager)), client.ForceOwnership)).To(Succeed())
	}
	team.expect(apply(3), "", "where others have left more, people still scale")
}
