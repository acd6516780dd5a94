// Package observe finds out how a network and its nodes stand: it reads the API
// server and asks the nodes, and remembers what saves requests. All that it remembers
// may be lost; no decision rests on it alone.
package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Nodes is what is asked of bitcoind nodes. *bitcoind.Client has it.
type Nodes interface {
	// Check asks a node how it stands.
	Check(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.State, error)
	// Accepts asks a node whether it accepts credentials, whatever their user may call.
	Accepts(ctx context.Context, endpoint bitcoind.Endpoint) (bool, error)
	// Tip asks a node for the end of its chain, without credentials.
	Tip(ctx context.Context, address string) (bitcoind.Tip, error)
	// BlockHashes asks a node for the hashes of its chain at some heights.
	BlockHashes(ctx context.Context, endpoint bitcoind.Endpoint, heights []int32) ([]string, error)
	// InvalidTips asks a node for the ends of the chains that it holds for invalid.
	InvalidTips(ctx context.Context, endpoint bitcoind.Endpoint) ([]bitcoind.Tip, error)
}

// Observer observes the networks of one namespace.
type Observer struct {
	// Client reads from a cache of what the operator owns.
	Client client.Reader
	// API reads from the API server itself.
	API client.Reader
	// Credentials reads the networks' credentials.
	Credentials credentials.Reader
	// SecretVersion is what the watch on their Secret tells.
	SecretVersion SecretVersion
	// AllowedChains are those that networks may follow.
	AllowedChains []string
	// Clock tells the time.
	Clock clock.PassiveClock

	caches sync.Map // of types.NamespacedName to *cache
}

// Observe finds out all that there is to know of a network, by asking its nodes.
func (o *Observer) Observe(ctx context.Context, network *v1alpha1.BitcoinNetwork, nodes Nodes) (*state.Network, error) {
	chain, err := bitcoind.ChainNamed(string(network.Spec.Chain))
	if err != nil {
		return nil, err
	}
	seen := &state.Network{
		Now:             o.Clock.Now(),
		Chain:           chain,
		ChainNotAllowed: !slices.Contains(o.AllowedChains, chain.Name),
		Private:         resources.IsPrivate(network, chain),
		Wanted:          int(network.Spec.Nodes),
	}
	cache := o.cacheOf(client.ObjectKeyFromObject(network))
	all := cache.isWhole(network, seen.Now)
	if err := errors.Join(
		o.observeSiblings(ctx, network, seen),
		o.observeSecret(ctx, network, seen, cache),
		o.observeStatefulSet(ctx, network, seen),
		o.observePods(ctx, network, seen),
		o.observeClaims(ctx, network, seen),
	); err != nil {
		return nil, err
	}
	cache.forgetOthers(seen)
	session := newSession(nodes, network, seen, cache)
	session.askNodes(ctx, all)
	session.compareTips(ctx)
	cache.remember(network, seen)
	session.askWhyBehind(ctx)
	return seen, ctx.Err()
}

// Ask asks nodes in addition, which have not been asked in the pass: something rests on
// them that cannot be taken back.
func (o *Observer) Ask(ctx context.Context, network *v1alpha1.BitcoinNetwork, nodes Nodes, seen *state.Network, ordinals []int) error {
	cache := o.cacheOf(client.ObjectKeyFromObject(network))
	session := newSession(nodes, network, seen, cache)
	wanted := map[types.UID]bool{}
	for _, ordinal := range ordinals {
		wanted[seen.Nodes[ordinal].Pod.UID] = true
	}
	session.restsUntil = time.Now().Add(longestPatience)
	session.ask(ctx, func(node state.Node) bool { return wanted[node.Pod.UID] })
	session.restsUntil = time.Time{}
	for _, ordinal := range ordinals {
		session.distrust(&seen.Nodes[ordinal])
	}
	if session.hasFoundBetter() {
		session.ask(ctx, func(state.Node) bool { return true })
	}
	session.compareTips(ctx)
	cache.remember(network, seen)
	return ctx.Err()
}

// Told takes note that a node was told something, so that it is asked at the next look what
// came of it.
func (o *Observer) Told(network types.NamespacedName, seen *state.Network, ordinal int) {
	if pod := seen.Node(ordinal).Pod; pod != nil {
		o.cacheOf(network).answers.tells(pod.UID)
	}
}

// Agreed takes note that a node has changed its peers as it was told. Whether a connection
// has come or gone it is asked at the next look, as is one that is to dial others later; what
// is in its list it has said.
func (o *Observer) Agreed(network types.NamespacedName, seen *state.Network, ordinal int, change bitcoind.PeerChange, dialsLater bool) {
	o.cacheOf(network).answers.agrees(seen.Nodes[ordinal].Pod, change)
	if dialsLater || len(change.Dial)+len(change.Disconnect) > 0 {
		o.Told(network, seen, ordinal)
	}
}

// Peek is Observe for somebody who does not report. Of a chain that was lost only one
// look tells, so the next one finds it anew.
func (o *Observer) Peek(ctx context.Context, network *v1alpha1.BitcoinNetwork, nodes Nodes) (*state.Network, error) {
	seen, err := o.Observe(ctx, network, nodes)
	if err == nil {
		o.leaveUntold(network, seen)
	}
	return seen, err
}

// PeekAt is Ask for somebody who does not report.
func (o *Observer) PeekAt(ctx context.Context, network *v1alpha1.BitcoinNetwork, nodes Nodes, seen *state.Network, ordinals []int) error {
	err := o.Ask(ctx, network, nodes, seen, ordinals)
	o.leaveUntold(network, seen)
	return err
}

// leaveUntold has a chain that was lost be found anew.
func (o *Observer) leaveUntold(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	if seen.Lost != nil {
		o.cacheOf(client.ObjectKeyFromObject(network)).best = seen.Lost
	}
}

// Forget drops what is remembered of a network, and ends all that asks its nodes.
func (o *Observer) Forget(network types.NamespacedName) {
	if found, known := o.caches.LoadAndDelete(network); known {
		found.(*cache).answers.close()
	}
}

// AskAll has every node of a network asked at the next look, also those that have
// not answered of late.
func (o *Observer) AskAll(network types.NamespacedName) {
	cache := o.cacheOf(network)
	cache.backoff.forget()
	cache.askAll, cache.secret = true, secretMemory{}
}

// LookAtAll has every node of a network asked at the next look that is not spared.
func (o *Observer) LookAtAll(network types.NamespacedName) { o.cacheOf(network).askAll = true }

// Refused takes note that a disruption budget has just refused to let a node's pod go.
func (o *Observer) Refused(network types.NamespacedName, seen *state.Network, ordinal int) {
	o.cacheOf(network).pod(seen.Nodes[ordinal].Pod).refused = o.Clock.Now()
}

// NotStopped takes note that a node's bitcoind has just not taken the call to stop.
func (o *Observer) NotStopped(network types.NamespacedName, seen *state.Network, ordinal int) {
	o.cacheOf(network).pod(seen.Nodes[ordinal].Pod).notStopped = o.Clock.Now()
}

// Endpoint returns where a node that answered is reached, and with what.
func (o *Observer) Endpoint(network *v1alpha1.BitcoinNetwork, seen *state.Network, ordinal int) bitcoind.Endpoint {
	pod := seen.Nodes[ordinal].Pod
	return endpointOf(network, seen, ordinal, pod, o.cacheOf(client.ObjectKeyFromObject(network)).keyring.key(pod))
}

func (o *Observer) observeSiblings(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *state.Network) error {
	var networks v1alpha1.BitcoinNetworkList
	if err := o.Client.List(ctx, &networks, client.InNamespace(network.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the networks beside %s: %w", network.Name, err)
	}
	for _, found := range networks.Items {
		if found.Name != network.Name {
			seen.Siblings = append(seen.Siblings, found.Name)
		}
	}
	return nil
}

func (o *Observer) observeStatefulSet(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *state.Network) error {
	set := &appsv1.StatefulSet{}
	exists, err := Read(ctx, o.Client, o.API, client.ObjectKeyFromObject(network), set)
	if err != nil {
		return fmt.Errorf("read StatefulSet %s: %w", network.Name, err)
	}
	if exists && (metav1.IsControlledBy(set, network) || resources.IsOrphan(network, seen.Chain, set)) {
		seen.StatefulSet = set
	}
	return nil
}

// Read reads an object and reports whether it exists. The cache holds only what carries
// the operator's label, so what it lacks the API server is asked for: it may be there
// and have lost the label, or belong to someone else.
func Read(ctx context.Context, cached, api client.Reader, key client.ObjectKey, object client.Object) (bool, error) {
	err := cached.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		err = api.Get(ctx, key, object)
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// observePods finds the pod of each node, or why there is none. Pods are the informers'
// own: nobody may change them.
func (o *Observer) observePods(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *state.Network) error {
	var pods corev1.PodList
	if err := o.Client.List(ctx, &pods, client.InNamespace(network.Namespace), client.MatchingLabels(resources.Selector(network)), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the pods of %s: %w", network.Name, err)
	}
	byOrdinal, count := podsByOrdinal(network, seen.StatefulSet, pods.Items)
	seen.Nodes = make([]state.Node, max(count, seen.Wanted))
	whyNot := ""
	if seen.StatefulSet != nil && len(byOrdinal) < len(seen.Nodes) {
		var err error
		if whyNot, err = o.podCreationFailure(ctx, seen.StatefulSet); err != nil {
			return err
		}
	}
	observeFormer(network, seen, pods.Items)
	for ordinal := range seen.Nodes {
		pod := byOrdinal[ordinal]
		if pod == nil {
			seen.Nodes[ordinal] = state.Missing(whyNot)
			continue
		}
		seen.Nodes[ordinal] = state.Node{
			Pod: pod, Problem: state.PodProblem(pod), Data: pod.UID, ReadsOther: resources.SecretOf(pod) != network.Spec.Secret,
		}
	}
	return nil
}

// podsByOrdinal returns the pods that a network's StatefulSet controls, or takes over
// when there is one, by ordinal, and how many nodes it has or should have.
func podsByOrdinal(network *v1alpha1.BitcoinNetwork, set *appsv1.StatefulSet, pods []corev1.Pod) (map[int]*corev1.Pod, int) {
	byOrdinal := map[int]*corev1.Pod{}
	count, _ := state.Replicas(set)
	for i := range pods {
		if owner := metav1.GetControllerOf(&pods[i]); owner != nil && (set == nil || owner.UID != set.UID) {
			continue // of a network of this name that has been deleted
		}
		if ordinal, ok := resources.Ordinal(network, pods[i].Name); ok && ordinal < maxNodes {
			byOrdinal[ordinal], count = &pods[i], max(count, ordinal+1)
		}
	}
	return byOrdinal, count
}

// observeFormer finds the pods of an earlier life that have the names which the nodes'
// pods are to have.
func observeFormer(network *v1alpha1.BitcoinNetwork, seen *state.Network, pods []corev1.Pod) {
	if seen.StatefulSet != nil {
		return
	}
	going := map[string]bool{}
	for i := range pods {
		going[pods[i].Name] = state.OfEarlierLife(&pods[i], seen.Now)
	}
	for ordinal := range seen.Nodes {
		if name := state.Name(network, ordinal); going[name] {
			seen.Former = append(seen.Former, name)
		}
	}
}

// maxNodes is the most that a network can have.
const maxNodes = 1000

// podCreationFailure returns what Kubernetes says of a pod that it could not make,
// such as that a quota does not allow it. It says so in events alone.
func (o *Observer) podCreationFailure(ctx context.Context, set *appsv1.StatefulSet) (string, error) {
	var events corev1.EventList
	if err := o.API.List(ctx, &events, client.InNamespace(set.Namespace), client.MatchingFields{"involvedObject.uid": string(set.UID)}); err != nil {
		return "", fmt.Errorf("list the events of StatefulSet %s: %w", set.Name, err)
	}
	return lastFailure(events.Items), nil
}

// lastFailure returns the message of the latest event if it tells that a pod could
// not be made. Of two in the same second it is the failure: a pod is missing.
func lastFailure(events []corev1.Event) string {
	const failed, made = "FailedCreate", "SuccessfulCreate" // the StatefulSet controller's
	var last, lastMade corev1.Event
	for _, event := range events {
		switch {
		case event.Reason == failed && !event.LastTimestamp.Before(&last.LastTimestamp):
			last = event
		case event.Reason == made && lastMade.LastTimestamp.Before(&event.LastTimestamp):
			lastMade = event
		}
	}
	if last.LastTimestamp.Before(&lastMade.LastTimestamp) {
		return ""
	}
	return last.Message
}
