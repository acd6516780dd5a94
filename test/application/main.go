// Command application is what a team runs against its network, in another namespace: it
// follows the chain through one address, as LND does or by P2P, and keeps account of it.
// The end-to-end tests ask it for that account.
//
//	application lightning   by RPC and ZMQ, with btcwallet's chain package, LND's own backend
//	application headers     by P2P, with btcd's peer package
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/btcsuite/btclog"
	"github.com/btcsuite/btcwallet/chain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv); err != nil {
		log.Fatal(err)
	}
}

// run follows the chain as the arguments say until ctx ends, and answers questions about it.
func run(ctx context.Context, args []string, env func(string) string) error {
	if len(args) != 1 {
		return errors.New("say lightning or headers")
	}
	journal := &Journal{}
	var follow func(context.Context)
	switch args[0] {
	case "lightning":
		chain.UseLogger(btclog.NewBackend(os.Stderr).Logger("CHAIN"))
		config := Config{
			RPC: env("RPC"), ZMQBlock: env("ZMQ_RAWBLOCK"), ZMQTx: env("ZMQ_RAWTX"),
			User: env("RPC_USER"), PasswordFile: env("RPC_PASSWORD_FILE"),
		}
		follow = func(ctx context.Context) { followAsLightning(ctx, config, journal) }
	case "headers":
		follow = func(ctx context.Context) { followHeaders(ctx, env("P2P"), journal) }
	default:
		return fmt.Errorf("%q is neither lightning nor headers", args[0])
	}
	listener, err := net.Listen("tcp", env("LISTEN"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: journal, ReadHeaderTimeout: 5 * time.Second}
	var running sync.WaitGroup
	running.Go(func() { follow(ctx) })
	running.Go(func() {
		<-ctx.Done()
		_ = server.Close()
	})
	err = server.Serve(listener)
	running.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// A Journal is what an application knows, and whoever asks it.
type Journal struct {
	mu       sync.Mutex
	ledger   Ledger
	offers   Offers
	sessions int
}

// An Account is what a journal says at a moment.
type Account struct {
	Tip       Block    `json:"tip"`
	First     int32    `json:"first"`
	Chain     []string `json:"chain"` // the hashes from First on
	Missed    []string `json:"missed"`
	Repeated  int      `json:"repeated"`
	TakenBack int      `json:"takenBack"`
	Waits     []Wait   `json:"waits"`    // for each tip that was offered
	Away      []Span   `json:"away"`     // when there was no primary
	Sessions  int      `json:"sessions"` // how often it has begun to follow
}

// Do has something done with the journal that nobody else does at the time.
func (j *Journal) Do(something func(ledger *Ledger, offers *Offers)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	something(&j.ledger, &j.offers)
}

// Begin notes that the application has begun to follow, and is up to date.
func (j *Journal) Begin() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sessions++
}

// Account gives account of what is known.
func (j *Journal) Account(now time.Time) Account {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := &j.ledger
	return Account{
		Tip: l.Tip(), First: l.first, Chain: append([]string{}, l.hashes...), Missed: l.missed, Repeated: l.repeated, TakenBack: l.takenBack,
		Waits: j.offers.Waits(l, now), Away: append([]Span{}, j.offers.away...), Sessions: j.sessions,
	}
}

// ServeHTTP answers every question with the account.
func (j *Journal) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(j.Account(time.Now()))
}

// sleep waits, and reports whether ctx still goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
