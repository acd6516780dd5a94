package controller

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/status"
)

// connect leads clients to the node that was decided on, and tells them how it is
// reached. Where they are led elsewhere, that is on record first. What cannot be made of
// it is told, and holds up nothing.
func (p *pass) connect(ctx context.Context, lead rollout.Lead) (status.Connection, error) {
	if p.seen.HandsOff(p.network) || p.seen.StatefulSet == nil { // nodes come first
		return status.Connection{}, nil
	}
	if move := lead.Move; move != nil {
		if move.Because == rollout.Silent && p.answers(ctx, move.From) {
			p.Observer.AskAll(client.ObjectKeyFromObject(p.network))
			return status.Connection{Again: rollout.RetryAfter}, nil
		}
		before := p.network.Status.Primary
		p.network.Status.Primary = lead.Primary
		if err := p.writeStatus(ctx); err != nil {
			p.network.Status.Primary = before
			return status.Connection{}, err
		}
		ctrl.LoggerFrom(ctx).Info("moved clients to another node", "from", move.From, "to", move.To, "why", move.Why)
		p.cache.untold = move
	}
	p.network.Status.Primary = lead.Primary
	service, config := p.primaryService(), resources.Connection(p.network, p.Platform, p.seen.Chain)
	if err := p.offer(ctx, service); err != nil {
		if isTaken(err) {
			p.network.Status.Primary = nil // that Service leads wherever somebody else says
		}
		return leftOut(service, err), nil // and what says how the network is reached speaks of it
	}
	made := leftOut(config, p.offer(ctx, config))
	made.Moved, p.cache.untold = p.cache.untold, nil
	return made, nil
}

// primaryService is the Service that leads to the node that is on record.
func (p *pass) primaryService() client.Object {
	ordinal := 0
	if primary := p.network.Status.Primary; primary != nil {
		ordinal = int(primary.Ordinal)
	}
	return resources.PrimaryService(p.network, p.seen.Chain, ordinal)
}

// offer makes an object by which clients find the network.
func (p *pass) offer(ctx context.Context, object client.Object) error {
	found, err := p.find(ctx, []client.Object{object})
	if err == nil {
		_, err = p.applyChild(ctx, found[0])
	}
	if err != nil && !isTaken(err) {
		ctrl.LoggerFrom(ctx).Info("could not apply the objects that clients use", "problem", err.Error())
	}
	return err
}

// isTaken reports whether an object could not be made since its name is another's.
func isTaken(err error) bool {
	var taken *conflictError
	return errors.As(err, &taken)
}

// refusedAgain is how soon it is tried again to make what the API server has refused, as
// by a quota: somebody has to act first.
const refusedAgain = 30 * time.Second

// leftOut says what clients have not, and why, where an object could not be made.
func leftOut(object client.Object, err error) status.Connection {
	switch {
	case err == nil:
		return status.Connection{}
	case isTaken(err):
		return status.Connection{LeftOut: quoted(object) + ", because another object has that name"}
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err):
		return status.Connection{LeftOut: err.Error(), Again: refusedAgain}
	default:
		return status.Connection{LeftOut: err.Error(), Again: rollout.RetryAfter}
	}
}

// leadAgain leads clients to where they were to be led before, as an operator may have
// been killed before it did: nodes are about to be scaled away.
func (p *pass) leadAgain(ctx context.Context) {
	if p.network.Status.Primary != nil {
		_ = p.offer(ctx, p.primaryService()) // which is told when it is tried again, in this pass
	}
}

// answers asks a node once more, if only whether it knows the credentials.
func (p *pass) answers(ctx context.Context, ordinal int) bool {
	pod := p.seen.Node(ordinal).Pod
	if state.PodProblem(pod) != "" {
		return false
	}
	_, err := p.nodes.Check(ctx, p.endpoint(ordinal))
	return err == nil || errors.Is(err, bitcoind.ErrUnauthorized)
}
