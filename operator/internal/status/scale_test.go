package status_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/status"
)

// A pass takes time in proportion to the nodes, whatever they are up to: a network may
// have a thousand, and an operator a hundredth of a processor.
func TestPassGrowsWithTheNodes(t *testing.T) {
	long := statetest.Now.Add(-time.Hour)
	answers := func(ordinal int, changes ...func(*corev1.Pod)) state.Node {
		return statetest.NodeAt(ordinal, 7, "a", changes...)
	}
	behind := func(ordinal int, changes ...func(*corev1.Pod)) state.Node {
		return statetest.NodeAt(ordinal, 3, "a", changes...)
	}
	silent := func(ordinal int, changes ...func(*corev1.Pod)) state.Node {
		node := statetest.Silent(ordinal, "its RPC port is closed", changes...)
		node.LastAnswer, node.LastServed = long, long
		return node
	}
	crashed := func(ordinal int) state.Node { return silent(ordinal, statetest.Crashed) }
	old := statetest.OfOldRevision
	lost := &state.Block{Height: 9, Hash: "b", Work: "f"}

	for _, test := range []struct {
		reason string
		node   func(ordinal int) state.Node
		then   func(network *v1alpha1.BitcoinNetwork, seen *state.Network)
	}{
		{"all is well", func(ordinal int) state.Node { return answers(ordinal) }, linked},
		{"no link stands", func(ordinal int) state.Node { return answers(ordinal) }, nil},
		{"none has a pod", func(int) state.Node { return state.Missing("exceeded quota") }, nil},
		{"none answers", func(ordinal int) state.Node { return silent(ordinal) }, nil},
		{"all crash", crashed, nil},
		{"all crash, and were replaced", crashed, func(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
			for ordinal := range seen.Nodes {
				network.Status.Repairs = append(network.Status.Repairs, v1alpha1.RepairStatus{Ordinal: int32(ordinal), Count: 3, Last: metav1.NewTime(long)})
			}
		}},
		{"all are to be replaced", func(ordinal int) state.Node { return answers(ordinal, old) }, nil},
		{"all are to be replaced, and may be the last with the best block", func(ordinal int) state.Node { return silent(ordinal, old) },
			func(_ *v1alpha1.BitcoinNetwork, seen *state.Network) { seen.Best = lost }},
		{"all crash and are to be replaced, and may be the last with the best block", func(ordinal int) state.Node { return silent(ordinal, old, statetest.Crashed) },
			func(_ *v1alpha1.BitcoinNetwork, seen *state.Network) { seen.Best = lost }},
		{"all are to be replaced, and a budget refuses each", func(ordinal int) state.Node {
			node := answers(ordinal, old)
			node.RefusedAt = statetest.Now
			return node
		}, nil},
		{"all were taken down and are not back", func(ordinal int) state.Node { return behind(ordinal, old) }, func(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
			seen.Best = lost
			for ordinal := range seen.Nodes {
				network.Status.Rollout = append(network.Status.Rollout, v1alpha1.RolloutStatus{
					Ordinal: int32(ordinal), Action: v1alpha1.RestartAction, PodUID: "before", Since: metav1.NewTime(long),
				})
			}
		}},
		{"all reject the credentials", func(ordinal int) state.Node { return statetest.Rejecting(ordinal, 7) },
			func(_ *v1alpha1.BitcoinNetwork, seen *state.Network) {
				seen.Secret.ChangedAt = statetest.Now.Add(-5 * time.Minute)
			}},
		{"all reject the credentials, and may be the last with the best block", func(ordinal int) state.Node { return statetest.Rejecting(ordinal, 7, statetest.NotReady) },
			func(_ *v1alpha1.BitcoinNetwork, seen *state.Network) {
				seen.Secret.ChangedAt = statetest.Now.Add(-5 * time.Minute)
				seen.Best = lost
			}},
		{"all but one are scaled away, and the last has the best block", func(ordinal int) state.Node { return behind(ordinal) },
			func(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
				seen.Nodes[len(seen.Nodes)-1] = answers(len(seen.Nodes) - 1)
				seen.SetBest(nil)
				network.Spec.Nodes, seen.Wanted = 1, 1
			}},
		{"all but one are scaled away, and none has told anything", func(ordinal int) state.Node { return statetest.Silent(ordinal, "its RPC port is closed") },
			func(network *v1alpha1.BitcoinNetwork, seen *state.Network) { network.Spec.Nodes, seen.Wanted = 1, 1 }},
		{"each is at a tip of its own", func(ordinal int) state.Node { return statetest.NodeAt(ordinal, int32(ordinal), "a") }, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			statetest.Linear(t, 300, func(nodes int) func() {
				var all []state.Node
				for ordinal := range nodes {
					all = append(all, test.node(ordinal))
				}
				network, seen := statetest.Network(int32(nodes)), statetest.Seen(all...)
				if test.then != nil {
					test.then(network, seen)
				}
				return func() { pass(network.DeepCopy(), seen) }
			})
		})
	}
}

// linked has the nodes of a network report the links that are planned.
func linked(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	report := func(of, other int, inbound bool) {
		peers := &seen.Nodes[of].State.Peers
		*peers = append(*peers, bitcoind.Peer{
			ID: int32(len(*peers)), Version: 70016, Inbound: inbound, SubVer: "/Satoshi:29.0.0(" + resources.Comment(network, other) + ")/",
		})
	}
	for _, link := range peering.Links(len(seen.Nodes), peering.MaxDegree) {
		report(link.From, link.To, false)
		report(link.To, link.From, true)
	}
}

// pass is what is decided and said in a pass.
func pass(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	platform := resources.Platform{DefaultImage: "bitcoind:default", ClusterDomain: "cluster.local", DrainHold: time.Hour}
	before, outcome := network.DeepCopy(), status.Outcome{}
	shape := plan.ShapeOf(network, seen, platform)
	todo := plan.For(network, seen, platform, shape)
	status.Report(network, platform, seen, todo, outcome)
	status.ReportHeight(before, network, seen, time.Time{})
	status.Events(before, network, seen, todo, outcome)
	status.Measure(network, seen, todo, outcome)
}
