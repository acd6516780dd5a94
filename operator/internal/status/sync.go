package status

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// maxBehind bounds how many of the nodes that are behind the status lists.
const maxBehind = 16

// reportSync says how far the nodes are that copy the chain.
func reportSync(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	before := network.Status.Sync
	sync := &v1alpha1.SyncStatus{Nodes: int32(seen.Wanted)}
	for _, node := range seen.WantedNodes() {
		if seen.SyncOf(node) == state.Synced {
			sync.Synced++
		}
		if node.IsTold() {
			height := int64(node.State.Chain.Blocks)
			sync.LowestHeight = new(min(height, ptr.Deref(sync.LowestHeight, height)))
			sync.HighestHeight = new(max(height, ptr.Deref(sync.HighestHeight, height)))
		}
	}
	sync.Summary = ratio(int(sync.Synced), seen.Wanted)
	behind := seen.Behind()
	for _, ordinal := range behind[:min(len(behind), maxBehind)] {
		chain := seen.Nodes[ordinal].State.Chain
		sync.Behind = append(sync.Behind, v1alpha1.NodeSyncStatus{
			Name: state.Name(network, ordinal), Height: int64(chain.Blocks), Headers: int64(chain.Headers), Progress: percent(seen.Part(seen.Nodes[ordinal])),
		})
	}
	switch isBehind, wasBehind := seen.IsAnyBehind(), before != nil && before.BehindSince != nil; {
	case wasBehind && (isBehind || seen.MayAnyBeBehind()):
		sync.BehindSince = before.BehindSince
	case isBehind:
		sync.BehindSince = new(metav1.NewTime(seen.Now.Truncate(time.Second)))
	}
	if remaining, known := seen.Remaining(); known {
		sync.EstimatedAt = new(metav1.NewTime(seen.Now.Add(remaining).Truncate(time.Second)))
	}
	network.Status.Sync = sync
}

// percent says a part as "43.21%". All of it is not said before it is so.
func percent(part float64) string {
	return fmt.Sprintf("%.2f%%", math.Floor(part*10_000)/100)
}

func setSynced(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	condition := synced(network, seen)
	condition.Type = v1alpha1.SyncedCondition
	conditions.Set(network, &condition)
}

// synced returns the condition Synced: its reason is the worst that there is to say of a
// node.
func synced(network *v1alpha1.BitcoinNetwork, seen *state.Network) metav1.Condition {
	var worst state.Sync
	var silent []int
	isTold := false
	for ordinal, node := range seen.WantedNodes() {
		isTold = isTold || node.IsTold()
		sync := seen.SyncOf(node)
		worst = max(worst, sync)
		if sync == state.Untold {
			silent = append(silent, ordinal)
		}
	}
	summary := fmt.Sprintf("%d of %s synced", network.Status.Sync.Synced, are(seen.Wanted, "node"))
	condition := metav1.Condition{Status: metav1.ConditionFalse, Message: summary + "; " + list(behindTexts(network, seen))}
	switch {
	case !isTold && worst != state.Synced || seen.Wanted == 0:
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.NoNodesReason, Message: "no node answers"}
	case worst == state.Synced:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.SyncedReason, Message: are(seen.Wanted, "node") + " synced"}
	case worst == state.Untold:
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.NodesNotReadyReason,
			Message: fmt.Sprintf("%s; %s not answer", summary, do(silent))}
	case worst == state.Downloading:
		condition.Reason = v1alpha1.DownloadingReason
		if at := network.Status.Sync.EstimatedAt; at != nil {
			condition.Message += "; at this pace the last node will be synced at " + at.UTC().Format(time.RFC3339)
		}
	case worst == state.NotCatchingUp:
		condition.Reason = v1alpha1.NotCatchingUpReason
	default:
		condition.Reason = v1alpha1.BlockRejectedReason
	}
	return condition
}

// behindTexts says how far the nodes are that are behind. Of many a few are named, and
// first those that somebody must look after.
func behindTexts(network *v1alpha1.BitcoinNetwork, seen *state.Network) []string {
	behind := seen.Behind()
	slices.SortStableFunc(behind, func(a, b int) int {
		return cmp.Compare(seen.SyncOf(seen.Nodes[b]), seen.SyncOf(seen.Nodes[a]))
	})
	var texts []string
	for _, ordinal := range behind {
		texts = append(texts, state.Name(network, ordinal)+behindText(seen, seen.Nodes[ordinal]))
	}
	return texts
}

// behindText says how far a node is that is behind, and why it does not catch up.
func behindText(seen *state.Network, node state.Node) string {
	text := fmt.Sprintf(": block %d of %d, %s", node.State.Chain.Blocks, seen.Goal(node), percent(seen.Part(node)))
	switch seen.SyncOf(node) {
	case state.RejectsBlock:
		return text + fmt.Sprintf("; it considers block %d %s invalid, which other nodes have: the platform team can have it checked again with bitcoin-cli reconsiderblock; if the node rejects it again, it follows different rules",
			node.Invalid.Height, node.Invalid.Hash)
	case state.NotCatchingUp:
		return text + ", with no progress since " + node.StalledSince.UTC().Format(time.RFC3339)
	default:
		return text
	}
}

// are says "1 node is" or "3 nodes are".
func are(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " is"
	}
	return count(n, noun) + " are"
}

// do says "node 1 does" or "nodes 0, 2 do".
func do(ordinals []int) string {
	if len(ordinals) == 1 {
		return listNodes(ordinals) + " does"
	}
	return listNodes(ordinals) + " do"
}

// maxWarnings bounds how many warnings the status has.
const maxWarnings = 5

// warningsOf returns what nodes warn of, each once, with those that do.
func warningsOf(seen *state.Network) []string {
	by := map[string][]int{}
	var order, texts []string
	for ordinal, node := range seen.WantedNodes() {
		for _, warning := range node.State.Warnings {
			if by[warning] == nil {
				order = append(order, warning)
			}
			if !slices.Contains(by[warning], ordinal) {
				by[warning] = append(by[warning], ordinal)
			}
		}
	}
	for _, warning := range order[:min(len(order), maxWarnings)] {
		texts = append(texts, listNodes(by[warning])+": "+warning)
	}
	return texts
}
