package bitcoind

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcjson"
)

func TestMustBe(t *testing.T) {
	const node = "team-a.payments.1"
	for _, test := range []struct {
		reason, userAgent string
		want              bool
	}{
		{"the node", "/Satoshi:29.4.0(team-a.payments.1)/", true},
		{"with comments of its own beside", "/Satoshi:29.4.0(x; team-a.payments.1; y)/Knots:20260508/", true},
		{"another of its network", "/Satoshi:29.4.0(team-a.payments.0)/", false},
		{"one whose number begins alike", "/Satoshi:29.4.0(team-a.payments.12)/", false},
		{"one whose comment has it within", "/Satoshi:29.4.0(not team-a.payments.1)/", false},
		{"one that says so outside of its comments", "/team-a.payments.1:29.4.0/", false},
		{"nobody", "", false},
	} {
		if err := (Endpoint{Comment: node}).MustBe(test.userAgent); (err == nil) != test.want {
			t.Errorf("%s: %v", test.reason, err)
		}
		if err := (Endpoint{}).MustBe(test.userAgent); err != nil {
			t.Errorf("%s, where anybody will do: %v", test.reason, err)
		}
	}
}

// Who is not the node is not told anything: it is asked first.
func TestNobodyElseIsToldAnything(t *testing.T) {
	orders := map[string]func(context.Context, *Client, Endpoint) error{
		"stop": func(ctx context.Context, c *Client, endpoint Endpoint) error { return c.Shutdown(ctx, endpoint) },
		"generatetodescriptor": func(ctx context.Context, c *Client, endpoint Endpoint) error {
			_, err := c.Mine(ctx, endpoint, 1, Anyone)
			return err
		},
		"addnode": func(ctx context.Context, c *Client, endpoint Endpoint) error {
			return c.UpdatePeers(ctx, endpoint, PeerChange{Add: []string{"payments-0:18444"}})
		},
	}
	saying := func(info string) func(received) (string, *btcjson.RPCError) {
		return func(call received) (string, *btcjson.RPCError) {
			switch call.Method {
			case "getnetworkinfo":
				return info, nil
			case "generatetodescriptor":
				return `["` + strings.Repeat("00", 32) + `"]`, nil
			default:
				return "null", nil
			}
		}
	}
	for _, test := range []struct {
		reason string
		answer func(received) (string, *btcjson.RPCError)
		told   bool
	}{
		{"the node", saying(`{"subversion": "/Satoshi:29.4.0(team-a.payments.0)/"}`), true},
		{"another node", saying(`{"subversion": "/Satoshi:29.4.0(team-a.invoices.0)/"}`), false},
		{"one with a user agent longer than any", saying(`{"subversion": "(team-a.payments.0)` + strings.Repeat("x", 300) + `"}`), false},
		{"one that does not say", saying(`null`), false},
		{"one that makes no sense", saying(`[]`), false},
		{"one that refuses", func(received) (string, *btcjson.RPCError) { return "null", btcjson.NewRPCError(-28, "Loading…") }, false},
	} {
		for method, order := range orders {
			endpoint, calls := serveNode(t, test.answer)
			endpoint.Comment = "team-a.payments.0"
			err := order(t.Context(), NewClient(), endpoint)
			told := slices.ContainsFunc(*calls, func(call received) bool { return call.Method == method })
			if told != test.told || (err == nil) != test.told {
				t.Errorf("%s: %s: told %t, error %v", test.reason, method, told, err)
			}
			if another := new(AnotherNodeError); errors.As(err, &another) && !IsRefusal(err) {
				t.Errorf("%s: %s may have been done: %v", test.reason, method, err)
			}
		}
	}
}
