package btcnet

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/tenants"
)

// removing is what the flags of tenant remove say.
type removing struct {
	cluster cluster
	out     io.Writer
	trees
	dryRun, offline bool
}

func newTenantRemove(cluster cluster, streams genericiooptions.IOStreams, at *trees) *cobra.Command {
	r := &removing{cluster: cluster, out: streams.Out}
	command := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a team from the fleet repository, or show what would be removed with it",
		Long: `Remove a team's folder and its lines from the fleet repository. You commit the
result; only when that is pushed does Flux remove anything of the team. First
show what in the cluster will be removed, what will stay, and what must be done before.
With --dry-run, only show that and remove nothing.`,
		Example: `  kubectl btcnet tenant remove team-c --dry-run`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			r.trees = *at
			return r.run(command.Context(), args[0])
		},
	}
	command.Flags().BoolVar(&r.dryRun, "dry-run", false, "show what would be removed, and remove nothing")
	command.Flags().BoolVar(&r.offline, "offline", false, "do not ask the cluster what the team has there")
	return command
}

func (r *removing) run(ctx context.Context, team string) error {
	fleet, err := tenants.Read(r.fleet, r.release)
	if err != nil {
		return err
	}
	change, err := fleet.Remove(team)
	if err != nil {
		return err
	}
	if !r.offline {
		api, err := r.cluster.api()
		if err != nil {
			return err
		}
		inventory, err := inventoryOf(ctx, api, team)
		if err != nil {
			return fmt.Errorf("%w; --offline skips asking the cluster", err)
		}
		tellFate(r.out, inventory.Fate())
	}
	done, next := "would be", ""
	if !r.dryRun {
		done, next = "is", "Commit it, and push. The namespace stays: kubectl delete namespace "+team+", when nothing in it is wanted.\n"
		if err := change.Apply(r.fleet); err != nil {
			return err
		}
	}
	for _, name := range change.Removes {
		fmt.Fprintf(r.out, "%s %s removed\n", filepath.Join(r.fleet, name), done)
	}
	for _, name := range slices.Sorted(maps.Keys(change.Writes)) {
		fmt.Fprintf(r.out, "%s %s without its line\n", filepath.Join(r.fleet, name), done)
	}
	fmt.Fprint(r.out, next)
	return nil
}

func tellFate(out io.Writer, fate tenants.Fate) {
	for _, part := range []struct {
		title string
		items []string
	}{{"First", fate.First}, {"Removed", fate.Goes}, {"Stays until the namespace is deleted", fate.Stays}} {
		if len(part.items) > 0 {
			fmt.Fprintf(out, "%s:\n", part.title)
		}
		for _, item := range part.items {
			fmt.Fprintf(out, "  - %s\n", strings.ReplaceAll(item, "\n", "\n    "))
		}
	}
}

// inventoryOf reads what there is of a team.
func inventoryOf(ctx context.Context, api client.Reader, team string) (tenants.Inventory, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*callTimeout) // for many calls
	defer cancel()
	found := tenants.Inventory{Team: team}
	var networks v1alpha1.BitcoinNetworkList
	var sealed sealedsecrets.SealedSecretList
	var claims corev1.PersistentVolumeClaimList
	var deployments appsv1.DeploymentList
	kustomizations := &unstructured.UnstructuredList{}
	kustomizations.SetGroupVersionKind(schema.GroupVersionKind{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: "KustomizationList"})
	for _, list := range []client.ObjectList{&networks, &sealed, &claims, &deployments, kustomizations} {
		if err := api.List(ctx, list, client.InNamespace(team)); err != nil {
			return found, fmt.Errorf("list the objects of team %s: %w", team, err)
		}
	}
	found.Networks, found.Claims = networks.Items, claims.Items
	for _, secret := range sealed.Items {
		found.SealedSecrets = append(found.SealedSecrets, secret.ObjectMeta)
	}
	for _, deployment := range deployments.Items {
		found.OwnFlux = found.OwnFlux || deployment.Name == "kustomize-controller"
	}
	for _, kustomization := range kustomizations.Items {
		if kustomization.GetName() == "networks" {
			found.Suspended, _, _ = unstructured.NestedBool(kustomization.Object, "spec", "suspend")
			found.Committed = committed(kustomization)
		}
	}
	return found, nil
}

// committed are the Secrets and ExternalSecrets that a Kustomization has applied. It says
// so itself: nobody needs the right to list Secrets for that.
func committed(kustomization unstructured.Unstructured) []string {
	entries, _, _ := unstructured.NestedSlice(kustomization.Object, "status", "inventory", "entries")
	var found []string
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		id, _ := fields["id"].(string)
		parts := strings.Split(id, "_") // namespace, name, group and kind
		if len(parts) != 4 {
			continue
		}
		switch parts[3] {
		case "Secret":
			found = append(found, "Secret "+parts[1])
		case "ExternalSecret":
			found = append(found, fmt.Sprintf("ExternalSecret %s, and its Secret", parts[1]))
		}
	}
	return found
}
