package bitcoind

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcjson"
)

// State is what a node says of itself.
type State struct {
	// Chain is the height, the hash, the work and the time of its tip, how far it is in
	// its download, and what its blocks take on disk.
	Chain ChainInfo
	// Network is its version and user agent.
	Network btcjson.GetNetworkInfoResult
	// Peers are its connections: whose they are, and when they last spoke.
	Peers []btcjson.GetPeerInfoResult
	// Added is its list of manual peers, without their addresses.
	Added []btcjson.GetAddedNodeInfoResult
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
	btcjson.GetBlockChainInfoResult
	// Time is the time that the tip carries, in seconds since 1970, which btcd's
	// type lacks.
	Time int64 `json:"time"`
}

// Tip returns the end of the node's chain.
func (s State) Tip() Tip {
	return Tip{Height: s.Chain.Blocks, Hash: s.Chain.BestBlockHash, Work: s.Chain.ChainWork}
}

// Check asks a node how it stands, in one request, and has it ping its peers, so
// that a silent one shows by the next check. The error tells why a node does not
// answer; Explain puts it in words.
func (c *Client) Check(ctx context.Context, endpoint Endpoint) (State, error) {
	responses, err := c.batch(ctx, endpoint, checkTimeout, []call{
		{method: "getblockchaininfo"},
		{method: "getnetworkinfo"},
		{method: "getpeerinfo"},
		{method: "getaddednodeinfo"},
		{method: "ping"},
		{method: "getmempoolinfo"},
		{method: "uptime"},
	})
	if err != nil {
		return State{}, err
	}
	for _, response := range responses {
		if response.Error != nil {
			return State{}, response.Error
		}
	}

	var state State
	if err := decodeInfo(responses[0].Result, &state.Chain); err != nil {
		return State{}, fmt.Errorf("getblockchaininfo: %w", err)
	}
	if err := decodeInfo(responses[1].Result, &state.Network); err != nil {
		return State{}, fmt.Errorf("getnetworkinfo: %w", err)
	}
	if state.Peers, err = decodeList[btcjson.GetPeerInfoResult](responses[2].Result, maxListItems); err != nil {
		return State{}, fmt.Errorf("getpeerinfo: %w", err)
	}
	added, err := decodeList[addedNode](responses[3].Result, maxListItems)
	if err != nil {
		return State{}, fmt.Errorf("getaddednodeinfo: %w", err)
	}
	for _, peer := range added {
		state.Added = append(state.Added, btcjson.GetAddedNodeInfoResult{AddedNode: peer.Name, Connected: peer.Connected})
	}
	if err := decodeInfo(responses[5].Result, &state.Mempool); err != nil {
		return State{}, fmt.Errorf("getmempoolinfo: %w", err)
	}
	if err := decodeInfo(responses[6].Result, &state.Uptime); err != nil {
		return State{}, fmt.Errorf("uptime: %w", err)
	}
	if err := state.trim(); err != nil {
		return State{}, err
	}
	if err := endpoint.MustBe(state.Network.SubVersion); err != nil {
		return State{}, err
	}
	return state, nil
}

// trim drops what nobody reads, and refuses texts that are longer than bitcoind's:
// the states of all nodes of a network are held at once, and those of a hostile one
// must not push out the networks beside it.
func (s *State) trim() error {
	if err := s.Tip().validate(); err != nil {
		return fmt.Errorf("getblockchaininfo: %w", err)
	}
	s.Chain = ChainInfo{Time: s.Chain.Time, GetBlockChainInfoResult: btcjson.GetBlockChainInfoResult{
		Blocks:               s.Chain.Blocks,
		Headers:              s.Chain.Headers,
		BestBlockHash:        s.Chain.BestBlockHash,
		ChainWork:            s.Chain.ChainWork,
		VerificationProgress: s.Chain.VerificationProgress,
		InitialBlockDownload: s.Chain.InitialBlockDownload,
		Pruned:               s.Chain.Pruned,
		SizeOnDisk:           s.Chain.SizeOnDisk,
	}}
	if len(s.Network.SubVersion) > maxAgentBytes {
		return fmt.Errorf("getnetworkinfo: %w: a user agent of %d bytes", ErrAnswer, len(s.Network.SubVersion))
	}
	for _, warning := range s.Network.Warnings {
		if warning != "" && len(s.Warnings) < maxWarnings { // of none some versions say ""
			s.Warnings = append(s.Warnings, printable(warning))
		}
	}
	s.Network = btcjson.GetNetworkInfoResult{Version: s.Network.Version, SubVersion: s.Network.SubVersion}
	for i, peer := range s.Peers {
		if len(peer.Addr) > maxNameBytes || len(peer.SubVer) > maxAgentBytes {
			return fmt.Errorf("getpeerinfo: %w: a name of %d bytes and a user agent of %d", ErrAnswer, len(peer.Addr), len(peer.SubVer))
		}
		s.Peers[i] = btcjson.GetPeerInfoResult{
			ID: peer.ID, Addr: peer.Addr, Inbound: peer.Inbound, Version: peer.Version, SubVer: peer.SubVer,
			LastSend: peer.LastSend, LastRecv: peer.LastRecv,
		}
	}
	for _, peer := range s.Added {
		if len(peer.AddedNode) > maxNameBytes {
			return fmt.Errorf("getaddednodeinfo: %w: a name of %d bytes", ErrAnswer, len(peer.AddedNode))
		}
	}
	return nil
}

// addedNode is what is read of a manual peer. Its addresses, of which bitcoind
// says one at most and a hostile node half a megabyte, are not.
type addedNode struct {
	Name      string `json:"addednode"`
	Connected *bool  `json:"connected"`
}

// Accepts reports whether a node accepts credentials, whatever their user may call: it is
// asked for nothing, not even who it is. So ask somebody who has just said so.
func (c *Client) Accepts(ctx context.Context, endpoint Endpoint) (bool, error) {
	switch _, err := c.batch(ctx, endpoint, checkTimeout, nil); {
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
	if err := c.meet(ctx, endpoint); err != nil {
		return err
	}
	var calls []call
	for _, peer := range change.Remove {
		// Removing a peer from the list does not disconnect it.
		calls = append(calls, call{"addnode", []any{peer, "remove"}}, call{"disconnectnode", []any{peer}})
	}
	for _, id := range change.Disconnect {
		calls = append(calls, call{"disconnectnode", []any{"", id}})
	}
	for _, peer := range change.Add {
		calls = append(calls, call{"addnode", []any{peer, "add"}})
	}
	for _, peer := range change.Dial {
		calls = append(calls, call{"addnode", []any{peer, "onetry"}})
	}

	responses, err := c.batch(ctx, endpoint, dialTimeout, calls)
	if err != nil {
		return err
	}
	var failed []error
	for i, response := range responses {
		if response.Error == nil || isDone(response.Error) {
			continue
		}
		failed = append(failed, fmt.Errorf("%s %v: %w", calls[i].method, calls[i].params, response.Error))
	}
	return errors.Join(failed...)
}

// BlockHashes asks a node for the hashes of its chain at some heights, in one
// request. Of a height that it has not reached the hash is empty.
func (c *Client) BlockHashes(ctx context.Context, endpoint Endpoint, heights []int32) ([]string, error) {
	calls := []call{whoAreYou}
	for _, height := range heights {
		calls = append(calls, call{"getblockhash", []any{height}})
	}
	responses, err := c.batch(ctx, endpoint, checkTimeout, calls)
	if err != nil {
		return nil, err
	}
	if err := endpoint.recognize(responses[0]); err != nil {
		return nil, err
	}
	hashes := make([]string, len(heights))
	for i, response := range responses[1:] {
		if response.Error != nil {
			if response.Error.Code == btcjson.ErrRPCInvalidParameter {
				continue // there is no such height
			}
			return nil, fmt.Errorf("getblockhash %d: %w", heights[i], response.Error)
		}
		if err := decodeInfo(response.Result, &hashes[i]); err != nil {
			return nil, fmt.Errorf("getblockhash %d: %w", heights[i], err)
		}
	}
	return hashes, nil
}

// InvalidTips asks a node for the ends of the chains that it holds for invalid, in one
// request. Their work it does not say.
func (c *Client) InvalidTips(ctx context.Context, endpoint Endpoint) ([]Tip, error) {
	responses, err := c.batch(ctx, endpoint, checkTimeout, []call{whoAreYou, {method: "getchaintips"}})
	if err != nil {
		return nil, err
	}
	if err := endpoint.recognize(responses[0]); err != nil {
		return nil, err
	}
	if responses[1].Error != nil {
		return nil, fmt.Errorf("getchaintips: %w", responses[1].Error)
	}
	all, err := decodeList[chainTip](responses[1].Result, maxChainTips)
	if err != nil {
		return nil, fmt.Errorf("getchaintips: %w", err)
	}
	var invalid []Tip
	for _, tip := range all {
		if tip.Status != "invalid" {
			continue
		}
		if tip.Height < 0 || !isHex256(tip.Hash) {
			return nil, fmt.Errorf("getchaintips: %w: what is no tip", ErrAnswer)
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
	if err := c.meet(ctx, endpoint); err != nil {
		return err
	}
	return c.do(ctx, endpoint, checkTimeout, nil, call{method: "stop"})
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
