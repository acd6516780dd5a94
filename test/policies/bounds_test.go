package policies_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

const (
	tooManyNodes    = "spec.nodes: the platform allows 100 nodes per network in this namespace, not "
	noTopology      = "spec.affinity, spec.topologySpreadConstraints: the platform allows as topologyKey: kubernetes.io/hostname topology.kubernetes.io/zone zone"
	tooMuchAffinity = "spec.affinity, spec.topologySpreadConstraints: at most 256 terms, labels and values in total are allowed, because the scheduler compares them with all pods"
	tooLong         = "spec.nodeSelector, spec.affinity, spec.topologySpreadConstraints, spec.tolerations: at most 32 labels of machines are allowed, and nothing longer than a label may be"
	noDevices       = "spec.resources: the platform allows: cpu memory ephemeral-storage"
	noLabels        = "spec.podLabels: any label without a prefix (before a /) is allowed; of labels with a prefix, which other software may act on, the platform allows: example.com/ billing.example.org/team"
	fluxDecides     = "the platform decides how Flux treats what a team commits; leave it out"
	noMemoryBound   = "spec.resources.limits.memory: 0 means no limit, which no quota counts; set an amount, or leave it out for the default"
	longFigure      = "spec: a quantity or duration must have at most 64 characters"
	manyNotes       = "metadata.annotations: at most 32 are allowed, of at most 16 KiB in total"
)

// preferring returns an affinity with as many terms.
func preferring(terms int) string {
	var list strings.Builder
	for i := range terms {
		fmt.Fprintf(&list, `{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b%d}}}},`, i)
	}
	return `affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [` + list.String() + `]}}`
}

// wanting returns an affinity that names as many values.
func wanting(values int) string {
	return `affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [` +
		strings.Repeat("a,", values) + `]}]}]}}}`
}

func TestNetworkBounds(t *testing.T) {
	long := strings.Repeat("a", 400)
	for _, test := range []struct {
		reason string
		spec   string
		want   string
	}{
		{"as many nodes as there may be", `nodes: 100`, ""},
		{"one more", `nodes: 101`, tooManyNodes + "101"},

		{"apart by machine", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule}]`, ""},
		{"apart by zone", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule}]`, ""},
		{"by a label that is allowed", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]`, ""},
		{"by a label of which one value is", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: pool, whenUnsatisfiable: DoNotSchedule}]`, noTopology},
		{"machines with a label, in a constraint's words", `topologySpreadConstraints: [{maxSkew: 100, topologyKey: node-role.kubernetes.io/control-plane, whenUnsatisfiable: DoNotSchedule}]`, noTopology},
		{"the same in affinity's", `affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: gpu, labelSelector: {}}]}}`, noTopology},
		{"the same where it is only preferred", `affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: gpu, labelSelector: {}}}]}}`, noTopology},

		{"much affinity", preferring(100), ""},
		{"very much", preferring(2000), tooMuchAffinity},
		{"many values", wanting(250), ""},
		{"very many", wanting(300), tooMuchAffinity},
		{"many keys", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, matchLabelKeys: [` + strings.Repeat("a,", 300) + `]}]`, tooMuchAffinity},
		{"a value that no label can have", `affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [` + long + `]}]}]}}}`, tooLong},
		{"a selector's", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {a: ` + long + `}}}]`, tooLong},
		{"a machine's", `nodeSelector: {zone: ` + long + `}`, tooLong},
		{"a taint's", `tolerations: [{key: bitcoin, value: ` + long + `}]`, tooLong},
		{"what a taint does", `tolerations: [{key: bitcoin, effect: ` + long + `}]`, tooLong},
		{"how a taint compares", `tolerations: [{key: bitcoin, operator: ` + long + `}]`, tooLong},
		{"how a label compares", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchExpressions: [{key: a, operator: ` + long + `}]}}]`, tooLong},
		{"what a constraint does", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ` + long + `}]`, tooLong},
		{"what a constraint says of taints", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, nodeTaintsPolicy: ` + long + `}]`, tooLong},
		{"nothing, in as many words", `{nodeSelector: null, tolerations: null, topologySpreadConstraints: null, affinity: {nodeAffinity: null, podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: null}}, resources: {limits: null}}`, ""},

		{"figures of all that quotas know", `resources: {requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}, limits: {memory: 1Gi}}`, ""},
		{"memory without a limit, which is nothing to a quota", `resources: {limits: {memory: 0}}`, noMemoryBound},
		{"the same with a unit", `resources: {limits: {memory: 0Gi}}`, noMemoryBound},
		{"a request of nothing", `resources: {requests: {cpu: 0, memory: 0}}`, ""},
		{"a long figure", `resources: {limits: {ephemeral-storage: "1` + strings.Repeat("0", 100) + `"}}`, longFigure},
		{"a long time", `interval: ` + strings.Repeat("1m", 33), longFigure},
		{"a long time until blocks", `{mining: {interval: ` + strings.Repeat("1m", 33) + `}}`, longFigure},
		{"a device", `resources: {limits: {devices.kubevirt.io/kvm: 1}}`, noDevices},
		{"a device, as a request", `resources: {requests: {nvidia.com/gpu: 8}}`, noDevices},
		{"large pages", `resources: {limits: {hugepages-2Mi: 1Gi}}`, noDevices},

		{"labels of one's own", `podLabels: {team: a, cost-centre: b}`, ""},
		{"a label that is allowed", `podLabels: {billing.example.org/team: a}`, ""},
		{"one with a prefix that is", `podLabels: {example.com/anything: a}`, ""},
		{"one that begins alike", `podLabels: {billing.example.org/team-b: a}`, noLabels},
		{"a queue", `podLabels: {kueue.x-k8s.io/queue-name: theirs}`, noLabels},
		{"an identity", `podLabels: {azure.workload.identity/use: "true"}`, noLabels},
		{"a sidecar", `podLabels: {sidecar.istio.io/inject: "true"}`, noLabels},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			network := team.network("payments", test.spec)
			team.expect(team.as("").Create(team.ctx, network), test.want, test.reason)
		})
	}
}

func TestNetworkBoundsOfMetadata(t *testing.T) {
	note := func(key string, value any) string { return fmt.Sprintf(`{"annotations": {%q: %q}}`, key, value) }
	label := func(key, value string) string { return fmt.Sprintf(`{"labels": {%q: %q}}`, key, value) }
	const flux = "kustomize.toolkit.fluxcd.io/"
	var many strings.Builder
	for i := range 33 {
		fmt.Fprintf(&many, "a%d: b,", i)
	}
	for _, test := range []struct {
		reason, metadata, want string
	}{
		{"a note", note("note", "of the team's"), ""},
		{"a long one", note("note", strings.Repeat("a", 16000)), ""},
		{"one that is longer", note("note", strings.Repeat("a", 17000)), manyNotes},
		{"many", `{"annotations": {` + many.String() + `}}`, manyNotes},
		{"many labels", `{"labels": {` + many.String() + `}}`, "metadata.labels: at most 32"},
		{"an owner with a long name", `{"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "` + strings.Repeat("a", 2000) + `"}]}`, "metadata.ownerReferences: at most 8, of 1 KiB each"},
		{"a look asked for", note("reconcile.fluxcd.io/requestedAt", "2026-01-01T00:00:00.000000000Z"), ""},
		{"a look asked for at length", note("reconcile.fluxcd.io/requestedAt", strings.Repeat("a", 65)), "reconcile.fluxcd.io/requestedAt must have at most 64 characters"},

		{"whose it is, which Flux says", `{"labels": {"` + flux + `name": "networks", "` + flux + `namespace": "team-a", "` + flux + `force": "disabled"}, "annotations": {"` + flux + `force": "disabled"}}`, ""},
		{"that it stays", note(flux+"prune", "disabled"), flux + "prune is not allowed: " + fluxDecides},
		{"the same as a label", label(flux+"prune", "disabled"), flux + "prune is not allowed"},
		{"how it is applied", note(flux+"ssa", "IfNotPresent"), flux + "ssa is not allowed"},
		{"that it is not", note(flux+"reconcile", "disabled"), flux + "reconcile is not allowed"},
		{"that it is made anew", note(flux+"force", "enabled"), flux + "force is not allowed"},
		{"whose it is, as a note", note(flux+"name", "networks"), flux + "name is not allowed"},
		{"a key of which nobody knows", label(flux+"other", "a"), flux + "other is not allowed"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			network := team.network("payments", "")
			var metadata map[string]any
			team.Expect(yaml.Unmarshal([]byte(test.metadata), &metadata)).To(Succeed())
			for key, value := range metadata {
				network.Object["metadata"].(map[string]any)[key] = value
			}
			team.expect(team.as("").Create(team.ctx, network), test.want, test.reason)
		})
	}
}

// The API server takes any beginning of a name to generate when an object that has one
// is changed.
func TestNamesToGenerate(t *testing.T) {
	team := newTeam(t, bounds())
	for _, object := range []client.Object{team.network("payments", ""), team.sealedSecret("{name: bitcoin-rpc}", "{encryptedData: {}}")} {
		team.Expect(team.as("").Create(team.ctx, object)).To(Succeed())
		generate := func(characters int) error {
			patch := fmt.Sprintf(`{"metadata": {"generateName": %q}}`, strings.Repeat("a", characters))
			return team.as("").Patch(team.ctx, object, client.RawPatch(types.MergePatchType, []byte(patch)), client.DryRunAll)
		}
		team.expect(generate(254), "metadata.generateName: at most 253 characters; leave it out", "longer than a name can be")
		team.expect(generate(253), "", "as long as a name can be")
	}
}

func TestBoundsThatThePlatformSets(t *testing.T) {
	few := bounds()
	unsaid := bounds()
	unsaid["maxNodes"], unsaid["requireSecret"] = "", ""
	team := newTeam(t, unsaid)
	team.expect(team.as("").Create(team.ctx, team.network("payments", "nodes: 100")), "", "what is empty is as if it were not there")
	team.expect(team.as("").Create(team.ctx, team.network("many", "nodes: 101")), tooManyNodes+"101", "and the default holds")
	few["maxNodes"], few["requireSecret"], few["resources"], few["podLabels"], few["nodeLabels"] = "3", "true", "nvidia.com/gpu", "*", "*"
	for _, test := range []struct {
		reason, spec, want string
	}{
		{"as many nodes as there may be", `{nodes: 3, secret: bitcoin-rpc}`, ""},
		{"one more", `{nodes: 4, secret: bitcoin-rpc}`, "spec.nodes: the platform allows 3 nodes per network in this namespace, not 4"},
		{"the credentials that everybody knows", `{}`, "spec.secret: is required in this namespace, because the default credentials are publicly known; use bitcoin-rpc"},
		{"a device that is allowed", `{secret: bitcoin-rpc, resources: {limits: {nvidia.com/gpu: 1}}}`, ""},
		{"any label", `{secret: bitcoin-rpc, podLabels: {kueue.x-k8s.io/queue-name: ours}}`, ""},
		{"any topology", `{secret: bitcoin-rpc, topologySpreadConstraints: [{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule}]}`, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, few)
			team.expect(team.as("").Create(team.ctx, team.network("payments", test.spec)), test.want, test.reason)
		})
	}
}

// before makes a network as it may be from before there were these bounds: its namespace
// becomes a tenant's afterwards.
func before(t *testing.T, network func(*team) *unstructured.Unstructured) (*team, *unstructured.Unstructured) {
	t.Helper()
	team := newTeam(t, bounds())
	label := func(value string) {
		patch := fmt.Sprintf(`{"metadata": {"labels": {%q: %s}}}`, policies.TenantLabel, value)
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team.namespace}}
		team.Expect(team.as("").Patch(team.ctx, namespace, client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
	}
	refused := func() error {
		return team.as("").Create(team.ctx, team.network("probe", "nodes: 1000"), client.DryRunAll)
	}
	label("null")
	team.Eventually(refused).Should(Succeed())
	old := network(team)
	team.Expect(team.as("").Create(team.ctx, old)).To(Succeed())
	label(`"true"`)
	team.Eventually(refused).Should(MatchError(ContainSubstring(tooManyNodes)))
	return team, old
}

// What is there may stay or become less, and can always be suspended and deleted.
func TestNetworksFromBeforeTheBounds(t *testing.T) {
	for _, test := range []struct {
		reason string
		spec   string
		more   string // a patch of the spec
		want   string
		less   string
	}{
		{"too many nodes", `nodes: 300`, `{"nodes": 301}`, tooManyNodes + "301", `{"nodes": 299}`},
		{"a topology", `topologySpreadConstraints: [{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule}]`,
			`{"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "gpu", "whenUnsatisfiable": "DoNotSchedule"}]}`, noTopology,
			`{"topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway"}]}`},
		{"much affinity", preferring(200), `{"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"topologyKey": "zone"}}]}}}`, tooMuchAffinity,
			`{"affinity": null}`},
		{"a device", `resources: {limits: {nvidia.com/gpu: 2}}`, `{"resources": {"limits": {"nvidia.com/gpu": 3}}}`, noDevices, `{"resources": {"limits": {"nvidia.com/gpu": 1}}}`},
		{"memory without a limit", `resources: {limits: {memory: "0"}}`, `{"resources": {"limits": {"memory": "0"}, "requests": {"nvidia.com/gpu": 1}}}`, noDevices, `{"resources": {"limits": {"memory": "1Gi"}}}`},
		{"a long figure", `resources: {limits: {ephemeral-storage: "1` + strings.Repeat("0", 99) + `"}}`, `{"resources": {"limits": {"ephemeral-storage": "2` + strings.Repeat("0", 99) + `"}}}`, longFigure,
			`{"resources": {"limits": {"ephemeral-storage": "1Gi"}}}`},
		{"a long time", `interval: ` + strings.Repeat("1s", 99), `{"interval": "` + strings.Repeat("2s", 99) + `"}`, longFigure, `{"interval": "5s"}`},
		{"a label", `podLabels: {sidecar.istio.io/inject: "true"}`, `{"podLabels": {"sidecar.istio.io/inject": "false"}}`, noLabels, `{"podLabels": {"sidecar.istio.io/inject": null}}`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team, network := before(t, func(team *team) *unstructured.Unstructured {
				old := team.network("payments", test.spec)
				old.SetAnnotations(map[string]string{"kustomize.toolkit.fluxcd.io/prune": "disabled", "long": strings.Repeat("a", 20000)})
				labels := map[string]string{}
				for i := range 40 {
					labels[fmt.Sprint("a", i)] = "b"
				}
				old.SetLabels(labels)
				return old
			})
			reconciler := "system:serviceaccount:" + team.namespace + ":reconciler"
			team.allow("reconciler", reconciler, rbacv1.PolicyRule{APIGroups: []string{"bitcoin-operator.github.io"}, Resources: []string{"bitcoinnetworks"}, Verbs: []string{"*"}})
			patch := func(patch string) error {
				return team.as(reconciler).Patch(team.ctx, network.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)), client.DryRunAll)
			}
			team.expect(patch(`{"spec": {"protect": true}}`), "", "it may stay")
			const flux = "kustomize.toolkit.fluxcd.io/"
			team.expect(patch(`{"metadata": {"annotations": {"`+flux+`force": "disabled"}, "labels": {"`+flux+`force": "disabled", "`+flux+`name": "networks", "`+flux+`namespace": "a"}}}`),
				"", "Flux of a later version may say more of it")
			team.expect(patch(`{"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}}`), "", "it may be looked at")
			team.expect(patch(`{"metadata": {"labels": {"more": "b"}}}`), "metadata.labels: at most 32", "it may have no more labels")
			team.expect(patch(`{"spec": {"suspend": true}}`), "", "it may be suspended")
			team.expect(patch(`{"spec": {"nodes": 0}}`), "", "it may be parked")
			team.expect(patch(`{"spec": `+test.more+`}`), test.want, "it may not become more")
			team.expect(patch(`{"spec": `+test.less+`}`), "", "it may become less")
			team.expect(patch(`{"spec": {"suspend": true}, "metadata": {"annotations": {"longer": "`+strings.Repeat("a", 2000)+`"}}}`), manyNotes, "nothing else on the way")
			team.expect(patch(`{"metadata": {"annotations": {"long": null, "kustomize.toolkit.fluxcd.io/prune": null}}}`), "", "notes may go")
			team.expect(team.as(reconciler).Delete(team.ctx, network), "", "it may be deleted")
		})
	}
}

// Of lists that the platform has cut short a commit is told, and what is beyond them can
// be suspended and made smaller all the same.
func TestNetworksBeyondListsThatWereCut(t *testing.T) {
	team := newTeam(t, bounds())
	network := team.network("payments", `{nodes: 3, image: example.com/bitcoind}`)
	team.Expect(team.as("").Create(team.ctx, network)).To(Succeed())
	team.tightens(map[string]string{"images": "example.com/other"})
	for _, test := range []struct {
		reason, patch, want string
	}{
		{"suspended", `{"spec": {"suspend": true}}`, ""},
		{"smaller", `{"spec": {"nodes": 1}}`, ""},
		{"parked, and suspended", `{"spec": {"nodes": 0, "suspend": true}}`, ""},
		{"larger", `{"spec": {"nodes": 4}}`, "spec.image: the platform does not allow example.com/bitcoind"},
		{"smaller, with another image", `{"spec": {"nodes": 1, "image": "example.com/bitcoind:2"}}`, "spec.image: the platform does not allow"},
		{"smaller, with another field", `{"spec": {"nodes": 1, "protect": true}}`, "spec.image: the platform does not allow"},
		{"smaller, with a field less", `{"spec": {"nodes": 1, "interval": null}}`, ""},
		{"as it is", `{}`, "spec.image: the platform does not allow"},
		{"with an image that is allowed", `{"spec": {"image": "example.com/other:1"}}`, ""},
	} {
		err := team.as("").Patch(team.ctx, network.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(test.patch)), client.DryRunAll)
		team.expect(err, test.want, test.reason)
	}
}

// With the operator's next image, nodes that run keep the one that they began with: an
// upgrade replaces none of them, and goes on looking after them.
func TestNodesBeginWithAnOlderOperatorsImage(t *testing.T) {
	team := newTeam(t, bounds())
	operator := team.operator()
	const node = `containers: [{name: bitcoind, image: example.com/bitcoind}], automountServiceAccountToken: false`
	const before = "nodes must start from the image of the operator, which is example.com/operator:3 in this namespace"
	begins := func(image string) string {
		return `{"spec": {"template": {"spec": {"initContainers": [{"name": "bitcoind-start", "image": "` + image + `"}]}}}}`
	}
	set := team.object(statefulSet(`{initContainers: [{name: bitcoind-start, image: "example.com/operator:2"}], ` + node + `}`))
	team.Expect(operator.Create(team.ctx, set)).To(Succeed())
	team.tightens(map[string]string{"operatorImage": "example.com/operator:3"})
	for _, test := range []struct {
		reason, patch, want string
	}{
		{"as they are", begins("example.com/operator:2"), ""},
		{"more of them", `{"spec": {"replicas": 2}}`, ""},
		{"with this operator's image", begins("example.com/operator:3"), ""},
		{"with none", `{"spec": {"template": {"spec": {"initContainers": null}}}}`, ""},
		{"with a still older one", begins("example.com/operator:1"), before},
		{"with the node's own", begins("example.com/bitcoind"), before},
		{"as a node", `{"spec": {"template": {"spec": {"containers": [{"name": "bitcoind", "image": "example.com/operator:2"}]}}}}`, "the platform does not allow this image"},
	} {
		err := operator.Patch(team.ctx, set.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(test.patch)), client.DryRunAll)
		team.expect(err, test.want, test.reason)
	}
}

func TestScale(t *testing.T) {
	const refused = "spec.replicas: the platform allows 100 nodes per network in this namespace, not "
	team, network := before(t, func(team *team) *unstructured.Unstructured { return team.network("payments", "nodes: 300") })
	person := "somebody@example.com"
	team.allow("people", person, rbacv1.PolicyRule{APIGroups: []string{"bitcoin-operator.github.io"}, Resources: []string{"bitcoinnetworks/scale"}, Verbs: []string{"get", "patch", "update"}})
	small := team.network("small", "nodes: 3")
	team.Expect(team.as("").Create(team.ctx, small)).To(Succeed())
	for _, test := range []struct {
		reason  string
		network *unstructured.Unstructured
		nodes   int32
		want    string
	}{
		{"more", small, 100, ""},
		{"too many", small, 101, refused + "101"},
		{"what was there", network, 300, ""},
		{"less of it", network, 200, ""},
		{"more of it", network, 301, refused + "301"},
	} {
		scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: test.nodes}}
		err := team.as(person).SubResource("scale").Update(team.ctx, test.network.DeepCopy(), client.WithSubResourceBody(scale), client.DryRunAll)
		team.expect(err, test.want, test.reason)
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec": {"replicas": %d}}`, test.nodes))
		team.expect(team.as(person).SubResource("scale").Patch(team.ctx, test.network.DeepCopy(), patch, client.DryRunAll), test.want, test.reason)
	}
	var left v1alpha1.BitcoinNetworkList
	team.Expect(team.as("").List(team.ctx, &left, client.InNamespace(team.namespace))).To(Succeed())
}
