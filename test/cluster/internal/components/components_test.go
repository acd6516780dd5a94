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
	all, err := Render(c)
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
	var network struct {
		Plugins []struct{ Bridge string }
	}
	if err := json.Unmarshal(all["cni/btcop.conflist"], &network); err != nil || network.Plugins[0].Bridge != "btcop0" {
		t.Errorf("btcop.conflist: %v, %+v", err, network)
	}
	for file, data := range all {
		if strings.Contains(string(data), "<no value>") {
			t.Errorf("%s lacks a value", file)
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
