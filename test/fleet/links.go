package fleet

import (
	"fmt"
	"slices"
	"strings"
)

// A Link is a P2P connection that the node From dials and the node To accepts.
type Link struct{ From, To int }

func (l Link) String() string { return fmt.Sprintf("%d→%d", l.From, l.To) }

// Plan returns the links that a network of so many nodes should have that says
// nothing of its peering.
func Plan(nodes int) []Link { return PlanOf(nodes, 8) }

// PlanOf returns the links that a network of so many nodes and that degree should
// have. It is written from the documents, not shared with the operator, so that
// each checks the other: a node dials at most as many others as the degree says,
// all of lower ordinals. The first dial all of those; a later one, with a degree of
// eight, dials those at the distances 1 and the seven greatest powers of two, and
// the nearest others where that is not eight.
func PlanOf(nodes, degree int) []Link {
	var links []Link
	for from := range nodes {
		distances := []int{}
		if from > degree {
			distances = append(distances, 1)
			for power := 1 << 20; power > 1 && len(distances) < degree; power /= 2 {
				if power <= from {
					distances = append(distances, power)
				}
			}
		}
		for distance := 1; distance <= from && len(distances) < degree; distance++ {
			if !slices.Contains(distances, distance) {
				distances = append(distances, distance)
			}
		}
		for _, distance := range distances {
			links = append(links, Link{from, from - distance})
		}
	}
	slices.SortFunc(links, compareLinks)
	return links
}

// A Peer is a connection as getpeerinfo tells of it.
type Peer struct {
	Address   string `json:"addr"`
	Inbound   bool   `json:"inbound"`
	Version   int    `json:"version"` // 0 until both sides have shaken hands
	UserAgent string `json:"subver"`
}

// Connections are those of a whole network.
type Connections struct {
	// Links stand: the nodes at both ends say so.
	Links []Link
	// Others are connections that are not between nodes of the network, that only
	// one end knows of, or that stand twice.
	Others []string
}

// Connect finds the connections of a network in what each of its nodes, by
// ordinal, says of its peers. Nodes know each other by their user agents, which
// have "namespace.network.ordinal" for a comment.
func Connect(namespace, network string, peers [][]Peer) Connections {
	ordinals := map[string]int{}
	for ordinal := range peers {
		ordinals[fmt.Sprintf("%s.%s.%d", namespace, network, ordinal)] = ordinal
	}
	dialled, accepted := map[Link]int{}, map[Link]int{}
	var c Connections
	for ordinal, its := range peers {
		for _, peer := range its {
			if peer.Version == 0 {
				continue
			}
			other, known := whose(peer, ordinals)
			switch {
			case !known:
				c.Others = append(c.Others, fmt.Sprintf("%s-%d and %s %s", network, ordinal, peer.Address, peer.UserAgent))
			case peer.Inbound:
				accepted[Link{other, ordinal}]++
			default:
				dialled[Link{ordinal, other}]++
			}
		}
	}
	for link := range dialled {
		switch {
		case accepted[link] == 0:
			c.Others = append(c.Others, fmt.Sprintf("%s, as only %s-%d says", link, network, link.From))
			continue
		case dialled[link] > 1 || accepted[link] > 1:
			c.Others = append(c.Others, fmt.Sprintf("%s, more than once", link))
		}
		c.Links = append(c.Links, link)
	}
	for link := range accepted {
		if dialled[link] == 0 {
			c.Others = append(c.Others, fmt.Sprintf("%s, as only %s-%d says", link, network, link.To))
		}
	}
	slices.SortFunc(c.Links, compareLinks)
	slices.Sort(c.Others)
	return c
}

// whose returns the ordinal of the node at the other end.
func whose(peer Peer, ordinals map[string]int) (int, bool) {
	for _, part := range strings.FieldsFunc(peer.UserAgent, func(r rune) bool { return strings.ContainsRune("/(); ", r) }) {
		if ordinal, known := ordinals[part]; known {
			return ordinal, true
		}
	}
	return 0, false
}

// Unlike tells in which way the connections are not those of a plan, or nothing
// where they are.
func (c Connections) Unlike(plan []Link) string {
	var differences []string
	if missing := without(plan, c.Links); len(missing) > 0 {
		differences = append(differences, fmt.Sprintf("%d of %d links do not stand: %s", len(missing), len(plan), first(missing)))
	}
	if unplanned := without(c.Links, plan); len(unplanned) > 0 {
		differences = append(differences, "unplanned: "+first(unplanned))
	}
	if len(c.Others) > 0 {
		differences = append(differences, "also connected: "+first(c.Others))
	}
	return strings.Join(differences, "; ")
}

// Dials returns whom a node dials.
func (c Connections) Dials(ordinal int) []int {
	var to []int
	for _, link := range c.Links {
		if link.From == ordinal {
			to = append(to, link.To)
		}
	}
	return to
}

// DialledBy returns who dials a node.
func (c Connections) DialledBy(ordinal int) []int {
	var from []int
	for _, link := range c.Links {
		if link.To == ordinal {
			from = append(from, link.From)
		}
	}
	return from
}

func compareLinks(a, b Link) int {
	if a.From != b.From {
		return a.From - b.From
	}
	return a.To - b.To
}

func without(links, others []Link) []Link {
	return slices.DeleteFunc(slices.Clone(links), func(link Link) bool { return slices.Contains(others, link) })
}

// first lists as many as a person can take in.
func first[T any](all []T) string {
	const enough = 5
	var words []string
	for _, one := range all[:min(len(all), enough)] {
		words = append(words, fmt.Sprint(one))
	}
	if len(all) > enough {
		words = append(words, "…")
	}
	return strings.Join(words, ", ")
}
