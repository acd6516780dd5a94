package btcnet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
