package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/request"
)

// mine has a node mine what was asked for.
func (e *errand) mine(ctx context.Context) (time.Duration, error) {
	start, mine := e.request.Status.Start, e.request.Spec.Mine
	defer e.Observer.LookAtAll(client.ObjectKeyFromObject(e.situation.Network)) // blocks are everybody's
	hashes, err := e.nodes.Mine(ctx, e.endpoint(int(start.Node)), int(mine.Count), request.CoinsOf(e.request, e.situation.Network))
	switch {
	case err == nil:
		request.Mined(e.request, hashes[0], hashes[len(hashes)-1], e.Clock.Now())
		return e.finished(ctx)
	case !bitcoind.IsRefusal(err):
		return requestInterval, nil // it may be about it still
	}
	trace, lost := e.trace(ctx, int(start.Node))
	if lost != nil {
		return requestInterval, nil
	}
	request.NotMined(e.request, bitcoind.Explain(err), trace, e.Clock.Now())
	return e.finished(ctx)
}

// lookUpBlocks finds out what has become of a request for blocks, by those that there are.
func (e *errand) lookUpBlocks(ctx context.Context) (time.Duration, error) {
	tips := e.situation.Seen.Tips()
	if len(tips) == 0 {
		return e.goOnLookingUp(ctx, "no node answers")
	}
	trace, err := e.trace(ctx, tips[0].Nodes[0])
	if err != nil {
		return e.goOnLookingUp(ctx, bitcoind.Explain(err))
	}
	if !request.LookUp(e.request, trace, e.situation.Now) {
		return requestInterval, nil
	}
	return e.finished(ctx)
}

// trace asks a node what its chain has where a request was started.
func (e *errand) trace(ctx context.Context, ordinal int) (request.Trace, error) {
	endpoint := e.endpoint(ordinal)
	answer, err := e.nodes.Check(ctx, endpoint)
	if err != nil {
		return request.Trace{}, err
	}
	from := int32(e.request.Status.Start.Height)
	hashes, err := e.nodes.BlockHashes(ctx, endpoint, []int32{from, from + 1, from + e.request.Spec.Mine.Count})
	if err != nil {
		return request.Trace{}, err
	}
	tip := answer.Tip()
	return request.Trace{Base: hashes[0], First: hashes[1], Last: hashes[2], Height: int64(tip.Height), Tip: tip.Hash}, nil
}
