package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Both applications follow a real node that is stopped, killed, and goes on with another
// chain, and a password that is changed under them.
func TestApplicationsFollowARealNode(t *testing.T) {
	node := newNode(t)
	node.start("first")
	node.mine(1)
	password := filepath.Join(t.TempDir(), "password")
	write(t, password, "first")
	env := map[string]string{
		"RPC": node.at("rpc"), "ZMQ_RAWBLOCK": "tcp://" + node.at("rawblock"), "ZMQ_RAWTX": "tcp://" + node.at("rawtx"), "P2P": "localhost:" + node.ports["p2p"],
		"RPC_USER": "lnd", "RPC_PASSWORD_FILE": password,
	}
	lightning, headers := node.run("lightning", env), node.run("headers", env)

	node.mineUntilSeen("the first blocks", lightning, headers)
	node.end(syscall.SIGTERM)
	node.start("first", "second")
	node.mineUntilSeen("blocks after a restart", lightning, headers)
	node.call(nil, "gettxoutsetinfo") // writes all to the disk: btcwallet is lost where a node forgets blocks
	node.end(syscall.SIGKILL)
	node.start("first", "second")
	node.mineUntilSeen("blocks after a crash", lightning, headers)

	write(t, password, "second")
	node.until("the new password", func() bool { return lightning().Sessions == 2 })
	node.end(syscall.SIGTERM)
	node.start("second")
	node.mineUntilSeen("blocks with the new password", lightning, headers)

	node.call(nil, "invalidateblock", lightning().Tip.Hash)
	node.mine(1)
	node.mineUntilSeen("another branch", lightning, headers)
	if got := lightning().TakenBack; got == 0 {
		t.Error("it was not told that a block was taken back")
	}

	for name, account := range map[string]Account{"lightning": lightning(), "headers": headers()} {
		if len(account.Missed) > 0 {
			t.Errorf("%s was not told %q", name, account.Missed)
		}
		for i, hash := range account.Chain {
			var want string
			if node.call(&want, "getblockhash", account.First+int32(i)); hash != want {
				t.Errorf("%s: block %d is %s, want %s", name, account.First+int32(i), hash, want)
			}
		}
		for _, wait := range account.Waits {
			if wait.Waited > 5*time.Second {
				t.Errorf("%s waited %s for block %d", name, wait.Waited, wait.Height)
			}
		}
	}
	account := lightning()
	if len(account.Waits) == 0 || len(account.Away) < 3 {
		t.Errorf("%d tips were offered, and nobody was there %d times", len(account.Waits), len(account.Away))
	}
}

// A node is a real bitcoind that can be ended and started again.
type node struct {
	t       *testing.T
	program string
	dir     string
	ports   map[string]string
	process *exec.Cmd
	mined   int
}

func newNode(t *testing.T) *node {
	t.Helper()
	program := os.Getenv("TEST_BITCOIND")
	switch {
	case testing.Short():
		t.Skip("starts a real node, which -short forbids")
	case program == "":
		t.Skip("TEST_BITCOIND names no bitcoind; make test sets it to .local/bin/bitcoind")
	}
	n := &node{t: t, program: program, dir: t.TempDir(), ports: map[string]string{}}
	for _, port := range []string{"rpc", "p2p", "rawblock", "rawtx"} {
		n.ports[port] = freePort(t)
	}
	t.Cleanup(func() { n.end(syscall.SIGKILL) })
	return n
}

func (n *node) at(port string) string { return "127.0.0.1:" + n.ports[port] }

// start starts the node, which accepts these passwords of the user lnd, and the test's own.
func (n *node) start(passwords ...string) {
	n.t.Helper()
	args := []string{
		"-regtest", "-datadir=" + n.dir, "-server", "-printtoconsole=0", "-nodebuglogfile", "-dnsseed=0", "-listenonion=0", "-fallbackfee=0.0001",
		"-bind=" + n.at("p2p"), "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-rpcport=" + n.ports["rpc"],
		"-zmqpubrawblock=tcp://" + n.at("rawblock"), "-zmqpubrawtx=tcp://" + n.at("rawtx"),
		"-rpcauth=" + rpcauth("test", "test"),
	}
	for _, password := range passwords {
		args = append(args, "-rpcauth="+rpcauth("lnd", password))
	}
	n.process = exec.Command(n.program, args...)
	n.process.Stderr = os.Stderr
	if err := n.process.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.until("the node to start", func() bool { return n.ask(nil, "getblockcount") == nil })
}

// rpcauth is how bitcoind is told of a user.
func rpcauth(user, password string) string {
	const salt = "salt"
	code := hmac.New(sha256.New, []byte(salt))
	code.Write([]byte(password))
	return fmt.Sprintf("%s:%s$%x", user, salt, code.Sum(nil))
}

func (n *node) end(by syscall.Signal) {
	if n.process == nil {
		return
	}
	_ = n.process.Process.Signal(by)
	_ = n.process.Wait()
	n.process = nil
}

func (n *node) mine(blocks int) {
	n.t.Helper()
	n.mined++ // no block is like another, of the same second and height
	n.call(nil, "generatetodescriptor", blocks, fmt.Sprintf("raw(04%08x)", n.mined))
}

// mineUntilSeen mines block after block, as a network does, until all have seen the last.
func (n *node) mineUntilSeen(what string, applications ...func() Account) {
	n.t.Helper()
	mined := time.Time{}
	n.until(what, func() bool {
		if time.Since(mined) > time.Second {
			n.mine(1)
			mined = time.Now()
		}
		var tip string
		n.call(&tip, "getbestblockhash")
		for _, account := range applications {
			if account().Tip.Hash != tip {
				return false
			}
		}
		return true
	})
}

// until waits until something is so.
func (n *node) until(what string, is func() bool) {
	n.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(30 * time.Second); !is(); {
		select {
		case <-end:
			n.t.Fatalf("%s: not within 30 s", what)
		case <-tick.C:
		}
	}
}

func (n *node) call(result any, method string, params ...any) {
	n.t.Helper()
	if err := n.ask(result, method, params...); err != nil {
		n.t.Fatalf("%s: %v", method, err)
	}
}

func (n *node) ask(result any, method string, params ...any) error {
	question, err := json.Marshal(map[string]any{"method": method, "params": append([]any{}, params...)})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, "http://"+n.at("rpc")+"/", bytes.NewReader(question))
	if err != nil {
		return err
	}
	request.SetBasicAuth("test", "test")
	response, err := fresh.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct{ Result, Error json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if string(answer.Error) != "null" {
		return fmt.Errorf("%s", answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// run runs an application until the test ends, and returns whom to ask for its account.
func (n *node) run(what string, env map[string]string) func() Account {
	listen := "127.0.0.1:" + freePort(n.t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{what}, func(name string) string {
			if name == "LISTEN" {
				return listen
			}
			return env[name]
		})
	}()
	n.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			n.t.Errorf("%s: %v", what, err)
		}
	})
	ask := func() (account Account, err error) {
		response, err := fresh.Get("http://" + listen + "/")
		if err != nil {
			return account, err
		}
		defer response.Body.Close()
		return account, json.NewDecoder(response.Body).Decode(&account)
	}
	n.until(what+" to follow", func() bool {
		account, err := ask()
		return err == nil && account.Sessions == 1
	})
	return func() Account {
		account, err := ask()
		if err != nil {
			n.t.Fatalf("%s: %v", what, err)
		}
		return account
	}
}

func freePort(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func write(t *testing.T, file, content string) {
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
