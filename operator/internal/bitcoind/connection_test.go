package bitcoind

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An order goes over a connection on which the node has said who it is, or it goes nowhere.
func TestOrders(t *testing.T) {
	const node, another = "team-a.payments.0", "team-a.invoices.0"
	check := func(ctx context.Context, c *Client, endpoint Endpoint) { _, _ = c.Check(ctx, endpoint) }
	update := func(ctx context.Context, c *Client, endpoint Endpoint) error {
		return c.UpdatePeers(ctx, endpoint, PeerChange{Add: []string{"payments-1:18444"}})
	}
	stop := func(ctx context.Context, c *Client, endpoint Endpoint) error { return c.Shutdown(ctx, endpoint) }
	for _, test := range []struct {
		reason string
		// first is what has happened on the connection that is kept.
		first func(context.Context, *Client, Endpoint)
		// before and then are who answers first, and when the order is given.
		before, then party
		order        func(context.Context, *Client, Endpoint) error
		want         []string
		told         bool
		refused      bool
	}{
		{"kept, and the node's", check, party{comment: node}, party{comment: node}, update,
			[]string{"getblockchaininfo", "addnode"}, true, false},
		{"kept, and the node's, for what is told once", check, party{comment: node}, party{comment: node}, stop,
			[]string{"getblockchaininfo", "stop"}, true, false},
		{"kept, and another's", check, party{comment: another}, party{comment: another}, update,
			[]string{"getblockchaininfo", "getnetworkinfo"}, false, true},
		{"kept of one that has not said who it is", func(ctx context.Context, c *Client, endpoint Endpoint) { _, _ = c.Accepts(ctx, endpoint) },
			party{comment: node}, party{comment: node}, stop,
			[]string{"", "getnetworkinfo", "stop"}, true, false},
		{"none is kept", nil, party{}, party{comment: node}, update,
			[]string{"getnetworkinfo", "addnode"}, true, false},
		{"none is kept, and another node is there", nil, party{}, party{comment: another}, stop,
			[]string{"getnetworkinfo"}, false, true},
		{"it ended", check, party{comment: node, closes: true}, party{comment: node}, stop,
			[]string{"getblockchaininfo", "getnetworkinfo", "stop"}, true, false},
		{"it ended, and another node is there by now", check, party{comment: node, closes: true}, party{comment: another}, update,
			[]string{"getblockchaininfo", "getnetworkinfo"}, false, true},
		{"it ends at what may be told twice", check, party{comment: node}, party{comment: node, endsAt: "addnode"}, update,
			[]string{"getblockchaininfo", "addnode", "getnetworkinfo", "addnode"}, true, false},
		{"it ends at what is told once", check, party{comment: node}, party{comment: node, endsAt: "stop"}, stop,
			[]string{"getblockchaininfo", "stop"}, false, false},
		{"it does not say who it is", nil, party{}, party{comment: node, endsAt: "getnetworkinfo"}, stop,
			[]string{"getnetworkinfo"}, false, true},
		{"nor then, of what may be told twice", nil, party{}, party{comment: node, endsAt: "getnetworkinfo"}, update,
			[]string{"getnetworkinfo"}, false, true},
		{"it ends at what may be told twice, and is not there again", check, party{comment: node}, party{comment: node, endsAt: "addnode", endsAfter: true}, update,
			[]string{"getblockchaininfo", "addnode", "getnetworkinfo"}, false, false},
		{"no connection stands for longer than an answer", nil, party{}, party{comment: node, closes: true}, stop,
			[]string{"getnetworkinfo"}, false, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			there := &visited{party: test.before}
			endpoint := serve(t, there.answer)
			endpoint.Comment = node
			client := NewClient()
			defer client.http.CloseIdleConnections()
			if test.first != nil {
				test.first(t.Context(), client, endpoint)
			}
			there.become(test.then)
			err := test.order(t.Context(), client, endpoint)
			if diff := cmp.Diff(test.want, there.heard()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if (err == nil) != test.told || IsRefusal(err) != test.refused {
				t.Errorf("error = %v, a refusal: %t; want it to be told: %t, to be a refusal: %t", err, IsRefusal(err), test.told, test.refused)
			}
		})
	}
}

// party is who answers at an address, and how.
type party struct {
	comment string
	// closes has it close each connection after an answer.
	closes bool
	// endsAt is a method at which it closes the connection instead of an answer: once, or
	// from then on.
	endsAt    string
	endsAfter bool
	ended     bool
}

// visited is an address, with the first method of each request that came.
type visited struct {
	mu       sync.Mutex
	party    party
	requests []string
}

func (v *visited) become(party party) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.party = party
}

func (v *visited) heard() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.requests)
}

func (v *visited) answer(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var batch []received
	_ = json.NewDecoder(r.Body).Decode(&batch)
	first, replies := "", []reply{}
	for _, call := range batch {
		result := goodResults[call.Method]
		switch call.Method {
		case "getnetworkinfo":
			result = strings.ReplaceAll(`{"version": 290000, "subversion": "/Satoshi:29.0.0(who)/"}`, "who", v.party.comment)
		case "addnode", "stop":
			result = "null"
		}
		replies = append(replies, reply{Result: json.RawMessage(result), ID: call.ID})
		if first == "" {
			first = call.Method
		}
	}
	v.requests = append(v.requests, first)
	if first != "" && (first == v.party.endsAt || v.party.ended) {
		v.party.endsAt, v.party.ended = "", v.party.endsAfter
		panic(http.ErrAbortHandler)
	}
	if v.party.closes {
		w.Header().Set("Connection", "close")
	}
	_ = json.NewEncoder(w).Encode(replies)
}

// What a request for one node alone must not do is dial somebody.
func TestNobodyIsDialledForOneAlone(t *testing.T) {
	ctx, _ := toOnly(t.Context(), "team-a.payments.0")
	if conn, err := dial(ctx, "tcp", closedPort(t)); conn != nil || !errors.Is(err, errNotMet) {
		t.Errorf("connection %v, error %v, want %v", conn, err, errNotMet)
	}
}
