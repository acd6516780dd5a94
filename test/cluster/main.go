// Cluster runs a real one-node Kubernetes cluster on this machine, from Go
// modules and Debian's packages alone: no image registry, no other machine.
// Its state is in the clone's .local folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
)

const usage = `usage: cluster [-C DIR] COMMAND

  check          say whether this machine can run the cluster
  build [PART…]  make the cluster's programs and images, or some of them
  up             build what is missing and start; on a cluster that is up, do nothing
  status         show what runs and where; succeeds if all of it is healthy
  images         build the project's own images from its Dockerfile, and load them
  load IMAGE BINARY PATH [BINARY PATH]…
                 load an image of static programs, each at that path in it; it runs the
                 first
  monitoring [URL]
                 start Prometheus and Alertmanager in the cluster, with gitops/monitoring;
                 alerts are posted to the URL, as to Slack
  repo NAME…     make empty Git repositories on the cluster's Git server
  down [-purge]  stop, and leave nothing but what was built; with -purge not even that

  -C DIR         the clone of the repository, or a folder in it (default .)
`

func main() {
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	dir := flag.String("C", ".", "")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *dir, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		if errors.Is(err, errUsage) {
			fmt.Fprint(os.Stderr, usage)
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong usage")

func run(ctx context.Context, dir string, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	command, args := args[0], args[1:]
	if command == "help" {
		fmt.Print(usage)
		return nil
	}
	c, err := clone.Find(dir)
	if err != nil {
		return err
	}
	switch {
	case command == "check" && len(args) == 0:
		return check(c)
	case command == "build":
		return build(ctx, c, args)
	case command == "up" && len(args) == 0:
		return up(ctx, c)
	case command == "status" && len(args) == 0:
		return status(ctx, c)
	case command == "images" && len(args) == 0:
		return projectImages(ctx, c)
	case command == "load" && len(args) >= 3 && len(args)%2 == 1:
		return loadPrograms(ctx, c, args[0], args[1:])
	case command == "monitoring" && len(args) <= 1:
		return monitoring(ctx, c, strings.Join(args, ""))
	case command == "repo" && len(args) > 0:
		return repositories(ctx, c, args)
	case command == "down":
		flags := flag.NewFlagSet("down", flag.ContinueOnError)
		purge := flags.Bool("purge", false, "remove what was built, too")
		if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
			return errUsage
		}
		return down(ctx, c, *purge)
	}
	return fmt.Errorf("%w: %s", errUsage, command)
}
