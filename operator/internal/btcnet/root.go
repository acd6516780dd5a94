// Package btcnet is the command kubectl btcnet: its subcommands, a file each, their flags
// and what they print. What they decide is in packages of its own.
package btcnet

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
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
	root := newCommand(streams)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(streams.ErrOut, "error:", err)
		return Failed
	}
	return Healthy
}

// newCommand returns the root of the commands.
func newCommand(streams genericiooptions.IOStreams) *cobra.Command {
	cluster := genericclioptions.NewConfigFlags(true)
	root := &cobra.Command{
		Use:           "kubectl-btcnet",
		Short:         "See how Bitcoin networks stand, and work with them",
		SilenceUsage:  true,
		SilenceErrors: true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl btcnet"},
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	cluster.AddFlags(root.PersistentFlags())
	return root
}
