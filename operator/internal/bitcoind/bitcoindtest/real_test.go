package bitcoindtest_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// realWorld has processes of bitcoind on loopback.
type realWorld struct {
	*bitcoind.Client
	t     *testing.T
	nodes []*process
}

// process is a bitcoind that runs.
type process struct {
	program          string
	comment          string
	auth             []string // lines for bitcoind's configuration beside those of all
	p2pPort, rpcPort int
	directory        string
	command          *exec.Cmd
	output           bytes.Buffer
	exited           chan struct{} // closed when the process is gone
}

// newRealWorld starts nodes, with these lines beside what is in the configuration of all.
func newRealWorld(t *testing.T, program string, nodes int, auth ...string) *realWorld {
	w := &realWorld{Client: bitcoind.NewClient(), t: t}
	for node := range nodes {
		w.nodes = append(w.nodes, &process{
			program:   program,
			auth:      auth,
			comment:   fmt.Sprintf("team-a.payments.%d", node),
			p2pPort:   freePort(t),
			rpcPort:   freePort(t),
			directory: t.TempDir(),
		})
	}
	t.Cleanup(func() {
		for _, process := range w.nodes {
			process.kill()
		}
	})
	for _, process := range w.nodes {
		process.writeConfig(t)
		process.start(t)
	}
	for node := range w.nodes {
		w.awaitAnswer(node)
	}
	return w
}

func (w *realWorld) endpoint(node int) bitcoind.Endpoint {
	return bitcoind.Endpoint{
		Address:     fmt.Sprintf("127.0.0.1:%d", w.nodes[node].rpcPort),
		Credentials: bitcoind.DefaultCredentials,
		Comment:     w.comment(node),
	}
}

func (w *realWorld) name(node int) string    { return fmt.Sprintf("localhost:%d", w.nodes[node].p2pPort) }
func (w *realWorld) comment(node int) string { return w.nodes[node].comment }
func (w *realWorld) pass()                   { time.Sleep(50 * time.Millisecond) }

func (w *realWorld) stop(node int) {
	w.t.Helper()
	process := w.nodes[node]
	process.signal(syscall.SIGTERM)
	select {
	case <-process.exited:
	case <-time.After(patience):
		w.t.Fatalf("bitcoind does not stop:\n%s", process.output.String())
	}
}

func (w *realWorld) restart(node int) {
	w.t.Helper()
	w.stop(node)
	w.nodes[node].start(w.t)
	w.awaitAnswer(node)
}

// freeze returns when the node stands still: its threads do so one by one, and
// until the last has, it may still answer.
func (w *realWorld) freeze(node int) {
	w.t.Helper()
	process := w.nodes[node]
	process.signal(syscall.SIGSTOP)
	for deadline := time.Now().Add(patience); !process.isStopped(w.t); w.pass() {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s does not freeze", process.program)
		}
	}
}

// invalidate calls what the client does not have.
func (w *realWorld) invalidate(node int) {
	w.t.Helper()
	tip, err := w.Tip(w.t.Context(), w.endpoint(node).Address)
	if err != nil {
		w.t.Fatal(err)
	}
	body := strings.NewReader(fmt.Sprintf(`{"method": "invalidateblock", "params": [%q]}`, tip.Hash))
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+w.endpoint(node).Address, body)
	if err != nil {
		w.t.Fatal(err)
	}
	request.SetBasicAuth(bitcoind.DefaultCredentials.User(), bitcoind.DefaultCredentials.Password())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("invalidateblock: HTTP status %d", response.StatusCode)
	}
}

func (w *realWorld) awaitAnswer(node int) {
	w.t.Helper()
	process := w.nodes[node]
	for deadline := time.Now().Add(patience); ; w.pass() {
		_, err := w.Check(w.t.Context(), w.endpoint(node))
		if err == nil {
			return
		}
		select {
		case <-process.exited:
			w.t.Fatalf("%s ended at its start:\n%s", process.program, process.output.String())
		default:
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s does not answer: %v", process.program, err)
		}
	}
}

// writeConfig writes the operator's own configuration, with other addresses, so
// that the scenarios also tell whether bitcoind takes it.
func (p *process) writeConfig(t *testing.T) {
	t.Helper()
	chain, err := bitcoind.ChainNamed("regtest")
	if err != nil {
		t.Fatal(err)
	}
	auth := filepath.Join(p.directory, "rpcauth.conf")
	config := strings.NewReplacer(
		"includeconf="+bitcoind.AuthFile, "includeconf="+auth,
		"\nbind=0.0.0.0", fmt.Sprintf("\nbind=127.0.0.1:%d", p.p2pPort),
		"rpcbind=0.0.0.0", fmt.Sprintf("rpcbind=127.0.0.1:%d", p.rpcPort),
	).Replace(bitcoind.Config(bitcoind.Settings{Chain: chain, Memory: 512})) + "uacomment=" + p.comment + "\n"

	for file, content := range map[string]string{
		filepath.Join(p.directory, "bitcoin.conf"): config,
		auth: strings.Join(append(p.auth,
			bitcoind.RPCAuth(bitcoind.DefaultCredentials, "b8a8d1dc80f1e84f7f3a53f3e0b8c2ff"),
			bitcoind.RPCAuth(reader, "ff2c8b0e3f35a3f7f48e1f08cd1d8a8b"),
			bitcoind.User{Name: reader.User(), Methods: names("getblockcount")}.RPCWhitelist(),
			bitcoind.RPCWhitelistDefault,
			""), "\n"),
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *process) start(t *testing.T) {
	t.Helper()
	p.command = exec.Command(p.program, "-datadir="+p.directory)
	p.output.Reset()
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	p.command.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // a script around bitcoind is signalled with it
		Pdeathsig: syscall.SIGKILL, // a test that is killed leaves nothing running
	}
	if err := p.command.Start(); err != nil {
		t.Fatalf("start %s: %v", p.program, err)
	}
	exited := make(chan struct{})
	p.exited = exited
	go func(command *exec.Cmd) {
		_ = command.Wait() // whether it was right to end, the test knows
		close(exited)
	}(p.command)
}

// kill ends the process if it runs. It works on one that is frozen, too.
func (p *process) kill() {
	if p.command == nil || p.command.Process == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	<-p.exited
}

// isStopped tells whether no thread of the process runs. A script around bitcoind
// has become it by the time it answers.
func (p *process) isStopped(t *testing.T) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.command.Process.Pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads of %s: %v", p.program, err)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		// The state follows the name, which is in parentheses.
		if _, state, found := strings.Cut(string(stat), ") "); err != nil || !found || !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}

func (p *process) signal(signal syscall.Signal) {
	select {
	case <-p.exited:
	default:
		_ = syscall.Kill(-p.command.Process.Pid, signal)
	}
}

// lastPort is the port that was given out last. They are below those that the
// kernel gives to outgoing connections, one of which could take a port between
// its choice and bitcoind's start.
var lastPort = func() *atomic.Int32 {
	var port atomic.Int32
	port.Store(20_000 + rand.Int32N(9_000))
	return &port
}()

// freePort returns a port of loopback on which nobody listens.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := int(lastPort.Add(1))
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return 0
}
