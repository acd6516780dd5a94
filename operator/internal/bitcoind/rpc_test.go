package bitcoind

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/btcsuite/btcd/btcjson"
)

const (
	mebibyte  = 1 << 20
	outOfTime = "it timed out"
)

// What a hostile node may try. Whatever it is, the operator learns in a few words
// that the node is not well, soon, at a bounded cost, and tells nobody the
// credentials.
func TestHostileNodes(t *testing.T) {
	goroutinesEnd(t)
	compressed := gzipped(strings.Repeat(" ", 16*mebibyte))
	for _, test := range []struct {
		name    string
		answer  http.HandlerFunc
		explain string
	}{
		{"an answer of a gigabyte", func(w http.ResponseWriter, r *http.Request) {
			chunk := bytes.Repeat([]byte(" "), 64<<10)
			for written := 0; written < 1<<30; written += len(chunk) {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, "its response is invalid: it is longer than 524288 bytes"},
		{"an answer that says it is a gigabyte", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1073741824")
			write(w, strings.Repeat("[", 2*mebibyte))
		}, "its response is invalid: it is longer than 524288 bytes"},
		{"an answer that never ends", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				write(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
		}, outOfTime},
		{"an answer that never begins", func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}, outOfTime},
		{"interim answers without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusEarlyHints)
			}
		}, "its RPC port is unreachable"},
		{"headers of a megabyte", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", mebibyte))
		}, "its RPC port is unreachable"},
		{"an answer that breaks off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			write(w, "[")
		}, "its RPC port is unreachable"},
		{"something that is not HTTP", hijacked("\x00\x1b[31mSSH-2.0-hush\r\n\r\n"), "its RPC port is unreachable"},
		{"nothing", hijacked(""), "its RPC port is unreachable"},

		{"as long an answer as may be, of responses", always("[" + strings.Repeat("{},", maxAnswerBytes/3-2) + "{}]"),
			"its response is invalid: a response with an unknown id"},
		{"of objects for an id", always(`[{"id": [` + strings.Repeat("{},", maxAnswerBytes/3-10) + `{}]}]`),
			"getblockchaininfo: its response is invalid: json: "},
		{"JSON nested as deep as may be", always("[" + strings.Repeat("[", maxAnswerBytes-2)),
			"getblockchaininfo: its response is invalid: a response that is not a JSON object"},
		{"JSON nested deep in a result", always(`[{"id": 0, "result": ` + strings.Repeat(`{"a":`, maxAnswerBytes/5-20)),
			"getblockchaininfo: its response is invalid: jsontext: exceeded max depth"},
		{"compression that nobody asked for", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(compressed)
		}, "its response is invalid: not a JSON array"},

		{"no answer at all", always(""), "its response is invalid: not a JSON array"},
		{"an object", always(`{"result": null, "error": {"code": -32700, "message": "Parse error"}, "id": null}`),
			"its response is invalid: not a JSON array"},
		{"null", always("null"), "its response is invalid: not a JSON array"},
		{"a web page", always("<html>"), "its response is invalid: not a JSON array"},
		{"a list that does not end", always(`[{"id": 0},`), "getnetworkinfo: its response is invalid: a response that is not a JSON object"},
		{"a list that ends otherwise", always(`[{"id": 0}}`), "getnetworkinfo: its response is invalid: a response that is not a JSON object"},
		{"no responses", always("[]"), "its response is invalid: 0 responses to 7 calls"},
		{"too few responses", ids("0", "1", "2", "3", "4", "5"), "its response is invalid: 6 responses to 7 calls"},
		{"too many responses", ids("0", "1", "2", "3", "4", "5", "6", "7"), "its response is invalid: a list of more than 7 items"},
		{"an id twice", ids("0", "1", "2", "3", "4", "5", "5"), "its response is invalid: a response with an unknown id"},
		{"an id too high", ids("1", "2", "3", "4", "5", "6", "7"), "its response is invalid: a response with an unknown id"},
		{"an id too low", ids("-1", "0", "1", "2", "3", "4", "5"), "its response is invalid: a response with an unknown id"},
		{"an id that is no whole number", ids("0", "1", "2", "3", "3.5"), "ping: its response is invalid: json: "},
		{"an id beyond any number", ids("1e999", "1", "2", "3", "4"), "getblockchaininfo: its response is invalid: json: "},
		{"an id that is text", ids(`"0"`, "1", "2", "3", "4"), "getblockchaininfo: its response is invalid: json: "},
		{"no id", ids("null", "1", "2", "3", "4"), "its response is invalid: a response with an unknown id"},
		{"responses that are numbers", always("[1, 2, 3, 4, 5]"), "getblockchaininfo: its response is invalid: a response that is not a JSON object"},
		{"responses that are null", always("[null, null, null, null, null]"), "getblockchaininfo: its response is invalid: a response that is not a JSON object"},
		{"no results", ids("0", "1", "2", "3", "4", "5", "6"), "getblockchaininfo: its response is invalid: no result"},

		{"an error as long as may be", failing(strings.Repeat("x", maxAnswerBytes-1000)), strings.Repeat("x", 200)},
		{"an error that is no text", failing(`\u0000\u001b[31m\n\r\t\u202e\ufeff`), "  [31m     "},
		{"an error that is not UTF-8", failing("\xff\xfe"), "\ufffd\ufffd"},

		{"401", status(http.StatusUnauthorized), "it rejects the credentials"},
		{"403", status(http.StatusForbidden), "it forbids the request"},
		{"503", status(http.StatusServiceUnavailable), "its queue of RPC requests is full"},
		{"500", status(http.StatusInternalServerError), "its response is invalid: HTTP status 500"},
		{"404", status(http.StatusNotFound), "its response is invalid: HTTP status 404"},
		{"204", status(http.StatusNoContent), "its response is invalid: HTTP status 204"},
	} {
		t.Run(test.name, func(t *testing.T) {
			served := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = new(bytes.Buffer).ReadFrom(r.Body) // the server notices that the client has gone only after it
				test.answer(w, r)
			})
			ctx := t.Context()
			if test.explain == outOfTime {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond) // sooner than the client's own
				defer cancel()
			}

			began := time.Now()
			allocated := allocatedBy(func() {
				_, err := NewClient().Check(ctx, served)
				if err == nil {
					t.Fatal("want an error")
				}
				if got := Explain(err); !strings.HasPrefix(got, test.explain) {
					t.Errorf("explained as %q, want %q", got, test.explain)
				}
				mustBeFitForAStatus(t, Explain(err))
				mustNotTell(t, "the error", strings.ReplaceAll(fmt.Sprintf("%v %+v %#v", err, err, err), "SSH-2.0-hush", ""))
			})
			if took := time.Since(began); took >= checkTimeout {
				t.Errorf("it took %s", took)
			}
			if allocated > 8*mebibyte {
				t.Errorf("it took %d MiB of memory", allocated/mebibyte)
			}
		})
	}
}

// Half a megabyte of small things must not become many of large ones, wherever the
// node puts them.
func TestMemoryIsBounded(t *testing.T) {
	many := strings.Repeat("{},", 150_000) + "{}"
	for _, test := range []struct {
		method, result string
	}{
		{"getblockchaininfo", `{"warnings": [` + many + `]}`},
		{"getblockchaininfo", `{"softforks": [` + many + `]}`},
		{"getnetworkinfo", `{"networks": [` + many + `]}`},
		{"getpeerinfo", `[` + many + `]`},
		{"getpeerinfo", `[{"unknown": [` + many + `]}]`},
		{"getaddednodeinfo", `[` + many + `]`},
		{"getaddednodeinfo", `[{"addednode": "a", "addresses": [` + many + `]}]`},
		{"ping", `[` + many + `]`},
		{"getnetworkinfo", `{"warnings": [` + strings.Repeat(`"",`, 150_000) + `""]}`},
		{"getmempoolinfo", `{"unknown": [` + many + `]}`},
		{"uptime", `[` + many + `]`},
	} {
		t.Run(fmt.Sprintf("%s %.20s", test.method, test.result), func(t *testing.T) {
			var answer strings.Builder
			for id, method := range []string{"getblockchaininfo", "getnetworkinfo", "getpeerinfo", "getaddednodeinfo", "ping", "getmempoolinfo", "uptime"} {
				result := goodResults[method]
				if method == test.method {
					result = test.result
				}
				fmt.Fprintf(&answer, `,{"id": %d, "result": %s}`, id, result)
			}
			served := serve(t, always("["+answer.String()[1:]+"]"))
			allocated := allocatedBy(func() { _, _ = NewClient().Check(t.Context(), served) })
			if allocated > 8*mebibyte {
				t.Errorf("it took %d MiB of memory", allocated/mebibyte)
			}
		})
	}
}

func TestGigabyteIsNotRead(t *testing.T) {
	var sent atomic.Int64
	ended := make(chan struct{})
	served := serve(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		chunk := bytes.Repeat([]byte(" "), 64<<10)
		for sent.Load() < 1<<30 {
			written, err := w.Write(chunk)
			sent.Add(int64(written))
			if err != nil {
				return
			}
		}
	})
	if _, err := NewClient().Check(t.Context(), served); !errors.Is(err, ErrAnswer) {
		t.Errorf("error = %v, want %v", err, ErrAnswer)
	}
	<-ended
	// Beside what the client reads there is what the kernel buffers.
	if sent.Load() > 32*mebibyte {
		t.Errorf("the node got rid of %d MiB", sent.Load()/mebibyte)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) {
			t.Errorf("%d: the client went elsewhere, with %q", status, r.Header)
		})
		served := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+elsewhere.Address+"/", status)
		})
		_, err := NewClient().Check(t.Context(), served)
		if !errors.Is(err, ErrAnswer) {
			t.Errorf("%d: error = %v, want %v", status, err, ErrAnswer)
		}
	}
}

func TestRequest(t *testing.T) {
	served := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "hush-user" || password != "hush-password" {
			t.Errorf("credentials = %q, %q", user, password)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/" {
			t.Errorf("%s %s, want POST /", r.Method, r.URL.Path)
		}
		if r.Close {
			t.Error("it closes the connection, which an update after a check could use")
		}
		if encoding := r.Header.Get("Accept-Encoding"); encoding != "" {
			t.Errorf("it accepts %s", encoding)
		}
		write(w, "[]")
	})
	if err := NewClient().UpdatePeers(t.Context(), served, PeerChange{}); err != nil {
		t.Error(err)
	}
}

// An operator's environment may name a proxy for its other traffic. The nodes'
// credentials must not go there.
func TestProxyIsNotUsed(t *testing.T) {
	if transport := NewClient().http.Transport.(*http.Transport); transport.Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}

func TestDeadlines(t *testing.T) {
	for _, test := range []struct {
		reason string
		ask    func(*Client) error
		want   time.Duration
	}{
		{"a check holds up its reconcile", func(c *Client) error {
			_, err := c.Check(t.Context(), Endpoint{Address: "node"})
			return err
		}, 2 * time.Second},
		{"bitcoind goes on dialling without us", func(c *Client) error {
			return c.UpdatePeers(t.Context(), Endpoint{Address: "node"}, PeerChange{})
		}, time.Second},
		{"a node agrees to end before it writes its data", func(c *Client) error {
			return c.Shutdown(t.Context(), Endpoint{Address: "node"})
		}, 2 * time.Second},
		{"a tip is asked for where a check would be", func(c *Client) error {
			_, err := c.Tip(t.Context(), "node")
			return err
		}, 2 * time.Second},
	} {
		var left time.Duration
		client := newClient(roundTripper(func(r *http.Request) (*http.Response, error) {
			deadline, _ := r.Context().Deadline()
			left = time.Until(deadline)
			return nil, errors.ErrUnsupported
		}))
		if err := test.ask(client); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("error = %v, want the transport's", err)
		}
		if left > test.want || left < test.want-time.Second {
			t.Errorf("%s left, want %s, since %s", left, test.want, test.reason)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, test := range []struct {
		reason string
		err    error
		want   string
	}{
		{"a deadline", context.DeadlineExceeded, "it timed out"},
		{"a deadline, as http tells it", &url.Error{Op: "Post", URL: "http://192.0.2.1:1/", Err: context.DeadlineExceeded}, "it timed out"},
		{"a time-out of the network", &net.OpError{Op: "dial", Err: timeout{}}, "it timed out"},
		{"a deadline before anything was sent", unsentError{context.DeadlineExceeded}, "it timed out before it was told"},
		{"nobody listens", connectionRefused(t), "its RPC port refuses connections"},
		{"a connection that breaks", &url.Error{Op: "Post", URL: "http://192.0.2.1:1/", Err: errors.New("EOF")}, "its RPC port is unreachable"},
		{"a call's error", btcjson.NewRPCError(-28, "Loading block index…"), "Loading block index…"},
		{"a call's error, in others", fmt.Errorf("a: %w", errors.Join(btcjson.NewRPCError(-28, "Loading block index…"))), "Loading block index…"},
		{"credentials", ErrUnauthorized, "it rejects the credentials"},
		{"what is not allowed", ErrForbidden, "it forbids the request"},
		{"a queue", ErrBusy, "its queue of RPC requests is full"},
		{"an answer, and why", fmt.Errorf("%w: HTTP status 500", ErrAnswer), "its response is invalid: HTTP status 500"},
		{"somebody else", &AnotherNodeError{Comments: []string{"team-b.invoices.1", "x"}}, "another node answers at its address: team-b.invoices.1, x"},
		{"somebody else, who says what to show", &AnotherNodeError{Comments: []string{"\x1b[31m"}}, "another node answers at its address:  [31m"},
		{"somebody who says nothing", fmt.Errorf("stop: %w", &AnotherNodeError{}), "stop: another node answers at its address"},
		{"an answer that is quoted", fmt.Errorf("%w: \x1b[31m\n", ErrAnswer), "its response is invalid:  [31m "},
	} {
		if got := Explain(test.err); got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
}

// A node that does not answer a request about its wallet may be scanning its chain for it;
// one that was not sent the request is not.
func TestAsScan(t *testing.T) {
	unsent := unsentError{context.DeadlineExceeded}
	for err, want := range map[error]error{context.DeadlineExceeded: ErrScanning, unsent: unsent, ErrBusy: ErrBusy} {
		if got := asScan(err); !errors.Is(got, want) {
			t.Errorf("%v is told as %v, want %v", err, got, want)
		}
	}
}

func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		reason string
		err    error
		want   string
	}{
		{"an answer", nil, "ok"},
		{"a deadline, as http tells it", &url.Error{Op: "Post", URL: "http://192.0.2.1:1/", Err: context.DeadlineExceeded}, "timeout"},
		{"a time-out of the network", &net.OpError{Op: "dial", Err: timeout{}}, "timeout"},
		{"a call's error, in others", fmt.Errorf("mine: %w", btcjson.NewRPCError(-5, "Address is not valid")), "rpc_error"},
		{"a node that starts, which is no error of its own", fmt.Errorf("stop: %w", btcjson.NewRPCError(-28, "Loading block index…")), "busy"},
		{"credentials", ErrUnauthorized, "unauthorized"},
		{"what is not allowed", ErrForbidden, "forbidden"},
		{"a queue", fmt.Errorf("it is starting, or %w", ErrBusy), "busy"},
		{"an answer that is none", fmt.Errorf("%w: HTTP status 500", ErrAnswer), "invalid_response"},
		{"somebody else", fmt.Errorf("stop: %w", &AnotherNodeError{}), "another_node"},
		{"nobody listens", connectionRefused(t), "unreachable"},
	} {
		if got := Outcome(test.err); got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
}

func TestPrintableKeepsWholeCharacters(t *testing.T) {
	got := printable(strings.Repeat("€", 1000))
	if want := strings.Repeat("€", 200); got != want {
		t.Errorf("got %q, want 200 of them", got)
	}
}

// The helpers, as handlers first.

func write(w interface{ Write([]byte) (int, error) }, text string) { _, _ = w.Write([]byte(text)) }

func always(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { write(w, answer) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
}

// ids answers with a response for each id, without a result.
func ids(ids ...string) http.HandlerFunc {
	return always(`[{"id": ` + strings.Join(ids, `}, {"id": `) + `}]`)
}

// failing answers each call with an error.
func failing(message string) http.HandlerFunc {
	failure := `[{"id": 0, "error": {"code": -1, "message": "` + message + `"}}`
	for id := 1; id < 7; id++ {
		failure += fmt.Sprintf(`, {"id": %d}`, id)
	}
	return always(failure + "]")
}

func gzipped(text string) []byte {
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	write(writer, text)
	_ = writer.Close() // a buffer takes all
	return compressed.Bytes()
}

// hijacked answers with bytes rather than with HTTP.
func hijacked(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		write(connection, answer)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type timeout struct{}

func (timeout) Error() string { return "i/o timeout" }
func (timeout) Timeout() bool { return true }

func connectionRefused(t *testing.T) error {
	t.Helper()
	_, err := NewClient().Check(t.Context(), Endpoint{Address: closedPort(t)})
	return err
}

// closedPort returns an address of loopback where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	return listener.Addr().String()
}

// allocatedBy returns how many bytes the process allocates meanwhile, freed or
// not.
func allocatedBy(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// goroutinesEnd checks that the test leaves no goroutine behind.
func goroutinesEnd(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				stacks := make([]byte, 64<<10)
				t.Fatalf("%d goroutines were there before, %d are after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
}

func mustBeFitForAStatus(t *testing.T, text string) {
	t.Helper()
	if length := utf8.RuneCountInString(text); length > maxErrorRunes {
		t.Errorf("%d characters are too many: %q", length, text)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("characters that do not print: %q", text)
	}
}
