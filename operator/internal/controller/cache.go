package controller

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/status"
)

// cache is what the controller remembers of a network between reconciles. All of it
// may be lost: it saves requests, and no decision rests on it alone. Only the one
// reconcile that runs for the network touches it.
type cache struct {
	// network is the one of which all this is remembered.
	network types.UID
	// applied is, by kind and name, what was last applied and what came of it.
	applied map[string]fingerprint
	// dialling is what nodes were told to dial of late.
	dialling dialling
	// opened are the pods whose readiness gates were opened and that the informers do not
	// have so yet.
	opened map[types.UID]bool
	// written is the network as it was when its status was last written, at writtenAt.
	written   *v1alpha1.BitcoinNetwork
	writtenAt time.Time
	// miningProblem is why the last block could not be mined.
	miningProblem string
	// heightAt is when a change of nothing but the height was last written.
	heightAt time.Time
	// untold is how clients were to be led elsewhere, as is on record, and is told when
	// they are; nil for nothing.
	untold *rollout.Move
	// patience is since when something is waited for.
	patience status.Patience
}

func newCache(network types.UID) *cache {
	return &cache{network: network, applied: map[string]fingerprint{}, dialling: dialling{}}
}

// cacheOf returns what is remembered of a network. What is remembered of another, which
// had its name and was deleted while nobody looked, is forgotten.
func (r *Reconciler) cacheOf(network *v1alpha1.BitcoinNetwork) *cache {
	key := client.ObjectKeyFromObject(network)
	if found, known := r.caches.Load(key); known && found.(*cache).network != network.UID {
		r.forget(key)
	}
	found, _ := r.caches.LoadOrStore(key, newCache(network.UID))
	return found.(*cache)
}

// latest returns the later of what the informers' cache has of a network and what was
// last written of it. The informers lag behind: by what they have a status would be
// written, and an event told, a second time.
func (c *cache) latest(cached *v1alpha1.BitcoinNetwork) (*v1alpha1.BitcoinNetwork, error) {
	if c.written == nil {
		return cached, nil
	}
	order, err := resourceversion.CompareResourceVersion(c.written.ResourceVersion, cached.ResourceVersion)
	if err != nil {
		return nil, fmt.Errorf("compare versions of %s: %w", cached.Name, err)
	}
	if order > 0 {
		return c.written.DeepCopy(), nil
	}
	return cached, nil
}
