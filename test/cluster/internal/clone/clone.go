// Package clone knows where one clone of the repository keeps the files of its
// local cluster. All of them are under .local, which Git ignores.
package clone

import (
	"errors"
	"os"
	"path/filepath"
)

// A Clone is a checkout of the repository.
type Clone struct {
	// Dir is its top-level folder, absolute and without symbolic links, so that
	// it can be compared and found among the machine's mounts.
	Dir string
}

// marker is a file that only this repository has.
const marker = "test/cluster/parts/go.mod"

// Find returns the clone that dir is in.
func Find(dir string) (Clone, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Clone{}, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return Clone{}, err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if (Clone{d}).Exists() {
			return Clone{d}, nil
		}
		if d == filepath.Dir(d) {
			return Clone{}, errors.New(dir + " is not inside a clone of the Bitcoin Network Operator (use -C)")
		}
	}
}

// Exists reports whether the clone is (still) there.
func (c Clone) Exists() bool {
	_, err := os.Stat(filepath.Join(c.Dir, marker))
	return err == nil
}

// Source is a path within the repository.
func (c Clone) Source(elem ...string) string {
	return filepath.Join(append([]string{c.Dir}, elem...)...)
}

// Local is a path under .local.
func (c Clone) Local(elem ...string) string {
	return filepath.Join(append([]string{c.Dir, ".local"}, elem...)...)
}

// Bin is a program that was built for the cluster.
func (c Clone) Bin(name string) string { return c.Local("bin", name) }

// Image is the archive of an image that the cluster loads.
func (c Clone) Image(name string) string { return c.Local("images", name+".tar") }

// Log is the log of a process or a build.
func (c Clone) Log(name string) string { return c.Local("log", name+".log") }

// PKI is a certificate or key of the cluster.
func (c Clone) PKI(name string) string { return c.Local("cluster", "pki", name) }

// Config is a configuration file of one of the cluster's programs.
func (c Clone) Config(name string) string { return c.Local("cluster", "config", name) }

// Data is a folder in which one of the cluster's programs keeps its data.
func (c Clone) Data(name string) string { return c.Local("cluster", name) }

// Kubeconfig is for the person in front of the cluster: it may do anything.
func (c Clone) Kubeconfig() string { return c.Local("kubeconfig") }

// Git is where the cluster's Git server has its repositories.
func (c Clone) Git() string { return c.Local("git") }

// PodLogs is where the kubelet writes what containers print.
func (c Clone) PodLogs() string { return c.Local("log", "pods") }

// Passing lists what lives and dies with a cluster. What else is under .local
// was built, and is kept for the next one.
func (c Clone) Passing() []string {
	return []string{c.Local("cluster"), c.Git(), c.PodLogs(), c.Kubeconfig()}
}
