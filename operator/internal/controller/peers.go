package controller

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// maxParallelRequests bounds how many nodes of a network are told something at once.
const maxParallelRequests = 16

const (
	// dialled is how soon a connection shows that was dialled.
	dialled = 250 * time.Millisecond
	// dialAgain is how soon a node is told to dial again.
	dialAgain = 900 * time.Millisecond
)

// updatePeers has the nodes make and break links as planned. What does not
// succeed shows in the next observation, and is tried again then.
func (p *pass) updatePeers(ctx context.Context, links peering.Plan) {
	now, key := p.Clock.Now(), client.ObjectKeyFromObject(p.network)
	errs, dialling := make([]error, len(p.seen.Nodes)), map[types.UID]time.Time{}
	var group errgroup.Group
	group.SetLimit(maxParallelRequests)
	for ordinal, change := range links.Changes {
		pod := p.seen.Nodes[ordinal].Pod
		if now.Before(p.cache.dialling[pod.UID]) {
			change.Dial = nil
		}
		if len(change.Dial) > 0 {
			p.dials, dialling[pod.UID] = true, now.Add(dialAgain)
		}
		wanted := bitcoind.PeerChange{Remove: change.Remove, Add: change.Add, Dial: change.Dial, Disconnect: change.Disconnect}
		if wanted.IsEmpty() {
			p.Observer.Told(key, p.seen, ordinal) // before
			continue
		}
		group.Go(func() error {
			errs[ordinal] = p.nodes.UpdatePeers(ctx, p.endpoint(ordinal), wanted)
			if errs[ordinal] == nil {
				p.Observer.Agreed(key, p.seen, ordinal, wanted)
			} else {
				p.Observer.Told(key, p.seen, ordinal)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs

	for ordinal, err := range errs {
		pod := p.seen.Nodes[ordinal].Pod
		if pod == nil {
			continue
		}
		if until := p.cache.dialling[pod.UID]; now.Before(until) {
			dialling[pod.UID] = until
		}
		if err == nil {
			continue
		}
		ctrl.LoggerFrom(ctx).V(1).Info("could not update a node's peers", "pod", pod.Name, "problem", bitcoind.Explain(err))
		if dials := len(links.Changes[ordinal].Dial); errors.Is(err, context.DeadlineExceeded) && dials > 0 {
			dialling[pod.UID] = now.Add(time.Duration(dials) * bitcoind.LongestDial)
		}
	}
	p.cache.dialling = dialling
}
