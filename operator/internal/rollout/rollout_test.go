package rollout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

const (
	replace = v1alpha1.ReplaceAction
	restart = v1alpha1.RestartAction
)

// old makes a pod one of before the last change.
var old = statetest.OfOldRevision

// at returns a node that serves, at block 7.
func at(ordinal int, changes ...func(*corev1.Pod)) state.Node {
	return statetest.NodeAt(ordinal, 7, "a", changes...)
}

// behind returns a node that answers, at block 3.
func behind(ordinal int, changes ...func(*corev1.Pod)) state.Node {
	return statetest.NodeAt(ordinal, 3, "a", changes...)
}

// silent returns a node that did not answer in this pass and was at block 7 before.
func silent(ordinal int, changes ...func(*corev1.Pod)) state.Node {
	node := statetest.Silent(ordinal, "its RPC port is closed", changes...)
	node.Tip = new(statetest.Block(7, "a"))
	return node
}

// crashed returns a node that crashes, has not served for an hour, and was at block 7
// before.
func crashed(ordinal int, changes ...func(*corev1.Pod)) state.Node {
	node := silent(ordinal, append(changes, statetest.Crashed)...)
	node.Problem, node.LastServed = "CrashLoopBackOff", statetest.Now.Add(-time.Hour)
	return node
}

// endedOnce returns a node whose container has ended for the first time.
func endedOnce(ordinal int, changes ...func(*corev1.Pod)) state.Node {
	return silent(ordinal, append(changes, statetest.Container(statetest.Exited(137, "Error", "")))...)
}

// hung returns a node that has not answered for an hour, though it runs.
func hung(ordinal int, changes ...func(*corev1.Pod)) state.Node {
	node := silent(ordinal, append(changes, statetest.NotReady)...)
	node.LastAnswer, node.LastServed = statetest.Now.Add(-time.Hour), statetest.Now.Add(-time.Hour)
	return node
}

// with returns a node with that changed.
func with(node state.Node, changes ...func(*state.Node)) state.Node {
	for _, change := range changes {
		change(&node)
	}
	return node
}

// empty makes a node's data ones of which it is known that they are nothing.
func empty(node *state.Node) { node.Tip = &state.Block{} }

// unknown makes a node's data ones of which nothing is known, though there was time.
func unknown(node *state.Node) {
	node.Tip, node.LastServed = nil, statetest.Now.Add(-time.Hour)
}

// untold makes a node's data ones of which nothing is known yet.
func untold(node *state.Node) { node.Tip, node.LastServed = nil, statetest.Now.Add(-time.Second) }

// lately makes a node one that served a moment ago.
func lately(node *state.Node) { node.LastServed = statetest.Now.Add(-time.Minute) }

// refused makes a node one whose eviction was refused so long ago.
func refused(ago time.Duration) func(*state.Node) {
	return func(node *state.Node) { node.RefusedAt = statetest.Now.Add(-ago) }
}

// neverRan makes a pod one whose image cannot be pulled.
func neverRan(pod *corev1.Pod) {
	statetest.Container(statetest.Waiting("ImagePullBackOff", "no such image"))(pod)
}

// unschedulable makes a pod one that no machine takes.
func unschedulable(pod *corev1.Pod) {
	statetest.NotReady(pod)
	pod.Status.ContainerStatuses = nil
	pod.Status.Conditions = append([]corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(statetest.Born),
	}}, pod.Status.Conditions...)
}

// another makes a pod one that took the place of the one that had its name.
func another(pod *corev1.Pod) { pod.UID = types.UID("another " + pod.Name) }

// startedAgain makes a container one that took the place of the one before it.
func startedAgain(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].RestartCount++ }

// taken makes a network one of which the operator took down a node so long ago.
func taken(ordinal int32, action v1alpha1.RolloutAction, ago time.Duration) func(*v1alpha1.BitcoinNetwork) {
	return func(network *v1alpha1.BitcoinNetwork) {
		network.Status.Rollout = append(network.Status.Rollout, v1alpha1.RolloutStatus{
			Ordinal: ordinal, Action: action, PodUID: types.UID(fmt.Sprintf("payments-%d", ordinal)),
			Since: metav1.NewTime(statetest.Now.Add(-ago)),
		})
	}
}

// onVolumes makes a network one whose nodes have volumes, which stay.
func onVolumes(network *v1alpha1.BitcoinNetwork) {
	network.Spec.Storage = &v1alpha1.Storage{WhenScaled: appsv1.RetainPersistentVolumeClaimRetentionPolicyType}
}

// onVolumesThatGo makes a network one whose nodes' volumes go with them.
func onVolumesThatGo(network *v1alpha1.BitcoinNetwork) {
	network.Spec.Storage = &v1alpha1.Storage{WhenScaled: appsv1.DeletePersistentVolumeClaimRetentionPolicyType}
}

// public makes the chain one that the world has.
func public(seen *state.Network) { seen.Private = false }

// wanting makes the network one that asks for so many nodes.
func wanting(nodes int) func(*state.Network) {
	return func(seen *state.Network) { seen.Wanted = nodes }
}

// recording makes the best block what it is by that record.
func recording(height int32) func(*state.Network) {
	return func(seen *state.Network) { seen.SetBest(new(statetest.Block(height, "a"))) }
}

// changedSecret makes the Secret one that has changed so long ago.
func changedSecret(ago time.Duration) func(*state.Network) {
	return func(seen *state.Network) { seen.Secret.ChangedAt = statetest.Now.Add(-ago) }
}

// decision is a case of what to do next.
type decision struct {
	reason  string
	network []func(*v1alpha1.BitcoinNetwork)
	nodes   []state.Node
	seen    []func(*state.Network)
	missing []peering.Link
	// want is the step, as "Replace 1", or who waits for what, as
	// "1 waits for node: payments-0 to serve".
	want string
}

// run decides the cases of a table.
func run(t *testing.T, cases []decision) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.reason, func(t *testing.T) {
			if diff := cmp.Diff(test.want, said(decide(test))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func decide(test decision) rollout.Decision {
	seen := statetest.Seen(test.nodes...)
	for _, change := range test.seen {
		change(seen)
	}
	network := statetest.Network(int32(seen.Wanted), test.network...)
	return rollout.Next(network, seen, statetest.Links(len(test.nodes), test.missing...))
}

// said says what was decided.
func said(decision rollout.Decision) string {
	switch step, wait := decision.Step, decision.Wait; {
	case step != nil && step.Repair:
		return fmt.Sprintf("%s %d to repair it", step.Action, step.Ordinal)
	case step != nil && step.AtOnce:
		return fmt.Sprintf("%s %d at once", step.Action, step.Ordinal)
	case step != nil:
		return fmt.Sprintf("%s %d", step.Action, step.Ordinal)
	case wait != nil && wait.NeedsHuman:
		return fmt.Sprintf("%d waits for somebody, %s: %s", wait.Node, wait.On, wait.For)
	case wait != nil:
		return fmt.Sprintf("%d waits, %s: %s", wait.Node, wait.On, wait.For)
	default:
		return ""
	}
}

func TestNothingIsDecidedAboutANetworkThatIsLeftAlone(t *testing.T) {
	nodes := []state.Node{at(0, old), at(1, old)}
	down := []func(*v1alpha1.BitcoinNetwork){taken(0, replace, time.Second)}
	for _, test := range []decision{
		{reason: "it is suspended", network: append(down, func(network *v1alpha1.BitcoinNetwork) { network.Spec.Suspend = true })},
		{reason: "there are no credentials", network: down, seen: []func(*state.Network){func(seen *state.Network) { seen.Secret.Unusable = &state.Problem{} }}},
		{reason: "nobody knows yet which pods are outdated", network: down, seen: []func(*state.Network){func(seen *state.Network) { seen.StatefulSet.Generation++ }}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			test.nodes = nodes
			got := decide(test)
			if said(got) != "" || got.Pending != 0 {
				t.Errorf("got %+v", got)
			}
			if len(got.Down) != 1 {
				t.Error("it is forgotten that a node is down")
			}
		})
	}
}

func TestPending(t *testing.T) {
	rejecting := func(node *state.Node) { node.RejectsCurrent = true }
	got := decide(decision{
		nodes: []state.Node{at(0, old), silent(1, old, statetest.Terminating), with(at(2), rejecting), with(at(3, old), rejecting), at(4), state.Missing("")},
		seen:  []func(*state.Network){changedSecret(time.Hour)},
	})
	if got.Pending != 4 {
		t.Errorf("%d are to be restarted or replaced, want 4: three of before the change, one on its way out, and one that rejects the Secret", got.Pending)
	}
}

// A node that was taken down is down until it serves again, or if it was not taken
// down after all.
func TestDown(t *testing.T) {
	for _, test := range []struct {
		reason string
		taken  func(*v1alpha1.BitcoinNetwork)
		nodes  []state.Node
		seen   func(*state.Network)
		down   bool
	}{
		{reason: "its new pod serves", taken: taken(0, replace, time.Second), nodes: []state.Node{at(0, another)}},
		{reason: "its new pod does not serve yet", taken: taken(0, replace, time.Second), nodes: []state.Node{behind(0, another), at(1)}, down: true},
		{reason: "its new pod never does", taken: taken(0, replace, time.Hour), nodes: []state.Node{silent(0, another), at(1)}, down: true},
		{reason: "it has no pod", taken: taken(0, replace, time.Second), nodes: []state.Node{state.Missing(""), at(1)}, down: true},
		{reason: "the cache still has its old pod", taken: taken(0, replace, 9*time.Second), nodes: []state.Node{at(0)}, down: true},
		{reason: "it was not replaced after all", taken: taken(0, replace, 10*time.Second), nodes: []state.Node{at(0)}},
		{reason: "its new container serves", taken: taken(0, restart, time.Second), nodes: []state.Node{at(0, startedAgain)}},
		{reason: "its old container still answers", taken: taken(0, restart, 9*time.Second), nodes: []state.Node{at(0)}, down: true},
		{reason: "it was not restarted after all", taken: taken(0, restart, 10*time.Second), nodes: []state.Node{at(0)}},
		{reason: "a new container is not a new pod", taken: taken(0, replace, time.Second), nodes: []state.Node{at(0, startedAgain)}, down: true},
		{reason: "it was scaled away", taken: taken(1, replace, time.Second), nodes: []state.Node{at(0)}},
		{reason: "its StatefulSet is gone, and will be back", taken: taken(1, replace, time.Second), nodes: []state.Node{at(0)},
			seen: func(seen *state.Network) { seen.StatefulSet = nil }, down: true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var seen []func(*state.Network)
			if test.seen != nil {
				seen = append(seen, test.seen)
			}
			got := decide(decision{network: []func(*v1alpha1.BitcoinNetwork){test.taken}, nodes: test.nodes, seen: seen})
			if down := len(got.Down) == 1; down != test.down {
				t.Errorf("it is down: %t, want %t", down, test.down)
			}
		})
	}
}
