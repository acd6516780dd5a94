package controller

import (
	"fmt"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// maxListed bounds how many nodes, links or tips a message names.
const maxListed = 5

// outOf says "2/3".
func outOf(part, whole int) string {
	return fmt.Sprintf("%d/%d", part, whole)
}

// count says "1 node" or "3 nodes".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// answer says "1 node answers RPC" or "3 nodes answer RPC".
func answer(nodes int) string {
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

// listLinks says "2→0, 2→1".
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
