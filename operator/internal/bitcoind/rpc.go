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
	maxRequests    = 16
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

// Client asks nodes over JSON-RPC, and over REST for their tips. It keeps no
// connections, and is safe for concurrent use.
//
// It has btcd's types, and a transport of its own rather than btcd's rpcclient:
// that one reads an answer of any size, retries for minutes, and quotes what it
// got in its errors, with no hook to change it, so that one hostile node could
// fill the operator's memory and logs.
type Client struct {
	http *http.Client
	// slots bound how many requests are under way, and with that the memory which
	// answers may take, for all networks together.
	slots chan struct{}
}

// NewClient returns a client.
func NewClient() *Client {
	return &Client{slots: make(chan struct{}, maxRequests), http: &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives:      true, // bitcoind closes idle connections sooner than the next check comes
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeaderBytes,
		},
		// A node must not send the operator, and its credentials, elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// call is one method with its parameters.
type call struct {
	method string
	params []any
}

// response is what a node says to a call. btcjson.Response takes any JSON for an
// id, and half a megabyte of "{},{},…" there becomes many of Go maps.
type response struct {
	Result json.RawMessage   `json:"result"`
	Error  *btcjson.RPCError `json:"error"`
	ID     *int              `json:"id"`
}

// batch sends the calls in one HTTP request and returns their responses in the
// same order.
func (c *Client) batch(ctx context.Context, endpoint Endpoint, timeout time.Duration, calls []call) ([]response, error) {
	requests := make([]*btcjson.Request, len(calls))
	for i, call := range calls {
		request, err := btcjson.NewRequest(btcjson.RpcVersion1, i, call.method, call.params)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", call.method, err)
		}
		requests[i] = request
	}
	body, err := json.Marshal(requests)
	if err != nil {
		return nil, fmt.Errorf("encode the batch: %w", err)
	}

	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+endpoint.Address+endpoint.path(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request to %s: %w", endpoint.Address, err)
	}
	request.SetBasicAuth(endpoint.Credentials.User(), endpoint.Credentials.Password())
	request.Header.Set("Content-Type", "application/json")
	answer, err := c.send(request, timeout)
	if err != nil {
		return nil, err
	}
	responses, err := decodeList[response](answer, len(calls))
	if err != nil {
		return nil, err
	}
	return inOrder(responses, len(calls))
}

// send sends a request and returns the answer to it, within the bounds on what a
// node may cost. The time-out does not count the wait for a slot.
func (c *Client) send(request *http.Request, timeout time.Duration) ([]byte, error) {
	ctx := request.Context()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	response, err := c.http.Do(request.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()

	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return nil, ErrUnauthorized
	case http.StatusForbidden:
		return nil, ErrForbidden
	case http.StatusServiceUnavailable:
		return nil, ErrBusy
	default:
		return nil, fmt.Errorf("%w: HTTP status %d", ErrAnswer, response.StatusCode)
	}

	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(answer) > maxAnswerBytes {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrAnswer, maxAnswerBytes)
	}
	return answer, nil
}

// inOrder puts the responses of a batch in the order of its calls, which are
// numbered from 0.
func inOrder(responses []response, calls int) ([]response, error) {
	ordered := make([]response, calls)
	seen := make([]bool, calls)
	for _, response := range responses {
		id := response.ID
		if id == nil || *id < 0 || *id >= calls || seen[*id] {
			return nil, fmt.Errorf("%w: a response with an id that nobody gave", ErrAnswer)
		}
		if response.Error != nil {
			response.Error.Message = printable(response.Error.Message)
		}
		ordered[*id], seen[*id] = response, true
	}
	if len(responses) != calls {
		return nil, fmt.Errorf("%w: %d responses to %d calls", ErrAnswer, len(responses), calls)
	}
	return ordered, nil
}

// decodeList decodes a JSON array of at most limit items. It counts while it
// reads: half a megabyte of "{},{},…" must not become fifty of Go structs.
func decodeList[T any](data []byte, limit int) ([]T, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return nil, fmt.Errorf("%w: not a JSON array", ErrAnswer)
	}
	var items []T
	for decoder.More() {
		if len(items) == limit {
			return nil, fmt.Errorf("%w: a list of more than %d items", ErrAnswer, limit)
		}
		var item T
		if err := decoder.Decode(&item); err != nil {
			return nil, fmt.Errorf("%w: item %d of a list: %w", ErrAnswer, len(items), err)
		}
		items = append(items, item)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("%w: a list without an end", ErrAnswer)
	}
	return items, nil
}

// decodeInfo decodes a JSON object of the size that bitcoind's answers about
// itself have.
func decodeInfo(data []byte, into any) error {
	if len(data) > maxInfoBytes {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrAnswer, maxInfoBytes)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
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
		errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, new(*btcjson.RPCError)) || errors.As(err, new(*AnotherNodeError))
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
	case errors.As(err, new(*btcjson.RPCError)):
		return "rpc_error"
	case errors.Is(err, ErrUnauthorized):
		return "unauthorized"
	case errors.Is(err, ErrForbidden):
		return "forbidden"
	case errors.Is(err, ErrBusy):
		return "busy"
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

// LongestDial is how long dialling one name may keep one of a node's RPC threads
// busy, when it leads to an address where nobody is (-timeout). A request to dial
// that ran into its deadline should not be followed by another before that.
const LongestDial = 5 * time.Second
