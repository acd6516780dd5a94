// Package statetest has the objects that tests speak of: a network "payments" in
// "team-a", with pods payments-0… at 10.0.0.0….
package statetest

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Regtest is the chain that the network follows.
var Regtest, _ = bitcoind.ChainNamed("regtest")

// Secret is the name of its Secret.
const Secret = "bitcoin-rpc"

// The revisions of a StatefulSet's template before and after a change.
const (
	OldRevision = "payments-old"
	NewRevision = "payments-new"
)

// Now is the moment at which everything is seen; Born is when pods and containers
// were made.
var (
	Now  = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	Born = Now.Add(-24 * time.Hour)
)

// Network returns a network that asks for so many nodes and that nobody has looked
// at yet, as the API server makes it.
func Network(nodes int32, changes ...func(*v1alpha1.BitcoinNetwork)) *v1alpha1.BitcoinNetwork {
	network := &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: "team-a", UID: "network", Generation: 1},
		Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: nodes, Secret: Secret, Chain: v1alpha1.Regtest},
		Status:     v1alpha1.BitcoinNetworkStatus{ObservedGeneration: -1},
	}
	for _, change := range changes {
		change(network)
	}
	return network
}

// Pod returns a pod whose node runs and is ready, of the current revision.
func Pod(ordinal int, changes ...func(*corev1.Pod)) *corev1.Pod {
	name := fmt.Sprintf("payments-%d", ordinal)
	ready := func(name corev1.PodConditionType) corev1.PodCondition {
		return corev1.PodCondition{Type: name, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(Born)}
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "team-a", UID: types.UID(name), CreationTimestamp: metav1.NewTime(Born),
			Labels: map[string]string{
				resources.NetworkLabel:                "payments",
				appsv1.ControllerRevisionHashLabelKey: NewRevision,
			},
		},
		Spec: corev1.PodSpec{NodeName: "machine-a"},
		Status: corev1.PodStatus{
			PodIP:      fmt.Sprintf("10.0.0.%d", ordinal),
			Conditions: []corev1.PodCondition{ready(corev1.PodScheduled), ready(corev1.ContainersReady), ready(corev1.PodReady)},
			ContainerStatuses: []corev1.ContainerStatus{{
				Name:        resources.Container,
				ContainerID: "containerd://" + name,
				Ready:       true,
				State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(Born)}},
			}},
		},
	}
	for _, change := range changes {
		change(pod)
	}
	return pod
}

// OfOldRevision makes a pod one of before the change.
func OfOldRevision(pod *corev1.Pod) {
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = OldRevision
}

// Terminating makes a pod one that has just been told to go.
func Terminating(pod *corev1.Pod) { pod.DeletionTimestamp = new(metav1.NewTime(Now)) }

// NotReady makes a pod one that the kubelet does not find ready.
func NotReady(pod *corev1.Pod) {
	for i := range pod.Status.Conditions {
		if name := pod.Status.Conditions[i].Type; name == corev1.PodReady || name == corev1.ContainersReady {
			pod.Status.Conditions[i].Status = corev1.ConditionFalse
		}
	}
}

// Created makes a pod, and its container, one of that moment.
func Created(at time.Time) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.CreationTimestamp = metav1.NewTime(at)
		Started(at)(pod)
	}
}

// Started makes a pod's container one of that moment.
func Started(at time.Time) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.ContainerStatuses[0].State.Running.StartedAt = metav1.NewTime(at)
	}
}

// Container puts a pod's container into a state in which it does not run.
func Container(current corev1.ContainerState, changes ...func(*corev1.ContainerStatus)) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		NotReady(pod)
		status := &pod.Status.ContainerStatuses[0]
		status.State, status.Ready = current, false
		for _, change := range changes {
			change(status)
		}
	}
}

// Crashed makes a pod one whose container crashes again and again.
func Crashed(pod *corev1.Pod) {
	Container(Waiting("CrashLoopBackOff", ""), func(status *corev1.ContainerStatus) {
		status.RestartCount = 3
		status.LastTerminationState = Exited(1, "Error", "")
	})(pod)
}

// Waiting is the state of a container that does not run yet.
func Waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// Exited is the state of a container that has ended.
func Exited(code int32, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, Message: message, StartedAt: metav1.NewTime(Born),
	}}
}

// Block returns a block of that height. Those of one branch and height are equal, and
// those of one height have the same work.
func Block(height int32, branch string) state.Block {
	return state.Block{
		Height: int64(height),
		Hash:   fmt.Sprintf("%s%05d%s", branch, height, strings.Repeat("0", 58)),
		Work:   fmt.Sprintf("%064x", 2*(height+1)),
	}
}

// NodeAt returns a node that answers and serves, with a tip of that height.
func NodeAt(ordinal int, height int32, branch string, changes ...func(*corev1.Pod)) state.Node {
	tip := Block(height, branch)
	pod := Pod(ordinal, changes...)
	found := state.Node{
		Pod: pod, Data: pod.UID, Answers: true, Tip: &tip, Shown: true,
		LastAnswer: Now, LastServed: Now, LastAlive: Now, HadBest: Now,
	}
	found.State.Chain.Blocks, found.State.Chain.Headers = height, height
	found.State.Chain.VerificationProgress = 1
	found.State.Network.Version, found.State.Network.SubVersion = 320100, "/Satoshi:32.1.0/"
	found.Runs.Software = bitcoind.Software{Name: bitcoind.BitcoinCore, Version: 320100}
	found.State.Chain.BestBlockHash = tip.Hash
	return found
}

// Silent returns a node that has a pod and does not answer. Nobody knows at which tip
// it is.
func Silent(ordinal int, problem string, changes ...func(*corev1.Pod)) state.Node {
	pod := Pod(ordinal, changes...)
	return state.Node{Pod: pod, Data: pod.UID, Problem: problem, LastAnswer: Now, LastServed: Now, LastAlive: Now}
}

// Rejecting returns a node that rejects all credentials that the operator knows.
// Where it is ready, it shows its tip without.
func Rejecting(ordinal int, height int32, changes ...func(*corev1.Pod)) state.Node {
	node := NodeAt(ordinal, height, "a", changes...)
	node.Answers, node.RejectsAll, node.Problem = false, true, "it rejects all credentials known to the operator"
	node.State = bitcoind.State{}
	node.Shown = state.IsReady(node.Pod)
	return node
}

// Seen returns what is known of these nodes, in a StatefulSet that is as it should
// be.
func Seen(nodes ...state.Node) *state.Network {
	seen := &state.Network{
		Now:     Now,
		Chain:   Regtest,
		Private: true,
		Secret:  state.Secret{Pairs: 1, ChangedAt: Born.Add(-time.Hour)},
		Wanted:  len(nodes),
		Nodes:   nodes,
		StatefulSet: &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Generation: 1},
			Spec:       appsv1.StatefulSetSpec{Replicas: new(int32(len(nodes)))},
			Status: appsv1.StatefulSetStatus{
				ObservedGeneration: 1, Replicas: int32(len(nodes)), CurrentRevision: OldRevision, UpdateRevision: NewRevision,
			},
		},
	}
	seen.SetBest(nil)
	for i := range seen.Nodes {
		if !seen.Has(seen.Nodes[i]) && seen.Nodes[i].HadBest.Equal(Now) {
			seen.Nodes[i].HadBest = time.Time{} // it never had this block
		}
	}
	return seen
}

// Healthy returns what is known of so many nodes that all answer and agree.
func Healthy(nodes int) *state.Network {
	var list []state.Node
	for ordinal := range nodes {
		list = append(list, NodeAt(ordinal, 7, "a"))
	}
	return Seen(list...)
}

// Unusable returns what is known of a network without credentials.
func Unusable(reason, message string, nodes int) *state.Network {
	seen := &state.Network{
		Now: Now, Chain: Regtest, Private: true, Wanted: nodes, Nodes: make([]state.Node, nodes),
		Secret: state.Secret{Unusable: &state.Problem{Reason: reason, Message: message}},
	}
	for ordinal := range seen.Nodes {
		seen.Nodes[ordinal] = state.Missing("")
	}
	return seen
}

// Links returns the plan for the links of so many nodes, of which these do not
// stand.
func Links(nodes int, missing ...peering.Link) peering.Plan {
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

// Branches returns what a node at the highest tip says of the others, when blocks of
// one letter are on one chain.
func Branches(seen *state.Network) map[string]bool {
	tips := seen.Tips()
	of := map[string]bool{}
	for _, tip := range tips {
		of[tip.Hash] = tip.Hash[0] == tips[0].Hash[0]
	}
	return of
}
