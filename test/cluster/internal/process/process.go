// Package process starts, finds and stops the programs that make the cluster.
//
// Each carries in its environment the name it was started by and the clone it
// was started from. That, and no file, tells which processes are a cluster's:
// it cannot go stale, a reused process ID cannot be taken for one of them, and
// what they start in turn (containerd its shims) is known by it too.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The marks in the environment.
const (
	cloneMark = "BITCOIN_OPERATOR_CLUSTER"
	nameMark  = "BITCOIN_OPERATOR_PROCESS"
)

// A Spec says how one of the cluster's programs is run.
type Spec struct {
	Name    string   // also of its log
	Program string   // path
	Args    []string // without the program's name
	Address string   // where it listens, to tell people
	Ports   []string // that have to be free before it starts
}

// A Process is running, and some cluster's.
type Process struct {
	PID     int
	Name    string // of the Spec that it, or an ancestor of it, was started from
	Clone   string
	Started time.Time
	// Main is false of what a cluster's program has started in turn.
	Main bool
}

// Start runs a program in a session of its own, so that it outlives this one.
// The channel is closed when the program ends while this one is still here.
func Start(s Spec, clone, log string) (<-chan struct{}, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(s.Program, s.Args...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = []string{
		cloneMark + "=" + clone,
		nameMark + "=" + s.Name,
		"HOME=/root",
		"PATH=" + filepath.Dir(s.Program) + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its log says why it ended
		close(ended)
	}()
	return ended, nil
}

// Find lists the processes of all clusters on this machine.
func Find() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, ok := read(pid); ok {
			found = append(found, p)
		}
	}
	return found, nil
}

// read returns a process if it is some cluster's and has not ended.
func read(pid int) (Process, bool) {
	dir := fmt.Sprintf("/proc/%d", pid)
	info, err := os.Stat(dir)
	if err != nil {
		return Process{}, false // gone
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		return Process{}, false // anybody can call a process of their own ours
	}
	environ, err := os.ReadFile(dir + "/environ")
	if err != nil {
		return Process{}, false // gone, or a kernel thread
	}
	p := Process{PID: pid}
	var ok bool
	if p.Clone, p.Name, ok = marks(environ); !ok {
		return Process{}, false
	}
	args, err := os.ReadFile(dir + "/cmdline")
	if err != nil || len(args) == 0 { // gone, or waiting to be reaped
		return Process{}, false
	}
	argv0, _, _ := bytes.Cut(args, []byte{0})
	p.Main = filepath.Base(string(argv0)) == p.Name
	p.Started = info.ModTime()
	return p, true
}

// marks reads a process's environment, as /proc has it.
func marks(environ []byte) (clone, name string, ok bool) {
	for entry := range strings.SplitSeq(string(environ), "\x00") {
		switch key, value, _ := strings.Cut(entry, "="); key {
		case cloneMark:
			clone = value
		case nameMark:
			name = value
		}
	}
	return clone, name, clone != "" && name != ""
}

// Of picks the processes of one clone's cluster.
func Of(all []Process, clone string) []Process {
	return slices.DeleteFunc(slices.Clone(all), func(p Process) bool { return p.Clone != clone })
}

// Named finds one of a cluster's programs among its processes.
func Named(all []Process, name string) (Process, bool) {
	i := slices.IndexFunc(all, func(p Process) bool { return p.Main && p.Name == name })
	if i < 0 {
		return Process{}, false
	}
	return all[i], true
}

// Stop ends a process, kindly at first, and returns when it is gone.
func Stop(ctx context.Context, p Process, grace time.Duration) error {
	for _, attempt := range []struct {
		signal os.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, grace}, {syscall.SIGKILL, 10 * time.Second}} {
		if attempt.wait == 0 {
			continue
		}
		if err := signal(p, attempt.signal); err != nil {
			return fmt.Errorf("end %s (process %d): %w", p.Name, p.PID, err)
		}
		if gone(ctx, p, attempt.wait) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s (process %d) does not end", p.Name, p.PID)
}

// signal holds on to the process before it looks whether it is still the one
// that was found, so that the signal can reach no other.
func signal(p Process, s os.Signal) error {
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return err
	}
	defer func() { _ = handle.Release() }()
	if now, ok := read(p.PID); !ok || now.Clone != p.Clone || now.Name != p.Name {
		return nil
	}
	if err := handle.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func gone(ctx context.Context, p Process, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if now, ok := read(p.PID); !ok || now.Clone != p.Clone || now.Name != p.Name {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
