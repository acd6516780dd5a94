package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// A node that starts empty beside one with a long chain says how far it is, and when it
// will be there, which comes nearer; and then that it is.
func TestSlowNodeCopiesALongChain(t *testing.T) {
	slow(t)
	g, ctx := needsClusterFor(t, 40*time.Minute)
	const blocks = 20_000
	long := up(t, g, ctx, "team-a", "long", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName})
	mineMany(g, ctx, long, blocks)
	wait(g, ctx, tells(long, "Synced", "Synced", "1 node is synced"))

	watched, err := cluster.Watch(ctx, &v1alpha1.BitcoinNetworkList{}, client.InNamespace("team-a"), client.MatchingFields{"metadata.name": "long"})
	g.Expect(err).NotTo(HaveOccurred())
	told := make(chan []syncing)
	go func() { told <- syncOf(watched.ResultChan()) }()
	began := time.Now()
	scale(g, ctx, long, 2)
	wait(g, ctx, tells(long, "Synced", "Downloading", "1 of 2 nodes are synced; long-1: block "))
	wait(g, ctx, tells(long, "Synced", "Synced", "2 nodes are synced"))
	took := time.Since(began)
	ready(g, ctx, long)
	watched.Stop()

	heard := <-told
	t.Logf("it took %s, and said: %v", took.Round(time.Second), heard)
	var reasons []string
	var left []time.Duration
	for _, now := range heard {
		if now.reason != v1alpha1.NodesNotReadyReason && (len(reasons) == 0 || reasons[len(reasons)-1] != now.reason) {
			reasons = append(reasons, now.reason)
		}
		if now.left != 0 {
			left = append(left, now.left)
		}
	}
	reasons = slices.DeleteFunc(reasons, func(reason string) bool { return reason == v1alpha1.NoNodesReason })
	if reasons[0] == v1alpha1.SyncedReason {
		reasons = reasons[1:] // of before the second node
	}
	g.Expect(reasons).To(Equal([]string{v1alpha1.DownloadingReason, v1alpha1.SyncedReason}), "False once, then True")
	g.Expect(len(left)).To(BeNumerically(">=", 2), "the chain is too short for this machine to tell how long it takes, and tell again")
	g.Expect(left[len(left)-1]).To(BeNumerically("<", left[0]), "the end comes nearer")
	g.Expect(len(heard)).To(BeNumerically("<", 30+took.Minutes()), "progress alone is written once a minute")

	now := network(g, ctx, "team-a", "long")
	g.Expect(now.Status.Sync.Summary).To(Equal("2/2"))
	g.Expect(*now.Status.Sync.HighestHeight).To(BeNumerically(">=", blocks))
	g.Expect(now.Status.Sync.Behind).To(BeEmpty())
	g.Eventually(func() []string { return events(g, ctx, long.Object()) }, "10s", "1s").Should(ContainElements(
		HavePrefix("Normal Downloading: 1 of 2 nodes are synced"), HavePrefix("Normal Synced: 2 nodes are synced, after ")))
}

// syncing is what a network says at a moment of how far its nodes are: why Synced is as it
// is, and how long it still takes, if it says.
type syncing struct {
	reason, summary string
	left            time.Duration
}

// String says it for a log.
func (s syncing) String() string { return fmt.Sprintf("%s %s %s", s.reason, s.summary, s.left) }

// syncOf returns what a network says one after the other of how far its nodes are.
func syncOf(changes <-chan watch.Event) []syncing {
	var heard []syncing
	for change := range changes {
		network, ok := change.Object.(*v1alpha1.BitcoinNetwork)
		if !ok || network.Status.Sync == nil {
			continue
		}
		now := syncing{summary: network.Status.Sync.Summary}
		if synced := meta.FindStatusCondition(network.Status.Conditions, v1alpha1.SyncedCondition); synced != nil {
			now.reason = synced.Reason
		}
		if at := network.Status.Sync.EstimatedAt; at != nil {
			now.left = time.Until(at.Time).Round(time.Second)
		}
		heard = append(heard, now)
	}
	return heard
}
