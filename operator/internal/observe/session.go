package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// maxParallelRequests bounds how many nodes of a network are talked to at once,
	// and with it the memory that their answers can take.
	maxParallelRequests = 16
	// tipAfter is how long a pod must have run before its node is believed without
	// credentials: by then its address is no longer that of a pod before it.
	tipAfter = 30 * time.Second
)

// session asks the nodes of one network in one pass.
type session struct {
	nodes   Nodes
	network *v1alpha1.BitcoinNetwork
	seen    *state.Network
	cache   *cache
	// hadPods reports whether the network has pods from before the Secret changed.
	hadPods bool
}

// askNodes asks every node that can be asked how it stands. That one does not
// answer is a finding, not an error.
func (s *session) askNodes(ctx context.Context) {
	var group errgroup.Group
	group.SetLimit(maxParallelRequests)
	for ordinal := range s.seen.Nodes {
		node := &s.seen.Nodes[ordinal]
		if node.Problem != "" {
			continue
		}
		if s.seen.Secret.Unusable != nil {
			node.Problem = "not queried: no credentials"
			continue
		}
		if node.Problem = s.cache.backoff.lastProblem(node.Pod); node.Problem != "" {
			node.AskAgain = s.cache.backoff.wait(node.Pod)
			node.State, node.IsLate = s.cache.grace.of(node.Pod)
			continue
		}
		group.Go(func() error {
			s.ask(ctx, ordinal)
			return nil
		})
	}
	_ = group.Wait() // the findings are in the nodes
}

// ask asks one node, with one pair of credentials after the other until it accepts
// one.
func (s *session) ask(ctx context.Context, ordinal int) {
	node := &s.seen.Nodes[ordinal]
	for _, pair := range s.cache.keyring.candidates(node.Pod) {
		answer, err := s.nodes.Check(ctx, endpointOf(s.network, s.seen, ordinal, pair))
		if errors.Is(err, bitcoind.ErrUnauthorized) {
			s.cache.keyring.record(node.Pod, pair, false)
			continue
		}
		if err != nil {
			node.Problem, node.WarmsUp = bitcoind.Explain(err), bitcoind.IsWarmingUp(err)
			node.AskAgain = s.cache.backoff.failed(node.Pod, node.Problem)
			if !bitcoind.IsTimeout(err) {
				s.cache.grace.ended(node.Pod)
				return
			}
			s.cache.grace.late(node.Pod)
			node.State, node.IsLate = s.cache.grace.of(node.Pod)
			return
		}
		s.cache.keyring.record(node.Pod, pair, true)
		s.cache.backoff.succeeded(node.Pod)
		node.Answers, node.State = true, answer
		node.Silent = s.cache.activity.silentPeers(node.Pod.UID, answer.Peers, s.seen.Now)
		node.Shown, node.Tip = true, blockOf(answer.Tip())
		s.verify(ctx, ordinal)
		s.verifyUsers(ctx, ordinal)
		node.Problem = cmp.Or(node.Problem, state.Unreached(node.Pod))
		if node.Problem == "" {
			s.cache.grace.answered(node.Pod, answer)
		} else {
			s.cache.grace.ended(node.Pod)
		}
		return
	}
	s.cache.grace.ended(node.Pod)
	node.RejectsAll = true
	node.Problem = "it rejects all credentials known to the operator"
	s.askWithoutCredentials(ctx, node)
}

// askWithoutCredentials asks a node for its tip that accepts none of the credentials.
func (s *session) askWithoutCredentials(ctx context.Context, node *state.Node) {
	since := state.RunsSince(node.Pod)
	if since.IsZero() || s.seen.Now.Sub(since) < tipAfter {
		return
	}
	if tip, err := s.nodes.Tip(ctx, address(s.seen, node.Pod)); err == nil {
		node.Shown, node.Tip = true, blockOf(tip)
	}
}

// verify finds out which of the credentials a node that answers accepts: those of the
// Secret, and those that it had before. Those that have not been tried on it are: that
// costs a request each, once in the life of its container.
func (s *session) verify(ctx context.Context, ordinal int) {
	node := &s.seen.Nodes[ordinal]
	rejects := []*bool{&node.RejectsCurrent, &node.RejectsPrevious}
	for i, pair := range s.cache.keyring.pairs {
		*rejects[i] = !s.accepts(ctx, ordinal, pair, true)
	}
	for _, pair := range s.cache.keyring.dropped {
		node.AcceptsOld = node.AcceptsOld || s.accepts(ctx, ordinal, pair, false)
	}
	node.MayAcceptOld = s.mayAcceptOld(node)
	if node.RejectsCurrent && !s.seen.MissedSecret(*node) && resources.SecretOf(node.Pod) == s.network.Spec.Secret {
		node.Problem = fmt.Sprintf("it rejects the current credentials of Secret %q, though it was started after they were set", s.network.Spec.Secret)
	}
}

// mayAcceptOld reports whether a node may accept a pair of which nobody knows: when the
// Secret changed nobody was there who knew what it held before, and the node may have
// read that. A new start settles it.
func (s *session) mayAcceptOld(node *state.Node) bool {
	changed := s.seen.Secret.ChangedAt
	if s.wasRead() || s.cache.keyring.since.Before(changed) {
		return false
	}
	return state.StartedAt(node.Pod).Before(changed) || s.hadPods && s.seen.MissedSecret(*node)
}

// verifyUsers finds out which passwords of its users a node that answers accepts, of those
// that the Secret has and of those that it had before. A user that its pod does not know
// needs another pod. Each is tried once in the life of a container. A node that does not
// answer now is asked for the others at the next look.
func (s *session) verifyUsers(ctx context.Context, ordinal int) {
	node := &s.seen.Nodes[ordinal]
	for _, user := range resources.KnownUsers(node.Pod) {
		held, dropped := s.cache.users.of(user)
		rejects, errHeld := s.anyIs(ctx, ordinal, held, false)
		keeps, errDropped := s.anyIs(ctx, ordinal, dropped, true)
		if rejects {
			node.RejectsUsers = append(node.RejectsUsers, user)
		}
		if keeps {
			node.KeepsUsers = append(node.KeepsUsers, user)
		}
		if cmp.Or(errHeld, errDropped) != nil {
			return
		}
	}
}

// anyIs reports whether a node accepts any of these credentials of users, or rejects any.
func (s *session) anyIs(ctx context.Context, ordinal int, credentials []bitcoind.Credentials, accepted bool) (bool, error) {
	pod, isAny := s.seen.Nodes[ordinal].Pod, false
	for _, user := range credentials {
		accepts, known := s.cache.users.accepts(pod, user)
		if !known {
			var err error
			accepts, err = s.nodes.Accepts(ctx, endpointOf(s.network, s.seen, ordinal, user))
			if err != nil {
				return isAny, err
			}
			s.cache.users.record(pod, user, accepts)
		}
		isAny = isAny || accepts == accepted
	}
	return isAny, nil
}

// wasRead reports whether it is on record that every node has read the Secret as it
// is. An earlier operator kept no such record, and replaced nodes until they had.
func (s *session) wasRead() bool {
	recorded := s.network.Status.SecretChangedAt
	return recorded == nil || s.network.Status.SecretRead && recorded.Time.Equal(s.seen.Secret.ChangedAt)
}

// accepts reports whether a node that answers lets a pair call everything. Where that
// cannot be told now it returns what was expected. A pair that the Secret no longer has
// may have become that of a user who may do less.
func (s *session) accepts(ctx context.Context, ordinal int, pair bitcoind.Credentials, expected bool) bool {
	pod := s.seen.Nodes[ordinal].Pod
	if accepts, known := s.cache.keyring.accepts(pod, pair); known {
		return accepts
	}
	_, err := s.nodes.Check(ctx, endpointOf(s.network, s.seen, ordinal, pair))
	if err != nil && !errors.Is(err, bitcoind.ErrUnauthorized) && !errors.Is(err, bitcoind.ErrForbidden) {
		return expected
	}
	s.cache.keyring.record(pod, pair, err == nil)
	return err == nil
}

// compareTips finds out, where nodes are at different tips, which of these are on
// one chain. That takes one more request, to a node at the highest tip.
func (s *session) compareTips(ctx context.Context) {
	tips := s.seen.Tips()
	if len(tips) < 2 {
		return
	}
	heights := make([]int32, len(tips))
	for i, tip := range tips {
		heights[i] = int32(tip.Height)
	}
	highest := tips[0].Nodes[0]
	key := s.cache.keyring.key(s.seen.Nodes[highest].Pod)
	hashes, err := s.nodes.BlockHashes(ctx, endpointOf(s.network, s.seen, highest, key), heights)
	if err != nil {
		return // the next look asks again
	}
	s.seen.Branches = map[string]bool{}
	for i, tip := range tips {
		s.seen.Branches[tip.Hash] = hashes[i] == tip.Hash
	}
}

// blockOf puts a tip in the terms of state.
func blockOf(tip bitcoind.Tip) *state.Block {
	return &state.Block{Height: int64(tip.Height), Hash: tip.Hash, Work: tip.Work}
}

// endpointOf is where a node is reached with these credentials. Nobody else that answers
// there is believed or told anything.
func endpointOf(network *v1alpha1.BitcoinNetwork, seen *state.Network, ordinal int, credentials bitcoind.Credentials) bitcoind.Endpoint {
	return bitcoind.Endpoint{
		Address:     address(seen, seen.Nodes[ordinal].Pod),
		Credentials: credentials,
		Comment:     resources.Comment(network, ordinal),
	}
}

// address is that of a pod's RPC. It goes by the address of the pod that was seen:
// a name may still lead to its predecessor.
func address(seen *state.Network, pod *corev1.Pod) string {
	return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(seen.Chain.RPCPort)))
}
