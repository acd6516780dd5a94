package controller

import (
	"maps"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// dialAgain is how soon a node is told to dial a name again.
const dialAgain = 900 * time.Millisecond

// dialling is what the nodes of a network were told to dial of late, by what tells their lives
// apart: one that is started again knows nothing of what it was told before.
type dialling map[string]dials

// dials is what one node was told to dial.
type dials struct {
	// names are until when each of them is left to the node.
	names map[string]time.Time
	// busy is until when the node is taken to be busy with names that lead nowhere.
	busy time.Time
}

// begin takes note that a node is told to dial names, and returns those of them with which
// it is not busy.
func (d dialling) begin(life string, names []string, now time.Time) []string {
	node := d[life]
	var due []string
	for _, name := range names {
		if !now.Before(node.busy) && !now.Before(node.names[name]) {
			due = append(due, name)
		}
	}
	if len(due) > 0 && node.names == nil {
		node.names = map[string]time.Time{}
	}
	for _, name := range due {
		node.names[name] = now.Add(dialAgain)
	}
	d[life] = node
	return due
}

// hangs takes note that a node did not come back in time from dialling so many names.
func (d dialling) hangs(life string, names int, now time.Time) {
	node := d[life]
	node.busy = now.Add(time.Duration(names) * bitcoind.LongestDial)
	d[life] = node
}

// forget drops what is over.
func (d dialling) forget(now time.Time) {
	maps.DeleteFunc(d, func(_ string, node dials) bool {
		maps.DeleteFunc(node.names, func(_ string, until time.Time) bool { return !now.Before(until) })
		return len(node.names) == 0 && !now.Before(node.busy)
	})
}
