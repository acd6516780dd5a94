package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/addons"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/cleanup"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/components"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/firewall"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/health"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/images"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/parts"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/pki"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/process"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/record"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/say"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/wait"
)

// up starts the cluster, unless it is up. One of which programs are missing,
// after kill -9 or a crash, is not mended but begun anew: nothing in a local
// cluster is worth the doubt about what state it would be in.
func up(ctx context.Context, c clone.Clone) error {
	switch err := missing(c); {
	case err == nil:
		err := wait.Until(ctx, "the cluster runs, but is not healthy", deadline, nil, func(ctx context.Context) error { return healthy(ctx, c) })
		if err != nil {
			return fmt.Errorf("%w\nThe logs are in %s. `cluster down` and `cluster up` begin anew", err, c.Local("log"))
		}
		say.Note("the cluster is up (%s)", c.Kubeconfig())
		return nil
	case !errors.Is(err, errMissing):
		return err
	}
	if err := check(c); err != nil {
		return err
	}
	unlock, err := record.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := alone(c); err != nil {
		return err
	}
	if err := packages(ctx, c); err != nil {
		return err
	}
	if err := parts.Build(ctx, c, parts.Needed()); err != nil {
		return err
	}
	if err := clean(ctx, c); err != nil {
		return err
	}
	if err := start(ctx, c); err != nil {
		return fmt.Errorf("%w\nThe logs are in %s. `cluster down` removes what has been started", err, c.Local("log"))
	}
	return nil
}

// alone fails where another clone's cluster lives: this machine has room for one.
func alone(c clone.Clone) error {
	m, err := cleanup.Look()
	if err != nil {
		return err
	}
	other := m.Elsewhere(c.Dir, func(dir string) bool { return clone.Clone{Dir: dir}.Exists() })
	if other == "" {
		return nil
	}
	return fmt.Errorf("the cluster of another clone, %s, is up on this machine, which has room for one.\nStop it first: cluster -C %s down", other, other)
}

// clean removes what an earlier cluster has left, and says so.
func clean(ctx context.Context, c clone.Clone) error {
	m, err := cleanup.Look()
	if err != nil {
		return err
	}
	if m.Record != nil || len(m.Processes) > 0 {
		say.Note("cleaning up after a cluster that ended without `down`")
	}
	if err := cleanup.Clean(ctx, c); err != nil {
		return fmt.Errorf("clean up after an earlier cluster: %w", err)
	}
	tables, err := network.Tables(ctx)
	if err != nil {
		return err
	}
	if len(tables) > 0 {
		return errors.New("there are nftables tables of a kube-proxy that is none of ours: is there another Kubernetes on this machine?")
	}
	rules, err := firewall.Rules(ctx)
	if err != nil {
		return err
	}
	if rules {
		return errors.New("there are iptables chains of a kube-router that is none of ours: is there another Kubernetes on this machine?")
	}
	return nil
}

// deadline is for each of the things that are waited for. All of them together
// take seconds, on a machine that is not busy.
const deadline = 3 * time.Minute

// start begins with a machine that has nothing of a cluster.
func start(ctx context.Context, c clone.Clone) error {
	done := say.Step("start the cluster")
	if err := prepare(ctx, c); err != nil {
		return err
	}
	checker, err := health.New(c)
	if err != nil {
		return err
	}
	s := starter{ctx: ctx, clone: c, checker: checker, specs: components.Specs(c), ended: map[string]<-chan struct{}{}}
	if err := s.run(components.Containerd, components.Etcd, components.APIServer, components.Git); err != nil {
		return err
	}
	if err := s.ready(components.Containerd); err != nil {
		return err
	}
	loaded := make(chan error, 1) // while the API server starts
	go func() { loaded <- loadImages(ctx, c) }()
	err = s.controlPlane()
	if err := errors.Join(err, <-loaded); err != nil {
		return err
	}
	// Last: until then no pod is given to the kubelet, which would miss its image, and
	// no pod's first moments pass without anything that enforces NetworkPolicies.
	if err := s.run(components.Scheduler); err != nil {
		return err
	}
	say.Note("the API server is up and images are loaded: waiting for the node and its pods")
	if err := s.ready(components.All...); err != nil {
		return err
	}
	if err := wait.Until(ctx, "the cluster", deadline, s.ended[components.Kubelet], checker.Cluster); err != nil {
		return err
	}
	done()
	return nil
}

// prepare makes what the programs find when they start.
func prepare(ctx context.Context, c clone.Clone) error {
	if err := network.Filter(ctx); err != nil {
		return err
	}
	filtered, err := firewall.There(ctx)
	if err != nil {
		return err
	}
	before := record.Record{Clone: c.Dir, Sysctls: network.Read(), MakesFilter: !filtered}
	if err := (record.Dir(components.Run)).Write(before); err != nil {
		return fmt.Errorf("write the machine's record of its cluster: %w", err)
	}
	if err := network.Wanted().Apply(); err != nil {
		return err
	}
	if err := network.Up(ctx); err != nil {
		return err
	}
	for _, s := range components.Specs(c) {
		for _, address := range s.Ports {
			if err := network.Free(ctx, address); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
	}
	if err := os.MkdirAll(c.Git(), 0o755); err != nil {
		return err
	}
	if err := pki.Make(c.PKI(""), "https://"+network.APIServer, components.Identities(c)); err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	if err := components.Configure(c); err != nil {
		return fmt.Errorf("write the programs' configuration: %w", err)
	}
	return nil
}

func loadImages(ctx context.Context, c clone.Clone) error {
	var files []string
	for _, name := range parts.Images() {
		files = append(files, c.Image(name))
	}
	if err := images.Load(ctx, c, files...); err != nil {
		return err
	}
	return images.LoadProject(ctx, c, targets(c))
}

// A starter starts programs and waits for them.
type starter struct {
	ctx     context.Context
	clone   clone.Clone
	checker *health.Checker
	specs   map[string]process.Spec
	ended   map[string]<-chan struct{}
}

// controlPlane makes a cluster that schedules no pods yet, and installs what
// will run on it.
func (s *starter) controlPlane() error {
	if err := s.ready(components.APIServer); err != nil {
		return err
	}
	if err := s.run(components.Kubelet, components.ControllerManager, components.Proxy); err != nil {
		return err
	}
	if err := addons.Apply(s.ctx, s.clone); err != nil {
		return err
	}
	return s.router()
}

// router starts what enforces NetworkPolicies, which has its rights by now and ends where
// it does not find its node.
func (s *starter) router() error {
	if err := wait.Until(s.ctx, "the node", deadline, s.ended[components.Kubelet], s.checker.Registered); err != nil {
		return fmt.Errorf("%w (see %s)", err, s.clone.Log(components.Kubelet))
	}
	if err := s.run(components.Router); err != nil {
		return err
	}
	return s.ready(components.Router)
}

func (s *starter) run(names ...string) error {
	for _, name := range names {
		ended, err := process.Start(s.specs[name], s.clone.Dir, s.clone.Log(name))
		if err != nil {
			return err
		}
		s.ended[name] = ended
	}
	return nil
}

func (s *starter) ready(names ...string) error {
	for _, name := range names {
		err := wait.Until(s.ctx, name, deadline, s.ended[name], func(ctx context.Context) error { return s.checker.Program(ctx, name) })
		if err != nil {
			return fmt.Errorf("%w (see %s)", err, s.clone.Log(name))
		}
	}
	return nil
}

var errMissing = errors.New("does not run")

// missing fails with errMissing unless all of the cluster's programs run.
func missing(c clone.Clone) error {
	all, err := process.Find()
	if err != nil {
		return err
	}
	ours := process.Of(all, c.Dir)
	for _, name := range components.All {
		if _, runs := process.Named(ours, name); !runs {
			return fmt.Errorf("%s %w", name, errMissing)
		}
	}
	return nil
}

// healthy reports what keeps this clone's cluster from being up.
func healthy(ctx context.Context, c clone.Clone) error {
	if err := missing(c); err != nil {
		return err
	}
	checker, err := health.New(c)
	if err != nil {
		return err
	}
	errs := make([]error, len(components.All)+1)
	var group sync.WaitGroup
	for i, name := range components.All {
		group.Go(func() {
			if err := checker.Program(ctx, name); err != nil {
				errs[i] = fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	group.Go(func() { errs[len(errs)-1] = checker.Cluster(ctx) })
	group.Wait()
	return errors.Join(errs...)
}
