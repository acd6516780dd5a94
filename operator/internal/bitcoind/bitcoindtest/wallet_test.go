package bitcoindtest_test

import (
	"errors"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/btcutil/v2"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

const btc = btcutil.SatoshiPerBitcoin

// openWallet opens the wallet of a network on a node.
func (s scenario) openWallet(node int) bitcoind.Wallet {
	s.t.Helper()
	wallet, err := bitcoind.WalletOf("a network")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.OpenWallet(s.t.Context(), s.endpoint(node), wallet); err != nil {
		s.t.Fatalf("node %d: %v", node, err)
	}
	return wallet
}

func (s scenario) mineFor(node, count int, descriptor string) {
	s.t.Helper()
	if _, err := s.Mine(s.t.Context(), s.endpoint(node), count, descriptor); err != nil {
		s.t.Fatalf("node %d: %v", node, err)
	}
}

// expectFunds waits until a node's wallet can spend so much, but for fees of some
// satoshis, and has so much that it cannot yet.
func (s scenario) expectFunds(node int, spendable, immature btcutil.Amount) {
	s.t.Helper()
	s.expect("funds of "+spendable.String()+" and "+immature.String(), func() bool {
		funds, err := s.Funds(s.t.Context(), s.endpoint(node))
		return err == nil && funds.Immature/btc == immature/btc && funds.Spendable <= spendable && spendable-funds.Spendable < btc/100
	})
}

func (s scenario) pay(node int, amount, comment string) string {
	s.t.Helper()
	id, err := s.Pay(s.t.Context(), s.endpoint(node), someone, amount, comment)
	if err != nil {
		s.t.Fatalf("node %d: %v", node, err)
	}
	return id
}

// expectPayment waits until a node tells so of a payment, found by its comment.
func (s scenario) expectPayment(node int, comment string, want bitcoind.Payment, wantFound bool) {
	s.t.Helper()
	s.expect("a payment that is found by its comment, or not", func() bool {
		got, found, err := s.FindPayment(s.t.Context(), s.endpoint(node), genesisHash, comment)
		return err == nil && got == want && found == wantFound
	})
}

func (s scenario) expectConfirmations(node int, id string, want int, wantFound bool) {
	s.t.Helper()
	s.expect("a payment with its confirmations, or none", func() bool {
		got, found, err := s.Confirmations(s.t.Context(), s.endpoint(node), id)
		return err == nil && got.Confirmations == want && found == wantFound
	})
}

func walletPays(s scenario) {
	wallet := s.openWallet(0)
	s.expectFunds(0, 0, 0)
	_, err := s.Pay(s.t.Context(), s.endpoint(0), someone, "1", "too early")
	var refused *btcjson.RPCError
	if !errors.As(err, &refused) || refused.Code != btcjson.ErrRPCWalletInsufficientFunds {
		s.t.Errorf("a wallet without coins pays: %v", err)
	}
	s.mineFor(0, 101, wallet.Mined())
	s.openWallet(0) // as often as one likes
	s.expectFunds(0, 50*btc, 5000*btc)

	id := s.pay(0, "1.50000000", "one")
	s.expectPayment(0, "one", bitcoind.Payment{ID: id}, true)
	s.expectPayment(0, "another", bitcoind.Payment{}, false)
	s.expectConfirmations(0, id, 0, true)
	s.expectFunds(0, 48*btc+btc/2, 5000*btc)
	if waiting := s.state(0).Mempool; waiting.Size != 1 || waiting.Bytes < 100 || waiting.Bytes > 300 {
		s.t.Errorf("the mempool has %+v, want the payment", waiting)
	}
	s.mineFor(0, 2, bitcoind.Anyone)
	s.expectPayment(0, "one", bitcoind.Payment{ID: id, Confirmations: 2}, true)
	s.expectConfirmations(0, id, 2, true)
	s.expectConfirmations(0, genesisHash, 0, false)
}

func walletIsTheSame(s scenario) {
	wallet := s.openWallet(0)
	s.update(0, nil, names(s.name(1)), names(s.name(1)))
	s.expectLink(0, 1)
	s.mineFor(0, 102, wallet.Mined())
	s.expectTips(102, 0, 1)
	id := s.pay(0, "0.5", "one")
	s.mineFor(0, 1, bitcoind.Anyone)
	s.expectTips(103, 0, 1)

	s.openWallet(1)
	s.expectFunds(1, 150*btc-btc/2, 4950*btc)
	s.expectConfirmations(1, id, 1, true)
	s.expectPayment(1, "one", bitcoind.Payment{}, false)
	s.pay(1, "120", "another") // change, too, is known there
}

func walletRestarts(s scenario) {
	wallet := s.openWallet(0)
	s.mineFor(0, 101, wallet.Mined())
	id := s.pay(0, "0.5", "one")
	s.restart(0)
	s.openWallet(0)
	s.expectPayment(0, "one", bitcoind.Payment{ID: id}, true)
	s.mineFor(0, 1, bitcoind.Anyone)
	s.expectConfirmations(0, id, 1, true)
}
