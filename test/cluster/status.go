package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/components"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/process"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/say"
)

// status shows what runs, and fails unless all of it is healthy.
func status(ctx context.Context, c clone.Clone) error {
	all, err := process.Find()
	if err != nil {
		return err
	}
	ours, specs := process.Of(all, c.Dir), components.Specs(c)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "PROGRAM\tPROCESS\tUP FOR\tADDRESS")
	for _, name := range components.All {
		if p, runs := process.Named(ours, name); runs {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", name, p.PID, say.Rounded(time.Since(p.Started)), specs[name].Address)
		} else {
			fmt.Fprintf(w, "%s\t-\t-\t\n", name)
		}
	}
	fmt.Fprintf(w, "\nkubeconfig\t%s\n", c.Kubeconfig())
	fmt.Fprintf(w, "programs\t%s\n", c.Local("bin"))
	fmt.Fprintf(w, "Git\thttp://%s/NAME.git (make one: cluster repo NAME)\n", network.Git)
	fmt.Fprintf(w, "logs\t%s\n", c.Local("log"))
	if err := w.Flush(); err != nil {
		return err
	}
	if err := healthy(ctx, c); err != nil {
		return fmt.Errorf("the cluster is not up: %w", err)
	}
	fmt.Println("\nThe cluster is up.")
	return nil
}
