package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// startsAtOnce is how many operators are started side by side.
const startsAtOnce = 10

// startTenants starts so many operators, each with a network of 3 nodes, and returns when
// all networks are well, and nothing is left to be written of how they came up: the first
// block's height, which is progress alone, takes a minute.
func startTenants(ctx context.Context, c *cluster, program string, count int) ([]*bench, error) {
	tenants := make([]*bench, count)
	group, starting := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
	for i := range tenants {
		group.Go(func() error {
			tenant, err := newBench(starting, c, program, 3)
			if err != nil {
				return err
			}
			tenants[i] = tenant
			if err := tenant.create(starting, tenant.network.Name, tenant.nodes, nil); err != nil {
				return err
			}
			return tenant.settle(starting)
		})
	}
	if err := group.Wait(); err != nil {
		return tenants, err
	}
	return tenants, until(ctx, "the first blocks are in the status", func() (bool, error) {
		return !slices.ContainsFunc(tenants, func(tenant *bench) bool { return c.networks.height(tenant.network) == 0 }), nil
	})
}

// measureTenants sums up what operators do in a while.
func measureTenants(ctx context.Context, all []*bench, during time.Duration) (*tenants, error) {
	begun, err := readAll(ctx, all)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, during); err != nil {
		return nil, err
	}
	ended, err := readAll(ctx, all)
	if err != nil {
		return nil, err
	}
	sum := &tenants{Operators: len(all), Seconds: ended[0].at.Sub(begun[0].at).Seconds()}
	for i, tenant := range all {
		w := between(begun[i], ended[i], tenant.key())
		held, err := memoryOf(tenant.operator.command.Process.Pid)
		if err != nil {
			return nil, err
		}
		sum.Cores += w.CPU / w.Seconds
		sum.Proportional += mebibytes(held.proportional)
		sum.Resident += mebibytes(held.resident)
		sum.APIRequests += w.APIRequests
		sum.Leases += w.Leases
		sum.StatusWrites += w.StatusWrites
		sum.NodesRequests += w.Requests
	}
	return sum, nil
}

func readAll(ctx context.Context, all []*bench) ([]reading, error) {
	readings := make([]reading, len(all))
	for i, tenant := range all {
		var err error
		if readings[i], err = tenant.operator.read(ctx); err != nil {
			return nil, err
		}
	}
	return readings, nil
}

func stopAll(all []*bench) error {
	failed := make([]error, len(all))
	for i, one := range all {
		if one != nil {
			failed[i] = one.operator.stop()
		}
	}
	return errors.Join(failed...)
}
