package fleet

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// A Network is a BitcoinNetwork as the cluster has it, and its nodes.
type Network struct {
	v1alpha1.BitcoinNetwork
	Nodes []Node
}

// Networks reads the networks of a namespace.
func (c *Cluster) Networks(ctx context.Context, namespace string) ([]Network, error) {
	var list v1alpha1.BitcoinNetworkList
	if err := c.API.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list the networks of %s: %w", namespace, err)
	}
	var networks []Network
	for _, resource := range list.Items {
		networks = append(networks, c.network(resource))
	}
	return networks, nil
}

// Network reads one network.
func (c *Cluster) Network(ctx context.Context, namespace, name string) (Network, error) {
	var resource v1alpha1.BitcoinNetwork
	if err := c.API.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &resource); err != nil {
		return Network{}, err
	}
	return c.network(resource), nil
}

func (c *Cluster) network(resource v1alpha1.BitcoinNetwork) Network {
	n := Network{BitcoinNetwork: resource}
	for ordinal := range int(resource.Spec.Nodes) {
		n.Nodes = append(n.Nodes, Node{resource.Namespace, resource.Name, ordinal, c})
	}
	return n
}

func (n Network) String() string { return n.Namespace + "/" + n.Name }

// Object is the network's name in the cluster.
func (n Network) Object() Object { return Object{BitcoinNetwork, n.Namespace, n.Name} }

// NetworksReady is so when all networks of a namespace are Ready, and there is
// one.
func (c *Cluster) NetworksReady(namespace string) Condition {
	return func(ctx context.Context) (bool, string, error) {
		states, err := c.States(ctx, BitcoinNetwork, namespace)
		if err != nil {
			return false, "", err
		}
		for _, state := range states {
			if !state.Is("Ready") {
				return false, state.Message("Ready"), nil
			}
		}
		return len(states) > 0, "the first network of " + namespace, nil
	}
}

// Connections asks every node of the network for its peers.
func (n Network) Connections(ctx context.Context) (Connections, error) {
	peers := make([][]Peer, len(n.Nodes))
	err := each(ctx, n.Nodes, func(ctx context.Context, node Node) (err error) {
		peers[node.Ordinal], err = node.Peers(ctx)
		return err
	})
	return Connect(n.Namespace, n.Name, peers), err
}

// Connected is so when the links of the network are the planned ones, as its
// nodes themselves report.
func (n Network) Connected(ctx context.Context) (bool, string, error) {
	connections, err := n.Connections(ctx)
	if err != nil {
		return false, "", err
	}
	difference := connections.Unlike(PlanOf(len(n.Nodes), int(n.Spec.Peering.Degree)))
	return difference == "", fmt.Sprintf("%s: %s", n, difference), nil
}

// Having returns the nodes of the network that have a block.
func (n Network) Having(ctx context.Context, block string) ([]Node, error) {
	has := make([]bool, len(n.Nodes))
	err := each(ctx, n.Nodes, func(ctx context.Context, node Node) (err error) {
		has[node.Ordinal], err = node.Has(ctx, block)
		return err
	})
	var having []Node
	for ordinal, it := range has {
		if it {
			having = append(having, n.Nodes[ordinal])
		}
	}
	return having, err
}

// Heights asks every node how many blocks it has.
func (n Network) Heights(ctx context.Context) ([]int, error) {
	heights := make([]int, len(n.Nodes))
	err := each(ctx, n.Nodes, func(ctx context.Context, node Node) (err error) {
		heights[node.Ordinal], err = node.Height(ctx)
		return err
	})
	return heights, err
}

// each asks several nodes at once: each question is a process of kubectl, so not
// all of a large network.
func each(ctx context.Context, nodes []Node, ask func(context.Context, Node) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, node := range nodes {
		group.Go(func() error { return ask(ctx, node) })
	}
	return group.Wait()
}
