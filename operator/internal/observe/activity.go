package observe

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// silence is how long the other end of a connection may say nothing after it
	// was sent something, by the node's own clock. It is also how long bitcoind
	// leaves a peer for its handshake.
	silence = time.Minute
	// answerTime is how long it has for the answer to a check's ping.
	answerTime = 2 * time.Second
)

// activity remembers when nodes last heard of their peers. A gap between what was
// last sent and last heard is not enough to call a peer silent: what was sent may
// have needed no answer. But each check has the node ping its peers, so one of
// which nothing has been heard since an earlier check is.
type activity struct {
	mu    sync.Mutex
	nodes map[types.UID]map[int32]lastHeard
}

// lastHeard is when a node last heard of a peer, and when the operator first saw so.
type lastHeard struct {
	last int64
	seen time.Time
}

func newActivity() *activity {
	return &activity{nodes: map[types.UID]map[int32]lastHeard{}}
}

// silentPeers takes note of what a node in a pod says of its peers, and returns the
// ids of those that have fallen silent.
func (a *activity) silentPeers(pod types.UID, peers []bitcoind.Peer, now time.Time) map[int32]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, current := a.nodes[pod], make(map[int32]lastHeard, len(peers))
	silent := map[int32]bool{}
	for _, peer := range peers {
		noted, known := before[peer.ID]
		if !known || noted.last != peer.LastRecv {
			noted = lastHeard{last: peer.LastRecv, seen: now}
		}
		current[peer.ID] = noted
		if isSilent(peer, now.Sub(noted.seen)) {
			silent[peer.ID] = true
		}
	}
	a.nodes[pod] = current
	return silent
}

// isSilent reports whether a peer has fallen silent, of which the node has heard
// nothing new for so long.
func isSilent(peer bitcoind.Peer, quiet time.Duration) bool {
	if peer.LastRecv == 0 { // the handshake has not begun, and until it is done no ping is sent
		return quiet >= silence
	}
	return time.Duration(peer.LastSend-peer.LastRecv)*time.Second >= silence && quiet >= answerTime
}

// forgetOthers drops what is remembered of pods that are gone.
func (a *activity) forgetOthers(nodes []state.Node) {
	a.mu.Lock()
	defer a.mu.Unlock()
	keepOnly(a.nodes, keysOf(nodes, uidOf))
}
