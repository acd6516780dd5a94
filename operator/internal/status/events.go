package status

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Event is one to be told of a network.
type Event struct {
	Type, Reason, Message string
}

// Events returns what there is to tell when a network's status has gone from before
// to after, in the order of transitions. It says nothing when nothing has changed.
func Events(before, after *v1alpha1.BitcoinNetwork, seen *state.Network, todo plan.Plan, outcome Outcome) []Event {
	change := change{before: before, after: after, seen: seen, todo: todo, outcome: outcome}
	var events []Event
	for _, transition := range transitions {
		if transition.applies(change) {
			events = append(events, Event{transition.kind, transition.reasonOf(change), transition.message(change)})
		}
	}
	return append(events, foreignPeers(after, todo.Links)...)
}

// change is what an event may tell of: a status before and after a look at the
// network, what was seen, and what was done.
type change struct {
	before, after *v1alpha1.BitcoinNetwork
	seen          *state.Network
	todo          plan.Plan
	outcome       Outcome
}

// transition is one kind of event.
type transition struct {
	// kind is the event's type, and reason its reason; empty where that is the reason
	// of a condition.
	kind, reason string
	// of is the condition that the event repeats, where it has no message of its own.
	of      string
	applies func(change) bool
	text    func(change) string
}

func (t transition) reasonOf(c change) string {
	if t.reason != "" {
		return t.reason
	}
	return conditions.GetReason(c.after, t.of)
}

func (t transition) message(c change) string {
	if t.text != nil {
		return t.text(c)
	}
	return conditions.GetMessage(c.after, t.of)
}

const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning

	credentials = v1alpha1.CredentialsReadyCondition
	chains      = v1alpha1.ChainsAgreeCondition
	storage     = v1alpha1.StorageReadyCondition
	syncs       = v1alpha1.SyncedCondition
	versions    = v1alpha1.VersionsSupportedCondition
	ready       = meta.ReadyCondition
)

// transitions are the kinds of events, in the order in which they are told.
var transitions = []transition{
	{kind: normal, reason: v1alpha1.CreatedEvent, applies: func(c change) bool { return c.outcome.Created }, text: func(c change) string {
		return fmt.Sprintf("created the network with %s on %s", count(c.has(), "node"), c.after.Spec.Chain)
	}},
	{kind: normal, reason: v1alpha1.ScaledEvent, applies: change.scaled, text: func(c change) string {
		return fmt.Sprintf("scaled from %s to %d", count(c.had(), "node"), c.has())
	}},
	{kind: normal, reason: v1alpha1.ParkedReason, applies: func(c change) bool { return c.parked() && c.after.Spec.Storage != nil }, text: func(change) string {
		return "scaled to 0 nodes; their volumes are kept"
	}},
	{kind: warning, reason: v1alpha1.ChainLostEvent, applies: func(c change) bool { return c.seen.Private && c.seen.Lost != nil }, text: func(c change) string {
		return fmt.Sprintf("the chain was lost: no node has %s any more; the best that remains is %s", c.seen.Lost, bestText(c.seen.Best))
	}},
	{kind: normal, of: credentials, applies: func(c change) bool { return c.credentialsTurned() && c.credentialsAreFine() }},
	{kind: warning, of: credentials, applies: func(c change) bool { return c.credentialsTurned() && !c.credentialsAreFine() }},
	{kind: warning, of: chains, applies: func(c change) bool { return c.gained(chains, v1alpha1.ForkReason) }},
	{kind: normal, of: chains, applies: func(c change) bool {
		return c.lost(chains, v1alpha1.ForkReason) && !conditions.IsUnknown(c.after, chains)
	}, text: func(c change) string {
		return "the fork is gone: " + conditions.GetMessage(c.after, chains)
	}},
	{kind: warning, of: syncs, applies: func(c change) bool {
		return c.gained(syncs, v1alpha1.NotCatchingUpReason) || c.gained(syncs, v1alpha1.BlockRejectedReason)
	}},
	{kind: normal, of: syncs, applies: change.caughtUp, text: func(c change) string {
		return fmt.Sprintf("%s, after %s", conditions.GetMessage(c.after, syncs), c.seen.Now.Sub(c.before.Status.Sync.BehindSince.Time).Round(time.Second))
	}},
	{kind: warning, of: versions, applies: func(c change) bool {
		return c.gained(versions, v1alpha1.OutOfSupportReason) || c.gained(versions, v1alpha1.KnownBadReason)
	}},
	{kind: normal, of: versions, applies: func(c change) bool {
		return c.gained(versions, v1alpha1.SupportedReason) && conditions.IsFalse(c.before, versions)
	}},
	{kind: normal, of: storage, applies: func(c change) bool { return c.gained(storage, v1alpha1.ResizingReason) }},
	{kind: normal, of: storage, applies: func(c change) bool {
		return c.lost(storage, v1alpha1.ResizingReason) && conditions.IsTrue(c.after, storage)
	}},
	{kind: normal, reason: v1alpha1.SuspendedReason, applies: func(c change) bool { return c.gained(ready, v1alpha1.SuspendedReason) }, text: func(change) string {
		return "reconciliation is suspended: spec.suspend is true"
	}},
	{kind: normal, reason: v1alpha1.ResumedEvent, applies: func(c change) bool { return c.lost(ready, v1alpha1.SuspendedReason) }, text: func(change) string {
		return "reconciliation resumed"
	}},
	{kind: normal, of: ready, applies: func(c change) bool { return c.gained(ready, v1alpha1.RollingReason) && conditions.IsReady(c.before) }},
	{kind: warning, reason: v1alpha1.RepairedEvent, applies: change.repaired, text: func(c change) string {
		step := c.todo.Rollout.Step
		return fmt.Sprintf("replacing %s: %s", state.Name(c.after, step.Ordinal), step.Why)
	}},
	{kind: normal, reason: v1alpha1.PrimaryMovedEvent, applies: func(c change) bool { return c.moved() && c.outcome.Connection.Moved.Because.IsPlanned() }, text: change.movedText},
	{kind: warning, reason: v1alpha1.PrimaryMovedEvent, applies: func(c change) bool { return c.moved() && !c.outcome.Connection.Moved.Because.IsPlanned() }, text: change.movedText},
	{kind: warning, reason: v1alpha1.DegradedReason, of: ready, applies: change.becameDegraded},
	{kind: warning, of: ready, applies: func(c change) bool { return c.failed() && c.failedAnew() && !c.becameDegraded() }},
	{kind: normal, reason: v1alpha1.RecoveredEvent, of: ready, applies: func(c change) bool { return !c.parked() && c.becameReady() && c.degraded(c.before) }},
	{kind: normal, of: ready, applies: func(c change) bool { return !c.parked() && c.becameReady() && !c.degraded(c.before) }},
}

// caughtUp reports whether all nodes have the chain that did not for long enough to tell
// of it.
func (c change) caughtUp() bool {
	before := c.before.Status.Sync
	return c.gained(syncs, v1alpha1.SyncedReason) && before != nil && before.BehindSince != nil && c.seen.Now.Sub(before.BehindSince.Time) >= waitTold
}

func (c change) had() int { return len(c.before.Status.Nodes) }
func (c change) has() int { return len(c.after.Status.Nodes) }

// acted reports whether the operator could do what the network asks for.
func (c change) acted() bool {
	return conditions.IsTrue(c.after, credentials) && !c.failed() && !c.after.Spec.Suspend
}

func (c change) scaled() bool {
	return !c.outcome.Created && c.had() != c.has() && c.before.Status.ObservedGeneration > 0 && c.acted()
}

func (c change) parked() bool {
	return c.had() > 0 && c.has() == 0 && c.acted() && c.before.Status.Replicas > 0
}

// repaired reports whether a node that was broken by itself has been taken down. A
// step that did not come to pass is not on record.
func (c change) repaired() bool {
	step := c.todo.Rollout.Step
	return step != nil && step.Repair && c.outcome.Refused == nil && slices.ContainsFunc(c.after.Status.Rollout, func(taken v1alpha1.RolloutStatus) bool {
		return taken.PodUID == c.seen.Nodes[step.Ordinal].Pod.UID
	})
}

// moved reports whether clients have been led to another node.
func (c change) moved() bool { return c.outcome.Connection.Moved != nil }

func (c change) movedText() string {
	move := c.outcome.Connection.Moved
	return fmt.Sprintf("%s now leads to %s instead of %s: %s",
		resources.PrimaryName(c.after), state.Name(c.after, move.To), state.Name(c.after, move.From), move.Why)
}

func (c change) failed() bool {
	return conditions.HasAnyReason(c.after, ready, v1alpha1.ConflictReason, v1alpha1.InvalidReason, v1alpha1.ChainNotAllowedReason,
		v1alpha1.QuotaExceededReason, v1alpha1.StorageRefusedReason, v1alpha1.ResizeInfeasibleReason, v1alpha1.RolloutBlockedReason, v1alpha1.FailedReason)
}

func (change) degraded(network *v1alpha1.BitcoinNetwork) bool {
	return conditions.GetReason(network, meta.ReconcilingCondition) == v1alpha1.DegradedReason
}

func (c change) becameDegraded() bool {
	return c.degraded(c.after) && !c.degraded(c.before)
}

func (c change) becameReady() bool {
	return conditions.IsReady(c.after) && !conditions.IsReady(c.before)
}

// gained and lost report whether a condition has come to a reason, or left it.
func (c change) gained(condition, reason string) bool {
	return conditions.GetReason(c.after, condition) == reason && conditions.GetReason(c.before, condition) != reason
}

func (c change) lost(condition, reason string) bool {
	return conditions.GetReason(c.before, condition) == reason && conditions.GetReason(c.after, condition) != reason
}

// failedAnew reports whether it failed for another reason than before. What a rollout
// waits for changes with each look, and is told by an event of its own.
func (c change) failedAnew() bool {
	if conditions.GetReason(c.after, ready) == v1alpha1.RolloutBlockedReason {
		return c.gained(ready, v1alpha1.RolloutBlockedReason)
	}
	return c.turned(ready)
}

// turned reports whether a condition says something else than before. It is for
// those whose message changes only when there is something else to do about them.
func (c change) turned(condition string) bool {
	return conditions.GetReason(c.before, condition) != conditions.GetReason(c.after, condition) ||
		conditions.GetMessage(c.before, condition) != conditions.GetMessage(c.after, condition)
}

// credentialsTurned reports whether there is something to tell of the credentials:
// of a change of them when it begins and when it ends, not of each node on the way.
func (c change) credentialsTurned() bool {
	reason := conditions.GetReason(c.after, credentials)
	goesOn := reason == v1alpha1.RotatingReason && reason == conditions.GetReason(c.before, credentials)
	return !goesOn && c.turned(credentials)
}

func (c change) credentialsAreFine() bool {
	return conditions.HasAnyReason(c.after, credentials, v1alpha1.SecretReadReason, v1alpha1.RotatingReason, v1alpha1.RotatedReason)
}

// foreignPeers tells of nodes that were connected to another network's and have been
// disconnected.
func foreignPeers(network *v1alpha1.BitcoinNetwork, links peering.Plan) []Event {
	var events []Event
	for _, ordinal := range slices.Sorted(maps.Keys(links.Changes)) {
		if foreign := links.Changes[ordinal].Strangers; len(foreign) > 0 {
			events = append(events, Event{warning, v1alpha1.ForeignPeerEvent, fmt.Sprintf(
				"disconnected %s from nodes of another network: %s", state.Name(network, ordinal), list(foreign))})
		}
	}
	return events
}

// Before returns what has to be told before the network's objects are made by a
// shape: that its chain goes with its nodes, where somebody decided so. That is so of
// none at all: of fewer there are as many as keep it, and the volumes of a parked network
// stay, whatever spec.storage.whenScaled says.
func Before(network *v1alpha1.BitcoinNetwork, seen *state.Network, shape plan.Shape) []Event {
	pods, _ := state.Replicas(seen.StatefulSet)
	if pods == 0 || shape.Size.Pods > 0 || seen.HandsOff(network) || !seen.AtStake() || !state.InPods(network) {
		return nil
	}
	return []Event{{warning, v1alpha1.ParkedReason, fmt.Sprintf(
		"scaling to 0: the nodes have no volumes, so the chain will be lost, up to %s", seen.Best)}}
}

// Mined tells of a block that was mined out of turn, or could not be mined for another
// reason than the last time. Where no node can mine there is no block.
func Mined(network *v1alpha1.BitcoinNetwork, outcome Outcome, before string) []Event {
	switch block, problem := outcome.Mined, outcome.MiningProblem; {
	case problem != "" && problem != before && block == nil:
		return []Event{{warning, v1alpha1.MiningFailedEvent, "no block can be mined: " + problem}}
	case problem != "" && problem != before:
		return []Event{{warning, v1alpha1.MiningFailedEvent, fmt.Sprintf("%s could not mine a block: %s", state.Name(network, block.Node), problem)}}
	case problem == "" && block != nil && block.Why != "":
		return []Event{{normal, v1alpha1.MinedEvent, fmt.Sprintf(
			"%s mined a block, because %s: nodes relay no transactions while they are in initial block download", state.Name(network, block.Node), block.Why)}}
	default:
		return nil
	}
}

// Patience remembers since when something has been waited for, so that it is told
// after a while, and once.
type Patience struct {
	on        rollout.Blocker
	since     time.Time
	told      bool
	drainTold time.Time
	diskTold  bool
	syncTold  bool
}

// waitTold is how long something is waited for before an event tells of it.
const waitTold = time.Minute

// Events returns what there is to tell of what is being waited for.
func (p *Patience) Events(network *v1alpha1.BitcoinNetwork, seen *state.Network, todo plan.Plan, outcome Outcome) []Event {
	var events []Event
	switch wait := waiting(network, seen, todo, outcome); {
	case wait == nil:
		*p = Patience{drainTold: p.drainTold, diskTold: p.diskTold, syncTold: p.syncTold}
	case wait.On != p.on:
		p.on, p.since, p.told = wait.On, seen.Now, false
	case !p.told && seen.Now.Sub(p.since) >= waitTold:
		p.told = true
		events = append(events, Event{warning, v1alpha1.WaitingEvent, waitText(network, *wait)})
	}
	if drain := todo.Shape.Drain; drain.JustEnded && !p.drainTold.Equal(drain.HeldSince.Time) {
		p.drainTold = drain.HeldSince.Time
		events = append(events, Event{warning, v1alpha1.DrainMayLoseChainEvent, fmt.Sprintf(
			"drains have been held up since %s because fewer than two ready nodes have %s; they can now proceed and may lose that block",
			drain.HeldSince.UTC().Format(time.RFC3339), bestText(seen.Best))})
	}
	ordinal, filling := seen.FirstWithDisk(state.DiskFilling)
	if filling && !p.diskTold {
		events = append(events, Event{warning, v1alpha1.DiskFillingEvent, fmt.Sprintf(
			"%s has used 80%% of its limit on the machine's disk, which holds its chain; at 90%% mining stops, and at the limit the pod is evicted: raise spec.resources.limits.ephemeral-storage, or create another network with spec.storage",
			state.Name(network, ordinal))})
	}
	p.diskTold = filling
	sync := network.Status.Sync
	isBehind := sync != nil && sync.BehindSince != nil && seen.Now.Sub(sync.BehindSince.Time) >= waitTold
	if isBehind && !p.syncTold && conditions.GetReason(network, syncs) == v1alpha1.DownloadingReason {
		events = append(events, Event{normal, v1alpha1.DownloadingReason, conditions.GetMessage(network, syncs)})
	}
	p.syncTold = isBehind
	return events
}
