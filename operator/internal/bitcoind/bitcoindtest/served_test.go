package bitcoindtest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
)

// servedWorld has the nodes of the fake behind sockets, and asks them as the operator
// asks real ones.
type servedWorld struct {
	*bitcoind.Client
	t         *testing.T
	server    *bitcoindtest.Server
	addresses []string
}

func newServedWorld(t *testing.T, nodes int) servedWorld {
	w := servedWorld{Client: bitcoind.NewClient(), t: t, server: bitcoindtest.NewServer(bitcoindtest.NewNetwork())}
	t.Cleanup(w.server.Close)
	for node := range nodes {
		w.addresses = append(w.addresses, fmt.Sprintf("127.0.0.1:%d", freePort(t)))
		w.server.LetIn(w.addresses[node], reader)
		if err := w.server.Serve(w.addresses[node], w.name(node), w.comment(node), bitcoind.DefaultCredentials); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w servedWorld) endpoint(node int) bitcoind.Endpoint {
	return bitcoind.Endpoint{Address: w.addresses[node], Credentials: bitcoind.DefaultCredentials, Comment: w.comment(node)}
}

func (w servedWorld) name(node int) string {
	return fmt.Sprintf("payments-%d.payments.team-a.svc.cluster.local:18444", node)
}

func (w servedWorld) comment(node int) string { return fmt.Sprintf("team-a.payments.%d", node) }
func (w servedWorld) stop(node int)           { w.server.End(w.addresses[node]) }
func (w servedWorld) freeze(node int)         { w.server.Freeze(w.addresses[node]) }
func (w servedWorld) invalidate(node int)     { w.server.Invalidate(w.addresses[node]) }

func (w servedWorld) restart(node int) {
	w.t.Helper()
	w.server.End(w.addresses[node])
	if err := w.server.Resume(w.addresses[node], w.comment(node)); err != nil {
		w.t.Fatal(err)
	}
}

func (w servedWorld) pass() {
	w.server.Elapse(time.Second)
	w.server.ConnectAdded()
}

// OpenWallet implements client. Only tests of the controller need wallets, and they ask the
// fake without sockets.
func (w servedWorld) OpenWallet(context.Context, bitcoind.Endpoint, bitcoind.Wallet) error {
	w.t.Helper()
	w.t.Skip("no wallets are served")
	return nil
}

func TestTraffic(t *testing.T) {
	w := newServedWorld(t, 3)
	s := newScenario(t, w)
	s.update(0, nil, names(w.name(1), w.name(2)), names(w.name(1), w.name(2))) // after asking who it is
	s.update(1, nil, nil, names(w.name(0)))
	w.server.Elapse(time.Minute)
	w.freeze(2)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.Check(ctx, w.endpoint(2)); !bitcoind.IsTimeout(err) {
		t.Errorf("error = %v of a node that is frozen", err)
	}
	s.state(0)
	if peers := w.server.Peers(w.addresses[0]); len(peers) != 2 {
		t.Errorf("peers = %v, want two", peers)
	}
	w.stop(1)

	got := w.server.Traffic()["team-a.payments"]
	if got.Requests != 6 {
		t.Errorf("%d requests, want 6, also those to nodes that have stopped or say nothing", got.Requests)
	}
	if want := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); got.Links != 1 || !got.Linked.Equal(want) {
		t.Errorf("%d links since %s, want 1 since %s", got.Links, got.Linked, want)
	}
}

// A node's answers are as long as bitcoind's, whose list of peers takes some 1.4 kB for
// each.
func TestAnswersAreOfBitcoindsSize(t *testing.T) {
	w := newServedWorld(t, 17)
	s := newScenario(t, w)
	for peer := 1; peer <= 16; peer++ {
		s.update(0, nil, nil, names(w.name(peer)))
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.addresses[0]+"/",
		strings.NewReader(`{"id": "x", "method": "getpeerinfo"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(bitcoind.DefaultCredentials.User(), bitcoind.DefaultCredentials.Password())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if each := len(answer) / 16; response.StatusCode != http.StatusOK || each < 1300 || each > 1700 {
		t.Errorf("status %d and %d bytes a peer, want 200 and some 1400", response.StatusCode, each)
	}
}
