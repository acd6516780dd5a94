package controller

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// A node that is behind is told of, and the network is Ready all the same.
func TestNodesThatAreBehindAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	w.Eventually(w.condition(network, v1alpha1.SyncedCondition)).Should(Equal("True Synced: 3 nodes are synced"))
	w.Eventually(w.condition(network, v1alpha1.VersionsSupportedCondition)).Should(Equal(
		"Unknown NotListed: nodes 0, 1, 2: Bitcoin Knots 29.4; it is not known how long that version gets fixes"))

	first, last := w.kubelet.address("payments-0"), w.kubelet.address("payments-2")
	w.nodes.MineAt(first)
	w.nodes.Invalidate(last)
	for range 3 {
		w.nodes.MineAt(first)
	}
	w.look(network)
	w.Eventually(w.condition(network, v1alpha1.SyncedCondition)).Should(HavePrefix("False Downloading: 2 of 3 nodes are synced; payments-2: block 0 of "))
	status := w.status(network).Status
	w.Expect(status.Sync.Summary).To(Equal("2/3"))
	w.Expect(status.Sync.Behind).To(Equal([]v1alpha1.NodeSyncStatus{{Name: "payments-2", Progress: "0.00%"}}))
	w.Expect(w.condition(network, "Ready")()).To(HavePrefix("True Connected: "))
}
