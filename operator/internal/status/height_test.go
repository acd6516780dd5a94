package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// bestBlock puts a block in the terms of the status.
func bestBlock(block state.Block) *v1alpha1.BestBlockStatus {
	return &v1alpha1.BestBlockStatus{Height: block.Height, Hash: block.Hash, ChainWork: block.Work}
}

// Blocks come all the time: a height alone is written once a minute.
func TestReportHeight(t *testing.T) {
	height := func(height int64) func(*v1alpha1.BitcoinNetwork) {
		return func(network *v1alpha1.BitcoinNetwork) { network.Status.Height = &height }
	}
	recorded := func(block state.Block) func(*v1alpha1.BitcoinNetwork) {
		return func(network *v1alpha1.BitcoinNetwork) {
			network.Status.Height, network.Status.BestBlock = new(block.Height), bestBlock(block)
		}
	}
	spare := func(seen *state.Network) *state.Network {
		seen.SpareData = true
		return seen
	}
	var (
		block6, block7, fork7 = statetest.Block(6, "a"), statetest.Block(7, "a"), statetest.Block(7, "b")
		block9, block42       = statetest.Block(9, "b"), statetest.Block(42, "a")
		none                  = (*state.Block)(nil)
	)
	const soon = heightInterval - time.Second

	for _, test := range []struct {
		reason     string
		before     *v1alpha1.BitcoinNetwork
		seen       *state.Network
		changed    bool          // something else in the status has
		since      time.Duration // since the height was last written
		want       int64         // -1 is none
		wantRecord *state.Block
		isWritten  bool
	}{
		{"the first height is written at once", statetest.Network(3), statetest.Healthy(3), false, 0, 7, &block7, true},
		{"too soon for another", statetest.Network(3, recorded(block6)), statetest.Healthy(3), false, soon, 6, &block6, false},
		{"time for another", statetest.Network(3, recorded(block6)), statetest.Healthy(3), false, heightInterval, 7, &block7, true},
		{"what is written anyway may as well be current", statetest.Network(3, recorded(block6)), statetest.Healthy(3), true, time.Second, 7, &block7, true},
		{"the same height is no news", statetest.Network(3, recorded(block7)), statetest.Healthy(3), false, time.Hour, 7, &block7, false},
		{"of two blocks as high the first is kept", statetest.Network(3, recorded(block7)),
			statetest.Seen(statetest.NodeAt(0, 7, "b"), statetest.NodeAt(1, 7, "a")), true, time.Hour, 7, &block7, false},
		{"unless nobody has it any more", statetest.Network(3, recorded(fork7)), statetest.Healthy(3), true, time.Second, 7, &block7, false},
		{"the greatest of the nodes' heights", statetest.Network(2),
			statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.NodeAt(1, 9, "b")), false, 0, 9, &block9, true},
		{"a chain that all nodes lost is shorter at once", statetest.Network(3, recorded(block42)), statetest.Healthy(3), false, time.Second, 7, &block7, true},
		{"nor is it taken to be shorter while one does not answer, which may have more", statetest.Network(2, recorded(block42)),
			statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.Silent(1, closed)), true, time.Hour, 42, &block42, false},
		{"a longer one is believed from any node", statetest.Network(2, recorded(block6)),
			statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.Silent(1, closed)), true, time.Hour, 7, &block7, true},
		{"nodes that do not answer leave the height that was known", statetest.Network(1, recorded(block42)),
			statetest.Seen(statetest.Silent(0, closed)), true, time.Hour, 42, &block42, false},
		{"nobody ever told", statetest.Network(1), statetest.Seen(statetest.Silent(0, closed)), true, time.Hour, -1, none, false},
		{"a first block is a height and nothing to lose", statetest.Network(2),
			statetest.Seen(statetest.NodeAt(0, 0, "a"), statetest.NodeAt(1, 0, "a")), false, 0, 0, none, true},
		{"nothing is left", statetest.Network(1, recorded(block42)), statetest.Seen(statetest.NodeAt(0, 0, "a")), false, time.Second, 0, none, true},
		{"nor is a pod", statetest.Network(1, recorded(block42)), statetest.Seen(state.Missing("")), false, time.Second, 0, none, true},
		{"pods are still to be made", statetest.Network(1), statetest.Seen(state.Missing("")), false, time.Second, -1, none, false},

		{"an earlier operator recorded the height alone, which stands while nobody tells of a block", statetest.Network(1, height(42)),
			statetest.Seen(statetest.Silent(0, closed)), true, time.Hour, 42, none, false},
		{"and until somebody is as high", statetest.Network(2, height(42)),
			statetest.Seen(statetest.NodeAt(0, 7, "a"), statetest.Silent(1, closed)), true, time.Hour, 42, none, false},
		{"then the block is recorded, too", statetest.Network(3, height(7)), statetest.Healthy(3), false, heightInterval, 7, &block7, false},
		{"in its time", statetest.Network(3, height(7)), statetest.Healthy(3), false, soon, 7, none, false},

		{"the chain of a parked network went with its pods", statetest.Network(0, recorded(block7)), statetest.Healthy(0), false, time.Second, -1, none, false},
		{"or is kept in its volumes", statetest.Network(0, recorded(block7)), spare(statetest.Healthy(0)), false, time.Second, -1, &block7, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			lastWritten := statetest.Now.Add(-test.since)
			test.seen.SetBest(state.Recorded(test.before))
			after := test.before.DeepCopy()
			if test.changed {
				after.Status.Ready = "1/3"
			}
			written := ReportHeight(test.before, after, test.seen, lastWritten)

			got := int64(-1)
			if after.Status.Height != nil {
				got = *after.Status.Height
			}
			if got != test.want {
				t.Errorf("height %d, want %d", got, test.want)
			}
			var wantRecord *v1alpha1.BestBlockStatus
			if test.wantRecord != nil {
				wantRecord = bestBlock(*test.wantRecord)
			}
			if diff := cmp.Diff(wantRecord, after.Status.BestBlock); diff != "" {
				t.Errorf("best block (-want +got):\n%s", diff)
			}
			if test.isWritten && !written.Equal(statetest.Now) {
				t.Error("it is not remembered when the height was written")
			}
			if !test.isWritten && !written.Equal(lastWritten) {
				t.Error("it is remembered that a height was written, and none was")
			}
		})
	}
}

// A chain is lost once.
func TestLossIsRecorded(t *testing.T) {
	for name, node := range map[string]state.Node{
		"the pod is gone":     state.Missing(""),
		"the new one is bare": statetest.NodeAt(0, 0, "a"),
	} {
		t.Run(name, func(t *testing.T) {
			before := statetest.Network(1, func(network *v1alpha1.BitcoinNetwork) {
				network.Status.Height, network.Status.BestBlock = new(int64(7)), bestBlock(statetest.Block(7, "a"))
			})
			seen := statetest.Seen(node)
			seen.SetBest(state.Recorded(before))
			if seen.Lost == nil {
				t.Fatal("nothing is lost")
			}
			after := before.DeepCopy()
			ReportHeight(before, after, seen, statetest.Now)
			if seen.SetBest(state.Recorded(after)); seen.Lost != nil {
				t.Errorf("it is lost again: %s", seen.Lost)
			}
		})
	}
}
