package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
)

var repositoryName = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)

// repositories makes those that are not there yet, and prints their addresses.
func repositories(ctx context.Context, c clone.Clone, names []string) error {
	if _, err := os.Stat(c.Git()); err != nil {
		return errors.New("the cluster is not up: its repositories come and go with it")
	}
	for _, name := range names {
		if !repositoryName.MatchString(name) {
			return fmt.Errorf("%q cannot be a repository's name: use small letters, digits, '.', '_' and '-'", name)
		}
		dir := filepath.Join(c.Git(), name+".git")
		for _, args := range [][]string{
			{"init", "--quiet", "--bare", "--initial-branch=main", dir},
			{"-C", dir, "config", "http.receivepack", "true"}, // whoever reaches the server may push
		} {
			if out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
				return fmt.Errorf("make repository %s: %w: %s", name, err, bytes.TrimSpace(out))
			}
		}
		fmt.Printf("http://%s/%s.git\n", network.Git, name)
	}
	return nil
}
