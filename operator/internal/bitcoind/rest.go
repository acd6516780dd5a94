package bitcoind

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// Tip is the end of a node's chain. Tips are comparable: those of one block are
// equal.
type Tip struct {
	// Height is how many blocks are before it.
	Height int32 `json:"blocks"`
	// Hash is the hash of its block.
	Hash string `json:"bestblockhash"`
	// Work is what it took to make the chain up to it, as 64 hexadecimal digits,
	// so that texts compare as the numbers do. Nodes follow the chain that has
	// the most, whatever its height.
	Work string `json:"chainwork"`
}

// validate tells what about a tip is not as bitcoind says it.
func (t Tip) validate() error {
	switch {
	case t.Height < 0:
		return fmt.Errorf("%w: a height of %d", ErrAnswer, t.Height)
	case !isHex256(t.Hash):
		return fmt.Errorf("%w: bestblockhash is not a hash", ErrAnswer)
	case !isHex256(t.Work):
		return fmt.Errorf("%w: chainwork is not a number of 64 digits", ErrAnswer)
	}
	return nil
}

// isHex256 reports whether a text is one in which bitcoind writes 256 bits.
func isHex256(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// Tip asks a node for the end of its chain over REST, which needs no credentials:
// whoever answers at the address, it learns nothing, and a node answers whose
// credentials the caller lacks. The error tells why a node does not answer; Explain
// puts it in words.
func (c *Client) Tip(ctx context.Context, address string) (Tip, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/rest/chaininfo.json", nil)
	if err != nil {
		return Tip{}, fmt.Errorf("make a request to %s: %w", address, err)
	}
	request.Close = true // nothing follows
	var tip Tip
	_, err = c.send(request, "", checkTimeout, func(answer *bytes.Buffer) error {
		if err := json.Unmarshal(answer.Bytes(), &info{&tip}, lenient); err != nil {
			return fmt.Errorf("chaininfo: %w", asAnswer(err))
		}
		if err := tip.validate(); err != nil {
			return fmt.Errorf("chaininfo: %w", err)
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrBusy):
		// REST has the same status for it, and no code beside.
		return Tip{}, fmt.Errorf("it is starting, or %w", err)
	case err != nil:
		return Tip{}, err
	}
	return tip, nil
}
