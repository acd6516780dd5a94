package observe

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// cache is what is remembered of a network between looks. Only the one reconcile that
// runs for the network touches it.
type cache struct {
	// since is when the operator first looked.
	since time.Time
	// backoff spares nodes that did not answer.
	backoff *backoff
	// grace has nodes be late once.
	grace *grace
	// keyring says which credentials nodes accept.
	keyring *keyring
	// secretAt is when the Secret changed by its own account, and noticedAt when the
	// operator has seen that keys were taken out of it, of which that says nothing.
	secretAt, noticedAt time.Time
	// activity says which connections have fallen silent.
	activity *activity
	// silentSince is since when nodes do not answer, by the lives of their containers,
	// and idleSince since when they do not serve, by their pods. Those that did at the
	// last look are in neither: looks may be an hour apart, and what a node did between
	// two of them nobody knows.
	silentSince map[string]time.Time
	idleSince   map[types.UID]time.Time
	// tips and hadBest are where data are known to be, and when they last had the
	// best block.
	tips    map[types.UID]state.Block
	hadBest map[types.UID]time.Time
	// alive is when nodes were last seen to be alive, and missing since when they have
	// no pod, by ordinal; behindSince since when nodes say that they lack the best block,
	// by their data.
	alive, missing map[int]time.Time
	behindSince    map[types.UID]time.Time
	// refused is when a disruption budget last refused to let pods go, and notStopped
	// when their bitcoind last did not take the call to stop.
	refused, notStopped map[types.UID]time.Time
	// best is the best block that was last known.
	best *state.Block
	// tip is the highest tip that a node last told of, by its hash, since tipSince.
	tip      string
	tipSince time.Time
}

func newCache() *cache {
	return &cache{
		backoff: newBackoff(), grace: newGrace(), keyring: newKeyring(), activity: newActivity(),
		silentSince: map[string]time.Time{}, idleSince: map[types.UID]time.Time{},
		tips: map[types.UID]state.Block{}, hadBest: map[types.UID]time.Time{},
		alive: map[int]time.Time{}, missing: map[int]time.Time{}, behindSince: map[types.UID]time.Time{},
		refused: map[types.UID]time.Time{}, notStopped: map[types.UID]time.Time{},
	}
}

// secretChangedAt takes note of what a network's Secret is now, and returns when it
// became so.
func (c *cache) secretChangedAt(network *v1alpha1.BitcoinNetwork, found credentials.Found, now time.Time) time.Time {
	isFirst, recorded := c.keyring.since.IsZero(), network.Status.SecretChangedAt
	changed := c.keyring.set(found.Pairs, now)
	if isFirst && recorded != nil {
		c.secretAt = recorded.Time
		changed = int(network.Status.SecretPairs) != len(found.Pairs)
	}
	if changed && !found.ChangedAt.After(c.secretAt) {
		c.noticedAt = now.Truncate(time.Second) // as times of containers are told
	}
	if found.ChangedAt.After(c.secretAt) {
		c.secretAt = found.ChangedAt
	}
	if c.noticedAt.After(c.secretAt) {
		return c.noticedAt
	}
	return c.secretAt
}

// cacheOf returns what is remembered of a network.
func (o *Observer) cacheOf(network types.NamespacedName) *cache {
	found, _ := o.caches.LoadOrStore(network, newCache())
	return found.(*cache)
}

// forgetOthers drops what is remembered of pods, containers and data that are gone,
// and fills in what is remembered of those that are there.
func (c *cache) forgetOthers(seen *state.Network) {
	if c.since.IsZero() {
		c.since = seen.Now
	}
	c.backoff.forgetOthers(seen.Nodes)
	c.grace.forgetOthers(seen.Nodes)
	c.activity.forgetOthers(seen.Nodes)
	c.keyring.forgetOthers(seen.Nodes)
	old := *c
	c.silentSince, c.idleSince = map[string]time.Time{}, map[types.UID]time.Time{}
	c.tips, c.hadBest = map[types.UID]state.Block{}, map[types.UID]time.Time{}
	c.refused, c.notStopped = map[types.UID]time.Time{}, map[types.UID]time.Time{}
	for i := range seen.Nodes {
		node := &seen.Nodes[i]
		if tip, known := old.tips[node.Data]; known {
			c.tips[node.Data], node.Tip = tip, &tip
		}
		if at, known := old.hadBest[node.Data]; known {
			c.hadBest[node.Data], node.HadBest = at, at
		}
		if node.Pod == nil {
			continue
		}
		node.LastAnswer = sinceOrNow(old.silentSince, state.Life(node.Pod), seen.Now)
		node.LastServed = sinceOrNow(old.idleSince, node.Pod.UID, seen.Now)
		if at, known := old.refused[node.Pod.UID]; known {
			c.refused[node.Pod.UID], node.RefusedAt = at, at
		}
		if at, known := old.notStopped[node.Pod.UID]; known {
			c.notStopped[node.Pod.UID], node.NotStoppedAt = at, at
		}
		if node.Tip == nil {
			node.Tip = node.FirstTip(c.since)
		}
		if node.Tip != nil && node.Data != "" {
			c.tips[node.Data] = *node.Tip // and so it stays until its node tells more
		}
	}
}

// sinceOrNow returns since when something is so, or now for what is not known to be.
func sinceOrNow[K comparable](since map[K]time.Time, key K, now time.Time) time.Time {
	if at, known := since[key]; known {
		return at
	}
	return now
}

// remember finds the best block and takes note of where the nodes are.
func (c *cache) remember(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	for _, node := range seen.Nodes {
		if node.Shown && node.Data != "" {
			c.tips[node.Data] = *node.Tip
		}
	}
	recorded := state.Recorded(network)
	if c.best != nil && (recorded == nil || c.best.Compare(*recorded) >= 0) {
		recorded = c.best
	}
	seen.SetBest(recorded)
	c.best = seen.Best
	if tips := seen.Tips(); len(tips) > 0 && tips[0].Hash != c.tip {
		c.tip, c.tipSince = tips[0].Hash, seen.Now
	}
	seen.TipSince = c.tipSince
	c.rememberAlive(seen)
	c.rememberBehind(seen)
	unasked := seen.Secret.Unusable != nil // which no node can be blamed for
	for i := range seen.Nodes {
		node := &seen.Nodes[i]
		if node.Data != "" && seen.Has(*node) {
			c.hadBest[node.Data], node.HadBest = seen.Now, seen.Now
		}
		if node.Pod == nil {
			continue
		}
		if node.Answers || node.RejectsAll || node.WarmsUp || unasked {
			node.LastAnswer = seen.Now
		} else {
			c.silentSince[state.Life(node.Pod)] = node.LastAnswer
		}
		if seen.Serves(*node) || unasked {
			node.LastServed = seen.Now
		} else {
			c.idleSince[node.Pod.UID] = node.LastServed
		}
	}
}

// rememberAlive takes note of which nodes are alive, and finds when the others last were.
func (c *cache) rememberAlive(seen *state.Network) {
	alive, missing := map[int]time.Time{}, map[int]time.Time{}
	for ordinal := range seen.Nodes {
		node := &seen.Nodes[ordinal]
		switch {
		case node.IsAlive():
			alive[ordinal], node.LastAlive = seen.Now, seen.Now
		case node.Pod == nil:
			node.LastAlive = sinceOrNow(c.missing, ordinal, seen.Now)
			missing[ordinal] = node.LastAlive
		default:
			node.LastAlive = state.UnservedSince(node.Pod)
			if at, known := c.alive[ordinal]; known {
				alive[ordinal] = at
				if at.After(node.LastAlive) {
					node.LastAlive = at // it answered RPC
				}
			}
		}
	}
	c.alive, c.missing = alive, missing
}

// rememberBehind takes note of which nodes say that they lack the best block. One that
// says nothing for a while may have had it meanwhile, and lack the next.
func (c *cache) rememberBehind(seen *state.Network) {
	behindSince := map[types.UID]time.Time{}
	for i := range seen.Nodes {
		if node := &seen.Nodes[i]; node.Shown && !seen.IsSynced(*node) {
			node.BehindSince = sinceOrNow(c.behindSince, node.Data, seen.Now)
			behindSince[node.Data] = node.BehindSince
		}
	}
	c.behindSince = behindSince
}
