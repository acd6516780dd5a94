package main

import (
	"context"
	"errors"
	"os"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/cleanup"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/record"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/say"
)

// down removes the cluster from this machine, however much of it is there.
func down(ctx context.Context, c clone.Clone, purge bool) error {
	if os.Geteuid() != 0 {
		return errors.New("root has started the cluster, and has to stop it")
	}
	unlock, err := record.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := alone(c); err != nil {
		return err
	}
	done := say.Step("stop the cluster")
	if err := cleanup.Clean(ctx, c); err != nil {
		return err
	}
	done()
	if purge {
		return os.RemoveAll(c.Local())
	}
	return nil
}
