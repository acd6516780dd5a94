package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
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
	// openAgain is how soon a node is asked once more that has not said of all credentials
	// whether it accepts them.
	openAgain = 5 * time.Second
)

// session asks the nodes of one network in one pass.
type session struct {
	nodes   Nodes
	network *v1alpha1.BitcoinNetwork
	seen    *state.Network
	cache   *cache
	// hadPods reports whether the network has pods from before the Secret changed, and
	// wasRead that it is on record that every node has read it as it is.
	hadPods, wasRead bool
	// restsUntil is until when it waits for answers on which something rests that cannot be
	// taken back; zero where nothing does.
	restsUntil time.Time
}

func newSession(nodes Nodes, network *v1alpha1.BitcoinNetwork, seen *state.Network, cache *cache) *session {
	own := *network // who asks a node that is late reads it while the pass writes the network's status
	return &session{
		nodes: nodes, network: &own, seen: seen, cache: cache,
		hadPods: seen.HadPods(), wasRead: wasRead(network, seen),
	}
}

// askNodes asks nodes how they stand: all of them, or those that have not said so since
// something happened to them. Where one of these has a better block than was known, the
// others are not behind only because they were not asked.
func (s *session) askNodes(ctx context.Context, all bool) {
	for ordinal := range s.seen.Nodes {
		s.recall(&s.seen.Nodes[ordinal])
	}
	s.ask(ctx, func(node state.Node) bool { return all || s.isDue(node) })
	if !all && s.hasFoundBetter() {
		s.ask(ctx, func(state.Node) bool { return true })
		all = true
	}
	if all && s.seen.Secret.Unusable == nil {
		s.cache.wasWhole(s.network, s.seen.Now)
	}
	s.seen.AllAskedAt = s.cache.allAsked
}

// recall finds out what is known of a node without asking it.
func (s *session) recall(node *state.Node) {
	if node.Problem != "" {
		return
	}
	if s.seen.Secret.Unusable != nil {
		node.Problem = "not queried: no credentials"
		return
	}
	if said, known := s.cache.answers.of(*node); known {
		*node = said
		return
	}
	node.Problem = s.cache.backoff.lastProblem(node.Pod)
	if node.Problem != "" {
		node.AskAgain = s.cache.backoff.wait(node.Pod)
		node.State, node.IsLate = s.cache.grace.of(node.Pod)
	}
}

// canBeAsked reports whether a node can be asked, has not been in this pass, and is not
// spared since it did not answer.
func (s *session) canBeAsked(node state.Node) bool {
	return s.seen.Secret.Unusable == nil && state.PodProblem(node.Pod) == "" &&
		!node.Asked && s.cache.backoff.lastProblem(node.Pod) == ""
}

// isDue reports whether a node has to be asked though it is not its regular turn: also
// while it copies the chain.
func (s *session) isDue(node state.Node) bool {
	copies := s.seen.Private && s.cache.dataOf(&node).lacked != nil || s.cache.best != nil && state.AwaitsSync(node.Pod)
	return copies || !s.cache.answers.isFresh(node)
}

// hasFoundBetter reports whether a node tells of a better block than was known, be it that
// its answer came after the look before. Of a public chain nodes have another one each moment, and what others
// have is nothing to them.
func (s *session) hasFoundBetter() bool {
	return s.seen.Private && slices.ContainsFunc(s.seen.Nodes, func(node state.Node) bool {
		return node.Shown && node.Tip.Height > 0 &&
			(s.cache.best == nil || node.Tip.Compare(*s.cache.best) > 0)
	})
}

// ask asks those of the nodes that can be asked and are wanted. That one does not answer
// is a finding, not an error.
func (s *session) ask(ctx context.Context, wanted func(state.Node) bool) {
	var group errgroup.Group
	group.SetLimit(maxParallelRequests)
	for ordinal := range s.seen.Nodes {
		if node := &s.seen.Nodes[ordinal]; ctx.Err() == nil && s.canBeAsked(*node) && wanted(*node) {
			group.Go(func() error {
				s.askInTime(ctx, ordinal, node)
				return nil
			})
		}
	}
	_ = group.Wait() // the findings are in the nodes
}

// askInTime asks a node, and waits for its answer as long as a look waits for one. A question
// of an earlier look is left to that, unless something rests on what the node says now.
func (s *session) askInTime(ctx context.Context, ordinal int, node *state.Node) {
	rests := !s.restsUntil.IsZero()
	if rests && time.Until(s.restsUntil) <= 0 {
		s.awaits(node)
		return
	}
	asked := state.Node{Tip: node.Tip, AskedAt: s.seen.Now, Asked: true}
	keepSeen(&asked, *node)
	answers, late := s.cache.answers, s.cache.grace.hasMissed(node.Pod)
	of, begins := answers.begin(asked, late)
	if of == nil || !begins && !rests {
		s.awaits(node)
		return
	}
	if begins {
		answers.asks.Go(func() { // until the node answers, by the deadlines of requests
			defer close(of.done)
			s.question(answers.life, ordinal, &of.asked)
			answers.came(of)
			of.asked.Problem = cmp.Or(of.asked.Problem, unreached(of.asked))
		})
	}
	patience := answers.patienceWith(node.Pod, late, rests)
	if rests {
		patience = min(patience, time.Until(s.restsUntil))
	}
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-of.done:
	case <-ctx.Done():
	case <-wait.C:
		if !begins || late || answers.isLate(node.Pod) {
			s.awaits(node)
			return
		}
	}
	select {
	case <-of.done:
	case <-ctx.Done():
		s.awaits(node)
		return
	}
	if of.asked.AskedAt.Before(s.seen.Now) {
		s.askInTime(ctx, ordinal, node)
		return
	}
	*node = of.asked
}

// awaits says of a node what it last said while it is still being asked.
func (s *session) awaits(node *state.Node) {
	node.AskAgain = firstWait
	if node.Answers {
		return
	}
	node.Problem = cmp.Or(s.cache.backoff.problem(node.Pod), "it has not answered yet")
	if !node.IsLate {
		node.State, node.IsLate = s.cache.grace.of(node.Pod)
	}
}

// distrust takes nothing for granted of a node on which something rests, and which has not
// answered in this pass as soon as it should.
func (s *session) distrust(node *state.Node) {
	if node.Asked {
		return
	}
	asked := state.Node{Tip: node.Tip, State: node.State, IsLate: state.IsReady(node.Pod), Asked: true, AskedAt: node.AskedAt}
	keepSeen(&asked, *node)
	*node = asked
	s.awaits(node)
}

// unreached says why clients do not reach a node that answers.
func unreached(node state.Node) string {
	if !node.Answers {
		return ""
	}
	return state.Unreached(node.Pod)
}

// question asks one node, with one pair of credentials after the other until it accepts
// one.
func (s *session) question(ctx context.Context, ordinal int, node *state.Node) {
	for _, pair := range s.cache.keyring.candidates(node.Pod) {
		answer, err := s.nodes.Check(ctx, s.endpoint(ordinal, node, pair))
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
		s.verify(ctx, ordinal, node)
		s.verifyUsers(ctx, ordinal, node)
		if node.Problem == "" && unreached(*node) == "" {
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

// endpoint is where a node is reached, with these credentials.
func (s *session) endpoint(ordinal int, node *state.Node, credentials bitcoind.Credentials) bitcoind.Endpoint {
	return endpointOf(s.network, s.seen, ordinal, node.Pod, credentials)
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
func (s *session) verify(ctx context.Context, ordinal int, node *state.Node) {
	rejects := []*bool{&node.RejectsCurrent, &node.RejectsPrevious}
	pairs, dropped, _ := s.cache.keyring.known()
	for i, pair := range pairs {
		*rejects[i] = !s.accepts(ctx, ordinal, node, pair, true)
	}
	for _, pair := range dropped {
		node.AcceptsOld = node.AcceptsOld || s.accepts(ctx, ordinal, node, pair, false)
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
	if _, _, since := s.cache.keyring.known(); s.wasRead || since.Before(changed) {
		return false
	}
	return state.StartedAt(node.Pod).Before(changed) || s.hadPods && s.seen.MissedSecret(*node)
}

// verifyUsers finds out which passwords of its users a node that answers accepts, of those
// that the Secret has and of those that it had before. A user that its pod does not know
// needs another pod. Each is tried once in the life of a container. A node that does not
// answer now is asked for the others at the next look.
func (s *session) verifyUsers(ctx context.Context, ordinal int, node *state.Node) {
	for _, user := range resources.KnownUsers(node.Pod) {
		held, dropped := s.cache.users.of(user)
		rejects, errHeld := s.anyIs(ctx, ordinal, node, held, false)
		keeps, errDropped := s.anyIs(ctx, ordinal, node, dropped, true)
		if rejects {
			node.RejectsUsers = append(node.RejectsUsers, user)
		}
		if keeps {
			node.KeepsUsers = append(node.KeepsUsers, user)
		}
		if cmp.Or(errHeld, errDropped) != nil {
			s.leavesOpen(node)
			return
		}
	}
}

// leavesOpen takes note that a node that answers has not said of all credentials whether it
// accepts them: what it said stands, and it is asked for the others at the next look.
func (s *session) leavesOpen(node *state.Node) {
	node.AskAgain = openAgain
	s.cache.answers.tells(node.Pod.UID)
}

// anyIs reports whether a node accepts any of these credentials of users, or rejects any.
func (s *session) anyIs(ctx context.Context, ordinal int, node *state.Node, credentials []bitcoind.Credentials, accepted bool) (bool, error) {
	pod, isAny := node.Pod, false
	for _, user := range credentials {
		accepts, known := s.cache.users.accepts(pod, user)
		if !known {
			var err error
			accepts, err = s.nodes.Accepts(ctx, s.endpoint(ordinal, node, user))
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
func wasRead(network *v1alpha1.BitcoinNetwork, seen *state.Network) bool {
	recorded := network.Status.SecretChangedAt
	return recorded == nil || network.Status.SecretRead && recorded.Time.Equal(seen.Secret.ChangedAt)
}

// accepts reports whether a node that answers lets a pair call everything. Where that
// cannot be told now it returns what was expected. A pair that the Secret no longer has
// may have become that of a user who may do less.
func (s *session) accepts(ctx context.Context, ordinal int, node *state.Node, pair bitcoind.Credentials, expected bool) bool {
	pod := node.Pod
	if accepts, known := s.cache.keyring.accepts(pod, pair); known {
		return accepts
	}
	_, err := s.nodes.Check(ctx, s.endpoint(ordinal, node, pair))
	if err != nil && !errors.Is(err, bitcoind.ErrUnauthorized) && !errors.Is(err, bitcoind.ErrForbidden) {
		s.leavesOpen(node)
		return expected
	}
	s.cache.keyring.record(pod, pair, err == nil)
	return err == nil
}

// compareTips finds out, where nodes are at different tips, which of these are on
// one chain. That takes one more request, to a node at the highest tip, unless it is known.
func (s *session) compareTips(ctx context.Context) {
	tips := s.seen.Tips()
	if len(tips) < 2 {
		return
	}
	if s.seen.Branches = s.cache.branchesOf(tips); s.seen.Branches != nil {
		return
	}
	heights := make([]int32, len(tips))
	for i, tip := range tips {
		heights[i] = int32(tip.Height)
	}
	highest := tips[0].Nodes[0]
	pod := s.seen.Nodes[highest].Pod
	hashes, err := s.nodes.BlockHashes(ctx, endpointOf(s.network, s.seen, highest, pod, s.cache.keyring.key(pod)), heights)
	if err != nil {
		return // the next look asks again
	}
	s.seen.Branches = map[string]bool{}
	for i, tip := range tips {
		s.seen.Branches[tip.Hash] = hashes[i] == tip.Hash
	}
	s.cache.highest, s.cache.branches = tips[0].Hash, s.seen.Branches
}

// blockOf puts a tip in the terms of state.
func blockOf(tip bitcoind.Tip) *state.Block {
	return &state.Block{Height: int64(tip.Height), Hash: tip.Hash, Work: tip.Work}
}

// endpointOf is where a node is reached with these credentials. Nobody else that answers
// there is believed or told anything.
func endpointOf(network *v1alpha1.BitcoinNetwork, seen *state.Network, ordinal int, pod *corev1.Pod, credentials bitcoind.Credentials) bitcoind.Endpoint {
	return bitcoind.Endpoint{
		Address:     address(seen, pod),
		Credentials: credentials,
		Comment:     resources.Comment(network, ordinal),
	}
}

// address is that of a pod's RPC. It goes by the address of the pod that was seen:
// a name may still lead to its predecessor.
func address(seen *state.Network, pod *corev1.Pod) string {
	return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(seen.Chain.RPCPort)))
}
