package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// course is what is measured, and for how long.
type course struct {
	// sizes of networks that live side by side, one group after the other.
	sizes [][]int
	// tenants are the operators beside.
	tenants int
	// steady, mines and hangs are how long these windows are.
	steady, mines, hangs time.Duration
	// meshes are the sizes of networks that the algorithm of 2019 links, in groups as well.
	meshes [][]int
}

// courses are the modes. Nodes are asked every 30 s when nothing happens.
var courses = map[string]course{
	"counts": {sizes: [][]int{{3, 10}, {100}}, tenants: 20, steady: 35 * time.Second},
	"quick": {
		sizes: [][]int{{3, 10}, {100}}, tenants: 20, steady: 35 * time.Second,
		mines: 30 * time.Second, hangs: 15 * time.Second, meshes: [][]int{{3, 10}, {100}},
	},
	"full": {
		sizes: [][]int{{3}, {10}, {100}, {1000}}, tenants: 100, steady: 2 * time.Minute,
		mines: time.Minute, hangs: time.Minute, meshes: [][]int{{3, 10}, {100}},
	},
}

// measure runs a course.
func measure(ctx context.Context, course course) (measured results, err error) {
	if err := os.MkdirAll(outputFolder, 0o755); err != nil {
		return measured, err
	}
	folder, err := os.MkdirTemp(outputFolder, "run-")
	if err != nil {
		return measured, err
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(folder)
		}
	}()
	program, simulator := filepath.Join(folder, "operator"), filepath.Join(folder, "simulate")
	if err := errors.Join(build(ctx, program, "./operator/cmd/operator"), build(ctx, simulator, "./operator/internal/bitcoind/bitcoindtest/simulate")); err != nil {
		return measured, err
	}
	info, err := os.Stat(program)
	if err != nil {
		return measured, err
	}
	measured.Binary = info.Size()

	nodes, err := startSimulation(ctx, simulator, folder)
	if err != nil {
		return measured, err
	}
	defer func() { err = errors.Join(err, nodes.stop()) }()
	c, err := startCluster(ctx, folder, nodes)
	if err != nil {
		return measured, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	r := &runner{cluster: c, program: program, course: course}
	defer func() { err = errors.Join(err, stopAll(r.benches), stopAll(r.tenants)) }()
	if err := r.run(ctx, &measured); err != nil {
		return measured, err
	}
	for _, b := range r.benches {
		measured.Windows = append(measured.Windows, b.windows...)
	}
	return measured, nil
}

// build builds a program as the images have it.
func build(ctx context.Context, program, source string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	command.Stdout, command.Stderr = io.Discard, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("build %s: %w", source, err)
	}
	return nil
}
