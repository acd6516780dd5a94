package policies_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	nodesOnly   = "metadata.ownerReferences, metadata.labels: the operator may write only the status of a network's nodes, which a StatefulSet of the network's name controls"
	noMetadata  = "metadata: the operator may not change a pod's metadata"
	gateOnly    = "status: the operator may write only the condition bitcoin-operator.github.io/synced of a pod"
	gateIsShort = "status.conditions: the condition bitcoin-operator.github.io/synced must have a reason of at most 64 characters and a message of at most 1024"
	gateIsTrue  = "status.conditions: the operator may set the condition bitcoin-operator.github.io/synced only to True"

	ownedByStatefulSet = `{apiVersion: apps/v1, kind: StatefulSet, name: payments, uid: "1", controller: true}`
	ofPayments         = `{bitcoin-operator.github.io/network: payments}`
)

// gate returns the readiness gate with a status, as JSON.
func gate(status string) string {
	return fmt.Sprintf(`{"type": "bitcoin-operator.github.io/synced", "status": %q, "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Synced"}`, status)
}

// conditions returns a patch that sets them.
func conditions(list ...string) string {
	return `{"status": {"conditions": [` + strings.Join(list, ", ") + `]}}`
}

// pod makes a pod of a network that runs, with these metadata, and with these
// conditions beside those of the kubelet's.
func (team *team) pod(owners, labels string, more ...corev1.PodCondition) *unstructured.Unstructured {
	pod := team.object(`
apiVersion: v1
kind: Pod
metadata: {name: payments-0, labels: ` + labels + `, annotations: {note: a}, ownerReferences: [` + owners + `]}
spec: {nodeName: machine, containers: [{name: bitcoind, image: a}], readinessGates: [{conditionType: bitcoin-operator.github.io/synced}]}
`)
	team.Expect(team.as("").Create(team.ctx, pod)).To(Succeed())
	running := &corev1.Pod{}
	team.Expect(team.as("").Get(team.ctx, client.ObjectKeyFromObject(pod), running)).To(Succeed())
	running.Status.Phase = corev1.PodRunning
	running.Status.ObservedGeneration = 1
	running.Status.HostIP, running.Status.HostIPs = "192.0.2.1", []corev1.HostIP{{IP: "192.0.2.1"}}
	running.Status.PodIP, running.Status.PodIPs = "198.51.100.1", []corev1.PodIP{{IP: "198.51.100.1"}}
	running.Status.Conditions = append([]corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, ObservedGeneration: 1},
		{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, ObservedGeneration: 1},
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ReadinessGatesNotReady", ObservedGeneration: 1},
	}, more...)
	running.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "bitcoind", Image: "a", ImageID: "a", Ready: true}}
	team.Expect(team.as("").Status().Update(team.ctx, running)).To(Succeed())
	return pod
}

func TestReadiness(t *testing.T) {
	synced := gate("True")
	with := func(patch string) string { // as well as what it may
		return strings.Replace(conditions(synced), `{"status": {`, patch, 1)
	}
	for _, test := range []struct {
		reason string
		patch  string
		want   string
	}{
		{"that a node has the chain", conditions(synced), ""},
		{"that it has it not", conditions(gate("False")), gateIsTrue},
		{"that it is not known", conditions(gate("Unknown")), gateIsTrue},
		{"nothing", `{}`, gateIsTrue},
		{"at length", conditions(strings.Replace(synced, `"Synced"`, `"Synced", "message": "`+strings.Repeat("a", 1025)+`"`, 1)), gateIsShort},

		{"that it is ready", conditions(`{"type": "Ready", "status": "True"}`), gateOnly},
		{"that it is ready, as well", conditions(synced, `{"type": "Ready", "status": "True"}`), gateOnly},
		{"why it is not", conditions(synced, `{"type": "Ready", "reason": "a"}`), gateOnly},
		{"of which change that tells", conditions(synced, `{"type": "Ready", "observedGeneration": 2}`), gateOnly},
		{"that it is being disrupted, for which its owner replaces it", conditions(synced, `{"type": "DisruptionTarget", "status": "True"}`), gateOnly},
		{"a condition of another's", conditions(synced, `{"type": "example.com/synced", "status": "True"}`), gateOnly},
		{"a condition less", conditions(synced, `{"type": "PodScheduled", "$patch": "delete"}`), gateOnly},
		{"no other conditions", conditions(synced, `{"$patch": "replace"}`), gateOnly},

		{"its phase", with(`{"status": {"phase": "Failed", `), gateOnly},
		{"its address, to which Services lead", with(`{"status": {"podIP": "203.0.113.1", "podIPs": [{"$patch": "replace"}, {"ip": "203.0.113.1"}], `), gateOnly},
		{"no address", with(`{"status": {"podIP": null, "podIPs": null, `), gateOnly},
		{"its machine's address", with(`{"status": {"hostIP": "203.0.113.1", "hostIPs": [{"$patch": "replace"}, {"ip": "203.0.113.1"}], `), gateOnly},
		{"a container that has ended", with(`{"status": {"containerStatuses": [{"name": "bitcoind", "ready": false}], `), gateOnly},
		{"words of its own", with(`{"status": {"message": "a", "reason": "b", `), gateOnly},
		{"when it began", with(`{"status": {"startTime": "2026-01-01T00:00:00Z", `), gateOnly},
		{"which change the kubelet has seen", with(`{"status": {"observedGeneration": 2, `), gateOnly},

		{"a label, by which policies and Services know it", with(`{"metadata": {"labels": {"bitcoin-operator.github.io/client": "true"}}, "status": {`), noMetadata},
		{"another network's label", with(`{"metadata": {"labels": {"bitcoin-operator.github.io/network": "other"}}, "status": {`), noMetadata},
		{"no labels", with(`{"metadata": {"labels": null}, "status": {`), noMetadata},
		{"an annotation", with(`{"metadata": {"annotations": {"a": "b"}}, "status": {`), noMetadata},
		{"another annotation", with(`{"metadata": {"annotations": {"note": "b"}}, "status": {`), noMetadata},
		{"a finalizer, with which it would stay", with(`{"metadata": {"finalizers": ["example.com/stay"]}, "status": {`), noMetadata},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			pod := team.pod(ownedByStatefulSet, ofPayments)
			patch := client.RawPatch(types.StrategicMergePatchType, []byte(test.patch))
			team.expect(team.operator().Status().Patch(team.ctx, pod, patch), test.want, test.reason)
		})
	}
}

func TestReadinessOfOtherPods(t *testing.T) {
	for _, test := range []struct {
		reason string
		owners string
		labels string
		want   string
	}{
		{"a node", ownedByStatefulSet, ofPayments, ""},
		{"a node that somebody else has an interest in", `{apiVersion: v1, kind: ConfigMap, name: a, uid: "2"}, ` + ownedByStatefulSet, ofPayments, ""},
		{"a pod that nobody owns", "", ofPayments, nodesOnly},
		{"a pod of a Deployment's", `{apiVersion: apps/v1, kind: ReplicaSet, name: payments, uid: "1", controller: true}`, ofPayments, nodesOnly},
		{"a pod that a StatefulSet does not control", strings.Replace(ownedByStatefulSet, ", controller: true", "", 1), ofPayments, nodesOnly},
		{"a pod of another group's StatefulSet", strings.Replace(ownedByStatefulSet, "apps/v1", "example.com/v1", 1), ofPayments, nodesOnly},
		{"a pod of a StatefulSet that is no network's", ownedByStatefulSet, "{a: b}", nodesOnly},
		{"a pod of a StatefulSet by another name than the network's", ownedByStatefulSet, "{bitcoin-operator.github.io/network: other}", nodesOnly},
	} {
		t.Run(test.reason, func(t *testing.T) {
			team := newTeam(t, bounds())
			pod := team.pod(test.owners, test.labels)
			patch := client.RawPatch(types.StrategicMergePatchType, []byte(conditions(gate("True"))))
			team.expect(team.operator().Status().Patch(team.ctx, pod, patch), test.want, test.reason)
		})
	}
}

// What a node has had, it has: only a new pod begins anew.
func TestReadinessIsNotTakenBack(t *testing.T) {
	team := newTeam(t, bounds())
	pod := team.pod(ownedByStatefulSet, ofPayments, corev1.PodCondition{Type: "bitcoin-operator.github.io/synced", Status: corev1.ConditionTrue})
	operator := team.operator()
	for _, test := range []struct {
		reason string
		patch  string
		want   string
	}{
		{"the same, with a reason", conditions(gate("True")), ""},
		{"no longer", conditions(gate("False")), gateIsTrue},
		{"gone", conditions(`{"type": "bitcoin-operator.github.io/synced", "$patch": "delete"}`), gateIsTrue},
	} {
		patch := client.RawPatch(types.StrategicMergePatchType, []byte(test.patch))
		team.expect(operator.Status().Patch(team.ctx, pod.DeepCopy(), patch), test.want, test.reason)
	}
}

// However it is sent, and while the pod is being deleted, too.
func TestReadinessByEveryPatch(t *testing.T) {
	team := newTeam(t, bounds())
	pod := team.pod(ownedByStatefulSet, ofPayments)
	operator := team.operator()

	merge := &corev1.Pod{}
	team.Expect(operator.Get(team.ctx, client.ObjectKeyFromObject(pod), merge)).To(Succeed())
	before := merge.DeepCopy()
	merge.Status.Conditions = append(merge.Status.Conditions, corev1.PodCondition{Type: "bitcoin-operator.github.io/synced", Status: corev1.ConditionTrue})
	team.Expect(operator.Status().Patch(team.ctx, merge.DeepCopy(), client.MergeFrom(before), client.DryRunAll)).To(Succeed(), "merge patch")
	team.Expect(operator.Status().Patch(team.ctx, merge.DeepCopy(), client.StrategicMergeFrom(before), client.DryRunAll)).To(Succeed(), "strategic merge patch")

	apply := team.object("apiVersion: v1\nkind: Pod\nmetadata: {name: payments-0}\nstatus: {conditions: [" + gate("True") + "]}\n")
	team.Expect(operator.Status().Apply(team.ctx, client.ApplyConfigurationFromUnstructured(apply), client.FieldOwner("bitcoin-operator"), client.DryRunAll)).To(Succeed(), "apply")

	team.Expect(team.as("").Delete(team.ctx, pod)).To(Succeed())
	team.Expect(operator.Get(team.ctx, client.ObjectKeyFromObject(pod), before)).To(Succeed())
	team.Expect(before.DeletionTimestamp).NotTo(BeNil())
	patch := client.RawPatch(types.StrategicMergePatchType, []byte(conditions(gate("True"))))
	team.Expect(operator.Status().Patch(team.ctx, pod, patch)).To(Succeed(), "a pod that is being deleted")
}

// The kubelet, and everybody else, writes a status as ever.
func TestReadinessConcernsTheOperatorAlone(t *testing.T) {
	team := newTeam(t, bounds())
	pod := team.pod(ownedByStatefulSet, ofPayments)
	everything := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/status"}, Verbs: []string{"patch"}}
	for role, user := range map[string]string{
		"kubelet":          "system:node:machine",
		"another-operator": "system:serviceaccount:team-b:bitcoin-operator",
	} {
		team.allow(role, user, everything)
		patch := client.RawPatch(types.StrategicMergePatchType, []byte(`{"status": {"phase": "Failed", "conditions": [{"type": "Ready", "status": "True"}]}}`))
		team.expect(team.as(user).Status().Patch(team.ctx, pod.DeepCopy(), patch, client.DryRunAll), "", user)
	}
}
