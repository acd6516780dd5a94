// Package machine knows what this machine can do: whether containers can run
// on it, and how Debian's packages get onto it.
package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Check returns what is missing to run containers, a line each. Dir is where
// their file systems will be.
func Check(dir string) []string {
	if os.Geteuid() != 0 {
		return []string{"root: containers, network devices and mounts are made by root alone"}
	}
	var missing []string
	add := func(what string, err error) {
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", what, err))
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	add("/proc", err)
	if lacking := lackingCapabilities(string(status)); len(lacking) > 0 {
		missing = append(missing, "Linux capabilities: "+strings.Join(lacking, ", "))
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	add("/proc", err)
	v2, _ := os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
	if lacking := lackingControllers(string(mounts), string(v2)); len(lacking) > 0 {
		missing = append(missing, "cgroup controllers (v1 or v2): "+strings.Join(lacking, ", "))
	}
	add("namespaces (mount, network, PID, IPC, UTS)", probeNamespaces())
	add("overlay file system in "+dir, probeOverlay(dir))
	add("network bridges", probeBridge())
	add("nftables in the kernel", probeNftables())
	add("what NetworkPolicies are enforced with, in the kernel", probeIptables())
	if _, err := exec.LookPath("apt-get"); err != nil {
		missing = append(missing, "apt-get: the cluster is made for Debian 12, and uses its packages")
	}
	return missing
}

// capabilities that containers' set-up, or containers themselves, use.
// CAP_SYS_RESOURCE is not one of them: the cluster can do without.
var capabilities = []struct {
	bit  uint
	name string
}{
	{unix.CAP_CHOWN, "CAP_CHOWN"},
	{unix.CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
	{unix.CAP_FOWNER, "CAP_FOWNER"},
	{unix.CAP_FSETID, "CAP_FSETID"},
	{unix.CAP_KILL, "CAP_KILL"},
	{unix.CAP_SETGID, "CAP_SETGID"},
	{unix.CAP_SETUID, "CAP_SETUID"},
	{unix.CAP_SETPCAP, "CAP_SETPCAP"},
	{unix.CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE"},
	{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"},
	{unix.CAP_SYS_CHROOT, "CAP_SYS_CHROOT"},
	{unix.CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
	{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
	{unix.CAP_MKNOD, "CAP_MKNOD"},
}

// lackingCapabilities reads a /proc/PID/status.
func lackingCapabilities(status string) []string {
	var effective uint64
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "CapEff:"); ok {
			effective, _ = strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		}
	}
	var lacking []string
	for _, c := range capabilities {
		if effective&(1<<c.bit) == 0 {
			lacking = append(lacking, c.name)
		}
	}
	return lacking
}

// lackingControllers reads a mountinfo and, for version 2, its cgroup.controllers.
func lackingControllers(mountinfo, unified string) []string {
	have := map[string]bool{}
	for _, name := range strings.Fields(unified) {
		have[name] = true
	}
	if have["cpu"] { // version 2 has what these do in version 1 built in
		have["cpuacct"], have["devices"], have["freezer"] = true, true, true
	}
	for line := range strings.Lines(mountinfo) {
		_, options, ok := strings.Cut(line, " - cgroup ")
		if !ok {
			continue
		}
		if f := strings.Fields(options); len(f) == 2 {
			for name := range strings.SplitSeq(f[1], ",") {
				have[name] = true
			}
		}
	}
	var lacking []string
	for _, name := range []string{"cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer"} {
		if !have[name] {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

func probeNamespaces() error {
	cmd := exec.Command("/proc/self/exe", "help")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
	}
	return cmd.Run()
}

func probeOverlay(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, "overlay-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	path := func(name string) string { return filepath.Join(tmp, name) }
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(path(name), 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", path("lower"), path("upper"), path("work"))
	if err := unix.Mount("overlay", path("merged"), "overlay", 0, options); err != nil {
		return err
	}
	return unix.Unmount(path("merged"), 0)
}

// probeBridge makes a bridge and removes it.
func probeBridge() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	name, err := unix.BytePtrFromString("btcop-probe")
	if err != nil {
		return err
	}
	for _, request := range []uintptr{unix.SIOCBRADDBR, unix.SIOCBRDELBR} {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(name))); errno != 0 {
			return errno
		}
	}
	return nil
}
