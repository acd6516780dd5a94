package request

import (
	"fmt"
	"strconv"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// Bounds are how much may be asked for on a network a day.
type Bounds struct {
	Blocks int64
	Amount btcutil.Amount
}

// BoundsOf reads the bounds of a tenant, from the data of its ConfigMap `tenant`. What is
// not said there, or not in figures, is as usual.
func BoundsOf(tenant map[string]string) Bounds {
	bounds := Bounds{Blocks: 10_000, Amount: 1000 * btcutil.SatoshiPerBitcoin}
	if blocks, err := strconv.ParseInt(tenant["maxBlocksADay"], 10, 64); err == nil {
		bounds.Blocks = blocks
	}
	if amount, err := amountOf(tenant["maxAmountADay"]); err == nil {
		bounds.Amount = amount
	}
	return bounds
}

// amountOf reads an amount in BTC.
func amountOf(text string) (btcutil.Amount, error) {
	btc, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, err
	}
	return btcutil.NewAmount(btc)
}

// textOf writes an amount as it is read.
func textOf(amount btcutil.Amount) string {
	return strconv.FormatFloat(amount.ToBTC(), 'f', -1, 64)
}

// Count returns what has been asked for on the day, this request included.
func Count(request *v1alpha1.BitcoinRequest, before *v1alpha1.RequestedStatus, now time.Time) *v1alpha1.RequestedStatus {
	counted := v1alpha1.RequestedStatus{Day: now.UTC().Format(time.DateOnly)}
	if before != nil && before.Day == counted.Day {
		counted = *before
	}
	if mine := request.Spec.Mine; mine != nil {
		counted.Blocks += int64(mine.Count)
	}
	if pay := request.Spec.Pay; pay != nil {
		asked, _ := amountOf(pay.Amount) // the resource definition tells what is one
		had, _ := amountOf(counted.Amount)
		counted.Amount = textOf(had + asked)
	}
	return &counted
}

// exceeded says that a request is beyond the bounds of a day; empty for one that is not.
func (b Bounds) exceeded(request *v1alpha1.BitcoinRequest, before *v1alpha1.RequestedStatus, now time.Time) string {
	counted := Count(request, before, now)
	amount, _ := amountOf(counted.Amount)
	switch {
	case request.Spec.Mine != nil && counted.Blocks > b.Blocks:
		return fmt.Sprintf("spec.mine.count: the platform allows %d blocks per network and day (UTC) in this namespace; this request would bring today's total to %d", b.Blocks, counted.Blocks)
	case request.Spec.Pay != nil && amount > b.Amount:
		return fmt.Sprintf("spec.pay.amount: the platform allows %s BTC per network and day (UTC) in this namespace; this request would bring today's total to %s", textOf(b.Amount), counted.Amount)
	default:
		return ""
	}
}
