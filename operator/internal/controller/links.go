package controller

import (
	"context"
	"net"
	"strconv"

	"golang.org/x/sync/errgroup"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// planLinks compares the links that the nodes report with those that there
// should be.
func planLinks(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *observation) peering.Plan {
	reports := map[int]peering.Report{}
	for ordinal, node := range seen.nodes {
		if node.answers() {
			reports[ordinal] = reportOf(node.state)
		}
	}
	port := strconv.Itoa(int(seen.chain.P2PPort))
	return peering.Decide(peering.Network{
		Nodes:  len(seen.nodes),
		Degree: peering.MaxDegree,
		Name: func(ordinal int) string {
			return net.JoinHostPort(platform.DNSName(network, ordinal), port)
		},
		Owns: func(name string) bool {
			host, _, err := net.SplitHostPort(name)
			return err == nil && platform.IsNode(network, host)
		},
		Comment: func(ordinal int) string { return resources.Comment(network, ordinal) },
		Gone:    func(ordinal int) bool { return !hasAddress(seen.nodes[ordinal].pod) },
	}, reports)
}

// reportOf puts what a node says of its peers in the terms of peering.
func reportOf(state bitcoind.State) peering.Report {
	var report peering.Report
	for _, added := range state.Added {
		report.Added = append(report.Added, added.AddedNode)
	}
	for _, peer := range state.Peers {
		report.Peers = append(report.Peers, peering.Peer{
			Name:       peer.Addr,
			Inbound:    peer.Inbound,
			Handshaken: peer.Version != 0,
			Comments:   bitcoind.Comments(peer.SubVer),
		})
	}
	return report
}

// updatePeers has the nodes make and break links as planned. What does not
// succeed shows in the next observation, and is tried again then.
func (r *Reconciler) updatePeers(ctx context.Context, seen *observation, plan peering.Plan) {
	var group errgroup.Group
	group.SetLimit(maxParallelRequests)
	for ordinal, change := range plan.Changes {
		pod := seen.nodes[ordinal].pod
		group.Go(func() error {
			if err := r.Nodes.UpdatePeers(ctx, seen.endpoint(pod), change.Remove, change.Add, change.Dial); err != nil {
				ctrl.LoggerFrom(ctx).V(1).Info("could not update a node's peers", "pod", pod.Name, "problem", bitcoind.Explain(err))
			}
			return nil
		})
	}
	_ = group.Wait() // nothing returns an error
}
