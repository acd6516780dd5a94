// Command reference writes docs/reference.md: what there is of fields, conditions, events,
// flags and metrics, as the code itself says it. `make generate` runs it.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: reference ROOT FILE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// write writes the reference of the repository at root.
func write(root, file string) error {
	page, err := pageOf(root)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(page), 0o644)
}

const introduction = `<!-- Made by "make generate" from the code. Change that. -->

# Reference

Every field, condition, event, flag and metric, from the code. What to do about a condition or an event:
[troubleshooting](troubleshooting.md). How things are used: [the guide for teams](tenant-guide.md).

`

// pageOf returns the reference of the repository at root.
func pageOf(root string) (string, error) {
	var page strings.Builder
	page.WriteString(introduction)
	networks, errNetworks := fieldsOf(filepath.Join(root, "gitops/crds/bitcoin-operator.github.io_bitcoinnetworks.yaml"))
	requests, errRequests := fieldsOf(filepath.Join(root, "gitops/crds/bitcoin-operator.github.io_bitcoinrequests.yaml"))
	reasons, errReasons := reasonsOf(filepath.Join(root, "api/v1alpha1"))
	flags, errFlags := flagsOf(root)
	metrics, errMetrics := metricsOf()
	if err := errors.Join(errNetworks, errRequests, errReasons, errFlags, errMetrics); err != nil {
		return "", err
	}
	page.WriteString("## BitcoinNetwork\n\n" + fieldTables(networks))
	page.WriteString("## BitcoinRequest\n\n" + fieldTables(requests))
	page.WriteString("## Conditions and events\n\n" + reasonTables(reasons))
	page.WriteString("## Flags of the operator\n\n" + flagTable(flags))
	page.WriteString("## Metrics\n\n" + metricTable(metrics))
	return strings.TrimSpace(page.String()) + "\n", nil
}

// table returns a table of Markdown.
func table(header []string, rows [][]string) string {
	var text strings.Builder
	line := func(cells []string) { text.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(header)
	text.WriteString(strings.Repeat("|---", len(header)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	return text.String() + "\n"
}

// inCell returns a text as it can stand in a cell of a table.
func inCell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(strings.Join(strings.Fields(text), " "))
}
