package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Lead is to which node clients are led that need one node.
type Lead struct {
	// Primary is what is to be on record of it; nil where there are no nodes, nor volumes
	// of them.
	Primary *v1alpha1.PrimaryStatus
	// Move is how they are led elsewhere than before; nil where they stay.
	Move *Move
}

// Move leads clients from one node to another, which has the best block.
type Move struct {
	From, To int
	Because  Reason
	// Why says why, as the end of a sentence about the node that they leave.
	Why string
}

// Reason is why clients leave a node.
type Reason string

// Why clients leave a node.
const (
	// Scaled: it is about to be removed by scaling down.
	Scaled Reason = "Scaled"
	// Replaced: it is about to be replaced, and its data with it.
	Replaced Reason = "Replaced"
	// DataLost: its data are gone, or going.
	DataLost Reason = "DataLost"
	// Behind: it lacks the best block.
	Behind Reason = "Behind"
	// Silent: it serves nobody. It has to be asked once more before they leave: it may
	// have been left alone for a while.
	Silent Reason = "Silent"
)

// IsPlanned reports whether the operator is about to take the node away.
func (r Reason) IsPlanned() bool { return r == Scaled || r == Replaced }

// failoverAfter is for how long a node may serve nobody before clients are led to
// another, where the network does not say.
const failoverAfter = 30 * time.Second

// lead decides to which of so many nodes clients are led, given what is about to be done
// to one of them. They stay where they are until there is a reason to leave and a node to
// go to, and do not come back.
func (d *decider) lead(size int, step *Step) Lead {
	current := d.network.Status.Primary
	switch {
	case d.seen.HandsOff(d.network):
		return Lead{Primary: current}
	case size == 0 && (current == nil || state.InPods(d.network)):
		return Lead{}
	case size == 0: // with its volume, which may have a wallet, that node comes back
		return Lead{Primary: d.staysAt(current)}
	case current == nil:
		return Lead{Primary: d.primary(*cmp.Or(d.leader(size, nil, step), new(int)))}
	}
	from := int(current.Ordinal)
	move, to := d.leave(current, size, step), cmp.Or(d.leader(size, &from, step), d.leader(size, &from, nil))
	if move == nil || to == nil {
		return Lead{Primary: d.staysAt(current)}
	}
	move.To = *to
	moved := d.primary(move.To)
	moved.Left = d.pendingLeft(current)
	if pod := d.seen.Node(from).Pod; move.Because == Silent && pod != nil && state.PodProblem(pod) == "" {
		left := v1alpha1.LeftStatus{Ordinal: current.Ordinal, PodUID: pod.UID, Restarts: state.Restarts(pod)}
		if !slices.Contains(moved.Left, left) {
			moved.Left = append(moved.Left, left)
		}
	}
	return Lead{Primary: moved, Move: move}
}

// primary is what is on record of a node to which clients are led from now on. Data of
// a node that does not lead yet may be gone before it does.
func (d *decider) primary(ordinal int) *v1alpha1.PrimaryStatus {
	primary := &v1alpha1.PrimaryStatus{Ordinal: int32(ordinal), Since: metav1.NewTime(d.seen.Now.Truncate(time.Second))}
	if d.canLead(ordinal) {
		primary.Data = d.seen.Nodes[ordinal].Data
	}
	return primary
}

// staysAt is what is on record of a node to which clients were led before.
func (d *decider) staysAt(current *v1alpha1.PrimaryStatus) *v1alpha1.PrimaryStatus {
	primary := current.DeepCopy()
	primary.Left = d.pendingLeft(current)
	if ordinal := int(current.Ordinal); d.canLead(ordinal) && (primary.Data == "" || d.isSynced(ordinal)) {
		primary.Data = d.seen.Nodes[ordinal].Data
	}
	return primary
}

// leave returns why clients are to leave the node to which they are led, or nil.
func (d *decider) leave(current *v1alpha1.PrimaryStatus, size int, step *Step) *Move {
	from := int(current.Ordinal)
	node := d.seen.Node(from)
	inPods := state.InPods(d.network)
	switch {
	case from >= size:
		return &Move{From: from, Because: Scaled, Why: "it is about to be removed by scaling down"}
	case inPods && step != nil && step.Ordinal == from && step.Action == v1alpha1.ReplaceAction:
		return &Move{From: from, Because: Replaced, Why: "it is about to be replaced: " + step.Why}
	case inPods && node.Pod != nil && node.Pod.DeletionTimestamp != nil:
		return &Move{From: from, Because: DataLost, Why: "its pod is being deleted together with its data"}
	case current.Data != "" && node.Data != current.Data && !(d.canLead(from) && d.isSynced(from)):
		return &Move{From: from, Because: DataLost, Why: "it has lost its data"}
	case !isFailoverAllowed(d.network):
		return nil
	case d.isBehind(node):
		return &Move{From: from, Because: Behind, Why: fmt.Sprintf("it does not have %s", d.seen.Best)}
	case d.isSilent(from):
		return &Move{From: from, Because: Silent, Why: fmt.Sprintf("it has answered neither the kubelet nor the operator for %s: %s", d.failoverAfter(), node.Problem)}
	default:
		return nil
	}
}

func isFailoverAllowed(network *v1alpha1.BitcoinNetwork) bool {
	primary := network.Spec.Primary
	return primary == nil || primary.Failover == nil || *primary.Failover
}

func (d *decider) failoverAfter() time.Duration {
	if primary := d.network.Spec.Primary; primary != nil && primary.FailoverAfter != nil {
		return primary.FailoverAfter.Duration
	}
	return failoverAfter
}

// isBehind reports whether a node has said for a while that it lacks the best block. Of
// a public chain nodes do for days, and the world has it.
func (d *decider) isBehind(node state.Node) bool {
	if !d.seen.Private || node.BehindSince.IsZero() {
		return false
	}
	left := slack - d.seen.Now.Sub(node.BehindSince)
	d.look(left)
	return left <= 0
}

// isSilent reports whether a node has served nobody for too long. One that the operator
// has taken down has, before that, as long as its pod has to end: bitcoind may take its
// time to write out what it has.
func (d *decider) isSilent(ordinal int) bool {
	begun := d.seen.Node(ordinal).LastAlive
	if !begun.Before(d.seen.Now) {
		return false
	}
	if taken, isTaken := d.taken[ordinal]; isTaken {
		begun = later(begun, taken.Since.Add(d.grace()))
	}
	left := d.failoverAfter() - d.seen.Now.Sub(begun)
	d.look(left)
	return left <= 0
}

// grace is how long the network's pods have to end.
func (d *decider) grace() time.Duration {
	if d.seen.StatefulSet == nil || d.seen.StatefulSet.Spec.Template.Spec.TerminationGracePeriodSeconds == nil {
		return 0
	}
	return time.Duration(*d.seen.StatefulSet.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
}

// isSynced reports whether a node has as good a chain as any, on a public chain too.
func (d *decider) isSynced(ordinal int) bool { return d.seen.IsSynced(d.seen.Node(ordinal)) }

// leader returns the node of so many to which clients are best led, nil where there is
// none: on a public chain one that is not behind, then one that accepts the credentials,
// then one that will not be replaced soon.
func (d *decider) leader(size int, except *int, step *Step) *int {
	var leader *int
	best := -1
	for ordinal := range min(size, len(d.seen.Nodes)) {
		if except != nil && ordinal == *except || step != nil && step.Ordinal == ordinal || !d.canLead(ordinal) {
			continue
		}
		node, score := d.seen.Nodes[ordinal], 0
		for _, is := range []bool{d.isSynced(ordinal), node.Answers, !d.seen.IsOutdated(node)} {
			score <<= 1
			if is {
				score++
			}
		}
		if score > best {
			leader, best = &ordinal, score
		}
	}
	return leader
}

// canLead reports whether clients may be led to a node: it is up, and nobody has told it
// to go.
func (d *decider) canLead(ordinal int) bool {
	node := d.seen.Node(ordinal)
	if !d.seen.IsUp(node) {
		return false
	}
	taken, isTaken := d.taken[ordinal]
	return !isTaken || isNew(node, taken)
}

// isPrimary reports whether clients are led to a node.
func (d *decider) isPrimary(ordinal int) bool {
	primary := d.network.Status.Primary
	return primary != nil && int(primary.Ordinal) == ordinal
}

// pendingLeft are the nodes that clients have left, that are still to be ended.
func (d *decider) pendingLeft(current *v1alpha1.PrimaryStatus) []v1alpha1.LeftStatus {
	var pending []v1alpha1.LeftStatus
	for _, left := range current.Left {
		if d.isLeft(left) {
			pending = append(pending, left)
		}
	}
	return pending
}

// isLeft reports whether a node that clients have left still runs, and hangs: those that
// are connected to it hang with it.
func (d *decider) isLeft(left v1alpha1.LeftStatus) bool {
	node := d.seen.Node(int(left.Ordinal))
	return node.Pod != nil && node.Pod.UID == left.PodUID && state.Restarts(node.Pod) == left.Restarts &&
		state.PodProblem(node.Pod) == "" && !state.IsReady(node.Pod) &&
		!node.Answers && !node.RejectsAll && !node.WarmsUp
}

// endLeft replaces a node that clients have left because it did not answer: connections
// that stand stay where they are, and end with it. What hangs does not heed that it is to
// end; it is given its time all the same where it may be writing to a volume.
func (d *decider) endLeft() *Step {
	if d.network.Status.Primary == nil {
		return nil
	}
	for _, left := range d.pendingLeft(d.network.Status.Primary) {
		ordinal := int(left.Ordinal)
		if ordinal >= len(d.staying()) || d.isPrimary(ordinal) {
			continue
		}
		if step := d.evict(ordinal, "it does not answer, and clients that are connected to it hang"); step != nil {
			step.AtOnce = state.InPods(d.network)
			return step
		}
	}
	return nil
}

// firstLeadElsewhere keeps a step until clients have been led away from the node that
// it takes down, or to it where no other is left: the step may come to nothing.
func (d *decider) firstLeadElsewhere(step *Step, lead Lead) *Step {
	if step == nil || lead.Move == nil || lead.Move.From != step.Ordinal && lead.Move.To != step.Ordinal {
		return step
	}
	d.waitsFor(Wait{Node: step.Ordinal, On: OnTime, For: elsewhere(d.network, lead.Move.To)})
	d.look(time.Second)
	return nil
}

// holdForClients keeps the node to which clients are led for as long as it takes to
// lead them elsewhere.
func (d *decider) holdForClients(size Size) Size {
	primary := d.network.Status.Primary
	if primary == nil || size.Pods == 0 || int(primary.Ordinal) < size.Pods || int(primary.Ordinal) >= len(d.staying()) {
		return size
	}
	to := d.leader(size.Pods, nil, nil)
	if to == nil {
		return size
	}
	size.Pods = int(primary.Ordinal) + 1
	size.Wait = &Wait{Node: int(primary.Ordinal), On: OnTime, For: elsewhere(d.network, *to)}
	return size
}

func elsewhere(network *v1alpha1.BitcoinNetwork, to int) string {
	return "clients to be moved to " + state.Name(network, to)
}
