package btcnet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/btcsuite/btcd/btcjson"
	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

func TestParams(t *testing.T) {
	for arg, want := range map[string]string{
		"6":                     `6`,
		"-1":                    `-1`,
		"true":                  `true`,
		`["a"]`:                 `["a"]`,
		`{"fee_rate": 1}`:       `{"fee_rate": 1}`,
		"bcrt1q":                `"bcrt1q"`,
		"raw(51)":               `"raw(51)"`,
		`"42"`:                  `"42"`,
		"":                      `""`,
		`say "so"`:              `"say \"so\""`,
		strings.Repeat("7", 64): `"` + strings.Repeat("7", 64) + `"`, // a hash
	} {
		g := NewWithT(t)
		g.Expect(params([]string{arg})).To(Equal([]json.RawMessage{json.RawMessage(want)}), arg)
	}
}

func TestResultsRead(t *testing.T) {
	for result, want := range map[string]string{
		`"00ab"`: "00ab\n", `112`: "112\n", `true`: "true\n", `null`: "", `{"a":[1]}`: "{\n  \"a\": [\n    1\n  ]\n}\n",
	} {
		g := NewWithT(t)
		var out bytes.Buffer
		g.Expect(printResult(&out, json.RawMessage(result))).To(Succeed())
		g.Expect(out.String()).To(Equal(want))
	}
}

// A node is asked once, by btcsuite's client, which by itself would ask again.
func TestNodesAreAskedOnce(t *testing.T) {
	const id = `"id":`
	for _, test := range []struct {
		name   string
		answer func(http.ResponseWriter, string)
		want   string
		err    OmegaMatcher
	}{
		{"an answer", func(w http.ResponseWriter, id string) {
			fmt.Fprintf(w, `{"result":{"blocks":112},"error":null,"id":%s}`, id)
		}, `{"blocks":112}`, BeNil()},
		{"a refusal of bitcoind's", func(w http.ResponseWriter, id string) {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":%s}`, id)
		}, "", BeAssignableToTypeOf(&btcjson.RPCError{})},
		{"what it may not call", func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusForbidden) }, "", MatchError(ContainSubstring("403"))},
		{"an answer that is lost", func(w http.ResponseWriter, _ string) { panic(http.ErrAbortHandler) }, "", MatchError(errNoAnswer)},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := NewWithT(t)
			var asked atomic.Int32
			node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				user, pass, _ := r.BasicAuth()
				body, _ := io.ReadAll(r.Body)
				if user != "bitcoin" || pass != password || !strings.Contains(string(body), `"params":[112,"a"]`) {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				_, rest, _ := strings.Cut(string(body), id)
				number, _, _ := strings.Cut(rest, "}")
				test.answer(w, number)
			}))
			defer node.Close()
			ended := false
			port, err := newGate(strings.TrimPrefix(node.URL, "http://"), func() { ended = true })
			g.Expect(err).NotTo(HaveOccurred())
			result, err := ask(context.Background(), port, bitcoind.NewCredentials("bitcoin", password), "getblockhash", params([]string{"112", "a"}))
			port.Close()
			g.Expect(err).To(test.err)
			g.Expect(string(result)).To(Equal(test.want))
			g.Expect(asked.Load()).To(BeEquivalentTo(1))
			g.Expect(ended).To(BeTrue())
		})
	}
}

// What btcsuite's client asks, and how it reads the answers, is tried with a real node.
func TestRealNodeIsAsked(t *testing.T) {
	program := os.Getenv("TEST_BITCOIND")
	if program == "" {
		t.Skip("TEST_BITCOIND names no bitcoind; make test sets it to .local/bin/bitcoind")
	}
	g := NewWithT(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	address := free.Addr().(*net.TCPAddr)
	g.Expect(free.Close()).To(Succeed())
	bitcoin := exec.CommandContext(t.Context(), program, "-regtest", "-listen=0", "-datadir="+t.TempDir(), fmt.Sprint("-rpcport=", address.Port),
		"-rpcuser=bitcoin", "-rpcpassword="+password, "-disablewallet")
	g.Expect(bitcoin.Start()).To(Succeed())
	defer func() { _ = bitcoin.Process.Kill(); _ = bitcoin.Wait() }()

	call := func(password, method string, args ...string) (json.RawMessage, error) {
		port, err := newGate(address.String(), func() {})
		g.Expect(err).NotTo(HaveOccurred())
		defer port.Close()
		return ask(t.Context(), port, bitcoind.NewCredentials("bitcoin", password), method, params(args))
	}
	g.Eventually(func() (string, error) { height, err := call(password, "getblockcount"); return string(height), err }, "1m", "200ms").Should(Equal("0"))
	g.Expect(call(password, "generatetodescriptor", "2", "raw(51)#8lvh9jxk")).To(HaveLen(135), "two hashes")
	block, err := call(password, "getblockhash", "2")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(call(password, "getblock", strings.Trim(string(block), `"`), "1")).To(ContainSubstring(`"height":2`))
	_, err = call(password, "getblockhash", "3")
	g.Expect(err).To(Equal(&btcjson.RPCError{Code: -8, Message: "Block height out of range"}))
	_, err = call("another", "getblockcount")
	g.Expect(err).To(MatchError(ContainSubstring("401")))
}
