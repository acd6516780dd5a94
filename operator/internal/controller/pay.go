package controller

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/request"
)

// openWallet has the node that is to pay know the wallet, and decides whether that has
// what is asked for.
func (e *errand) openWallet(ctx context.Context, decision request.Decision) request.Decision {
	if err := e.open(ctx, decision.Node); err != nil {
		return request.NoWallet(e.request, decision.Node, bitcoind.Explain(err), e.situation.Now)
	}
	funds, err := e.nodes.Funds(ctx, e.endpoint(decision.Node))
	if err != nil {
		return request.NoWallet(e.request, decision.Node, bitcoind.Explain(err), e.situation.Now)
	}
	if dry := request.Dry(e.request, funds, decision.Tip.Height); dry != "" {
		return request.Decision{Refused: dry}
	}
	return decision
}

// open has a node know the wallet of the network.
func (e *errand) open(ctx context.Context, ordinal int) error {
	wallet, err := bitcoind.WalletOf(string(e.situation.Network.UID))
	if err != nil {
		return err
	}
	return e.nodes.OpenWallet(ctx, e.endpoint(ordinal), wallet)
}

// pay has a node pay what was asked for.
func (e *errand) pay(ctx context.Context) (time.Duration, error) {
	pay := e.request.Spec.Pay
	id, err := e.nodes.Pay(ctx, e.endpoint(int(e.request.Status.Start.Node)), pay.Address, pay.Amount, string(e.request.UID))
	switch {
	case err == nil:
		request.Sent(e.request, id, e.Clock.Now())
		return nextRequest, e.write(ctx)
	case !bitcoind.IsRefusal(err):
		return requestInterval, nil // it may have paid
	default:
		request.NotSent(e.request, bitcoind.Explain(err), e.Clock.Now())
		return e.finished(ctx)
	}
}

// lookUpPayment finds out what has become of a request for coins, by what the wallet of
// the node knows that was told.
func (e *errand) lookUpPayment(ctx context.Context) (time.Duration, error) {
	start := e.request.Status.Start
	if node := e.situation.Seen.Node(int(start.Node)); !node.Answers {
		return e.goOnLookingUp(ctx, "it does not answer")
	}
	if err := e.open(ctx, int(start.Node)); err != nil {
		return e.goOnLookingUp(ctx, bitcoind.Explain(err))
	}
	payment, found, err := e.nodes.FindPayment(ctx, e.endpoint(int(start.Node)), start.Hash, string(e.request.UID))
	if err != nil {
		return e.goOnLookingUp(ctx, bitcoind.Explain(err))
	}
	switch {
	case !request.Found(e.request, payment, found, e.situation.Now):
		return requestInterval, nil
	case e.request.Status.Phase.IsFinished():
		return e.finished(ctx)
	default:
		return nextRequest, e.write(ctx)
	}
}

// confirm looks whether coins that were sent are in a block, and has one mined for them
// if nobody else does.
func (e *errand) confirm(ctx context.Context) (time.Duration, error) {
	node, problem := request.Confirmer(e.request, e.situation)
	if problem != "" {
		return e.goOnConfirming(ctx, problem)
	}
	if err := e.open(ctx, node); err != nil {
		return e.goOnConfirming(ctx, bitcoind.Explain(err))
	}
	payment, found, err := e.nodes.Confirmations(ctx, e.endpoint(node), e.request.Status.TransactionID)
	if err != nil {
		return e.goOnConfirming(ctx, bitcoind.Explain(err))
	}
	mine := request.Confirm(e.request, payment, found, e.situation.Now)
	if e.request.Status.Phase.IsFinished() {
		return e.finished(ctx)
	}
	if mine {
		height := int64(e.situation.Seen.Nodes[node].State.Chain.Blocks) + 1
		if _, err := e.nodes.Mine(ctx, e.endpoint(node), 1, plan.CoinsOf(e.situation.Network, height)); err != nil {
			ctrl.LoggerFrom(ctx).Info("could not mine a block for coins that were sent", "request", e.request.Name, "problem", bitcoind.Explain(err))
		}
	}
	return requestInterval, nil
}

// goOnConfirming looks again soon while nobody tells whether coins are in a block, but not
// for ever.
func (e *errand) goOnConfirming(ctx context.Context, why string) (time.Duration, error) {
	if !request.Unconfirmed(e.request, why, e.situation.Now) {
		return requestInterval, nil
	}
	return e.finished(ctx)
}
