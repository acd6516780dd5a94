package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/addons"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/images"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/say"
)

// nowhere is where alerts go of which nobody wants to hear: nothing listens there.
const nowhere = "http://127.0.0.1:9/"

// monitoring starts Prometheus and Alertmanager in the cluster.
func monitoring(ctx context.Context, c clone.Clone, receiver string) error {
	if err := build(ctx, c, []string{"prometheus"}); err != nil {
		return err
	}
	if err := healthy(ctx, c); err != nil {
		return fmt.Errorf("the cluster is not up: %w", err)
	}
	done := say.Step("start Prometheus and Alertmanager")
	if err := images.Load(ctx, c, c.Image("prometheus")); err != nil {
		return err
	}
	if err := addons.Monitoring(ctx, c, cmp.Or(receiver, nowhere)); err != nil {
		return err
	}
	done()
	say.Note("to see them: kubectl get service -n monitoring; this machine reaches their addresses, ports 9090 and 9093")
	return nil
}
