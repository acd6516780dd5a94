package observe

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// keyring remembers which pairs of credentials nodes accept. A container reads the
// Secret when it starts, so what it accepts cannot be known from its pod's template
// and does not change while it runs: it is tried, once.
type keyring struct {
	mu sync.Mutex
	// pairs are those that the Secret has, dropped the last that it had before.
	pairs, dropped []bitcoind.Credentials
	// since is when the operator first read the Secret.
	since    time.Time
	accepted map[string][]bitcoind.Credentials // by container
	rejected map[string][]bitcoind.Credentials
	// inUse are the pairs that any container accepts.
	inUse []bitcoind.Credentials
}

// maxDropped is how many pairs that the Secret no longer has are remembered: as many
// as it can have.
const maxDropped = 2

func newKeyring() *keyring {
	return &keyring{accepted: map[string][]bitcoind.Credentials{}, rejected: map[string][]bitcoind.Credentials{}}
}

// set takes note of the pairs that the Secret has now, and reports whether it had
// others before.
func (k *keyring) set(pairs []bitcoind.Credentials, now time.Time) (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed = !k.since.IsZero() && !slices.Equal(k.pairs, pairs)
	if k.since.IsZero() {
		k.since = now
	}
	k.dropped = lastDropped(k.pairs, pairs, k.dropped)
	k.pairs = pairs
	return changed
}

// known returns the pairs that the Secret has and the last that it had before, and since
// when the operator knows.
func (k *keyring) known() (pairs, dropped []bitcoind.Credentials, since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pairs, k.dropped, k.since
}

// lastDropped returns the last credentials that were held and no longer are, the latest
// first, given those that were dropped before.
func lastDropped(before, now, dropped []bitcoind.Credentials) []bitcoind.Credentials {
	for _, old := range before {
		if !slices.Contains(now, old) {
			dropped = append([]bitcoind.Credentials{old}, dropped...)
		}
	}
	dropped = slices.DeleteFunc(slices.Clone(dropped), func(pair bitcoind.Credentials) bool { return slices.Contains(now, pair) })
	return dropped[:min(len(dropped), maxDropped)]
}

// candidates returns the pairs that a pod's container may accept, the likeliest first:
// those of the Secret, then those that it had, or others accepted, before.
func (k *keyring) candidates(pod *corev1.Pod) []bitcoind.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.candidatesOf(state.Life(pod))
}

func (k *keyring) candidatesOf(life string) []bitcoind.Credentials {
	candidates := slices.Concat(k.pairs, k.dropped)
	for _, pair := range k.inUse {
		if !slices.Contains(candidates, pair) {
			candidates = append(candidates, pair)
		}
	}
	return slices.DeleteFunc(candidates, func(pair bitcoind.Credentials) bool { return slices.Contains(k.rejected[life], pair) })
}

// record takes note of whether a pod's container accepts a pair.
func (k *keyring) record(pod *corev1.Pod, pair bitcoind.Credentials, accepted bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	verdicts := k.rejected
	if accepted {
		verdicts = k.accepted
		if !slices.Contains(k.inUse, pair) {
			k.inUse = append(k.inUse, pair)
		}
	}
	if key := state.Life(pod); !slices.Contains(verdicts[key], pair) {
		verdicts[key] = append(verdicts[key], pair)
	}
}

// accepts reports whether a pod's container is known to accept a pair, or to reject
// it.
func (k *keyring) accepts(pod *corev1.Pod, pair bitcoind.Credentials) (accepts, known bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	life := state.Life(pod)
	accepts = slices.Contains(k.accepted[life], pair)
	return accepts, accepts || slices.Contains(k.rejected[life], pair)
}

// key returns the pair to talk to a node with: one that it accepts, and while none is
// known the likeliest. A node that hangs still says of a wrong pair that it is wrong, and
// would seem to be alive.
func (k *keyring) key(pod *corev1.Pod) bitcoind.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	life := state.Life(pod)
	accepted := k.accepted[life]
	for _, pair := range k.pairs {
		if slices.Contains(accepted, pair) {
			return pair
		}
	}
	likely := append(accepted[:len(accepted):len(accepted)], k.candidatesOf(life)...)
	if len(likely) == 0 {
		return bitcoind.Credentials{}
	}
	return likely[0]
}

// forgetOthers drops what is remembered of containers that are gone.
func (k *keyring) forgetOthers(nodes []state.Node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	there := keysOf(nodes, state.Life)
	keepOnly(k.accepted, there)
	keepOnly(k.rejected, there)
	inUse := map[bitcoind.Credentials]bool{}
	for _, accepted := range k.accepted {
		for _, pair := range accepted {
			inUse[pair] = true
		}
	}
	k.inUse = slices.DeleteFunc(k.inUse, func(pair bitcoind.Credentials) bool { return !inUse[pair] })
}
