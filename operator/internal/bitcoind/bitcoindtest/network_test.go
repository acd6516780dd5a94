package bitcoindtest_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
)

// What the contract cannot say, because real nodes are too slow for it, or
// because it is the fake's own.

func TestAddedNameIsNotConnectedByAtOnce(t *testing.T) {
	s := newScenario(t, newFakeWorld(2))
	s.update(0, nil, names(s.name(1)), nil)
	if peers := s.state(0).Peers; len(peers) != 0 {
		t.Errorf("peers = %v, want none before ConnectAdded", peers)
	}
}

func TestAtMostEightAddedNamesAreConnectedBy(t *testing.T) {
	w := newFakeWorld(13)
	s := newScenario(t, w)
	for to := 1; to <= 12; to++ {
		s.update(0, nil, names(s.name(to)), nil)
	}
	w.ConnectAdded()
	w.ConnectAdded()
	if got := len(s.state(0).Peers); got != 8 {
		t.Errorf("%d connections, want 8", got)
	}

	s.update(0, nil, nil, names(s.name(12)))
	if got := len(s.state(0).Peers); got != 9 {
		t.Errorf("%d connections, want 9, since dialling takes no slot", got)
	}

	s.update(0, names(s.name(1)), nil, nil)
	w.ConnectAdded()
	s.expectLink(0, 9)
}

// So do real nodes, all but one in many times: they close connections in another
// thread than the one that dials.
func TestNameIsNotDialledAgainInTheRequestThatDisconnectsIt(t *testing.T) {
	s := newScenario(t, newFakeWorld(2))
	s.update(0, nil, nil, names(s.name(1)))
	s.expectLink(0, 1)
	s.update(0, names(s.name(1)), nil, names(s.name(1)))
	if peers := s.state(0).Peers; len(peers) != 0 {
		t.Errorf("peers = %v, want none", peers)
	}
	s.update(0, nil, nil, names(s.name(1)))
	s.expectLink(0, 1)
}

func TestNameLeadsToTheNodeThatStartedLast(t *testing.T) {
	w := newFakeWorld(2)
	s := newScenario(t, w)
	s.mine(1)
	w.freeze(1) // its machine is lost, and its pod is made again elsewhere
	w.Start("192.0.2.99:18443", s.name(1), "replacement", bitcoind.DefaultCredentials)

	s.update(0, nil, nil, names(s.name(1)))
	peers := s.state(0).Peers
	if len(peers) != 1 || !slices.Equal(bitcoind.Comments(peers[0].SubVer), []string{"replacement"}) {
		t.Errorf("peers = %+v, want the replacement", peers)
	}
	if got := w.State("192.0.2.99:18443").Chain.Blocks; got != 0 {
		t.Errorf("the replacement is at height %d, want 0", got)
	}
}

func TestFailedNodeKeepsItsConnections(t *testing.T) {
	w := newFakeWorld(2)
	s := newScenario(t, w)
	s.update(0, nil, nil, names(s.name(1)))

	failure := errors.New("Loading block index…")
	w.Fail(s.endpoint(1).Address, failure)
	if _, err := s.Check(t.Context(), s.endpoint(1)); !errors.Is(err, failure) {
		t.Errorf("Check: %v, want %v", err, failure)
	}
	if err := s.UpdatePeers(t.Context(), s.endpoint(1), bitcoind.PeerChange{Add: names(s.name(0))}); !errors.Is(err, failure) {
		t.Errorf("UpdatePeers: %v, want %v", err, failure)
	}
	if got := len(s.state(0).Peers); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}

	w.Fail(s.endpoint(1).Address, nil)
	s.expectList(1)
	s.expectLink(0, 1)
}

func TestCutClosesTheConnectionsBetweenTwo(t *testing.T) {
	w := newFakeWorld(3)
	s := newScenario(t, w)
	s.update(0, nil, names(s.name(1)), names(s.name(1), s.name(2)))
	s.update(1, nil, nil, names(s.name(0)))
	w.Cut(s.endpoint(1).Address, s.endpoint(0).Address)
	if got := len(s.state(1).Peers); got != 0 {
		t.Errorf("node 1 has %d connections, want 0", got)
	}
	s.expectList(0, s.name(1))
	s.expectLink(0, 2)
}

func TestFrozenNodeHoldsUpItsCallerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld(2)
		s := newScenario(t, w)
		w.freeze(1)

		began := time.Now()
		failed := make(chan error)
		go func() {
			_, err := s.Check(t.Context(), s.endpoint(1))
			failed <- err
		}()
		synctest.Wait()
		s.state(0)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the other node's answer took %s, want no time", waited)
		}
		if got, want := bitcoind.Explain(<-failed), "it timed out"; got != want {
			t.Errorf("the frozen node's error is explained as %q, want %q", got, want)
		}
		if waited := time.Since(began); waited != 2*time.Second {
			t.Errorf("the frozen node's caller waited %s, want 2s", waited)
		}
	})
}

func TestCallsAreCountedByAddress(t *testing.T) {
	w := newFakeWorld(2)
	s := newScenario(t, w)
	s.state(0)
	s.state(0)
	s.update(1, nil, nil, nil)
	w.State(s.endpoint(0).Address)
	for _, test := range []struct {
		what      string
		got, want int
	}{
		{"checks of node 0", w.Checks(s.endpoint(0).Address), 2},
		{"updates of node 0", w.Updates(s.endpoint(0).Address), 0},
		{"checks of node 1", w.Checks(s.endpoint(1).Address), 0},
		{"updates of node 1", w.Updates(s.endpoint(1).Address), 1},
		{"checks of nobody", w.Checks("192.0.2.99:18443"), 0},
	} {
		if test.got != test.want {
			t.Errorf("%s: %d, want %d", test.what, test.got, test.want)
		}
	}
}

func TestEachOfSeveralCredentialsIsAccepted(t *testing.T) {
	old, current := bitcoind.NewCredentials("u", "old"), bitcoind.NewCredentials("u", "new")
	network := bitcoindtest.NewNetwork()
	network.Start("192.0.2.1:18443", "a:18444", "a", old, current)
	for _, credentials := range []bitcoind.Credentials{old, current} {
		if _, err := network.Check(t.Context(), bitcoind.Endpoint{Address: "192.0.2.1:18443", Credentials: credentials}); err != nil {
			t.Error(err)
		}
	}
}

func TestRestartWithOtherCredentials(t *testing.T) {
	w := newFakeWorld(1)
	s := newScenario(t, w)
	s.mine(0)
	s.update(0, nil, names("a:1"), nil)
	before := s.state(0)
	endpoint := s.endpoint(0)
	current, previous := bitcoind.NewCredentials("u", "new"), bitcoind.NewCredentials("u", "old")

	w.RestartWith(endpoint.Address, current, previous)
	if _, err := w.Check(t.Context(), endpoint); !errors.Is(err, bitcoind.ErrUnauthorized) {
		t.Errorf("with the credentials from before: %v, want %v", err, bitcoind.ErrUnauthorized)
	}
	for _, endpoint.Credentials = range []bitcoind.Credentials{current, previous} {
		state, err := w.Check(t.Context(), endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if state.Tip() != before.Tip() || len(state.Added) != 0 || state.Network.SubVersion != before.Network.SubVersion {
			t.Errorf("state = %+v, want the chain and the name from before, and no list", state)
		}
	}

	w.Stop(endpoint.Address)
	w.RestartWith(endpoint.Address, previous)
	if _, err := w.Check(t.Context(), endpoint); err != nil {
		t.Errorf("one that had stopped: %v", err)
	}
	w.Restart(endpoint.Address)
	if _, err := w.Check(t.Context(), endpoint); err != nil {
		t.Errorf("a restart keeps the credentials of the one before: %v", err)
	}
}

func TestTipOfANodeThatFails(t *testing.T) {
	other := errors.New("another")
	for _, test := range []struct {
		reason        string
		failure, want error
	}{
		{"REST shares the queue with RPC", bitcoind.ErrBusy, bitcoind.ErrBusy},
		{"what keeps RPC from answering keeps REST, too", other, other},
		{"REST asks for no credentials", bitcoind.ErrUnauthorized, nil},
		{"it fails no more", nil, nil},
	} {
		w := newFakeWorld(1)
		address := w.endpoint(0).Address
		w.MineAt(address)
		w.Fail(address, test.failure)
		var want bitcoind.Tip
		if test.want == nil {
			want = w.State(address).Tip()
		}
		tip, err := w.Tip(t.Context(), address)
		if !errors.Is(err, test.want) || tip != want {
			t.Errorf("%s: %+v, %v, want %+v, %v", test.reason, tip, err, want, test.want)
		}
		if got := w.Checks(address); got != 0 {
			t.Errorf("%s: it counts as %d checks, want 0", test.reason, got)
		}
	}
}

func TestEqualHeightIsEqualWork(t *testing.T) {
	w := newFakeWorld(2)
	s := newScenario(t, w)
	s.mine(0)
	s.mine(1)
	zero, one := s.tip(0), s.tip(1)
	if zero.Hash == one.Hash || zero.Work != one.Work {
		t.Errorf("tips %+v and %+v, want two blocks of the same work", zero, one)
	}
}

func TestInvalidateDropsTheLastBlock(t *testing.T) {
	w := newFakeWorld(2)
	s := newScenario(t, w)
	s.update(0, nil, nil, names(s.name(1)))
	s.mine(0)
	first := s.tip(0)
	s.mine(0)
	second := s.tip(0)

	w.Invalidate(s.endpoint(0).Address)
	if got := s.tip(0); got != first {
		t.Errorf("tip = %+v, want the block before, %+v", got, first)
	}
	if got := s.tip(1); got != second {
		t.Errorf("the peer's tip = %+v, want %+v as before", got, second)
	}

	s.mine(1)
	w.restart(0)
	s.update(0, nil, nil, names(s.name(1)))
	if got := s.tip(0); got != first {
		t.Errorf("tip = %+v, want %+v: what is built on an invalid block is invalid", got, first)
	}

	for range 3 {
		s.mine(0)
	}
	s.expectTips(4, 0, 1)
	if w.State(s.endpoint(0).Address).Chain.InitialBlockDownload {
		t.Error("the node is in initial download again")
	}
}

func TestInvalidateDropsOneAfterTheOther(t *testing.T) {
	w := newFakeWorld(1)
	s := newScenario(t, w)
	s.mine(0)
	s.mine(0)
	w.Invalidate(s.endpoint(0).Address)
	w.Invalidate(s.endpoint(0).Address)
	if got := s.tip(0); got.Height != 0 || got.Hash != genesisHash {
		t.Errorf("tip = %+v, want the first block", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("want a panic: nobody drops the first block")
		}
	}()
	w.Invalidate(s.endpoint(0).Address)
}

// It says something only with -race, which needs cgo.
func TestConcurrentUse(t *testing.T) {
	const nodes = 10
	w := newFakeWorld(nodes)
	s := newScenario(t, w)
	var group sync.WaitGroup
	for node := range nodes {
		group.Go(func() {
			for to := range nodes {
				s.update(node, nil, names(s.name(to)), names(s.name(to)))
				s.mine(node)
				w.pass()
				w.Cut(s.endpoint(node).Address, s.endpoint(to).Address)
				s.state(to)
			}
			if node%2 == 1 {
				w.restart(node)
			}
		})
	}
	group.Wait()
	for node := range nodes {
		if got, want := len(s.state(node).Added), nodes*(1-node%2); got != want {
			t.Errorf("node %d lists %d, want %d", node, got, want)
		}
	}
}
