package status

import (
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

var platform = resources.Platform{DefaultImage: "registry.example/bitcoind:default", ClusterDomain: "cluster.local"}

// Problems of nodes.
const (
	closed     = "its RPC port refuses connections"
	isStarting = "its pod is starting"
)

// worldError is an error that is a state of the world.
type worldError struct {
	reason, message string
}

func (e *worldError) Error() string { return e.message }

func (e *worldError) Reason() string { return e.reason }

// situation is what Report has to go by.
type situation struct {
	network *v1alpha1.BitcoinNetwork
	seen    *state.Network
	todo    plan.Plan
	outcome Outcome
}

// report reports what was seen, tips compared.
func (s situation) report() *v1alpha1.BitcoinNetwork {
	s.seen.Branches = statetest.Branches(s.seen)
	Report(s.network, platform, s.seen, s.todo, s.outcome)
	return s.network
}

// with changes a situation.
func (s situation) with(changes ...func(*situation)) situation {
	for _, change := range changes {
		change(&s)
	}
	return s
}

// on makes a situation one of a network that had this status before.
func (s situation) on(before *v1alpha1.BitcoinNetwork) situation {
	s.network.Generation = before.Generation
	s.network.Status = *before.Status.DeepCopy()
	return s
}

// Situations that several tests speak of.
func wellConnected(nodes int) situation {
	return situation{
		network: statetest.Network(int32(nodes)), seen: statetest.Healthy(nodes),
		todo: plan.Plan{Links: statetest.Links(nodes)},
	}.with(isApplied)
}

func starting() situation {
	return wellConnected(3).with(func(s *situation) {
		for ordinal := range s.seen.Nodes {
			s.seen.Nodes[ordinal] = state.Missing("")
		}
		s.todo.Links = statetest.Links(3, peering.Links(3, peering.MaxDegree)...)
	})
}

func oneSilent() situation {
	return wellConnected(3).with(func(s *situation) {
		s.seen.Nodes[1] = statetest.Silent(1, closed)
		s.todo.Links = statetest.Links(3, peering.Link{From: 1, To: 0}, peering.Link{From: 2, To: 1})
	})
}

// oneLate is a network of which a node has missed one check, and what it said before is
// known.
func oneLate() situation {
	return wellConnected(3).with(func(s *situation) {
		late := &s.seen.Nodes[1]
		late.Answers, late.Shown, late.IsLate, late.Problem = false, false, true, "it timed out"
	})
}

func linkMissing() situation {
	return wellConnected(3).with(func(s *situation) {
		s.todo.Links = statetest.Links(3, peering.Link{From: 2, To: 1})
	})
}

func withoutCredentials(reason string) situation {
	return situation{
		network: statetest.Network(3), seen: statetest.Unusable(reason, "what is wrong with the Secret", 3),
		todo: plan.Plan{Links: statetest.Links(3, peering.Links(3, peering.MaxDegree)...)},
	}
}

func rolling() situation {
	return wellConnected(3).with(func(s *situation) {
		statetest.OfOldRevision(s.seen.Nodes[0].Pod)
		statetest.OfOldRevision(s.seen.Nodes[2].Pod)
		s.todo.Rollout.Pending = 2
	})
}

// takingDown is a roll that takes down a node in this pass, and has put it on record.
func takingDown() situation {
	return rolling().with(func(s *situation) {
		s.todo.Rollout.Step = &rollout.Step{Ordinal: 0, Action: v1alpha1.ReplaceAction, Why: "it predates the last change"}
		RecordStep(s.network, s.seen, s.todo.Rollout)
	})
}

func unobserved() situation {
	return wellConnected(3).with(func(s *situation) { s.seen.StatefulSet.Generation++ })
}

// returning is a network of which one node has been taken down and does not serve
// again yet.
func returning() situation {
	return wellConnected(3).with(isDown(1))
}

// shrinking is a network of two nodes that still has a third pod, whose links do not
// stand.
func shrinking() situation {
	return wellConnected(3).with(func(s *situation) {
		s.network.Spec.Nodes, s.seen.Wanted = 2, 2
		s.todo.Links = statetest.Links(3, peering.Link{From: 2, To: 0}, peering.Link{From: 2, To: 1})
	})
}

func parked() situation { return wellConnected(0) }

func failing(err error) situation {
	return wellConnected(3).with(func(s *situation) { s.outcome.Failure = err })
}

// conflicting is a network of which an object is somebody else's.
func conflicting() situation {
	return failing(fmt.Errorf("apply: %w", &worldError{v1alpha1.ConflictReason, `Service "payments" is not owned by this network`}))
}

// invalid is a network of which the API server takes an object for invalid.
func invalid() situation {
	return failing(&worldError{v1alpha1.InvalidReason, "apply StatefulSet payments: requests: Invalid value"})
}

func chainNotAllowed() situation {
	return starting().with(func(s *situation) { s.seen.ChainNotAllowed = true })
}

// Changes of situations.
func isApplied(s *situation) {
	workload, err := resources.WorkloadOf(s.network, platform, s.seen.Chain, nil)
	if err != nil {
		panic(err)
	}
	s.seen.StatefulSet.Annotations = resources.StatefulSet(s.network, workload, s.seen.Wanted, nil).Annotations
}

func isSuspended(s *situation) { s.network.Spec.Suspend = true }

func isDown(ordinal int32) func(*situation) {
	return func(s *situation) {
		s.todo.Rollout.Down = append(s.todo.Rollout.Down, v1alpha1.RolloutStatus{
			Ordinal: ordinal, Action: v1alpha1.RestartAction, PodUID: "before", Since: metav1.NewTime(statetest.Now.Add(-time.Minute)),
		})
	}
}

func waitsFor(wait rollout.Wait) func(*situation) {
	return func(s *situation) { s.todo.Rollout.Wait = &wait }
}

func refused(s *situation) {
	s.todo.Rollout.Step = &rollout.Step{Ordinal: 0, Action: v1alpha1.ReplaceAction}
	s.outcome.Refused = &forBudget
}

// What rollouts wait for.
var (
	forNode   = rollout.Wait{Node: 0, On: rollout.OnNode, For: "payments-1 to serve: " + closed}
	forBudget = rollout.Wait{Node: 0, On: rollout.OnBudget, For: "the disruption budget to allow its eviction"}
	forHuman  = rollout.Wait{Node: 0, On: rollout.OnBestBlock, For: "somebody to decide", NeedsHuman: true}
)

// everySituation has one of each.
func everySituation() map[string]func() situation {
	changed := func(s func() situation, changes ...func(*situation)) func() situation {
		return func() situation { return s().with(changes...) }
	}
	ready := func() situation { return wellConnected(3) }
	return map[string]func() situation{
		"ready":                     ready,
		"starting":                  starting,
		"one silent":                oneSilent,
		"one late":                  oneLate,
		"link missing":              linkMissing,
		"rolling":                   rolling,
		"taking down":               takingDown,
		"returning":                 returning,
		"refused by the budget":     changed(rolling, refused),
		"waiting for a node":        changed(oneSilent, waitsFor(forNode)),
		"waiting for somebody":      changed(oneSilent, waitsFor(forHuman)),
		"unobserved":                unobserved,
		"shrinking":                 shrinking,
		"parked":                    parked,
		"failing":                   func() situation { return failing(errors.New("no")) },
		"conflicting":               conflicting,
		"invalid":                   invalid,
		"volumes grow":              resizing,
		"volumes cannot grow":       infeasible,
		"beyond the quota":          beyondQuota,
		"storage refused":           refusedByClass,
		"suspended, cannot grow":    changed(infeasible, isSuspended),
		"leftover":                  func() situation { return failing(&worldError{meta.ProgressingReason, "waiting"}) },
		"chain not allowed":         chainNotAllowed,
		"no Secret":                 func() situation { return withoutCredentials(v1alpha1.SecretNotFoundReason) },
		"bad Secret":                func() situation { return withoutCredentials(v1alpha1.SecretInvalidReason) },
		"outdated Secret":           changed(ready, func(s *situation) { s.seen.Secret.NotApplied = "it does not match its SealedSecret" }),
		"rotating":                  func() situation { return rotation(2, unasked(0), unasked(1), unasked(2)) },
		"rejecting":                 func() situation { return rotation(1, accepting(0), accepting(1), rejecting(2)) },
		"suspended, well":           changed(ready, isSuspended),
		"suspended, parked":         changed(parked, isSuspended),
		"suspended, one silent":     changed(oneSilent, isSuspended),
		"suspended, waiting":        changed(shrinking, isSuspended, waitsFor(forHuman)),
		"suspended, without Secret": func() situation { return withoutCredentials(v1alpha1.SecretNotFoundReason).with(isSuspended) },
	}
}

// edited is a network whose spec has changed since its status was written.
func edited(network *v1alpha1.BitcoinNetwork) *v1alpha1.BitcoinNetwork {
	network.Generation++
	return network
}

// aged is a network whose conditions have been as they are for an hour.
func aged(network *v1alpha1.BitcoinNetwork) *v1alpha1.BitcoinNetwork {
	for i := range network.Status.Conditions {
		network.Status.Conditions[i].LastTransitionTime = metav1.NewTime(statetest.Now.Add(-time.Hour))
	}
	return network
}

// said returns a condition as "Status Reason: message".
func said(network *v1alpha1.BitcoinNetwork, name string) string {
	condition := conditions.Get(network, name)
	if condition == nil {
		return ""
	}
	return fmt.Sprintf("%s %s: %s", condition.Status, condition.Reason, condition.Message)
}
