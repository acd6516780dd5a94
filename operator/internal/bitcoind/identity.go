package bitcoind

import (
	"context"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/btcjson"
)

// AnotherNodeError reports who answers at a node's address instead of the node: the
// address may have been another pod's a moment ago, or be one by now.
type AnotherNodeError struct {
	// Comments are those in the user agent of who answers.
	Comments []string
}

// Error implements error.
func (e *AnotherNodeError) Error() string {
	if len(e.Comments) == 0 {
		return "another node answers at its address"
	}
	return "another node answers at its address: " + strings.Join(e.Comments, ", ")
}

// MustBe fails unless a user agent is that of the node which is to be at the endpoint.
func (e Endpoint) MustBe(userAgent string) error {
	comments := Comments(userAgent)
	if e.Comment == "" || slices.Contains(comments, e.Comment) {
		return nil
	}
	return &AnotherNodeError{Comments: comments}
}

// whoAreYou is what a node answers with its user agent.
func whoAreYou(node *NetworkInfo) call { return call{method: "getnetworkinfo", result: &info{node}} }

// meet fails unless the node answers that is to be at an endpoint, before it is told
// anything over that connection.
func (c *Client) meet(ctx context.Context, endpoint Endpoint) error {
	var node NetworkInfo
	failed, over, err := c.batch(ctx, endpoint, []call{whoAreYou(&node)})
	if err != nil {
		return err
	}
	return endpoint.recognize(over, failed[0], node)
}

// recognize fails unless a node's answer to whoAreYou, over a connection, is that of the one
// which is to be at the endpoint.
func (e Endpoint) recognize(over *connection, failed *btcjson.RPCError, node NetworkInfo) error {
	if failed != nil {
		return failed
	}
	if err := node.validate(); err != nil {
		return err
	}
	if err := e.MustBe(node.SubVersion); err != nil {
		return err
	}
	over.met(e.Comment)
	return nil
}
