package controller

import (
	"testing"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// Blocks come all the time: a height alone is written once a minute.
func TestReportHeight(t *testing.T) {
	knownHeight := func(height int64) func(*v1alpha1.BitcoinNetwork) {
		return func(network *v1alpha1.BitcoinNetwork) { network.Status.Height = &height }
	}
	for _, test := range []struct {
		reason    string
		before    *v1alpha1.BitcoinNetwork
		seen      *observation
		changed   bool          // something else in the status has
		since     time.Duration // since the height was last written
		want      int64         // -1 is none
		isWritten bool
	}{
		{"the first height is written at once", networkOf(3), healthy(3), false, 0, 7, true},
		{"too soon for another", networkOf(3, knownHeight(6)), healthy(3), false, heightInterval - time.Second, 6, false},
		{"time for another", networkOf(3, knownHeight(6)), healthy(3), false, heightInterval, 7, true},
		{"what is written anyway may as well be current", networkOf(3, knownHeight(6)), healthy(3), true, time.Second, 7, true},
		{"the same height is no news", networkOf(3, knownHeight(7)), healthy(3), false, time.Hour, 7, false},
		{"the greatest of the nodes' heights", networkOf(2), seenOf(nodeAt(0, 7, "a"), nodeAt(1, 9, "b")), false, 0, 9, true},
		{"a chain may become shorter, as when all nodes lost it", networkOf(3, knownHeight(42)), healthy(3), false, time.Hour, 7, true},
		{"nor is it taken to be shorter while one does not answer, which may have more", networkOf(2, knownHeight(42)), seenOf(nodeAt(0, 7, "a"), silent(1, closed)), true, time.Hour, 42, false},
		{"a longer one is believed from any node", networkOf(2, knownHeight(6)), seenOf(nodeAt(0, 7, "a"), silent(1, closed)), true, time.Hour, 7, true},
		{"nodes that do not answer leave the height that was known", networkOf(1, knownHeight(42)), seenOf(silent(0, closed)), true, time.Hour, 42, false},
		{"nobody ever told", networkOf(1), seenOf(silent(0, closed)), true, time.Hour, -1, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			clock := newClock()
			memory := newMemory()
			memory.heightAt = clock.Now().Add(-test.since)
			written := memory.heightAt
			after := test.before.DeepCopy()
			if test.changed {
				after.Status.Ready = "1/3"
			}
			(&Reconciler{Clock: clock}).reportHeight(test.before, after, test.seen, memory)

			got := int64(-1)
			if after.Status.Height != nil {
				got = *after.Status.Height
			}
			if got != test.want {
				t.Errorf("height %d, want %d", got, test.want)
			}
			if test.isWritten && !memory.heightAt.Equal(clock.Now()) {
				t.Error("it is not remembered when the height was written")
			}
			if !test.isWritten && !memory.heightAt.Equal(written) {
				t.Error("it is remembered that a height was written, and none was")
			}
		})
	}
}
