package main

import (
	"slices"
	"testing"
)

func TestDifference(t *testing.T) {
	names := []string{"a", "b", "c"}
	if got := difference(names, []string{"b", "d"}); !slices.Equal(got, []string{"a", "c"}) || !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("%q is in one list alone, which is %q now", got, names)
	}
	if got := difference(nil, names); len(got) != 0 {
		t.Errorf("%q is in an empty list", got)
	}
}

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		nodes, count int
		want         []int
	}{{3, 1, []int{0}}, {10, 2, []int{0, 5}}, {100, 5, []int{0, 20, 40, 60, 80}}} {
		if got := spread(test.nodes, test.count); !slices.Equal(got, test.want) {
			t.Errorf("%d of %d nodes are %v, want %v", test.count, test.nodes, got, test.want)
		}
	}
}
