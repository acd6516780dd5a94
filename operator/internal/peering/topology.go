// Package peering decides who dials whom in a network, and which links to make
// and break given what the nodes report. It is pure: names and reports come in,
// decisions go out.
package peering

import "slices"

// MaxDegree is the most peers that a node dials. bitcoind keeps at most eight
// manual connections (MAX_ADDNODE_CONNECTIONS in net.h); a longer list lets a
// dead entry starve a live one.
const MaxDegree = 8

// Link is a P2P connection that From dials and To accepts. From is always the
// higher ordinal: one direction a pair, since bitcoind keeps both connections
// when both sides dial.
type Link struct {
	From, To int
}

// Dials returns the ordinals that a node dials, in ascending order.
//
// The rule is append-only: a node dials lower ordinals alone, so a StatefulSet
// that grows or shrinks at its end changes no list of the nodes that stay. Up to
// degree predecessors, it is all of them, a full mesh. Beyond, the offsets are 1
// and the greatest degree-1 powers of two, which keeps the diameter small
// (4 at 100 nodes, 6 at 1000), filled up with the smallest offsets left, which
// keeps the network whole when up to degree-1 nodes fail.
func Dials(ordinal, degree int) []int {
	offsets := map[int]bool{}
	if ordinal > degree {
		offsets[1] = true
		for power := greatestPowerOfTwo(ordinal); power > 0 && len(offsets) < degree; power /= 2 {
			offsets[power] = true
		}
	}
	for offset := 1; offset <= ordinal && len(offsets) < degree; offset++ {
		offsets[offset] = true
	}

	dials := make([]int, 0, len(offsets))
	for offset := range offsets {
		dials = append(dials, ordinal-offset)
	}
	slices.Sort(dials)
	return dials
}

// Links returns every link of a network, ordered by From, then To.
func Links(nodes, degree int) []Link {
	var links []Link
	for from := range nodes {
		for _, to := range Dials(from, degree) {
			links = append(links, Link{From: from, To: to})
		}
	}
	return links
}

func greatestPowerOfTwo(limit int) int {
	power := 1
	for power*2 <= limit {
		power *= 2
	}
	return power
}
