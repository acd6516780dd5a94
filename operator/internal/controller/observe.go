package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// maxParallelRequests bounds how many nodes of a network are talked to at once,
// and with it the memory that their answers can take.
const maxParallelRequests = 16

// observation is what a reconcile knows of a network.
type observation struct {
	// rpc talks to the nodes.
	rpc Nodes
	// chain is the chain that the nodes follow.
	chain bitcoind.Chain
	// notAllowed tells that the platform does not allow the chain.
	notAllowed bool
	// pairs are the credentials that the nodes should take; unfit says why there
	// are none. Since when they are so is a guess at the latest.
	pairs      []bitcoind.Credentials
	pairsSince time.Time
	unfit      *credentials.Unfit
	// statefulSet is nil while there is none, and as applied once it has been.
	statefulSet *appsv1.StatefulSet
	// claims are the volume claims of the nodes, where they have any.
	claims []corev1.PersistentVolumeClaim
	// nodes are the nodes that the network should have, by ordinal.
	nodes []node
	// branches tells of each tip, by its hash, whether it is on the chain of the
	// highest. It is nil where that is not known.
	branches map[string]bool
}

// node is what is known of one node.
type node struct {
	// pod runs the node; nil while there is none.
	pod *corev1.Pod
	// state is what the node says of itself, where problem is empty.
	state bitcoind.State
	// silent are the connections, by id, at whose other end nobody answers.
	silent map[int32]bool
	// problem says why the node does not answer RPC.
	problem string
	// credentials are those that it answers to.
	credentials bitcoind.Credentials
	// stale tells that it does not take all the credentials that it should, since
	// its container started before the Secret was as it is.
	stale bool
	// refuses tells that it takes none that the operator knows.
	refuses bool
}

func (n node) answers() bool { return n.problem == "" }

// answering counts the nodes that answer RPC.
func (o *observation) answering() int {
	count := 0
	for _, node := range o.nodes {
		if node.answers() {
			count++
		}
	}
	return count
}

// observe reads all that there is to know of a network.
func (r *Reconciler) observe(ctx context.Context, network *v1alpha1.BitcoinNetwork, memory *memory) (*observation, error) {
	chain, err := bitcoind.ChainNamed(string(network.Spec.Chain))
	if err != nil {
		return nil, err
	}
	seen := &observation{
		rpc:        meteredNodes{r.Nodes, r.Metrics, client.ObjectKeyFromObject(network)},
		chain:      chain,
		notAllowed: !slices.Contains(r.AllowedChains, chain.Name),
		nodes:      make([]node, network.Spec.Nodes),
	}
	if seen.pairs, err = r.Credentials.Read(ctx, network); err != nil && !errors.As(err, &seen.unfit) {
		return nil, err
	}
	if err := errors.Join(
		r.observeStatefulSet(ctx, network, seen),
		r.observePods(ctx, network, seen),
		r.observeClaims(ctx, network, seen),
	); err != nil {
		return nil, err
	}
	r.askNodes(ctx, seen, memory)
	r.compareTips(ctx, seen)
	return seen, ctx.Err()
}

func (r *Reconciler) observeStatefulSet(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *observation) error {
	statefulSet := &appsv1.StatefulSet{}
	switch err := r.Client.Get(ctx, client.ObjectKeyFromObject(network), statefulSet); {
	case err == nil && metav1.IsControlledBy(statefulSet, network):
		seen.statefulSet = statefulSet
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("read StatefulSet %s: %w", network.Name, err)
	}
	return nil
}

// observePods finds the pod of each node, or why there is none.
func (r *Reconciler) observePods(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *observation) error {
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(network.Namespace), client.MatchingLabels(resources.Selector(network))); err != nil {
		return fmt.Errorf("list the pods of %s: %w", network.Name, err)
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if seen.statefulSet == nil || !metav1.IsControlledBy(pod, seen.statefulSet) {
			continue // of a network of this name that has been deleted
		}
		if ordinal, ok := resources.Ordinal(network, pod.Name); ok && ordinal < len(seen.nodes) {
			seen.nodes[ordinal].pod = pod
		}
	}
	lacksPods := slices.ContainsFunc(seen.nodes, func(node node) bool { return node.pod == nil })
	why := ""
	if seen.statefulSet != nil && lacksPods {
		var err error
		if why, err = r.whyNoPod(ctx, seen.statefulSet); err != nil {
			return err
		}
	}
	for ordinal := range seen.nodes {
		node := &seen.nodes[ordinal]
		if node.problem = podProblem(node.pod); node.pod == nil && why != "" {
			node.problem = because(node.problem, why)
		}
	}
	return nil
}

// whyNoPod returns what Kubernetes says of a pod that it could not make, such as
// that a quota does not allow it. It says so in events alone.
func (r *Reconciler) whyNoPod(ctx context.Context, set *appsv1.StatefulSet) (string, error) {
	var events corev1.EventList
	if err := r.API.List(ctx, &events, client.InNamespace(set.Namespace), client.MatchingFields{"involvedObject.uid": string(set.UID)}); err != nil {
		return "", fmt.Errorf("list the events of StatefulSet %s: %w", set.Name, err)
	}
	return lastFailure(events.Items), nil
}

// lastFailure returns the message of the latest event if it tells that a pod could
// not be made.
func lastFailure(events []corev1.Event) string {
	const failed, made = "FailedCreate", "SuccessfulCreate" // the StatefulSet controller's
	events = slices.DeleteFunc(slices.Clone(events), func(event corev1.Event) bool { return event.Reason != failed && event.Reason != made })
	if len(events) == 0 {
		return ""
	}
	latest := slices.MaxFunc(events, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	if latest.Reason != failed {
		return ""
	}
	return latest.Message
}

// observeClaims finds the volume claims of the network's nodes.
func (r *Reconciler) observeClaims(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *observation) error {
	if network.Spec.Storage == nil {
		return nil
	}
	var claims corev1.PersistentVolumeClaimList
	if err := r.Client.List(ctx, &claims, client.InNamespace(network.Namespace), client.MatchingLabels(resources.Selector(network))); err != nil {
		return fmt.Errorf("list the volume claims of %s: %w", network.Name, err)
	}
	for ordinal := range seen.nodes {
		for _, claim := range claims.Items {
			if claim.Name == resources.ClaimName(network, ordinal) {
				seen.claims = append(seen.claims, claim)
			}
		}
	}
	return nil
}

// askNodes asks every node that can be asked how it stands. That one does not
// answer is a finding, not an error.
func (r *Reconciler) askNodes(ctx context.Context, seen *observation, memory *memory) {
	memory.patience.forgetOthers(seen.nodes)
	memory.hearing.forgetOthers(seen.nodes)
	memory.keyring.forgetOthers(seen.nodes)
	if seen.unfit == nil {
		seen.pairsSince = memory.keyring.hold(seen.pairs, r.Clock.Now())
	}
	var group errgroup.Group
	group.SetLimit(maxParallelRequests)
	for ordinal := range seen.nodes {
		node := &seen.nodes[ordinal]
		if node.problem != "" {
			continue
		}
		if seen.unfit != nil {
			node.problem = "there are no credentials to ask it with"
			continue
		}
		if node.problem = memory.patience.exhausted(node.pod); node.problem != "" {
			continue
		}
		group.Go(func() error {
			r.ask(ctx, seen, node, memory)
			return nil
		})
	}
	_ = group.Wait() // the findings are in the nodes
}

// ask asks one node, with one pair of credentials after the other until it takes
// one.
func (r *Reconciler) ask(ctx context.Context, seen *observation, node *node, memory *memory) {
	for _, node.credentials = range memory.keyring.candidates(node.pod) {
		state, err := seen.rpc.Check(ctx, seen.endpoint(node))
		if errors.Is(err, bitcoind.ErrUnauthorized) {
			memory.keyring.tried(node.pod, node.credentials, false)
			continue
		}
		if err != nil {
			node.problem = bitcoind.Explain(err)
			memory.patience.failed(node.pod, node.problem)
			return
		}
		node.state = state
		node.silent = memory.hearing.listen(node.pod.UID, state.Peers, r.Clock.Now())
		memory.keyring.tried(node.pod, node.credentials, true)
		memory.patience.succeeded(node.pod)
		node.stale = r.isStale(ctx, seen, node, memory)
		return
	}
	node.refuses = true
	node.problem = "it takes none of the credentials that the operator knows"
}

// isStale tells whether a node that answers refuses one of the pairs that it should
// take. Those that have not been tried on it are: that costs a request each, once
// in its life.
func (r *Reconciler) isStale(ctx context.Context, seen *observation, answering *node, memory *memory) bool {
	for _, pair := range seen.pairs {
		takes, known := memory.keyring.takes(answering.pod, pair)
		if !known {
			_, err := seen.rpc.Check(ctx, bitcoind.Endpoint{Address: seen.address(answering.pod), Credentials: pair})
			if takes = err == nil; takes || errors.Is(err, bitcoind.ErrUnauthorized) {
				memory.keyring.tried(answering.pod, pair, takes)
			} else {
				takes = true // it cannot be told now
			}
		}
		if !takes {
			return true
		}
	}
	return false
}

// compareTips finds out, where nodes are at different tips, which of these are on
// one chain. That takes one more request, to a node at the highest tip.
func (r *Reconciler) compareTips(ctx context.Context, seen *observation) {
	tips := tipsOf(seen)
	if len(tips) < 2 {
		return
	}
	heights := make([]int32, len(tips))
	for i, tip := range tips {
		heights[i] = int32(tip.height)
	}
	hashes, err := seen.rpc.BlockHashes(ctx, seen.endpoint(&seen.nodes[tips[0].nodes[0]]), heights)
	if err != nil {
		return // the next look asks again
	}
	seen.branches = map[string]bool{}
	for i, tip := range tips {
		seen.branches[tip.hash] = hashes[i] == tip.hash
	}
}

// endpoint is where a node's RPC is, with the credentials that it takes.
func (o *observation) endpoint(node *node) bitcoind.Endpoint {
	return bitcoind.Endpoint{Address: o.address(node.pod), Credentials: node.credentials}
}

// address is that of a pod's RPC. It goes by the address of the pod that was seen:
// a name may still lead to its predecessor.
func (o *observation) address(pod *corev1.Pod) string {
	return hostPort(pod.Status.PodIP, o.chain.RPCPort)
}
