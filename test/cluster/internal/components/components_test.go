package components

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
)

func TestRender(t *testing.T) {
	c := clone.Clone{Dir: "/the/clone"}
	all, err := Render(c, true)
	if err != nil {
		t.Fatal(err)
	}
	for file, wants := range map[string][]string{
		"containerd.toml": {"root = '/the/clone/.local/cluster/containerd'", "address = '/run/bitcoin-operator/containerd.sock'", "sandbox = 'localhost/pause:1'"},
		"kubelet.yaml":    {"address: 198.18.0.1\nport: 11250\n", "clusterDNS: [198.19.0.10]", "clientCAFile: /the/clone/.local/cluster/pki/ca.crt"},
		"audit.yaml":      {"kind: Policy"},
	} {
		for _, want := range wants {
			if !strings.Contains(string(all[file]), want) {
				t.Errorf("%s: %q is not in\n%s", file, want, all[file])
			}
		}
	}
	if got := pods(t, all); len(got.Plugins) != 2 || got.Plugins[0].Bridge != "btcop0" {
		t.Errorf("btcop.conflist: %+v", got)
	} else if closed := got.Plugins[1].Sysctl["net.ipv6.conf.default.disable_ipv6"]; got.Plugins[1].Type != "tuning" || closed != "1" {
		t.Errorf("pods speak IPv6, which no policy is held against: %+v", got.Plugins[1])
	}
	for file, data := range all {
		if strings.Contains(string(data), "<no value>") {
			t.Errorf("%s lacks a value", file)
		}
	}
}

// A kernel without IPv6 lacks the settings that close it.
func TestRenderWithoutIPv6(t *testing.T) {
	all, err := Render(clone.Clone{Dir: "/the/clone"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := pods(t, all); len(got.Plugins) != 1 {
		t.Errorf("btcop.conflist: %+v", got)
	}
}

// conflist is what of a CNI configuration matters here.
type conflist struct {
	Plugins []struct {
		Type, Bridge string
		Sysctl       map[string]string
	}
}

func pods(t *testing.T, all map[string][]byte) (read conflist) {
	t.Helper()
	if err := json.Unmarshal(all["cni/btcop.conflist"], &read); err != nil {
		t.Errorf("btcop.conflist: %v\n%s", err, all["cni/btcop.conflist"])
	}
	return read
}

// Whatever listens for this machine alone listens on loopback, the agents' profilers and
// metrics included.
func TestRouterListensOnLoopback(t *testing.T) {
	args := Specs(clone.Clone{Dir: "/the/clone"})[Router].Args
	for _, want := range []string{"--health-port=0", "--metrics-addr=127.0.0.1"} {
		if !slices.Contains(args, want) {
			t.Errorf("%s is not in %v", want, args)
		}
	}
}

func TestSpecs(t *testing.T) {
	specs := Specs(clone.Clone{Dir: "/the/clone"})
	ending := slices.Concat(Makers, Rest)
	if len(specs) != len(All) || len(ending) != len(All) {
		t.Errorf("%d programs, %d start, %d end", len(specs), len(All), len(ending))
	}
	for _, name := range All {
		s, ok := specs[name]
		if !ok || s.Name != name || s.Program != "/the/clone/.local/bin/"+name {
			t.Errorf("%s is %+v", name, s)
		}
		if !slices.Contains(ending, name) {
			t.Errorf("%s is never ended", name)
		}
	}
}

// Each kubeconfig that a program is given is made.
func TestIdentities(t *testing.T) {
	c := clone.Clone{Dir: "/the/clone"}
	made := map[string]bool{}
	for _, id := range Identities(c) {
		made["--kubeconfig="+id.Kubeconfig] = true
		for _, ext := range []string{".crt", ".key"} {
			made[c.PKI(id.Name+ext)] = true
		}
	}
	for _, file := range []string{"ca.crt", "ca.key", "service-account.key", "service-account.pub"} {
		made[c.PKI(file)] = true
	}
	for name, s := range Specs(c) {
		for _, arg := range s.Args {
			_, value, _ := strings.Cut(arg, "=")
			if strings.HasPrefix(arg, "--kubeconfig=") && !made[arg] {
				t.Errorf("%s: nobody makes %s", name, arg)
			}
			if strings.Contains(value, "/pki/") && !made[value] {
				t.Errorf("%s: nobody makes %s", name, value)
			}
		}
	}
}
