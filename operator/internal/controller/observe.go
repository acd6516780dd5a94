package controller

import (
	"context"
	"errors"
	"fmt"

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
	// chain is the chain that the nodes follow.
	chain bitcoind.Chain
	// credentials are what the nodes are asked with; unfit says why there are
	// none.
	credentials bitcoind.Credentials
	unfit       *credentials.Unfit
	// statefulSet is nil while there is none, and as applied once it has been.
	statefulSet *appsv1.StatefulSet
	// nodes are the nodes that the network should have, by ordinal.
	nodes []node
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
	seen := &observation{chain: chain, nodes: make([]node, network.Spec.Nodes)}

	if seen.credentials, err = r.Credentials.Read(ctx, network); err != nil && !errors.As(err, &seen.unfit) {
		return nil, err
	}

	statefulSet := &appsv1.StatefulSet{}
	switch err := r.Client.Get(ctx, client.ObjectKeyFromObject(network), statefulSet); {
	case err == nil && metav1.IsControlledBy(statefulSet, network):
		seen.statefulSet = statefulSet
	case client.IgnoreNotFound(err) != nil:
		return nil, fmt.Errorf("read StatefulSet %s: %w", network.Name, err)
	}

	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(network.Namespace), client.MatchingLabels(resources.Selector(network))); err != nil {
		return nil, fmt.Errorf("list the pods of %s: %w", network.Name, err)
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

	r.askNodes(ctx, seen, memory)
	return seen, ctx.Err()
}

// askNodes asks every node that can be asked how it stands. That one does not
// answer is a finding, not an error.
func (r *Reconciler) askNodes(ctx context.Context, seen *observation, memory *memory) {
	memory.patience.forgetOthers(seen.nodes)
	memory.hearing.forgetOthers(seen.nodes)
	var group errgroup.Group
	group.SetLimit(maxParallelRequests)
	for ordinal := range seen.nodes {
		node := &seen.nodes[ordinal]
		if node.problem = podProblem(node.pod); node.problem != "" {
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
			state, err := r.Nodes.Check(ctx, seen.endpoint(node.pod))
			if err != nil {
				node.problem = bitcoind.Explain(err)
				memory.patience.failed(node.pod, node.problem)
				return nil
			}
			node.state = state
			node.silent = memory.hearing.listen(node.pod.UID, state.Peers, r.Clock.Now())
			memory.patience.succeeded(node.pod)
			return nil
		})
	}
	_ = group.Wait() // the findings are in the nodes
}

// endpoint is where a pod's RPC is. It goes by the address of the pod that was
// seen: a name may still lead to its predecessor.
func (o *observation) endpoint(pod *corev1.Pod) bitcoind.Endpoint {
	return bitcoind.Endpoint{Address: hostPort(pod.Status.PodIP, o.chain.RPCPort), Credentials: o.credentials}
}
