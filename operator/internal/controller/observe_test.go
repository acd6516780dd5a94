package controller

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
)

// unasked returns an observation of pods whose nodes have not been asked yet.
func unasked(nodes Nodes, pods ...*corev1.Pod) *observation {
	seen := healthy(len(pods))
	seen.rpc = nodes
	for ordinal, pod := range pods {
		seen.nodes[ordinal] = node{pod: pod, problem: podProblem(pod)}
	}
	return seen
}

// problems returns what keeps each node of an observation from answering.
func problems(seen *observation) []string {
	var problems []string
	for _, node := range seen.nodes {
		problems = append(problems, node.problem)
	}
	return problems
}

func runNodes(count int) *bitcoindtest.Network {
	nodes := bitcoindtest.NewNetwork()
	for ordinal := range count {
		nodes.Start(fmt.Sprintf("10.0.0.%d:18443", ordinal), dialName(ordinal), fmt.Sprintf("team-a.payments.%d", ordinal), alice)
	}
	return nodes
}

func TestNodesThatDoNotAnswerAreFindings(t *testing.T) {
	g := NewWithT(t)
	nodes := runNodes(3)
	nodes.MineAt("10.0.0.0:18443")
	nodes.Fail("10.0.0.1:18443", bitcoind.ErrBusy)
	seen := unasked(nodes, runningPod(0), runningPod(1), runningPod(2, container(waiting("ContainerCreating", ""))), nil)
	(&Reconciler{Clock: clock.RealClock{}}).askNodes(t.Context(), seen, newMemory())

	g.Expect(problems(seen)).To(Equal([]string{"", "its queue of RPC requests is full", "ContainerCreating", "it has no pod"}))
	g.Expect(seen.answering()).To(Equal(1))
	g.Expect(seen.nodes[0].state.Chain.Blocks).To(BeEquivalentTo(1))
	g.Expect(nodes.Checks("10.0.0.2:18443")).To(BeZero(), "a container that does not run cannot be asked")
}

func TestSilentNodeIsSparedAndTheOthersAreNot(t *testing.T) {
	g := NewWithT(t)
	nodes, clock, memory := runNodes(2), newClock(), newMemory()
	memory.patience = patienceAt(clock)
	nodes.Fail("10.0.0.1:18443", bitcoind.ErrBusy)
	ask := func() []string {
		seen := unasked(nodes, runningPod(0), runningPod(1))
		(&Reconciler{Clock: clock}).askNodes(t.Context(), seen, memory)
		return problems(seen)
	}

	for range 3 {
		g.Expect(ask()).To(Equal([]string{"", "its queue of RPC requests is full"}), "the same is said whether it was asked or spared")
	}
	g.Expect(nodes.Checks("10.0.0.0:18443")).To(Equal(3))
	g.Expect(nodes.Checks("10.0.0.1:18443")).To(Equal(1))

	nodes.Fail("10.0.0.1:18443", nil)
	clock.Step(firstWait)
	g.Expect(ask()).To(Equal([]string{"", ""}))
	g.Expect(memory.patience.problems).To(BeEmpty(), "a node that answers starts afresh")
}

func TestNothingIsRememberedOfPodsThatAreGone(t *testing.T) {
	g := NewWithT(t)
	nodes, memory := runNodes(1), newMemory()
	nodes.Fail("10.0.0.0:18443", bitcoind.ErrBusy)
	reconciler := &Reconciler{Clock: clock.RealClock{}}
	reconciler.askNodes(t.Context(), unasked(nodes, runningPod(0)), memory)
	g.Expect(memory.patience.problems).To(HaveLen(1))
	reconciler.askNodes(t.Context(), unasked(nodes, nil), memory)
	g.Expect(memory.patience.problems).To(BeEmpty())
}

func TestNobodyIsAskedWithoutCredentials(t *testing.T) {
	g := NewWithT(t)
	nodes, memory := runNodes(1), newMemory()
	seen := unasked(nodes, runningPod(0), nil)
	seen.unfit = &credentials.Unfit{}
	(&Reconciler{Clock: clock.RealClock{}}).askNodes(t.Context(), seen, memory)
	g.Expect(problems(seen)).To(Equal([]string{"there are no credentials to ask it with", "it has no pod"}))
	g.Expect(nodes.Checks("10.0.0.0:18443")).To(BeZero())
	g.Expect(memory.patience.exhausted(runningPod(0))).To(BeEmpty(), "that is not the node's fault")
}

// A node is asked at its pod's address: its name may lead to its predecessor.
func TestEndpointIsThePods(t *testing.T) {
	want := bitcoind.Endpoint{Address: "10.0.0.2:18443", Credentials: alice}
	if got := healthy(3).endpoint(&node{pod: runningPod(2), credentials: alice}); got != want {
		t.Errorf("got %s, want %s", got.Address, want.Address)
	}
}

// crowd is nodes that answer once they are released.
type crowd struct {
	Nodes
	asked   atomic.Int64
	release chan struct{}
}

func (c *crowd) Check(context.Context, bitcoind.Endpoint) (bitcoind.State, error) {
	c.asked.Add(1)
	<-c.release
	return bitcoind.State{}, nil
}

func TestNodesAreAskedSideBySideButNotAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		nodes := &crowd{release: make(chan struct{})}
		var pods []*corev1.Pod
		for ordinal := range 3 * maxParallelRequests {
			pods = append(pods, runningPod(ordinal))
		}
		seen := unasked(nodes, pods...)
		go (&Reconciler{Clock: clock.RealClock{}}).askNodes(t.Context(), seen, newMemory())

		synctest.Wait()
		g.Expect(nodes.asked.Load()).To(BeEquivalentTo(maxParallelRequests))
		close(nodes.release)
		synctest.Wait()
		g.Expect(nodes.asked.Load()).To(BeEquivalentTo(len(pods)))
		g.Expect(problems(seen)).To(HaveEach(BeEmpty()))
	})
}
