// Demo shows the whole way on the local cluster, from what two teams commit to
// Git to blocks that their networks pass on, and checks every step. It keeps what
// is there already, so running it again is quick.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

const introduction = `What happens now, on the local cluster:

  1. The platform team pushes the fleet's repository, gitops/ and tenants/ of this
     working tree, and tells Flux of it. Flux installs sealed-secrets, the CRD and
     two tenants: each a namespace with an operator of its own.
  2. The teams team-a and team-b each seal credentials that nobody else has seen,
     and push them beside a BitcoinNetwork to their own repository.
  3. Flux applies that, the Secrets are unsealed, and the operators start the nodes
     and connect them.
  4. The nodes are asked for their connections, and a block is mined in each network.

`

func run(ctx context.Context) error {
	cluster, err := fleet.Open(".")
	if err != nil {
		return err
	}
	fmt.Print(introduction)
	d := &demo{
		cluster:  cluster,
		progress: newProgress(os.Stdout, isTerminal(os.Stdout)),
		commits:  map[string]string{},
	}
	for _, step := range []func(context.Context) error{
		d.clone, d.pushFleet, d.pushTeams, d.checkConnections, d.mineBlocks, d.summarize,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
