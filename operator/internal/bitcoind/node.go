package bitcoind

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcjson"
)

// State is what a node says of itself: the fields of its answers that somebody reads.
type State struct {
	// Chain is the height, the hash, the work and the time of its tip, how far it is in
	// its download, and what its blocks take on disk.
	Chain ChainInfo
	// Network is its version and user agent.
	Network NetworkInfo
	// Peers are its connections: whose they are, and when they last spoke.
	Peers []Peer
	// Added is its list of manual peers, without their addresses.
	Added []AddedNode
	// Mempool is what waits there for a block.
	Mempool Mempool
	// Uptime is for how many seconds it has run.
	Uptime int64
	// Warnings are what it warns its operator of, the first few, each short and printable.
	Warnings []string
}

// Mempool is how many transactions a mempool has, and their size.
type Mempool struct {
	Size  int64 `json:"size"`
	Bytes int64 `json:"bytes"`
}

// ChainInfo is what a node says of its chain.
type ChainInfo struct {
	Blocks               int32   `json:"blocks"`
	Headers              int32   `json:"headers"`
	BestBlockHash        string  `json:"bestblockhash"`
	ChainWork            string  `json:"chainwork"`
	VerificationProgress float64 `json:"verificationprogress"`
	InitialBlockDownload bool    `json:"initialblockdownload"`
	Pruned               bool    `json:"pruned"`
	SizeOnDisk           int64   `json:"size_on_disk"`
	// Time is the time that the tip carries, in seconds since 1970.
	Time int64 `json:"time"`
}

// NetworkInfo is what a node says of itself to its peers.
type NetworkInfo struct {
	Version    int32  `json:"version"`
	SubVersion string `json:"subversion"`
}

// Peer is what a node says of a connection.
type Peer struct {
	ID                 int32
	Addr               string
	Inbound            bool
	Version            uint32
	SubVer             string
	LastSend, LastRecv int64
}

// AddedNode is what a node says of a manual peer.
type AddedNode struct {
	AddedNode string `json:"addednode"`
	Connected bool   `json:"connected"`
}

// Tip returns the end of the node's chain.
func (s State) Tip() Tip {
	return Tip{Height: s.Chain.Blocks, Hash: s.Chain.BestBlockHash, Work: s.Chain.ChainWork}
}

// Check asks a node how it stands, in one request, and has it ping its peers, so
// that a silent one shows by the next check. The error tells why a node does not
// answer; Explain puts it in words.
func (c *Client) Check(ctx context.Context, endpoint Endpoint) (State, error) {
	var state State
	var network struct {
		NetworkInfo
		Warnings warnings `json:"warnings"`
	}
	peers, added := list[Peer]{limit: maxListItems}, list[AddedNode]{limit: maxListItems}
	failed, over, err := c.batch(ctx, endpoint, []call{
		{method: "getblockchaininfo", result: &info{&state.Chain}},
		{method: "getnetworkinfo", result: &info{&network}},
		{method: "getpeerinfo", result: &peers},
		{method: "getaddednodeinfo", result: &added},
		{method: "ping"},
		{method: "getmempoolinfo", result: &info{&state.Mempool}},
		{method: "uptime", result: &state.Uptime},
	})
	if err != nil {
		return State{}, err
	}
	for _, err := range failed {
		if err != nil {
			return State{}, err
		}
	}
	state.Network, state.Warnings = network.NetworkInfo, network.Warnings
	state.Peers, state.Added = peers.items, added.items
	if err := state.validate(); err != nil {
		return State{}, err
	}
	if err := endpoint.recognize(over, nil, state.Network); err != nil {
		return State{}, err
	}
	return state, nil
}

// validate refuses texts that are longer than bitcoind's: the states of all nodes of a
// network are held at once, and those of a hostile one must not push out the networks
// beside it.
func (s *State) validate() error {
	if err := s.Tip().validate(); err != nil {
		return fmt.Errorf("getblockchaininfo: %w", err)
	}
	if err := s.Network.validate(); err != nil {
		return err
	}
	for _, peer := range s.Peers {
		if len(peer.Addr) > maxNameBytes || len(peer.SubVer) > maxAgentBytes {
			return fmt.Errorf("getpeerinfo: %w: a name of %d bytes and a user agent of %d", ErrAnswer, len(peer.Addr), len(peer.SubVer))
		}
	}
	for _, peer := range s.Added {
		if len(peer.AddedNode) > maxNameBytes {
			return fmt.Errorf("getaddednodeinfo: %w: a name of %d bytes", ErrAnswer, len(peer.AddedNode))
		}
	}
	return nil
}

func (n NetworkInfo) validate() error {
	if len(n.SubVersion) > maxAgentBytes {
		return fmt.Errorf("getnetworkinfo: %w: a user agent of %d bytes", ErrAnswer, len(n.SubVersion))
	}
	return nil
}

// Accepts reports whether a node accepts credentials, whatever their user may call: it is
// asked for nothing, not even who it is. So ask somebody who has just said so.
func (c *Client) Accepts(ctx context.Context, endpoint Endpoint) (bool, error) {
	switch _, _, err := c.batch(ctx, endpoint, nil); {
	case err == nil, errors.Is(err, ErrForbidden):
		return true, nil
	case errors.Is(err, ErrUnauthorized):
		return false, nil
	default:
		return false, err
	}
}

// PeerChange is what a node should do about its peers. A peer is host:port, and
// must always be given in the same form: bitcoind compares text.
type PeerChange struct {
	// Remove are taken out of the list of manual peers, and disconnected.
	Remove []string
	// Add are put into the list.
	Add []string
	// Dial are connected to at once, if they can be.
	Dial []string
	// Disconnect are connections to close, by the id in getpeerinfo.
	Disconnect []int32
}

// IsEmpty tells that there is nothing to do.
func (c PeerChange) IsEmpty() bool {
	return len(c.Remove)+len(c.Add)+len(c.Dial)+len(c.Disconnect) == 0
}

// UpdatePeers changes a node's peers, in one request.
func (c *Client) UpdatePeers(ctx context.Context, endpoint Endpoint, change PeerChange) error {
	var calls []call
	for _, peer := range change.Remove {
		// Removing a peer from the list does not disconnect it.
		calls = append(calls, tell("addnode", peer, "remove"), tell("disconnectnode", peer))
	}
	for _, id := range change.Disconnect {
		calls = append(calls, tell("disconnectnode", "", id))
	}
	for _, peer := range change.Add {
		calls = append(calls, tell("addnode", peer, "add"))
	}
	for _, peer := range change.Dial {
		calls = append(calls, tell("addnode", peer, "onetry"))
	}

	answers, err := c.order(ctx, endpoint, dialTimeout, calls, true)
	if err != nil {
		return err
	}
	var failed []error
	for i, err := range answers {
		if err != nil && !isDone(err) {
			failed = append(failed, fmt.Errorf("%s %v: %w", calls[i].method, calls[i].params, err))
		}
	}
	return errors.Join(failed...)
}

// BlockHashes asks a node for the hashes of its chain at some heights, in one
// request. Of a height that it has not reached the hash is empty.
func (c *Client) BlockHashes(ctx context.Context, endpoint Endpoint, heights []int32) ([]string, error) {
	var node NetworkInfo
	hashes, calls := make([]string, len(heights)), []call{whoAreYou(&node)}
	for i, height := range heights {
		calls = append(calls, call{"getblockhash", []any{height}, &hashes[i]})
	}
	failed, over, err := c.batch(ctx, endpoint, calls)
	if err != nil {
		return nil, err
	}
	if err := endpoint.recognize(over, failed[0], node); err != nil {
		return nil, err
	}
	for i, err := range failed[1:] {
		switch {
		case err == nil && !isHash(hashes[i]):
			return nil, fmt.Errorf("getblockhash %d: %w: not a hash", heights[i], ErrAnswer)
		case err != nil && err.Code != btcjson.ErrRPCInvalidParameter: // there is no such height
			return nil, fmt.Errorf("getblockhash %d: %w", heights[i], err)
		}
	}
	return hashes, nil
}

// InvalidTips asks a node for the ends of the chains that it holds for invalid, in one
// request. Their work it does not say.
func (c *Client) InvalidTips(ctx context.Context, endpoint Endpoint) ([]Tip, error) {
	tips := list[chainTip]{limit: maxChainTips}
	if err := c.ask(ctx, endpoint, call{method: "getchaintips", result: &tips}); err != nil {
		return nil, err
	}
	var invalid []Tip
	for _, tip := range tips.items {
		if tip.Status != "invalid" {
			continue
		}
		if tip.Height < 0 || !isHex256(tip.Hash) {
			return nil, fmt.Errorf("getchaintips: %w: not a tip", ErrAnswer)
		}
		invalid = append(invalid, Tip{Height: tip.Height, Hash: tip.Hash})
	}
	return invalid, nil
}

// chainTip is what is read of the end of a chain that a node knows of.
type chainTip struct {
	Height int32  `json:"height"`
	Hash   string `json:"hash"`
	Status string `json:"status"`
}

// Shutdown has a node end in good order. It returns when the node has agreed, which
// then writes its data and closes its ports.
func (c *Client) Shutdown(ctx context.Context, endpoint Endpoint) error {
	return c.do(ctx, endpoint, checkTimeout, tell("stop"))
}

// isDone tells whether an error says that the peer is already as it was asked to
// be: in the list, out of it, or not connected.
func isDone(err *btcjson.RPCError) bool {
	switch err.Code {
	case btcjson.ErrRPCClientNodeAlreadyAdded, btcjson.ErrRPCClientNodeNotAdded, btcjson.ErrRPCClientNodeNotConnected:
		return true
	default:
		return false
	}
}
