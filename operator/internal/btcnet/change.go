package btcnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/spf13/cobra"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain"
)

// changer changes the few fields of a network that are for people, and tells what
// becomes of it.
type changer struct {
	cluster cluster
	streams genericiooptions.IOStreams
	wait    bool
	timeout time.Duration
}

// change is one of a network.
type change struct {
	// field is what is changed, for people, and commit what they would commit to have it
	// stay; empty where there is nothing to commit.
	field, commit string
	// patch is the change itself.
	patch map[string]any
	// done reports whether the operator has done it. An error says that it will not be.
	done func(*v1alpha1.BitcoinNetwork) (bool, error)
}

func newLook(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	return newChanger(cluster, streams, &cobra.Command{
		Use:     "look NETWORK",
		Short:   "Make the operator check a network now",
		Example: "  kubectl btcnet look payments -n team-a",
		Args:    cobra.ExactArgs(1),
	}, func([]string) (change, error) {
		now := time.Now().UTC().Format(time.RFC3339Nano)
		return change{
			patch: map[string]any{"metadata": map[string]any{"annotations": map[string]any{meta.ReconcileRequestAnnotation: now}}},
			done:  func(n *v1alpha1.BitcoinNetwork) (bool, error) { return n.Status.LastHandledReconcileAt == now, nil },
		}, nil
	})
}

func newSuspend(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	return newChanger(cluster, streams, &cobra.Command{
		Use:     "suspend NETWORK",
		Short:   "Stop the operator from changing a network",
		Long:    "Stop the operator from changing a network. Its nodes run on, and the operator still\nreports what it sees.",
		Example: "  kubectl btcnet suspend payments -n team-a",
		Args:    cobra.ExactArgs(1),
	}, func([]string) (change, error) { return suspension(true), nil })
}

func newResume(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	return newChanger(cluster, streams, &cobra.Command{
		Use:     "resume NETWORK",
		Short:   "Let the operator manage a network again",
		Example: "  kubectl btcnet resume payments -n team-a",
		Args:    cobra.ExactArgs(1),
	}, func([]string) (change, error) { return suspension(false), nil })
}

func suspension(suspend bool) change {
	return change{
		field: "spec.suspend", commit: fmt.Sprintf("spec.suspend: %t", suspend),
		patch: map[string]any{"spec": map[string]any{"suspend": suspend}},
		done: func(n *v1alpha1.BitcoinNetwork) (bool, error) {
			if n.Spec.Suspend != suspend {
				return false, errTakenBack
			}
			return n.Status.ObservedGeneration >= n.Generation, nil
		},
	}
}

func newScale(cluster cluster, streams genericiooptions.IOStreams) *cobra.Command {
	return newChanger(cluster, streams, &cobra.Command{
		Use:   "scale NETWORK N",
		Short: "Change how many nodes a network has, and wait until they serve",
		Long: `Change how many nodes a network has, and wait until they serve. 0 parks it: without
storage its chain goes with the last node.`,
		Example: "  kubectl btcnet scale payments 5 -n team-a",
		Args:    cobra.ExactArgs(2),
	}, func(args []string) (change, error) {
		nodes, err := strconv.ParseInt(args[1], 10, 32)
		if err != nil {
			return change{}, fmt.Errorf("how many nodes: %w", err)
		}
		return scaling(int32(nodes)), nil
	})
}

func scaling(nodes int32) change {
	return change{
		field: "spec.nodes", commit: fmt.Sprintf("spec.nodes: %d", nodes),
		patch: map[string]any{"spec": map[string]any{"nodes": nodes}},
		done: func(n *v1alpha1.BitcoinNetwork) (bool, error) {
			switch {
			case n.Spec.Nodes != nodes:
				return false, errTakenBack
			case n.Status.ObservedGeneration < n.Generation:
				return false, nil
			case apimeta.IsStatusConditionTrue(n.Status.Conditions, meta.StalledCondition):
				return false, errors.New("it waits for somebody to act: " + messageOf(n.Status.Conditions))
			default:
				return apimeta.IsStatusConditionTrue(n.Status.Conditions, meta.ReadyCondition), nil
			}
		},
	}
}

// errTakenBack is that somebody has changed it again meanwhile.
var errTakenBack = errors.New("it has been changed again since, for example by Flux, which applies what is in Git")

// newChanger completes a command that changes the network that its first argument names.
func newChanger(cluster cluster, streams genericiooptions.IOStreams, cmd *cobra.Command, of func(args []string) (change, error)) *cobra.Command {
	changer := &changer{cluster: cluster, streams: streams}
	cmd.ValidArgsFunction = cluster.completeNetworks
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		change, err := of(args)
		if err != nil {
			return err
		}
		return changer.apply(cmd.Context(), args[0], change)
	}
	cmd.Flags().BoolVar(&changer.wait, "wait", true, "wait until the operator has answered")
	cmd.Flags().DurationVar(&changer.timeout, "timeout", 5*time.Minute, "how long to wait")
	return cmd
}

// apply makes a change, and tells what the network then says of itself.
func (c *changer) apply(ctx context.Context, name string, change change) error {
	api, err := c.cluster.api()
	if err != nil {
		return err
	}
	network, err := c.cluster.network(ctx, api, name)
	if err != nil {
		return err
	}
	if err := patch(ctx, api, network, change.patch); err != nil {
		return err
	}
	if change.commit != "" && explain.FluxPutsBack(network) {
		fmt.Fprintf(c.streams.ErrOut, "Flux restores %s from Git when it next applies it, within minutes.\nTo keep the change, commit it: %s\n", change.field, change.commit)
	}
	if !c.wait {
		return nil
	}
	waiting, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("it took longer than %s", c.timeout))
	defer cancel()
	last := ""
	err = await(waiting, api, network, &v1alpha1.BitcoinNetworkList{}, func(now *v1alpha1.BitcoinNetwork) (bool, error) {
		done, err := change.done(now)
		network = now
		if err == nil && !done && now.Status.ObservedGeneration >= now.Generation {
			last = tell(c.streams.ErrOut, last, messageOf(now.Status.Conditions))
		}
		return done, err
	})
	if err != nil {
		return fmt.Errorf("wait for network %s/%s: %w; kubectl btcnet status %s -n %s says more", network.Namespace, name, err, name, network.Namespace)
	}
	fmt.Fprintln(c.streams.Out, messageOf(network.Status.Conditions))
	return nil
}

// patch changes a network, which then is as it was answered.
func patch(ctx context.Context, api client.Client, network *v1alpha1.BitcoinNetwork, change map[string]any) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := api.Patch(ctx, network, client.RawPatch(types.MergePatchType, body), client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("change network %s/%s: %w", network.Namespace, network.Name, err)
	}
	return nil
}
