package controller

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// maxParallelRequests bounds how many nodes of a network are told something at once.
const maxParallelRequests = 16

// dialled is how soon a connection shows that was dialled.
const dialled = 250 * time.Millisecond

// updatePeers has the nodes make and break links as planned. What does not
// succeed shows in the next observation, and is tried again then.
func (p *pass) updatePeers(ctx context.Context, links peering.Plan) {
	now, key := p.Clock.Now(), client.ObjectKeyFromObject(p.network)
	errs, due := make([]error, len(p.seen.Nodes)), make([]int, len(p.seen.Nodes))
	p.cache.dialling.forget(now)
	var group errgroup.Group
	group.SetLimit(maxParallelRequests)
	for ordinal, change := range links.Changes {
		wishes := len(change.Dial)
		change.Dial = p.cache.dialling.begin(state.Life(p.seen.Nodes[ordinal].Pod), change.Dial, now)
		due[ordinal] = len(change.Dial)
		p.dials = p.dials || due[ordinal] > 0
		wanted := bitcoind.PeerChange{Remove: change.Remove, Add: change.Add, Dial: change.Dial, Disconnect: change.Disconnect}
		if wanted.IsEmpty() {
			p.Observer.Told(key, p.seen, ordinal) // before
			continue
		}
		group.Go(func() error {
			errs[ordinal] = p.nodes.UpdatePeers(ctx, p.endpoint(ordinal), wanted)
			if errs[ordinal] == nil {
				p.Observer.Agreed(key, p.seen, ordinal, wanted, due[ordinal] < wishes)
			} else {
				p.Observer.Told(key, p.seen, ordinal)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs

	for ordinal, err := range errs {
		if err == nil {
			continue
		}
		pod := p.seen.Nodes[ordinal].Pod
		ctrl.LoggerFrom(ctx).V(1).Info("could not update a node's peers", "pod", pod.Name, "problem", bitcoind.Explain(err))
		if errors.Is(err, context.DeadlineExceeded) && !bitcoind.IsRefusal(err) && due[ordinal] > 0 {
			p.cache.dialling.hangs(state.Life(pod), due[ordinal], now)
		}
	}
}
