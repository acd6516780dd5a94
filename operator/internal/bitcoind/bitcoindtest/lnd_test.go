package bitcoindtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Two of LND pay each other, in the chain and by channels that they close, also by force,
// as users of the profile lightning of a real node. That is stopped, killed, and changes
// their password: they go on, and nothing that they call is forbidden.
func TestProfileIsEnoughForLND(t *testing.T) {
	programs := os.Getenv("TEST_LND")
	if programs == "" {
		t.Skip("TEST_LND names no folder with lnd and lncli; make e2e-lnd sets it")
	}
	world := &lndWorld{t: t, programs: programs, called: map[string]bool{}, topics: map[string]int{"rawblock": freePort(t), "rawtx": freePort(t)}}
	world.real = newRealWorld(t, needsBitcoind(t), 1, world.lines("first")...)
	world.mine(1) // LND waits for a chain that goes on
	alice, bob := world.newLND("alice", "first"), world.newLND("bob", "first")
	world.lnds = []*lnd{alice, bob}

	t.Log("coins")
	world.call("generatetoaddress", 1, alice.address())
	world.mine(100)
	alice.until("it has coins", func() bool { return alice.balance() == "5000000000" })
	alice.lncli(nil, "estimatefee", "--conf_target=6", fmt.Sprintf(`{"%s": 100000}`, bob.address()))
	alice.lncli(nil, "sendcoins", "--force", "--addr="+bob.address(), "--amt=100000000")
	world.mine(1)
	bob.until("it has coins", func() bool { return bob.balance() == "100000000" })

	t.Log("channels")
	alice.lncli(nil, "connect", bob.info().Key+"@127.0.0.1:"+bob.port)
	for _, flags := range [][]string{nil, {"--force"}} {
		alice.open(bob)
		var invoice struct {
			Request string `json:"payment_request"`
		}
		bob.lncli(&invoice, "addinvoice", "--amt=1000")
		alice.try("pays by a channel", "payinvoice", "--force", "--json", invoice.Request)
		alice.lncli(nil, append([]string{"closechannel", "--chan_point=" + alice.channels()[0].Point}, flags...)...)
		for alice.pending() || bob.pending() { // a close by force is delayed by blocks
			world.mine(10)
		}
	}

	t.Log("the node restarts")
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		world.call("gettxoutsetinfo") // writes all to the disk: LND is lost where a node forgets blocks
		world.restart(end, "second", "first")
		world.mineUntilSeen()
	}
	t.Log("the password changes")
	alice.end()
	alice.start("second")
	alice.until("it follows", func() bool { return alice.info().Synced })
	bob.end()
	world.lnds = []*lnd{alice}
	world.restart(syscall.SIGTERM, "second")
	world.mineUntilSeen()
	world.end(syscall.SIGTERM)

	for _, lnd := range []*lnd{alice, bob} {
		lnd.end()
		if said, err := os.ReadFile(lnd.log()); err != nil || strings.Contains(string(said), "status code: 403") {
			t.Errorf("%s was refused something: %v:\n%s", lnd.name, err, said)
		}
	}
	t.Logf("LND called %q", slices.Sorted(maps.Keys(world.called)))
	if len(world.called) < 10 {
		t.Error("the node's log does not tell what LND calls")
	}
	for method := range world.called {
		if !slices.Contains(bitcoind.Profile("lightning"), method) {
			t.Errorf("%s is not in the profile lightning", method)
		}
	}
}

// lndWorld is a real node, and those of LND that live off it.
type lndWorld struct {
	t        *testing.T
	programs string
	topics   map[string]int // ports of notifications
	real     *realWorld
	lnds     []*lnd
	called   map[string]bool // methods that LND has called
}

// lines are those by which the node lets in a user lnd with these passwords.
func (w *lndWorld) lines(passwords ...string) []string {
	lines := []string{"debug=rpc", bitcoind.User{Name: "lnd", Methods: bitcoind.Profile("lightning")}.RPCWhitelist()}
	for _, password := range passwords {
		lines = append(lines, bitcoind.RPCAuth(bitcoind.NewCredentials("lnd", password), "0123456789abcdef"))
	}
	for topic, port := range w.topics {
		lines = append(lines, fmt.Sprintf("zmqpub%s=tcp://127.0.0.1:%d", topic, port))
	}
	return lines
}

// end ends the node, and notes what LND has called.
func (w *lndWorld) end(by syscall.Signal) {
	node := w.real.nodes[0]
	node.signal(by)
	<-node.exited
	for _, call := range lndCalls.FindAllStringSubmatch(node.output.String(), -1) {
		w.called[call[1]+call[2]] = true
	}
}

// lndCalls finds, in a node's log, what LND has called, whether it may or not.
var lndCalls = regexp.MustCompile(`ThreadRPCServer method=(\S+) user=lnd|RPC User lnd not allowed to call method (\S+)`)

// restart starts the node anew with these passwords.
func (w *lndWorld) restart(end syscall.Signal, passwords ...string) {
	w.end(end)
	w.real.nodes[0].auth = w.lines(passwords...)
	w.real.nodes[0].writeConfig(w.t)
	w.real.nodes[0].start(w.t)
	w.real.awaitAnswer(0)
}

// mine mines blocks, one after the other, and waits until all of LND have each.
func (w *lndWorld) mine(blocks int) {
	w.t.Helper()
	w.call("generatetodescriptor", blocks, "raw(51)")
	var height int
	if err := json.Unmarshal(w.call("getblockcount"), &height); err != nil {
		w.t.Fatal(err)
	}
	for _, lnd := range w.lnds {
		lnd.until("it follows", func() bool {
			info := lnd.info()
			return info.Height == height && info.Synced
		})
	}
}

// mineUntilSeen mines a block a second, since LND tries every five to subscribe to a node
// that is away, and sees what was mined before it has with the next block.
func (w *lndWorld) mineUntilSeen() {
	w.t.Helper()
	began, mined := time.Now(), time.Time{}
	for _, lnd := range w.lnds {
		before := lnd.info().Height
		lnd.until("it sees new blocks", func() bool {
			if time.Since(mined) > time.Second {
				mined = time.Now()
				w.call("generatetodescriptor", 1, "raw(51)")
			}
			info := lnd.info() // whose height is the node's: synced is LND
			return info.Synced && info.Height > before
		})
		took := time.Since(began)
		w.t.Logf("%s has seen a new block %s after the node was back", lnd.name, took.Round(100*time.Millisecond))
		if took > 15*time.Second {
			w.t.Errorf("%s took too long", lnd.name)
		}
	}
}

func (w *lndWorld) call(method string, params ...any) json.RawMessage {
	w.t.Helper()
	question, err := json.Marshal(map[string]any{"method": method, "params": append([]any{}, params...)})
	if err != nil {
		w.t.Fatal(err)
	}
	response := post(w.t, w.real.endpoint(0).Address, bitcoind.DefaultCredentials, string(question))
	defer response.Body.Close()
	var answer struct{ Result, Error json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || string(answer.Error) != "null" {
		w.t.Fatalf("%s: %v: %s", method, err, answer.Error)
	}
	return answer.Result
}

// lnd is LND, with its data.
type lnd struct {
	*lndWorld
	name, directory string
	rpc, port       string
	command         *exec.Cmd
}

// newLND starts LND with a wallet of its own, and waits until it follows.
func (w *lndWorld) newLND(name, password string) *lnd {
	w.t.Helper()
	l := &lnd{lndWorld: w, name: name, directory: w.t.TempDir(), rpc: fmt.Sprint(freePort(w.t)), port: fmt.Sprint(freePort(w.t))}
	w.t.Cleanup(l.end)
	l.start(password)
	l.until("it follows", func() bool { return l.info().Synced })
	return l
}

func (l *lnd) log() string { return filepath.Join(l.directory, "log") }

// start starts LND with the settings of docs/connect.md, at other addresses.
func (l *lnd) start(password string) {
	l.t.Helper()
	log, err := os.OpenFile(l.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	defer log.Close()
	l.command = exec.Command(filepath.Join(l.programs, "lnd"), "--lnddir="+l.directory, "--noseedbackup",
		"--rpclisten=127.0.0.1:"+l.rpc, "--listen=127.0.0.1:"+l.port, "--norest",
		"--bitcoin.regtest", "--bitcoin.node=bitcoind", "--bitcoind.rpchost="+l.real.endpoint(0).Address,
		"--bitcoind.rpcuser=$BC_RPC_USER", "--bitcoind.rpcpass=$BC_RPC_PASSWORD",
		fmt.Sprintf("--bitcoind.zmqpubrawblock=tcp://127.0.0.1:%d", l.topics["rawblock"]), fmt.Sprintf("--bitcoind.zmqpubrawtx=tcp://127.0.0.1:%d", l.topics["rawtx"]))
	l.command.Env = append(os.Environ(), "BC_RPC_USER=lnd", "BC_RPC_PASSWORD="+password)
	l.command.Stdout, l.command.Stderr = log, log
	l.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := l.command.Start(); err != nil {
		l.t.Fatal(err)
	}
}

// end ends LND, if it runs.
func (l *lnd) end() {
	if l.command != nil && l.command.ProcessState == nil {
		_ = l.command.Process.Signal(syscall.SIGTERM)
		_ = l.command.Wait()
	}
}

// ask runs lncli, and reads what it prints into where result points to.
func (l *lnd) ask(result any, args ...string) error {
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(l.programs, "lncli"), append([]string{"--lnddir=" + l.directory, "--network=regtest", "--rpcserver=127.0.0.1:" + l.rpc}, args...)...)
	command.WaitDelay = time.Second
	var said strings.Builder
	command.Stderr = &said
	printed, err := command.Output()
	if err != nil {
		return fmt.Errorf("lncli %s of %s: %w: %s", args[0], l.name, err, said.String())
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(printed, result)
}

func (l *lnd) lncli(result any, args ...string) {
	l.t.Helper()
	if err := l.ask(result, args...); err != nil {
		l.t.Fatal(err)
	}
}

// try runs lncli until that succeeds.
func (l *lnd) try(what string, args ...string) {
	l.t.Helper()
	var last error
	defer func() {
		if last != nil {
			l.t.Logf("%s: %v", what, last)
		}
	}()
	l.until(what, func() bool {
		last = l.ask(nil, args...)
		return last == nil
	})
}

func (l *lnd) until(what string, isSo func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(2 * patience); !isSo(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(l.log())
			l.t.Fatalf("%s: not so that %s:\n%s", l.name, what, said[max(0, len(said)-4000):])
		}
	}
}

type lndInfo struct {
	Key    string `json:"identity_pubkey"`
	Height int    `json:"block_height"`
	Synced bool   `json:"synced_to_chain"`
}

// info is what LND says of itself; nothing while it does not answer.
func (l *lnd) info() (info lndInfo) {
	_ = l.ask(&info, "getinfo")
	return info
}

func (l *lnd) address() string {
	l.t.Helper()
	var made struct{ Address string }
	l.lncli(&made, "newaddress", "p2wkh")
	return made.Address
}

func (l *lnd) balance() string {
	l.t.Helper()
	var balance struct {
		Confirmed string `json:"confirmed_balance"`
	}
	l.lncli(&balance, "walletbalance")
	return balance.Confirmed
}

type lndChannel struct {
	Point  string `json:"channel_point"`
	Active bool
}

func (l *lnd) channels() []lndChannel {
	l.t.Helper()
	var open struct{ Channels []lndChannel }
	l.lncli(&open, "listchannels")
	return open.Channels
}

// open opens a channel, and waits until both may use it.
func (l *lnd) open(other *lnd) {
	l.t.Helper()
	l.try("opens a channel", "openchannel", "--node_key="+other.info().Key, "--local_amt=1000000", "--push_amt=300000")
	l.mine(6)
	for _, end := range []*lnd{l, other} {
		end.until("the channel is open", func() bool {
			channels := end.channels()
			return len(channels) == 1 && channels[0].Active
		})
	}
}

// pending tells whether a channel is not closed yet.
func (l *lnd) pending() bool {
	l.t.Helper()
	var pending struct {
		Waiting []any `json:"waiting_close_channels"`
		Forced  []any `json:"pending_force_closing_channels"`
	}
	l.lncli(&pending, "pendingchannels")
	return len(pending.Waiting)+len(pending.Forced) > 0 || len(l.channels()) > 0
}
