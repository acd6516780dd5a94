package bitcoind

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/google/go-cmp/cmp"
)

// What Knots 29.4 answers, cut down. TestContract asks real nodes.
var goodResults = map[string]string{
	"getblockchaininfo": aChain,
	"getnetworkinfo":    `{"version": 290400, "subversion": "/Satoshi:29.4.0(team-a.payments.0)/Knots:20260508/", "warnings": ["a", "b"]}`,
	"getpeerinfo":       `[{"id": 3, "addr": "payments-1:18444", "version": 70016, "subver": "/Satoshi:29.4.0/", "inbound": false, "forced_inbound": false}]`,
	"getaddednodeinfo":  `[{"addednode": "payments-1:18444", "connected": true, "addresses": [{"address": "192.0.2.1:18444", "connected": "outbound"}]}]`,
	"ping":              `null`,
}

// reply is what a node says to one call.
type reply struct {
	Result json.RawMessage   `json:"result"`
	Error  *btcjson.RPCError `json:"error"`
	ID     json.RawMessage   `json:"id"`
}

// received is one call as a node gets it.
type received struct {
	Method string          `json:"method"`
	Params []any           `json:"params"`
	ID     json.RawMessage `json:"id"`
}

// serveNode answers each call as answer says, and keeps the calls.
func serveNode(t *testing.T, answer func(call received) (result string, err *btcjson.RPCError)) (Endpoint, *[]received) {
	t.Helper()
	var calls []received
	endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var batch []received
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Errorf("the request is no batch: %v", err)
		}
		calls = append(calls, batch...)
		replies := []reply{}
		for _, call := range batch {
			result, err := answer(call)
			replies = append(replies, reply{Result: json.RawMessage(result), Error: err, ID: call.ID})
		}
		if err := json.NewEncoder(w).Encode(replies); err != nil {
			t.Errorf("encode the answer: %v", err)
		}
	})
	return endpoint, &calls
}

// serve runs an HTTP server on loopback until the test ends.
func serve(t *testing.T, handler http.HandlerFunc) Endpoint {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return Endpoint{
		Address:     server.Listener.Addr().String(),
		Credentials: NewCredentials("hush-user", "hush-password"),
	}
}

func wellBehaved(call received) (string, *btcjson.RPCError) { return goodResults[call.Method], nil }

// answering answers calls of one method with a result, and others well.
func answering(method, result string) func(received) (string, *btcjson.RPCError) {
	return func(call received) (string, *btcjson.RPCError) {
		if call.Method == method {
			return result, nil
		}
		return wellBehaved(call)
	}
}

func TestCheck(t *testing.T) {
	endpoint, calls := serveNode(t, wellBehaved)
	state, err := NewClient().Check(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}

	var want State
	want.Chain.Blocks, want.Chain.BestBlockHash, want.Chain.ChainWork = 7, aHash, aWork
	want.Network.Version = 290400
	want.Network.SubVersion = "/Satoshi:29.4.0(team-a.payments.0)/Knots:20260508/"
	want.Peers = []btcjson.GetPeerInfoResult{{ID: 3, Addr: "payments-1:18444", Version: 70016, SubVer: "/Satoshi:29.4.0/"}}
	connected := true
	want.Added = []btcjson.GetAddedNodeInfoResult{{AddedNode: "payments-1:18444", Connected: &connected}}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}

	var methods []string
	for _, call := range *calls {
		methods = append(methods, call.Method)
		if len(call.Params) != 0 {
			t.Errorf("%s has parameters %v, want none", call.Method, call.Params)
		}
	}
	if diff := cmp.Diff([]string{"getblockchaininfo", "getnetworkinfo", "getpeerinfo", "getaddednodeinfo", "ping"}, methods); diff != "" {
		t.Errorf("methods (-want +got):\n%s", diff)
	}
}

func TestCheckFailsWhenACallDoes(t *testing.T) {
	for method := range goodResults {
		endpoint, _ := serveNode(t, func(call received) (string, *btcjson.RPCError) {
			if call.Method == method {
				return "null", btcjson.NewRPCError(-28, "Loading block index…")
			}
			return wellBehaved(call)
		})
		_, err := NewClient().Check(t.Context(), endpoint)
		if got, want := Explain(err), "Loading block index…"; err == nil || got != want {
			t.Errorf("%s: error %v is explained as %q, want %q", method, err, got, want)
		}
	}
}

func TestCheckFailsWhenAResultMakesNoSense(t *testing.T) {
	for _, test := range []struct {
		reason, method, result string
	}{
		{"not an object", "getnetworkinfo", `"x"`},
		{"not a list", "getpeerinfo", `{}`},
		{"not a list", "getaddednodeinfo", `null`},
		{"not a list of objects", "getpeerinfo", `[1, 2]`},
		{"not a list of objects", "getaddednodeinfo", `["payments-1:18444"]`},
		{"more peers than a node has", "getpeerinfo", "[" + strings.Repeat("{},", 300) + "{}]"},
		{"a name longer than any", "getpeerinfo", `[{"addr": "` + strings.Repeat("x", 301) + `"}]`},
		{"a longer user agent than the protocol has", "getpeerinfo", `[{"subver": "` + strings.Repeat("x", 257) + `"}]`},
		{"a name longer than any", "getaddednodeinfo", `[{"addednode": "` + strings.Repeat("x", 301) + `"}]`},
		{"a longer user agent than the protocol has", "getnetworkinfo", `{"subversion": "` + strings.Repeat("x", 257) + `"}`},
		{"more manual peers than anybody adds", "getaddednodeinfo", "[" + strings.Repeat("{},", 300) + "{}]"},
		{"more of itself than a node says", "getnetworkinfo", `{"subversion": "` + strings.Repeat("x", 64<<10) + `"}`},
	} {
		endpoint, _ := serveNode(t, answering(test.method, test.result))
		state, err := NewClient().Check(t.Context(), endpoint)
		if !errors.Is(err, ErrAnswer) {
			t.Errorf("%s, %s: error = %v, want %v", test.method, test.reason, err, ErrAnswer)
		}
		if diff := cmp.Diff(State{}, state); diff != "" {
			t.Errorf("%s, %s: there is an error and a state:\n%s", test.method, test.reason, diff)
		}
	}
}

func TestAsManyPeersAsMayBe(t *testing.T) {
	endpoint, _ := serveNode(t, func(call received) (string, *btcjson.RPCError) {
		if call.Method == "getpeerinfo" {
			return "[" + strings.Repeat("{},", 299) + "{}]", nil
		}
		return wellBehaved(call)
	})
	state, err := NewClient().Check(t.Context(), endpoint)
	if err != nil || len(state.Peers) != 300 {
		t.Errorf("%d peers, error %v, want 300 and none", len(state.Peers), err)
	}
}

func TestUpdatePeers(t *testing.T) {
	endpoint, calls := serveNode(t, func(received) (string, *btcjson.RPCError) { return "null", nil })
	if err := NewClient().UpdatePeers(t.Context(), endpoint, PeerChange{
		Remove: []string{"r:1"}, Disconnect: []int32{7}, Add: []string{"a:1", "b:1"}, Dial: []string{"b:1"},
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, call := range *calls {
		got = append(got, fmt.Sprint(call.Method, call.Params))
	}
	want := []string{
		"addnode[r:1 remove]", "disconnectnode[r:1]", // out of the list first, or it is dialled again
		"disconnectnode[ 7]",
		"addnode[a:1 add]", "addnode[b:1 add]",
		"addnode[b:1 onetry]", // last: it can take seconds, and nothing waits for it
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestShutdown(t *testing.T) {
	endpoint, calls := serveNode(t, func(received) (string, *btcjson.RPCError) { return `"Bitcoin Knots stopping"`, nil })
	if err := NewClient().Shutdown(t.Context(), endpoint); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint((*calls)[0].Method, (*calls)[0].Params); len(*calls) != 1 || got != "stop[]" {
		t.Errorf("%d calls, the first %s, want stop[] alone", len(*calls), got)
	}
}

func TestShutdownTellsWhatTheNodeSays(t *testing.T) {
	endpoint, _ := serveNode(t, func(received) (string, *btcjson.RPCError) { return "null", btcjson.NewRPCError(-32601, "because") })
	err := NewClient().Shutdown(t.Context(), endpoint)
	if want := "stop: -32601: because"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	if got, want := Explain(err), "because"; got != want {
		t.Errorf("explained as %q, want %q", got, want)
	}
}

func TestUpdatePeersErrors(t *testing.T) {
	for _, test := range []struct {
		reason string
		code   btcjson.RPCErrorCode
		want   bool
	}{
		{"it is in the list already", -23, false},
		{"it is out of the list already", -24, false},
		{"it is disconnected already", -29, false},
		{"something else is wrong", -32601, true},
		{"something else is wrong", -1, true},
	} {
		endpoint, _ := serveNode(t, func(call received) (string, *btcjson.RPCError) {
			return "null", btcjson.NewRPCError(test.code, "because")
		})
		err := NewClient().UpdatePeers(t.Context(), endpoint, PeerChange{Remove: []string{"r:1"}, Add: []string{"a:1"}, Dial: []string{"d:1"}})
		if (err != nil) != test.want {
			t.Errorf("%d, %s: error = %v, want one: %t", test.code, test.reason, err, test.want)
		}
		var rpcError *btcjson.RPCError
		if test.want && (!errors.As(err, &rpcError) || rpcError.Code != test.code) {
			t.Errorf("%d: error = %v, want the node's", test.code, err)
		}
	}
}

func TestUpdatePeersTellsEachCallThatFailed(t *testing.T) {
	endpoint, _ := serveNode(t, func(call received) (string, *btcjson.RPCError) {
		if call.Params[0] == "good:1" {
			return "null", nil
		}
		return "null", btcjson.NewRPCError(-1, "because")
	})
	err := NewClient().UpdatePeers(t.Context(), endpoint, PeerChange{Add: []string{"a:1", "good:1", "b:1"}})
	want := "addnode [a:1 add]: -1: because\naddnode [b:1 add]: -1: because"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}
