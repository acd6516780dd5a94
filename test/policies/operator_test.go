package policies_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

const (
	ofTheMachine = "spec.template.spec: nodes must not use the machine itself"
	noFinalizers = "metadata.finalizers: what the operator creates must not have finalizers"
	ofItsNetwork = "metadata.name: what the operator creates must be named after its network"
	itsOwnSigns  = "metadata.annotations, metadata.labels: the operator may set only its own"
	itsAlone     = "metadata.ownerReferences: what the operator creates must have its network as the only owner"
	itsNodes     = "spec.selector: the operator's Services must select nodes of their network"
)

// small returns an object of the operator's with these metadata and lines.
func small(apiVersion, kind, metadata, lines string) string {
	return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {" + metadata + ", " + owner + "}\n" + lines
}

// ports returns as many of them.
func ports(number int) string {
	var list []string
	for i := range number {
		list = append(list, fmt.Sprintf("{name: a%d, port: %d}", i+1, i+1))
	}
	return strings.Join(list, ", ")
}

func TestWhatTheOperatorMakes(t *testing.T) {
	service := func(metadata, spec string) string { return small("v1", "Service", metadata, "spec: {"+spec+"}\n") }
	const leads = "selector: {bitcoin-operator.github.io/network: payments}, ports: [{port: 1}]"
	for _, test := range []struct {
		reason, manifest, want string
	}{
		{"by the network's name", small("v1", "ConfigMap", "name: payments", ""), ""},
		{"by one that begins with it", small("v1", "ConfigMap", "name: payments-connection", ""), ""},
		{"by another", small("v1", "ConfigMap", "name: others", ""), ofItsNetwork},
		{"by one that begins alike", small("v1", "ConfigMap", "name: payments2", ""), ofItsNetwork},
		{"the tenant's bounds, as a network's of that name", strings.Replace(small("v1", "ConfigMap", "name: tenant", ""), "name: payments,", "name: tenant,", 1), ofItsNetwork},
		{"its labels", small("v1", "ConfigMap", "name: payments, labels: {bitcoin-operator.github.io/network: payments, app.kubernetes.io/name: bitcoind}", ""), ""},
		{"its annotations", small("v1", "ConfigMap", "name: payments, annotations: {bitcoin-operator.github.io/workload: a}", ""), ""},
		{"a label that others obey", small("v1", "ConfigMap", `name: payments, labels: {grafana_dashboard: "1"}`, ""), itsOwnSigns},
		{"an annotation that others obey", small("v1", "ConfigMap", "name: payments, annotations: {replicator.v1.mittwald.de/replicate-to: any}", ""), itsOwnSigns},
		{"one that stays", small("v1", "ConfigMap", "name: payments, finalizers: [example.com/stay]", ""), noFinalizers},
		{"one that outlives its network", strings.Replace(small("v1", "ConfigMap", "name: payments", ""), "controller: true}", `controller: true}, {apiVersion: v1, kind: ConfigMap, name: tenant, uid: "2"}`, 1), itsAlone},
		{"a lease that stays", "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: bitcoin-operator, finalizers: [example.com/stay]}\nspec: {}", noFinalizers},
		{"a budget of its nodes", small("policy/v1", "PodDisruptionBudget", "name: payments", "spec: {maxUnavailable: 1, selector: {matchLabels: {bitcoin-operator.github.io/network: payments}}}"), ""},
		{"a budget of all pods", small("policy/v1", "PodDisruptionBudget", "name: payments", "spec: {maxUnavailable: 0, selector: {}}"), "spec.selector: the operator's PodDisruptionBudgets must select nodes of their network"},
		{"a budget of another network's", small("policy/v1", "PodDisruptionBudget", "name: payments", "spec: {maxUnavailable: 0, selector: {matchLabels: {bitcoin-operator.github.io/network: other}}}"), "spec.selector: the operator's PodDisruptionBudgets must select nodes of their network"},
		{"a budget that stays", small("policy/v1", "PodDisruptionBudget", "name: payments, finalizers: [example.com/stay]", "spec: {maxUnavailable: 1}"), noFinalizers},

		{"a Service of one node", service("name: payments-primary", "selector: {bitcoin-operator.github.io/network: payments, statefulset.kubernetes.io/pod-name: payments-0}, ports: [{port: 1}]"), ""},
		{"a name in the world's DNS", service("name: payments, annotations: {external-dns.alpha.kubernetes.io/hostname: bank.example.com}", leads), itsOwnSigns},
		{"a Service of others' pods", service("name: payments", "selector: {app.kubernetes.io/name: bitcoin-operator}, ports: [{port: 1}]"), itsNodes},
		{"a Service of another network's", service("name: payments", "selector: {bitcoin-operator.github.io/network: other}, ports: [{port: 1}]"), itsNodes},
		{"a Service of as many ports as can be", service("name: payments", "selector: {bitcoin-operator.github.io/network: payments}, ports: ["+ports(16)+"]"), ""},
		{"a Service of more, of which every machine has rules", service("name: payments", "selector: {bitcoin-operator.github.io/network: payments}, ports: ["+ports(17)+"]"), "spec.ports: at most 16"},
		{"a Service of what others say", service("name: payments", "ports: [{port: 1}]"), itsNodes},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			team.expect(team.operator().Create(team.ctx, team.object(test.manifest)), test.want, test.reason)
		})
	}
}

// What others have put on an object of the operator's is theirs, and stops nobody.
func TestOperatorLeavesOthersSigns(t *testing.T) {
	team := newTeam(t, bounds())
	object := team.object(small("v1", "ConfigMap", "name: payments, labels: {theirs: a}, annotations: {theirs: a}, finalizers: [example.com/theirs]", ""))
	team.Expect(team.as("").Create(team.ctx, object)).To(Succeed())
	operator := team.operator()
	for _, test := range []struct {
		reason, patch, want string
	}{
		{"what it is there for", `{"data": {"a": "b"}}`, ""},
		{"less of theirs", `{"metadata": {"labels": {"theirs": null}}}`, ""},
		{"another value of theirs", `{"metadata": {"labels": {"theirs": "b"}}}`, itsOwnSigns},
		{"one more", `{"metadata": {"annotations": {"more": "b"}}}`, itsOwnSigns},
		{"one more finalizer", `{"metadata": {"finalizers": ["example.com/theirs", "example.com/mine"]}}`, noFinalizers},
	} {
		patch := client.RawPatch(types.MergePatchType, []byte(test.patch))
		team.expect(operator.Patch(team.ctx, object.DeepCopy(), patch, client.DryRunAll), test.want, test.reason)
	}
}

// The policies that are for operators hold wherever one runs.
func TestOperatorInAnyNamespace(t *testing.T) {
	team := newTeam(t, bounds())
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team.namespace}}
	patch := fmt.Sprintf(`{"metadata": {"labels": {%q: null}}}`, policies.TenantLabel)
	team.Expect(team.as("").Patch(team.ctx, namespace, client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
	operator := team.operator()
	make := func(manifest string) error { return operator.Create(team.ctx, team.object(manifest), client.DryRunAll) }
	const plain = `containers: [{name: bitcoind, image: any}], automountServiceAccountToken: false`
	// Bounds are a tenant's.
	team.Eventually(func() error { return make(statefulSet(`{` + plain + `, tolerations: [{operator: Exists}]}`)) }).Should(Succeed())
	for _, test := range []struct {
		reason, manifest, want string
	}{
		{"what nobody owns", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: payments}", "the operator may write only what a BitcoinNetwork controls"},
		{"a Secret in a volume", statefulSet(`{` + plain + `, volumes: [{name: a, secret: {secretName: other}}]}`), "spec.template.spec.volumes: nodes may have only"},
		{"a token", statefulSet(`{containers: [{name: a, image: a}]}`), "spec.template.spec.automountServiceAccountToken: must be false"},
		{"a network policy for everything", small("networking.k8s.io/v1", "NetworkPolicy", "name: payments", "spec: {podSelector: {}, ingress: [{}], egress: [{}]}"), "spec.podSelector: a network's NetworkPolicy must select the network's own nodes"},
		{"a finalizer", small("v1", "ConfigMap", "name: payments, finalizers: [example.com/stay]", ""), noFinalizers},
		{"the machine's network", statefulSet(`{` + plain + `, hostNetwork: true}`), ofTheMachine},
		{"the machine's processes", statefulSet(`{` + plain + `, hostPID: true}`), ofTheMachine},
		{"a port of the machine's", statefulSet(`{containers: [{name: a, image: a, ports: [{containerPort: 1, hostPort: 1}]}], automountServiceAccountToken: false}`), ofTheMachine},
		{"the machine, to begin with", statefulSet(`{initContainers: [{name: i, image: a, securityContext: {privileged: true}}], ` + plain + `}`), ofTheMachine},
	} {
		team.expect(make(test.manifest), test.want, test.reason)
	}
}

// NetworkPolicies add up, so none may allow more than a network needs.
func TestNetworkPolicies(t *testing.T) {
	const (
		own      = "podSelector: {matchLabels: {bitcoin-operator.github.io/network: payments}}"
		notIts   = "spec.podSelector: a network's NetworkPolicy must select the network's own nodes"
		notIn    = "spec.ingress: only pods of their namespace that are selected by a label, and pods of namespaces given by name, may reach nodes, on ports given by number"
		tooMuch  = "spec.ingress, spec.egress: at most 64 ingress and 16 egress rules"
		notOut   = "spec.egress: nodes may reach only each other, the cluster's DNS and, on a public chain's port, addresses outside private ranges"
		private4 = `"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"`
		dns      = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}"
	)
	in := func(from, ports string) string {
		return own + ", ingress: [{from: [" + from + "], ports: [" + ports + "]}]"
	}
	out := func(to, ports string) string { return own + ", egress: [{to: [" + to + "], ports: [" + ports + "]}]" }
	for _, test := range []struct {
		reason, spec, want string
	}{
		{"its nodes to each other", in("{"+own+"}", "{port: 18444}"), ""},
		{"its clients, and the operator", in("{podSelector: {matchLabels: {app.kubernetes.io/name: bitcoin-operator}}}, {podSelector: {matchLabels: {bitcoin-operator.github.io/client: \"true\"}}}", "{port: 18443}, {port: 28332}"), ""},
		{"nobody", own, ""},
		{"everybody's policy", "podSelector: {}, policyTypes: [Ingress, Egress]", notIts},
		{"others' policy", "podSelector: {matchLabels: {app.kubernetes.io/name: bitcoin-operator}}", notIts},
		{"those of more than one network", "podSelector: {matchExpressions: [{key: bitcoin-operator.github.io/network, operator: Exists}]}", notIts},

		{"everybody", own + ", ingress: [{}]", notIn},
		{"everybody, on a port", own + ", ingress: [{ports: [{port: 18443}]}]", notIn},
		{"a port by a name that its pods give it", in("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}", "{port: p2p}"), notIn},
		{"all ports", own + ", ingress: [{from: [{" + own + "}]}]", notIn},
		{"all pods of the namespace", in("{podSelector: {}}", "{port: 18443}"), notIn},
		{"the world", in("{ipBlock: {cidr: 0.0.0.0/0}}", "{port: 18443}"), notIn},

		{"each other", out("{"+own+"}", "{port: 18444}"), ""},
		{"DNS", out("{"+dns+"}, {ipBlock: {cidr: 169.254.20.10/32}}", "{port: 53, protocol: UDP}, {port: 53}"), ""},
		{"the world of a public chain", out("{ipBlock: {cidr: 0.0.0.0/0, except: ["+private4+", \"192.0.2.0/24\"]}}, {ipBlock: {cidr: \"::/0\", except: [\"::1/128\", \"fc00::/7\", \"fe80::/10\"]}}", "{port: 8333}"), ""},
		{"anything", own + ", egress: [{}]", notOut},
		{"anything on a port", own + ", egress: [{ports: [{port: 53}]}]", notOut},
		{"each other on all ports", own + ", egress: [{to: [{" + own + "}]}]", notOut},
		{"other pods", out("{podSelector: {matchLabels: {app.kubernetes.io/name: bitcoin-operator}}}", "{port: 8080}"), notOut},
		{"all pods", out("{podSelector: {}}", "{port: 18444}"), notOut},
		{"another namespace", out("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}", "{port: 53}"), notOut},
		{"DNS' pods on another port", out("{"+dns+"}", "{port: 53}, {port: 9153}"), notOut},
		{"the machine's DNS on another port", out("{ipBlock: {cidr: 169.254.20.10/32}}", "{port: 80}"), notOut},
		{"the metadata service", out("{ipBlock: {cidr: 169.254.169.254/32}}", "{port: 80}"), notOut},
		{"the metadata service, on a chain's port", out("{ipBlock: {cidr: 169.254.169.254/32}}", "{port: 8333}"), notOut},
		{"the world, private ranges included", out("{ipBlock: {cidr: 0.0.0.0/0}}", "{port: 8333}"), notOut},
		{"the world, one of them included", out(`{ipBlock: {cidr: 0.0.0.0/0, except: [`+strings.Replace(private4, `"10.0.0.0/8", `, "", 1)+`]}}`, "{port: 8333}"), notOut},
		{"the world on another port", out("{ipBlock: {cidr: 0.0.0.0/0, except: ["+private4+"]}}", "{port: 443}"), notOut},
		{"the world on many ports", out("{ipBlock: {cidr: 0.0.0.0/0, except: ["+private4+"]}}", "{port: 8333, endPort: 65535}"), notOut},
		{"as many rules as can be", own + ", ingress: [" + strings.Repeat("{from: [{"+own+"}], ports: [{port: 1}]},", 64) + "]", ""},
		{"more", own + ", ingress: [" + strings.Repeat("{from: [{"+own+"}], ports: [{port: 1}]},", 65) + "]", tooMuch},
		{"too many who are let in", in(strings.Repeat("{"+own+"},", 17), "{port: 1}"), tooMuch},
		{"too many ports", in("{"+own+"}", strings.Repeat("{port: 1},", 17)), tooMuch},
		{"too many rules out", own + ", egress: [" + strings.Repeat("{to: [{"+own+"}], ports: [{port: 1}]},", 17) + "]", tooMuch},
		{"too many ranges", out("{ipBlock: {cidr: 0.0.0.0/0, except: ["+private4+strings.Repeat(", 192.0.2.0/24", 251)+"]}}", "{port: 8333}"), tooMuch},
		{"half of the world", out("{ipBlock: {cidr: 0.0.0.0/1, except: []}}", "{port: 8333}"), notOut},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			policy := team.object(small("networking.k8s.io/v1", "NetworkPolicy", "name: payments", "spec: {"+test.spec+"}\n"))
			team.expect(team.operator().Create(team.ctx, policy), test.want, test.reason)
		})
	}
}

func TestClaims(t *testing.T) {
	team := newTeam(t, bounds())
	operator := team.operator()
	claim := func(name, labels string) client.Object {
		claim := team.object("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + name + ", labels: {" + labels + "}, annotations: {note: a}}\n" +
			"spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}\n")
		team.Expect(team.as("").Create(team.ctx, claim)).To(Succeed())
		bound := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: team.namespace, Name: name}}
		bound.Status.Phase = corev1.ClaimBound
		status := client.RawPatch(types.MergePatchType, []byte(`{"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}`))
		team.Expect(team.as("").Status().Patch(team.ctx, bound, status)).To(Succeed())
		volume := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"volumeName": "volume"}}`))
		team.Expect(team.as("").Patch(team.ctx, bound, volume)).To(Succeed())
		return bound
	}
	const (
		noMeta   = "metadata: the operator may not change a claim's metadata"
		noSpec   = "spec: the operator may change only spec.resources of a claim"
		noOthers = "metadata.labels: the operator may change only claims of its networks' nodes, and create none"
	)
	ours, others := claim("data-payments-0", "bitcoin-operator.github.io/network: payments"), claim("theirs", "a: b")
	for _, test := range []struct {
		reason, patch, want string
	}{
		{"a finalizer", `{"metadata": {"finalizers": ["example.com/stay"]}}`, noMeta},
		{"no finalizer", `{"metadata": {"finalizers": null}}`, noMeta},
		{"a label", `{"metadata": {"labels": {"a": "b"}}}`, noMeta},
		{"a label less", `{"metadata": {"labels": null}}`, noMeta},
		{"a note", `{"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "machine"}}}`, noMeta},
		{"an owner", `{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"}]}}`, noMeta},
		{"another class of its volume", `{"spec": {"volumeAttributesClassName": "gold"}}`, noSpec},
	} {
		patch := client.RawPatch(types.MergePatchType, []byte(test.patch))
		team.expect(operator.Patch(team.ctx, ours.DeepCopyObject().(client.Object), patch, client.DryRunAll), test.want, test.reason)
	}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"resources": {"requests": {"storage": "1Gi"}}}}`))
	team.expect(operator.Patch(team.ctx, ours, patch, client.DryRunAll), "", "what it asks for")
	team.expect(operator.Patch(team.ctx, others, patch, client.DryRunAll), noOthers, "a claim of others'")
	made := team.object("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: mine, labels: {bitcoin-operator.github.io/network: payments}}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n")
	team.expect(operator.Create(team.ctx, made, client.DryRunAll), noOthers, "a claim of its own")
}

// An operator goes on with what it once could make: nodes that are there must not be
// left alone because the bounds have changed.
func TestStatefulSetsFromBeforeTheBounds(t *testing.T) {
	const container = `{"name": "bitcoind", "image": "example.com/old:1", "resources": {"limits": {"nvidia.com/gpu": "1"}}`
	team := newTeam(t, bounds())
	set := team.object(statefulSet(`{containers: [{name: bitcoind, image: "example.com/old:1", resources: {limits: {nvidia.com/gpu: 1}}}], automountServiceAccountToken: false,
      nodeSelector: {gpu: a}, tolerations: [{operator: Exists}], imagePullSecrets: [{name: old}], terminationGracePeriodSeconds: 900,
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule}]}`) +
		"  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], storageClassName: gold, resources: {requests: {storage: 1Gi}}}}]\n")
	team.Expect(team.as("").Create(team.ctx, set)).To(Succeed())
	operator := team.operator()
	const asPlatform = `{"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": %q}, "finalizers": ["example.com/theirs"]},
	  "spec": {"priorityClassName": "theirs", "schedulerName": "theirs", "runtimeClassName": "theirs"}}, "revisionHistoryLimit": 20}}`
	touched := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, asPlatform, "now"))
	team.Expect(team.as("").Patch(team.ctx, set, touched)).To(Succeed(), "the platform's people put their own words beside, as kubectl rollout restart does")
	spec := func(fields string) string { return `{"spec": {"template": {"spec": {` + fields + `}}}}` }
	for _, test := range []struct {
		reason, patch, want string
	}{
		{"fewer nodes, or more", `{"spec": {"replicas": 7}}`, ""},
		{"another restart", fmt.Sprintf(asPlatform, "later"), "spec.template.metadata.annotations: only the operator's own are allowed"},
		{"another priority", spec(`"priorityClassName": "mine"`), "spec.template.spec.nodeName, spec.template.spec.priorityClassName"},
		{"another scheduler", spec(`"schedulerName": "mine"`), "spec.template.spec.schedulerName"},
		{"another runtime", spec(`"runtimeClassName": "mine"`), "spec.template.spec.runtimeClassName"},
		{"a longer history", `{"spec": {"revisionHistoryLimit": 30}}`, "spec.revisionHistoryLimit: 0 to 10"},
		{"another field of pods", spec(`"hostUsers": false`), ""},
		{"another image that is not allowed", spec(`"containers": [` + strings.Replace(container, "old:1", "old:2", 1) + `}]`), "spec.template.spec.containers: the platform does not allow this image"},
		{"one that is", spec(`"containers": [` + strings.Replace(container, "old:1", "bitcoind:2", 1) + `}]`), ""},
		{"more devices", spec(`"containers": [` + strings.Replace(container, `"1"`, `"2"`, 1) + `}]`), "spec.template.spec.resources: the platform allows"},
		{"other machines", spec(`"nodeSelector": {"gpu": "b"}`), "spec.template.spec.nodeSelector: the platform allows"},
		{"longer to end", spec(`"terminationGracePeriodSeconds": 901`), "spec.template.spec.terminationGracePeriodSeconds: at most 600"},
		{"another topology", spec(`"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "gpu", "whenUnsatisfiable": "DoNotSchedule"}]`), "the platform allows as topologyKey"},
	} {
		patch := client.RawPatch(types.MergePatchType, []byte(test.patch))
		team.expect(operator.Patch(team.ctx, set.DeepCopy(), patch, client.DryRunAll), test.want, test.reason)
	}
}
