// Package network is the cluster's network: a bridge on this machine that pods
// are joined to, and the addresses of everything on it.
//
// Pods and services have addresses of the ranges reserved for benchmarks
// (RFC 2544), which no real network uses, and everything that belongs to the
// cluster has a name of its own, by which it can be found and removed.
package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Names and addresses.
const (
	Bridge      = "btcop0"
	Host        = "198.18.0.1" // this machine, as pods see it
	hostCIDR    = "198.18.0.1/22"
	PodCIDR     = "198.18.0.0/22"
	ServiceCIDR = "198.19.0.0/16"
	ServiceAPI  = "198.19.0.1"
	ServiceDNS  = "198.19.0.10"
	Domain      = "cluster.local"
	Node        = "local"

	APIServer         = Host + ":16443"
	Git               = Host + ":3000"
	Kubelet           = Host + ":11250"
	KubeletHealth     = "127.0.0.1:11248"
	ProxyMetrics      = "127.0.0.1:11249"
	ProxyHealth       = "127.0.0.1:11256"
	Router            = "127.0.0.1:11258"
	ControllerManager = "127.0.0.1:11257"
	Scheduler         = "127.0.0.1:11259"
	Etcd              = "127.0.0.1:12379"
	EtcdPeer          = "127.0.0.1:12380"
)

// tables are kube-proxy's. It lets nobody choose their names.
var tables = [][2]string{{"ip", "kube-proxy"}, {"ip6", "kube-proxy"}}

// Up makes the bridge.
func Up(ctx context.Context) error {
	for _, args := range [][]string{
		{"link", "add", Bridge, "type", "bridge"},
		{"addr", "add", hostCIDR, "dev", Bridge},
		{"link", "set", Bridge, "up"},
	} {
		if err := run(ctx, "ip", args...); err != nil {
			return fmt.Errorf("make the bridge: %w", err)
		}
	}
	return nil
}

// Down removes the bridge, and the pods' interfaces that are still on it.
func Down(ctx context.Context) error {
	if _, err := net.InterfaceByName(Bridge); err != nil {
		return nil
	}
	out, err := exec.CommandContext(ctx, "ip", "-json", "link", "show", "master", Bridge).Output()
	if err != nil {
		return fmt.Errorf("list the interfaces on %s: %w", Bridge, err)
	}
	ports, err := names(out)
	if err != nil {
		return fmt.Errorf("list the interfaces on %s: %w", Bridge, err)
	}
	var errs []error
	for _, name := range append(ports, Bridge) {
		if err := run(ctx, "ip", "link", "delete", name); err != nil {
			if _, gone := net.InterfaceByName(name); gone == nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// names reads interfaces' names in what `ip -json link show` prints.
func names(out []byte) ([]string, error) {
	if len(bytes.TrimSpace(out)) == 0 {
		return nil, nil
	}
	var links []struct {
		Name string `json:"ifname"`
	}
	if err := json.Unmarshal(out, &links); err != nil {
		return nil, err
	}
	var all []string
	for _, l := range links {
		if l.Name != "" {
			all = append(all, l.Name)
		}
	}
	return all, nil
}

// Tables lists kube-proxy's nftables tables that exist on this machine.
func Tables(ctx context.Context) ([][2]string, error) {
	out, err := exec.CommandContext(ctx, "nft", "list", "tables").Output()
	if err != nil {
		return nil, fmt.Errorf("list nftables tables: %w", err)
	}
	return ours(string(out)), nil
}

// ours picks kube-proxy's tables from what `nft list tables` prints.
func ours(listed string) [][2]string {
	var found [][2]string
	for line := range strings.Lines(listed) {
		f := strings.Fields(line)
		for _, t := range tables {
			if len(f) == 3 && f[0] == "table" && f[1] == t[0] && f[2] == t[1] {
				found = append(found, t)
			}
		}
	}
	return found
}

// DeleteTables removes kube-proxy's nftables tables.
func DeleteTables(ctx context.Context) error {
	found, err := Tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range found {
		if err := run(ctx, "nft", "delete", "table", t[0], t[1]); err != nil {
			return err
		}
	}
	return nil
}

// Free reports who listens on an address, if anyone does.
func Free(ctx context.Context, address string) error {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l.Close()
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	_, port, _ := net.SplitHostPort(address)
	holder, _ := exec.CommandContext(ctx, "ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes", "sport", "=", ":"+port).Output()
	return fmt.Errorf("port %s is needed, and in use:\n%s", address, bytes.TrimSpace(holder))
}

func run(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// IPv6 tells whether this machine's kernel knows IPv6.
func IPv6() bool {
	_, err := os.Stat("/proc/sys/net/ipv6")
	return err == nil
}

// Filter sees to it that what passes between two pods of the bridge is seen by
// nftables too: the answer of a service's pod has to be translated back.
func Filter(ctx context.Context) error {
	const setting = "/proc/sys/net/bridge/bridge-nf-call-iptables"
	if _, err := os.Stat(setting); err == nil {
		return nil
	}
	err := run(ctx, "modprobe", "br_netfilter")
	if _, missing := os.Stat(setting); missing == nil {
		return nil
	}
	return fmt.Errorf("the kernel cannot filter what passes a bridge: %w", errors.Join(err, os.ErrNotExist))
}

// Sysctls are kernel settings that the cluster needs, or that the kubelet
// changes unasked. They are put back when the cluster ends.
type Sysctls map[string]string

// touched are the settings, and what the cluster needs; nothing where the
// kubelet sets them itself.
var touched = map[string]string{
	"net/ipv4/ip_forward":                "1",
	"net/bridge/bridge-nf-call-iptables": "1", // services of pods on the same bridge
	"net/ipv4/conf/all/route_localnet":   "",
	"vm/overcommit_memory":               "",
	"kernel/panic":                       "",
	"kernel/panic_on_oops":               "",
}

// Read returns the settings as they are.
func Read() Sysctls {
	s := Sysctls{}
	for key := range touched {
		if value, err := os.ReadFile("/proc/sys/" + key); err == nil {
			s[key] = strings.TrimSpace(string(value))
		}
	}
	return s
}

// Wanted returns the settings that the cluster needs.
func Wanted() Sysctls {
	s := Sysctls{}
	for key, value := range touched {
		if value != "" {
			s[key] = value
		}
	}
	return s
}

// Apply makes the settings so, where they differ.
func (s Sysctls) Apply() error {
	var errs []error
	now := Read()
	for key, value := range s {
		old, known := now[key]
		if !known || old == value {
			continue
		}
		if err := os.WriteFile("/proc/sys/"+key, []byte(value), 0o644); err != nil {
			errs = append(errs, fmt.Errorf("set %s: %w", strings.ReplaceAll(key, "/", "."), err))
		}
	}
	return errors.Join(errs...)
}
