package observe

import (
	"context"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// paceWindow is over how much time, at least, the pace of a node is taken.
	paceWindow = time.Minute
	// askedWhy is how often a node that does not catch up is asked why, maxAskedWhy how
	// many are in one look, and maxInvalid how many of the tips that one names are looked
	// into: the highest, which bitcoind names first.
	askedWhy    = 30 * time.Second
	maxAskedWhy = 16
	maxInvalid  = 16
	// headersADay is how many headers a node has at most from a day of blocks. One that
	// downloads headers has more between two looks; one that only follows those of others
	// has them one by one, and its chain does not grow by them.
	headersADay = 144
)

// syncMemory is what is remembered of how a node's data come to have the chain.
type syncMemory struct {
	// syncedAt is when they last had it, and stalledSince since when they neither have it
	// nor grow.
	syncedAt, stalledSince time.Time
	// blocks, headers and latest are how far their node was when it last said so.
	blocks, headers int32
	latest          state.Progress
	// earlier and later are how far it was, a window apart.
	earlier, later state.Progress
	// invalid is what it holds for invalid, as it said at askedAt.
	invalid *state.Block
	askedAt time.Time
}

// rememberSync takes note of how far nodes are, and fills in how far they were. What a node
// says counts once, also where its answer comes after the look that asked for it.
func (c *cache) rememberSync(seen *state.Network) {
	for i := range seen.Nodes {
		node := &seen.Nodes[i]
		memory := &c.dataOf(node).sync
		if node.Answers && node.AskedAt.After(memory.latest.At) {
			memory.note(seen, *node)
		}
		node.SyncedAt, node.StalledSince = memory.syncedAt, memory.stalledSince
		node.Earlier, node.Latest, node.Invalid = memory.earlier, memory.latest, memory.invalid
	}
}

// note takes note of how far a node is that says so. Whether its chain grows is told by
// blocks: bitcoind's estimate falls while none comes, as the world goes on.
func (m *syncMemory) note(seen *state.Network, node state.Node) {
	now, chain := seen.ProgressOf(node), node.State.Chain
	grew := chain.Blocks > m.blocks || int64(chain.Headers)-int64(m.headers) > headersADay
	switch isSynced := seen.SyncOf(node) == state.Synced; {
	case isSynced:
		*m = syncMemory{syncedAt: now.At, earlier: now, later: now}
	case m.earlier.At.IsZero() || chain.Blocks < m.blocks: // by a new start, or another chain
		*m = syncMemory{syncedAt: m.syncedAt, earlier: now, later: now}
	case grew:
		m.stalledSince, m.invalid = time.Time{}, nil
	case m.stalledSince.IsZero():
		m.stalledSince = now.At
	}
	if now.At.Sub(m.later.At) >= paceWindow {
		m.earlier, m.later = m.later, now
	}
	m.blocks, m.headers, m.latest = chain.Blocks, chain.Headers, now
}

// askWhyBehind asks nodes that do not catch up which blocks they hold for invalid. One
// that is on the chain of a node which has the best block explains it.
func (s *session) askWhyBehind(ctx context.Context) {
	at, key, known := s.best()
	if !known {
		return
	}
	asked := 0
	for _, ordinal := range s.seen.Behind() {
		node := &s.seen.Nodes[ordinal]
		memory := &s.cache.dataOf(node).sync
		if asked == maxAskedWhy || !node.Answers || s.seen.SyncOf(*node) == state.Downloading || s.seen.Now.Sub(memory.askedAt) < askedWhy {
			continue
		}
		asked++
		memory.askedAt = s.seen.Now
		tips, err := s.nodes.InvalidTips(ctx, s.endpoint(ordinal, node, s.cache.keyring.key(node.Pod)))
		if err != nil {
			continue // it is asked again
		}
		memory.invalid = s.firstOfChain(ctx, s.endpoint(at, &s.seen.Nodes[at], key), tips)
		node.Invalid = memory.invalid
	}
}

// best returns a node that answers and has the best block, and the credentials that it
// accepts.
func (s *session) best() (ordinal int, key bitcoind.Credentials, known bool) {
	for ordinal, node := range s.seen.Nodes {
		if node.Answers && s.seen.Shows(node) {
			return ordinal, s.cache.keyring.key(node.Pod), true
		}
	}
	return 0, bitcoind.Credentials{}, false
}

// firstOfChain returns the first of some tips that is on the chain of a node; nil where
// none is, or the node does not say.
func (s *session) firstOfChain(ctx context.Context, at bitcoind.Endpoint, tips []bitcoind.Tip) *state.Block {
	if len(tips) == 0 {
		return nil
	}
	tips = tips[:min(len(tips), maxInvalid)]
	heights := make([]int32, len(tips))
	for i, tip := range tips {
		heights[i] = tip.Height
	}
	hashes, err := s.nodes.BlockHashes(ctx, at, heights)
	if err != nil {
		return nil
	}
	for i, tip := range tips {
		if hashes[i] == tip.Hash {
			return blockOf(tip)
		}
	}
	return nil
}
