package main

import (
	"slices"
	"testing"
	"time"
)

func at(second int) time.Time { return time.Unix(int64(second), 0) }

// told is one thing that a ledger is told.
type told struct {
	block Block
	gone  bool
}

func TestLedger(t *testing.T) {
	a, b, c, d := Block{5, "a"}, Block{6, "b"}, Block{7, "c"}, Block{8, "d"}
	other, longer := Block{6, "B"}, Block{7, "C"}
	for reason, test := range map[string]struct {
		told                []told
		tip                 Block
		missed              []string
		repeated, takenBack int
	}{
		"one after the other":                           {told: []told{{block: a}, {block: b}, {block: c}}, tip: c},
		"twice":                                         {told: []told{{block: a}, {block: b}, {block: b}, {block: a}}, tip: b, repeated: 2},
		"one left out":                                  {told: []told{{block: a}, {block: c}}, tip: c, missed: []string{"1 blocks from 6 on"}},
		"two left out, and none after that":             {told: []told{{block: a}, {block: d}, {block: Block{9, "e"}}}, tip: Block{9, "e"}, missed: []string{"2 blocks from 6 on"}},
		"another branch":                                {told: []told{{block: a}, {block: b}, {b, true}, {block: other}, {block: longer}}, tip: longer, takenBack: 1},
		"another branch, unsaid":                        {told: []told{{block: a}, {block: b}, {block: c}, {block: other}}, tip: other, missed: []string{"that block 6 was taken back"}},
		"another branch from below":                     {told: []told{{block: b}, {block: a}}, tip: a, missed: []string{"that the chain parts below its first block, 6"}},
		"the last once more, as after a gap":            {told: []told{{block: a}, {block: b}, {b, true}, {block: b}, {block: c}}, tip: c, takenBack: 1},
		"the first once more, as after a gap":           {told: []told{{block: a}, {a, true}, {block: a}, {block: b}}, tip: b, takenBack: 1},
		"the first taken back, and a gap after it":      {told: []told{{block: a}, {a, true}, {block: b}}, tip: b, missed: []string{"1 blocks from 5 on"}, takenBack: 1},
		"taken back twice, as after a failure half-way": {told: []told{{block: a}, {block: b}, {b, true}, {b, true}, {block: b}}, tip: b, takenBack: 1, repeated: 1},
		"taken back, and not the last":                  {told: []told{{block: a}, {block: b}, {a, true}}, tip: b, repeated: 1},
	} {
		t.Run(reason, func(t *testing.T) {
			var ledger Ledger
			for i, told := range test.told {
				if told.gone {
					ledger.Disconnect(told.block)
				} else {
					ledger.Connect(told.block, at(i))
				}
			}
			if ledger.Tip() != test.tip || !slices.Equal(ledger.missed, test.missed) || ledger.repeated != test.repeated || ledger.takenBack != test.takenBack {
				t.Errorf("tip %v, missed %q, %d repeated, %d taken back", ledger.Tip(), ledger.missed, ledger.repeated, ledger.takenBack)
			}
		})
	}
}

func TestLedgerKnowsItsChain(t *testing.T) {
	var ledger Ledger
	if ledger.Begun() {
		t.Error("it was told nothing")
	}
	for i, hash := range []string{"a", "b", "c"} {
		ledger.Connect(Block{int32(5 + i), hash}, at(i))
	}
	ledger.Rewind(5)
	ledger.Connect(Block{6, "b"}, at(9))
	if !ledger.seen["b"].Equal(at(1)) {
		t.Error("the first time counts")
	}
	if height, found := ledger.HeightOf("b"); height != 6 || !found {
		t.Errorf("b is at %d, %v", height, found)
	}
	if _, found := ledger.HeightOf("c"); found {
		t.Error("c was taken back")
	}
	if ledger.At(4) != "" || ledger.At(5) != "a" || ledger.At(7) != "" {
		t.Errorf("%q, %q and %q at 4, 5 and 7", ledger.At(4), ledger.At(5), ledger.At(7))
	}
	ledger.Rewind(0)
	if ledger.Tip() != (Block{4, ""}) {
		t.Errorf("all taken back, its tip is %v", ledger.Tip())
	}
}
