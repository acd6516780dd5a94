package bitcoind

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
)

// bigAnswer is what bitcoind 29 answers to a check with so many peers: 1.4 kB for each.
func bigAnswer(peers int) string {
	each := make([]string, peers)
	for i := range each {
		messages := `{"addrv2": 40, "cmpctblock": 1000, "feefilter": 32, "getdata": 61, "getheaders": 93, "headers": 106, "ping": 32, "pong": 32, "version": 126}`
		each[i] = fmt.Sprintf(`{"id": %[1]d, "addr": "payments-%[1]d.payments.team-a.svc.cluster.local:18444", "addrbind": "192.0.2.1:4444", "addrlocal": "192.0.2.1:18444",
			"network": "not_publicly_routable", "services": "0000000000000c09", "servicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"], "relaytxes": true,
			"lastsend": 1764168000, "lastrecv": 1764168000, "last_transaction": 0, "last_block": 0, "bytessent": 12345, "bytesrecv": 12345, "conntime": 1764160000,
			"timeoffset": 0, "pingtime": 0.000312, "minping": 0.000112, "version": 70016, "subver": "/Satoshi:29.4.0(team-a.payments.%[1]d)/", "inbound": false,
			"bip152_hb_to": false, "bip152_hb_from": false, "startingheight": 0, "presynced_headers": -1, "synced_headers": 7, "synced_blocks": 7, "inflight": [],
			"addr_relay_enabled": true, "permissions": [], "minfeefilter": 0.00001, "bytessent_per_msg": %[2]s, "bytesrecv_per_msg": %[2]s,
			"connection_type": "manual", "transport_protocol_type": "v2", "session_id": "%[3]s"}`, i, messages, aHash)
	}
	results := []string{goodResults["getblockchaininfo"], goodResults["getnetworkinfo"], "[" + strings.Join(each, ",") + "]", goodResults["getaddednodeinfo"], "null", goodResults["getmempoolinfo"], goodResults["uptime"]}
	for id, result := range results {
		results[id] = fmt.Sprintf(`{"result": %s, "error": null, "id": %d}`, result, id)
	}
	return "[" + strings.Join(results, ",") + "]\n"
}

// canned is a transport that answers always the same.
func canned(answer string) http.RoundTripper {
	return roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(answer))}, nil
	})
}

// A look at a thousand nodes of 16 peers reads 23 MB. It must not allocate as much, let
// alone what it was nine times.
func TestCheckAllocatesLittle(t *testing.T) {
	const maxBytes, maxAllocations = 20 << 10, 200
	client, endpoint := newClient(canned(bigAnswer(16))), Endpoint{Address: "node", Comment: "team-a.payments.0"}
	check := func() {
		state, err := client.Check(t.Context(), endpoint)
		if err != nil || len(state.Peers) != 16 {
			t.Fatalf("%d peers, error %v", len(state.Peers), err)
		}
	}
	check() // so that there is a buffer
	const checks = 100
	if each := allocatedBy(func() {
		for range checks {
			check()
		}
	}) / checks; each > maxBytes {
		t.Errorf("a check allocates %d bytes, want at most %d", each, maxBytes)
	}
	if each := testing.AllocsPerRun(checks, check); each > maxAllocations {
		t.Errorf("a check allocates %.0f times, want at most %d", each, maxAllocations)
	}
}

// terse listens on loopback until the test ends, and answers each request always the same,
// without a word of memory for it: what is allocated meanwhile the client allocates.
func terse(t testing.TB, answer string) Endpoint {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	response := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
	go func() {
		request := make([]byte, 4<<10)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			for read := 0; ; read = 0 {
				for read == 0 || request[read-1] != ']' { // which is how a batch ends
					more, err := conn.Read(request[read:])
					if read += more; err != nil {
						break
					}
				}
				if read == 0 {
					break
				}
				_, _ = conn.Write(response)
			}
			_ = conn.Close()
		}
	}()
	return Endpoint{Address: listener.Addr().String(), Comment: "team-a.payments.0"}
}

// What a check costs at its regular turn, when no connection is kept.
func BenchmarkCheckOverSocket(b *testing.B) {
	client, endpoint := NewClient(), terse(b, bigAnswer(16))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Check(b.Context(), endpoint); err != nil {
			b.Fatal(err)
		}
		client.http.CloseIdleConnections()
	}
}

func BenchmarkCheck(b *testing.B) {
	client, endpoint := newClient(canned(bigAnswer(16))), Endpoint{Address: "node", Comment: "team-a.payments.0"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Check(b.Context(), endpoint); err != nil {
			b.Fatal(err)
		}
	}
}

// A check and what follows it use one connection.
func TestRequestsThatFollowUseOneConnection(t *testing.T) {
	var connections atomic.Int32
	endpoint, _ := serveNode(t, answering("addnode", "null"))
	client := NewClient()
	defer client.http.CloseIdleConnections()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{ConnectDone: func(string, string, error) { connections.Add(1) }})
	if _, err := client.Check(ctx, endpoint); err != nil {
		t.Fatal(err)
	}
	if err := client.UpdatePeers(ctx, endpoint, PeerChange{Add: []string{"payments-1:18444"}}); err != nil {
		t.Fatal(err)
	}
	if connections.Load() != 1 {
		t.Errorf("%d connections, want 1", connections.Load())
	}
}

// Whatever a node says, it is read or refused.
func FuzzDecodeBatch(f *testing.F) {
	f.Add(bigAnswer(2))
	f.Add(`[{"id": 0, "error": {"code": -28, "message": "Loading"}}]`)
	f.Add(`[{"id": 0, "result": [{}, {"id": 1e9}]}]`)
	f.Fuzz(func(t *testing.T, answer string) {
		var state State
		peers := list[Peer]{limit: 2}
		_, err := decodeBatch(bytes.NewBufferString(answer), []call{{result: &state.Chain}, {result: &state.Network}, {result: &peers}, {}, {}})
		if len(peers.items) > 2 {
			t.Errorf("%d items, want at most 2", len(peers.items))
		}
		if err != nil {
			mustBeFitForAStatus(t, Explain(err))
		}
	})
}
