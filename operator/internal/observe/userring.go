package observe

import (
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// userring remembers which passwords of users nodes accept, as the keyring does of the
// pairs that may call everything. The operator asks nodes for nothing with them.
type userring struct {
	mu sync.Mutex
	// held are those that the Secret has, dropped the last that it had before, by user.
	held, dropped map[string][]bitcoind.Credentials
	// verdicts are whether containers accept them, by the container's life.
	verdicts map[string]map[bitcoind.Credentials]bool
}

func newUserring() *userring {
	return &userring{dropped: map[string][]bitcoind.Credentials{}, verdicts: map[string]map[bitcoind.Credentials]bool{}}
}

// set takes note of what the Secret has now, and reports whether it had anything else
// before.
func (u *userring) set(held map[string][]bitcoind.Credentials) (changed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	isFirst := u.held == nil
	for user, before := range u.held {
		u.dropped[user] = lastDropped(before, held[user], u.dropped[user])
		changed = changed || !slices.Equal(before, held[user])
	}
	for user := range held {
		_, known := u.held[user]
		changed = changed || !known && !isFirst
		u.dropped[user] = lastDropped(nil, held[user], u.dropped[user])
	}
	u.held = held
	return changed
}

// of returns a user's credentials that nodes should accept, and those that they did
// before.
func (u *userring) of(user string) (held, dropped []bitcoind.Credentials) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.held[user], u.dropped[user]
}

// record takes note of whether a pod's container accepts credentials.
func (u *userring) record(pod *corev1.Pod, credentials bitcoind.Credentials, accepted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	life := state.Life(pod)
	if u.verdicts[life] == nil {
		u.verdicts[life] = map[bitcoind.Credentials]bool{}
	}
	u.verdicts[life][credentials] = accepted
}

// accepts reports whether a pod's container accepts credentials, and whether that is
// known.
func (u *userring) accepts(pod *corev1.Pod, credentials bitcoind.Credentials) (accepts, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	accepts, known = u.verdicts[state.Life(pod)][credentials]
	return accepts, known
}

// forgetOthers drops what is remembered of containers that are gone, and of users whom
// neither the network names, nor the Secret, nor any pod.
func (u *userring) forgetOthers(seen *state.Network) {
	u.mu.Lock()
	defer u.mu.Unlock()
	keepOnly(u.verdicts, keysOf(seen.Nodes, state.Life))
	known := map[string]bool{}
	for user := range u.held {
		known[user] = true
	}
	for _, user := range seen.Secret.Users {
		known[user.Name] = true
	}
	for _, node := range seen.Nodes {
		if node.Pod == nil {
			continue
		}
		for _, user := range resources.KnownUsers(node.Pod) {
			known[user] = true
		}
	}
	keepOnly(u.dropped, known)
}
