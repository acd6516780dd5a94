package bitcoind

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync"
)

// errNotMet tells that nothing was sent, since nobody has said over a connection that it is
// the node which is to be there.
var errNotMet = errors.New("nobody has said over the connection that it is the node")

// unsentError is why nobody has said so where somebody was asked. It reads as that does.
type unsentError struct{ error }

// Unwrap returns that nothing was sent, and why.
func (e unsentError) Unwrap() []error { return []error{errNotMet, e.error} }

// connection is one to a node, and remembers who has answered on it: while it stands, that
// is nobody else. It is safe for concurrent use.
type connection struct {
	net.Conn

	mu sync.Mutex
	// shown is the comment of the node that has answered.
	shown string
	// only is the comment of the one node that the request under way is for; without, it is
	// for whoever is there.
	only string
	// wrote reports that some of it was sent.
	wrote bool
}

// Write implements net.Conn. What is for a node alone is not sent before that has answered.
func (c *connection) Write(data []byte) (int, error) {
	c.mu.Lock()
	isMet := c.only == "" || c.only == c.shown
	c.wrote = c.wrote || isMet
	c.mu.Unlock()
	if !isMet {
		return 0, errNotMet
	}
	return c.Conn.Write(data)
}

// keepFor has the request that begins be for one node alone, or for whoever is there.
func (c *connection) keepFor(only string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.only, c.wrote = only, false
}

// hasSent reports whether some of the request under way was sent.
func (c *connection) hasSent() bool {
	if c == nil { // there was none
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrote
}

// met keeps that a node has answered.
func (c *connection) met(comment string) {
	if c == nil { // of another transport
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown = comment
}

// onlyKey is the key of a context of a request for one node alone: its comment.
type onlyKey struct{}

// toOnly returns a context for a request that is for one node alone, or for whoever is
// there, and where the connection will be that it is sent over.
func toOnly(ctx context.Context, only string) (context.Context, **connection) {
	over := new(*connection)
	ctx = context.WithValue(ctx, onlyKey{}, only)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { // before anything is written
			if conn, isOurs := got.Conn.(*connection); isOurs {
				conn.keepFor(only)
				*over = conn
			}
		},
	}), over
}

// dial connects to a node, where a request may be for somebody who has not answered yet.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if only, _ := ctx.Value(onlyKey{}).(string); only != "" {
		return nil, errNotMet
	}
	// A connection ends long before a probe of whether it still stands would be sent.
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn}, nil
}
