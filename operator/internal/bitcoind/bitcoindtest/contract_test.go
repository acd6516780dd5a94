package bitcoindtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// client is what the operator needs of a node. The real client has it, and the
// fake.
type client interface {
	Check(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.State, error)
	Accepts(ctx context.Context, endpoint bitcoind.Endpoint) (bool, error)
	UpdatePeers(ctx context.Context, endpoint bitcoind.Endpoint, change bitcoind.PeerChange) error
	BlockHashes(ctx context.Context, endpoint bitcoind.Endpoint, heights []int32) ([]string, error)
	InvalidTips(ctx context.Context, endpoint bitcoind.Endpoint) ([]bitcoind.Tip, error)
	Mine(ctx context.Context, endpoint bitcoind.Endpoint, count int, descriptor string) ([]string, error)
	OpenWallet(ctx context.Context, endpoint bitcoind.Endpoint, wallet bitcoind.Wallet) error
	Funds(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.Funds, error)
	Pay(ctx context.Context, endpoint bitcoind.Endpoint, address, amount, comment string) (string, error)
	FindPayment(ctx context.Context, endpoint bitcoind.Endpoint, since, comment string) (bitcoind.Payment, bool, error)
	Confirmations(ctx context.Context, endpoint bitcoind.Endpoint, id string) (bitcoind.Payment, bool, error)
	Shutdown(ctx context.Context, endpoint bitcoind.Endpoint) error
	Tip(ctx context.Context, address string) (bitcoind.Tip, error)
}

// world is a few running nodes, numbered from 0, that know nothing of each other
// yet.
type world interface {
	client
	endpoint(node int) bitcoind.Endpoint
	name(node int) string
	comment(node int) string
	stop(node int)
	restart(node int)
	freeze(node int)
	// invalidate has a node drop its last block, and hold it for invalid.
	invalidate(node int)
	// pass lets a moment go by.
	pass()
}

// TestContract runs the same scenarios against the fake and against real
// processes, so that tests which trust the fake trust what bitcoind does.
func TestContract(t *testing.T) {
	t.Run("fake", func(t *testing.T) {
		runScenarios(t, func(t *testing.T, nodes int) world { return newFakeWorld(nodes) })
	})
	t.Run("served", func(t *testing.T) {
		runScenarios(t, func(t *testing.T, nodes int) world { return newServedWorld(t, nodes) })
	})
	t.Run("real", func(t *testing.T) {
		bitcoind := needsBitcoind(t)
		runScenarios(t, func(t *testing.T, nodes int) world { return newRealWorld(t, bitcoind, nodes) })
	})
}

// needsBitcoind returns the program to test with.
func needsBitcoind(t *testing.T) string {
	t.Helper()
	program := os.Getenv("TEST_BITCOIND")
	switch {
	case testing.Short():
		t.Skip("starts real nodes, which -short forbids")
	case program == "":
		t.Skip("TEST_BITCOIND names no bitcoind; make test sets it to .local/bin/bitcoind")
	}
	return program
}

func runScenarios(t *testing.T, newWorld func(t *testing.T, nodes int) world) {
	for _, scenario := range []struct {
		name  string
		nodes int
		run   func(s scenario)
	}{
		{"a new node has no peers and an empty chain", 1, aNewNode},
		{"a name that is added and dialled is connected by, and shows at both ends", 2, addAndDial},
		{"a name that is only dialled is not in the list", 2, dialOnly},
		{"a name that is only added is connected by some time later", 2, addOnly},
		{"a name that is added twice is in the list once", 2, addTwice},
		{"a name that is dialled twice has one connection", 2, dialTwice},
		{"two nodes that dial each other keep both connections", 2, dialEachOther},
		{"a node that dials itself gets nowhere", 1, dialItself},
		{"a name that leads nowhere is dialled in vain, and that is no error", 1, dialNowhere},
		{"a name that is not in the list can be removed", 1, removeUnknown},
		{"a name that is removed is disconnected", 2, removeDisconnects},
		{"a restart empties the list and keeps the chain", 2, restartForgets},
		{"a node that stops is missed by its peers and refuses requests", 2, stopDisconnects},
		{"a node that is shut down refuses connections, and comes back with its chain and no list", 2, shutdownEnds},
		{"a node that freezes keeps its connections, in silence, and they are in the way of new ones", 2, freezeSilences},
		{"a connection to a frozen node stays half open", 2, halfOpen},
		{"a block relays over links", 3, blockRelays},
		{"a link brings the longer chain", 2, longerChainWins},
		{"a node is in initial download until it has a new block", 1, initialDownload},
		{"a new node says how far it is, what it runs and what waits in its mempool", 1, saysHowFar},
		{"a node that holds a block for invalid says so, and takes none that is built on it", 2, holdsForInvalid},
		{"a node that comes to others copies the chain", 2, copiesTheChain},
		{"hashes tell which tips are on one chain", 2, hashesOfOneChain},
		{"many blocks are made at once, one on the other", 1, manyBlocks},
		{"the work of a chain grows with its height, and the tip is as the state says it", 2, tipsHaveWork},
		{"a wallet pays what blocks have brought it, and finds it by its comment", 1, walletPays},
		{"a wallet that is made anew elsewhere has the same coins, and no comments", 2, walletIsTheSame},
		{"a wallet is there again after a restart, with its comments", 1, walletRestarts},
		{"a wrong password is refused, but not by REST", 1, wrongPassword},
		{"who is not the node is neither believed nor told anything", 2, notTheNode},
		{"a user who may call something else is accepted, and refused that", 1, limitedUser},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			t.Parallel() // real nodes mostly wait
			scenario.run(newScenario(t, newWorld(t, scenario.nodes)))
		})
	}
}

// genesisHash is that of regtest's first block.
const genesisHash = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"

func aNewNode(s scenario) {
	state := s.state(0)
	if state.Chain.Blocks != 0 {
		s.t.Errorf("height = %d, want 0", state.Chain.Blocks)
	}
	if want := genesisHash; state.Chain.BestBlockHash != want {
		s.t.Errorf("tip = %s, want %s", state.Chain.BestBlockHash, want)
	}
	if got, want := bitcoind.Comments(state.Network.SubVersion), []string{s.comment(0)}; !slices.Equal(got, want) {
		s.t.Errorf("comments = %v, want %v", got, want)
	}
	s.expect("no peers", func() bool { return len(s.state(0).Peers) == 0 && len(s.state(0).Added) == 0 })
}

func notTheNode(s scenario) {
	mistaken := s.endpoint(1)
	mistaken.Comment = s.comment(0)
	ctx := s.t.Context()
	change := bitcoind.PeerChange{Add: names(s.name(0)), Dial: names(s.name(0))}
	for what, do := range map[string]func() error{
		"check":        func() error { _, err := s.Check(ctx, mistaken); return err },
		"invalid tips": func() error { _, err := s.InvalidTips(ctx, mistaken); return err },
		"hashes":       func() error { _, err := s.BlockHashes(ctx, mistaken, []int32{0}); return err },
		"peers":        func() error { return s.UpdatePeers(ctx, mistaken, change) },
		"a block":      func() error { _, err := s.Mine(ctx, mistaken, 1, bitcoind.Anyone); return err },
		"to shut down": func() error { return s.Shutdown(ctx, mistaken) },
	} {
		err := do()
		if got, want := bitcoind.Explain(err), "another node answers at its address: "+s.comment(1); got != want {
			s.t.Errorf("%s: error %v, which is explained as %q, want %q", what, err, got, want)
		}
		if !bitcoind.IsRefusal(err) {
			s.t.Errorf("%s: it may have been done", what)
		}
	}
	s.pass()
	s.expectTips(0, 0, 1)
	s.expectList(1)
}

func addAndDial(s scenario) {
	s.update(0, nil, names(s.name(1)), names(s.name(1)))
	s.expectLink(0, 1)
	s.expectList(0, s.name(1))
	s.expectList(1)
	s.expect("the list says that it is connected by", func() bool {
		return s.state(0).Added[0].Connected
	})
	s.expect("the connection counts as outbound and inbound", func() bool {
		from, to := s.state(0).Peers, s.state(1).Peers
		return len(from) == 1 && !from[0].Inbound && len(to) == 1 && to[0].Inbound
	})
}

func dialOnly(s scenario) {
	s.update(0, nil, nil, names(s.name(1)))
	s.expectLink(0, 1)
	s.expectList(0)
}

func addOnly(s scenario) {
	s.update(0, nil, names(s.name(1)), nil)
	s.expectList(0, s.name(1))
	s.expectLink(0, 1)
}

func addTwice(s scenario) {
	s.update(0, nil, names(s.name(1)), nil)
	s.update(0, nil, names(s.name(1)), nil)
	s.expectList(0, s.name(1))
}

func dialTwice(s scenario) {
	s.update(0, nil, nil, names(s.name(1)))
	s.expectLink(0, 1)
	s.update(0, nil, nil, names(s.name(1)))
	for node := range 2 {
		if got := len(s.state(node).Peers); got != 1 {
			s.t.Errorf("node %d has %d connections, want 1", node, got)
		}
	}
}

func dialEachOther(s scenario) {
	s.update(0, nil, nil, names(s.name(1)))
	s.expectLink(0, 1)
	s.update(1, nil, nil, names(s.name(0)))
	s.expectLink(1, 0)
	s.expectLink(0, 1)
	s.expect("two connections", func() bool { return len(s.state(0).Peers) == 2 && len(s.state(1).Peers) == 2 })
}

func dialItself(s scenario) {
	s.update(0, nil, nil, names(s.name(0)))
	s.expect("no peers", func() bool { return len(s.state(0).Peers) == 0 })
}

func dialNowhere(s scenario) {
	s.update(0, nil, names("localhost:1"), names("localhost:1"))
	s.expectList(0, "localhost:1")
	s.expect("no peers", func() bool { return len(s.state(0).Peers) == 0 })
}

func removeUnknown(s scenario) {
	s.update(0, names("localhost:1"), nil, nil)
	s.expectList(0)
}

func removeDisconnects(s scenario) {
	s.update(0, nil, names(s.name(1)), names(s.name(1)))
	s.expectLink(0, 1)
	s.update(0, names(s.name(1)), nil, nil)
	s.expectList(0)
	s.expect("no peers", func() bool { return len(s.state(0).Peers) == 0 && len(s.state(1).Peers) == 0 })
}

func restartForgets(s scenario) {
	s.update(0, nil, names(s.name(1)), names(s.name(1)))
	s.mine(0)
	s.expectLink(0, 1)
	tip := s.state(0).Chain.BestBlockHash

	s.restart(0)
	s.expectList(0)
	if got := s.state(0).Chain.BestBlockHash; got != tip {
		s.t.Errorf("tip = %s, want %s as before", got, tip)
	}
	s.expect("no peers", func() bool { return len(s.state(0).Peers) == 0 && len(s.state(1).Peers) == 0 })

	s.update(0, nil, nil, names(s.name(1)))
	s.expectLink(0, 1)
}

func saysHowFar(s scenario) {
	state := s.state(0)
	if state.Chain.Headers != 0 || state.Chain.VerificationProgress < 0 || state.Chain.VerificationProgress > 1 || state.Chain.Pruned {
		s.t.Errorf("the chain of a new node: %d headers, progress %v, pruned: %t", state.Chain.Headers, state.Chain.VerificationProgress, state.Chain.Pruned)
	}
	if state.Mempool != (bitcoind.Mempool{}) || state.Uptime < 0 || len(state.Warnings) > 0 {
		s.t.Errorf("a new node has a mempool of %+v, runs for %d s and warns of %q", state.Mempool, state.Uptime, state.Warnings)
	}
	if got := bitcoind.SoftwareOf(state.Network.Version, state.Network.SubVersion); got.Name == bitcoind.Other || got.Version < 280_000 {
		s.t.Errorf("a node whose user agent is %s runs %s", state.Network.SubVersion, got)
	}
	s.mine(0)
	if chain := s.state(0).Chain; chain.Headers != 1 || chain.SizeOnDisk <= state.Chain.SizeOnDisk {
		s.t.Errorf("with a block a node has %d headers, and %d bytes of blocks after %d", chain.Headers, chain.SizeOnDisk, state.Chain.SizeOnDisk)
	}
}

func holdsForInvalid(s scenario) {
	s.update(1, nil, nil, names(s.name(0)))
	s.expectLink(1, 0)
	s.mine(0)
	s.mine(0)
	s.expectTips(2, 0, 1)
	s.expectInvalid(1)
	second := s.state(0).Tip()

	s.invalidate(1)
	s.expectInvalid(1, second)
	s.expectInvalid(0)
	s.mine(0)
	s.pass()
	if chain := s.state(1).Chain; chain.Blocks != 1 || chain.Headers != 1 {
		s.t.Errorf("it is at height %d of %d, want 1 of 1: it takes no header either", chain.Blocks, chain.Headers)
	}
	s.expectInvalid(1, second)
}

func copiesTheChain(s scenario) {
	if _, err := s.Mine(s.t.Context(), s.endpoint(0), 100, bitcoind.Anyone); err != nil {
		s.t.Fatal(err)
	}
	s.update(1, nil, nil, names(s.name(0)))
	s.expectTips(100, 0, 1)
	if chain := s.state(1).Chain; chain.Headers != 100 || chain.InitialBlockDownload {
		s.t.Errorf("%d headers, in initial download: %t, want 100 and false", chain.Headers, chain.InitialBlockDownload)
	}
}

func stopDisconnects(s scenario) {
	s.update(0, nil, names(s.name(1)), names(s.name(1)))
	s.expectLink(0, 1)
	s.stop(1)
	s.expect("no peers", func() bool { return len(s.state(0).Peers) == 0 })
	s.expectList(0, s.name(1))

	_, err := s.Check(s.t.Context(), s.endpoint(1))
	if got, want := bitcoind.Explain(err), "its RPC port refuses connections"; err == nil || got != want {
		s.t.Errorf("error = %v, which is explained as %q, want %q", err, got, want)
	}
	_, err = s.Tip(s.t.Context(), s.endpoint(1).Address)
	if got, want := bitcoind.Explain(err), "its RPC port refuses connections"; err == nil || got != want {
		s.t.Errorf("Tip: error = %v, which is explained as %q, want %q", err, got, want)
	}
}

func shutdownEnds(s scenario) {
	s.update(0, nil, names(s.name(1)), names(s.name(1)))
	s.expectLink(0, 1)
	s.mine(0)
	s.mine(0)
	s.expectTips(2, 0, 1)
	tip := s.state(0).Tip()

	if err := s.Shutdown(s.t.Context(), s.endpoint(0)); err != nil {
		s.t.Fatal(err)
	}
	s.expect("a node that refuses connections", func() bool {
		_, err := s.Check(s.t.Context(), s.endpoint(0))
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	s.expect("its peer to have none", func() bool { return len(s.state(1).Peers) == 0 })

	s.restart(0)
	s.expectList(0)
	if got := s.state(0).Tip(); got != tip {
		s.t.Errorf("tip = %+v, want %+v as before", got, tip)
	}
	s.expect("no peers", func() bool { return len(s.state(0).Peers) == 0 && len(s.state(1).Peers) == 0 })
}

func tipsHaveWork(s scenario) {
	for height := range int32(18) { // up to two hexadecimal digits of it
		if height > 0 {
			s.mine(0)
		}
		state := s.state(0)
		want := bitcoind.Tip{Height: height, Hash: state.Chain.BestBlockHash, Work: fmt.Sprintf("%064x", 2*(height+1))}
		if got := state.Tip(); got != want {
			s.t.Errorf("the state's tip = %+v, want %+v", got, want)
		}
		if got := s.tip(0); got != want {
			s.t.Errorf("the tip = %+v, want %+v", got, want)
		}
	}
	if got, want := s.tip(1), (bitcoind.Tip{Hash: genesisHash, Work: strings.Repeat("0", 63) + "2"}); got != want {
		s.t.Errorf("the tip of a new node = %+v, want %+v", got, want)
	}
	if longer, shorter := s.tip(0).Work, s.tip(1).Work; longer <= shorter {
		s.t.Errorf("a work of %s compares as no more than %s", longer, shorter)
	}
}

func freezeSilences(s scenario) {
	s.update(0, nil, nil, names(s.name(1)))
	s.expectLink(0, 1)
	s.freeze(1)

	ctx, cancel := context.WithTimeout(s.t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.Check(ctx, s.endpoint(1))
	if got, want := bitcoind.Explain(err), "it timed out"; err == nil || got != want {
		s.t.Errorf("error = %v, which is explained as %q, want %q", err, got, want)
	}
	if _, err := s.Tip(ctx, s.endpoint(1).Address); bitcoind.Explain(err) != "it timed out" {
		s.t.Errorf("Tip: error = %v, want a time-out", err)
	}
	isSilent := func() bool {
		peers := s.state(0).Peers
		return len(peers) == 1 && peers[0].Version != 0 && peers[0].LastSend > peers[0].LastRecv+1
	}
	s.expect("a silent peer", isSilent)
	s.update(0, nil, nil, names(s.name(1)))
	if !isSilent() {
		s.t.Error("dialling its name again has changed something")
	}
	s.disconnect(0, s.state(0).Peers[0].ID)
	s.expect("the connection to be closed", func() bool { return len(s.state(0).Peers) == 0 })
}

func halfOpen(s scenario) {
	s.freeze(1)
	s.update(0, nil, nil, names(s.name(1)))
	s.expect("a peer without a version, of which nothing was heard", func() bool {
		peers := s.state(0).Peers
		return len(peers) == 1 && peers[0].Addr == s.name(1) && peers[0].Version == 0 && peers[0].SubVer == "" &&
			peers[0].LastSend != 0 && peers[0].LastRecv == 0
	})
}

func blockRelays(s scenario) {
	s.update(1, nil, nil, names(s.name(0)))
	s.update(2, nil, nil, names(s.name(1)))
	s.expectLink(1, 0)
	s.expectLink(2, 1)
	s.mine(0)
	s.expectTips(1, 0, 1, 2)
	s.mine(2)
	s.expectTips(2, 0, 1, 2)
}

func longerChainWins(s scenario) {
	s.mine(0)
	s.mine(1)
	s.mine(1)
	if s.state(0).Chain.BestBlockHash == s.state(1).Chain.BestBlockHash {
		s.t.Error("two nodes without a link mined the same block")
	}
	longer := s.state(1).Chain.BestBlockHash
	s.update(0, nil, nil, names(s.name(1)))
	s.expectTips(2, 0, 1)
	if got := s.state(0).Chain.BestBlockHash; got != longer {
		s.t.Errorf("tip = %s, want %s, the longer chain's", got, longer)
	}
}

func initialDownload(s scenario) {
	if !s.state(0).Chain.InitialBlockDownload {
		s.t.Error("a node without blocks is not in initial download")
	}
	s.mine(0)
	chain := s.state(0).Chain
	if chain.InitialBlockDownload {
		s.t.Error("a node with a new block is still in initial download")
	}
	if old := time.Unix(1296688602, 0).Add(time.Hour).Unix(); chain.Time < old {
		s.t.Errorf("the tip's time is %d, want the block's", chain.Time)
	}
}

// someone is a regtest address, of the public key in BIP 173's examples.
const someone = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

func hashesOfOneChain(s scenario) {
	s.mine(0)
	s.mine(0)
	// With the coins for the same nobody, two nodes make the same block in the
	// same second.
	if _, err := s.Mine(s.t.Context(), s.endpoint(1), 1, bitcoind.PayTo(someone)); err != nil {
		s.t.Fatal(err)
	}
	hashes, err := s.BlockHashes(s.t.Context(), s.endpoint(0), []int32{0, 2, 1, 3})
	if err != nil {
		s.t.Fatal(err)
	}
	zero, one := s.state(0).Chain.BestBlockHash, s.state(1).Chain.BestBlockHash
	if hashes[1] != zero || hashes[2] == one || hashes[3] != "" || len(hashes[0]) != 64 {
		s.t.Errorf("hashes of node 0 = %q with the tips %s and, of another chain, %s", hashes, zero, one)
	}
}

func manyBlocks(s scenario) {
	wallet, err := bitcoind.WalletOf("a network")
	if err != nil {
		s.t.Fatal(err)
	}
	mined, err := s.Mine(s.t.Context(), s.endpoint(0), 1000, wallet.Mined())
	if err != nil || len(mined) != 1000 {
		s.t.Fatalf("%d blocks, error %v", len(mined), err)
	}
	hashes, err := s.BlockHashes(s.t.Context(), s.endpoint(0), []int32{1, 1000, 1001})
	if err != nil || !slices.Equal(hashes, []string{mined[0], mined[999], ""}) {
		s.t.Errorf("the node's chain has %v, error %v; it says that it made %s to %s", hashes, err, mined[0], mined[999])
	}
}

func wrongPassword(s scenario) {
	endpoint := s.endpoint(0)
	endpoint.Credentials = bitcoind.NewCredentials(endpoint.Credentials.User(), endpoint.Credentials.Password()+"x")
	if _, err := s.Check(s.t.Context(), endpoint); !errors.Is(err, bitcoind.ErrUnauthorized) {
		s.t.Errorf("Check: %v, want %v", err, bitcoind.ErrUnauthorized)
	}
	if err := s.UpdatePeers(s.t.Context(), endpoint, bitcoind.PeerChange{Add: names("localhost:1")}); !errors.Is(err, bitcoind.ErrUnauthorized) {
		s.t.Errorf("UpdatePeers: %v, want %v", err, bitcoind.ErrUnauthorized)
	}
	if err := s.Shutdown(s.t.Context(), endpoint); !errors.Is(err, bitcoind.ErrUnauthorized) {
		s.t.Errorf("Shutdown: %v, want %v", err, bitcoind.ErrUnauthorized)
	}
	s.expectList(0)
	if got, want := s.tip(0), s.state(0).Tip(); got != want {
		s.t.Errorf("tip = %+v, want %+v", got, want)
	}
}

// reader is a user of every node who may ask for the height and for nothing else.
var reader = bitcoind.NewCredentials("reader", "p#ss w\"rd")

func limitedUser(s scenario) {
	endpoint := s.endpoint(0)
	accepts := func(credentials bitcoind.Credentials) bool {
		s.t.Helper()
		endpoint.Credentials = credentials
		accepted, err := s.Accepts(s.t.Context(), endpoint)
		if err != nil {
			s.t.Fatal(err)
		}
		return accepted
	}
	if !accepts(bitcoind.DefaultCredentials) || !accepts(reader) || accepts(bitcoind.NewCredentials("reader", "another")) {
		s.t.Error("it does not accept those whom it should, and nobody else")
	}
	endpoint.Credentials = reader
	if _, err := s.Check(s.t.Context(), endpoint); !errors.Is(err, bitcoind.ErrForbidden) {
		s.t.Errorf("Check: %v, want %v", err, bitcoind.ErrForbidden)
	}
	if err := s.Shutdown(s.t.Context(), endpoint); !errors.Is(err, bitcoind.ErrForbidden) {
		s.t.Errorf("Shutdown: %v, want %v", err, bitcoind.ErrForbidden)
	}
	s.stop(0)
	if _, err := s.Accepts(s.t.Context(), endpoint); !errors.Is(err, syscall.ECONNREFUSED) {
		s.t.Errorf("error = %v of a node that has stopped", err)
	}
}

// patience is how long a real node may take. The slowest thing is its thread
// that dials added names, which wakes every 2 s while it has had nothing to do.
const patience = 30 * time.Second

// scenario is a world with the words in which the scenarios are told.
type scenario struct {
	world
	t *testing.T
}

func newScenario(t *testing.T, w world) scenario { return scenario{world: w, t: t} }

func names(names ...string) []string { return names }

func (s scenario) state(node int) bitcoind.State {
	s.t.Helper()
	state, err := s.Check(s.t.Context(), s.endpoint(node))
	if err != nil {
		s.t.Fatalf("node %d: %v", node, err)
	}
	return state
}

// tip asks without credentials.
func (s scenario) tip(node int) bitcoind.Tip {
	s.t.Helper()
	tip, err := s.Tip(s.t.Context(), s.endpoint(node).Address)
	if err != nil {
		s.t.Fatalf("node %d: %v", node, err)
	}
	return tip
}

func (s scenario) mine(node int) {
	s.t.Helper()
	if _, err := s.Mine(s.t.Context(), s.endpoint(node), 1, bitcoind.Anyone); err != nil {
		s.t.Fatalf("node %d: %v", node, err)
	}
}

func (s scenario) update(node int, remove, add, dial []string) {
	s.t.Helper()
	if err := s.UpdatePeers(s.t.Context(), s.endpoint(node), bitcoind.PeerChange{Remove: remove, Add: add, Dial: dial}); err != nil {
		s.t.Fatalf("node %d: %v", node, err)
	}
}

func (s scenario) disconnect(node int, id int32) {
	s.t.Helper()
	if err := s.UpdatePeers(s.t.Context(), s.endpoint(node), bitcoind.PeerChange{Disconnect: []int32{id}}); err != nil {
		s.t.Fatalf("node %d: %v", node, err)
	}
}

// expect waits until something is so.
func (s scenario) expect(what string, isSo func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !isSo(); s.pass() {
		if time.Now().After(deadline) {
			s.t.Fatalf("want %s", what)
		}
	}
}

// expectLink waits for a connection that one node dialled by the other's name,
// and that the other knows the first by its comment on.
func (s scenario) expectLink(from, to int) {
	s.t.Helper()
	s.expect(fmt.Sprintf("an outbound connection from node %d to %s", from, s.name(to)), func() bool {
		return slices.ContainsFunc(s.state(from).Peers, func(peer bitcoind.Peer) bool {
			return !peer.Inbound && peer.Version != 0 && peer.Addr == s.name(to) && s.isOf(peer, to)
		})
	})
	s.expect(fmt.Sprintf("an inbound connection at node %d from node %d", to, from), func() bool {
		return slices.ContainsFunc(s.state(to).Peers, func(peer bitcoind.Peer) bool {
			return peer.Inbound && peer.Version != 0 && s.isOf(peer, from)
		})
	})
}

// isOf tells whether a connection is one with that node.
func (s scenario) isOf(peer bitcoind.Peer, node int) bool {
	return slices.Contains(bitcoind.Comments(peer.SubVer), s.comment(node))
}

func (s scenario) expectList(node int, want ...string) {
	s.t.Helper()
	var got []string
	for _, added := range s.state(node).Added {
		got = append(got, added.AddedNode)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("node %d lists %q, want %q", node, got, want)
	}
}

// expectInvalid looks which tips a node holds for invalid.
func (s scenario) expectInvalid(node int, want ...bitcoind.Tip) {
	s.t.Helper()
	got, err := s.InvalidTips(s.t.Context(), s.endpoint(node))
	for i := range want {
		want[i].Work = "" // of which it does not tell
	}
	if err != nil || !slices.Equal(got, want) {
		s.t.Errorf("node %d holds %+v for invalid, error %v, want %+v", node, got, err, want)
	}
}

func (s scenario) expectTips(height int32, nodes ...int) {
	s.t.Helper()
	s.expect(fmt.Sprintf("nodes %v at the same block at height %d", nodes, height), func() bool {
		tip := s.state(nodes[0]).Chain.BestBlockHash
		for _, node := range nodes {
			if chain := s.state(node).Chain; chain.Blocks != height || chain.BestBlockHash != tip {
				return false
			}
		}
		return true
	})
}
