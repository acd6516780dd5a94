package network

import (
	"net/netip"
	"slices"
	"testing"
)

func TestOurs(t *testing.T) {
	listed := "table ip kube-proxy\ntable ip6 kube-proxy\ntable inet filter\ntable ip kube-proxy-other\n"
	if got := ours(listed); !slices.Equal(got, [][2]string{{"ip", "kube-proxy"}, {"ip6", "kube-proxy"}}) {
		t.Errorf("got %v", got)
	}
	if got := ours("table inet kube-proxy\n"); got != nil {
		t.Errorf("another family's table was taken for kube-proxy's: %v", got)
	}
}

func TestNames(t *testing.T) {
	got, err := names([]byte(`[{"ifname":"veth1","link":"eth0"},{},{"ifname":"veth2"}]`))
	if err != nil || !slices.Equal(got, []string{"veth1", "veth2"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := names([]byte("\n")); got != nil || err != nil {
		t.Errorf("of nothing: got %v, %v", got, err)
	}
}

// Nothing outside the ranges that are set aside for benchmarks, or loopback.
func TestAddresses(t *testing.T) {
	benchmarks := netip.MustParsePrefix("198.18.0.0/15")
	for _, cidr := range []string{PodCIDR, ServiceCIDR, hostCIDR} {
		if p := netip.MustParsePrefix(cidr); !benchmarks.Overlaps(p) || p.Bits() < benchmarks.Bits() {
			t.Errorf("%s is outside %s", cidr, benchmarks)
		}
	}
	seen := map[uint16]bool{}
	for _, address := range []string{APIServer, Git, Kubelet, KubeletHealth, ProxyMetrics, ProxyHealth, Router, ControllerManager, Scheduler, Etcd, EtcdPeer} {
		a := netip.MustParseAddrPort(address)
		if !a.Addr().IsLoopback() && !benchmarks.Contains(a.Addr()) {
			t.Errorf("%s can be reached from outside", address)
		}
		if seen[a.Port()] {
			t.Errorf("port %d is used twice", a.Port())
		}
		seen[a.Port()] = true
	}
}
