package main

import (
	"context"
	"os"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/images"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/parts"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/say"
)

// targets of the project's Dockerfile. The cluster's manifests use these tags.
func targets(c clone.Clone) []images.Target {
	return []images.Target{
		{
			Name: "operator", Image: "ghcr.io/bitcoin-operator/operator:dev",
			Sources: []string{"./operator/cmd/operator", "./operator/cmd/publish-certificate"},
		},
		{
			Name: "bitcoind", Image: "ghcr.io/bitcoin-operator/bitcoind:dev", Sources: []string{"./operator/cmd/bitcoind-start"},
			Args: []string{"BITCOIN_IMAGE=" + parts.Knots}, Bases: []string{c.Image("bitcoin-knots")},
		},
	}
}

// projectImages builds the project's own images, and loads those that the
// cluster does not have yet.
func projectImages(ctx context.Context, c clone.Clone) error {
	if err := build(ctx, c, []string{"bitcoin-knots"}); err != nil {
		return err
	}
	if err := images.Build(ctx, c, parts.GoEnv, targets(c)); err != nil {
		return err
	}
	if err := healthy(ctx, c); err != nil {
		say.Note("the cluster is not up: `up` will load the images")
		return nil
	}
	return images.LoadProject(ctx, c, targets(c))
}

// loadProgram puts a program into the cluster as an image of its own.
func loadProgram(ctx context.Context, c clone.Clone, program images.Program, binary string) error {
	archive := c.Local("build", "program.tar")
	defer os.Remove(archive)
	if err := program.Archive(binary, archive); err != nil {
		return err
	}
	return images.Load(ctx, c, archive)
}
