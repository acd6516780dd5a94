package controller

import (
	"context"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// measure returns what there is to measure of a network.
func measure(network *v1alpha1.BitcoinNetwork, seen *observation, plan peering.Plan) metrics.Network {
	measured := metrics.Network{
		Ready:          *conditions.Get(network, meta.ReadyCondition),
		Suspended:      network.Spec.Suspend,
		NodesWanted:    len(seen.nodes),
		NodesReady:     seen.answering(),
		LinksPlanned:   len(plan.Links),
		LinksConnected: len(plan.Links) - len(plan.Missing),
		Parts:          len(plan.Parts),
	}
	if tips := tipsOf(seen); len(tips) > 0 {
		best := seen.nodes[tips[0].nodes[0]].state.Chain
		measured.Chain = &metrics.Chain{
			HighestTip: tips[0].height,
			LowestTip:  tips[len(tips)-1].height,
			LastBlock:  time.Unix(best.Time, 0),
		}
	}
	return measured
}

// meteredNodes counts and times the requests to a network's nodes.
type meteredNodes struct {
	Nodes
	metrics *metrics.Collector
	network types.NamespacedName
}

func (m meteredNodes) requested(since time.Time, err error) {
	m.metrics.Requested(m.network, bitcoind.Outcome(err), time.Since(since))
}

// Check implements Nodes.
func (m meteredNodes) Check(ctx context.Context, endpoint bitcoind.Endpoint) (state bitcoind.State, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Check(ctx, endpoint)
}

// UpdatePeers implements Nodes.
func (m meteredNodes) UpdatePeers(ctx context.Context, endpoint bitcoind.Endpoint, change bitcoind.PeerChange) (err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.UpdatePeers(ctx, endpoint, change)
}

// BlockHashes implements Nodes.
func (m meteredNodes) BlockHashes(ctx context.Context, endpoint bitcoind.Endpoint, heights []int32) (hashes []string, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.BlockHashes(ctx, endpoint, heights)
}

// Mine implements Nodes.
func (m meteredNodes) Mine(ctx context.Context, endpoint bitcoind.Endpoint, address string) (err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Mine(ctx, endpoint, address)
}
