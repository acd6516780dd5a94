package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/btcsuite/btcwallet/chain"
	"github.com/btcsuite/btcwallet/waddrmgr"
)

// Config says where the network is, and as whom to follow it.
type Config struct {
	RPC             string // host:port
	ZMQBlock, ZMQTx string // tcp://host:port
	User            string
	PasswordFile    string
}

// password reads the password as it is now: who rotates it changes the file.
func (c Config) password() (string, error) {
	content, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(content), nil
}

// followAsLightning follows the chain as LND does, until ctx ends. LND reads its password
// when it starts: with another one it is started again, and so is this.
func followAsLightning(ctx context.Context, config Config, journal *Journal) {
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { watchPrimary(ctx, config, journal) })
	for {
		if err := session(ctx, config, journal); err != nil {
			log.Printf("following: %v", err)
		}
		if !sleep(ctx, time.Second) {
			return
		}
	}
}

// zmqPause is how long btcwallet waits before it tries to subscribe once more: LND's
// bitcoind.zmqreaddeadline, which is 5 s by default.
const zmqPause = time.Second

// session follows the chain until ctx ends, or the password is another.
func session(ctx context.Context, config Config, journal *Journal) error {
	password, err := config.password()
	if err != nil {
		return err
	}
	conn, err := chain.NewBitcoindConn(&chain.BitcoindConfig{
		ChainParams: &chaincfg.RegressionNetParams,
		Host:        config.RPC, User: config.User, Pass: password,
		ZMQConfig: &chain.ZMQConfig{ZMQBlockHost: config.ZMQBlock, ZMQTxHost: config.ZMQTx, ZMQReadDeadline: zmqPause},
	})
	if err != nil {
		return fmt.Errorf("connect to bitcoind: %w", err)
	}
	if err := conn.Start(); err != nil {
		return fmt.Errorf("subscribe to bitcoind: %w", err)
	}
	defer conn.Stop() // with its clients
	client := conn.NewBitcoindClient()
	if err := client.Start(); err != nil {
		return fmt.Errorf("follow bitcoind: %w", err)
	}
	if err := client.NotifyBlocks(); err != nil {
		return fmt.Errorf("be notified of blocks: %w", err)
	}
	stamp, err := client.BlockStamp()
	if err != nil {
		return err
	}
	if err := catchUp(client, journal, *stamp); err != nil {
		return fmt.Errorf("catch up: %w", err)
	}
	journal.Begin()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case notification := <-client.Notifications():
			notified(journal, notification, time.Now())
		case <-tick.C:
			if next, err := config.password(); err == nil && next != password {
				return nil
			}
		}
	}
}

// notified tells the ledger what btcwallet tells its wallet.
func notified(journal *Journal, notification any, now time.Time) {
	journal.Do(func(ledger *Ledger, _ *Offers) {
		switch it := notification.(type) {
		case chain.BlockConnected:
			ledger.Connect(Block{it.Height, it.Hash.String()}, now)
		case chain.BlockDisconnected:
			ledger.Disconnect(Block{it.Height, it.Hash.String()})
		}
	})
}

// headers are what catching up asks of a node.
type headers interface {
	GetBlockHeader(hash *chainhash.Hash) (*wire.BlockHeader, error)
}

// catchUp tells the ledger of the blocks up to one, from the last that it has in common
// with the chain: as LND does that was away.
func catchUp(node headers, journal *Journal, to waddrmgr.BlockStamp) error {
	var ledger Ledger
	journal.Do(func(l *Ledger, _ *Offers) { ledger = *l }) // nobody else changes it
	above := []Block{}
	hash, height := to.Hash, to.Height
	for ledger.Begun() && height >= ledger.first && ledger.At(height) != hash.String() {
		above = append(above, Block{height, hash.String()})
		header, err := node.GetBlockHeader(&hash)
		if err != nil {
			return err
		}
		hash, height = header.PrevBlock, height-1
	}
	if !ledger.Begun() {
		above = append(above, Block{height, hash.String()})
	}
	now := time.Now()
	journal.Do(func(ledger *Ledger, _ *Offers) {
		if ledger.Begun() {
			ledger.Rewind(height)
		}
		for i := range above {
			ledger.Connect(above[len(above)-1-i], now)
		}
	})
	return nil
}
