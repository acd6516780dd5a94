package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// networks notes what the operators say of their networks, and when.
type networks struct {
	mu    sync.Mutex
	wells map[types.NamespacedName]time.Time
	heard map[types.NamespacedName]heard
	// heights are those of their best blocks.
	heights map[types.NamespacedName]int64
}

// heard is a request to look at a network that was answered.
type heard struct {
	token string
	at    time.Time
}

func watchNetworks(ctx context.Context, manager ctrl.Manager) (*networks, error) {
	n := &networks{wells: map[types.NamespacedName]time.Time{}, heard: map[types.NamespacedName]heard{}, heights: map[types.NamespacedName]int64{}}
	informer, err := manager.GetCache().GetInformer(ctx, &v1alpha1.BitcoinNetwork{})
	if err != nil {
		return nil, fmt.Errorf("watch the networks: %w", err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(added any) { n.note(added.(*v1alpha1.BitcoinNetwork), time.Now()) },
		UpdateFunc: func(_, changed any) { n.note(changed.(*v1alpha1.BitcoinNetwork), time.Now()) },
	})
	return n, err
}

func (n *networks) note(network *v1alpha1.BitcoinNetwork, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := client.ObjectKeyFromObject(network)
	n.heights[key] = ptr.Deref(network.Status.Height, 0)
	switch {
	case !isWell(network):
		delete(n.wells, key)
	case n.wells[key].IsZero():
		n.wells[key] = now
	}
	if token := network.Status.LastHandledReconcileAt; token != n.heard[key].token {
		n.heard[key] = heard{token: token, at: now}
	}
}

// isWell tells that a network is said to be as it should, with all nodes and links.
func isWell(network *v1alpha1.BitcoinNetwork) bool {
	status := network.Status
	return status.ObservedGeneration == network.Generation && conditions.IsReady(network) &&
		conditions.GetObservedGeneration(network, meta.ReadyCondition) == network.Generation &&
		status.Ready == fmt.Sprintf("%d/%[1]d", network.Spec.Nodes) &&
		status.Links != nil && status.Links.Connected == status.Links.Planned
}

// wellSince returns since when a network is well, which is never while it is not.
func (n *networks) wellSince(network types.NamespacedName) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.wells[network]
}

// height returns that of a network's best block, as its status has it.
func (n *networks) height(network types.NamespacedName) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.heights[network]
}

// heardAt returns when the request with that token was answered.
func (n *networks) heardAt(network types.NamespacedName, token string) (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answered := n.heard[network]
	return answered.at, answered.token == token
}
