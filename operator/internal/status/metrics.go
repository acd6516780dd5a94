package status

import (
	"slices"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Measure returns what there is to measure of a network.
func Measure(network *v1alpha1.BitcoinNetwork, seen *state.Network, todo plan.Plan, outcome Outcome) metrics.Network {
	links := wantedLinks(todo.Links, seen.Wanted)
	measured := metrics.Network{
		Ready:          *conditions.Get(network, meta.ReadyCondition),
		Conditions:     slices.Clone(network.Status.Conditions),
		Suspended:      network.Spec.Suspend,
		Interval:       state.CheckInterval(network),
		MiningFailed:   outcome.MiningProblem != "",
		NodesWanted:    seen.Wanted,
		NodesReady:     seen.Ready(),
		LinksPlanned:   len(links.Links),
		LinksConnected: len(links.Links) - len(links.Missing),
		Parts:          len(links.Parts),
	}
	for ordinal, node := range seen.WantedNodes() {
		if seen.SyncOf(node) == state.Synced {
			measured.NodesSynced++
		}
		if node.IsTold() {
			measured.Nodes = append(measured.Nodes, measureNode(state.Name(network, ordinal), node, seen.SyncOf(node)))
		}
	}
	if wait := waiting(network, seen, todo, outcome); wait != nil {
		measured.Waiting = &metrics.Waiting{Node: state.Name(network, wait.Node), On: string(wait.On)}
	}
	if tips := seen.Tips(); len(tips) > 0 {
		best := seen.Nodes[tips[0].Nodes[0]].State.Chain
		measured.Chain = &metrics.Chain{
			HighestTip: tips[0].Height,
			LowestTip:  tips[len(tips)-1].Height,
			LastBlock:  time.Unix(best.Time, 0),
		}
	}
	return measured
}

// measureNode returns what there is to measure of a node that says how it is.
func measureNode(name string, node state.Node, sync state.Sync) metrics.Node {
	said := node.State
	software := bitcoind.SoftwareOf(said.Network.Version, said.Network.SubVersion)
	measured := metrics.Node{
		Name: name, Software: software.Name, Version: software.Number(),
		Synced: sync == state.Synced, InitialDownload: said.Chain.InitialBlockDownload, Pruned: said.Chain.Pruned,
		Blocks: int64(said.Chain.Blocks), Headers: int64(said.Chain.Headers), Progress: state.Estimate(said.Chain),
		SizeOnDisk: said.Chain.SizeOnDisk, MempoolSize: said.Mempool.Size, MempoolBytes: said.Mempool.Bytes,
		Uptime: said.Uptime, Warnings: len(said.Warnings),
	}
	if node.Pod != nil {
		measured.DiskLimit = resources.DiskOf(node.Pod)
	}
	for _, peer := range said.Peers {
		if peer.Inbound {
			measured.PeersIn++
		} else {
			measured.PeersOut++
		}
	}
	return measured
}
