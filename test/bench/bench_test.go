package main

import "testing"

// What reading the metrics costs the operator, which is done twice at the beginning, is no
// part of a window.
func TestBetween(t *testing.T) {
	before := reading{allocated: 1000, reads: 100}
	if got := between(before, reading{allocated: 1250, reads: 70}, "").Allocated; got != 50 {
		t.Errorf("%d bytes, want 50", got)
	}
}
