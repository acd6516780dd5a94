package bitcoindtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// maxManualConnections is MAX_ADDNODE_CONNECTIONS of bitcoind's net.h.
const maxManualConnections = 8

// nodeVersion is that of the nodes' software, as getnetworkinfo has it.
const nodeVersion = 290400

// protocolVersion is what a node says in a handshake; 0 is what stands there
// before.
const protocolVersion = 70016

// sizeOnDisk is what a block takes there, and paymentSize what a payment takes in a mempool.
const (
	sizeOnDisk  = 293
	paymentSize = 141
)

// node is one that runs.
type node struct {
	serial                 int
	address, name, comment string
	credentials            []bitcoind.Credentials
	started                time.Time

	added       []string
	connections []*connection
	tip         *block
	invalid     []*block // whatever is built on them
	// fresh tells that the node has left initial block download, where it stays
	// until it is started anew.
	fresh   bool
	failure error
	frozen  bool
	// mempool are all payments that the node has heard of, and wallet is that from which
	// the operator pays, if there is one.
	mempool []*payment
	wallet  *wallet
}

// connection is one that from dialled, by name.
type connection struct {
	serial     int
	name       string
	made       time.Time
	from, to   end
	takesSlot  bool
	handshaken bool
}

// end is one side of a connection, and when it last sent to the other and last
// heard of it, if ever.
type end struct {
	node        *node
	sent, heard time.Time
}

// block is one of a chain, with those before it.
type block struct {
	height int32
	hash   string
	time   time.Time
	parent *block
	// descriptor says whom its coins are for.
	descriptor string
	// payments are its transactions.
	payments []*payment
}

// genesis is regtest's first block.
var genesis = &block{
	hash: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
	time: time.Unix(1296688602, 0),
}

func (b *block) child(serial int, now time.Time) *block {
	hash := sha256.Sum256(fmt.Appendf(nil, "%s %d", b.hash, serial))
	return &block{height: b.height + 1, hash: hex.EncodeToString(hash[:]), time: now, parent: b}
}

// work is that of the chain up to the block, as bitcoind writes it: regtest's least
// difficulty, at which it stays, takes two hashes for a block.
func (b *block) work() string { return fmt.Sprintf("%064x", 2*(int64(b.height)+1)) }

// at returns the block at a height, or nil.
func (b *block) at(height int32) *block {
	for ; b != nil && b.height >= height; b = b.parent {
		if b.height == height {
			return b
		}
	}
	return nil
}

// maxTipAge is how old a tip may be at which a node leaves initial block
// download, the default of bitcoind's -maxtipage.
const maxTipAge = 24 * time.Hour

// follow makes a block the node's tip.
func (n *node) follow(tip *block, now time.Time) {
	n.tip = tip
	n.fresh = n.fresh || now.Sub(tip.time) < maxTipAge
}

// ends returns a node's end of a connection, then the other.
func (c *connection) ends(n *node) (own, other *end) {
	if c.from.node == n {
		return &c.from, &c.to
	}
	return &c.to, &c.from
}

func (c *connection) close() {
	for _, n := range []*node{c.from.node, c.to.node} {
		n.connections = slices.DeleteFunc(n.connections, func(other *connection) bool { return other == c })
	}
}

// source is the address that the connection comes from.
func (c *connection) source() string {
	host, _, _ := net.SplitHostPort(c.from.node.address)
	return fmt.Sprintf("%s:%d", host, 32768+c.serial%28000)
}

// dialled returns the node's connection that it dialled by that name, or nil.
func (n *node) dialled(name string) *connection {
	for _, c := range n.connections {
		if c.from.node == n && c.name == name {
			return c
		}
	}
	return nil
}

// list puts a name into the node's list of manual peers, and unlist takes it out.
func (n *node) list(name string) {
	if !slices.Contains(n.added, name) {
		n.added = append(n.added, name)
	}
}

func (n *node) unlist(name string) {
	n.added = slices.DeleteFunc(n.added, func(added string) bool { return added == name })
}

// slotsInUse counts the connections that the node's own thread has made. Those
// made by onetry take no slot.
func (n *node) slotsInUse() int {
	used := 0
	for _, c := range n.connections {
		if c.from.node == n && c.takesSlot {
			used++
		}
	}
	return used
}

// accepts reports whether a node would follow a chain: it is longer than its own
// and has no block that it holds for invalid.
func (n *node) accepts(tip *block) bool {
	return tip.height > n.tip.height &&
		!slices.ContainsFunc(n.invalid, func(invalid *block) bool { return tip.at(invalid.height) == invalid })
}

// announce tells the node's tip to all that it can reach and that accept it.
func (n *node) announce(now time.Time) {
	if n.frozen {
		return
	}
	for _, c := range n.connections {
		_, other := c.ends(n)
		if !other.node.frozen && other.node.accepts(n.tip) {
			other.node.follow(n.tip, now)
			other.node.announce(now)
		}
	}
}

// ping sends each peer a word, once the handshake is done. One that is not frozen
// answers.
func (n *node) ping(now time.Time) {
	for _, c := range n.connections {
		if !c.handshaken {
			continue
		}
		own, other := c.ends(n)
		own.sent = now
		if !other.node.frozen {
			own.heard, other.heard, other.sent = now, now, now
		}
	}
}

func (n *node) state(now time.Time) bitcoind.State {
	var state bitcoind.State
	state.Chain.Blocks, state.Chain.Headers = n.tip.height, n.tip.height
	state.Chain.VerificationProgress = 1 // as on regtest, however far it is
	state.Chain.SizeOnDisk = sizeOnDisk * (int64(n.tip.height) + 1)
	state.Chain.BestBlockHash = n.tip.hash
	state.Chain.ChainWork = n.tip.work()
	state.Chain.InitialBlockDownload = !n.fresh
	state.Chain.Time = n.tip.time.Unix()
	state.Uptime = int64(now.Sub(n.started).Seconds())
	waiting := int64(len(n.unconfirmed()))
	state.Mempool = bitcoind.Mempool{Size: waiting, Bytes: waiting * paymentSize}
	state.Network.Version = nodeVersion
	state.Network.SubVersion = n.userAgent()
	for _, c := range n.connections {
		state.Peers = append(state.Peers, n.peer(c))
	}
	for _, name := range n.added {
		connected := n.dialled(name) != nil
		state.Added = append(state.Added, bitcoind.AddedNode{AddedNode: name, Connected: connected})
	}
	return state
}

// peer says what the node sees of a connection.
func (n *node) peer(c *connection) bitcoind.Peer {
	own, other := c.ends(n)
	peer := bitcoind.Peer{
		ID:       int32(c.serial),
		Addr:     c.name,
		Inbound:  own == &c.to,
		LastSend: seconds(own.sent),
		LastRecv: seconds(own.heard),
	}
	if peer.Inbound {
		peer.Addr = c.source()
	}
	if c.handshaken {
		peer.Version = protocolVersion
		peer.SubVer = other.node.userAgent()
	}
	return peer
}

// seconds is a time as bitcoind tells it: 0 is never.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// userAgent is as Bitcoin Knots writes it.
func (n *node) userAgent() string {
	comment := n.comment
	if comment != "" {
		comment = "(" + comment + ")"
	}
	return fmt.Sprintf("/Satoshi:29.4.0%s/Knots:20260508/", comment)
}
