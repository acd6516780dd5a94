package bitcoindtest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Server has the nodes of a network listen at their addresses: one that has stopped
// refuses connections, and one that is frozen accepts them and never answers. It is safe
// for concurrent use.
type Server struct {
	*Network

	running   sync.WaitGroup
	mu        sync.Mutex
	listening map[string]*http.Server // by address
	traffic   map[string]*Traffic     // by group
}

// Traffic is what a group of nodes was asked, also of those that have stopped since.
type Traffic struct {
	// Requests are those over HTTP, and Connections those of TCP.
	Requests, Connections int
	// Links is how many pairs of the nodes are connected, and Linked when the last of the
	// connections that there are was made.
	Links  int
	Linked time.Time
}

// NewServer returns one of a network that has no nodes yet.
func NewServer(network *Network) *Server {
	return &Server{Network: network, listening: map[string]*http.Server{}, traffic: map[string]*Traffic{}}
}

// Serve starts a node that listens.
func (s *Server) Serve(address, name, comment string, credentials ...bitcoind.Credentials) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("start the node %s: %w", comment, err)
	}
	s.Start(address, name, comment, credentials...)
	s.listen(listener, address, comment)
	return nil
}

// Resume starts a node again that has stopped, with its chain.
func (s *Server) Resume(address, comment string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("start the node %s again: %w", comment, err)
	}
	s.Restart(address)
	s.listen(listener, address, comment)
	return nil
}

// End stops a node, if it runs, and whatever is said to it meanwhile.
func (s *Server) End(address string) {
	if server := s.hangUp(address); server != nil {
		_ = server.Close() // what cannot be closed is closed
	}
	if s.Runs(address) {
		s.Stop(address)
	}
}

// Close ends all nodes, and returns when nothing of them runs.
func (s *Server) Close() {
	s.mu.Lock()
	addresses := slices.Collect(maps.Keys(s.listening))
	s.mu.Unlock()
	for _, address := range addresses {
		s.End(address)
	}
	s.running.Wait()
}

func (s *Server) listen(listener net.Listener, address, comment string) {
	group, node := groupOf(comment), s.Handler(address)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.count(group, func(t *Traffic) { t.Requests++ })
			node.ServeHTTP(w, r)
			if !s.Runs(address) { // it was told to stop
				s.leave(address)
			}
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.count(group, func(t *Traffic) { t.Connections++ })
			}
		},
	}
	s.mu.Lock()
	s.listening[address] = server
	s.mu.Unlock()
	s.running.Go(func() { _ = server.Serve(listener) }) // until it is closed
}

// leave has a node accept nobody any more, and end when it has answered.
func (s *Server) leave(address string) {
	if server := s.hangUp(address); server != nil {
		s.running.Go(func() { _ = server.Shutdown(context.Background()) })
	}
}

// hangUp takes a node off the list of those that listen, and returns what served it.
func (s *Server) hangUp(address string) *http.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.listening[address]
	delete(s.listening, address)
	return server
}

func (s *Server) count(group string, change func(*Traffic)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.traffic[group] == nil {
		s.traffic[group] = &Traffic{}
	}
	change(s.traffic[group])
}

// Traffic returns what the groups of nodes were asked.
func (s *Server) Traffic() map[string]Traffic {
	links := s.links()
	s.mu.Lock()
	defer s.mu.Unlock()
	traffic := map[string]Traffic{}
	for group, counted := range s.traffic {
		traffic[group] = Traffic{
			Requests: counted.Requests, Connections: counted.Connections,
			Links: len(links[group].pairs), Linked: links[group].last,
		}
	}
	return traffic
}

// links are the connections of a group of nodes.
type links struct {
	pairs map[[2]int]bool // by the nodes' serials
	last  time.Time
}

// links returns the connections of each group of nodes, however many there are between
// two.
func (n *Network) links() map[string]links {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := map[string]links{}
	for _, node := range n.nodes {
		name := groupOf(node.comment)
		group := found[name]
		if group.pairs == nil {
			group.pairs = map[[2]int]bool{}
		}
		for _, c := range node.connections {
			if c.from.node != node || !c.handshaken {
				continue
			}
			from, to := c.from.node.serial, c.to.node.serial
			group.pairs[[2]int{min(from, to), max(from, to)}] = true
			if c.made.After(group.last) {
				group.last = c.made
			}
		}
		found[name] = group
	}
	return found
}

// Peers returns when each peer of a node was connected last, by its comment. Of a node that
// does not run there are none.
func (n *Network) Peers(address string) map[string]time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	peers := map[string]time.Time{}
	node := n.nodes[address]
	if node == nil {
		return peers
	}
	for _, c := range node.connections {
		_, other := c.ends(node)
		if comment := other.node.comment; c.handshaken && c.made.After(peers[comment]) {
			peers[comment] = c.made
		}
	}
	return peers
}

// groupOf returns the group of nodes to which one belongs: its comment without the part
// that tells it from the others.
func groupOf(comment string) string {
	if dot := strings.LastIndex(comment, "."); dot >= 0 {
		return comment[:dot]
	}
	return comment
}
