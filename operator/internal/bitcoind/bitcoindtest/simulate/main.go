// Command simulate serves a network of simulated bitcoind nodes on addresses of this
// machine, for benchmarks of what talks to them. It is told over HTTP on a Unix socket what
// the nodes do, and ends with its standard input.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
)

// tick is how exactly the nodes know the time.
const tick = 10 * time.Millisecond

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("the one argument is the path of the Unix socket to be told things on")
	}
	network := bitcoindtest.NewNetwork()
	network.ElapseUntil(time.Now())
	server := bitcoindtest.NewServer(network)
	defer server.Close()
	go func() {
		for now := range time.Tick(tick) {
			network.ElapseUntil(now)
		}
	}()

	listener, err := net.Listen("unix", args[0])
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	control := &http.Server{Handler: handler(server)}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = control.Close()
	}()
	if err := control.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// node is one to start.
type node struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Comment  string `json:"comment"`
	User     string `json:"user"`
	Password string `json:"password"`
}

func handler(server *bitcoindtest.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /nodes", func(w http.ResponseWriter, r *http.Request) {
		var wanted node
		err := json.NewDecoder(r.Body).Decode(&wanted)
		if err == nil {
			err = server.Serve(wanted.Address, wanted.Name, wanted.Comment, bitcoind.NewCredentials(wanted.User, wanted.Password))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	// Of a node that does not run nothing is to be done.
	mux.HandleFunc("DELETE /nodes/{address}", func(_ http.ResponseWriter, r *http.Request) { server.End(r.PathValue("address")) })
	mux.HandleFunc("POST /nodes/{address}/freeze", func(w http.ResponseWriter, r *http.Request) {
		if !server.Runs(r.PathValue("address")) {
			http.NotFound(w, r)
			return
		}
		server.Freeze(r.PathValue("address"))
	})
	mux.HandleFunc("GET /nodes/{address}/peers", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(server.Peers(r.PathValue("address"))) // whoever asked may have gone
	})
	mux.HandleFunc("POST /connect-added", func(http.ResponseWriter, *http.Request) { server.ConnectAdded() })
	mux.HandleFunc("GET /traffic", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(server.Traffic())
	})
	return mux
}
