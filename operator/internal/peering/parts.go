package peering

import "slices"

// parts are the groups into which nodes fall, as a disjoint-set forest.
type parts struct {
	parent map[int]int
}

func newParts(nodes int, reports map[int]Report) *parts {
	p := &parts{parent: map[int]int{}}
	for ordinal := range reports {
		if ordinal < nodes {
			p.parent[ordinal] = ordinal
		}
	}
	return p
}

func (p *parts) root(ordinal int) int {
	for p.parent[ordinal] != ordinal {
		p.parent[ordinal] = p.parent[p.parent[ordinal]]
		ordinal = p.parent[ordinal]
	}
	return ordinal
}

func (p *parts) join(a, b int) {
	p.parent[p.root(a)] = p.root(b)
}

// list returns the groups, each in ascending order, the largest first and among
// equals the one with the lowest ordinal.
func (p *parts) list() [][]int {
	members := map[int][]int{}
	for ordinal := range p.parent {
		root := p.root(ordinal)
		members[root] = append(members[root], ordinal)
	}
	var list [][]int
	for _, group := range members {
		slices.Sort(group)
		list = append(list, group)
	}
	slices.SortFunc(list, func(a, b []int) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return a[0] - b[0]
	})
	return list
}
