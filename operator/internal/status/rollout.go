package status

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// RecordBest writes the best block into the status. It outlives the operator there,
// so it is written before anything that rests on it.
func RecordBest(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	network.Status.BestBlock = nil
	if best := seen.Best; best != nil && best.Hash != "" {
		network.Status.BestBlock = &v1alpha1.BestBlockStatus{Height: best.Height, Hash: best.Hash, ChainWork: best.Work}
	}
}

// RecordStep writes into the status what a step of the rollout rests on and which
// node it takes down, before it is taken.
func RecordStep(network *v1alpha1.BitcoinNetwork, seen *state.Network, decision rollout.Decision) {
	RecordBest(network, seen)
	step := decision.Step
	pod := seen.Nodes[step.Ordinal].Pod
	taken := v1alpha1.RolloutStatus{
		Ordinal:  int32(step.Ordinal),
		Action:   step.Action,
		PodUID:   pod.UID,
		Restarts: state.Restarts(pod),
		Since:    metav1.NewTime(seen.Now.Truncate(time.Second)),
	}
	network.Status.Rollout = append(except(decision.Down, taken.Ordinal), taken)
	slices.SortFunc(network.Status.Rollout, func(a, b v1alpha1.RolloutStatus) int { return int(a.Ordinal - b.Ordinal) })
	if step.Repair {
		recordRepair(network, seen, step.Ordinal)
	}
}

func recordRepair(network *v1alpha1.BitcoinNetwork, seen *state.Network, ordinal int) {
	repair := v1alpha1.RepairStatus{Ordinal: int32(ordinal), Count: 1, Last: metav1.NewTime(seen.Now.Truncate(time.Second))}
	repair.Count += rollout.Repairs(network, seen)[ordinal].Count
	others := slices.DeleteFunc(slices.Clone(network.Status.Repairs), func(other v1alpha1.RepairStatus) bool { return other.Ordinal == repair.Ordinal })
	network.Status.Repairs = append(others, repair)
}

// reportRepairs drops what is told of nodes that have served for a while, or are gone.
func reportRepairs(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	repairs := rollout.Repairs(network, seen)
	network.Status.Repairs = slices.DeleteFunc(slices.Clone(network.Status.Repairs), func(repair v1alpha1.RepairStatus) bool {
		_, goesOn := repairs[int(repair.Ordinal)]
		return int(repair.Ordinal) >= len(seen.Nodes) || !goesOn
	})
}

// except returns the entries of all nodes but one.
func except(taken []v1alpha1.RolloutStatus, ordinal int32) []v1alpha1.RolloutStatus {
	return slices.DeleteFunc(slices.Clone(taken), func(other v1alpha1.RolloutStatus) bool { return other.Ordinal == ordinal })
}

// reportRollout writes which nodes are down by the operator's doing: with the one of
// a step that was taken, which was written before.
func reportRollout(network *v1alpha1.BitcoinNetwork, seen *state.Network, todo plan.Plan, outcome Outcome) {
	reportRepairs(network, seen)
	network.Status.DrainsHeldSince = todo.Shape.Drain.HeldSince
	if todo.Rollout.Step == nil || outcome.Refused != nil {
		network.Status.Rollout = todo.Rollout.Down
	}
}

// waitText says who waits for what.
func waitText(network *v1alpha1.BitcoinNetwork, wait rollout.Wait) string {
	return fmt.Sprintf("%s waits for %s", state.Name(network, wait.Node), wait.For)
}
