package controller

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// mined returns nodes that are all at one tip, of that age, in initial download if
// it is so old that they would be after a start.
func mined(nodes int, age time.Duration, now time.Time) *observation {
	seen := healthy(nodes)
	for ordinal := range seen.nodes {
		chain := &seen.nodes[ordinal].state.Chain
		chain.Time = now.Add(-age).Unix()
		chain.InitialBlockDownload = age > staleTip
	}
	return seen
}

func TestNextBlock(t *testing.T) {
	now := newClock().Now()
	every := func(interval time.Duration) func(*v1alpha1.BitcoinNetwork) {
		return func(n *v1alpha1.BitcoinNetwork) {
			n.Spec.Mining = &v1alpha1.Mining{Interval: &metav1.Duration{Duration: interval}, KeepFresh: new(false)}
		}
	}
	unchanged := func(*v1alpha1.BitcoinNetwork) {}
	with := func(seen *observation, change func(*observation)) *observation { change(seen); return seen }
	const old = 49 * time.Hour

	for _, test := range []struct {
		reason  string
		network func(*v1alpha1.BitcoinNetwork)
		seen    *observation
		parts   int
		want    *block
	}{
		{"nothing is due", unchanged, mined(3, time.Hour, now), 1, nil},
		{"nodes with an old tip relay nothing", unchanged, mined(3, old, now), 1, &block{why: "the last one is 49h0m0s old"}},
		{"nor do nodes without a block", unchanged, with(mined(3, old, now), func(o *observation) {
			for i := range o.nodes {
				o.nodes[i].state.Chain.Blocks = 0
			}
		}), 1, &block{why: "there was none"}},
		{"an old tip that came while they ran does not keep them from relaying", unchanged, with(mined(3, old, now), func(o *observation) {
			for i := range o.nodes {
				o.nodes[i].state.Chain.InitialBlockDownload = false
			}
		}), 1, nil},
		{"a node that catches up with a fresh tip needs no help", unchanged, with(mined(3, time.Hour, now), func(o *observation) {
			o.nodes[2].state.Chain.InitialBlockDownload = true
		}), 1, nil},
		{"it can be turned off", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Mining = &v1alpha1.Mining{KeepFresh: new(false)} }, mined(3, old, now), 1, nil},

		{"a block is due when the last one is old enough, by its own time", every(time.Minute), mined(3, time.Minute, now), 1, &block{}},
		{"and until then it is waited for", every(time.Minute), mined(3, 20*time.Second, now), 1, &block{wait: 40 * time.Second}},
		{"by a node at the best tip", every(time.Minute), with(mined(3, time.Minute, now), func(o *observation) {
			o.nodes[2].state.Chain.Blocks++
			o.nodes[2].state.Chain.BestBlockHash = "a8"
		}), 1, &block{node: 2}},

		{"none while the network is suspended", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Suspend = true }, mined(3, old, now), 1, nil},
		{"none while it is split: each part would go its own way", every(time.Minute), mined(3, old, now), 2, nil},
		{"none while most nodes do not answer: they may have a longer chain", every(time.Minute), with(mined(3, old, now), func(o *observation) {
			o.nodes[0].problem, o.nodes[1].problem = closed, closed
		}), 1, nil},
		{"most are enough", every(time.Minute), with(mined(3, time.Minute, now), func(o *observation) { o.nodes[0].problem = closed }), 1, &block{node: 1}},
		{"none where blocks cost something", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Chain = v1alpha1.Signet }, mined(3, old, now), 1, nil},
		{"none on a parked network", unchanged, healthy(0), 0, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			plan := planOf(len(test.seen.nodes))
			plan.Parts = make([][]int, test.parts)
			got := nextBlock(networkOf(int32(len(test.seen.nodes)), test.network), test.seen, plan, now)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(block{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A problem that stays is told once.
func TestFailureToMineIsToldWhenItChanges(t *testing.T) {
	nodes, memory, network := runNodes(1), newMemory(), networkOf(1)
	seen := unasked(nodes, runningPod(0))
	reconciler := &Reconciler{Clock: newClock()}
	reconciler.askNodes(t.Context(), seen, memory)
	mine := func(due block) []string {
		var told []string
		for _, event := range reconciler.mine(t.Context(), network, seen, &due, memory) {
			told = append(told, event.kind+" "+event.reason+" "+event.message)
		}
		return told
	}
	for _, test := range []struct {
		reason  string
		failure error
		why     string
		want    []string
	}{
		{"a block in turn is nothing to tell", nil, "", nil},
		{"one out of turn is", nil, "there was none",
			[]string{"Normal Mined payments-0 mined a block, since there was none and nodes in initial download relay nothing"}},
		{"a failure is told", errBusy, "", []string{"Warning MiningFailed payments-0 could not mine a block: its queue of RPC requests is full"}},
		{"and not again", errBusy, "there was none", nil},
		{"it is over", nil, "", nil},
		{"and told anew when it comes back", errBusy, "", []string{"Warning MiningFailed payments-0 could not mine a block: its queue of RPC requests is full"}},
	} {
		nodes.Fail("10.0.0.0:18443", test.failure)
		if diff := cmp.Diff(test.want, mine(block{why: test.why})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.reason, diff)
		}
	}
}
