// Package record keeps what has to be known about the one cluster that this
// machine can have at a time, whichever clone it is of: even if that clone, or
// the cluster's processes, are gone.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
)

// A Record is written before the cluster changes anything on the machine, and
// removed when all of that is undone.
type Record struct {
	Clone   string
	Sysctls network.Sysctls // as they were before
	// MakesFilter is true where the nftables table that iptables' rules are in was not
	// there before.
	MakesFilter bool
}

// Dir is where the record is.
type Dir string

func (d Dir) file() string { return filepath.Join(string(d), "cluster.json") }

// Read returns the record, or nil where no cluster has left anything.
func (d Dir) Read() (*Record, error) {
	data, err := os.ReadFile(d.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read %s: %w", d.file(), err)
	}
	return &r, nil
}

// Write replaces the record.
func (d Dir) Write(r Record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(d.file()+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(d.file()+".new", d.file())
}

// Lock keeps others from starting or stopping a cluster on this machine. It
// ends with the returned function, or with this process. A socket without a
// file is the lock: it belongs to a network namespace, just as the cluster's
// bridge does, and cannot be left behind.
func Lock() (unlock func(), err error) {
	socket, err := net.Listen("unix", "@bitcoin-operator-cluster")
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, errors.New("another `cluster` command is starting or stopping a cluster on this machine: wait for it to end")
	}
	if err != nil {
		return nil, fmt.Errorf("lock the machine's cluster: %w", err)
	}
	return func() { _ = socket.Close() }, nil
}
