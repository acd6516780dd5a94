package observe

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// cache is what is remembered of a network between looks. Only who has the
// network's turn touches it: its one reconcile, or a request for it.
type cache struct {
	// since is when the operator first looked.
	since time.Time
	// answers are what nodes last said, allAsked is when all of them were last asked, and
	// askAll that they are to be at the next look.
	answers  *answers
	allAsked time.Time
	askAll   bool
	// secret is what was last read of the Secret.
	secret secretMemory
	// generation is that of the network when all of them were last asked.
	generation int64
	// backoff spares nodes that did not answer.
	backoff *backoff
	// grace has nodes be late once.
	grace *grace
	// keyring says which credentials nodes accept.
	keyring *keyring
	// users says which passwords of users they accept.
	users *userring
	// secretAt is when the Secret changed by its own account, and noticedAt when the
	// operator has seen that keys were taken out of it, of which that says nothing.
	secretAt, noticedAt time.Time
	// activity says which connections have fallen silent.
	activity *activity
	pods     map[types.UID]*podMemory
	data     map[types.UID]*dataMemory
	// alive is when nodes were last seen to be alive, and missing since when they have
	// no pod, by ordinal.
	alive, missing map[int]time.Time
	// alivePods are the pods that were last seen alive, by ordinal.
	alivePods map[int]types.UID
	// runs is what nodes last said that they run, by ordinal.
	runs map[int]softwareMemory
	// best is the best block that was last known.
	best *state.Block
	// tip is the highest tip that a node last told of, by its hash, since tipSince.
	tip      string
	tipSince time.Time
	// branches are which tips were on the chain of the highest, when they were last
	// compared.
	highest  string
	branches map[string]bool
}

// podMemory is what is remembered of a pod.
type podMemory struct {
	// silentSince is since when its node does not answer, in this life of its container,
	// and idleSince since when it does not serve. Both are zero for one that did at the
	// last look: looks may be an hour apart, and what a node did between two of them
	// nobody knows.
	silentSince, idleSince time.Time
	life                   string
	// refused is when a disruption budget last refused to let it go, and notStopped when
	// its bitcoind last did not take the call to stop.
	refused, notStopped time.Time
}

// dataMemory is what is remembered of a node's data: where they are known to be, nil
// where that is not known, when they last had the best block, and which was the best that
// their node said it lacked, since when, and how far they have come.
type dataMemory struct {
	tip, lacked          *state.Block
	hadBest, behindSince time.Time
	sync                 syncMemory
}

// softwareMemory is what is remembered of what a node runs, and from which image.
type softwareMemory struct {
	state.Software
	image string
}

func newCache() *cache {
	return &cache{
		answers: newAnswers(), backoff: newBackoff(), grace: newGrace(), keyring: newKeyring(), users: newUserring(), activity: newActivity(),
		pods: map[types.UID]*podMemory{}, data: map[types.UID]*dataMemory{},
		alive: map[int]time.Time{}, missing: map[int]time.Time{},
	}
}

// pod returns what is remembered of a pod.
func (c *cache) pod(pod *corev1.Pod) *podMemory {
	memory, known := c.pods[pod.UID]
	if !known {
		memory = &podMemory{}
		c.pods[pod.UID] = memory
	}
	if life := state.Life(pod); memory.life != life {
		memory.life, memory.silentSince = life, time.Time{}
	}
	return memory
}

// dataOf returns what is remembered of a node's data. Of no data nothing is.
func (c *cache) dataOf(node *state.Node) *dataMemory {
	memory, known := c.data[node.Data]
	if !known {
		memory = &dataMemory{}
		if node.Data != "" {
			c.data[node.Data] = memory
		}
	}
	return memory
}

// secretChangedAt takes note of what a network's Secret is now, and returns when it
// became so.
func (c *cache) secretChangedAt(network *v1alpha1.BitcoinNetwork, found credentials.Found, now time.Time) time.Time {
	isFirst, recorded := c.keyring.since.IsZero(), network.Status.SecretChangedAt
	changed := c.keyring.set(found.Pairs, now)
	changed = c.users.set(found.Passwords) || changed
	if isFirst && recorded != nil {
		c.secretAt = recorded.Time
		passwords := state.Secret{Users: found.Users}.Passwords() // of what comes the Secret tells
		changed = int(network.Status.SecretPairs) != len(found.Pairs) || int(network.Status.SecretUsers) > passwords
	}
	if changed || found.ChangedAt.After(c.secretAt) {
		c.answers.forget()
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
	found, known := o.caches.Load(network)
	if !known {
		found, _ = o.caches.LoadOrStore(network, newCache())
	}
	return found.(*cache)
}

// forgetOthers drops what is remembered of pods, containers and data that are gone,
// and fills in what is remembered of those that are there.
func (c *cache) forgetOthers(seen *state.Network) {
	if c.since.IsZero() {
		c.since = seen.Now
	}
	seen.Since = c.since
	c.answers.forgetOthers(seen.Nodes)
	c.backoff.forgetOthers(seen.Nodes)
	c.grace.forgetOthers(seen.Nodes)
	c.activity.forgetOthers(seen.Nodes)
	c.keyring.forgetOthers(seen.Nodes)
	c.users.forgetOthers(seen)
	keepOnly(c.pods, keysOf(seen.Nodes, uidOf))
	data := map[types.UID]bool{}
	for _, node := range seen.Nodes {
		data[node.Data] = true
	}
	keepOnly(c.data, data)
	for i := range seen.Nodes {
		c.fillIn(&seen.Nodes[i], seen.Now)
	}
}

// fillIn fills in what is remembered of a node.
func (c *cache) fillIn(node *state.Node, now time.Time) {
	data := c.dataOf(node)
	node.Tip, node.HadBest = data.tip, data.hadBest
	if node.Pod == nil {
		return
	}
	pod := c.pod(node.Pod)
	node.LastAnswer, node.LastServed = cmp.Or(pod.silentSince, now), cmp.Or(pod.idleSince, now)
	node.RefusedAt, node.NotStoppedAt = pod.refused, pod.notStopped
	if node.Tip == nil {
		node.Tip = node.FirstTip(c.since)
	}
	data.tip = node.Tip // and so it stays until its node tells more
}

// remember finds the best block and takes note of where the nodes are.
func (c *cache) remember(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	for i := range seen.Nodes {
		if node := &seen.Nodes[i]; node.Shown {
			c.dataOf(node).tip = node.Tip
		}
	}
	recorded := state.Recorded(network)
	if c.best != nil && (recorded == nil || c.best.Compare(*recorded) >= 0) {
		recorded = c.best
	}
	lost := seen.Lost // it is told once
	seen.SetBest(recorded)
	seen.Lost = cmp.Or(seen.Lost, lost)
	c.best = seen.Best
	if tips := seen.Tips(); len(tips) > 0 && tips[0].Hash != c.tip {
		c.tip, c.tipSince = tips[0].Hash, seen.Now
	}
	seen.TipSince = c.tipSince
	c.rememberAlive(seen)
	c.rememberBehind(seen)
	c.rememberSync(seen)
	c.rememberSoftware(seen)
	unasked := seen.Secret.Unusable != nil // which no node can be blamed for
	for i := range seen.Nodes {
		node := &seen.Nodes[i]
		if node.Data != "" && seen.Has(*node) {
			node.HadBest = seen.Now
			c.dataOf(node).hadBest = seen.Now
		}
		if node.Pod == nil {
			continue
		}
		pod := c.pod(node.Pod)
		if pod.silentSince = node.LastAnswer; node.Answers || node.RejectsAll || node.WarmsUp || unasked {
			node.LastAnswer, pod.silentSince = seen.Now, time.Time{}
		}
		if pod.idleSince = node.LastServed; seen.Serves(*node) || unasked {
			node.LastServed, pod.idleSince = seen.Now, time.Time{}
		}
	}
}

// isWhole reports whether all nodes are to be asked at a look: it is their regular turn,
// or somebody has changed the network or asked for it. Looks come a tenth early.
func (c *cache) isWhole(network *v1alpha1.BitcoinNetwork, now time.Time) bool {
	turn := state.CheckInterval(network) * 8 / 10
	return c.askAll || c.generation != network.Generation || now.Sub(c.allAsked) >= turn
}

// wasWhole takes note that all nodes of a network have been asked.
func (c *cache) wasWhole(network *v1alpha1.BitcoinNetwork, now time.Time) {
	c.askAll, c.generation, c.allAsked = false, network.Generation, now
}

// branchesOf returns which tips are on the chain of the highest, nil where that is not
// known.
func (c *cache) branchesOf(tips []state.Tip) map[string]bool {
	if tips[0].Hash != c.highest {
		return nil
	}
	branches := map[string]bool{}
	for _, tip := range tips {
		is, known := c.branches[tip.Hash]
		if !known {
			return nil
		}
		branches[tip.Hash] = is
	}
	return branches
}

// rememberAlive takes note of which nodes are alive, and finds when the others last were.
func (c *cache) rememberAlive(seen *state.Network) {
	alive, missing, pods := map[int]time.Time{}, map[int]time.Time{}, map[int]types.UID{}
	for ordinal := range seen.Nodes {
		node := &seen.Nodes[ordinal]
		node.AlivePod = c.alivePods[ordinal]
		switch {
		case node.IsAlive():
			node.AlivePod = node.Pod.UID
			node.LastAlive = node.AliveAt(seen.Now)
			alive[ordinal] = node.LastAlive
		case node.Pod == nil:
			node.LastAlive = cmp.Or(c.missing[ordinal], seen.Now)
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
		if node.AlivePod != "" {
			pods[ordinal] = node.AlivePod
		}
	}
	c.alive, c.missing, c.alivePods = alive, missing, pods
}

// rememberBehind takes note of which nodes say that they lack the best block. One that
// says nothing for a while may have had it meanwhile, and lack the next; and one that has
// what it lacked before, as where blocks come fast, only lacks the next.
func (c *cache) rememberBehind(seen *state.Network) {
	for i := range seen.Nodes {
		node := &seen.Nodes[i]
		memory := c.dataOf(node)
		switch isBehind := node.Shown && !seen.IsSynced(*node); {
		case !isBehind:
			memory.lacked, memory.behindSince = nil, time.Time{}
		case memory.lacked == nil || node.Tip.Compare(*memory.lacked) >= 0:
			memory.lacked, memory.behindSince = seen.Best, seen.Now
		}
		node.BehindSince = memory.behindSince
	}
}

// rememberSoftware takes note of what nodes run. One that says nothing runs what it ran: it
// is told apart by its ordinal alone, since it may be between two pods. One whose pod is made
// to run something else runs that, as soon as it says so.
func (c *cache) rememberSoftware(seen *state.Network) {
	runs := map[int]softwareMemory{}
	for ordinal := range seen.Nodes {
		node := &seen.Nodes[ordinal]
		memory := c.runs[ordinal]
		if said := node.State.Network; node.Answers {
			memory = softwareMemory{image: resources.ImageOf(node.Pod), Software: state.Software{
				Software:       bitcoind.SoftwareOf(said.Version, said.SubVersion),
				WithoutWallets: resources.WithoutWallets(node.Pod),
			}}
		} else if node.Pod != nil && !memory.isOf(node.Pod) {
			continue
		}
		node.Runs = memory.Software
		if node.Runs.Name != "" {
			runs[ordinal] = memory
		}
	}
	c.runs = runs
}

// isOf reports whether a pod is made to run what is remembered.
func (m softwareMemory) isOf(pod *corev1.Pod) bool {
	return m.image == resources.ImageOf(pod) && m.WithoutWallets == resources.WithoutWallets(pod)
}
