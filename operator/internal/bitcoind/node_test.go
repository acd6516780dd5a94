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
	"getmempoolinfo":    `{"loaded": true, "size": 3, "bytes": 426, "usage": 4512, "total_fee": 0.00001}`,
	"uptime":            `86400`,
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
	want.Chain.Headers, want.Chain.VerificationProgress, want.Chain.InitialBlockDownload = 9, 0.75, true
	want.Chain.SizeOnDisk, want.Chain.Pruned = 2048, true
	want.Mempool, want.Uptime, want.Warnings = Mempool{Size: 3, Bytes: 426}, 86400, []string{"a", "b"}
	want.Network.Version = 290400
	want.Network.SubVersion = "/Satoshi:29.4.0(team-a.payments.0)/Knots:20260508/"
	want.Peers = []Peer{{ID: 3, Addr: "payments-1:18444", Version: 70016, SubVer: "/Satoshi:29.4.0/"}}
	want.Added = []AddedNode{{AddedNode: "payments-1:18444", Connected: true}}
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
	if diff := cmp.Diff([]string{"getblockchaininfo", "getnetworkinfo", "getpeerinfo", "getaddednodeinfo", "ping", "getmempoolinfo", "uptime"}, methods); diff != "" {
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
		{"not an object", "getmempoolinfo", `[]`},
		{"not a number of transactions", "getmempoolinfo", `{"size": "many"}`},
		{"not a number", "uptime", `"long"`},
		{"warnings that are no texts", "getnetworkinfo", `{"warnings": [1]}`},
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

// A node's warnings are its words: few, short, and fit to be shown.
func TestWarnings(t *testing.T) {
	for _, test := range []struct {
		reason, warnings string
		want             []string
	}{
		{"none", `[]`, nil},
		{"none, as versions before 28 say it", `""`, nil},
		{"one, as versions before 28 say it", `"a, b"`, []string{"a, b"}},
		{"no more than the first few", `["a", "b", "c", "d", "e"]`, []string{"a", "b", "c", "d"}},
		{"not what a terminal would obey", `["a\u001b[31m\nb"]`, []string{"a [31m b"}},
		{"not at any length", `["` + strings.Repeat("x", 1000) + `"]`, []string{strings.Repeat("x", maxErrorRunes)}},
	} {
		endpoint, _ := serveNode(t, answering("getnetworkinfo", `{"warnings": `+test.warnings+`}`))
		state, err := NewClient().Check(t.Context(), endpoint)
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
		}
		if diff := cmp.Diff(test.want, state.Warnings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.reason, diff)
		}
	}
}

func TestInvalidTips(t *testing.T) {
	tip := func(height int, hash, status string) string {
		return fmt.Sprintf(`{"height": %d, "hash": %q, "branchlen": 1, "status": %q}`, height, hash, status)
	}
	other := strings.Repeat("b", 64)
	for _, test := range []struct {
		reason, tips string
		want         []Tip
		isWrong      bool
	}{
		{"the chain that it follows, and forks that are as good", "[" + tip(7, aHash, "active") + "," + tip(6, other, "valid-fork") + "]", nil, false},
		{"what it has not looked at", "[" + tip(7, aHash, "headers-only") + "," + tip(6, other, "valid-headers") + "]", nil, false},
		{"one that it holds for invalid", "[" + tip(7, aHash, "active") + "," + tip(8, other, "invalid") + "]", []Tip{{Height: 8, Hash: other}}, false},
		{"no list", "null", nil, true},
		{"no hash", "[" + tip(8, "b", "invalid") + "]", nil, true},
		{"no height", "[" + tip(-8, other, "invalid") + "]", nil, true},
		{"more than any node has", "[" + strings.Repeat("{},", maxChainTips) + "{}]", nil, true},
	} {
		endpoint, _ := serveNode(t, answering("getchaintips", test.tips))
		tips, err := NewClient().InvalidTips(t.Context(), endpoint)
		if errors.Is(err, ErrAnswer) != test.isWrong || err != nil && !test.isWrong {
			t.Errorf("%s: error = %v, want one: %t", test.reason, err, test.isWrong)
		}
		if diff := cmp.Diff(test.want, tips); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.reason, diff)
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
