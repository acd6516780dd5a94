// Package btcnet is the command kubectl btcnet: its subcommands, a file each, their flags
// and what they print. What they decide is in packages of its own.
package btcnet

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/version"
)

// Exit codes.
const (
	// Healthy says that all that was asked for is well, or was done.
	Healthy = 0
	// Failed says that the command could not do what it was asked to.
	Failed = 1
	// Unhealthy says that a network is not as it should be.
	Unhealthy = 2
)

// Streams returns those of the process.
func Streams() genericiooptions.IOStreams {
	return genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
}

// Run runs the command with its arguments and returns its exit code.
func Run(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	log.SetLogger(logr.Discard()) // errors are told as they are returned
	root := newCommand(streams)
	root.SetArgs(args)
	switch err := root.ExecuteContext(ctx); {
	case errors.Is(err, errUnhealthy):
		return Unhealthy
	case err != nil:
		fmt.Fprintln(streams.ErrOut, "error:", err)
		return Failed
	default:
		return Healthy
	}
}

// newCommand returns the root of the commands.
func newCommand(streams genericiooptions.IOStreams) *cobra.Command {
	cluster := cluster{genericclioptions.NewConfigFlags(true)}
	cluster.flags.AuthInfoName = nil // its --user is one of the kubeconfig; here users are a network's
	root := &cobra.Command{
		Use:           "kubectl-btcnet",
		Short:         "See the state of Bitcoin networks, and work with them",
		Version:       version.Get().String(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl btcnet"},
	}
	root.SetVersionTemplate("kubectl-btcnet {{.Version}}\n")
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	cluster.flags.AddFlags(root.PersistentFlags())
	root.AddCommand(
		newStatus(cluster, streams),
		newLogs(cluster, streams),
		newMine(cluster, streams),
		newPay(cluster, streams),
		newLook(cluster, streams),
		newSuspend(cluster, streams),
		newResume(cluster, streams),
		newScale(cluster, streams),
		newRPC(cluster, streams),
		newCredentials(cluster, streams),
		newTenant(cluster, streams),
	)
	return root
}

// Flags are the names of the flags of all commands, for whoever documents them.
func Flags() []string {
	var names []string
	collect := func(flag *pflag.Flag) { names = append(names, flag.Name) }
	commands := []*cobra.Command{newCommand(Streams())}
	for len(commands) > 0 {
		command := commands[0]
		command.LocalFlags().VisitAll(collect)
		commands = append(commands[1:], command.Commands()...)
	}
	return names
}
