package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A Pair lets a client of JSON-RPC in.
type Pair struct{ User, Password string }

// A RefusedError is a node's answer that is none to what was asked.
type RefusedError struct {
	// Status is that of HTTP: 401 where the credentials are wrong.
	Status int
	// Code is bitcoind's own, such as -28 while it starts.
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (r *RefusedError) Error() string {
	return fmt.Sprintf("HTTP status %d, code %d: %s", r.Status, r.Code, r.Message)
}

// direct makes a connection for each call, so that each shows whether the node can
// be reached.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}

// Call calls a method of the JSON-RPC at an address, host:port, as a client of the
// node does, and reads the result into where result points to. Pods can be reached
// from this machine.
func Call(ctx context.Context, address string, pair Pair, result any, method string, params ...any) error {
	question, err := json.Marshal(map[string]any{"id": 1, "method": method, "params": append([]any{}, params...)})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", bytes.NewReader(question))
	if err != nil {
		return err
	}
	request.SetBasicAuth(pair.User, pair.Password)
	response, err := direct.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *RefusedError   `json:"error"`
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if answer.Error == nil && response.StatusCode != http.StatusOK {
		answer.Error = &RefusedError{Message: method}
	}
	if answer.Error != nil {
		answer.Error.Status = response.StatusCode
		return answer.Error
	}
	if err != nil {
		return fmt.Errorf("read the answer to %s: %w", method, err)
	}
	return json.Unmarshal(answer.Result, result)
}
