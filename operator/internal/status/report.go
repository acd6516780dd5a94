// Package status says how a network stands: its conditions, heights, events and
// metrics, and their words. It is pure.
package status

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Outcome is what came of executing a plan.
type Outcome struct {
	// Created reports that the network's StatefulSet is new.
	Created bool
	// Refused says why the step of the rollout was not taken: a disruption budget did
	// not let the pod go. It is nil for a step that was taken.
	Refused *rollout.Wait
	// Mined is the block that a node was told to mine; nil for none.
	Mined *plan.Block
	// MiningProblem is why a block could not be mined, or none can be.
	MiningProblem string
	// Short are the quotas that have no room for volumes to grow.
	Short []plan.Shortage
	// NotGrown is a volume claim that the API server does not let grow, and NotLowered
	// one that it does not let take back what it asks for; nil where there is none.
	NotGrown, NotLowered *ResizeRefusal
	// Connection is what came of telling clients where to go.
	Connection Connection
	// Failure is what went wrong; the rest was done all the same.
	Failure error
}

// Connection is what came of telling clients where to go.
type Connection struct {
	// Moved is how they were led elsewhere; nil where they stayed.
	Moved *rollout.Move
	// LeftOut says what they should have and have not, and why. Nothing else suffers.
	LeftOut string
	// Again is how soon another try is worth it; zero where none is.
	Again time.Duration
}

// reasoned is an error that is a state of the world: it names the reason of Ready.
type reasoned interface {
	error
	Reason() string
}

// Report writes into the network's status what has been seen of it, what is to be
// done, and what came of that. Whatever it says follows from its arguments and from
// what the status said before.
func Report(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *state.Network, todo plan.Plan, outcome Outcome) {
	wasReady := conditions.IsReady(network)
	wasObserved := network.Status.ObservedGeneration == network.Generation

	links := wantedLinks(todo.Links, seen.Wanted)
	reportNodes(network, platform, seen)
	reportLinks(network, links)
	reportRollout(network, seen, todo, outcome)
	reportSync(network, seen)
	network.Status.Warnings = warningsOf(seen)

	setCredentialsReady(network, seen)
	setNodesReady(network, seen)
	setPeersConnected(network, seen, links)
	setChainsAgree(network, seen)
	setSynced(network, seen)
	setVersionsSupported(network, seen)
	setStorageReady(network, seen, outcome)
	setReady(network, platform, seen, todo, outcome)
	setProgress(network, wasReady && wasObserved)
	network.Status.ObservedGeneration = network.Generation
	network.Status.LastHandledReconcileAt, _ = meta.ReconcileAnnotationValue(network.Annotations)
}

func reportNodes(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *state.Network) {
	status := &network.Status
	status.Image = platform.Image(network)
	status.Selector = labels.SelectorFromSet(resources.Selector(network)).String()
	status.ReadyNodes, status.Ready = int32(seen.Ready()), ratio(seen.Ready(), seen.Wanted)
	status.Storage = smallestVolume(network, seen)
	status.Replicas = 0
	if seen.StatefulSet != nil {
		status.Replicas = seen.StatefulSet.Status.Replicas
	}
	made := seen.MadeNodes()
	nodes := make([]v1alpha1.NodeStatus, len(made))
	for ordinal, node := range made {
		nodes[ordinal] = v1alpha1.NodeStatus{
			Ordinal: int32(ordinal),
			Ready:   node.Ready(),
			DNSName: platform.DNSName(network, ordinal),
		}
		if node.Pod != nil {
			nodes[ordinal].IP = node.Pod.Status.PodIP
			nodes[ordinal].NodeName = node.Pod.Spec.NodeName
		}
	}
	status.Nodes = nodes
}

// wantedLinks are the links between the nodes that the network should have: one that is
// there for a while longer is no part of it.
func wantedLinks(links peering.Plan, wanted int) peering.Plan {
	isExtra := func(link peering.Link) bool { return link.From >= wanted } // From is the higher one
	links.Links = slices.DeleteFunc(slices.Clone(links.Links), isExtra)
	links.Missing = slices.DeleteFunc(slices.Clone(links.Missing), isExtra)
	return links
}

func reportLinks(network *v1alpha1.BitcoinNetwork, links peering.Plan) {
	planned, connected := len(links.Links), len(links.Links)-len(links.Missing)
	network.Status.Links = &v1alpha1.LinksStatus{
		Planned:   int32(planned),
		Connected: int32(connected),
		Summary:   ratio(connected, planned),
	}
}

func setNodesReady(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	if seen.Ready() == seen.Wanted {
		conditions.MarkTrue(network, v1alpha1.NodesReadyCondition, v1alpha1.NodesAnswerReason, "%s", nodesAnswer(seen.Wanted))
		return
	}
	if seen.Secret.Unusable != nil {
		conditions.MarkUnknown(network, v1alpha1.NodesReadyCondition, v1alpha1.WaitingForCredentialsReason,
			"the nodes cannot be queried without credentials")
		return
	}
	var problems []string
	for ordinal, node := range seen.WantedNodes() {
		if !node.Ready() {
			problems = append(problems, fmt.Sprintf("%s: %s", state.Name(network, ordinal), problemOf(seen, node)))
		}
	}
	conditions.MarkFalse(network, v1alpha1.NodesReadyCondition, v1alpha1.NodesNotReadyReason,
		"%d of %d nodes answer RPC; %s", seen.Ready(), seen.Wanted, list(problems))
}

// problemOf says why a node is not ready. What to change about a pod that is from
// before the last change, somebody may have changed already.
func problemOf(seen *state.Network, node state.Node) string {
	if seen.IsOutdated(node) && seen.FaultOf(node) != state.NoFault {
		return node.Problem + "; its pod predates the last change and is waiting to be replaced"
	}
	return node.Problem
}

func setPeersConnected(network *v1alpha1.BitcoinNetwork, seen *state.Network, links peering.Plan) {
	planned, missing := len(links.Links), len(links.Missing)
	switch {
	case seen.Secret.Unusable != nil && planned > 0:
		conditions.MarkUnknown(network, v1alpha1.PeersConnectedCondition, v1alpha1.WaitingForCredentialsReason,
			"the nodes' peers cannot be queried without credentials")
	case planned == 0:
		conditions.MarkTrue(network, v1alpha1.PeersConnectedCondition, v1alpha1.LinksConnectedReason, "no links are planned")
	case missing == 0:
		conditions.MarkTrue(network, v1alpha1.PeersConnectedCondition, v1alpha1.LinksConnectedReason,
			"%s", allLinks(planned))
	case len(links.Parts) > 1 && seen.Ready() == seen.Wanted:
		conditions.MarkFalse(network, v1alpha1.PeersConnectedCondition, v1alpha1.SplitReason,
			"the network is split into %d parts: %s; %d of %s connected%s", len(links.Parts), listParts(links.Parts), planned-missing, count(planned, "link"), obstacles(network))
	default:
		conditions.MarkFalse(network, v1alpha1.PeersConnectedCondition, v1alpha1.LinksMissingReason,
			"%d of %s connected; missing: %s%s", planned-missing, count(planned, "link"), listLinks(links.Missing), obstacles(network))
	}
}

// obstacles names the lines of a network's configuration that may keep nodes from
// being linked. It may have some from before they were refused.
func obstacles(network *v1alpha1.BitcoinNetwork) string {
	var lines []string
	for _, line := range network.Spec.Config {
		if line.KeepsApart() {
			lines = append(lines, string(line))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "; these lines of spec.config may keep nodes apart: " + list(lines)
}

func setChainsAgree(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	const condition = v1alpha1.ChainsAgreeCondition
	isLate := func(node state.Node) bool { return node.IsLate }
	if before := conditions.Get(network, condition); before != nil && slices.ContainsFunc(seen.WantedNodes(), isLate) {
		conditions.Set(network, before) // where that one is, the next look tells
		return
	}
	tips := seen.Tips()
	var texts []string
	for _, tip := range tips {
		texts = append(texts, tipText(tip))
	}
	switch verdict := state.Agree(tips, seen.Branches); verdict {
	case state.NoTips:
		conditions.MarkUnknown(network, condition, string(verdict), "no node answers")
	case state.Equal:
		conditions.MarkTrue(network, condition, string(verdict), "the tips of %s are equal or one block apart", count(onTips(tips), "node"))
	case state.Lagging:
		conditions.MarkFalse(network, condition, string(verdict), "some nodes lag behind on the same chain; %s", list(texts))
	case state.Forked:
		conditions.MarkFalse(network, condition, string(verdict), "nodes are on different chains; %s", list(texts))
	default:
		conditions.MarkUnknown(network, condition, string(verdict), "could not determine whether these tips are on the same chain; %s", list(texts))
	}
}

// setReady sums up: the first condition that is not True is the reason. What the
// rollout waits for is said in any case, and so is why no block is mined, and what
// clients have not.
func setReady(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *state.Network, todo plan.Plan, outcome Outcome) {
	ready := readyOf(network, seen, todo, outcome)
	if wait := waiting(network, seen, todo, outcome); wait != nil {
		ready.Message += "; " + waitText(network, *wait)
		if wait.NeedsHuman && ready.Reason != v1alpha1.ConflictReason && ready.Reason != v1alpha1.InvalidReason {
			ready.Reason = v1alpha1.RolloutBlockedReason
		}
	}
	if outcome.MiningProblem != "" {
		ready.Message += "; mining fails: " + outcome.MiningProblem
	}
	if outcome.Connection.LeftOut != "" {
		ready.Message += "; not applied: " + outcome.Connection.LeftOut
	}
	if network.Spec.Suspend {
		suspend(network, platform, seen, &ready)
	}
	ready.Type = meta.ReadyCondition
	conditions.Set(network, &ready)
}

// suspend has Ready say that the network is suspended. One that is not what its spec asks
// for is not Ready, however well it is.
func suspend(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *state.Network, ready *metav1.Condition) {
	ready.Reason = v1alpha1.SuspendedReason
	changes := unapplied(network, platform, seen)
	if len(changes) == 0 {
		ready.Message = "suspended by spec.suspend; " + ready.Message
		return
	}
	ready.Message = fmt.Sprintf("suspended by spec.suspend, with unapplied changes: %s; %s", strings.Join(changes, ", "), ready.Message)
	if ready.Status == metav1.ConditionTrue {
		ready.Status = metav1.ConditionFalse
	}
}

// unapplied names what of the spec the network's StatefulSet, or a pod of it, is not yet.
func unapplied(network *v1alpha1.BitcoinNetwork, platform resources.Platform, seen *state.Network) []string {
	if seen.StatefulSet == nil {
		return nil
	}
	var changes []string
	if pods, known := state.Replicas(seen.StatefulSet); known && pods != seen.Wanted {
		changes = append(changes, "spec.nodes")
	}
	if !resources.IsApplied(network, platform, seen.StatefulSet) || slices.ContainsFunc(seen.WantedNodes(), seen.IsOutdated) {
		changes = append(changes, "the nodes' image, configuration or other settings")
	}
	return changes
}

// readyOf returns the condition Ready but for what the rollout waits for.
func readyOf(network *v1alpha1.BitcoinNetwork, seen *state.Network, todo plan.Plan, outcome Outcome) metav1.Condition {
	notReady := func(reason, format string, args ...any) metav1.Condition {
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: reason, Message: fmt.Sprintf(format, args...)}
	}
	if seen.ChainNotAllowed {
		return notReady(v1alpha1.ChainNotAllowedReason,
			"spec.chain: the platform does not allow %s in this namespace; ask the platform team, who set the operator's flag --allowed-chains", network.Spec.Chain)
	}
	if outcome.Failure != nil {
		reason := v1alpha1.FailedReason
		var known reasoned
		if errors.As(outcome.Failure, &known) {
			reason = known.Reason()
		}
		return notReady(reason, "%s", outcome.Failure)
	}
	if condition := firstNotReady(network); condition != nil {
		return metav1.Condition{Status: condition.Status, Reason: condition.Reason, Message: condition.Message}
	}
	switch extra := extraPods(seen); {
	case seen.Wanted == 0:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ParkedReason, Message: "the network is parked: spec.nodes is 0"}
	case !seen.Settled():
		return notReady(v1alpha1.RollingReason, "waiting for the StatefulSet controller to observe the new pod template")
	case todo.Rollout.Pending > 0:
		return notReady(v1alpha1.RollingReason, "restarting or replacing the nodes one at a time; %s to go", count(todo.Rollout.Pending, "node"))
	case len(todo.Rollout.Down) > 0:
		return notReady(v1alpha1.RollingReason, "waiting for %s to serve", state.Name(network, int(todo.Rollout.Down[0].Ordinal)))
	case extra > 0 && !seen.HandsOff(network):
		return notReady(v1alpha1.RollingReason, "waiting for %s beyond spec.nodes to be removed", count(extra, "node"))
	default:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ConnectedReason, Message: fmt.Sprintf(
			"%s, %s connected", nodesAnswer(seen.Wanted), count(int(network.Status.Links.Connected), "link"))}
	}
}

// firstNotReady returns the first of the conditions that make up Ready which is not
// True, or nil. Volumes that have not grown yet keep nobody from working.
func firstNotReady(network *v1alpha1.BitcoinNetwork) *metav1.Condition {
	for _, name := range []string{
		v1alpha1.CredentialsReadyCondition, v1alpha1.StorageReadyCondition, v1alpha1.NodesReadyCondition, v1alpha1.PeersConnectedCondition,
	} {
		condition := conditions.Get(network, name)
		if condition == nil || condition.Status == metav1.ConditionTrue || name == v1alpha1.StorageReadyCondition && !isStalled(condition.Reason) {
			continue
		}
		return condition
	}
	return nil
}

// extraPods counts the pods that the network is to have for a while beyond those that
// it asks for.
func extraPods(seen *state.Network) int {
	pods, _ := state.Replicas(seen.StatefulSet)
	return max(pods-seen.Wanted, 0)
}

// waiting returns what the rollout waits for, or nil. Where the operator keeps its
// hands off, nobody's turn comes, whatever happens.
func waiting(network *v1alpha1.BitcoinNetwork, seen *state.Network, todo plan.Plan, outcome Outcome) *rollout.Wait {
	switch {
	case seen.HandsOff(network):
		return nil
	case outcome.Refused != nil:
		return outcome.Refused
	default:
		return todo.Waiting()
	}
}

// setProgress says in the terms of kstatus what to expect of a network that is
// not Ready: Stalled when somebody must act, else Reconciling.
func setProgress(network *v1alpha1.BitcoinNetwork, wasReady bool) {
	ready := conditions.Get(network, meta.ReadyCondition)
	wasDegraded := conditions.GetReason(network, meta.ReconcilingCondition) == v1alpha1.DegradedReason &&
		network.Status.ObservedGeneration == network.Generation
	switch {
	case ready.Status == metav1.ConditionTrue:
		conditions.Delete(network, meta.ReconcilingCondition)
		conditions.Delete(network, meta.StalledCondition)
	case isStalled(ready.Reason):
		conditions.MarkStalled(network, ready.Reason, "%s", ready.Message)
	case wasDegraded || wasReady && ready.Reason != v1alpha1.RollingReason:
		conditions.MarkReconciling(network, v1alpha1.DegradedReason, "%s", ready.Message)
	default:
		conditions.MarkReconciling(network, v1alpha1.ProgressingReason, "%s", ready.Message)
	}
}

// isStalled reports whether a network that is not Ready for this reason stays so
// until somebody acts.
func isStalled(reason string) bool {
	switch reason {
	case v1alpha1.SecretForbiddenReason, v1alpha1.SecretInvalidReason, v1alpha1.CredentialsRejectedReason, v1alpha1.ChainNotAllowedReason,
		v1alpha1.ConflictReason, v1alpha1.InvalidReason, v1alpha1.QuotaExceededReason, v1alpha1.StorageRefusedReason, v1alpha1.ResizeInfeasibleReason,
		v1alpha1.RolloutBlockedReason, v1alpha1.SuspendedReason:
		return true
	default:
		return false
	}
}
