package plan

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// startTogether is how long after its start a node waits for others that start: longer than
// bitcoind takes on a private chain, and short for whom one waits that does not come.
const startTogether = 5 * time.Second

// links compares the links that the nodes report with those that there should be
// between so many nodes.
func links(network *v1alpha1.BitcoinNetwork, seen *state.Network, platform resources.Platform, nodes int) peering.Plan {
	reports := map[int]peering.Report{}
	for ordinal, node := range seen.Nodes[:min(nodes, len(seen.Nodes))] {
		if node.Answers || node.IsLate {
			reports[ordinal] = reportOf(node)
		}
	}
	port := strconv.Itoa(int(seen.Chain.P2PPort))
	// Each is asked for by all that are linked with the node.
	names := eachOnce(nodes, func(ordinal int) string { return net.JoinHostPort(platform.DNSName(network, ordinal), port) })
	comments := eachOnce(nodes, func(ordinal int) string { return resources.Comment(network, ordinal) })
	plan := peering.Decide(peering.Network{
		Nodes:  nodes,
		Degree: cmp.Or(int(network.Spec.Peering.Degree), peering.MaxDegree),
		Name:   names,
		Owns: func(name string) bool {
			host, _, err := net.SplitHostPort(name)
			return err == nil && platform.IsNode(network, host)
		},
		Sibling: func(name string) bool {
			host, _, err := net.SplitHostPort(name)
			return err == nil && slices.ContainsFunc(seen.Siblings, func(sibling string) bool {
				other := v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Name: sibling, Namespace: network.Namespace}}
				return platform.IsNode(&other, host)
			})
		},
		Comment:  comments,
		Member:   func(comment string) bool { return resources.IsMember(network, comment) },
		Stranger: func(comment string) bool { return resources.IsStranger(network, comment) },
		Gone:     func(ordinal int) bool { return state.PodProblem(seen.Node(ordinal).Pod) != "" },
		Coming:   func(ordinal int) bool { return isComing(seen.Node(ordinal)) },
		Fresh:    func(ordinal int) bool { return isFresh(seen.Node(ordinal), seen.Now) },
		Mute:     func(ordinal int) bool { return isMute(seen.Node(ordinal)) },
	}, reports)
	if seen.HandsOff(network) {
		plan.Changes = nil
	}
	maps.DeleteFunc(plan.Changes, func(ordinal int, _ peering.Change) bool { return seen.Nodes[ordinal].IsLate })
	return plan
}

// eachOnce returns what text returns for each ordinal, which it makes once.
func eachOnce(nodes int, text func(ordinal int) string) func(ordinal int) string {
	made := make([]string, nodes)
	return func(ordinal int) string {
		if made[ordinal] == "" {
			made[ordinal] = text(ordinal)
		}
		return made[ordinal]
	}
}

// Parts returns the groups into which the nodes of a network fall that answer.
func Parts(network *v1alpha1.BitcoinNetwork, seen *state.Network, platform resources.Platform) [][]int {
	return links(network, seen, platform, rollout.SizeOf(network, seen).Pods).Parts
}

// isComing reports whether a node has a pod in which it does not serve yet. One that serves
// no more since it hangs has done so before: nobody waits for it.
func isComing(node state.Node) bool {
	return node.Pod != nil && state.RunsSince(node.Pod).IsZero() && !state.UnservedSince(node.Pod).After(state.StartedAt(node.Pod))
}

// isFresh reports whether a node has just started, by its machine's clock.
func isFresh(node state.Node, now time.Time) bool {
	return node.Pod != nil && now.Sub(state.StartedAt(node.Pod)).Abs() < startTogether
}

// isMute reports whether a node runs and accepts none of the credentials. That its pod
// is ready is not asked for: it is not before the node has copied the chain.
func isMute(node state.Node) bool {
	return node.RejectsAll && !state.RunsSince(node.Pod).IsZero()
}

// reportOf puts what a node says of its peers in the terms of peering.
func reportOf(node state.Node) peering.Report {
	report := peering.Report{
		At:    node.AskedAt,
		Added: slices.Grow([]string(nil), len(node.State.Added)),
		Peers: slices.Grow([]peering.Peer(nil), len(node.State.Peers)),
	}
	for _, added := range node.State.Added {
		report.Added = append(report.Added, added.AddedNode)
	}
	for _, peer := range node.State.Peers {
		report.Peers = append(report.Peers, peering.Peer{
			ID:         peer.ID,
			Name:       peer.Addr,
			Inbound:    peer.Inbound,
			Handshaken: peer.Version != 0,
			Silent:     node.Silent[peer.ID],
			Comments:   bitcoind.Comments(peer.SubVer),
		})
	}
	return report
}
