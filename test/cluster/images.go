package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

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
			Sources: []string{"./operator/cmd/operator", "./operator/cmd/publish-certificate", "./operator/cmd/bitcoind-start"},
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

// loadPrograms puts programs into the cluster as an image of their own: for each its
// binary and its path, and the first is what the image runs.
func loadPrograms(ctx context.Context, c clone.Clone, image string, programs []string) error {
	dir, err := os.MkdirTemp(c.Local("build"), "load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var beside []string
	for i := 2; i < len(programs); i += 2 {
		layer := filepath.Join(dir, fmt.Sprintf("%d.tar", i))
		if err := images.Layer(programs[i], programs[i+1], layer); err != nil {
			return err
		}
		beside = append(beside, layer)
	}
	archive := filepath.Join(dir, "image.tar")
	program := images.Program{Name: image, Path: programs[1], User: "1000:1000"}
	if err := program.Archive(programs[0], archive, beside...); err != nil {
		return err
	}
	return images.Load(ctx, c, archive)
}
