package fleet

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCall(t *testing.T) {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch user, password, _ := r.BasicAuth(); {
		case user != "alice" || password != `# "`:
			w.WriteHeader(http.StatusUnauthorized)
		case r.ContentLength > 45: // it has parameters
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"result":null,"error":{"code":-28,"message":"Loading"}}`))
		default:
			_, _ = w.Write([]byte(`{"result":7,"error":null}`))
		}
	}))
	defer node.Close()
	address := strings.TrimPrefix(node.URL, "http://")
	call := func(pair Pair, params ...any) (result int, refusal *RefusedError) {
		errors.As(Call(t.Context(), address, pair, &result, "getblockcount", params...), &refusal)
		return result, refusal
	}

	alice := Pair{"alice", `# "`}
	if result, refusal := call(alice); result != 7 || refusal != nil {
		t.Errorf("got %d, %v", result, refusal)
	}
	if _, refusal := call(alice, 1); refusal == nil || refusal.Code != -28 || refusal.Status != 500 {
		t.Errorf("got %v of a node that starts", refusal)
	}
	if _, refusal := call(Pair{"alice", "#"}); refusal == nil || refusal.Status != 401 {
		t.Errorf("got %v for a wrong password", refusal)
	}
}
