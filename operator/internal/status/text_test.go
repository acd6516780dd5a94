package status

import (
	"fmt"
	"testing"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

func TestText(t *testing.T) {
	upTo := func(n int) []int {
		var ordinals []int
		for ordinal := range n {
			ordinals = append(ordinals, ordinal)
		}
		return ordinals
	}
	letters := func(n int) []string {
		var letters []string
		for i := range n {
			letters = append(letters, string(rune('a'+i)))
		}
		return letters
	}
	tips := []state.Tip{{Height: 7, Hash: "0123456789abcdef", Nodes: []int{0, 2}}, {Height: 6, Nodes: []int{1}}}
	for _, test := range []struct {
		reason    string
		got, want string
	}{
		{"some of all", ratio(2, 3), "2/3"},
		{"none of none", ratio(0, 0), "0/0"},
		{"none is many", count(0, "node"), "0 nodes"},
		{"one is one", count(1, "link"), "1 link"},
		{"two are many", count(2, "link"), "2 links"},
		{"one answers", nodesAnswer(1), "1 node answers RPC"},
		{"many answer", nodesAnswer(3), "3 nodes answer RPC"},
		{"one link is the link", allLinks(1), "the planned link is connected"},
		{"many links are all", allLinks(3), "all 3 planned links are connected"},
		{"nothing to list", list(nil), ""},
		{"a list as long as may be", list(letters(maxListed)), "a; b; c; d; e"},
		{"a longer list is cut, and says by how much", list(letters(maxListed + 1)), "a; b; c; d; e; and 1 more"},
		{"who dials whom", listLinks([]peering.Link{{From: 2, To: 0}, {From: 2, To: 1}}), "2→0; 2→1"},
		{"the links of a large network are cut", listLinks(peering.Links(100, peering.MaxDegree)), "1→0; 2→0; 2→1; 3→0; 3→1; and 759 more"},
		{"the parts of a split network", listParts([][]int{{0, 2}, {1}}), "nodes 0, 2; node 1"},
		{"as many ordinals as may be", listNodes(upTo(10)), "nodes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"},
		{"more ordinals are cut, and counted", listNodes(upTo(1000)), "nodes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (1000 in all)"},
		{"a tip, with the beginning of its hash", tipText(tips[0]), "height 7 (0123456789ab…): nodes 0, 2"},
		{"all that are at a tip", count(onTips(tips), "node"), "3 nodes"},
		{"the best block", bestText(&state.Block{Height: 7, Hash: "0123456789abcdef"}), "block 7 (0123456789ab…)"},
		{"without one it is the first of the chain", bestText(nil), "block 0"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %q, want %q", test.reason, test.got, test.want)
		}
	}
}

// However a network of a thousand nodes breaks, a message about it can be read.
func TestMessagesAreShort(t *testing.T) {
	var problems []string
	for ordinal := range 1000 {
		problems = append(problems, fmt.Sprintf("payments-%d: it timed out", ordinal))
	}
	parts := make([][]int, 1000)
	for ordinal := range parts {
		parts[ordinal] = []int{ordinal}
	}
	for _, message := range []string{list(problems), listParts(parts), listLinks(peering.Links(1000, peering.MaxDegree))} {
		if len(message) > 300 {
			t.Errorf("%d bytes: %s", len(message), message)
		}
	}
}
