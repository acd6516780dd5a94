package btcnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain"
)

// errUnhealthy ends the command with the exit code Unhealthy. What is wrong is printed.
var errUnhealthy = errors.New("not healthy")

func newStatus(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	var everywhere bool
	var output string
	cmd := &cobra.Command{
		Use:   "status [NETWORK]",
		Short: "Show the state of networks, why, since when, and what to do next",
		Long: `Follow the chain of causes from the commit to the nodes, and show what is wrong, since
when, and what to do next. It needs the rights of the Role people; what you may not
read is named and left out.

The exit code is 0 if all is well, 2 if it is not, and 1 if that could not be determined.`,
		Example: `  # All networks of the namespace
  kubectl btcnet status -n team-a

  # One of them, in full
  kubectl btcnet status payments -n team-a

  # For a script
  kubectl btcnet status payments -n team-a -o json | jq -r '.networks[].findings[] | select(.level == "Problem").message'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cluster.completeNetworks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "" && output != "json" {
				return fmt.Errorf("-o %s is not known: use json", output)
			}
			if everywhere && len(args) > 0 {
				return errors.New("name a network, or use -A for all, but not both")
			}
			reports, err := explainAll(cmd.Context(), cluster, everywhere, args)
			if err != nil {
				return err
			}
			if output == "json" {
				err = printJSON(streams.Out, reports)
			} else {
				err = printReports(terminal(streams.Out), reports, time.Now())
			}
			if err == nil && slices.ContainsFunc(reports, isUnhealthy) {
				return errUnhealthy
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "all networks that you may see in all namespaces")
	cmd.Flags().StringVarP(&output, "output", "o", "", "json; by default text")
	return cmd
}

func isUnhealthy(report explain.Report) bool { return !report.Healthy }

// explainAll explains the networks that were asked for.
func explainAll(ctx context.Context, cluster cluster, everywhere bool, names []string) ([]explain.Report, error) {
	api, err := cluster.api()
	if err != nil {
		return nil, err
	}
	namespaces, err := namespacesOf(ctx, cluster, api, everywhere)
	if err != nil {
		return nil, err
	}
	var reports []explain.Report
	for _, namespace := range namespaces {
		seen, err := look(ctx, api, namespace)
		if err != nil {
			return nil, err
		}
		wanted := names
		if len(names) == 0 {
			wanted = namesIn(seen)
		}
		for _, name := range wanted {
			reports = append(reports, explain.Network(seen, name))
		}
	}
	return reports, nil
}

// namespacesOf returns those whose networks were asked for.
func namespacesOf(ctx context.Context, cluster cluster, api client.Reader, everywhere bool) ([]string, error) {
	if !everywhere {
		namespace, err := cluster.namespace()
		return []string{namespace}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var networks v1alpha1.BitcoinNetworkList
	if err := api.List(ctx, &networks); err != nil {
		return nil, fmt.Errorf("list the networks of all namespaces (with -n NAMESPACE, the Role people of that one is enough): %w", err)
	}
	var namespaces []string
	for _, network := range networks.Items {
		namespaces = append(namespaces, network.Namespace)
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces), nil
}

// namesIn returns the names of the networks of a namespace; of one that has none, the
// empty name, under which it is explained why.
func namesIn(seen *explain.Namespace) []string {
	if len(seen.Networks) == 0 {
		return []string{""}
	}
	var names []string
	for _, network := range seen.Networks {
		names = append(names, network.Name)
	}
	slices.SortFunc(names, strings.Compare)
	return names
}

// printJSON prints reports for programs: docs/kubectl-btcnet.md says what is in it.
func printJSON(out io.Writer, reports []explain.Report) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		Healthy  bool             `json:"healthy"`
		Networks []explain.Report `json:"networks"`
	}{!slices.ContainsFunc(reports, isUnhealthy), append([]explain.Report{}, reports...)})
}
