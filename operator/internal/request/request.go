// Package request decides what to do about a request for blocks or coins, and what has
// come of it. It is pure: whoever acts by it decides nothing.
package request

import (
	"cmp"
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Next returns the request of a network that is to be seen to: the one that was started,
// or else the one that has waited for longest; nil where there is none. Coins that were
// sent wait for a block, and hold up nobody.
func Next(requests []v1alpha1.BitcoinRequest) *v1alpha1.BitcoinRequest {
	var open []*v1alpha1.BitcoinRequest
	for i := range requests {
		if phase := requests[i].Status.Phase; phase != v1alpha1.RequestSent && !phase.IsFinished() {
			open = append(open, &requests[i])
		}
	}
	if len(open) == 0 {
		return nil
	}
	return slices.MinFunc(open, func(a, b *v1alpha1.BitcoinRequest) int {
		if started := isStarted(a); started != isStarted(b) {
			if started {
				return -1
			}
			return 1
		}
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
}

// NextSent returns the request whose coins have been on their way for longest; nil where
// there is none.
func NextSent(requests []v1alpha1.BitcoinRequest) *v1alpha1.BitcoinRequest {
	var next *v1alpha1.BitcoinRequest
	for i := range requests {
		sent := &requests[i]
		if sent.Status.Phase == v1alpha1.RequestSent && (next == nil || sent.Status.SentAt.Before(next.Status.SentAt)) {
			next = sent
		}
	}
	return next
}

func isStarted(request *v1alpha1.BitcoinRequest) bool {
	return request.Status.Phase == v1alpha1.RequestStarted
}

// Expires returns how long a request stays; only finished ones go.
func Expires(request *v1alpha1.BitcoinRequest, now time.Time) (in time.Duration, goes bool) {
	if !request.Status.Phase.IsFinished() || request.Status.FinishedAt == nil {
		return 0, false
	}
	ttl := time.Hour
	if request.Spec.TTL != nil {
		ttl = request.Spec.TTL.Duration
	}
	return max(request.Status.FinishedAt.Add(ttl).Sub(now), 0), true
}

// LongestLookUp is for how long it is tried to look up a request that was started, while
// no node tells.
const LongestLookUp = 10 * time.Minute

// Kind says what a request is for.
func Kind(request *v1alpha1.BitcoinRequest) string {
	if request.Spec.Pay != nil {
		return "pay"
	}
	return "mine"
}

// EventReason is the reason of the event on the network that tells of a request which
// came to its end after a node was told.
func EventReason(request *v1alpha1.BitcoinRequest) string {
	switch {
	case request.Status.Phase != v1alpha1.RequestSucceeded:
		return v1alpha1.RequestFailedEvent
	case request.Spec.Pay != nil:
		return v1alpha1.PaidEvent
	default:
		return v1alpha1.MinedEvent
	}
}

// CoinsOf returns the descriptor of who gets the coins of blocks that are asked for: an
// address, or the wallet from which the operator pays.
func CoinsOf(request *v1alpha1.BitcoinRequest, network *v1alpha1.BitcoinNetwork) string {
	if address := request.Spec.Mine.Address; address != "" {
		return bitcoind.PayTo(address)
	}
	wallet, err := bitcoind.WalletOf(string(network.UID))
	if err != nil {
		return bitcoind.Anyone
	}
	return wallet.Mined()
}
