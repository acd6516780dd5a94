package bitcoind

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

const (
	aHash  = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
	aWork  = "0000000000000000000000000000000000000000000000000000000000000010"
	aChain = `{"chain": "regtest", "blocks": 7, "headers": 9, "verificationprogress": 0.75, "initialblockdownload": true, "size_on_disk": 2048, "pruned": true, "bestblockhash": "` + aHash + `", "bits": "207fffff", "chainwork": "` + aWork + `", "warnings": []}`
)

var aTip = Tip{Height: 7, Hash: aHash, Work: aWork}

func TestTip(t *testing.T) {
	served := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.String() != "/rest/chaininfo.json" {
			t.Errorf("%s %s, want GET /rest/chaininfo.json", r.Method, r.URL)
		}
		if header, sent := r.Header["Authorization"]; sent {
			t.Errorf("it sends credentials: %q", header)
		}
		if !r.Close {
			t.Error("it keeps the connection")
		}
		write(w, aChain)
	})
	got, err := NewClient().Tip(t.Context(), served.Address)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(aTip, got); diff != "" {
		t.Errorf("tip (-want +got):\n%s", diff)
	}
}

func TestStateHasTheTip(t *testing.T) {
	endpoint, _ := serveNode(t, wellBehaved)
	state, err := NewClient().Check(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(aTip, state.Tip()); diff != "" {
		t.Errorf("tip (-want +got):\n%s", diff)
	}
}

// badChains are answers about a chain that bitcoind does not give. Check refuses
// them, and so does Tip.
var badChains = []struct {
	reason, result string
}{
	{"not an object", `[]`},
	{"nothing", `null`},
	{"an object without anything in it", `{}`},
	{"a number as text", chainWith(`"blocks": 7`, `"blocks": "7"`)},
	{"a height beyond any chain's", chainWith(`"blocks": 7`, `"blocks": 4294967296`)},
	{"a height that is no whole number", chainWith(`"blocks": 7`, `"blocks": 1.5`)},
	{"a height below the first block's", chainWith(`"blocks": 7`, `"blocks": -1`)},
	{"a tip that is no hash", chainWith(aHash, "the best")},
	{"no hash", chainWith(aHash, "")},
	{"a hash that is too short", chainWith(aHash, aHash[1:])},
	{"a hash that is too long", chainWith(aHash, aHash+"0")},
	{"a hash in capitals, which is another text", chainWith(aHash, strings.ToUpper(aHash))},
	{"no work", chainWith(`"chainwork"`, `"another"`)},
	{"work of too few digits, which compares as more than it is", chainWith(aWork, aWork[1:])},
	{"work of too many digits, which compares as less than it is", chainWith(aWork, aWork+"0")},
	{"work in capitals, which compare as less than digits in small letters", chainWith(aWork, strings.Repeat("F", 64))},
	{"work with a sign", chainWith(aWork, "-"+aWork[1:])},
	{"work in another notation", chainWith(aWork, "0x"+aWork[2:])},
	{"work that ends in the middle", chainWith(aWork, aWork[:31]+" "+aWork[32:])},
	{"more of itself than a node says", chainWith("regtest", strings.Repeat("x", 64<<10))},
}

// chainWith is a good answer about a chain, but for one change.
func chainWith(old, changed string) string { return strings.Replace(aChain, old, changed, 1) }

func TestCheckAndTipTakeNoBadChain(t *testing.T) {
	for _, test := range badChains {
		endpoint := serve(t, always(test.result))
		tip, err := NewClient().Tip(t.Context(), endpoint.Address)
		if !errors.Is(err, ErrAnswer) || tip != (Tip{}) {
			t.Errorf("%s: Tip returns %+v and error %v, want no tip and %v", test.reason, tip, err, ErrAnswer)
		}
		mustBeFitForAStatus(t, Explain(err))

		endpoint, _ = serveNode(t, answering("getblockchaininfo", test.result))
		state, err := NewClient().Check(t.Context(), endpoint)
		if !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: Check: error = %v, want %v", test.reason, err, ErrAnswer)
		}
		if diff := cmp.Diff(State{}, state); diff != "" {
			t.Errorf("%s: there is an error and a state:\n%s", test.reason, diff)
		}
	}
}

func TestTipTakesTheLeastAndTheMost(t *testing.T) {
	most := strings.Repeat("f", 64)
	for _, test := range []struct {
		reason, answer string
		want           Tip
	}{
		{"a chain of one block", chainWith(`"blocks": 7`, `"blocks": 0`), Tip{Height: 0, Hash: aHash, Work: aWork}},
		{"as much work as can be written", chainWith(aWork, most), Tip{Height: 7, Hash: aHash, Work: most}},
	} {
		got, err := NewClient().Tip(t.Context(), serve(t, always(test.answer)).Address)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.reason, got, err, test.want)
		}
	}
}

func TestTipExplained(t *testing.T) {
	const busy = "it is starting, or its queue of RPC requests is full"
	for _, test := range []struct {
		reason           string
		answer           http.HandlerFunc
		explain, outcome string
	}{
		{"it loads its chain, or has too much to do: both are 503", status(http.StatusServiceUnavailable), busy, "busy"},
		{"it lets this client nowhere", status(http.StatusForbidden), "it forbids the request", "forbidden"},
		{"REST is off", status(http.StatusNotFound), "its response is invalid: HTTP status 404", "invalid_response"},
		{"it is something else", status(http.StatusInternalServerError), "its response is invalid: HTTP status 500", "invalid_response"},
		{"it is not HTTP", hijacked("\x00\x1b[31mSSH-2.0-hush\r\n\r\n"), "its RPC port is unreachable", "unreachable"},
		{"it says too much", always(strings.Repeat(" ", maxAnswerBytes+1)), "its response is invalid: it is longer than 524288 bytes", "invalid_response"},
		{"its headers say too much", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", mebibyte))
		}, "its RPC port is unreachable", "unreachable"},
		{"its work is none", always(chainWith(aWork, "")), "chaininfo: its response is invalid: chainwork is not a number of 64 digits", "invalid_response"},
		{"its height is none", always(chainWith("7", "-7")), "chaininfo: its response is invalid: a height of -7", "invalid_response"},
		{"its hash is none", always(chainWith(aHash, "")), "chaininfo: its response is invalid: bestblockhash is not a hash", "invalid_response"},
		{"its answer is none", always("<html>"), "chaininfo: its response is invalid: jsontext: invalid character '<' at start of value", "invalid_response"},
	} {
		_, err := NewClient().Tip(t.Context(), serve(t, test.answer).Address)
		if got := Explain(err); err == nil || got != test.explain {
			t.Errorf("%s: error %v is explained as %q, want %q", test.reason, err, got, test.explain)
		}
		if got := Outcome(err); got != test.outcome {
			t.Errorf("%s: outcome %q, want %q", test.reason, got, test.outcome)
		}
	}
	_, err := NewClient().Tip(t.Context(), closedPort(t))
	if got, want := Explain(err), "its RPC port refuses connections"; err == nil || got != want {
		t.Errorf("nobody listens: error %v is explained as %q, want %q", err, got, want)
	}
}

func TestTipFollowsNoRedirect(t *testing.T) {
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the client went elsewhere") })
	served := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+elsewhere.Address+r.URL.Path, http.StatusFound)
	})
	if _, err := NewClient().Tip(t.Context(), served.Address); !errors.Is(err, ErrAnswer) {
		t.Errorf("error = %v, want %v", err, ErrAnswer)
	}
}

// Answers of both kinds count against one bound, and wait for it no longer than a node has
// for its own.
func TestAnswersWaitForASlot(t *testing.T) {
	for reason, ask := range map[string]func(context.Context, *Client) error{
		"RPC": func(ctx context.Context, c *Client) error {
			return c.Shutdown(ctx, Endpoint{Address: "node"})
		},
		"REST": func(ctx context.Context, c *Client) error {
			_, err := c.Tip(ctx, "node")
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := newClient(roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("<html>"))}, nil
			}))
			var taken []*bytes.Buffer
			for range maxAnswers {
				buffer, err := client.answers.take(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				taken = append(taken, buffer)
			}
			if err := ask(t.Context(), client); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: error = %v, want the deadline", reason, err)
			}
			client.answers.giveBack(taken[0])
			for range 2 { // the first gives its slot back
				if err := ask(t.Context(), client); !errors.Is(err, ErrAnswer) {
					t.Errorf("%s: error = %v, want %v", reason, err, ErrAnswer)
				}
			}
		})
	}
}
