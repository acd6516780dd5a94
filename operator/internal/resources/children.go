package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Children returns the objects that a network wants to exist, given how many pods it
// should have now, how many of them may be evicted, and the StatefulSet that there
// is, or nil. The StatefulSet is the last, since its pods need the others.
func Children(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain, pods int, budget Budget, live *appsv1.StatefulSet) ([]client.Object, error) {
	workload, err := WorkloadOf(network, platform, chain, live)
	if err != nil {
		return nil, err
	}
	var children []client.Object
	if config := ConfigMap(network, live); config != nil {
		children = append(children, config)
	}
	return append(children,
		HeadlessService(network, chain),
		RPCService(network, chain),
		PodDisruptionBudget(network, budget),
		NetworkPolicy(network, platform, chain),
		StatefulSet(network, workload, pods, live),
	), nil
}
