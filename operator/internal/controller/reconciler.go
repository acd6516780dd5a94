// Package controller reconciles BitcoinNetworks: it observes a network and its
// nodes, plans, acts, and reports.
package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/runtime/jitter"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

const (
	// steadyInterval is how often a network is looked at when nothing calls for
	// it, unless it says otherwise: the net below the watches.
	steadyInterval = 30 * time.Second
	// settlingInterval is how soon it is looked at again while a link is missing
	// that could stand.
	settlingInterval = time.Second
	// rollingInterval is how soon it is looked at again while nodes wait to be
	// replaced, since no watch tells that a tip has caught up.
	rollingInterval = 5 * time.Second
	// credentialsInterval is how soon a Secret that is missing is looked for
	// again; where the watch works, it is seen at once.
	credentialsInterval = 5 * time.Second
	// heightInterval is how often a change of nothing but the height is worth a
	// write.
	heightInterval = time.Minute
)

// Nodes is what the reconciler asks of bitcoind nodes. *bitcoind.Client has it.
type Nodes interface {
	// Check asks a node how it stands.
	Check(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.State, error)
	// UpdatePeers changes the peers of a node.
	UpdatePeers(ctx context.Context, endpoint bitcoind.Endpoint, change bitcoind.PeerChange) error
	// BlockHashes asks a node for the hashes of its chain at some heights.
	BlockHashes(ctx context.Context, endpoint bitcoind.Endpoint, heights []int32) ([]string, error)
	// Mine has a node make a block.
	Mine(ctx context.Context, endpoint bitcoind.Endpoint, address string) error
}

// Reconciler reconciles the BitcoinNetworks of one namespace.
type Reconciler struct {
	// Client reads from a cache of what the operator owns, and writes.
	Client client.Client
	// API reads from the API server itself.
	API client.Reader
	// Credentials reads the networks' credentials.
	Credentials credentials.Reader
	// Nodes talks to the nodes.
	Nodes Nodes
	// Platform is what the platform team decides.
	Platform resources.Platform
	// AllowedChains are those that networks may follow.
	AllowedChains []string
	// Metrics counts what there is to count.
	Metrics *metrics.Collector
	// Events tells events to Kubernetes, and to Flux where it is asked to.
	Events record.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock

	memories sync.Map // of types.NamespacedName to *memory
}

// Reconcile brings one network closer to what it should be and reports how it
// stands.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	network := &v1alpha1.BitcoinNetwork{}
	switch err := r.Client.Get(ctx, request.NamespacedName, network); {
	case apierrors.IsNotFound(err):
		r.memories.Delete(request.NamespacedName)
		r.Metrics.DeleteNetwork(request.NamespacedName)
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, fmt.Errorf("read BitcoinNetwork %s: %w", request.Name, err)
	case !network.DeletionTimestamp.IsZero():
		return ctrl.Result{}, nil // its children are owned, and go with it
	}
	defer r.Metrics.Reconciled(request.NamespacedName, r.Clock.Now())
	memory := r.memoryOf(request.NamespacedName)
	network, err := memory.latest(network)
	if err != nil {
		return ctrl.Result{}, err
	}
	if asked, _ := meta.ReconcileAnnotationValue(network.Annotations); asked != network.Status.LastHandledReconcileAt {
		// Somebody wants to see what is so now: spare no node.
		memory.patience = newPatience()
	}

	seen, err := r.observe(ctx, network, memory)
	if err != nil {
		return ctrl.Result{}, err
	}
	plan := planLinks(network, r.Platform, seen)
	done := r.act(ctx, network, seen, plan, memory)

	before := network.DeepCopy()
	report(network, r.Platform, seen, plan, done.failure)
	r.reportHeight(before, network, seen, memory)
	r.Metrics.SetNetwork(request.NamespacedName, measure(network, seen, plan))
	if err := r.writeStatus(ctx, before, network, memory); err != nil {
		return ctrl.Result{}, errors.Join(done.failure, err)
	}
	for _, event := range slices.Concat(eventsOf(before, network, done), strangerEvents(network, plan), done.events) {
		r.Events.Event(network, event.kind, event.reason, event.message)
	}

	if done.failure != nil && !conditions.IsStalled(network) {
		return ctrl.Result{}, done.failure
	}
	return ctrl.Result{RequeueAfter: r.nextLook(network, seen, plan, done, memory)}, nil
}

// deeds are what a reconcile has done to a network.
type deeds struct {
	// created tells that the network's StatefulSet is new.
	created bool
	// mined tells that a block was made.
	mined bool
	// events tell of what does not show in the status.
	events []event
	// failure is what went wrong; the rest was done all the same.
	failure error
}

// act makes the network's objects what they should be, has the nodes make and
// break links and blocks, and replaces a pod when it is time. It does nothing to a
// network that is suspended, or that may not be, nor without credentials: no node
// must start without, and those that run go on running.
func (r *Reconciler) act(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *observation, plan peering.Plan, memory *memory) deeds {
	var done deeds
	if network.Spec.Suspend || seen.unfit != nil || seen.notAllowed {
		return done
	}
	done.created, done.failure = r.applyChildren(ctx, network, seen, memory)
	r.updatePeers(ctx, seen, plan, memory) // whatever is wrong with the objects
	if done.failure != nil {
		return done
	}
	done.failure = r.growClaims(ctx, network, seen)
	if pod := nextToReplace(network, seen, plan); pod != nil {
		done.failure = errors.Join(done.failure, r.replace(ctx, pod))
		return done // it must not go with a block that its node alone has
	}
	if due := nextBlock(network, seen, plan, r.Clock.Now()); due != nil && due.wait == 0 {
		done.events = r.mine(ctx, network, seen, due, memory)
		done.mined = memory.miningProblem == ""
	}
	return done
}

// reportHeight writes the greatest height of a tip into the status, and keeps
// what was there when the height alone would make a write too soon.
func (r *Reconciler) reportHeight(before, after *v1alpha1.BitcoinNetwork, seen *observation, memory *memory) {
	tips := tipsOf(seen)
	if len(seen.nodes) == 0 {
		after.Status.Height = nil // it went with the nodes
	}
	if len(tips) == 0 {
		return
	}
	height, known := tips[0].height, before.Status.Height
	if known != nil && height < *known && seen.answering() < len(seen.nodes) {
		return // the chain may be longer where nobody answers, and nodes are replaced by that
	}
	now := r.Clock.Now()
	otherwiseSame := equality.Semantic.DeepEqual(before.Status, after.Status)
	if otherwiseSame && known != nil && now.Sub(memory.heightAt) < heightInterval {
		return
	}
	if known == nil || *known != height {
		memory.heightAt = now
	}
	after.Status.Height = &height
}

// writeStatus writes the status, once and only if it has changed.
func (r *Reconciler) writeStatus(ctx context.Context, before, after *v1alpha1.BitcoinNetwork, memory *memory) error {
	if equality.Semantic.DeepEqual(before.Status, after.Status) {
		return nil
	}
	if err := r.Client.Status().Patch(ctx, after, client.MergeFrom(before), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("write the status of %s: %w", after.Name, err)
	}
	memory.written = after.DeepCopy()
	return nil
}

// nextLook returns how long the network may be left alone.
func (r *Reconciler) nextLook(network *v1alpha1.BitcoinNetwork, seen *observation, plan peering.Plan, done deeds, memory *memory) time.Duration {
	if seen.unfit != nil {
		return credentialsInterval
	}
	steady := steadyInterval
	if network.Spec.Interval != nil {
		steady = network.Spec.Interval.Duration
	}
	next := jitter.Percent(0.1, nil)(steady)
	for _, node := range seen.nodes {
		if !node.answers() && !node.refuses && podProblem(node.pod) == "" {
			next = min(next, memory.patience.wait(node.pod))
		}
	}
	if network.Spec.Suspend || seen.notAllowed {
		return next
	}
	if len(outdated(seen)) > 0 {
		next = min(next, rollingInterval)
	}
	if len(plan.Changes) > 0 || done.mined {
		next = min(next, settlingInterval)
	}
	if due := nextBlock(network, seen, plan, r.Clock.Now()); due != nil && due.wait > 0 {
		next = min(next, due.wait)
	}
	return next
}

// memoryOf returns what is remembered of a network.
func (r *Reconciler) memoryOf(name types.NamespacedName) *memory {
	found, _ := r.memories.LoadOrStore(name, newMemory())
	return found.(*memory)
}
