package request_test

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/request"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// pay returns a request for so much.
func pay(amount string) *v1alpha1.BitcoinRequest {
	asked := mine(1)
	asked.Spec.Mine, asked.Spec.Pay = nil, &v1alpha1.PayRequest{Address: someone, Amount: amount}
	return asked
}

// started returns a request for coins of which payments-1 has been told.
func started(amount string) *v1alpha1.BitcoinRequest {
	asked := pay(amount)
	request.Start(asked, request.Decision{Node: 1, Tip: state.Tip{Height: 7, Hash: "basebasebasebase"}}, statetest.Now)
	return asked
}

func TestDecideAboutCoins(t *testing.T) {
	counted := func(amount string) func(*request.Situation) {
		return network(func(n *v1alpha1.BitcoinNetwork) {
			n.Status.Requested = &v1alpha1.RequestedStatus{Day: "2026-01-02", Blocks: 1 << 40, Amount: amount}
		})
	}
	mistyped := pay("1")
	mistyped.Spec.Pay.Address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08q"
	for _, test := range []struct {
		reason         string
		asked          *v1alpha1.BitcoinRequest
		situation      request.Situation
		refused, waits string
		node           int
	}{
		{"the primary pays", pay("1"), of(statetest.Healthy(3), primary(2)), "", "", 2},
		{"without one, any node", pay("1"), of(statetest.Healthy(3)), "", "", 0},
		{"a primary that is silent is waited for, since it has the wallet", pay("1"), of(statetest.Seen(statetest.Silent(0, "it timed out"), statetest.NodeAt(1, 7, "a"), statetest.NodeAt(2, 7, "a")), primary(0)),
			"", "spec.network: payments-0, to which payments-primary leads, is not ready or lacks the last block", 0},
		{"a mistyped address", mistyped, of(statetest.Healthy(3)), "spec.pay.address: its checksum does not match: is a character mistyped or missing?", "", 0},
		{"the last of the day", pay("0.5"), of(statetest.Healthy(3), counted("999.5")), "", "", 0},
		{"more than that", pay("0.50000001"), of(statetest.Healthy(3), counted("999.5")), "spec.pay.amount: the platform allows 1000 BTC per network and day (UTC) in this namespace; this request would bring today's total to 1000.00000001", "", 0},
		{"less a day", pay("1"), of(statetest.Healthy(3), func(s *request.Situation) { s.Bounds = request.BoundsOf(map[string]string{"maxAmountADay": "0.1"}) }),
			"spec.pay.amount: the platform allows 0.1 BTC per network and day (UTC) in this namespace; this request would bring today's total to 1", "", 0},
		{"bounds that are no figures", pay("1"), of(statetest.Healthy(3), func(s *request.Situation) {
			s.Bounds = request.BoundsOf(map[string]string{"maxAmountADay": "Inf", "maxBlocksADay": "many"})
		}), "", "", 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			got := request.Decide(test.asked, test.situation)
			g.Expect(got.Refused).To(Equal(test.refused))
			g.Expect(got.Waits).To(Equal(test.waits))
			g.Expect(got.Node).To(Equal(test.node))
		})
	}
}

func TestDry(t *testing.T) {
	const btc = btcutil.SatoshiPerBitcoin
	for _, test := range []struct {
		reason string
		amount string
		funds  bitcoind.Funds
		height int64
		want   string
	}{
		{"there is enough", "49", bitcoind.Funds{Spendable: 50 * btc}, 101, ""},
		{"but for the fee", "50", bitcoind.Funds{Spendable: 50 * btc, Immature: 450 * btc}, 110,
			"spec.pay.amount: the wallet of payments has 50 BTC to spend, less than the amount and a fee; 450 more can be spent 100 blocks after they were mined, and the next block pays 50"},
		{"a young chain", "1", bitcoind.Funds{Immature: 500 * btc}, 10,
			"spec.pay.amount: the wallet of payments has 0 BTC to spend, less than the amount and a fee; 500 more can be spent 100 blocks after they were mined, and the next block pays 50"},
		{"a chain whose blocks bring less", "1", bitcoind.Funds{}, 1499,
			"spec.pay.amount: the wallet of payments has 0 BTC to spend, less than the amount and a fee; 0 more can be spent 100 blocks after they were mined, and the next block pays 0.04882812"},
		{"one whose next block is the last that brings anything", "1", bitcoind.Funds{}, 4948,
			"spec.pay.amount: the wallet of payments has 0 BTC to spend, less than the amount and a fee; 0 more can be spent 100 blocks after they were mined, and the next block pays 0.00000001"},
		{"one whose blocks bring nothing", "1", bitcoind.Funds{Spendable: btc / 2}, 4949,
			"spec.pay.amount: the wallet of payments has 0.5 BTC to spend, less than the amount and a fee; 0 more can be spent 100 blocks after they were mined, and new blocks pay nothing any more"},
		{"and that goes on", "1", bitcoind.Funds{}, 20_000,
			"spec.pay.amount: the wallet of payments has 0 BTC to spend, less than the amount and a fee; 0 more can be spent 100 blocks after they were mined, and new blocks pay nothing any more"},
	} {
		if got := request.Dry(pay(test.amount), test.funds, test.height); got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.reason, got, test.want)
		}
	}
}

// What the wallet tells of coins of whose payment nobody knows.
func TestFound(t *testing.T) {
	for _, test := range []struct {
		reason string
		found  bool
		after  time.Duration
		phase  v1alpha1.RequestPhase
		text   string
	}{
		{"they were sent", true, time.Hour, v1alpha1.RequestSent, "payments-1 sent 1.5 BTC, which a block must confirm"},
		{"not yet", false, 59 * time.Second, v1alpha1.RequestStarted, "sending the request to payments-1"},
		{"it knows nothing", false, time.Minute, v1alpha1.RequestUnknown,
			"the request was sent to payments-1, but its outcome is unknown: the wallet of that node has no such payment and may have been recreated; it is not sent again"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			asked := started("1.5")
			isNew := request.Found(asked, bitcoind.Payment{ID: "id"}, test.found, statetest.Now.Add(test.after))
			g.Expect(isNew).To(Equal(test.phase != v1alpha1.RequestStarted))
			g.Expect(asked.Status.Phase).To(Equal(test.phase))
			g.Expect(conditions.GetMessage(asked, meta.ReadyCondition)).To(Equal(test.text))
			g.Expect(asked.Status.TransactionID == "id").To(Equal(test.found))
		})
	}
}

// What becomes of coins that were sent.
func TestConfirm(t *testing.T) {
	for _, test := range []struct {
		reason        string
		confirmations int
		found         bool
		after         time.Duration
		phase         v1alpha1.RequestPhase
		mine          bool
		text          string
	}{
		{"they are in a block", 3, true, time.Second, v1alpha1.RequestSucceeded, false, "payments-1 sent 1.5 BTC to " + someone},
		{"somebody may mine yet", 0, true, 9 * time.Second, v1alpha1.RequestSent, false, "payments-1 sent 1.5 BTC, which a block must confirm"},
		{"nobody does", 0, true, 10 * time.Second, v1alpha1.RequestSent, true, "payments-1 sent 1.5 BTC, which a block must confirm"},
		{"a node has not heard of them yet", 0, false, 59 * time.Second, v1alpha1.RequestSent, false, "payments-1 sent 1.5 BTC, which a block must confirm"},
		{"no node has", 0, false, time.Minute, v1alpha1.RequestUnknown, false, "payments-1 sent 1.5 BTC, but no node that was asked knows transaction id any more; it is not sent again"},
		{"others have spent the coins", -1, true, time.Minute, v1alpha1.RequestUnknown, false, "payments-1 sent 1.5 BTC, but no node that was asked knows transaction id any more; it is not sent again"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			asked := started("1.5")
			request.Sent(asked, "id", statetest.Now)
			mine := request.Confirm(asked, bitcoind.Payment{ID: "id", Confirmations: test.confirmations}, test.found, statetest.Now.Add(test.after))
			g.Expect(mine).To(Equal(test.mine))
			g.Expect(asked.Status.Phase).To(Equal(test.phase))
			g.Expect(asked.Status.Confirmations).To(BeEquivalentTo(max(test.confirmations, 0)))
			g.Expect(conditions.GetMessage(asked, meta.ReadyCondition)).To(Equal(test.text))
		})
	}
	g := NewWithT(t)
	asked := started("1.5")
	request.Sent(asked, "id", statetest.Now)
	g.Expect(request.Unconfirmed(asked, "it has split", statetest.Now.Add(9*time.Minute))).To(BeFalse())
	g.Expect(request.Unconfirmed(asked, "it has split", statetest.Now.Add(10*time.Minute))).To(BeTrue())
	g.Expect(asked.Status.Phase).To(Equal(v1alpha1.RequestUnknown))
}
