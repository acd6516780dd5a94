package request

import (
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// Wait takes note that a request waits, for what a message says.
func Wait(request *v1alpha1.BitcoinRequest, message string, now time.Time) {
	if request.Status.WaitsSince == nil {
		request.Status.WaitsSince = new(metav1.NewTime(now))
	}
	proceed(request, v1alpha1.RequestPending, message)
}

// Start takes note that a node is about to be told.
func Start(request *v1alpha1.BitcoinRequest, decision Decision, now time.Time) {
	request.Status.Start = &v1alpha1.RequestStart{
		At: metav1.NewTime(now), Node: int32(decision.Node), Height: decision.Tip.Height, Hash: decision.Tip.Hash,
	}
	proceed(request, v1alpha1.RequestStarted, "sending the request to "+nodeOf(request))
}

// Refuse takes note that nothing will be done, and why.
func Refuse(request *v1alpha1.BitcoinRequest, message string, now time.Time) {
	finish(request, v1alpha1.RequestRefused, message, now)
}

// Mined takes note of the blocks that were asked for.
func Mined(request *v1alpha1.BitcoinRequest, first, last string, now time.Time) {
	count := request.Spec.Mine.Count
	request.Status.Blocks = &v1alpha1.RequestBlocks{Count: count, First: first, Last: last}
	finish(request, v1alpha1.RequestSucceeded, fmt.Sprintf("%s mined %s, up to %s",
		nodeOf(request), blocks(count), block(request.Status.Start.Height+int64(count), last)), now)
}

// Trace is what a node's chain has where a request for blocks was started.
type Trace struct {
	// Base, First and Last are the hashes of the block from which it was, of the one on
	// that, and of the last that was asked for; empty where the chain does not reach.
	Base, First, Last string
	// Height and Tip are the end of the chain.
	Height int64
	Tip    string
}

// NotMined takes note that a node said that it could not mine, and of the blocks that it
// has mined all the same.
func NotMined(request *v1alpha1.BitcoinRequest, problem string, trace Trace, now time.Time) {
	mined := takeBlocks(request, trace)
	finish(request, v1alpha1.RequestFailed, fmt.Sprintf("%s mined %d of %s: %s",
		nodeOf(request), mined, blocks(request.Spec.Mine.Count), problem), now)
}

// LookUp finds out what has become of a request for blocks that was started, of whose
// answer nobody knows: its node may have mined all, or be about it still. Nobody is told
// again. It reports whether the request has come to its end.
func LookUp(request *v1alpha1.BitcoinRequest, trace Trace, now time.Time) (finished bool) {
	start := request.Status.Start
	switch {
	case trace.Base != start.Hash:
		Lost(request, fmt.Sprintf("%s, on which they were to be mined, is no longer in the chain", block(start.Height, start.Hash)), now)
	case trace.Last != "":
		Mined(request, trace.First, trace.Last, now)
	case now.Sub(start.At.Time) < Patience:
		return false
	default:
		above := takeBlocks(request, trace)
		Lost(request, fmt.Sprintf("%d of %s were found above %s", above, blocks(request.Spec.Mine.Count), block(start.Height, start.Hash)), now)
	}
	return true
}

// Lost takes note that nobody knows what has become of a request.
func Lost(request *v1alpha1.BitcoinRequest, why string, now time.Time) {
	finish(request, v1alpha1.RequestUnknown,
		fmt.Sprintf("the request was sent to %s, but its outcome is unknown: %s; it is not sent again", nodeOf(request), why), now)
}

// takeBlocks takes note of the blocks above the one from which a request was started,
// and returns how many there are.
func takeBlocks(request *v1alpha1.BitcoinRequest, trace Trace) int32 {
	above := trace.Height - request.Status.Start.Height
	if trace.First == "" || above <= 0 || trace.Base != request.Status.Start.Hash {
		return 0
	}
	count := int32(min(above, int64(request.Spec.Mine.Count)))
	request.Status.Blocks = &v1alpha1.RequestBlocks{Count: count, First: trace.First, Last: trace.Tip}
	return count
}

// proceed takes note that a request is under way.
func proceed(request *v1alpha1.BitcoinRequest, phase v1alpha1.RequestPhase, message string) {
	enter(request, phase)
	conditions.MarkReconciling(request, meta.ProgressingReason, "%s", message)
	conditions.MarkUnknown(request, meta.ReadyCondition, string(phase), "%s", message)
}

// finish takes note that a request has come as far as it will.
func finish(request *v1alpha1.BitcoinRequest, phase v1alpha1.RequestPhase, message string, now time.Time) {
	enter(request, phase)
	request.Status.FinishedAt = new(metav1.NewTime(now))
	conditions.Delete(request, meta.ReconcilingCondition)
	if phase == v1alpha1.RequestSucceeded {
		conditions.MarkTrue(request, meta.ReadyCondition, string(phase), "%s", message)
		return
	}
	conditions.MarkStalled(request, string(phase), "%s", message)
	conditions.MarkFalse(request, meta.ReadyCondition, string(phase), "%s", message)
}

func enter(request *v1alpha1.BitcoinRequest, phase v1alpha1.RequestPhase) {
	request.Status.ObservedGeneration, request.Status.Phase = request.Generation, phase
	if phase != v1alpha1.RequestPending {
		request.Status.WaitsSince = nil
	}
}

// nodeOf names the node that was told.
func nodeOf(request *v1alpha1.BitcoinRequest) string {
	network := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Name: request.Spec.Network}}
	return resources.PodName(network, int(request.Status.Start.Node))
}

func blocks(count int32) string {
	if count == 1 {
		return "1 block"
	}
	return fmt.Sprintf("%d blocks", count)
}

func block(height int64, hash string) string { return fmt.Sprintf("block %d (%.12s…)", height, hash) }
