package status

import (
	"fmt"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// maxListed bounds how many nodes, links or tips a message names.
const maxListed = 5

// ratio says "2/3".
func ratio(part, whole int) string {
	return fmt.Sprintf("%d/%d", part, whole)
}

// count says "1 node" or "3 nodes".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// nodesAnswer says "1 node answers RPC" or "3 nodes answer RPC".
func nodesAnswer(nodes int) string {
	if nodes == 1 {
		return "1 node answers RPC"
	}
	return fmt.Sprintf("%d nodes answer RPC", nodes)
}

// list joins the first few items and says how many more there are.
func list(items []string) string {
	if more := len(items) - maxListed; more > 0 {
		return fmt.Sprintf("%s; and %d more", strings.Join(items[:maxListed], "; "), more)
	}
	return strings.Join(items, "; ")
}

// listLinks says "2→0; 2→1".
func listLinks(links []peering.Link) string {
	var texts []string
	for _, link := range links {
		texts = append(texts, fmt.Sprintf("%d→%d", link.From, link.To))
	}
	return list(texts)
}

// listParts says "nodes 0, 2; node 1".
func listParts(parts [][]int) string {
	var texts []string
	for _, part := range parts {
		texts = append(texts, listNodes(part))
	}
	return list(texts)
}

// listNodes says "node 1" or "nodes 0, 2".
func listNodes(ordinals []int) string {
	if len(ordinals) == 1 {
		return fmt.Sprintf("node %d", ordinals[0])
	}
	var texts []string
	for _, ordinal := range ordinals {
		texts = append(texts, fmt.Sprint(ordinal))
	}
	if len(texts) > 2*maxListed {
		texts = append(texts[:2*maxListed], fmt.Sprintf("… (%d in all)", len(ordinals)))
	}
	return "nodes " + strings.Join(texts, ", ")
}

// tipText says where a tip is and who is there.
func tipText(tip state.Tip) string {
	return fmt.Sprintf("height %d (%.12s…): %s", tip.Height, tip.Hash, listNodes(tip.Nodes))
}

// onTips counts the nodes that are at tips.
func onTips(tips []state.Tip) int {
	nodes := 0
	for _, tip := range tips {
		nodes += len(tip.Nodes)
	}
	return nodes
}

// bestText says which block is the best.
func bestText(best *state.Block) string {
	if best == nil {
		return "block 0"
	}
	return best.String()
}

// allLinks says that every link is connected.
func allLinks(planned int) string {
	if planned == 1 {
		return "the planned link is connected"
	}
	return fmt.Sprintf("all %d planned links are connected", planned)
}
