package controller

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// planLinks compares the links that the nodes report with those that there
// should be. Nodes of a network that is suspended, or that may not be, have nothing to
// change.
func planLinks(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *observation) peering.Plan {
	reports := map[int]peering.Report{}
	for ordinal, node := range seen.nodes {
		if node.answers() {
			reports[ordinal] = reportOf(node)
		}
	}
	port := strconv.Itoa(int(seen.chain.P2PPort))
	plan := peering.Decide(peering.Network{
		Nodes:  len(seen.nodes),
		Degree: cmp.Or(int(network.Spec.Peering.Degree), peering.MaxDegree),
		Name: func(ordinal int) string {
			return net.JoinHostPort(platform.DNSName(network, ordinal), port)
		},
		Owns: func(name string) bool {
			host, _, err := net.SplitHostPort(name)
			return err == nil && platform.IsNode(network, host)
		},
		Comment:  func(ordinal int) string { return resources.Comment(network, ordinal) },
		Member:   func(comment string) bool { return resources.IsMember(network, comment) },
		Stranger: func(comment string) bool { return resources.IsStranger(network, comment) },
		Gone:     func(ordinal int) bool { return podProblem(seen.nodes[ordinal].pod) != "" },
	}, reports)
	if network.Spec.Suspend || seen.notAllowed {
		plan.Changes = nil
	}
	return plan
}

// reportOf puts what a node says of its peers in the terms of peering.
func reportOf(node node) peering.Report {
	var report peering.Report
	for _, added := range node.state.Added {
		report.Added = append(report.Added, added.AddedNode)
	}
	for _, peer := range node.state.Peers {
		report.Peers = append(report.Peers, peering.Peer{
			ID:         peer.ID,
			Name:       peer.Addr,
			Inbound:    peer.Inbound,
			Handshaken: peer.Version != 0,
			Silent:     node.silent[peer.ID],
			Comments:   bitcoind.Comments(peer.SubVer),
		})
	}
	return report
}

// updatePeers has the nodes make and break links as planned. What does not
// succeed shows in the next observation, and is tried again then.
func (r *Reconciler) updatePeers(ctx context.Context, seen *observation, plan peering.Plan, memory *memory) {
	now := r.Clock.Now()
	errs := make([]error, len(seen.nodes))
	var group errgroup.Group
	group.SetLimit(maxParallelRequests)
	for ordinal, change := range plan.Changes {
		node := &seen.nodes[ordinal]
		pod := node.pod
		if now.Before(memory.dialling[pod.UID]) {
			change.Dial = nil
		}
		wanted := bitcoind.PeerChange{Remove: change.Remove, Add: change.Add, Dial: change.Dial, Disconnect: change.Disconnect}
		if wanted.IsEmpty() {
			continue
		}
		group.Go(func() error {
			errs[ordinal] = seen.rpc.UpdatePeers(ctx, seen.endpoint(node), wanted)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs

	dialling := map[types.UID]time.Time{}
	for ordinal, err := range errs {
		pod := seen.nodes[ordinal].pod
		if pod == nil {
			continue
		}
		if until := memory.dialling[pod.UID]; now.Before(until) {
			dialling[pod.UID] = until
		}
		if err == nil {
			continue
		}
		ctrl.LoggerFrom(ctx).V(1).Info("could not update a node's peers", "pod", pod.Name, "problem", bitcoind.Explain(err))
		if dials := len(plan.Changes[ordinal].Dial); errors.Is(err, context.DeadlineExceeded) && dials > 0 {
			dialling[pod.UID] = now.Add(time.Duration(dials) * bitcoind.LongestDial)
		}
	}
	memory.dialling = dialling
}
