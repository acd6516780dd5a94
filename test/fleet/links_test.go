package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	dials := func(nodes, ordinal int) []int { return Connections{Links: Plan(nodes)}.Dials(ordinal) }
	tests := []struct {
		nodes, ordinal int
		want           []int
	}{
		{1, 0, nil},
		{3, 2, []int{0, 1}},
		{9, 8, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{12, 11, []int{3, 4, 5, 6, 7, 8, 9, 10}},                 // distances 8 4 2 1, and 3 5 6 7
		{33, 32, []int{0, 16, 24, 27, 28, 29, 30, 31}},           // 32 16 8 4 2 1, and 3 5
		{301, 300, []int{44, 172, 236, 268, 284, 292, 296, 299}}, // 256 … 4, and 1
	}
	for _, test := range tests {
		if got := dials(test.nodes, test.ordinal); !slices.Equal(got, test.want) {
			t.Errorf("node %d of %d dials %v, want %v", test.ordinal, test.nodes, got, test.want)
		}
	}
	if got := (Connections{Links: PlanOf(4, 2)}).Dials(3); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("node 3 of 4, with a degree of 2, dials %v", got)
	}
	for nodes := range 100 {
		if fewer, more := Plan(nodes), Plan(nodes+1); !slices.Equal(fewer, more[:len(fewer)]) {
			t.Errorf("a node added to %d changes links of the others", nodes)
		}
	}
}

// agent is the user agent of a node.
func agent(node string) string {
	return fmt.Sprintf("/Satoshi:29.4.0(%s; Knots)/Knots:20260508/", node)
}

func out(node string) Peer {
	return Peer{Address: "somewhere:18444", Version: 70016, UserAgent: agent(node)}
}

func in(node string) Peer {
	return Peer{Address: "192.0.2.1:40000", Inbound: true, Version: 70016, UserAgent: agent(node)}
}

func TestConnections(t *testing.T) {
	halfOpen := Peer{Address: "192.0.2.1:40000", Inbound: true}
	tests := map[string]struct {
		peers  [][]Peer
		links  []Link
		unlike []string // parts of the difference to the plan
	}{
		"no nodes": {},
		"as planned": {
			peers: [][]Peer{{in("a.net.1"), in("a.net.2")}, {out("a.net.0"), in("a.net.2")}, {out("a.net.0"), out("a.net.1")}},
			links: []Link{{1, 0}, {2, 0}, {2, 1}},
		},
		"a link is missing": {
			peers:  [][]Peer{{in("a.net.1")}, {out("a.net.0"), in("a.net.2")}, {out("a.net.1")}},
			links:  []Link{{1, 0}, {2, 1}},
			unlike: []string{"1 of 3 links do not stand: 2→0"},
		},
		"hands are not shaken yet": {
			peers:  [][]Peer{{halfOpen}, {{Address: "net-0:18444"}}},
			unlike: []string{"1 of 1 links do not stand: 1→0"},
		},
		"only one end knows": {
			peers:  [][]Peer{{}, {out("a.net.0")}},
			unlike: []string{"1 of 1 links do not stand: 1→0", "1→0, as only net-1 says"},
		},
		"in the wrong direction": {
			peers:  [][]Peer{{out("a.net.1")}, {in("a.net.0")}},
			links:  []Link{{0, 1}},
			unlike: []string{"1 of 1 links do not stand: 1→0", "unplanned: 0→1"},
		},
		"twice": {
			peers:  [][]Peer{{in("a.net.1"), in("a.net.1")}, {out("a.net.0"), out("a.net.0")}},
			links:  []Link{{1, 0}},
			unlike: []string{"1→0, more than once"},
		},
		"a node of another network": {
			peers:  [][]Peer{{in("b.net.1"), in("a.network.1"), in("a.net.7")}},
			unlike: []string{"also connected: net-0 and 192.0.2.1:40000 " + agent("a.net.7"), agent("a.network.1"), agent("b.net.1")},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			connections := Connect("a", "net", test.peers)
			if !slices.Equal(connections.Links, test.links) {
				t.Errorf("links %v, want %v", connections.Links, test.links)
			}
			unlike := connections.Unlike(Plan(len(test.peers)))
			if (unlike == "") != (test.unlike == nil) {
				t.Errorf("unlike the plan: %q", unlike)
			}
			for _, part := range test.unlike {
				if !strings.Contains(unlike, part) {
					t.Errorf("%q is not in %q", part, unlike)
				}
			}
		})
	}
}

func TestDialsAndDialledBy(t *testing.T) {
	c := Connections{Links: Plan(4)}
	if got := c.Dials(2); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("node 2 dials %v", got)
	}
	if got := c.DialledBy(1); !slices.Equal(got, []int{2, 3}) {
		t.Errorf("node 1 is dialled by %v", got)
	}
}

func TestFirst(t *testing.T) {
	if got := first([]Link{{1, 0}}); got != "1→0" {
		t.Error(got)
	}
	if got := first(Plan(4)); got != "1→0, 2→0, 2→1, 3→0, 3→1, …" {
		t.Error(got)
	}
}
