package controller

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/observe"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// hanging are nodes that are busy for long with what they were told to dial.
type hanging struct {
	Nodes
	told []bitcoind.PeerChange
}

func (h *hanging) UpdatePeers(_ context.Context, _ bitcoind.Endpoint, change bitcoind.PeerChange) error {
	h.told = append(h.told, change)
	return context.DeadlineExceeded
}

// Each name that leads nowhere keeps one of a node's few RPC threads for seconds.
func TestNodeThatIsBusyDiallingIsNotToldToDialAgain(t *testing.T) {
	g := NewWithT(t)
	nodes, clock, cache := &hanging{}, clocktesting.NewFakeClock(statetest.Now), newCache("")
	reconciler := &Reconciler{Clock: clock, Observer: &observe.Observer{Clock: clock}}
	links := peering.Plan{Changes: map[int]peering.Change{1: {Add: []string{"a"}, Dial: []string{"a", "b"}}}}
	seen := statetest.Healthy(2)
	restarted := seen.Nodes[1].Pod
	update := func() {
		p := &pass{Reconciler: reconciler, network: statetest.Network(2), nodes: nodes, seen: seen, cache: cache}
		p.updatePeers(t.Context(), links)
	}

	update()
	g.Expect(nodes.told).To(HaveLen(1))
	clock.Step(time.Second)
	update()
	g.Expect(nodes.told[1]).To(Equal(bitcoind.PeerChange{Add: []string{"a"}}), "what takes no time is done meanwhile")
	clock.Step(2*bitcoind.LongestDial - time.Second)
	update()
	g.Expect(nodes.told[2].Dial).To(Equal([]string{"a", "b"}), "that it was late once more, with nothing to dial, adds nothing")

	clock.Step(time.Second)
	restarted.Status.ContainerStatuses[0].ContainerID = "containerd://another"
	update()
	g.Expect(nodes.told[3].Dial).To(Equal([]string{"a", "b"}), "started again, it is busy with nothing")
}

// While a pod's status still tells an address that another has by now, as for a moment
// after its machine has restarted, whoever answers there is neither believed nor told
// anything: of two networks with one Secret the longer chain would win in both.
func TestAddressOfAnotherNetworksNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	payments, invoices := w.becomesReady(w.network("payments", 2)), w.becomesReady(w.network("invoices", 2))
	w.nodes.MineAt(w.kubelet.address("payments-0"))
	for range 3 {
		w.nodes.MineAt(w.kubelet.address("invoices-0"))
	}
	height := func(pod string) int32 { return w.nodes.State(w.kubelet.address(pod)).Chain.Blocks }
	w.Eventually(func() int32 { return height("payments-1") + height("invoices-1") }).Should(BeEquivalentTo(1 + 3))
	listed := w.nodes.State(w.kubelet.address("invoices-1")).Added

	moved := func(address string) {
		pod := w.pod("payments-1")
		pod.Status.PodIP = address
		w.Expect(w.api.Status().Update(w.ctx, pod)).To(Succeed())
	}
	was := w.pod("payments-1").Status.PodIP
	moved(w.pod("invoices-1").Status.PodIP)
	w.Eventually(w.condition(payments, v1alpha1.NodesReadyCondition)).Should(HaveSuffix(
		"payments-1: another node answers at its address: " + w.namespace + ".invoices.1"))
	w.Consistently(func() []int32 {
		return []int32{height("payments-0"), height("payments-1"), height("invoices-0"), height("invoices-1")}
	}).Should(Equal([]int32{1, 1, 3, 3}))
	w.Expect(w.nodes.State(w.kubelet.address("invoices-1")).Added).To(Equal(listed), "it was told something")
	w.becomesReady(invoices)

	moved(was)
	w.becomesReady(payments)
}

// An operator that did not make sure of that has left a name of one network in the list
// of the other's node, which dials it every minute.
func TestNameOfAnotherNetworkIsTakenOutOfTheList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	w.becomesReady(w.network("payments", 1))
	invoices := w.becomesReady(w.network("invoices", 1))
	address := w.kubelet.address("invoices-0")
	ours := "payments-0.payments." + w.namespace + ".svc.cluster.local:18444"
	w.Expect(w.nodes.UpdatePeers(w.ctx, bitcoind.Endpoint{Address: address, Credentials: alice}, bitcoind.PeerChange{
		Add: []string{ours, "wallet.example.com:18444"},
	})).To(Succeed())
	w.look(invoices)
	w.Eventually(func() []bitcoind.AddedNode { return w.nodes.State(address).Added }).
		Should(HaveExactElements(HaveField("AddedNode", "wallet.example.com:18444")))
}
