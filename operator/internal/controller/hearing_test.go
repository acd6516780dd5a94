package controller

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcjson"
)

func TestHearing(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	type look struct {
		after      time.Duration
		sent, last int64
	}
	for _, test := range []struct {
		reason string
		looks  []look
		want   bool
	}{
		{"nothing is known at the first look, however long the gap", []look{{0, 200, 100}}, false},
		{"a peer that answers the ping is not silent, though it had nothing to say before", []look{{0, 200, 100}, {30 * time.Second, 200, 200}}, false},
		{"a peer that has not answered since is", []look{{0, 200, 100}, {30 * time.Second, 230, 100}}, true},
		{"two looks in a hurry leave no time for an answer", []look{{0, 200, 100}, {10 * time.Millisecond, 200, 100}}, false},
		{"a short gap is none", []look{{0, 130, 100}, {30 * time.Second, 159, 100}}, false},
		{"the clock that counts is the node's", []look{{0, 100, 100}, {time.Hour, 100, 100}}, false},
	} {
		hearing, now, silent := newHearing(), began, map[int32]bool{}
		for _, look := range test.looks {
			now = now.Add(look.after)
			silent = hearing.listen("pod", []btcjson.GetPeerInfoResult{{ID: 7, LastSend: look.sent, LastRecv: look.last}}, now)
		}
		if silent[7] != test.want {
			t.Errorf("%s: silent = %t, want %t", test.reason, silent[7], test.want)
		}
	}
}
