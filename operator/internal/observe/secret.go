package observe

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// secretAgain is after how long the Secret is read again of which no watch has told
// anything: an operator may have lost the right to watch it.
const secretAgain = 5 * time.Minute

// sealedAgain is after how long its SealedSecret is read again, which nobody watches: at
// every other regular look. That a new one could not be opened is for people to read.
const sealedAgain = 45 * time.Second

// SecretVersion is which version of the Secret its watch has last told of. The zero value
// is that of a watch that has told nothing.
type SecretVersion struct {
	mu      sync.Mutex
	version string
}

// Tell takes note of a version; empty for a Secret that is gone.
func (v *SecretVersion) Tell(version string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.version = version
}

func (v *SecretVersion) is(version string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return version != "" && v.version == version
}

// secretMemory is what was last read of the Secret, when, and for which version of the
// network, which says what users there are; and when its SealedSecret was.
type secretMemory struct {
	found        credentials.Found
	at, sealedAt time.Time
	generation   int64
}

// observeSecret finds out what the nodes should accept. The Secret is read when it may have
// changed.
func (o *Observer) observeSecret(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *state.Network, cache *cache) error {
	last, err := cache.secret, error(nil)
	isFresh := o.SecretVersion.is(last.found.Version) && last.generation == network.Generation && seen.Now.Sub(last.at) < secretAgain
	switch {
	case !isFresh:
		last = secretMemory{at: seen.Now, sealedAt: seen.Now, generation: network.Generation}
		last.found, err = o.Credentials.Read(ctx, network)
	case seen.Now.Sub(last.sealedAt) >= sealedAgain:
		last.sealedAt = seen.Now
		last.found.NotApplied = o.Credentials.NotApplied(ctx, network)
	}
	var unusable *credentials.UnusableError
	switch {
	case errors.As(err, &unusable):
		cache.secret = secretMemory{}
		seen.Secret.Unusable = &state.Problem{Reason: unusable.Reason, Message: unusable.Message}
		return nil
	case err != nil:
		return err
	}
	found := last.found
	cache.secret = last
	seen.Secret = state.Secret{
		Pairs: len(found.Pairs), Users: found.Users, ChangedAt: cache.secretChangedAt(network, found, seen.Now),
		Warning: found.Warning, NotApplied: found.NotApplied,
	}
	return nil
}
