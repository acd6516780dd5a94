package rollout_test

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// leading is what a history is watched for as to where clients are led.
type leading struct {
	// quiet is for how many seconds nodes had answered nobody, by ordinal, at each of the
	// last moments that the operator may go by, the latest last.
	quiet map[int][]int
	// lacking is for how many passes nodes have lacked what the operator takes for the
	// best block, by ordinal.
	lacking map[int]int
	// astray is for how many passes clients were led to a node that lacks the best block
	// though another had it, and stuck for how many to one that had been silent for too
	// long.
	astray, stuck int
	// moves counts how often clients were led elsewhere, and passes how often the operator
	// has looked; left is the node that they left last, and leftIn the pass.
	moves, passes, left, leftIn int
}

const (
	// blur is by how many seconds what the operator sees may be behind.
	blur = 5
	// slack is how long a node may lack the best block before clients leave it.
	slack = 15
	// endsWithin is how long the operator gives a node that it has taken down.
	endsWithin = 60
)

// primaries are what networks may say of the node to which clients are led.
var primaries = []*v1alpha1.Primary{
	nil, nil,
	{FailoverAfter: &metav1.Duration{Duration: 10 * time.Second}},
	{FailoverAfter: &metav1.Duration{Duration: 2 * time.Minute}},
	{Failover: new(false)},
}

// tick lets a second pass.
func (h *history) tick() {
	h.cluster.tick()
	for ordinal := range 6 {
		quiet := h.quietFor(ordinal) + 1
		if h.answersHTTP(h.pods[ordinal]) {
			quiet = 0
		}
		moments := append(h.quiet[ordinal], quiet)
		h.quiet[ordinal] = moments[max(len(moments)-blur, 0):]
	}
}

// quietFor is for how many seconds a node has answered nobody.
func (h *history) quietFor(ordinal int) int {
	moments := h.quiet[ordinal]
	if len(moments) == 0 {
		return 0
	}
	return moments[len(moments)-1]
}

// lacks reports whether a node's data lack what the operator takes for the best block.
func (h *history) lacks(p *pod) bool {
	return p != nil && h.blocks[p.data.tip].work < h.workOf(h.operator.best)
}

func (h *history) failsOver() bool {
	primary := h.network.Spec.Primary
	return primary == nil || primary.Failover == nil
}

// patience is for how many seconds a node may be silent.
func (h *history) patience() int {
	if primary := h.network.Spec.Primary; primary != nil && primary.FailoverAfter != nil {
		return int(primary.FailoverAfter.Seconds())
	}
	return 30
}

// moved holds a move of clients to what it may be: for a reason, to a node that has the
// best block.
func (h *history) moved(move rollout.Move, seen *state.Network) {
	h.moves++
	h.left, h.leftIn = move.From, h.passes
	to := seen.Nodes[move.To]
	if !seen.IsUp(to) {
		h.t.Fatalf("clients are led to %d, which is not up", move.To)
	}
	if p := h.byUID(to.Pod.UID); p != nil && h.private && !h.liars && h.blocks[p.data.tip].work < h.workOf(seen.Best) {
		h.t.Fatalf("clients are led to %d, which lacks the best block", move.To)
	}
	current, node := h.network.Status.Primary, seen.Node(move.From)
	justified := false
	switch move.Because {
	case rollout.Scaled:
		justified = move.From >= seen.Wanted
	case rollout.Replaced:
		justified = state.InPods(h.network)
	case rollout.DataLost:
		justified = node.Data != current.Data || state.InPods(h.network) && node.Pod.DeletionTimestamp != nil
	case rollout.Behind:
		justified = h.failsOver() && (h.liars || h.lacking[move.From] >= slack-blur)
	case rollout.Silent:
		justified = h.failsOver() && slices.Max(h.quiet[move.From]) >= h.patience()-blur
	}
	if !justified {
		h.t.Fatalf("clients leave %d without a reason: %+v; it was silent for %d s, and behind for %d s", move.From, move, h.quietFor(move.From), h.lacking[move.From])
	}
}

// another reports whether clients could be led to another node of so many, by what the
// operator saw.
func (h *history) another(seen *state.Network, size int) bool {
	taken := map[int]bool{h.leads: true}
	for _, down := range h.network.Status.Rollout {
		taken[int(down.Ordinal)] = true
	}
	for ordinal := range min(size, len(seen.Nodes)) {
		if !taken[ordinal] && seen.IsUp(seen.Nodes[ordinal]) {
			return true
		}
	}
	return false
}

// watchLead sees to it that clients are led to a node that serves them, if there is one.
func (h *history) watchLead(seen *state.Network) {
	for ordinal := range 6 {
		h.lacking[ordinal]++
		if !h.lacks(h.pods[ordinal]) {
			h.lacking[ordinal] = 0
		}
	}
	p := h.pods[h.leads]
	if h.operator.since.IsZero() || h.operator.since.Equal(h.now) {
		h.astray = 0 // it has just been started, and knows nothing of before
	}
	if !h.failsOver() || !h.another(seen, seen.Wanted) || p == nil || !p.goneAt.IsZero() {
		h.astray, h.stuck = 0, 0
		return
	}
	h.astray++ // of what no node tells nobody knows
	if !h.private || h.liars || !h.isReady(p) || !h.lacks(p) || !seen.Node(h.leads).Shown {
		h.astray = 0
	}
	h.stuck++
	if patience := time.Duration(h.patience()) * time.Second; p.unserved.IsZero() || h.now.Sub(p.unserved) < patience {
		h.stuck = 0
	}
	late := blur
	for _, taken := range h.network.Status.Rollout {
		if int(taken.Ordinal) == h.leads {
			late += endsWithin + h.patience()
		}
	}
	switch {
	case h.astray > slack+blur+int(check.Seconds()): // a node that gives up its chain says so when it is asked
		h.t.Fatalf("clients have been led to %d, which lacks the best block, for %d s", h.leads, h.astray)
	case h.stuck > late:
		h.t.Fatalf("clients have been led to %d, which is silent, for %d s", h.leads, h.stuck)
	}
}

// watchLeaving sees to it that clients are led elsewhere before their node is taken down
// with its data, or scaled away.
func (h *history) watchLeaving(act act) {
	if act.step != nil && act.step.Ordinal == h.left && h.leftIn == h.passes {
		h.t.Fatalf("%d is taken down in the moment in which clients are led elsewhere", h.left)
	}
	p := h.pods[h.leads]
	if p == nil || !p.goneAt.IsZero() {
		return
	}
	switch {
	case act.step == nil && h.leads >= act.size && act.size > 0 && h.another(act.seen, act.size):
		h.t.Fatalf("%d is scaled away while clients are led to it", h.leads)
	case act.step != nil && act.step.Action == v1alpha1.ReplaceAction && act.step.Ordinal == h.leads &&
		state.InPods(h.network) && h.another(act.seen, act.size):
		h.t.Fatalf("%d is replaced while clients are led to it", h.leads)
	}
}

// staysPut sees to it that clients of a network that is as it should be are led nowhere
// else, while it finds blocks.
func (h *history) staysPut(t *rapid.T) {
	moves := h.moves
	for range 8 {
		h.breakTies()
		h.run(10, 0)
	}
	if h.moves != moves {
		t.Fatalf("clients are led elsewhere though nothing is wrong")
	}
}
