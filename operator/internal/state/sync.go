package state

import (
	"cmp"
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Sync is how a node's chain stands to the one that it should have.
type Sync int

// The ways in which it stands, the better first.
const (
	// Synced: it has it, or all but the last block.
	Synced Sync = iota
	// Untold: it does not say.
	Untold
	// Downloading: it is behind, and its chain grows, or may.
	Downloading
	// NotCatchingUp: it is behind, and its chain has not grown for a while.
	NotCatchingUp
	// RejectsBlock: so it is, because it holds for invalid what others have.
	RejectsBlock
)

const (
	// stallPrivate and stallPublic are for how long the chain of a node that is behind may
	// not grow. From nodes beside it a node has the next block within seconds. From the
	// world it gets it with others' patience, and for minutes it may check one or write
	// out what it has.
	stallPrivate = time.Minute
	stallPublic  = 30 * time.Minute
	// syncRemembered is for how long a node that does not answer is taken to be as it was,
	// also by an operator that has only the status to remember it by: long enough for one
	// that is restarted, short enough for few blocks to have come.
	syncRemembered = 5 * time.Minute
	// leastPace is for how long a node must have been seen for its pace to be told, and
	// longestWait the longest that is told by it.
	leastPace   = 5 * time.Second
	longestWait = 365 * 24 * time.Hour
)

// Progress is how far a node was at a moment: of a private chain at which height, of
// another which part of all transactions it had, by bitcoind's estimate.
type Progress struct {
	At   time.Time
	Done float64
}

// IsTold reports whether it is known what a node says of itself: now, or a check ago.
func (n Node) IsTold() bool { return n.Answers || n.IsLate }

// wasBehind reports whether a node was behind when it last said how far it is.
func (n Node) wasBehind() bool { return n.Latest.At.After(n.SyncedAt) }

// SyncOf returns how a node's chain stands to the one that it should have.
func (n *Network) SyncOf(node Node) Sync {
	switch {
	case !node.IsTold():
		if !node.wasBehind() && n.Now.Sub(node.SyncedAt) < syncRemembered {
			return Synced
		}
		return Untold
	case n.hasChain(node):
		return Synced
	case node.StalledSince.IsZero() || n.Now.Sub(node.StalledSince) < n.stall():
		return Downloading
	case node.Invalid != nil:
		return RejectsBlock
	default:
		return NotCatchingUp
	}
}

// hasChain reports whether a node that says how far it is has the chain. One block may be
// on its way, for a moment.
//
// That bitcoind is in initial download says something only where others follow the chain,
// too: where none do, it is so whenever the last block is a day old.
func (n *Network) hasChain(node Node) bool {
	if !n.Private && node.State.Chain.InitialBlockDownload {
		return false
	}
	isOnItsWay := node.BehindSince.IsZero() || n.Now.Sub(node.BehindSince) < stallPrivate
	missing := n.Goal(node) - int64(node.State.Chain.Blocks)
	return missing <= 0 || missing == 1 && isOnItsWay
}

// Goal returns the height that a node should have: of the best block, or that to which it
// has headers, which may be more.
func (n *Network) Goal(node Node) int64 {
	goal := int64(node.State.Chain.Headers)
	if n.Best != nil {
		goal = max(goal, n.Best.Height)
	}
	return goal
}

// stall is for how long the chain of a node that is behind may not grow.
func (n *Network) stall() time.Duration {
	if n.Private {
		return stallPrivate
	}
	return stallPublic
}

// ProgressOf returns how far a node is that says so.
func (n *Network) ProgressOf(node Node) Progress {
	if n.Private {
		return Progress{At: node.AskedAt, Done: float64(node.State.Chain.Blocks)}
	}
	return Progress{At: node.AskedAt, Done: Estimate(node.State.Chain)}
}

// Part returns which part of the chain a node has that says so, from 0 to 1.
func (n *Network) Part(node Node) float64 {
	if !n.Private {
		return Estimate(node.State.Chain)
	}
	return float64(node.State.Chain.Blocks) / float64(max(n.Goal(node), 1))
}

// Estimate is bitcoind's estimate of which part of the chain it has, from 0 to 1: a hostile
// node may say anything.
func Estimate(chain bitcoind.ChainInfo) float64 {
	return min(max(chain.VerificationProgress, 0), 1)
}

// Remaining returns how long it takes until the last of the wanted nodes is synced, at the
// pace that was seen, where there is something to tell it by: each that is not makes way.
func (n *Network) Remaining() (remaining time.Duration, known bool) {
	for _, node := range n.WantedNodes() {
		switch n.SyncOf(node) {
		case Synced:
		case Downloading:
			of, told := n.remaining(node)
			if !told {
				return 0, false
			}
			remaining, known = max(remaining, of), true
		default:
			return 0, false
		}
	}
	return remaining, known
}

// remaining returns how long it takes from now until a node is synced, by what it said when
// it was last asked.
func (n *Network) remaining(node Node) (time.Duration, bool) {
	took, grown := node.Latest.At.Sub(node.Earlier.At), node.Latest.Done-node.Earlier.Done
	if node.Earlier.At.IsZero() || took < leastPace || grown <= 0 {
		return 0, false
	}
	goal := 1.0
	if n.Private {
		goal = float64(n.Goal(node))
	}
	seconds := (goal - node.Latest.Done) / grown * took.Seconds()
	if seconds < 0 || seconds > longestWait.Seconds() {
		return 0, false
	}
	left := time.Duration(seconds*float64(time.Second)) - n.Now.Sub(node.Latest.At)
	return max(left, 0), left > 0
}

// IsAnyBehind reports whether any of the wanted nodes says that it is behind, or said so
// when it last said anything.
func (n *Network) IsAnyBehind() bool {
	return slices.ContainsFunc(n.WantedNodes(), func(node Node) bool {
		sync := n.SyncOf(node)
		return sync >= Downloading || sync == Untold && node.wasBehind()
	})
}

// IsNew reports whether the operator has looked at the network for but a moment, as it has
// at all of them when it was restarted: a node that has said nothing since may be as it was
// before.
func (n *Network) IsNew() bool { return n.Now.Sub(n.Since) < syncRemembered }

// MayTell reports whether a node that has said nothing may have had no time to: since its pod
// was made, or since somebody has asked.
func (n *Network) MayTell(node Node) bool {
	return n.IsNew() || node.Pod != nil && n.Now.Sub(node.Pod.CreationTimestamp.Time) < syncRemembered
}

// MayAnyBeBehind reports whether any of the wanted nodes may still be behind that was so
// before the operator was restarted.
func (n *Network) MayAnyBeBehind() bool {
	return n.IsNew() && slices.ContainsFunc(n.WantedNodes(), func(node Node) bool {
		return n.SyncOf(node) == Untold && node.Latest.At.IsZero()
	})
}

// Behind returns the wanted nodes that say that they are behind, the furthest first.
func (n *Network) Behind() []int {
	var behind []int
	for ordinal, node := range n.WantedNodes() {
		if n.SyncOf(node) >= Downloading {
			behind = append(behind, ordinal)
		}
	}
	slices.SortStableFunc(behind, func(a, b int) int {
		return cmp.Compare(n.Part(n.Nodes[a]), n.Part(n.Nodes[b]))
	})
	return behind
}
