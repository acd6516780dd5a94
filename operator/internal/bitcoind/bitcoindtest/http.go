package bitcoindtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/btcsuite/btcd/btcjson"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Handler returns what answers HTTP at a node's address: JSON-RPC, alone or in batches,
// and its tip over REST. It knows no wallets.
func (n *Network) Handler(address string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) { n.serveRPC(w, r, address) })
	mux.HandleFunc("GET /rest/chaininfo.json", func(w http.ResponseWriter, r *http.Request) { n.serveTip(w, r, address) })
	return mux
}

func (n *Network) serveTip(w http.ResponseWriter, r *http.Request, address string) {
	n.mu.Lock()
	node := n.speaking(r.Context(), address)
	var answer chainAnswer
	if node != nil {
		answer = node.chainAnswer()
	}
	n.mu.Unlock()
	if node != nil {
		writeJSON(w, http.StatusOK, answer)
	}
}

// request is one call, and response what comes of it.
type request struct {
	ID     any               `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

type response struct {
	Result any               `json:"result"`
	Error  *btcjson.RPCError `json:"error"`
	ID     any               `json:"id"`
}

func (n *Network) serveRPC(w http.ResponseWriter, r *http.Request, address string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	user, password, _ := r.BasicAuth()
	status, answer := n.answerRPC(r.Context(), address, bitcoind.NewCredentials(user, password), body)
	if status != 0 {
		writeJSON(w, status, answer)
	}
}

// answerRPC returns what a node says to the body of a request, and nothing if it is
// silent.
func (n *Network) answerRPC(ctx context.Context, address string, credentials bitcoind.Credentials, body []byte) (status int, answer any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node := n.speaking(ctx, address)
	if node == nil {
		return 0, nil
	}
	isBatch := len(body) > 0 && body[0] == '['
	switch _, err := n.answering(ctx, bitcoind.Endpoint{Address: address, Credentials: credentials}); {
	case errors.Is(err, bitcoind.ErrForbidden) && isBatch && string(body) == "[]":
		return http.StatusOK, []response{}
	case errors.Is(err, bitcoind.ErrForbidden):
		return http.StatusForbidden, nil
	case errors.Is(err, bitcoind.ErrUnauthorized):
		return http.StatusUnauthorized, nil
	case err != nil:
		return http.StatusServiceUnavailable, nil
	}

	var requests []request
	into := any(&requests)
	if !isBatch {
		requests = make([]request, 1)
		into = &requests[0]
	}
	if err := json.Unmarshal(body, into); err != nil {
		return http.StatusInternalServerError, response{Error: btcjson.ErrRPCParse}
	}
	responses := n.answerCalls(node, requests)
	switch {
	case isBatch:
		return http.StatusOK, responses
	case responses[0].Error != nil:
		return http.StatusInternalServerError, responses[0]
	default:
		return http.StatusOK, responses[0]
	}
}

// speaking returns the node at an address. One that is frozen it waits with, as long as
// whoever asks does, and then it is nil, as for one that has stopped.
func (n *Network) speaking(ctx context.Context, address string) *node {
	node := n.nodes[address]
	if node == nil || !node.frozen {
		return node
	}
	n.mu.Unlock()
	defer n.mu.Lock()
	<-ctx.Done()
	return nil
}

// answerCalls makes the calls of a batch. bitcoind closes connections, and stops, a moment
// after it was asked to.
func (n *Network) answerCalls(node *node, requests []request) []response {
	session := session{network: n, node: node}
	responses := make([]response, len(requests))
	for i, request := range requests {
		result, err := session.call(request.Method, request.Params)
		responses[i] = response{Result: result, Error: err, ID: request.ID}
	}
	for _, c := range session.closing {
		c.close()
	}
	if session.pinging {
		node.ping(n.now) // its effect shows at the next check
	}
	if session.stopping {
		n.stop(node)
	}
	return responses
}

// session is the calls of one request, and what follows from them.
type session struct {
	network           *Network
	node              *node
	closing           []*connection
	pinging, stopping bool
}

func (s *session) call(method string, params []json.RawMessage) (any, *btcjson.RPCError) {
	switch method {
	case "getblockchaininfo":
		return s.node.chainAnswer(), nil
	case "getnetworkinfo":
		return s.node.networkAnswer(), nil
	case "getpeerinfo":
		return s.node.peerAnswers(), nil
	case "getaddednodeinfo":
		return s.node.addedAnswers(), nil
	case "getmempoolinfo":
		return s.node.mempoolAnswer(), nil
	case "getchaintips":
		return s.node.tipAnswers(), nil
	case "uptime":
		return int64(s.network.now.Sub(s.node.started).Seconds()), nil
	case "ping":
		s.pinging = true
		return nil, nil
	case "stop":
		s.stopping = true
		return "Bitcoin Core stopping", nil
	case "addnode":
		return nil, s.addNode(params)
	case "disconnectnode":
		return nil, s.disconnectNode(params)
	case "getblockhash":
		return s.blockHash(params)
	case "generatetodescriptor":
		return s.generate(params)
	default:
		return nil, btcjson.ErrRPCMethodNotFound
	}
}

func (s *session) addNode(params []json.RawMessage) *btcjson.RPCError {
	var name, command string
	if err := decode(params, &name, &command); err != nil {
		return err
	}
	listed := slices.Contains(s.node.added, name)
	switch {
	case command == "onetry":
		s.network.dial(s.node, name, false)
	case command == "add" && listed:
		return btcjson.NewRPCError(btcjson.ErrRPCClientNodeAlreadyAdded, "Error: Node already added")
	case command == "add":
		s.node.list(name)
	case command == "remove" && !listed:
		return btcjson.NewRPCError(btcjson.ErrRPCClientNodeNotAdded, "Error: Node could not be removed. It has not been added previously.")
	case command == "remove":
		s.node.unlist(name)
	default:
		return btcjson.NewRPCError(btcjson.ErrRPCInvalidParameter, "addnode knows add, remove and onetry")
	}
	return nil
}

func (s *session) disconnectNode(params []json.RawMessage) *btcjson.RPCError {
	var name string
	var id int32
	if err := decode(params, &name, &id); err != nil {
		return err
	}
	index := slices.IndexFunc(s.node.connections, func(c *connection) bool {
		if name == "" {
			return int32(c.serial) == id
		}
		return c.from.node == s.node && c.name == name
	})
	if index < 0 {
		return btcjson.NewRPCError(btcjson.ErrRPCClientNodeNotConnected, "Node not found in connected nodes")
	}
	s.closing = append(s.closing, s.node.connections[index])
	return nil
}

func (s *session) blockHash(params []json.RawMessage) (any, *btcjson.RPCError) {
	var height int32
	if err := decode(params, &height); err != nil {
		return nil, err
	}
	block := s.node.tip.at(height)
	if block == nil {
		return nil, btcjson.NewRPCError(btcjson.ErrRPCInvalidParameter, "Block height out of range")
	}
	return block.hash, nil
}

func (s *session) generate(params []json.RawMessage) (any, *btcjson.RPCError) {
	var count int
	var descriptor string
	if err := decode(params, &count, &descriptor); err != nil {
		return nil, err
	}
	return s.network.mineBlocks(s.node, count, descriptor), nil
}

// decode reads as many parameters as there are.
func decode(params []json.RawMessage, into ...any) *btcjson.RPCError {
	for i, param := range params[:min(len(params), len(into))] {
		if err := json.Unmarshal(param, into[i]); err != nil {
			return btcjson.NewRPCError(btcjson.ErrRPCType, fmt.Sprintf("parameter %d: %v", i+1, err))
		}
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if answer != nil {
		_ = json.NewEncoder(w).Encode(answer) // whoever asked may have gone
	}
}
