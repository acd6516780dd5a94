package fleet

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Explain shows a person what may be wrong in a namespace: the conditions of
// what says how it stands, the pods, and the latest events. What cannot be found
// out it says, too.
func (c *Cluster) Explain(ctx context.Context, w io.Writer, namespace string) {
	fmt.Fprintf(w, "\nConditions in %s:\n", namespace)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, kind := range []schema.GroupVersionKind{GitRepository, Kustomization, SealedSecret, Deployment, BitcoinNetwork} {
		states, err := c.States(ctx, kind, namespace)
		if err != nil {
			fmt.Fprintf(table, "  %v\n", err)
		}
		for _, state := range states {
			for _, condition := range state.Conditions {
				fmt.Fprintf(table, "  %s\t%s=%s\t%s\t%s\n", state.Object, condition.Type, condition.Status, condition.Reason, oneLine(condition.Message))
			}
		}
	}
	_ = table.Flush()

	c.show(ctx, w, "Pods in "+namespace, "get", "pods", "--namespace", namespace, "--output", "wide")
	c.show(ctx, w, "Latest events in "+namespace, "events", "--namespace", namespace)
}

// show prints the end of what kubectl does.
func (c *Cluster) show(ctx context.Context, w io.Writer, title string, args ...string) {
	const most = 15
	printed, err := c.Kubectl(ctx, args...)
	if err != nil {
		printed = err.Error()
	}
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	fmt.Fprintf(w, "\n%s:\n  %s\n", title, strings.Join(lines[max(0, len(lines)-most):], "\n  "))
}

// oneLine is the first line of a message, with commits shortened as git does.
func oneLine(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return commit.ReplaceAllStringFunc(line, func(hash string) string { return hash[:8] })
}

var commit = regexp.MustCompile(`\b[0-9a-f]{40}\b`)
