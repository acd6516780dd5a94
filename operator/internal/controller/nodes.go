package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/observe"
)

// Nodes is what is asked of bitcoind nodes, and what they are told. *bitcoind.Client
// has it.
type Nodes interface {
	observe.Nodes
	// UpdatePeers changes the peers of a node.
	UpdatePeers(ctx context.Context, endpoint bitcoind.Endpoint, change bitcoind.PeerChange) error
	// Mine has a node make blocks.
	Mine(ctx context.Context, endpoint bitcoind.Endpoint, count int, descriptor string) ([]string, error)
	// OpenWallet has a node know the wallet from which the operator pays.
	OpenWallet(ctx context.Context, endpoint bitcoind.Endpoint, wallet bitcoind.Wallet) error
	// Funds asks a node for the coins of that wallet.
	Funds(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.Funds, error)
	// Pay has a node pay from it.
	Pay(ctx context.Context, endpoint bitcoind.Endpoint, address, amount, comment string) (string, error)
	// FindPayment asks a node for a payment by its comment.
	FindPayment(ctx context.Context, endpoint bitcoind.Endpoint, since, comment string) (bitcoind.Payment, bool, error)
	// Confirmations asks a node for a payment by its transaction.
	Confirmations(ctx context.Context, endpoint bitcoind.Endpoint, id string) (bitcoind.Payment, bool, error)
	// Shutdown has a node end.
	Shutdown(ctx context.Context, endpoint bitcoind.Endpoint) error
}

// meteredNodes counts and times the requests to a network's nodes.
type meteredNodes struct {
	Nodes
	metrics *metrics.Collector
	network types.NamespacedName
}

func (m meteredNodes) requested(since time.Time, err error) {
	m.metrics.Requested(m.network, bitcoind.Outcome(err), time.Since(since))
}

// Check implements Nodes.
func (m meteredNodes) Check(ctx context.Context, endpoint bitcoind.Endpoint) (state bitcoind.State, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Check(ctx, endpoint)
}

// Accepts implements Nodes. A node that says no has answered.
func (m meteredNodes) Accepts(ctx context.Context, endpoint bitcoind.Endpoint) (accepts bool, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Accepts(ctx, endpoint)
}

// UpdatePeers implements Nodes.
func (m meteredNodes) UpdatePeers(ctx context.Context, endpoint bitcoind.Endpoint, change bitcoind.PeerChange) (err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.UpdatePeers(ctx, endpoint, change)
}

// BlockHashes implements Nodes.
func (m meteredNodes) BlockHashes(ctx context.Context, endpoint bitcoind.Endpoint, heights []int32) (hashes []string, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.BlockHashes(ctx, endpoint, heights)
}

// InvalidTips implements Nodes.
func (m meteredNodes) InvalidTips(ctx context.Context, endpoint bitcoind.Endpoint) (tips []bitcoind.Tip, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.InvalidTips(ctx, endpoint)
}

// Mine implements Nodes.
func (m meteredNodes) Mine(ctx context.Context, endpoint bitcoind.Endpoint, count int, descriptor string) (hashes []string, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Mine(ctx, endpoint, count, descriptor)
}

// OpenWallet implements Nodes.
func (m meteredNodes) OpenWallet(ctx context.Context, endpoint bitcoind.Endpoint, wallet bitcoind.Wallet) (err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.OpenWallet(ctx, endpoint, wallet)
}

// Funds implements Nodes.
func (m meteredNodes) Funds(ctx context.Context, endpoint bitcoind.Endpoint) (funds bitcoind.Funds, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Funds(ctx, endpoint)
}

// Pay implements Nodes.
func (m meteredNodes) Pay(ctx context.Context, endpoint bitcoind.Endpoint, address, amount, comment string) (id string, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Pay(ctx, endpoint, address, amount, comment)
}

// FindPayment implements Nodes.
func (m meteredNodes) FindPayment(ctx context.Context, endpoint bitcoind.Endpoint, since, comment string) (payment bitcoind.Payment, found bool, err error) {
	defer func(at time.Time) { m.requested(at, err) }(time.Now())
	return m.Nodes.FindPayment(ctx, endpoint, since, comment)
}

// Confirmations implements Nodes.
func (m meteredNodes) Confirmations(ctx context.Context, endpoint bitcoind.Endpoint, id string) (payment bitcoind.Payment, found bool, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Confirmations(ctx, endpoint, id)
}

// Tip implements Nodes.
func (m meteredNodes) Tip(ctx context.Context, address string) (tip bitcoind.Tip, err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Tip(ctx, address)
}

// Shutdown implements Nodes.
func (m meteredNodes) Shutdown(ctx context.Context, endpoint bitcoind.Endpoint) (err error) {
	defer func(since time.Time) { m.requested(since, err) }(time.Now())
	return m.Nodes.Shutdown(ctx, endpoint)
}
