package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/machine"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/parts"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/say"
)

// check fails with all that this machine lacks.
func check(c clone.Clone) error {
	missing := machine.Check(c.Local("cluster"))
	if _, err := exec.LookPath("go"); err != nil {
		missing = append(missing, "go: Go 1.26 builds the cluster's programs")
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("this machine cannot run the local cluster. It lacks:\n  - %s\nUse another cluster instead, such as one that kind makes: see the README's section \"A cluster of your own\"",
		strings.Join(missing, "\n  - "))
}

// build makes parts, or all of them with what they need of Debian. What needs
// no root is made without.
func build(ctx context.Context, c clone.Clone, names []string) error {
	selected, err := parts.Select(names)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("go is not installed: Go 1.26 builds the cluster's programs")
	}
	var root bool
	for _, p := range selected {
		root = root || p.Root
	}
	if root {
		if os.Geteuid() != 0 {
			return errors.New("only root can build bitcoin-knots, flux-tools and prometheus: they unpack Debian packages")
		}
		if err := packages(ctx, c); err != nil {
			return err
		}
	}
	return parts.Build(ctx, c, selected)
}

// packages installs what is missing of Debian's.
func packages(ctx context.Context, c clone.Clone) error {
	missing := machine.MissingPackages(ctx)
	if len(missing) == 0 {
		return nil
	}
	if err := os.MkdirAll(c.Local("log"), 0o755); err != nil {
		return err
	}
	done := say.Step("install Debian packages %s", strings.Join(missing, " "))
	if err := machine.Install(ctx, missing, c.Log("build-packages")); err != nil {
		return err
	}
	done()
	return nil
}
