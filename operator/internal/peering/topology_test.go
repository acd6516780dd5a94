package peering

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDials(t *testing.T) {
	for _, test := range []struct {
		reason          string
		ordinal, degree int
		want            []int
	}{
		{"the first node has nobody to dial", 0, 8, []int{}},
		{"few nodes are a full mesh", 1, 8, []int{0}},
		{"few nodes are a full mesh", 2, 8, []int{0, 1}},
		{"few nodes are a full mesh", 3, 8, []int{0, 1, 2}},
		{"few nodes are a full mesh", 4, 8, []int{0, 1, 2, 3}},
		{"few nodes are a full mesh", 5, 8, []int{0, 1, 2, 3, 4}},
		{"few nodes are a full mesh", 6, 8, []int{0, 1, 2, 3, 4, 5}},
		{"few nodes are a full mesh", 7, 8, []int{0, 1, 2, 3, 4, 5, 6}},
		{"nine nodes are the largest full mesh that eight connections allow", 8, 8, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{"offsets 1 2 4 8, filled up with 3 5 6 7", 9, 8, []int{1, 2, 3, 4, 5, 6, 7, 8}},
		{"offsets 1 2 4 8, filled up with 3 5 6 7", 10, 8, []int{2, 3, 4, 5, 6, 7, 8, 9}},
		{"offsets 1 2 4 8 16, filled up with 3 5 6", 16, 8, []int{0, 8, 10, 11, 12, 13, 14, 15}},
		{"offsets 1 2 4 8 16 32 64, filled up with 3", 64, 8, []int{0, 32, 48, 56, 60, 61, 62, 63}},
		{"offsets 1 2 4 8 16 32 64, filled up with 3", 100, 8, []int{36, 68, 84, 92, 96, 97, 98, 99}},
		{"offsets 1 2 4 8 16 32 64 128, none left over", 128, 8, []int{0, 64, 96, 112, 120, 124, 126, 127}},
		{"offsets 1 and 512 256 128 64 32 16 8: the greatest powers matter, not 2 and 4", 1000, 8, []int{488, 744, 872, 936, 968, 984, 992, 999}},

		{"offsets 1 512", 1000, 2, []int{488, 999}},
		{"offsets 1 512 256", 1000, 3, []int{488, 744, 999}},
		{"offsets 1 512 256 128", 1000, 4, []int{488, 744, 872, 999}},
		{"offsets 1 512 256 128 64", 1000, 5, []int{488, 744, 872, 936, 999}},
		{"offsets 1 512 256 128 64 32", 1000, 6, []int{488, 744, 872, 936, 968, 999}},
		{"offsets 1 512 256 128 64 32 16", 1000, 7, []int{488, 744, 872, 936, 968, 984, 999}},
		{"as many predecessors as the degree", 2, 2, []int{0, 1}},
		{"offsets 1 2", 3, 2, []int{1, 2}},
		{"offsets 1 4", 5, 2, []int{1, 4}},
		{"degree 1 is a chain", 5, 1, []int{4}},
	} {
		t.Run(fmt.Sprintf("node %d, degree %d: %s", test.ordinal, test.degree, test.reason), func(t *testing.T) {
			if diff := cmp.Diff(test.want, Dials(test.ordinal, test.degree)); diff != "" {
				t.Errorf("dials (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDialsAreFewLowerAscendingAndUnique(t *testing.T) {
	for degree := 2; degree <= MaxDegree; degree++ {
		for ordinal := range 1100 {
			dials := Dials(ordinal, degree)
			if got, want := len(dials), min(ordinal, degree); got != want {
				t.Errorf("node %d, degree %d: %d dials, want %d", ordinal, degree, got, want)
			}
			previous := -1
			for _, to := range dials {
				if to <= previous || to >= ordinal {
					t.Errorf("node %d, degree %d: dials %v, want ascending, unique, from 0 and below %d", ordinal, degree, dials, ordinal)
				}
				previous = to
			}
		}
	}
}

func TestGrowthChangesNoLinkThatStands(t *testing.T) {
	for degree := 2; degree <= MaxDegree; degree++ {
		before := Links(0, degree)
		for nodes := 1; nodes <= 200; nodes++ {
			after := Links(nodes, degree)
			if !slices.Equal(before, after[:len(before)]) {
				t.Fatalf("degree %d: the links of %d nodes do not begin with those of %d", degree, nodes, nodes-1)
			}
			for _, link := range after[len(before):] {
				if link.From != nodes-1 {
					t.Errorf("degree %d, %d nodes: link %v is not the new node's", degree, nodes, link)
				}
			}
			before = after
		}
	}
}

func TestLinks(t *testing.T) {
	want := []Link{{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {3, 2}}
	if diff := cmp.Diff(want, Links(4, 8)); diff != "" {
		t.Errorf("links of 4 nodes (-want +got):\n%s", diff)
	}
	// 36 of the first nine, then 8 a node.
	for nodes, want := range map[int]int{0: 0, 1: 0, 2: 1, 9: 36, 10: 44, 40: 284, 100: 764, 1000: 7964} {
		if got := len(Links(nodes, MaxDegree)); got != want {
			t.Errorf("%d nodes have %d links, want %d", nodes, got, want)
		}
	}
}

// A block crosses as many links as the diameter. These are the numbers that the
// choice of the rule rests on.
func TestDiameter(t *testing.T) {
	for _, test := range []struct {
		degree, nodes, want int
	}{
		{8, 2, 1}, {8, 9, 1}, {8, 10, 2}, {8, 20, 2}, {8, 32, 3}, {8, 64, 4}, {8, 100, 4}, {8, 257, 5}, {8, 513, 5}, {8, 1000, 6},
		{7, 100, 4}, {7, 1000, 7},
		{6, 100, 4}, {6, 1000, 9},
		{5, 100, 5}, {5, 1000, 10},
		{4, 100, 5}, {4, 1000, 11},
		{3, 100, 6}, {3, 1000, 12},
		{2, 100, 7}, {2, 1000, 13},
	} {
		if got := diameter(newGraph(test.nodes, test.degree)); got != test.want {
			t.Errorf("degree %d, %d nodes: diameter %d, want %d", test.degree, test.nodes, got, test.want)
		}
	}
}

// A node accepts as many connections as others dial it, and each costs memory.
func TestMostConnectionsOfANode(t *testing.T) {
	for degree, want := range map[int]int{2: 11, 3: 13, 4: 15, 6: 18, 8: 22} {
		most := 0
		for _, neighbours := range newGraph(1000, degree) {
			most = max(most, len(neighbours))
		}
		if most != want {
			t.Errorf("degree %d, 1000 nodes: a node has %d connections, want at most %d", degree, most, want)
		}
	}
}

// A network of more than degree nodes stays whole whichever degree-1 of them
// fail. A full mesh does, and a node with degree neighbours adds to one that does
// another that does; this tries it out.
func TestNetworkStaysWholeWhenNodesFail(t *testing.T) {
	for degree := 2; degree <= 4; degree++ {
		for nodes := degree + 1; nodes <= 24; nodes++ {
			g := newGraph(nodes, degree)
			eachSubset(nodes, degree-1, func(failed []int) {
				if !whole(g, failed) {
					t.Errorf("degree %d, %d nodes: without %v it is split", degree, nodes, failed)
				}
			})
		}
	}

	random := rand.New(rand.NewPCG(1, 2))
	for degree := 5; degree <= MaxDegree; degree++ {
		for _, nodes := range []int{degree + 1, 16, 33, 64, 100, 300, 1000} {
			g := newGraph(nodes, degree)
			for range 50 {
				if failed := random.Perm(nodes)[:degree-1]; !whole(g, failed) {
					t.Errorf("degree %d, %d nodes: without %v it is split", degree, nodes, failed)
				}
			}
			// What isolates a node most easily: all its neighbours but one.
			for node, neighbours := range g {
				if failed := shuffled(random, neighbours)[:degree-1]; nodes <= 100 && !whole(g, failed) {
					t.Errorf("degree %d, %d nodes: without %v, neighbours of %d, it is split", degree, nodes, failed, node)
				}
			}
		}
	}
}

// The helpers see a network as each node's neighbours.

type graph [][]int

func newGraph(nodes, degree int) graph {
	g := make(graph, nodes)
	for _, link := range Links(nodes, degree) {
		g[link.From] = append(g[link.From], link.To)
		g[link.To] = append(g[link.To], link.From)
	}
	return g
}

// distances returns how many links each node is from one, -1 where there is no
// way around the nodes that have failed.
func distances(g graph, from int, failed []int) []int {
	distance := slices.Repeat([]int{-1}, len(g))
	distance[from] = 0
	queue := []int{from}
	for i := 0; i < len(queue); i++ {
		node := queue[i]
		for _, neighbour := range g[node] {
			if distance[neighbour] == -1 && !slices.Contains(failed, neighbour) {
				distance[neighbour] = distance[node] + 1
				queue = append(queue, neighbour)
			}
		}
	}
	return distance
}

// diameter is the longest way between two nodes, or -1 if some have none.
func diameter(g graph) int {
	longest := 0
	for node := range g {
		distance := distances(g, node, nil)
		if slices.Contains(distance, -1) {
			return -1
		}
		longest = max(longest, slices.Max(distance))
	}
	return longest
}

// whole tells whether the nodes that have not failed reach each other.
func whole(g graph, failed []int) bool {
	from := 0
	for slices.Contains(failed, from) {
		from++
	}
	unreached := 0
	for _, distance := range distances(g, from, failed) {
		if distance == -1 {
			unreached++
		}
	}
	return unreached == len(failed)
}

// eachSubset calls do with every set of size numbers below limit.
func eachSubset(limit, size int, do func([]int)) {
	var extend func(chosen []int, next int)
	extend = func(chosen []int, next int) {
		if len(chosen) == size {
			do(chosen)
			return
		}
		for i := next; i < limit; i++ {
			extend(append(chosen, i), i+1)
		}
	}
	extend(make([]int, 0, size), 0)
}

func shuffled(random *rand.Rand, list []int) []int {
	list = slices.Clone(list)
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}
