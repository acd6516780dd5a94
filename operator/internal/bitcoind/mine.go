package bitcoind

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"
)

// blockTimeout is how much longer a node may take for each block that it makes.
const blockTimeout = 30 * time.Millisecond

// Mine has a node on a regtest chain make so many blocks, one on the other, whose coins
// are for whoever a descriptor says, and returns their hashes. Where the answer is late or
// lost the node may have made them all the same, or still be about it.
func (c *Client) Mine(ctx context.Context, endpoint Endpoint, count int, descriptor string) ([]string, error) {
	const method = "generatetodescriptor"
	timeout := checkTimeout + time.Duration(count)*blockTimeout
	result := list[string]{limit: count}
	if err := c.do(ctx, endpoint, timeout, call{method, []any{count, descriptor}, &result}); err != nil {
		return nil, err
	}
	hashes := result.items
	if len(hashes) != count {
		return nil, fmt.Errorf("%s: %w: %d blocks instead of %d", method, ErrAnswer, len(hashes), count)
	}
	for _, hash := range hashes {
		if !isHash(hash) {
			return nil, fmt.Errorf("%s: %w: not a hash", method, ErrAnswer)
		}
	}
	return hashes, nil
}

// isHash reports whether a text is a hash in hexadecimal, of a block or a transaction.
func isHash(text string) bool {
	decoded, err := hex.DecodeString(text)
	return err == nil && len(decoded) == 32
}
