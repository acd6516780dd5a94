// Package cleanup removes a cluster from this machine. It makes no difference
// whether the cluster is up, half started, or ended long ago with kill -9: what
// is there is found by its name and removed, what is not needs nothing.
package cleanup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/components"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/firewall"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/process"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/record"
)

// Machine is what is known of the cluster of this machine.
type Machine struct {
	Record    *record.Record
	Processes []process.Process // of all clones
}

// Look finds out.
func Look() (Machine, error) {
	r, err := record.Dir(components.Run).Read()
	if err != nil {
		return Machine{}, err
	}
	all, err := process.Find()
	if err != nil {
		return Machine{}, fmt.Errorf("list processes: %w", err)
	}
	return Machine{Record: r, Processes: all}, nil
}

// Elsewhere returns the clone whose cluster is alive here, if that is another
// one than this. A cluster lives while one of its programs runs, and the clone
// is there to stop it from: pods and shims alone are what a dead one left.
func (m Machine) Elsewhere(this string, exists func(clone string) bool) string {
	for _, p := range m.Processes {
		if p.Main && p.Clone != this && exists(p.Clone) {
			return p.Clone
		}
	}
	return ""
}

// Clones lists those that may have left something here.
func (m Machine) Clones(this clone.Clone) []clone.Clone {
	all := []clone.Clone{this}
	add := func(dir string) {
		if c := (clone.Clone{Dir: dir}); !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	if m.Record != nil {
		add(m.Record.Clone)
	}
	for _, p := range m.Processes {
		add(p.Clone)
	}
	return all
}

// Clean removes all that clusters have left on this machine, those of other
// clones included: that none of them is alive is for the caller to see to.
func Clean(ctx context.Context, this clone.Clone) error {
	m, err := Look()
	if err != nil {
		return err
	}
	if err := end(ctx, m.Processes, components.Makers); err != nil {
		return err
	}
	containers, sockets := containers(components.Tasks) // no more from here on
	if err := killCgroups(ctx, components.Cgroup, containers); err != nil {
		return err
	}
	if err := end(ctx, m.Processes, components.Rest); err != nil {
		return err
	}
	if err := endStrays(ctx); err != nil {
		return err
	}
	clones := m.Clones(this)
	below := []string{components.Run}
	for _, c := range clones {
		below = append(below, c.Local())
	}
	if err := unmount(below); err != nil {
		return err
	}
	if err := network.Down(ctx); err != nil {
		return err
	}
	// Another Kubernetes would call these the same. They are this one's if there
	// was a cluster that has not been cleaned up after.
	if m.Record != nil {
		if err := network.DeleteTables(ctx); err != nil {
			return err
		}
		if err := firewall.Remove(ctx, m.Record.MakesFilter); err != nil {
			return err
		}
		if err := removeCgroups(components.Cgroup); err != nil {
			return err
		}
		if err := m.Record.Sysctls.Apply(); err != nil {
			return err
		}
	}
	for _, c := range clones {
		for _, path := range c.Passing() {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
		if err := removeLogLinks("/var/log/containers", c.PodLogs()); err != nil {
			return err
		}
		if !c.Exists() { // deleted, but for the folders that were mounted on
			_ = os.Remove(c.Local())
			_ = os.Remove(c.Dir)
		}
	}
	if err := removeOutside(m.Record != nil, sockets); err != nil {
		return err
	}
	return os.RemoveAll(components.Run) // last: the record is in it
}

// end ends some of the cluster's programs, in their order.
func end(ctx context.Context, all []process.Process, names []string) error {
	for _, name := range names {
		for _, p := range all {
			if p.Main && p.Name == name {
				if err := process.Stop(ctx, p, 10*time.Second); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// endStrays ends what else carries the mark of a cluster, such as shims.
func endStrays(ctx context.Context) error {
	left, err := process.Find()
	if err != nil {
		return err
	}
	for _, p := range left {
		if err := process.Stop(ctx, p, 0); err != nil {
			return err
		}
	}
	return nil
}

// containers lists the IDs of containers, and the sockets of their shims. A shim
// that is killed leaves its own, in a folder that all containerds of a machine
// share.
func containers(tasks string) (ids, sockets []string) {
	entries, err := os.ReadDir(tasks)
	if err != nil {
		return nil, nil // there are none
	}
	for _, e := range entries {
		ids = append(ids, e.Name())
		if data, err := os.ReadFile(filepath.Join(tasks, e.Name(), "bootstrap.json")); err == nil {
			sockets = append(sockets, socketPaths(string(data))...)
		}
	}
	return ids, sockets
}

// socketPaths finds the sockets' paths in what containerd writes of a shim.
func socketPaths(text string) []string {
	const scheme, dir = "unix://", "/run/containerd/s/"
	var paths []string
	for {
		_, rest, ok := strings.Cut(text, scheme)
		if !ok {
			return paths
		}
		path := rest
		if i := strings.IndexFunc(rest, func(r rune) bool { return r == '"' || r <= ' ' }); i >= 0 {
			path = rest[:i]
		}
		if strings.HasPrefix(path, dir) && !strings.Contains(path[len(dir):], "/") {
			paths = append(paths, path)
		}
		text = rest
	}
}

// removeLogLinks removes the kubelet's links to the logs of pods.
func removeLogLinks(dir, podLogs string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		link := filepath.Join(dir, e.Name())
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, podLogs+"/") {
			if err := os.Remove(link); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeOutside removes what the cluster's programs write to places that they
// let nobody choose, and the folders there if nothing else is in them.
// The kubelet's are another one's where no cluster of ours has been.
func removeOutside(ours bool, sockets []string) error {
	results, _ := filepath.Glob(filepath.Join(components.CNIResults, components.CNI+"-*"))
	for _, file := range append(sockets, results...) {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if ours {
		if err := os.RemoveAll("/var/lib/kubelet/device-plugins"); err != nil {
			return err
		}
	}
	for _, dir := range []string{
		"/var/log/containers", "/var/lib/kubelet", "/run/containerd/s", "/run/containerd",
		components.CNIResults, filepath.Dir(components.CNIResults),
	} {
		if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("remove %s: %w", dir, err)
		}
	}
	return nil
}
