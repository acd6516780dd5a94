package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// staleTip is how old a tip is at which bitcoind, when it starts, takes itself to
// be in initial block download and relays nothing (-maxtipage).
const staleTip = 24 * time.Hour

// block is one to be mined.
type block struct {
	// node is the ordinal of the one that mines it.
	node int
	// wait is how long until it is due.
	wait time.Duration
	// why says why it is mined out of turn; it is empty for one that is mined
	// regularly.
	why string
}

// nextBlock returns the block to be mined next, or nil. There is none while most
// nodes do not answer, or those that do are in parts: it could be one of a second
// chain.
func nextBlock(network *v1alpha1.BitcoinNetwork, seen *observation, plan peering.Plan, now time.Time) *block {
	tips := tipsOf(seen)
	if network.Spec.Chain != v1alpha1.Regtest || network.Spec.Suspend || len(tips) == 0 ||
		len(plan.Parts) != 1 || 2*seen.answering() <= len(seen.nodes) {
		return nil
	}
	best := tips[0].nodes[0]
	age := now.Sub(time.Unix(seen.nodes[best].state.Chain.Time, 0))
	if keepsFresh(network) && age > staleTip && inInitialDownload(seen) {
		why := fmt.Sprintf("the last one is %s old", age.Round(time.Hour))
		if tips[0].height == 0 {
			why = "there was none"
		}
		return &block{node: best, why: why}
	}
	if mining := network.Spec.Mining; mining != nil && mining.Interval != nil {
		return &block{node: best, wait: max(mining.Interval.Duration-age, 0)}
	}
	return nil
}

func keepsFresh(network *v1alpha1.BitcoinNetwork) bool {
	mining := network.Spec.Mining
	return mining == nil || mining.KeepFresh == nil || *mining.KeepFresh
}

func inInitialDownload(seen *observation) bool {
	for _, node := range seen.nodes {
		if node.answers() && node.state.Chain.InitialBlockDownload {
			return true
		}
	}
	return false
}

// mine has a node make a block that is due. It returns the event to tell, if any:
// of a block out of turn, and of a failure when it is not the same as the last.
func (r *Reconciler) mine(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *observation, due *block, memory *memory) []event {
	address := ""
	if network.Spec.Mining != nil {
		address = network.Spec.Mining.Address
	}
	node := &seen.nodes[due.node]
	err := seen.rpc.Mine(ctx, seen.endpoint(node), address)
	problem := ""
	if err != nil {
		problem = bitcoind.Explain(err)
		ctrl.LoggerFrom(ctx).Info("could not mine a block", "pod", node.pod.Name, "problem", problem)
	}
	before := memory.miningProblem
	memory.miningProblem = problem
	switch {
	case problem != "" && problem != before:
		return []event{{corev1.EventTypeWarning, "MiningFailed",
			fmt.Sprintf("%s could not mine a block: %s", resources.PodName(network, due.node), problem)}}
	case problem == "" && due.why != "":
		return []event{{corev1.EventTypeNormal, "Mined", fmt.Sprintf(
			"%s mined a block, since %s and nodes in initial download relay nothing", resources.PodName(network, due.node), due.why)}}
	default:
		return nil
	}
}
