package btcnet

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/tenants"
)

func newTenant(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	command := &cobra.Command{Use: "tenant", Short: "Add teams to the fleet repository, check them, and remove them"}
	var at trees
	command.PersistentFlags().StringVar(&at.fleet, "fleet", ".", "the working tree of the fleet repository")
	command.PersistentFlags().StringVar(&at.release, "release", "", "a folder with the unpacked manifests of the release that the fleet repository refers to")
	command.AddCommand(newTenantCreate(cluster, streams, &at), newTenantCheck(cluster, streams, &at), newTenantRemove(cluster, streams, &at))
	return command
}

// trees are the folders that tenant reads.
type trees struct{ fleet, release string }

// clusterFor returns the one cluster of the fleet repository that is meant.
func clusterFor(fleet *tenants.Fleet, named string) (string, error) {
	clusters, err := fleet.Clusters()
	switch {
	case err != nil:
		return "", err
	case named != "" && !slices.Contains(clusters, named):
		return "", fmt.Errorf("there is no cluster %s in gitops/clusters; there are: %s", named, strings.Join(clusters, ", "))
	case named != "":
		return named, nil
	case len(clusters) == 1:
		return clusters[0], nil
	}
	return "", fmt.Errorf("gitops/clusters has several clusters: choose one with --in: %s", strings.Join(clusters, ", "))
}

// checking is what the flags of tenant check say.
type checking struct {
	cluster cluster
	out     io.Writer
	fleet   *tenants.Fleet
	live    bool
	in      string
}

func newTenantCheck(cluster cluster, streams genericiooptions.IOStreams, at *trees) *cobra.Command {
	c := &checking{cluster: cluster, out: streams.Out}
	command := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Show how teams' folders differ from what create would write",
		Long: `Show how teams' folders differ from what create would write, and what is wrong
with them: keys that nothing reads, a repository or people that two teams
share, what does not build. With --live, also show where their objects in the
cluster differ from the repository, found by dry runs at the API server.

The exit code is 2 if something is wrong.`,
		Example: `  kubectl btcnet tenant check
  kubectl btcnet tenant check team-c --live --in production`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, teams []string) (err error) {
			if c.fleet, err = tenants.Read(at.fleet, at.release); err != nil {
				return err
			}
			if len(teams) == 0 {
				if teams, err = c.fleet.Teams(); err != nil {
					return err
				}
			}
			return c.run(command.Context(), teams)
		},
	}
	command.Flags().BoolVar(&c.live, "live", false, "also check the objects in the cluster")
	command.Flags().StringVar(&c.in, "in", "", "the folder of gitops/clusters for the cluster of --live")
	return command
}

func (c *checking) run(ctx context.Context, teams []string) error {
	wrong := false
	for _, team := range teams {
		found, err := c.check(ctx, team)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.out, team)
		if len(found) == 0 {
			fmt.Fprintln(c.out, "  as create would write it")
		}
		for _, finding := range found {
			mark := "·"
			if finding.Wrong {
				mark, wrong = "✗", true
			}
			fmt.Fprintf(c.out, "  %s %s\n", mark, finding.Text)
		}
	}
	if wrong {
		return errUnhealthy
	}
	return nil
}

func (c *checking) check(ctx context.Context, team string) ([]tenants.Finding, error) {
	found, err := c.fleet.Check(team)
	if err != nil || !c.live {
		return found, err
	}
	in, err := clusterFor(c.fleet, c.in)
	if err != nil {
		return nil, err
	}
	api, err := c.cluster.api()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*callTimeout) // for many calls
	defer cancel()
	drift, err := c.fleet.Drift(ctx, api, in, team)
	return append(found, drift...), err
}
