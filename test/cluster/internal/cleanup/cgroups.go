package cleanup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroupDirs are the folders of control groups, one in each hierarchy, and of
// all below them, the deepest first.
func cgroupDirs(parent string, names []string) ([]string, error) {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var tops, dirs []string
	for _, root := range hierarchies(string(info)) {
		for _, name := range names {
			tops = append(tops, filepath.Join(root, parent, name))
		}
	}
	for _, top := range tops {
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Reverse(dirs)
	return dirs, nil
}

// hierarchies reads from a mountinfo where control groups are mounted.
func hierarchies(mountinfo string) []string {
	var roots []string
	for line := range strings.Lines(mountinfo) {
		mount, kind, _ := strings.Cut(line, " - ")
		if f := strings.Fields(mount); len(f) >= 5 && (strings.HasPrefix(kind, "cgroup ") || strings.HasPrefix(kind, "cgroup2 ")) {
			roots = append(roots, f[4])
		}
	}
	return roots
}

// killCgroups kills every process in control groups, and waits until they are
// empty. Being there is what tells containers' processes, which carry no mark.
func killCgroups(ctx context.Context, parent string, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		dirs, err := cgroupDirs(parent, names)
		if err != nil {
			return err
		}
		left := map[int]bool{}
		for _, dir := range dirs {
			data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			if err != nil {
				continue // it has just been removed
			}
			for _, field := range strings.Fields(string(data)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
					left[pid] = true
				}
			}
		}
		if len(left) == 0 {
			return nil
		}
		for pid := range left {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill container process %d: %w", pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d processes of containers do not end: %w", len(left), ctx.Err())
		case <-tick.C:
		}
	}
}

// removeCgroups removes a control group and all below it, except where there
// is a process: the kernel refuses that.
func removeCgroups(name string) error {
	dirs, err := cgroupDirs(name, []string{""})
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("remove control group %s: %w", dir, err)
		}
	}
	return nil
}
