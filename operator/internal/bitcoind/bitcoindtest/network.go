// Package bitcoindtest has a network of bitcoind nodes in memory, for the tests
// of what talks to them. It does what real ones do: TestContract runs the same
// scenarios against both.
package bitcoindtest

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// answerTimeout is how long a caller waits for a node that is frozen, as the
// real client does.
const answerTimeout = 2 * time.Second

// Network is a set of nodes, each behind the address of its RPC port. It has the
// methods of *bitcoind.Client, and is safe for concurrent use. Time passes in it
// only by Elapse, and what real nodes do by themselves after a while happens in
// ConnectAdded.
type Network struct {
	mu      sync.Mutex
	nodes   map[string]*node                  // by address; a node that has stopped is none
	stopped map[string]*node                  // by address
	users   map[string][]bitcoind.Credentials // who may not call what the operator calls, by address
	checks  map[string]int
	updates map[string]int
	serial  int // makes nodes, connections and blocks distinct
	now     time.Time
}

// NewNetwork returns a network without nodes.
func NewNetwork() *Network {
	return &Network{
		nodes:   map[string]*node{},
		stopped: map[string]*node{},
		users:   map[string][]bitcoind.Credentials{},
		checks:  map[string]int{},
		updates: map[string]int{},
		now:     time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// Start starts a node with an empty chain and no peers. Its address is the
// host:port of its RPC, its name the host:port by which others dial it. It
// accepts each of the credentials.
func (n *Network) Start(address, name, comment string, credentials ...bitcoind.Credentials) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.start(&node{address: address, name: name, comment: comment, credentials: credentials, tip: genesis})
}

// Stop ends a node, as its pod's deletion does: its address refuses connections,
// its name leads nowhere, and its peers see their connections close.
func (n *Network) Stop(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stop(n.at(address))
}

// Restart stops a node, if it runs, and starts it with the chain that it had,
// which is on its volume, and with no manual peers, which are in its memory.
func (n *Network) Restart(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.end(address)
	n.startAgain(old, old.credentials)
}

// RestartWith is Restart with other credentials, as a container has that reads its
// Secret anew.
func (n *Network) RestartWith(address string, credentials ...bitcoind.Credentials) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.startAgain(n.end(address), credentials)
}

// LetIn has the node at an address, whether it runs yet or not, accept users as well who
// may call less than a check does, and no others of that kind.
func (n *Network) LetIn(address string, users ...bitcoind.Credentials) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.users[address] = users
}

// Fail makes a node's RPC answer with an error, until it is told to with nil. Its
// connections to other nodes stay.
func (n *Network) Fail(address string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at(address).failure = err
}

// Freeze makes a node say nothing more, as when its machine is lost: requests to
// it time out, its peers keep their connections, which fall silent, and a
// connection made to it never gets beyond half open.
func (n *Network) Freeze(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at(address).frozen = true
}

// Cut closes the connections between two nodes, as when one evicts the other.
func (n *Network) Cut(address, other string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, b := n.at(address), n.at(other)
	for _, c := range slices.Clone(a.connections) {
		if _, other := c.ends(a); other.node == b {
			c.close()
		}
	}
}

// ConnectAdded does what bitcoind's own thread does within a minute: each node
// dials the names of its list to which it has no connection, in order, with no
// more than eight such connections at a time.
func (n *Network) ConnectAdded() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, address := range slices.Sorted(maps.Keys(n.nodes)) {
		node := n.nodes[address]
		if node.frozen {
			continue
		}
		for _, name := range node.added {
			if node.slotsInUse() < maxManualConnections {
				n.dial(node, name, true)
			}
		}
	}
}

// Elapse lets time pass, which shows in how long a peer has been silent.
func (n *Network) Elapse(duration time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(duration)
}

// ElapseUntil is Elapse up to a time, unless that has passed.
func (n *Network) ElapseUntil(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.After(n.now) {
		n.now = now
	}
}

// MineAt has the node at an address make a block. The nodes that it can reach have
// it at once, unless their chain is longer.
func (n *Network) MineAt(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mine(n.at(address))
}

func (n *Network) mine(miner *node) { n.mineFor(miner, bitcoind.Anyone) }

func (n *Network) mineFor(miner *node, descriptor string) {
	n.serial++
	block := miner.tip.child(n.serial, n.now)
	block.descriptor, block.payments = descriptor, miner.unconfirmed()
	miner.follow(block, n.now)
	miner.announce(n.now)
}

// MinedFor returns whom the coins of the node's last blocks are for, the first first.
func (n *Network) MinedFor(address string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var descriptors []string
	for block := n.at(address).tip; block != genesis; block = block.parent {
		descriptors = append(descriptors, block.descriptor)
	}
	slices.Reverse(descriptors)
	return descriptors
}

// Invalidate has a node drop its last block, as invalidateblock does. It takes no
// chain with that block again; its peers keep theirs.
func (n *Network) Invalidate(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node := n.at(address)
	if node.tip == genesis {
		panic("bitcoindtest: the node at " + address + " has no block to drop")
	}
	node.invalid = append(node.invalid, node.tip)
	node.tip = node.tip.parent
}

// Runs reports whether a node runs at an address.
func (n *Network) Runs(address string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nodes[address] != nil
}

// State returns what a node would say if it were asked, and counts nothing.
func (n *Network) State(address string) bitcoind.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.at(address).state(n.now)
}

// Checks returns how often an address was asked for its state, answered or not.
func (n *Network) Checks(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.checks[address]
}

// Updates returns how often an address was told to change its peers.
func (n *Network) Updates(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.updates[address]
}

// Check does what (*bitcoind.Client).Check does.
func (n *Network) Check(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.State, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.checks[endpoint.Address]++
	node, err := n.answering(ctx, endpoint)
	if err != nil {
		return bitcoind.State{}, err
	}
	state := node.state(n.now)
	node.ping(n.now) // last, as in the real batch: its effect shows at the next check
	return state, nil
}

// Accepts does what (*bitcoind.Client).Accepts does. It counts as a check.
func (n *Network) Accepts(ctx context.Context, endpoint bitcoind.Endpoint) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.checks[endpoint.Address]++
	switch _, err := n.answering(ctx, endpoint); {
	case err == nil, errors.Is(err, bitcoind.ErrForbidden):
		return true, nil
	case errors.Is(err, bitcoind.ErrUnauthorized):
		return false, nil
	default:
		return false, err
	}
}

// UpdatePeers does what (*bitcoind.Client).UpdatePeers does.
func (n *Network) UpdatePeers(ctx context.Context, endpoint bitcoind.Endpoint, change bitcoind.PeerChange) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.updates[endpoint.Address]++
	node, err := n.answering(ctx, endpoint)
	if err != nil {
		return err
	}
	for _, name := range change.Remove {
		node.unlist(name)
	}
	for _, name := range change.Add {
		node.list(name)
	}
	// bitcoind closes a connection a moment after it was asked to. Until then
	// dialling its name again does nothing.
	var closing []*connection
	for _, name := range change.Remove {
		if c := node.dialled(name); c != nil {
			closing = append(closing, c)
		}
	}
	for _, c := range node.connections {
		if slices.Contains(change.Disconnect, int32(c.serial)) {
			closing = append(closing, c)
		}
	}
	for _, name := range change.Dial {
		n.dial(node, name, false)
	}
	for _, c := range closing {
		c.close()
	}
	return nil
}

// Mine does what (*bitcoind.Client).Mine does.
func (n *Network) Mine(ctx context.Context, endpoint bitcoind.Endpoint, count int, descriptor string) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.answering(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	return n.mineBlocks(node, count, descriptor), nil
}

func (n *Network) mineBlocks(miner *node, count int, descriptor string) []string {
	var hashes []string
	for range count {
		n.mineFor(miner, descriptor)
		hashes = append(hashes, miner.tip.hash)
	}
	return hashes
}

// Shutdown does what (*bitcoind.Client).Shutdown does. The node is gone at once;
// Restart brings it back with its chain.
func (n *Network) Shutdown(ctx context.Context, endpoint bitcoind.Endpoint) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.answering(ctx, endpoint)
	if err != nil {
		return err
	}
	n.stop(node)
	return nil
}

// Tip does what (*bitcoind.Client).Tip does: the node answers whatever its
// credentials, but not while it fails in another way than rejecting them.
func (n *Network) Tip(ctx context.Context, address string) (bitcoind.Tip, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.reachable(ctx, address)
	if err != nil {
		return bitcoind.Tip{}, err
	}
	if node.failure != nil && !errors.Is(node.failure, bitcoind.ErrUnauthorized) {
		return bitcoind.Tip{}, node.failure
	}
	return node.state(n.now).Tip(), nil
}

// BlockHashes does what (*bitcoind.Client).BlockHashes does.
func (n *Network) BlockHashes(ctx context.Context, endpoint bitcoind.Endpoint, heights []int32) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.answering(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	hashes := make([]string, len(heights))
	for i, height := range heights {
		if found := node.tip.at(height); found != nil {
			hashes[i] = found.hash
		}
	}
	return hashes, nil
}

// InvalidTips does what (*bitcoind.Client).InvalidTips does.
func (n *Network) InvalidTips(ctx context.Context, endpoint bitcoind.Endpoint) ([]bitcoind.Tip, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.answering(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	var tips []bitcoind.Tip
	for _, block := range node.invalid {
		tips = append(tips, bitcoind.Tip{Height: block.height, Hash: block.hash})
	}
	return tips, nil
}

// answering returns the node that answers at an endpoint.
func (n *Network) answering(ctx context.Context, endpoint bitcoind.Endpoint) (*node, error) {
	node, err := n.reachable(ctx, endpoint.Address)
	switch {
	case err != nil:
		return nil, err
	case slices.Contains(n.users[endpoint.Address], endpoint.Credentials):
		return nil, bitcoind.ErrForbidden
	case !slices.Contains(node.credentials, endpoint.Credentials):
		return nil, bitcoind.ErrUnauthorized
	case node.failure != nil:
		return nil, node.failure
	default:
		return node, endpoint.MustBe(node.userAgent())
	}
}

// reachable returns the node that accepts connections at an address. It gives
// the lock up while it waits for one that is frozen.
func (n *Network) reachable(ctx context.Context, address string) (*node, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	node, runs := n.nodes[address]
	switch {
	case !runs:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case node.frozen:
		n.mu.Unlock()
		defer n.mu.Lock()
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return node, nil
	}
}

// at returns the node that runs at an address. A test that names another is
// wrong.
func (n *Network) at(address string) *node {
	node, ok := n.nodes[address]
	if !ok {
		panic("bitcoindtest: no node runs at " + address)
	}
	return node
}

func (n *Network) start(started *node) {
	if _, ok := n.nodes[started.address]; ok {
		panic("bitcoindtest: a node runs at " + started.address + " already")
	}
	n.serial++
	started.serial, started.started = n.serial, n.now
	started.follow(started.tip, n.now)
	n.nodes[started.address] = started
}

// end stops the node at an address, if it runs, and returns it.
func (n *Network) end(address string) *node {
	if running, ok := n.nodes[address]; ok {
		n.stop(running)
	}
	ended, ok := n.stopped[address]
	if !ok {
		panic("bitcoindtest: there was never a node at " + address)
	}
	return ended
}

// startAgain starts a node with what the one before it left on its volume.
func (n *Network) startAgain(old *node, credentials []bitcoind.Credentials) {
	n.start(&node{
		address: old.address, name: old.name, comment: old.comment, credentials: credentials,
		tip: old.tip, invalid: old.invalid, mempool: old.mempool, wallet: old.wallet,
	})
}

func (n *Network) stop(stopped *node) {
	for _, c := range slices.Clone(stopped.connections) {
		c.close()
	}
	delete(n.nodes, stopped.address)
	n.stopped[stopped.address] = stopped
}

// resolve returns the node that a name leads to, or nil. Of two, as while a pod
// is replaced, it is the one that started last.
func (n *Network) resolve(name string) *node {
	var found *node
	for _, node := range n.nodes {
		if node.name == name && (found == nil || found.serial < node.serial) {
			found = node
		}
	}
	return found
}

// dial connects a node to the one of that name, unless it is connected by that
// name, or to itself. Dialling that fails is no error in bitcoind.
func (n *Network) dial(from *node, name string, takesSlot bool) {
	to := n.resolve(name)
	if to == nil || to == from || from.dialled(name) != nil {
		return
	}
	n.serial++
	c := &connection{
		serial: n.serial, name: name, made: n.now,
		from:      end{node: from, sent: n.now},
		to:        end{node: to},
		takesSlot: takesSlot, handshaken: !to.frozen,
	}
	if c.handshaken {
		c.from.heard, c.to.sent, c.to.heard = n.now, n.now, n.now
	}
	from.connections = append(from.connections, c)
	to.connections = append(to.connections, c)
	from.announce(n.now)
	to.announce(n.now)
}
