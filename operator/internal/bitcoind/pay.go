package bitcoind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// walletName is what the wallet from which the operator pays is called on nodes.
	walletName = "bitcoin-operator"
	// scanTimeout is how long is waited for a node to go through its chain for a wallet,
	// which it does to the end.
	scanTimeout = 5 * time.Second
	// payTimeout is how long it may take to choose coins and sign.
	payTimeout = 10 * time.Second
	// errWalletLoaded is the code of an error that btcd does not know: RPC_WALLET_ALREADY_LOADED.
	errWalletLoaded btcjson.RPCErrorCode = -35
	// maxTransactions is how many of a wallet's are read.
	maxTransactions = 1000
)

// ErrScanning reports that a node goes through its chain for the wallet, which has not
// all of its coins yet.
var ErrScanning = errors.New("its wallet is scanning the chain")

// Funds are the coins of a wallet, in satoshis.
type Funds struct {
	// Spendable can be paid; Immature are those of blocks that have less than 100 on them.
	Spendable, Immature btcutil.Amount
}

// Payment is a transaction of a wallet.
type Payment struct {
	ID string
	// Confirmations is how many blocks it has, its own included; 0 while it is in none,
	// and less than that where others have spent its coins.
	Confirmations int
}

// OpenWallet has a node know the wallet with all of its coins: it is loaded, or made
// where it is not there, and the chain is gone through for it. ErrScanning tells that
// this takes its time.
func (c *Client) OpenWallet(ctx context.Context, endpoint Endpoint, wallet Wallet) error {
	isLoaded, err := c.isLoaded(ctx, endpoint)
	if err != nil {
		return err
	}
	if !isLoaded {
		if err := c.load(ctx, endpoint); err != nil {
			return asScan(err)
		}
	}
	hasKeys, err := c.hasKeys(ctx, endpoint)
	switch {
	case err != nil:
		return err
	case !hasKeys: // or whoever made it was killed before it could
		return asScan(c.importKeys(ctx, endpoint, wallet))
	case !isLoaded: // a node that was stopped may not have come to the end of its chain
		endpoint.wallet = walletName
		return asScan(c.do(ctx, endpoint, scanTimeout, tell("rescanblockchain", 0)))
	default:
		return nil
	}
}

func (c *Client) isLoaded(ctx context.Context, endpoint Endpoint) (bool, error) {
	wallets := list[string]{limit: maxTransactions}
	if err := c.do(ctx, endpoint, checkTimeout, call{method: "listwallets", result: &wallets}); err != nil {
		return false, err
	}
	return slices.Contains(wallets.items, walletName), nil
}

// load loads the wallet, or makes it where there is none, without keys.
func (c *Client) load(ctx context.Context, endpoint Endpoint) error {
	err := c.do(ctx, endpoint, scanTimeout, tell("loadwallet", walletName))
	if hasCode(err, btcjson.ErrRPCWalletNotFound) {
		const disablePrivateKeys, blank = false, true
		err = c.do(ctx, endpoint, checkTimeout, tell("createwallet", walletName, disablePrivateKeys, blank))
	}
	if hasCode(err, errWalletLoaded) {
		return nil
	}
	return err
}

// hasKeys reports whether the wallet, which is loaded, has its keys. While it is scanned
// it has not all of its coins.
func (c *Client) hasKeys(ctx context.Context, endpoint Endpoint) (bool, error) {
	var info struct {
		KeyPoolSize int            `json:"keypoolsize"`
		Scanning    jsontext.Value `json:"scanning"`
	}
	endpoint.wallet = walletName
	if err := c.do(ctx, endpoint, checkTimeout, call{method: "getwalletinfo", result: &info}); err != nil {
		return false, err
	}
	if scanning := string(info.Scanning); scanning != "" && scanning != "false" {
		return false, ErrScanning
	}
	return info.KeyPoolSize > 0, nil
}

// importKeys has a node's wallet have the keys, and their coins since the first block.
func (c *Client) importKeys(ctx context.Context, endpoint Endpoint, wallet Wallet) error {
	type key struct {
		Descriptor string `json:"desc"`
		Active     bool   `json:"active"`
		Internal   bool   `json:"internal"`
		Timestamp  int    `json:"timestamp"`
	}
	received, change := wallet.descriptors()
	keys := []key{{Descriptor: received, Active: true}, {Descriptor: change, Active: true, Internal: true}}
	for i := range keys {
		var info struct {
			Checksum string `json:"checksum"`
		}
		if err := c.do(ctx, endpoint, checkTimeout, call{"getdescriptorinfo", []any{keys[i].Descriptor}, &info}); err != nil {
			return err
		}
		keys[i].Descriptor += "#" + info.Checksum
	}
	results := list[struct {
		Success bool              `json:"success"`
		Error   *btcjson.RPCError `json:"error"`
	}]{limit: len(keys)}
	endpoint.wallet = walletName
	if err := c.do(ctx, endpoint, scanTimeout, call{"importdescriptors", []any{keys}, &results}); err != nil {
		return err
	}
	for _, key := range results.items {
		if !key.Success && key.Error != nil {
			key.Error.Message = printable(key.Error.Message)
			return fmt.Errorf("importdescriptors: %w", key.Error)
		}
	}
	return nil
}

// Funds asks a node for the coins of the wallet, which must be open there.
func (c *Client) Funds(ctx context.Context, endpoint Endpoint) (Funds, error) {
	var balances struct {
		Mine struct {
			Trusted  float64 `json:"trusted"`
			Immature float64 `json:"immature"`
		} `json:"mine"`
	}
	endpoint.wallet = walletName
	if err := c.ask(ctx, endpoint, call{method: "getbalances", result: &balances}); err != nil {
		return Funds{}, err
	}
	spendable, err := btcutil.NewAmount(balances.Mine.Trusted)
	if err != nil {
		return Funds{}, fmt.Errorf("getbalances: %w: %w", ErrAnswer, err)
	}
	immature, err := btcutil.NewAmount(balances.Mine.Immature)
	if err != nil {
		return Funds{}, fmt.Errorf("getbalances: %w: %w", ErrAnswer, err)
	}
	return Funds{Spendable: spendable, Immature: immature}, nil
}

// Pay has a node pay an amount, in BTC, from the wallet, which must be open there, and
// returns the transaction. The wallet keeps a comment with it, by which it is found again
// where the answer is lost.
func (c *Client) Pay(ctx context.Context, endpoint Endpoint, address, amount, comment string) (string, error) {
	var id string
	endpoint.wallet = walletName
	if err := c.do(ctx, endpoint, payTimeout, call{"sendtoaddress", []any{address, amount, comment}, &id}); err != nil {
		return "", err
	}
	if !isHash(id) {
		return "", fmt.Errorf("sendtoaddress: %w: not a transaction", ErrAnswer)
	}
	return id, nil
}

// FindPayment looks for a payment with that comment in the wallet, which must be open at
// the node, since a block. A wallet that was made anew knows of no comments.
func (c *Client) FindPayment(ctx context.Context, endpoint Endpoint, since, comment string) (payment Payment, found bool, err error) {
	var answer struct {
		Transactions list[struct {
			ID            string `json:"txid"`
			Category      string `json:"category"`
			Comment       string `json:"comment"`
			Confirmations int    `json:"confirmations"`
		}] `json:"transactions"`
	}
	answer.Transactions.limit = maxTransactions
	endpoint.wallet = walletName
	if err := c.ask(ctx, endpoint, call{"listsinceblock", []any{since}, &answer}); err != nil {
		return Payment{}, false, err
	}
	if answer.Transactions.items == nil {
		return Payment{}, false, fmt.Errorf("listsinceblock: %w: there are no transactions", ErrAnswer)
	}
	for _, transaction := range answer.Transactions.items {
		if transaction.Category == "send" && transaction.Comment == comment && isHash(transaction.ID) {
			return Payment{ID: transaction.ID, Confirmations: transaction.Confirmations}, true, nil
		}
	}
	return Payment{}, false, nil
}

// Confirmations asks a node how many blocks a payment of the wallet has, which must be
// open there. It is not found where the node has never heard of it.
func (c *Client) Confirmations(ctx context.Context, endpoint Endpoint, id string) (payment Payment, found bool, err error) {
	var transaction struct {
		Confirmations int `json:"confirmations"`
	}
	endpoint.wallet = walletName
	err = c.ask(ctx, endpoint, call{"gettransaction", []any{id}, &transaction})
	if hasCode(err, btcjson.ErrRPCInvalidAddressOrKey) {
		return Payment{}, false, nil
	}
	return Payment{ID: id, Confirmations: transaction.Confirmations}, err == nil, err
}

// ask asks the node that is to be at an endpoint for something.
func (c *Client) ask(ctx context.Context, endpoint Endpoint, what call) error {
	var node NetworkInfo
	failed, over, err := c.batch(ctx, endpoint, []call{whoAreYou(&node), what})
	if err != nil {
		return err
	}
	if err := endpoint.recognize(over, failed[0], node); err != nil {
		return err
	}
	return what.refused(failed[1])
}

// do has the node at an endpoint do one thing, once.
func (c *Client) do(ctx context.Context, endpoint Endpoint, timeout time.Duration, what call) error {
	failed, err := c.order(ctx, endpoint, timeout, []call{what}, false)
	if err != nil {
		return err
	}
	return what.refused(failed[0])
}

// refused returns the error that a node has for a call, if any.
func (c call) refused(failed *btcjson.RPCError) error {
	if failed == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", c.method, failed)
}

// asScan tells that a node is about to go through its chain, where it did not answer in
// time or says so.
func asScan(err error) error {
	if IsTimeout(err) && !IsRefusal(err) {
		return ErrScanning
	}
	return err
}

// hasCode reports whether a node said an error of that code.
func hasCode(err error, code btcjson.RPCErrorCode) bool {
	var rpcError *btcjson.RPCError
	return errors.As(err, &rpcError) && rpcError.Code == code
}
