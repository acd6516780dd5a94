package status

import (
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestProgressGathers(t *testing.T) {
	for _, test := range []struct {
		reason  string
		nodes   int
		since   time.Duration
		happens func(*v1alpha1.BitcoinNetwork)
		want    time.Duration
	}{
		{"another node of a thousand answers", 1000, time.Second, func(n *v1alpha1.BitcoinNetwork) {
			n.Status.Ready, n.Status.Nodes[1].Ready = "2/1000", true
			conditions.MarkFalse(n, v1alpha1.NodesReadyCondition, v1alpha1.NodesNotReadyReason, "2 of 1000")
		}, 4 * time.Second},
		{"for long enough", 1000, 5 * time.Second, func(n *v1alpha1.BitcoinNetwork) { n.Status.Ready = "2/1000" }, 0},
		{"of three nodes, too", 3, 20 * time.Millisecond, func(n *v1alpha1.BitcoinNetwork) { n.Status.Ready = "2/3" }, 980 * time.Millisecond},
		{"but not for long", 3, time.Second, func(n *v1alpha1.BitcoinNetwork) { n.Status.Ready = "2/3" }, 0},
		{"another reason", 1000, 0, func(n *v1alpha1.BitcoinNetwork) {
			conditions.MarkFalse(n, v1alpha1.NodesReadyCondition, "Other", "1 of 1000")
		}, 0},
		{"it is ready", 1000, 0, func(n *v1alpha1.BitcoinNetwork) { conditions.MarkTrue(n, meta.ReadyCondition, "Connected", "") }, 0},
		{"somebody has changed it", 1000, 0, func(n *v1alpha1.BitcoinNetwork) { n.Status.ObservedGeneration++ }, 0},
		{"somebody has asked for a look", 1000, 0, func(n *v1alpha1.BitcoinNetwork) { n.Status.LastHandledReconcileAt = "now" }, 0},
		{"a node is taken down", 1000, 0, func(n *v1alpha1.BitcoinNetwork) { n.Status.Rollout = []v1alpha1.RolloutStatus{{Ordinal: 1}} }, 0},
	} {
		before := statetest.Network(int32(test.nodes))
		before.Status.Nodes = make([]v1alpha1.NodeStatus, test.nodes)
		conditions.MarkFalse(before, v1alpha1.NodesReadyCondition, v1alpha1.NodesNotReadyReason, "1 of 1000")
		after := before.DeepCopy()
		test.happens(after)
		if got := max(MayWait(before, after, statetest.Now, statetest.Now.Add(test.since)), 0); got != test.want {
			t.Errorf("%s: it waits %s, want %s", test.reason, got, test.want)
		}
	}
}
