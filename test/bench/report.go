package main

import (
	"fmt"
	"math"
	"strings"
)

// report tells a run's results as Markdown.
func report(r results) string {
	var text strings.Builder
	text.WriteString("### Against the budgets\n\n")
	text.WriteString(budgetTable(judge(r)))
	text.WriteString(openList())
	if len(r.FullMesh) > 0 {
		text.WriteString("\n### Beside the algorithm of 2019\n\n")
		text.WriteString(meshTable(r))
	}
	text.WriteString("\n### All windows\n\n")
	text.WriteString(windowTable(r.Windows))
	if r.Tenants != nil {
		text.WriteString("\n### Tenants\n\n")
		text.WriteString(tenantTable(*r.Tenants))
	}
	fmt.Fprintf(&text, "\nThe operator's program has %.1f MB.\n", float64(r.Binary)/megabyte)
	return text.String()
}

func budgetTable(verdicts []verdict) string {
	rows := [][]string{{"what", "nodes", "measured", "budget", "unit", ""}}
	for _, v := range verdicts {
		nodes := ""
		if v.nodes > 0 {
			nodes = fmt.Sprint(v.nodes)
		}
		kept := "met"
		if !v.isMet() {
			kept = fmt.Sprintf("**missed by %s**", number(v.measured-v.limit))
		}
		if known := v.known(); known != nil {
			kept += ", open, held to " + number(known.held)
		}
		rows = append(rows, []string{v.what, nodes, number(v.measured), number(v.limit), v.unit, kept})
	}
	return table(rows)
}

// openList says why counts miss their budgets that are known to.
func openList() string {
	if len(open) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("\nOpen:\n\n")
	for _, m := range open {
		fmt.Fprintf(&text, "- %s, %s: %s.\n", verdict{what: m.what, nodes: m.nodes}.subject(), m.unit, m.why)
	}
	return text.String()
}

func windowTable(windows []window) string {
	rows := [][]string{{
		"nodes", "what", "s", "RPC requests", "connections", "status writes", "kB of these", "API requests", "of these leases",
		"links s", "ready s", "status s", "others p95 s", "CPU s", "allocated MB", "resident MiB", "anonymous", "peak",
	}}
	for _, w := range windows {
		rows = append(rows, []string{
			fmt.Sprint(w.Nodes), w.What, number(w.Seconds), fmt.Sprint(w.Requests), fmt.Sprint(w.Connections),
			fmt.Sprint(w.StatusWrites), number(float64(w.StatusBytes) / kilobyte), fmt.Sprint(w.APIRequests), fmt.Sprint(w.Leases),
			optional(w.Links), optional(w.Ready), optional(w.Status), optional(w.Others),
			number(w.CPU), number(float64(w.Allocated) / megabyte), number(w.Resident), number(w.Anonymous), number(w.Peak),
		})
	}
	return table(rows)
}

func meshTable(r results) string {
	rows := [][]string{{"nodes", "what", "RPC requests", "2019", "links s", "2019", "its last request s", "its pairs linked"}}
	for _, m := range r.FullMesh {
		ours := r.of(m.Nodes, m.What)
		if len(ours) == 0 {
			continue
		}
		requests, _ := typical(m.What, func(w window) float64 { return float64(w.Requests) })(r, m.Nodes)
		links, _ := typical(m.What, func(w window) float64 { return *w.Links })(r, m.Nodes)
		rows = append(rows, []string{
			fmt.Sprint(m.Nodes), m.What, number(requests), fmt.Sprint(m.Requests), number(links), number(m.Links), number(m.Rests),
			fmt.Sprintf("%d of %d", m.Pairs, m.Nodes*(m.Nodes-1)/2),
		})
	}
	return table(rows)
}

func tenantTable(t tenants) string {
	return table([][]string{
		{"operators", "s", "cores", "proportional MiB", "resident MiB", "API requests", "of these leases", "status writes", "RPC requests"},
		{
			fmt.Sprint(t.Operators), number(t.Seconds), number(t.Cores), number(t.Proportional), number(t.Resident),
			fmt.Sprint(t.APIRequests), fmt.Sprint(t.Leases), fmt.Sprint(t.StatusWrites), fmt.Sprint(t.NodesRequests),
		},
	})
}

// table writes rows as Markdown, the first as the head.
func table(rows [][]string) string {
	var text strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&text, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	return text.String()
}

// number writes a value with as many digits as say something.
func number(value float64) string {
	switch value = math.Round(value*1000) / 1000; {
	case value == math.Trunc(value):
		return fmt.Sprintf("%.0f", value)
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2g", value)
	}
}

func optional(value *float64) string {
	if value == nil {
		return ""
	}
	return number(*value)
}

// The lines of a document between which the report is.
const (
	reportBegins = "<!-- What `make bench RECORD=1` writes begins here. -->\n"
	reportEnds   = "<!-- It ends here. -->\n"
)

// insert puts a report into a document in the place of the one that is there.
func insert(document, report string) (string, error) {
	before, rest, begins := strings.Cut(document, reportBegins)
	_, after, ends := strings.Cut(rest, reportEnds)
	if !begins || !ends {
		return "", fmt.Errorf("the document has no place for the report, between %q and %q", reportBegins, reportEnds)
	}
	return before + reportBegins + "\n" + report + "\n" + reportEnds + after, nil
}
