package controller

import (
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcjson"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// silence is how long the other end of a connection may say nothing after it
	// was sent something, by the node's own clock.
	silence = 60 // seconds
	// answerTime is how long it has for the answer to a check's ping.
	answerTime = 2 * time.Second
)

// hearing remembers when nodes last heard of their peers. A gap between what was
// last sent and last heard is not enough to call a peer silent: what was sent may
// have needed no answer. But each check has the node ping its peers, so one of
// which nothing has been heard since an earlier check is.
type hearing struct {
	mu    sync.Mutex
	nodes map[types.UID]map[int32]heard
}

// heard is when a node last heard of a peer, and when the operator first saw so.
type heard struct {
	last int64
	seen time.Time
}

func newHearing() *hearing {
	return &hearing{nodes: map[types.UID]map[int32]heard{}}
}

// listen takes note of what a node in a pod says of its peers, and returns the
// ids of those that have fallen silent.
func (h *hearing) listen(pod types.UID, peers []btcjson.GetPeerInfoResult, now time.Time) map[int32]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, current := h.nodes[pod], make(map[int32]heard, len(peers))
	silent := map[int32]bool{}
	for _, peer := range peers {
		noted, known := before[peer.ID]
		if !known || noted.last != peer.LastRecv {
			noted = heard{last: peer.LastRecv, seen: now}
		}
		current[peer.ID] = noted
		if peer.LastSend-peer.LastRecv >= silence && now.Sub(noted.seen) >= answerTime {
			silent[peer.ID] = true
		}
	}
	h.nodes[pod] = current
	return silent
}

// forgetOthers drops what is remembered of pods that are gone.
func (h *hearing) forgetOthers(nodes []node) {
	h.mu.Lock()
	defer h.mu.Unlock()
	current := make(map[types.UID]map[int32]heard, len(nodes))
	for _, node := range nodes {
		if node.pod != nil {
			if known, ok := h.nodes[node.pod.UID]; ok {
				current[node.pod.UID] = known
			}
		}
	}
	h.nodes = current
}
