package main

import "time"

// An Offer is a tip that whoever connects to the primary anew is told of, from a moment on.
type Offer struct {
	Block
	At time.Time `json:"at"`
}

// A Span is a while in which nobody answered who connected to the primary anew.
type Span struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"` // zero while it lasts
}

// Offers is what somebody beside the application, who keeps no connection, is told.
type Offers struct {
	tips []Offer
	away []Span
}

// Answered is told the tip of the node that answered a question asked then.
func (o *Offers) Answered(tip Block, asked, answered time.Time) {
	if last := len(o.away) - 1; last >= 0 && o.away[last].Until.IsZero() {
		o.away[last].Until = asked
	}
	for _, offered := range o.tips {
		if offered.Block == tip {
			return
		}
	}
	o.tips = append(o.tips, Offer{tip, answered})
}

// Failed is told that nobody has answered a question asked then.
func (o *Offers) Failed(asked time.Time) {
	if last := len(o.away) - 1; last < 0 || !o.away[last].Until.IsZero() {
		o.away = append(o.away, Span{From: asked})
	}
}

// A Wait is how long an application has waited for a tip that was offered, while there was
// a primary.
type Wait struct {
	Offer
	Waited time.Duration `json:"waited"`
}

// Waits returns how long each of the tips was waited for, by a ledger or until now. A tip
// whose place another block has taken is nobody's to see.
func (o *Offers) Waits(ledger *Ledger, now time.Time) []Wait {
	var waits []Wait
	for _, offered := range o.tips {
		until, seen := ledger.seen[offered.Hash]
		if !seen {
			until = now
		}
		if offered.Height < ledger.first || !seen && ledger.At(offered.Height) != "" {
			continue
		}
		waits = append(waits, Wait{offered, o.there(offered.At, until)})
	}
	return waits
}

// there is how much of a while there was a primary.
func (o *Offers) there(from, until time.Time) time.Duration {
	there := max(until.Sub(from), 0)
	for _, away := range o.away {
		end := away.Until
		if end.IsZero() || end.After(until) {
			end = until
		}
		begin := away.From
		if begin.Before(from) {
			begin = from
		}
		there -= max(end.Sub(begin), 0)
	}
	return there
}
