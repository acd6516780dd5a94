package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// summarize shows what there is now, and how to look further.
func (d *demo) summarize(ctx context.Context) error {
	kustomizations, err := d.cluster.States(ctx, fleet.Kustomization, "")
	if err != nil {
		return err
	}
	networks, err := d.cluster.Kubectl(ctx, "get", "bitcoinnetworks", "--all-namespaces")
	if err != nil {
		return err
	}
	var nodes [][]string
	for i, network := range d.networks {
		// As they are now, not when they were listed.
		if d.networks[i], err = d.cluster.Network(ctx, network.Namespace, network.Name); err != nil {
			return err
		}
		connections, err := network.Connections(ctx)
		if err != nil {
			return err
		}
		heights, err := network.Heights(ctx)
		if err != nil {
			return err
		}
		nodes = append(nodes, nodeRows(d.networks[i], connections, heights)...)
	}

	out := os.Stdout
	fmt.Fprintln(out, "\nFlux's Kustomizations")
	table(out, []string{"NAMESPACE", "NAME", "READY", "REVISION"}, kustomizationRows(kustomizations))
	fmt.Fprintln(out, "\nNetworks (HEIGHT is written once a minute)")
	fmt.Fprint(out, indent(networks))
	fmt.Fprintln(out, "\nTheir conditions")
	table(out, append([]string{"NAMESPACE", "NAME"}, conditions...), conditionRows(d.networks))
	fmt.Fprintln(out, "\nNodes, as they themselves report")
	table(out, []string{"NAMESPACE", "POD", "ADDRESS", "DIALS", "DIALLED BY", "BLOCKS"}, nodes)
	fmt.Fprintln(out, d.further())
	return nil
}

func kustomizationRows(states []fleet.State) [][]string {
	var rows [][]string
	for _, s := range states {
		rows = append(rows, []string{s.Object.Namespace, s.Object.Name, status(s.Conditions, "Ready"), shortRevision(s.LastAppliedRevision)})
	}
	return rows
}

// shortRevision shortens Flux's "main@sha1:<commit>" as git does.
func shortRevision(revision string) string {
	const length = 8
	before, commit, found := strings.Cut(revision, ":")
	if !found || len(commit) < length {
		return revision
	}
	return before + ":" + commit[:length]
}

// conditions of a network, in the order in which they become True.
var conditions = []string{
	v1alpha1.CredentialsReadyCondition, v1alpha1.NodesReadyCondition, v1alpha1.PeersConnectedCondition,
	v1alpha1.ChainsAgreeCondition, "Ready",
}

func conditionRows(networks []fleet.Network) [][]string {
	var rows [][]string
	for _, n := range networks {
		row := []string{n.Namespace, n.Name}
		for _, condition := range conditions {
			row = append(row, status(n.Status.Conditions, condition))
		}
		rows = append(rows, row)
	}
	return rows
}

// status is that of a condition, with the reason unless it is True.
func status(all []metav1.Condition, kind string) string {
	condition := meta.FindStatusCondition(all, kind)
	switch {
	case condition == nil:
		return "-"
	case condition.Status == metav1.ConditionTrue:
		return "True"
	default:
		return fmt.Sprintf("%s (%s)", condition.Status, condition.Reason)
	}
}

func nodeRows(network fleet.Network, connections fleet.Connections, heights []int) [][]string {
	addresses := map[int32]string{}
	for _, node := range network.Status.Nodes {
		addresses[node.Ordinal] = node.IP
	}
	var rows [][]string
	for _, node := range network.Nodes {
		rows = append(rows, []string{
			node.Namespace, node.Pod(), addresses[int32(node.Ordinal)],
			ordinals(connections.Dials(node.Ordinal)), ordinals(connections.DialledBy(node.Ordinal)),
			fmt.Sprint(heights[node.Ordinal]),
		})
	}
	return rows
}

func ordinals(all []int) string {
	if len(all) == 0 {
		return "-"
	}
	return strings.Trim(fmt.Sprint(all), "[]")
}

// table writes rows below a header, each column as wide as it must be.
func table(out io.Writer, header []string, rows [][]string) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		fmt.Fprintf(w, "  %s\n", strings.Join(row, "\t"))
	}
	_ = w.Flush()
}

func indent(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		lines.WriteString("  " + line)
	}
	return lines.String()
}

// further tells how to go on.
func (d *demo) further() string {
	team, network := d.teams[0], d.networks[0]
	return fmt.Sprintf(`
To look further:

  export KUBECONFIG=%s PATH=%s:$PATH
  kubectl get kustomizations,bitcoinnetworks --all-namespaces
  kubectl describe bitcoinnetwork %s --namespace %s
  kubectl logs deployment/bitcoin-operator --namespace %s --follow
  kubectl exec %s-0 --namespace %s -- bitcoin-cli getpeerinfo

To change a network, as its team would: edit, commit and push a clone of
%s. 'make demo-down' removes all of it.
`,
		d.cluster.Kubeconfig(), d.cluster.Bin(),
		network.Name, network.Namespace,
		network.Namespace,
		network.Name, network.Namespace,
		team.URL)
}
