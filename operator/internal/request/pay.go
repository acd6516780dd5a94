package request

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// ConfirmAfter is for how long coins that were sent wait for a block of somebody's,
	// before the operator has one mined for them.
	ConfirmAfter = 10 * time.Second
	// halving is after how many blocks of regtest a block brings half as much.
	halving = 150
)

// Dry says why the wallet of a network cannot pay what is asked for; empty where it can.
func Dry(request *v1alpha1.BitcoinRequest, funds bitcoind.Funds, height int64) string {
	asked, err := amountOf(request.Spec.Pay.Amount)
	if err != nil {
		return "spec.pay.amount: " + err.Error()
	}
	if asked < funds.Spendable { // what is left over pays the fee
		return ""
	}
	reward := btcutil.Amount(50*btcutil.SatoshiPerBitcoin) >> ((height + 1) / halving)
	brings := fmt.Sprintf("the next block pays %s", textOf(reward))
	if reward == 0 {
		brings = "new blocks pay nothing any more"
	}
	return fmt.Sprintf("spec.pay.amount: the wallet of %s has %s BTC to spend, less than the amount and a fee; %s more can be spent 100 blocks after they were mined, and %s",
		request.Spec.Network, textOf(funds.Spendable), textOf(funds.Immature), brings)
}

// Sent takes note of the transaction that pays.
func Sent(request *v1alpha1.BitcoinRequest, id string, now time.Time) {
	request.Status.TransactionID, request.Status.SentAt = id, new(metav1.NewTime(now))
	proceed(request, v1alpha1.RequestSent, fmt.Sprintf("%s sent %s BTC, which a block must confirm", nodeOf(request), request.Spec.Pay.Amount))
}

// NotSent takes note that a node said that it could not pay.
func NotSent(request *v1alpha1.BitcoinRequest, problem string, now time.Time) {
	finish(request, v1alpha1.RequestFailed, fmt.Sprintf("%s did not pay: %s", nodeOf(request), problem), now)
}

// Found takes note of what the wallet of the node that was told knows of a request that
// was started, of whose answer nobody knows: it may be about it still. Nobody is told
// again. It reports whether there is something new.
func Found(request *v1alpha1.BitcoinRequest, payment bitcoind.Payment, found bool, now time.Time) bool {
	switch {
	case found:
		Sent(request, payment.ID, now)
		return true
	case now.Sub(request.Status.Start.At.Time) < Patience:
		return false
	default:
		Lost(request, "the wallet of that node has no such payment and may have been recreated", now)
		return true
	}
}

// Confirm takes note of what a node knows of coins that were sent. It reports whether a
// block is to be mined for them.
func Confirm(request *v1alpha1.BitcoinRequest, payment bitcoind.Payment, found bool, now time.Time) (mine bool) {
	waited := now.Sub(request.Status.SentAt.Time)
	switch {
	case found && payment.Confirmations > 0:
		request.Status.Confirmations = int32(payment.Confirmations)
		finish(request, v1alpha1.RequestSucceeded, fmt.Sprintf("%s sent %s BTC to %s", nodeOf(request), request.Spec.Pay.Amount, request.Spec.Pay.Address), now)
		return false
	case found && payment.Confirmations == 0:
		return waited >= ConfirmAfter
	case waited >= Patience:
		finish(request, v1alpha1.RequestUnknown, fmt.Sprintf("%s sent %s BTC, but no node that was asked knows transaction %s any more; it is not sent again",
			nodeOf(request), request.Spec.Pay.Amount, request.Status.TransactionID), now)
	}
	return false
}

// Unconfirmed ends the wait for a block for coins that were sent, on a network that is
// not well for long. It reports whether it has.
func Unconfirmed(request *v1alpha1.BitcoinRequest, why string, now time.Time) bool {
	if now.Sub(request.Status.SentAt.Time) < LongestLookUp {
		return false
	}
	finish(request, v1alpha1.RequestUnknown, fmt.Sprintf("%s sent %s BTC in transaction %s, but it is unknown whether that is in a block: %s; it is not sent again",
		nodeOf(request), request.Spec.Pay.Amount, request.Status.TransactionID, why), now)
	return true
}

// Confirmer returns the node that is to be asked about coins that were sent, and that
// mines a block for them, or what keeps the operator from it.
func Confirmer(request *v1alpha1.BitcoinRequest, s Situation) (node int, problem string) {
	switch {
	case s.Network == nil:
		return 0, "its network is gone"
	case s.Seen.HandsOff(s.Network) && s.Seen.Secret.Unusable == nil:
		return 0, "the operator does not act on the network"
	}
	if problem := plan.NoRoom(s.Network, s.Seen); problem != "" {
		return 0, problem
	}
	node, _, problem = choose(request, s)
	return node, problem
}

// NoWallet decides about a request for coins whose node cannot open the wallet now.
func NoWallet(request *v1alpha1.BitcoinRequest, node int, problem string, now time.Time) Decision {
	network := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Name: request.Spec.Network}}
	return Hold(request, fmt.Sprintf("spec.network: %s cannot open the wallet: %s", state.Name(network, node), problem), now)
}
