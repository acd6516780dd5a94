package controller

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

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
	nodes, clock, cache := &hanging{}, clocktesting.NewFakeClock(statetest.Now), &cache{}
	reconciler := &Reconciler{Clock: clock, Observer: &observe.Observer{Clock: clock}}
	links := peering.Plan{Changes: map[int]peering.Change{1: {Add: []string{"a"}, Dial: []string{"a", "b"}}}}
	update := func() {
		p := &pass{Reconciler: reconciler, network: statetest.Network(2), nodes: nodes, seen: statetest.Healthy(2), cache: cache}
		p.updatePeers(t.Context(), links)
	}

	update()
	g.Expect(nodes.told).To(HaveLen(1))
	clock.Step(time.Second)
	update()
	g.Expect(nodes.told[1]).To(Equal(bitcoind.PeerChange{Add: []string{"a"}}), "what takes no time is done meanwhile")
	clock.Step(2 * bitcoind.LongestDial)
	update()
	g.Expect(nodes.told[2].Dial).To(Equal([]string{"a", "b"}))
}
