package main

import (
	"slices"
	"testing"
	"time"
)

func TestWaits(t *testing.T) {
	a, b := Block{5, "a"}, Block{6, "b"}
	answered := func(tip Block, second int) func(*Offers) {
		return func(o *Offers) { o.Answered(tip, at(second), at(second)) }
	}
	failed := func(second int) func(*Offers) { return func(o *Offers) { o.Failed(at(second)) } }
	for reason, test := range map[string]struct {
		told []func(*Offers)
		seen map[Block]int
		want []time.Duration // until second 20
	}{
		"seen at once":                           {[]func(*Offers){answered(a, 1), answered(b, 3)}, map[Block]int{a: 1, b: 3}, []time.Duration{0, 0}},
		"seen before it was asked for":           {[]func(*Offers){answered(a, 3)}, map[Block]int{a: 1}, []time.Duration{0}},
		"seen late":                              {[]func(*Offers){answered(a, 1)}, map[Block]int{a: 8}, []time.Duration{7 * time.Second}},
		"asked often, the first time counts":     {[]func(*Offers){answered(a, 1), answered(a, 2), answered(a, 9)}, map[Block]int{a: 8}, []time.Duration{7 * time.Second}},
		"not seen":                               {[]func(*Offers){answered(a, 1), answered(b, 3)}, map[Block]int{a: 1}, []time.Duration{0, 17 * time.Second}},
		"nobody there meanwhile":                 {[]func(*Offers){answered(a, 1), failed(2), failed(4), answered(a, 7)}, map[Block]int{a: 8}, []time.Duration{2 * time.Second}},
		"nobody there before and after":          {[]func(*Offers){failed(0), answered(a, 3), failed(9), answered(a, 12)}, map[Block]int{a: 5}, []time.Duration{2 * time.Second}},
		"nobody there any more":                  {[]func(*Offers){answered(a, 1), failed(4)}, nil, []time.Duration{3 * time.Second}},
		"nobody was told of what came meanwhile": {[]func(*Offers){answered(a, 1), failed(2), answered(b, 7)}, map[Block]int{a: 1, b: 11}, []time.Duration{0, 4 * time.Second}},
		"another has its place":                  {[]func(*Offers){answered(Block{6, "lost"}, 1), answered(b, 2)}, map[Block]int{a: 1, b: 3}, []time.Duration{time.Second}},
		"from before it began":                   {[]func(*Offers){answered(Block{4, "early"}, 1), answered(a, 2)}, map[Block]int{a: 2}, []time.Duration{0}},
	} {
		t.Run(reason, func(t *testing.T) {
			var offers Offers
			for _, tell := range test.told {
				tell(&offers)
			}
			var ledger Ledger
			for _, block := range []Block{a, b} {
				if second, seen := test.seen[block]; seen {
					ledger.Connect(block, at(second))
				}
			}
			var got []time.Duration
			for _, wait := range offers.Waits(&ledger, at(20)) {
				got = append(got, wait.Waited)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("waited %v, want %v", got, test.want)
			}
		})
	}
}
