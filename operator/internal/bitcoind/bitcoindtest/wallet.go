package bitcoindtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/btcutil/v2"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// wallet is what a node has on its volume of the wallet from which the operator pays.
type wallet struct {
	keys     bitcoind.Wallet
	comments map[string]string // transactions by comment
}

// payment is a transaction that pays from a wallet. It costs no fee.
type payment struct {
	id     string
	from   bitcoind.Wallet
	amount btcutil.Amount
}

const (
	// maturity is how many blocks the coins of a block wait for until they can be spent.
	maturity = 100
	// halving is after how many blocks of regtest they bring half as much.
	halving = 150
)

// OpenWallet does what (*bitcoind.Client).OpenWallet does.
func (n *Network) OpenWallet(ctx context.Context, endpoint bitcoind.Endpoint, keys bitcoind.Wallet) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.answering(ctx, endpoint)
	if err != nil {
		return err
	}
	if node.wallet == nil {
		node.wallet = &wallet{keys: keys, comments: map[string]string{}}
	}
	return nil
}

// Funds does what (*bitcoind.Client).Funds does.
func (n *Network) Funds(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.Funds, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.withWallet(ctx, endpoint)
	if err != nil {
		return bitcoind.Funds{}, err
	}
	return node.funds(), nil
}

// Pay does what (*bitcoind.Client).Pay does. The nodes that the node can reach hear of it
// at once.
func (n *Network) Pay(ctx context.Context, endpoint bitcoind.Endpoint, _, amount, comment string) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.withWallet(ctx, endpoint)
	if err != nil {
		return "", err
	}
	btc, err := strconv.ParseFloat(amount, 64)
	if err != nil {
		return "", &btcjson.RPCError{Code: btcjson.ErrRPCType, Message: "Invalid amount"}
	}
	paid, _ := btcutil.NewAmount(btc)
	if paid > node.funds().Spendable {
		return "", &btcjson.RPCError{Code: btcjson.ErrRPCWalletInsufficientFunds, Message: "Insufficient funds"}
	}
	n.serial++
	id := sha256.Sum256(fmt.Appendf(nil, "payment %d", n.serial))
	sent := &payment{id: hex.EncodeToString(id[:]), from: node.wallet.keys, amount: paid}
	node.wallet.comments[comment] = sent.id
	node.hear(sent)
	return sent.id, nil
}

// FindPayment does what (*bitcoind.Client).FindPayment does, since the first block.
func (n *Network) FindPayment(ctx context.Context, endpoint bitcoind.Endpoint, _, comment string) (bitcoind.Payment, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.withWallet(ctx, endpoint)
	if err != nil {
		return bitcoind.Payment{}, false, err
	}
	id, known := node.wallet.comments[comment]
	if !known {
		return bitcoind.Payment{}, false, nil
	}
	confirmations, _ := node.confirmations(id)
	return bitcoind.Payment{ID: id, Confirmations: confirmations}, true, nil
}

// Confirmations does what (*bitcoind.Client).Confirmations does.
func (n *Network) Confirmations(ctx context.Context, endpoint bitcoind.Endpoint, id string) (bitcoind.Payment, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, err := n.withWallet(ctx, endpoint)
	if err != nil {
		return bitcoind.Payment{}, false, err
	}
	confirmations, found := node.confirmations(id)
	if !found {
		return bitcoind.Payment{}, false, nil
	}
	return bitcoind.Payment{ID: id, Confirmations: confirmations}, true, nil
}

// Paid returns what has been paid from the wallet of the node at an address, by its chain
// and what it has heard of: how often, and how much.
func (n *Network) Paid(address string) (times int, amount btcutil.Amount) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, sent := range n.at(address).known() {
		times, amount = times+1, amount+sent.amount
	}
	return times, amount
}

// withWallet returns the node at an endpoint, which has its wallet open.
func (n *Network) withWallet(ctx context.Context, endpoint bitcoind.Endpoint) (*node, error) {
	node, err := n.answering(ctx, endpoint)
	if err == nil && node.wallet == nil {
		return nil, &btcjson.RPCError{Code: btcjson.ErrRPCWalletNotFound, Message: "Requested wallet does not exist or is not loaded"}
	}
	return node, err
}

// hear has a node, and those that it can reach, know of a payment.
func (n *node) hear(sent *payment) {
	if n.frozen || slices.Contains(n.mempool, sent) {
		return
	}
	n.mempool = append(n.mempool, sent)
	for _, c := range n.connections {
		_, other := c.ends(n)
		other.node.hear(sent)
	}
}

// known returns all payments of which a node knows.
func (n *node) known() []*payment {
	known := slices.Clone(n.mempool)
	for block := n.tip; block != genesis; block = block.parent {
		for _, sent := range block.payments {
			if !slices.Contains(known, sent) {
				known = append(known, sent)
			}
		}
	}
	return known
}

// unconfirmed returns those that are in no block of its chain.
func (n *node) unconfirmed() []*payment {
	return slices.DeleteFunc(slices.Clone(n.mempool), func(sent *payment) bool {
		confirmations, _ := n.confirmations(sent.id)
		return confirmations > 0
	})
}

func (n *node) confirmations(id string) (count int, found bool) {
	for block := n.tip; block != genesis; block = block.parent {
		if slices.ContainsFunc(block.payments, func(sent *payment) bool { return sent.id == id }) {
			return int(n.tip.height-block.height) + 1, true
		}
	}
	return 0, slices.ContainsFunc(n.mempool, func(sent *payment) bool { return sent.id == id })
}

func (n *node) funds() bitcoind.Funds {
	var funds bitcoind.Funds
	for block := n.tip; block != genesis; block = block.parent {
		switch reward := btcutil.Amount(50*btcutil.SatoshiPerBitcoin) >> (block.height / halving); {
		case block.descriptor != n.wallet.keys.Mined():
		case n.tip.height-block.height >= maturity:
			funds.Spendable += reward
		default:
			funds.Immature += reward
		}
	}
	for _, sent := range n.known() {
		if sent.from == n.wallet.keys {
			funds.Spendable -= sent.amount
		}
	}
	return funds
}
