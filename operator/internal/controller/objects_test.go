package controller

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// The objects that the tests of this package's pure parts speak of: a network
// "payments" in "team-a", with pods payments-0… at 10.0.0.0….

// regtest is the chain that they follow.
var regtest, _ = bitcoind.ChainNamed("regtest")

// The revisions of a StatefulSet's template before and after a change.
const (
	oldRevision = "payments-old"
	newRevision = "payments-new"
)

// networkOf returns a network that asks for so many nodes and that nobody has
// looked at yet, as the API server makes it.
func networkOf(nodes int32, changes ...func(*v1alpha1.BitcoinNetwork)) *v1alpha1.BitcoinNetwork {
	network := &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: "team-a", UID: "network", Generation: 1},
		Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: nodes, Secret: secretName, Chain: v1alpha1.Regtest},
		Status:     v1alpha1.BitcoinNetworkStatus{ObservedGeneration: -1},
	}
	for _, change := range changes {
		change(network)
	}
	return network
}

// runningPod returns a pod whose node runs, of the current revision.
func runningPod(ordinal int, changes ...func(*corev1.Pod)) *corev1.Pod {
	name := fmt.Sprintf("payments-%d", ordinal)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "team-a", UID: types.UID(name),
			Labels: map[string]string{
				resources.NetworkLabel:                "payments",
				appsv1.ControllerRevisionHashLabelKey: newRevision,
			},
		},
		Spec: corev1.PodSpec{NodeName: "machine-a"},
		Status: corev1.PodStatus{
			PodIP: fmt.Sprintf("10.0.0.%d", ordinal),
			ContainerStatuses: []corev1.ContainerStatus{{
				Name:        resources.Container,
				ContainerID: "containerd://" + name,
				Ready:       true,
				State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
			}},
		},
	}
	for _, change := range changes {
		change(pod)
	}
	return pod
}

// Changes of a pod.
func ofOldRevision(pod *corev1.Pod) {
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = oldRevision
}

func terminating(pod *corev1.Pod) { pod.DeletionTimestamp = new(metav1.Now()) }

func container(state corev1.ContainerState, changes ...func(*corev1.ContainerStatus)) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		status := &pod.Status.ContainerStatuses[0]
		status.State, status.Ready = state, false
		for _, change := range changes {
			change(status)
		}
	}
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func exited(code int32, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}}
}

// nodeAt returns a node that answers, with a tip of that height. Tips of one
// branch and height are equal.
func nodeAt(ordinal int, height int32, branch string, changes ...func(*corev1.Pod)) node {
	found := node{pod: runningPod(ordinal, changes...)}
	found.state.Chain.Blocks = height
	found.state.Chain.BestBlockHash = fmt.Sprintf("%s%05d%s", branch, height, strings.Repeat("0", 54))
	return found
}

// silent returns a node that has a pod, but does not answer.
func silent(ordinal int, problem string, changes ...func(*corev1.Pod)) node {
	return node{pod: runningPod(ordinal, changes...), problem: problem}
}

// seenOf returns an observation of these nodes, in a StatefulSet that is as it
// should be.
func seenOf(nodes ...node) *observation {
	return &observation{
		chain: regtest,
		pairs: []bitcoind.Credentials{alice},
		nodes: nodes,
		statefulSet: &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Generation: 1},
			Status: appsv1.StatefulSetStatus{
				ObservedGeneration: 1, Replicas: int32(len(nodes)), CurrentRevision: oldRevision, UpdateRevision: newRevision,
			},
		},
	}
}

// healthy returns an observation of so many nodes that all answer and agree.
func healthy(nodes int) *observation {
	var list []node
	for ordinal := range nodes {
		list = append(list, nodeAt(ordinal, 7, "a"))
	}
	return seenOf(list...)
}

// unfit returns an observation without credentials.
func unfit(reason, message string, nodes int) *observation {
	seen := &observation{chain: regtest, unfit: &credentials.Unfit{Reason: reason, Message: message}, nodes: make([]node, nodes)}
	for ordinal := range seen.nodes {
		seen.nodes[ordinal].problem = "it has no pod"
	}
	return seen
}

// planOf returns the plan for so many nodes, of whose links these do not stand.
func planOf(nodes int, missing ...peering.Link) peering.Plan {
	plan := peering.Plan{Links: peering.Links(nodes, peering.MaxDegree), Missing: missing}
	if nodes > 0 {
		whole := make([]int, nodes)
		for ordinal := range whole {
			whole[ordinal] = ordinal
		}
		plan.Parts = [][]int{whole}
	}
	return plan
}

// branches returns what a node at the highest tip says of the others, when blocks
// of one letter are on one chain.
func branches(seen *observation) map[string]bool {
	tips := tipsOf(seen)
	of := map[string]bool{}
	for _, tip := range tips {
		of[tip.hash] = tip.hash[0] == tips[0].hash[0]
	}
	return of
}
