package status

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// copying is a network of three nodes of which the last is at that height of 20000, where
// it came from 2000 in ten seconds, or 200 a second, or where it stands still.
func copying(height int32, changes ...func(*state.Node)) situation {
	return wellConnected(3).with(func(s *situation) {
		last := statetest.NodeAt(2, height, "a")
		last.Earlier = state.Progress{At: statetest.Now.Add(-10 * time.Second), Done: float64(height) - 2000}
		last.Latest = state.Progress{At: statetest.Now, Done: float64(height)}
		for _, change := range changes {
			change(&last)
		}
		seen := statetest.Seen(statetest.NodeAt(0, 20_000, "a"), statetest.NodeAt(1, 20_000, "a"), last)
		s.seen.Nodes, s.seen.Best = seen.Nodes, seen.Best
	})
}

func stalled(node *state.Node) { node.StalledSince = statetest.Now.Add(-time.Hour) }

func disagreeing(node *state.Node) {
	stalled(node)
	node.Invalid = &state.Block{Height: 12_001, Hash: "abc"}
}

func newborn(node *state.Node) { node.Earlier = state.Progress{} }

func silent(node *state.Node) { *node = statetest.Silent(2, closed) }

// silentBehind makes a node one that was behind when it last answered.
func silentBehind(node *state.Node) {
	silent(node)
	node.Latest = state.Progress{At: statetest.Now.Add(-time.Minute), Done: 12_000}
}

// isNew has the operator have looked at the network for so long.
func isNew(since time.Duration) func(*situation) {
	return func(s *situation) { s.seen.Since = statetest.Now.Add(-since) }
}

func syncedBefore(node *state.Node) {
	silent(node)
	node.SyncedAt = statetest.Now.Add(-time.Minute)
}

func TestSynced(t *testing.T) {
	allSilent := copying(12_000, silent).with(func(s *situation) {
		s.seen.Nodes[0], s.seen.Nodes[1] = statetest.Silent(0, closed), statetest.Silent(1, closed)
	})
	many := wellConnected(8).with(func(s *situation) {
		for ordinal := range 6 {
			s.seen.Nodes[ordinal] = statetest.NodeAt(ordinal, int32(ordinal), "a")
		}
	})
	stuck := many.with(func(s *situation) {
		s.seen = statetest.Seen(slices.Clone(many.seen.Nodes)...)
		disagreeing(&s.seen.Nodes[5])
	})
	for _, test := range []struct {
		reason string
		now    situation
		want   string
	}{
		{"one that needs somebody is named before those that are further behind", stuck, "False BlockRejected 2 of 8 nodes are synced; payments-5: block 5 of 7, 71.42%; " +
			"it considers block 12001 abc invalid, which other nodes have: the platform team can have it checked again with bitcoin-cli reconsiderblock; " +
			"if the node rejects it again, it follows different rules; payments-0: block 0 of 7, 0.00%; payments-1: block 1 of 7, 14.28%; " +
			"payments-2: block 2 of 7, 28.57%; payments-3: block 3 of 7, 42.85%; and 1 more"},
		{"all have the chain", wellConnected(3), "True Synced 3 nodes are synced"},
		{"the only one has", wellConnected(1), "True Synced 1 node is synced"},
		{"one copies it", copying(12_000), "False Downloading 2 of 3 nodes are synced; payments-2: block 12000 of 20000, 60.00%; at this pace the last node will be synced at 2026-01-02T12:00:40Z"},
		{"nobody knows how fast", copying(19_999, newborn, func(node *state.Node) { node.BehindSince = statetest.Now.Add(-time.Hour) }),
			"False Downloading 2 of 3 nodes are synced; payments-2: block 19999 of 20000, 99.99%"},
		{"one does not catch up", copying(12_000, stalled),
			"False NotCatchingUp 2 of 3 nodes are synced; payments-2: block 12000 of 20000, 60.00%, with no progress since 2026-01-02T11:00:00Z"},
		{"one holds for invalid what the others have", copying(12_000, disagreeing),
			"False BlockRejected 2 of 3 nodes are synced; payments-2: block 12000 of 20000, 60.00%; it considers block 12001 abc invalid, which other nodes have: " +
				"the platform team can have it checked again with bitcoin-cli reconsiderblock; if the node rejects it again, it follows different rules"},
		{"one does not answer, and others have the chain", copying(0, silent), "Unknown NodesNotReady 2 of 3 nodes are synced; node 2 does not answer"},
		{"it had the chain a moment ago", copying(0, syncedBefore), "True Synced 3 nodes are synced"},
		{"nobody answers", allSilent, "Unknown NoNodes no node answers"},
		{"there is nobody", parked(), "Unknown NoNodes no node answers"},
		{"nobody can be asked", withoutCredentials(v1alpha1.SecretNotFoundReason), "Unknown NoNodes no node answers"},
		{"of many the furthest are named", many, "False Downloading 2 of 8 nodes are synced; payments-0: block 0 of 7, 0.00%; payments-1: block 1 of 7, 14.28%; " +
			"payments-2: block 2 of 7, 28.57%; payments-3: block 3 of 7, 42.85%; payments-4: block 4 of 7, 57.14%; and 1 more"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := test.now.report()
			got := conditions.Get(network, v1alpha1.SyncedCondition)
			if text := fmt.Sprintf("%s %s %s", got.Status, got.Reason, got.Message); text != test.want {
				t.Errorf("it is\n%s, want\n%s", text, test.want)
			}
		})
	}
}

// Ready never waits for a download.
func TestReadyDoesNotWaitForSync(t *testing.T) {
	for _, now := range []situation{copying(12_000), copying(12_000, stalled), copying(12_000, disagreeing)} {
		if network := now.report(); !conditions.IsReady(network) {
			t.Errorf("Ready is %v", conditions.Get(network, "Ready"))
		}
	}
}

func TestReportSync(t *testing.T) {
	at := func(offset time.Duration) *metav1.Time { return new(metav1.NewTime(statetest.Now.Add(offset))) }
	long := copying(12_000).report()
	long.Status.Sync.BehindSince = at(-time.Hour)
	for _, test := range []struct {
		reason string
		now    situation
		want   v1alpha1.SyncStatus
	}{
		{"all is well", wellConnected(3), v1alpha1.SyncStatus{Synced: 3, Nodes: 3, Summary: "3/3", LowestHeight: new(int64(7)), HighestHeight: new(int64(7))}},
		{"one copies the chain", copying(12_000), v1alpha1.SyncStatus{
			Synced: 2, Nodes: 3, Summary: "2/3", LowestHeight: new(int64(12_000)), HighestHeight: new(int64(20_000)),
			Behind:      []v1alpha1.NodeSyncStatus{{Name: "payments-2", Height: 12_000, Headers: 12_000, Progress: "60.00%"}},
			BehindSince: at(0), EstimatedAt: at(40 * time.Second),
		}},
		{"it has for an hour", copying(18_000).on(long), v1alpha1.SyncStatus{
			Synced: 2, Nodes: 3, Summary: "2/3", LowestHeight: new(int64(18_000)), HighestHeight: new(int64(20_000)),
			Behind:      []v1alpha1.NodeSyncStatus{{Name: "payments-2", Height: 18_000, Headers: 18_000, Progress: "90.00%"}},
			BehindSince: at(-time.Hour), EstimatedAt: at(10 * time.Second),
		}},
		{"and is restarted", copying(0, silentBehind).on(long), v1alpha1.SyncStatus{
			Synced: 2, Nodes: 3, Summary: "2/3", LowestHeight: new(int64(20_000)), HighestHeight: new(int64(20_000)), BehindSince: at(-time.Hour),
		}},
		{"and is there", wellConnected(3).on(long), v1alpha1.SyncStatus{Synced: 3, Nodes: 3, Summary: "3/3", LowestHeight: new(int64(7)), HighestHeight: new(int64(7))}},
		{"and is there, beside one that does not answer and was not behind", copying(0, silent).on(long), v1alpha1.SyncStatus{
			Synced: 2, Nodes: 3, Summary: "2/3", LowestHeight: new(int64(20_000)), HighestHeight: new(int64(20_000)),
		}},
		{"of one that does not answer nobody says that it is behind", copying(0, silent), v1alpha1.SyncStatus{
			Synced: 2, Nodes: 3, Summary: "2/3", LowestHeight: new(int64(20_000)), HighestHeight: new(int64(20_000)),
		}},
		{"and the operator is restarted, and it does not answer at once", copying(0, silent).with(isNew(time.Minute)).on(long), v1alpha1.SyncStatus{
			Synced: 2, Nodes: 3, Summary: "2/3", LowestHeight: new(int64(20_000)), HighestHeight: new(int64(20_000)), BehindSince: at(-time.Hour),
		}},
		{"nor for five minutes", copying(0, silent).with(isNew(5 * time.Minute)).on(long), v1alpha1.SyncStatus{
			Synced: 2, Nodes: 3, Summary: "2/3", LowestHeight: new(int64(20_000)), HighestHeight: new(int64(20_000)),
		}},
		{"nobody was behind before the restart", copying(0, silent).with(isNew(0)).on(wellConnected(3).report()), v1alpha1.SyncStatus{
			Synced: 2, Nodes: 3, Summary: "2/3", LowestHeight: new(int64(20_000)), HighestHeight: new(int64(20_000)),
		}},
		{"nobody is there", parked(), v1alpha1.SyncStatus{Summary: "0/0"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if diff := cmp.Diff(&test.want, test.now.report().Status.Sync); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSixteenFurthestBehind(t *testing.T) {
	s := wellConnected(40)
	for ordinal := range 39 {
		s.seen.Nodes[ordinal] = statetest.NodeAt(ordinal, int32(100-ordinal), "a")
	}
	s.seen.Nodes[39] = statetest.NodeAt(39, 1000, "a")
	s.seen.SetBest(nil)
	behind := s.report().Status.Sync.Behind
	if len(behind) != maxBehind || behind[0].Name != "payments-38" || behind[15].Name != "payments-23" {
		t.Errorf("%d are listed: %v", len(behind), behind)
	}
}

// While nodes come further and nothing else happens, the status is written once a minute.
func TestProgressIsWrittenOnceAMinute(t *testing.T) {
	const soon = heightInterval - time.Second
	withWarning := copying(15_000)
	withWarning.seen.Nodes[0].State.Warnings = []string{"the clock is wrong"}
	older := copying(12_000).report()
	older.Status.Sync, older.Status.Height = nil, new(int64(20_000))
	conditions.Delete(older, v1alpha1.SyncedCondition)

	for _, test := range []struct {
		reason string
		before *v1alpha1.BitcoinNetwork
		now    situation
		since  time.Duration // since it was last written
		want   bool          // that it is written
	}{
		{"too soon", copying(12_000).report(), copying(15_000), soon, false},
		{"too soon for a warning, too, which a node may change as it likes", copying(12_000).report(), withWarning, soon, false},
		{"time for it", copying(12_000).report(), copying(15_000), heightInterval, true},
		{"it is known for the first time when it ends", copying(12_000, newborn).report(), copying(15_000), time.Second, true},
		{"that this is no more known can wait", copying(12_000).report(), copying(12_000, newborn), soon, false},
		{"it does not catch up any more", copying(12_000).report(), copying(12_000, stalled), time.Second, true},
		{"why is known", copying(12_000, stalled).report(), copying(12_000, disagreeing), time.Second, true},
		{"it is there", copying(12_000).report(), copying(20_000), time.Second, true},
		{"it is behind", copying(20_000).report(), copying(12_000), time.Second, true},
		{"something else has changed", copying(12_000).report(), copying(15_000).with(func(s *situation) { s.seen.Nodes[1].Pod.Status.PodIP = "10.0.0.9" }), time.Second, true},
		{"an earlier operator said nothing of it", older, copying(15_000), time.Second, true},
		{"nothing has changed", copying(12_000).report(), copying(12_000), time.Hour, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			before := test.before
			if before.Status.Height == nil {
				before.Status.Height, before.Status.BestBlock = new(int64(20_000)), bestBlock(statetest.Block(20_000, "a"))
			}
			after := test.now.on(before).report()
			lastWritten := statetest.Now.Add(-test.since)
			written := ReportHeight(before, after, test.now.seen, lastWritten)
			diff := cmp.Diff(before.Status, after.Status)
			if (diff != "") != test.want {
				t.Errorf("it is written: %t, want %t:\n%s", diff != "", test.want, diff)
			}
			if test.want != written.Equal(statetest.Now) {
				t.Errorf("it is remembered that it was written at %s, now is %s", written, statetest.Now)
			}
		})
	}
}

func TestEventsOfSync(t *testing.T) {
	since := func(ago time.Duration) *v1alpha1.BitcoinNetwork {
		network := copying(12_000).report()
		network.Status.Sync.BehindSince = new(metav1.NewTime(statetest.Now.Add(-ago)))
		return network
	}
	for _, test := range []struct {
		reason string
		before *v1alpha1.BitcoinNetwork
		now    situation
		want   []string
	}{
		{"it begins to copy, which may take a second", wellConnected(3).report(), copying(12_000), nil},
		{"it did take a moment", since(59 * time.Second), copying(20_000), nil},
		{"it took a while", since(90 * time.Minute), copying(20_000), []string{"Normal Synced 3 nodes are synced, after 1h30m0s"}},
		{"it was there long ago, and another came up now, which was never behind", copying(0, silent).on(since(2 * time.Hour)).report(), copying(20_000), nil},
		{"the operator was restarted meanwhile, and the node late", copying(0, silent).with(isNew(0)).on(since(72 * time.Hour)).report(), copying(20_000),
			[]string{"Normal Synced 3 nodes are synced, after 72h0m0s"}},
		{"it does not catch up", since(time.Hour), copying(12_000, stalled),
			[]string{"Warning NotCatchingUp 2 of 3 nodes are synced; payments-2: block 12000 of 20000, 60.00%, with no progress since 2026-01-02T11:00:00Z"}},
		{"it still does not", copying(12_000, stalled).report(), copying(12_000, stalled), nil},
		{"it goes on", copying(12_000, stalled).report(), copying(15_000), nil},
		{"it does not answer", since(time.Hour), copying(0, silent), nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			after := test.now.on(test.before).report()
			var told []string
			for _, text := range textsOf(Events(test.before, after, test.now.seen, test.now.todo, test.now.outcome)) {
				if !slices.ContainsFunc([]string{"Warning Degraded", "Normal Recovered"}, func(other string) bool { return text[:len(other)] == other }) {
					told = append(told, text)
				}
			}
			if diff := cmp.Diff(test.want, told); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A download is told of once, when it has taken a minute.
func TestPatienceWithDownloads(t *testing.T) {
	var patience Patience
	look := func(now situation, since time.Duration) []string {
		now.report().Status.Sync.BehindSince = new(metav1.NewTime(statetest.Now.Add(-since)))
		return textsOf(patience.Events(now.network, now.seen, now.todo, now.outcome))
	}
	told := []string{"Normal Downloading 2 of 3 nodes are synced; payments-2: block 12000 of 20000, 60.00%; at this pace the last node will be synced at 2026-01-02T12:00:40Z"}
	for _, step := range []struct {
		reason string
		now    situation
		since  time.Duration
		want   []string
	}{
		{"it has just begun", copying(12_000), 0, nil},
		{"a minute has gone by", copying(12_000), time.Minute, told},
		{"it was told", copying(12_000), time.Hour, nil},
		{"while somebody waits for something else, too", copying(12_000).with(waitsFor(forNode)), time.Hour, nil},
	} {
		if diff := cmp.Diff(step.want, look(step.now, step.since)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.reason, diff)
		}
	}
	well := wellConnected(3)
	well.report()
	patience.Events(well.network, well.seen, well.todo, well.outcome)
	if diff := cmp.Diff(told, look(copying(12_000), time.Minute)); diff != "" {
		t.Errorf("another download (-want +got):\n%s", diff)
	}
}

func TestWarningsOf(t *testing.T) {
	s := wellConnected(3)
	if got := warningsOf(s.seen); got != nil {
		t.Errorf("nobody warns, and there is %q", got)
	}
	s.seen.Nodes[0].State.Warnings = []string{"the clock is wrong", "the clock is wrong", "a", "b"}
	s.seen.Nodes[2].State.Warnings = []string{"new rules", "the clock is wrong", "c", "d"}
	want := []string{"nodes 0, 2: the clock is wrong", "node 0: a", "node 0: b", "node 2: new rules", "node 2: c"}
	if diff := cmp.Diff(want, s.report().Status.Warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
