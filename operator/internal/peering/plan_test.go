package peering

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecide(t *testing.T) {
	for _, test := range []struct {
		reason  string
		nodes   int
		reports map[int]Report
		// missing are the links that do not stand, as "from-to"; changes are what
		// nodes do, as written by describe.
		missing []string
		changes map[int]string
		parts   [][]int
	}{
		{
			reason: "a network without nodes wants nothing",
			nodes:  0,
		},
		{
			reason:  "nodes that do not answer cannot be told anything",
			nodes:   3,
			missing: []string{"1-0", "2-0", "2-1"},
		},
		{
			reason:  "a lone node is a whole network",
			nodes:   1,
			reports: fresh(1),
			parts:   [][]int{{0}},
		},
		{
			reason:  "fresh nodes add whom they should dial, and dial them now; each pair in one direction",
			nodes:   3,
			reports: fresh(3),
			missing: []string{"1-0", "2-0", "2-1"},
			changes: map[int]string{1: "add n0 dial n0", 2: "add n0 n1 dial n0 n1"},
			parts:   [][]int{{0}, {1}, {2}},
		},
		{
			reason:  "where all links stand there is nothing to do",
			nodes:   4,
			reports: linked(4),
			parts:   [][]int{{0, 1, 2, 3}},
		},
		{
			reason:  "a large network, too, comes to rest",
			nodes:   100,
			reports: linked(100),
			parts:   [][]int{ordinals(100)},
		},
		{
			reason:  "the network's own names are enough of a list, in any order",
			nodes:   3,
			reports: with(linked(3), 2, func(r *Report) { slices.Reverse(r.Added) }),
			parts:   [][]int{{0, 1, 2}},
		},

		{
			reason:  "a restarted node has an empty list, even where its old connections are still seen at the other end",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { *r = Report{} }),
			missing: []string{"1-0"},
			changes: map[int]string{1: "add n0 dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason:  "a connection of which the accepting node knows nothing does not stand",
			nodes:   2,
			reports: with(linked(2), 0, func(r *Report) { r.Peers = nil }),
			missing: []string{"1-0"},
			changes: map[int]string{1: "dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason:  "nor does one that both ends say they have dialled",
			nodes:   2,
			reports: with(linked(2), 0, func(r *Report) { r.Peers = []Peer{outbound(1)} }),
			missing: []string{"1-0"},
			changes: map[int]string{1: "dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason:  "a connection that is dialled but lacks its entry is to be kept: the entry is added",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { r.Added = nil }),
			changes: map[int]string{1: "add n0"},
			parts:   [][]int{{0, 1}},
		},
		{
			reason:  "an entry that is not connected is dialled, since its own thread may take a minute",
			nodes:   2,
			reports: without(linked(2), 1, 0),
			missing: []string{"1-0"},
			changes: map[int]string{1: "dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason:  "half a handshake at the dialling end is no connection",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { r.Peers[0].Handshaken = false }),
			missing: []string{"1-0"},
			changes: map[int]string{1: "dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason:  "half a handshake at the accepting end is no connection",
			nodes:   2,
			reports: with(linked(2), 0, func(r *Report) { r.Peers[0].Handshaken = false }),
			missing: []string{"1-0"},
			changes: map[int]string{1: "dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason: "a connection in the other direction is not the link, and what led to it is removed",
			nodes:  2,
			reports: map[int]Report{
				0: {Added: []string{"n1"}, Peers: []Peer{outbound(1)}},
				1: {Peers: []Peer{inbound(0)}},
			},
			missing: []string{"1-0"},
			changes: map[int]string{0: "remove n1", 1: "add n0 dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason:  "a connection counts by who is at its other end: dialled by its address, as a person may",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { r.Peers[0].Name = "10.0.0.0:18444" }),
			parts:   [][]int{{0, 1}},
		},
		{
			reason:  "or by a short name of the same Service",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { r.Peers[0].Name = "n0.short" }),
			parts:   [][]int{{0, 1}},
		},
		{
			reason:  "whatever the name says: one that led to another node of the network is no link to this one",
			nodes:   3,
			reports: with(linked(3), 2, func(r *Report) { r.Peers[0].Comments = []string{comment(1)} }),
			missing: []string{"2-0"},
			changes: map[int]string{2: "dial n0"},
			parts:   [][]int{{0, 1, 2}},
		},
		{
			reason: "one that was dialled by its address and has fallen silent is closed, and the name dialled",
			nodes:  2,
			reports: with(linked(2), 1, func(r *Report) {
				r.Peers[0].Name, r.Peers[0].Silent = "10.0.0.0:18444", true
			}),
			missing: []string{"1-0"},
			changes: map[int]string{1: "dial n0 disconnect 0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason: "of two connections to one node by two names neither is in the other's way",
			nodes:  2,
			reports: with(linked(2), 1, func(r *Report) {
				again := r.Peers[0]
				again.ID, again.Name = 7, "10.0.0.0:18444"
				r.Peers = append(r.Peers, again)
			}),
			parts: [][]int{{0, 1}},
		},
		{
			reason:  "one more connection does no harm",
			nodes:   2,
			reports: with(with(linked(2), 0, func(r *Report) { r.Peers = append(r.Peers, outbound(1)) }), 1, func(r *Report) { r.Peers = append(r.Peers, inbound(0)) }),
			parts:   [][]int{{0, 1}},
		},

		{
			reason:  "a node that does not answer stays in the others' lists, and is not dialled: its name may be cached as missing",
			nodes:   3,
			reports: dead(linked(3), 0),
			missing: []string{"1-0", "2-0"},
			parts:   [][]int{{1, 2}},
		},
		{
			reason:  "a fresh node adds one that does not answer, and does not dial it",
			nodes:   3,
			reports: dead(fresh(3), 0),
			missing: []string{"1-0", "2-0", "2-1"},
			changes: map[int]string{1: "add n0", 2: "add n0 n1 dial n1"},
			parts:   [][]int{{1}, {2}},
		},
		{
			reason:  "a link whose dialling node does not answer does not stand, whatever the other says",
			nodes:   2,
			reports: dead(linked(2), 1),
			missing: []string{"1-0"},
			parts:   [][]int{{0}},
		},

		{
			reason:  "what a person has added is the person's",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { r.Added = append(r.Added, "192.0.2.7:18444", "elsewhere.example:18444", "") }),
			parts:   [][]int{{0, 1}},
		},
		{
			reason: "a name of this network that the node should not dial is removed: higher ordinals, itself, those scaled away",
			nodes:  2,
			reports: with(linked(2), 0, func(r *Report) {
				r.Added = []string{"n1", "mine:1", "n0", "n7"}
			}),
			changes: map[int]string{0: "remove n1 n0 n7"},
			parts:   [][]int{{0, 1}},
		},
		{
			reason:  "a list that is wrong is put right, though every link stands",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { r.Added = []string{"n7"} }),
			changes: map[int]string{1: "add n0 remove n7"},
			parts:   [][]int{{0, 1}},
		},
		{
			reason:  "what was put there by one who took it for another network's is removed",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { r.Added = append(r.Added, "sibling-n0") }),
			changes: map[int]string{1: "remove sibling-n0"},
			parts:   [][]int{{0, 1}},
		},
		{
			reason:  "another network's names are not this one's to remove, be they ever so alike",
			nodes:   2,
			reports: with(linked(2), 1, func(r *Report) { r.Added = append(r.Added, "other-n7") }),
			parts:   [][]int{{0, 1}},
		},
		{
			reason: "another network's node that calls itself by its own comment is no node of this one",
			nodes:  2,
			reports: with(linked(2), 0, func(r *Report) {
				r.Peers[0].Comments = []string{"other.1"}
			}),
			missing: []string{"1-0"},
			changes: map[int]string{0: "disconnect 1 (other.1)", 1: "dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason: "a name that led to another network's node, by an outdated address, is dialled again once it is closed",
			nodes:  2,
			reports: with(linked(2), 1, func(r *Report) {
				r.Peers[0].Comments = []string{"other.0"}
			}),
			missing: []string{"1-0"},
			changes: map[int]string{1: "disconnect 0 (other.0)"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason:  "a connection that has fallen silent is closed first, since bitcoind dials nobody twice by a name",
			nodes:   3,
			reports: with(linked(3), 2, func(r *Report) { r.Peers[0].Silent = true }),
			missing: []string{"2-0"},
			changes: map[int]string{2: "disconnect 0"},
			parts:   [][]int{{0, 1, 2}},
		},
		{
			reason:  "silence counts at the accepting end, too",
			nodes:   2,
			reports: with(linked(2), 0, func(r *Report) { r.Peers[0].Silent = true }),
			missing: []string{"1-0"},
			changes: map[int]string{0: "disconnect 1", 1: "dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason: "of two connections to one node, dialled in the same moment, the later is closed by who dialled",
			nodes:  2,
			reports: with(linked(2), 1, func(r *Report) {
				again := r.Peers[0]
				again.ID = 7
				r.Peers = append(r.Peers, again)
			}),
			changes: map[int]string{1: "disconnect 7"},
			parts:   [][]int{{0, 1}},
		},
		{
			reason: "one that has fallen silent goes rather than the other",
			nodes:  2,
			reports: with(linked(2), 1, func(r *Report) {
				again := r.Peers[0]
				again.ID, r.Peers[0].Silent = 7, true
				r.Peers = append(r.Peers, again)
			}),
			changes: map[int]string{1: "disconnect 0"},
			parts:   [][]int{{0, 1}},
		},
		{
			reason: "a person's own peer is not counted",
			nodes:  2,
			reports: with(linked(2), 1, func(r *Report) {
				own := Peer{ID: 8, Name: "elsewhere.example:18444", Handshaken: true}
				r.Peers = append(r.Peers, own, own)
			}),
			parts: [][]int{{0, 1}},
		},
		{
			reason: "a person's own peer may be as silent as it likes",
			nodes:  2,
			reports: with(linked(2), 1, func(r *Report) {
				r.Peers = append(r.Peers, Peer{ID: 9, Name: "elsewhere.example:18444", Handshaken: true, Silent: true})
			}),
			parts: [][]int{{0, 1}},
		},
		{
			reason:  "a comment is compared as a whole, so that node 10 is not node 1",
			nodes:   2,
			reports: with(linked(2), 0, func(r *Report) { r.Peers[0].Comments = []string{"payments.10"} }),
			missing: []string{"1-0"},
			changes: map[int]string{1: "dial n0"},
			parts:   [][]int{{0}, {1}},
		},
		{
			reason:  "a user's own comments stand beside the operator's",
			nodes:   2,
			reports: with(linked(2), 0, func(r *Report) { r.Peers[0].Comments = []string{"hello", "payments.1"} }),
			parts:   [][]int{{0, 1}},
		},

		{
			reason:  "a node that is scaled away but reports still is no part and is told nothing; the others forget it",
			nodes:   2,
			reports: with(linked(3), 1, func(r *Report) { r.Added = append(r.Added, "n2") }),
			changes: map[int]string{1: "remove n2"},
			parts:   [][]int{{0, 1}},
		},
		{
			reason:  "a node that is new changes nothing for those that are there",
			nodes:   4,
			reports: with(linked(3), 3, func(*Report) {}),
			missing: []string{"3-0", "3-1", "3-2"},
			changes: map[int]string{3: "add n0 n1 n2 dial n0 n1 n2"},
			parts:   [][]int{{0, 1, 2}, {3}},
		},

		{
			reason:  "a network that is split has its parts, the largest first",
			nodes:   5,
			reports: split(linked(5), 2),
			missing: []string{"2-0", "2-1", "3-0", "3-1", "4-0", "4-1"},
			changes: map[int]string{2: "dial n0 n1", 3: "dial n0 n1", 4: "dial n0 n1"},
			parts:   [][]int{{2, 3, 4}, {0, 1}},
		},
		{
			reason:  "of parts as large, the one with the lowest ordinal is first",
			nodes:   4,
			reports: split(linked(4), 2),
			missing: []string{"2-0", "2-1", "3-0", "3-1"},
			changes: map[int]string{2: "dial n0 n1", 3: "dial n0 n1"},
			parts:   [][]int{{0, 1}, {2, 3}},
		},
		{
			reason:  "one link that is missing does not split",
			nodes:   3,
			reports: without(linked(3), 2, 0),
			missing: []string{"2-0"},
			changes: map[int]string{2: "dial n0"},
			parts:   [][]int{{0, 1, 2}},
		},
		{
			reason:  "a node that nobody is linked to is a part",
			nodes:   3,
			reports: without(without(linked(3), 1, 0), 2, 0),
			missing: []string{"1-0", "2-0"},
			changes: map[int]string{1: "dial n0", 2: "dial n0"},
			parts:   [][]int{{1, 2}, {0}},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			plan := Decide(network(test.nodes), test.reports)
			if diff := cmp.Diff(Links(test.nodes, MaxDegree), plan.Links); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.missing, describeLinks(plan.Missing)); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			changes := map[int]string{}
			for ordinal, change := range plan.Changes {
				changes[ordinal] = describe(change)
			}
			if test.changes == nil {
				test.changes = map[int]string{}
			}
			if diff := cmp.Diff(test.changes, changes); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.parts, plan.Parts); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}

// A node that did as it was told has nothing left to do: no plan leads to
// another.
func TestPlansComeToRest(t *testing.T) {
	for _, nodes := range []int{1, 2, 9, 10, 40} {
		reports := fresh(nodes)
		for ordinal, change := range Decide(network(nodes), reports).Changes {
			report := reports[ordinal]
			report.Added = append(report.Added, change.Add...)
			reports[ordinal] = report
			for _, name := range change.Dial {
				connect(reports, ordinal, name)
			}
		}
		plan := Decide(network(nodes), reports)
		if len(plan.Changes) != 0 || len(plan.Missing) != 0 || len(plan.Parts) != 1 {
			t.Errorf("%d nodes: changes %v, missing %v, parts %v, want no more and one part", nodes, plan.Changes, plan.Missing, plan.Parts)
		}
	}
}

// Reports come in a map, whose order is another each time; what is said in
// statuses and events must not be.
func TestPlansAreTheSameEachTime(t *testing.T) {
	reports := split(dead(linked(40), 5, 17), 20)
	first := Decide(network(40), reports)
	for range 50 {
		if diff := cmp.Diff(first, Decide(network(40), reports)); diff != "" {
			t.Fatalf("another plan (-first +later):\n%s", diff)
		}
	}
}

func TestDecideLeavesReportsAlone(t *testing.T) {
	reports, same := split(linked(10), 4), split(linked(10), 4)
	Decide(network(10), reports)
	if diff := cmp.Diff(same, reports); diff != "" {
		t.Errorf("the reports have changed (-before +after):\n%s", diff)
	}
}

func TestLowerDegreeDialsFewer(t *testing.T) {
	sparse := network(10)
	sparse.Degree = 2
	if got, want := describe(Decide(sparse, fresh(10)).Changes[9]), "add n1 n8 dial n1 n8"; got != want {
		t.Errorf("node 9: %s, want %s", got, want)
	}
	if got, want := describe(Decide(sparse, linked(10)).Changes[9]), "remove n2 n3 n4 n5 n6 n7"; got != want {
		t.Errorf("node 9, which had degree 8: %s, want %s", got, want)
	}
}

// While a pod is replaced its name leads nowhere, and whoever looks it up then is
// told so for seconds after.
func TestNodeThatIsGoneIsInNoList(t *testing.T) {
	replaced := network(4)
	replaced.Gone = func(ordinal int) bool { return ordinal == 1 }
	plan := Decide(replaced, dead(linked(4), 1))
	for ordinal, want := range map[int]string{0: "", 2: "remove n1", 3: "remove n1"} {
		if got := describe(plan.Changes[ordinal]); got != want {
			t.Errorf("node %d: %q, want %q", ordinal, got, want)
		}
	}
	forgotten := dead(linked(4), 1)
	for _, ordinal := range []int{2, 3} {
		with(forgotten, ordinal, func(r *Report) {
			r.Added = slices.DeleteFunc(r.Added, func(added string) bool { return added == "n1" })
		})
	}
	if plan := Decide(replaced, forgotten); len(plan.Changes) > 0 {
		t.Errorf("changes %v, want none: it has been forgotten", plan.Changes)
	}
}

// A node that comes up is added when it answers, in the update that has it dialled. Where it
// is in a list already it stays.
func TestNodeThatComesUpIsAddedOnce(t *testing.T) {
	starts := network(3)
	starts.Coming = func(ordinal int) bool { return ordinal == 1 }
	for _, test := range []struct {
		reason  string
		reports map[int]Report
		want    string
	}{
		{"it does not answer yet", dead(fresh(3), 1), "add n0 dial n0"},
		{"it answers", fresh(3), "add n0 n1 dial n0 n1"},
		{"it was there before", dead(linked(3), 1), ""},
	} {
		if got := describe(Decide(starts, test.reports).Changes[2]); got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
	if got, want := describe(Decide(network(3), dead(fresh(3), 1)).Changes[2]), "add n0 n1 dial n0"; got != want {
		t.Errorf("one that runs and does not answer: %q, want %q: its peers' own threads may reach it", got, want)
	}
}

// Nodes that start together are told of each other in one update each.
func TestFreshNodeWaitsForThoseThatComeUpToo(t *testing.T) {
	for _, test := range []struct {
		reason              string
		fresh, coming, gone bool
		reports             map[int]Report
		want                string
		held                bool
	}{
		{"one that it dials starts", true, true, false, dead(fresh(3), 1), "", true},
		{"one that it dials has no pod yet", true, false, true, dead(fresh(3), 1), "", true},
		{"all answer", true, false, false, fresh(3), "add n0 n1 dial n0 n1", false},
		{"all answer, before the kubelet finds them ready", true, true, false, fresh(3), "add n0 n1 dial n0 n1", false},
		{"one runs and does not answer", true, false, false, dead(fresh(3), 1), "add n0 n1 dial n0", false},
		{"it has waited long enough", false, true, false, dead(fresh(3), 1), "add n0 dial n0", false},
		{"it does not answer itself", true, true, false, dead(fresh(3), 1, 2), "", false},
		{"it was told of another already", true, false, true, with(dead(fresh(3), 1), 2, lists("n0")), "dial n0", false},
		{"a person has added somebody", true, false, true, with(dead(fresh(3), 1), 2, lists("wallet.example.com")), "", true},
	} {
		starts := network(3)
		starts.Fresh = func(ordinal int) bool { return test.fresh && ordinal == 2 }
		starts.Coming = func(ordinal int) bool { return test.coming && ordinal == 1 }
		starts.Gone = func(ordinal int) bool { return test.gone && ordinal == 1 }
		plan := Decide(starts, test.reports)
		if got := describe(plan.Changes[2]); got != test.want || plan.Held != test.held {
			t.Errorf("%s: %q, held %t, want %q, held %t", test.reason, got, plan.Held, test.want, test.held)
		}
	}
}

// A node that runs and cannot be asked, since it rejects all credentials, cannot be
// told to dial anybody: the others dial it, or it would never hear of a block.
func TestMuteNodeIsDialled(t *testing.T) {
	for _, test := range []struct {
		reason  string
		mute    int
		reports map[int]Report
		missing []string
		changes map[int]string
		parts   [][]int
	}{
		{
			"by those that should dial it", 1, dead(fresh(3), 1),
			[]string{"1-0", "2-0", "2-1"}, map[int]string{2: "add n0 n1 dial n0 n1"}, [][]int{{0}, {2}},
		},
		{
			"also where it is in their lists already: their own threads may take a minute", 1, dead(linked(3), 1),
			[]string{"1-0", "2-1"}, map[int]string{2: "dial n1"}, [][]int{{0, 2}},
		},
		{
			"once: a connection that stands at their end is all that anybody can know", 1, unheard(linked(3), 1),
			[]string{"1-0", "2-1"}, map[int]string{}, [][]int{{0, 2}},
		},
		{
			"anew when it has fallen silent", 1, with(unheard(linked(3), 1), 2, func(r *Report) { r.Peers[1].Silent = true }),
			[]string{"1-0", "2-1"}, map[int]string{2: "disconnect 1"}, [][]int{{0, 2}},
		},
		{
			"not by those that it should dial: each pair has one direction", 2, dead(fresh(3), 2),
			[]string{"1-0", "2-0", "2-1"}, map[int]string{1: "add n0 dial n0"}, [][]int{{0}, {1}},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			asked := network(3)
			asked.Mute = func(ordinal int) bool { return ordinal == test.mute }
			plan := Decide(asked, test.reports)
			changes := map[int]string{}
			for ordinal, change := range plan.Changes {
				changes[ordinal] = describe(change)
			}
			if diff := cmp.Diff(test.missing, describeLinks(plan.Missing)); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.changes, changes); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.parts, plan.Parts); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}

// unheard takes the report of a node away, and leaves its connections.
func unheard(reports map[int]Report, ordinal int) map[int]Report {
	delete(reports, ordinal)
	return reports
}

// network is one of nodes named n0, n1, … that comment payments.0, payments.1, …
func network(nodes int) Network {
	return Network{
		Nodes:   nodes,
		Degree:  MaxDegree,
		Name:    name,
		Owns:    func(name string) bool { return strings.HasPrefix(name, "n") },
		Sibling: func(name string) bool { return strings.HasPrefix(name, "sibling-") },
		Comment: comment,
		Member:  func(comment string) bool { return strings.HasPrefix(comment, "payments.") },
		Stranger: func(comment string) bool {
			return strings.HasPrefix(comment, "other.")
		},
		Gone:   func(int) bool { return false },
		Coming: func(int) bool { return false },
		Fresh:  func(int) bool { return false },
		Mute:   func(int) bool { return false },
	}
}

// lists gives a node a list of manual peers.
func lists(names ...string) func(*Report) { return func(r *Report) { r.Added = names } }

func name(ordinal int) string    { return fmt.Sprintf("n%d", ordinal) }
func comment(ordinal int) string { return fmt.Sprintf("payments.%d", ordinal) }

func outbound(to int) Peer {
	return Peer{ID: int32(to), Name: name(to), Handshaken: true, Comments: []string{comment(to)}}
}

func inbound(from int) Peer {
	return Peer{ID: int32(from), Name: fmt.Sprintf("192.0.2.%d:50000", from), Inbound: true, Handshaken: true, Comments: []string{comment(from)}}
}

// fresh are nodes that have just started.
func fresh(nodes int) map[int]Report {
	reports := map[int]Report{}
	for ordinal := range nodes {
		reports[ordinal] = Report{}
	}
	return reports
}

// linked are nodes with all the links that there should be.
func linked(nodes int) map[int]Report {
	reports := fresh(nodes)
	for _, link := range Links(nodes, MaxDegree) {
		reports = with(reports, link.From, func(r *Report) { r.Added = append(r.Added, name(link.To)) })
		connect(reports, link.From, name(link.To))
	}
	return reports
}

// connect makes a connection that shows at both ends.
func connect(reports map[int]Report, from int, dialled string) {
	for to := range reports {
		if name(to) == dialled {
			with(reports, from, func(r *Report) { r.Peers = append(r.Peers, outbound(to)) })
			with(reports, to, func(r *Report) { r.Peers = append(r.Peers, inbound(from)) })
		}
	}
}

// with changes what a node reports.
func with(reports map[int]Report, ordinal int, change func(*Report)) map[int]Report {
	report := reports[ordinal]
	change(&report)
	reports[ordinal] = report
	return reports
}

// without closes the connection of two nodes.
func without(reports map[int]Report, from, to int) map[int]Report {
	closed := func(peer Peer) bool {
		return peer.Inbound && slices.Contains(peer.Comments, comment(from)) || !peer.Inbound && peer.Name == name(to)
	}
	for _, ordinal := range []int{from, to} {
		with(reports, ordinal, func(r *Report) { r.Peers = slices.DeleteFunc(r.Peers, closed) })
	}
	return reports
}

// dead takes nodes away, with their connections.
func dead(reports map[int]Report, ordinals ...int) map[int]Report {
	for _, ordinal := range ordinals {
		for other := range reports {
			without(reports, max(ordinal, other), min(ordinal, other))
		}
		delete(reports, ordinal)
	}
	return reports
}

// split closes the connections between the nodes below a border and the others.
func split(reports map[int]Report, border int) map[int]Report {
	for from := range reports {
		for to := range reports {
			if to < border && from >= border {
				without(reports, from, to)
			}
		}
	}
	return reports
}

func ordinals(count int) []int {
	var list []int
	for ordinal := range count {
		list = append(list, ordinal)
	}
	return list
}

func describe(change Change) string {
	var parts []string
	for _, part := range []struct {
		verb  string
		names []string
	}{{"add", change.Add}, {"dial", change.Dial}, {"remove", change.Remove}} {
		if len(part.names) > 0 {
			parts = append(parts, part.verb, strings.Join(part.names, " "))
		}
	}
	if len(change.Disconnect) > 0 {
		parts = append(parts, "disconnect", strings.Trim(fmt.Sprint(change.Disconnect), "[]"))
	}
	if len(change.Strangers) > 0 {
		parts = append(parts, "("+strings.Join(change.Strangers, " ")+")")
	}
	return strings.Join(parts, " ")
}

func describeLinks(links []Link) []string {
	var list []string
	for _, link := range links {
		list = append(list, fmt.Sprintf("%d-%d", link.From, link.To))
	}
	return list
}
