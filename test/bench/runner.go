package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// runner runs a course, and has what it started.
type runner struct {
	cluster *cluster
	program string
	course  course
	benches []*bench
	tenants []*bench
}

func (r *runner) run(ctx context.Context, measured *results) error {
	for _, sizes := range r.course.sizes {
		if err := r.live(ctx, sizes); err != nil {
			return err
		}
	}
	var err error
	tell("%d tenants start", r.course.tenants)
	if r.tenants, err = startTenants(ctx, r.cluster, r.program, r.course.tenants); err != nil {
		return err
	}
	if measured.Tenants, err = r.steady(ctx); err != nil {
		return err
	}
	if err := stopAll(r.tenants); err != nil {
		return err
	}
	r.tenants = nil
	if r.course.mines > 0 {
		if err := r.mine(ctx); err != nil {
			return err
		}
	}
	if r.course.hangs > 0 {
		if err := r.hang(ctx); err != nil {
			return err
		}
	}
	for _, sizes := range r.course.meshes {
		meshed, err := r.mesh(ctx, sizes)
		if err != nil {
			return err
		}
		measured.FullMesh = append(measured.FullMesh, meshed...)
	}
	return nil
}

// live has networks of these sizes come up and live side by side.
func (r *runner) live(ctx context.Context, sizes []int) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, nodes := range sizes {
		tell("a network of %d nodes", nodes)
		b, err := newBench(ctx, r.cluster, r.program, nodes)
		if b != nil {
			r.benches = append(r.benches, b)
		}
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		group.Go(func() error { return b.life(ctx) })
	}
	return group.Wait()
}

// steady lets everything be for a while.
func (r *runner) steady(ctx context.Context) (*tenants, error) {
	tell("nothing happens for %s", r.course.steady)
	group, ctx := errgroup.WithContext(ctx)
	for _, b := range r.benches {
		group.Go(func() error { return b.let(ctx, steadily, r.course.steady) })
	}
	var measured *tenants
	group.Go(func() (err error) {
		measured, err = measureTenants(ctx, r.tenants, r.course.steady)
		return err
	})
	if failed := group.Wait(); failed != nil {
		return nil, failed
	}
	return measured, nil
}

// blockInterval is that of the window in which networks mine.
const blockInterval = 10 * time.Second

// mine has each network make a block every 10 s for a while.
func (r *runner) mine(ctx context.Context) error {
	tell("all networks mine for %s", r.course.mines)
	group, ctx := errgroup.WithContext(ctx)
	for _, b := range r.benches {
		group.Go(func() error {
			every := v1alpha1.Mining{Interval: &metav1.Duration{Duration: blockInterval}}
			if err := b.edit(ctx, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Mining = &every }); err != nil {
				return err
			}
			if err := b.settle(ctx); err != nil {
				return err
			}
			if err := b.let(ctx, mining, r.course.mines); err != nil {
				return err
			}
			if err := b.edit(ctx, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Mining = nil }); err != nil {
				return err
			}
			return b.settle(ctx)
		})
	}
	return group.Wait()
}

// hang has 5 % of the nodes of each network hang that has as many.
func (r *runner) hang(ctx context.Context) error {
	tell("5 %% of the nodes hang")
	group, ctx := errgroup.WithContext(ctx)
	for _, b := range r.benches {
		if b.nodes >= 10 {
			group.Go(func() error { return b.hang(ctx, r.course.hangs) })
		}
	}
	return group.Wait()
}

// mesh has the algorithm of 2019 link networks of these sizes side by side.
func (r *runner) mesh(ctx context.Context, sizes []int) ([]meshing, error) {
	meshed := make([][]meshing, len(sizes))
	group, ctx := errgroup.WithContext(ctx)
	for i, nodes := range sizes {
		tell("a full mesh of %d nodes", nodes)
		group.Go(func() (err error) {
			meshed[i], err = r.cluster.mesh(ctx, nodes)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(meshed...), err
}

func tell(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, arguments...))
}
