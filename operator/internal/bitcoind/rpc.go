package bitcoind

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/btcsuite/btcd/btcjson"
)

// The bounds on what a node may cost the operator, however it behaves. A node
// with as many peers as bitcoind allows by default answers a check with 0.2 MiB.
const (
	maxAnswerBytes = 512 << 10
	maxHeaderBytes = 16 << 10
	maxInfoBytes   = 64 << 10
	maxKeptBytes   = 64 << 10
	maxAnswers     = 32
	maxListItems   = 300
	maxNameBytes   = 300 // a DNS name and a port
	maxAgentBytes  = 256 // MAX_SUBVERSION_LENGTH
	maxErrorRunes  = 200
	maxWarnings    = 4
	maxChainTips   = 4000 // of old nodes of a public chain a thousand or so
)

// What can go wrong with a request as a whole. Errors of a single call are
// *btcjson.RPCError.
var (
	// ErrUnauthorized: the node knows no such credentials. bitcoind sleeps on
	// each such request, so don't hurry with the next.
	ErrUnauthorized = errors.New("it rejects the credentials")
	// ErrForbidden: the node's configuration does not let this client or
	// method in.
	ErrForbidden = errors.New("it forbids the request")
	// ErrBusy: the node's queue of requests is full. RPC and REST share it.
	ErrBusy = errors.New("its queue of RPC requests is full")
	// ErrAnswer: the answer is not one that bitcoind gives.
	ErrAnswer = errors.New("its response is invalid")
)

// Endpoint is where, and with what, a node's JSON-RPC is reached.
type Endpoint struct {
	// Address is host:port. The operator uses the address of the pod that it
	// has observed, not a name, which may lead to the pod's predecessor.
	Address string
	// Credentials let the client in.
	Credentials Credentials
	// Comment is the user agent comment of the node that is to be there: nobody else is
	// believed or told anything. Without, whoever answers is.
	Comment string
	// wallet is the one that the calls are for, where they are for one.
	wallet string
}

// path is that of the calls, which tells a node's wallets apart.
func (e Endpoint) path() string {
	if e.wallet == "" {
		return "/"
	}
	return "/wallet/" + e.wallet
}

// Client asks nodes over JSON-RPC, and over REST for their tips. It keeps a connection for
// a moment, for the request that follows, and is safe for concurrent use.
//
// It has btcd's requests and errors, and a transport of its own rather than btcd's rpcclient:
// that one reads an answer of any size, retries for minutes, and quotes what it
// got in its errors, with no hook to change it, so that one hostile node could
// fill the operator's memory and logs.
type Client struct {
	http *http.Client
	// answers bound how many are read at once, and with that the memory which they may
	// take, for all networks together. A node that does not answer takes none.
	answers *buffers
}

// NewClient returns a client.
func NewClient() *Client {
	return newClient(&http.Transport{
		DialContext:            dial,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    1,
		WriteBufferSize:        1 << 10, // a request is less
		ReadBufferSize:         1 << 10, // the head of an answer is less, and the rest is read past it
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
	})
}

func newClient(transport http.RoundTripper) *Client {
	return &Client{answers: newBuffers(maxAnswers), http: &http.Client{
		Transport: transport,
		// A node must not send the operator, and its credentials, elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// batch sends questions, which take no time, to whoever is there, in one HTTP request, and returns for each the
// error that the node has for it, if any, and the connection. What they come to is in the
// calls.
func (c *Client) batch(ctx context.Context, endpoint Endpoint, calls []call) ([]*btcjson.RPCError, *connection, error) {
	return c.exchange(ctx, endpoint, "", checkTimeout, calls, true)
}

// order is batch for what the node at the endpoint alone may be told: over a connection on
// which it has said who it is. It is asked that before, unless it has said so a moment ago.
// Calls that do no harm when they come twice may be sent again when a connection turns out to
// have ended.
func (c *Client) order(ctx context.Context, endpoint Endpoint, timeout time.Duration, calls []call, again bool) ([]*btcjson.RPCError, error) {
	failed, over, err := c.exchange(ctx, endpoint, endpoint.Comment, timeout, calls, again)
	if !errors.Is(err, errNotMet) {
		return failed, err
	}
	if err := c.meet(ctx, endpoint); err != nil {
		if again && over.hasSent() { // over a connection that ended
			return nil, err
		}
		return nil, unsentError{err}
	}
	failed, _, err = c.exchange(ctx, endpoint, endpoint.Comment, timeout, calls, again)
	return failed, err
}

// exchange sends calls, which may come twice or may not, to one node alone or to whoever is
// there.
func (c *Client) exchange(ctx context.Context, endpoint Endpoint, only string, timeout time.Duration, calls []call, again bool) ([]*btcjson.RPCError, *connection, error) {
	requests := make([]*btcjson.Request, len(calls))
	for i, call := range calls {
		request, err := btcjson.NewRequest(btcjson.RpcVersion1, i, call.method, call.params)
		if err != nil {
			return nil, nil, fmt.Errorf("encode %s: %w", call.method, err)
		}
		requests[i] = request
	}
	body, err := json.Marshal(requests)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the batch: %w", err)
	}

	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+endpoint.Address+endpoint.path(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("make a request to %s: %w", endpoint.Address, err)
	}
	request.SetBasicAuth(endpoint.Credentials.User(), endpoint.Credentials.Password())
	request.Header.Set("Content-Type", "application/json")
	if again {
		request.Header["Idempotency-Key"] = nil // says so to net/http, and is not sent
	}
	var failed []*btcjson.RPCError
	over, err := c.send(request, only, timeout, func(answer *bytes.Buffer) error {
		failed, err = decodeBatch(answer, calls)
		return err
	})
	return failed, over, err
}

// send sends a request, to one node alone or to whoever is there, and has the answer to it
// read, within the bounds on what a node may cost. It returns the connection.
func (c *Client) send(request *http.Request, only string, timeout time.Duration, read func(answer *bytes.Buffer) error) (*connection, error) {
	ctx, over := toOnly(request.Context(), only)
	err := c.receive(request.WithContext(ctx), timeout, read)
	return *over, err
}

// receive is send without who it is for.
func (c *Client) receive(request *http.Request, timeout time.Duration, read func(answer *bytes.Buffer) error) error {
	ctx, cancel := context.WithTimeout(request.Context(), timeout)
	defer cancel()
	response, err := c.http.Do(request.WithContext(ctx))
	if err != nil {
		return err
	}
	defer response.Body.Close()

	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return ErrUnauthorized
	case http.StatusForbidden:
		return ErrForbidden
	case http.StatusServiceUnavailable:
		return ErrBusy
	default:
		return fmt.Errorf("%w: HTTP status %d", ErrAnswer, response.StatusCode)
	}

	answer, err := c.answers.take(ctx)
	if err != nil {
		return err
	}
	defer c.answers.giveBack(answer)
	// What it says of its length spares growing bit by bit.
	answer.Grow(int(min(max(response.ContentLength, 0), maxKeptBytes/2)) + bytes.MinRead)
	if _, err := answer.ReadFrom(io.LimitReader(response.Body, maxAnswerBytes+1)); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if answer.Len() > maxAnswerBytes {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrAnswer, maxAnswerBytes)
	}
	return read(answer)
}

// printable cuts what a node says down to what may stand in a log or a status.
func printable(message string) string {
	runes := 0
	return strings.Map(func(r rune) rune {
		runes++
		if runes > maxErrorRunes {
			return -1
		}
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, message)
}

// Explain says in a few words why a node did not answer, without the node's
// address or anything of the credentials, so that it is the same at every try.
func Explain(err error) string {
	var rpcError *btcjson.RPCError
	switch {
	case IsTimeout(err) && IsRefusal(err):
		return "it timed out before it was told"
	case IsTimeout(err):
		return "it timed out"
	case errors.As(err, &rpcError):
		return rpcError.Message
	case errors.Is(err, ErrUnauthorized), errors.Is(err, ErrForbidden), errors.Is(err, ErrBusy), errors.Is(err, ErrScanning):
		return err.Error()
	case errors.Is(err, ErrAnswer), errors.As(err, new(*AnotherNodeError)):
		return printable(err.Error())
	case errors.Is(err, syscall.ECONNREFUSED):
		return "its RPC port refuses connections"
	default:
		return "its RPC port is unreachable"
	}
}

// IsTimeout reports whether an error says that a node did not answer in time.
func IsTimeout(err error) bool {
	var network interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// IsRefusal reports whether an error says for certain that a node did not do what it
// was told. Where a request timed out, or its answer got lost, the node may have.
func IsRefusal(err error) bool {
	return errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrBusy) ||
		errors.Is(err, errNotMet) || errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, new(*btcjson.RPCError)) || errors.As(err, new(*AnotherNodeError))
}

// IsWarmingUp reports whether an error says that a node runs and loads its chain.
func IsWarmingUp(err error) bool {
	var rpcError *btcjson.RPCError
	return errors.As(err, &rpcError) && rpcError.Code == btcjson.ErrRPCInWarmup
}

// Outcome names what came of a request, for a metric: one of a few words.
func Outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case IsTimeout(err):
		return "timeout"
	case IsWarmingUp(err), errors.Is(err, ErrBusy):
		return "busy"
	case errors.As(err, new(*btcjson.RPCError)):
		return "rpc_error"
	case errors.Is(err, ErrUnauthorized):
		return "unauthorized"
	case errors.Is(err, ErrForbidden):
		return "forbidden"
	case errors.Is(err, ErrAnswer):
		return "invalid_response"
	case errors.As(err, new(*AnotherNodeError)):
		return "another_node"
	default:
		return "unreachable"
	}
}

// Deadlines of the two kinds of request. Dialling may take a node long, and it goes
// on without us: whether it got through, the next check tells.
const (
	checkTimeout = 2 * time.Second
	dialTimeout  = time.Second
)

// What follows a check follows soon, and then the connection is still there: also that of a
// pod that has gone, so each answer tells whose it is. Until the next look bitcoind would
// close it, and a thousand take memory.
const (
	idleTimeout = 3 * time.Second
	maxIdle     = 128
)

// LongestDial is how long dialling one name may keep one of a node's RPC threads
// busy, when it leads to an address where nobody is (-timeout). A request to dial
// that ran into its deadline should not be followed by another before that.
const LongestDial = 5 * time.Second
