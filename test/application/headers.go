package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/peer"
	"github.com/btcsuite/btcd/wire"
)

// followHeaders follows the chain by P2P, until ctx ends. What has come to an end it dials
// again.
func followHeaders(ctx context.Context, address string, journal *Journal) {
	genesis := Block{0, chaincfg.RegressionNetParams.GenesisHash.String()}
	journal.Do(func(ledger *Ledger, _ *Offers) { ledger.Connect(genesis, time.Now()) })
	for {
		if err := syncHeaders(ctx, address, journal); err != nil {
			log.Printf("syncing headers: %v", err)
		}
		if !sleep(ctx, time.Second) {
			return
		}
	}
}

// syncHeaders follows the chain over one connection, for as long as that stands.
func syncHeaders(ctx context.Context, address string, journal *Journal) error {
	p, err := peer.NewOutboundPeer(&peer.Config{
		UserAgentName: "application", UserAgentVersion: "1",
		ChainParams:    &chaincfg.RegressionNetParams,
		DisableRelayTx: true,
		Listeners: peer.MessageListeners{
			OnVerAck: func(p *peer.Peer, _ *wire.MsgVerAck) {
				journal.Begin()
				p.QueueMessage(wire.NewMsgSendHeaders(), nil)
				askHeaders(p, journal)
			},
			OnHeaders: func(p *peer.Peer, message *wire.MsgHeaders) {
				if connectHeaders(journal, message.Headers, time.Now()) {
					askHeaders(p, journal)
				}
			},
			OnInv: func(p *peer.Peer, _ *wire.MsgInv) { askHeaders(p, journal) },
		},
	}, address)
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	p.AssociateConnection(conn)
	defer context.AfterFunc(ctx, p.Disconnect)()
	p.WaitForDisconnect()
	return fmt.Errorf("%s has hung up", address)
}

// askHeaders asks for what comes after the blocks that are known.
func askHeaders(p *peer.Peer, journal *Journal) {
	message := wire.NewMsgGetHeaders()
	journal.Do(func(ledger *Ledger, _ *Offers) {
		// From the tip back, ever farther apart, to the first block.
		for height, step := ledger.tip(), int32(1); ; height, step = height-step, step*2 {
			height = max(height, ledger.first)
			hash, err := chainhash.NewHashFromStr(ledger.At(height))
			if err != nil || message.AddBlockLocatorHash(hash) != nil || height == ledger.first {
				return
			}
		}
	})
	p.QueueMessage(message, nil)
}

// connectHeaders tells the ledger of headers, and reports whether there is more to ask for:
// those between it and these, or those after as many as fit into a message.
func connectHeaders(journal *Journal, headers []*wire.BlockHeader, now time.Time) (more bool) {
	journal.Do(func(ledger *Ledger, _ *Offers) {
		for _, header := range headers {
			below, known := ledger.HeightOf(header.PrevBlock.String())
			if !known {
				more = true
				return
			}
			block := Block{below + 1, header.BlockHash().String()}
			if ledger.At(block.Height) != block.Hash {
				ledger.Rewind(below)
			}
			ledger.Connect(block, now)
		}
		more = len(headers) == wire.MaxBlockHeadersPerMsg
	})
	return more
}
