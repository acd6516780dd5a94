package parts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
)

func TestFingerprint(t *testing.T) {
	c := clone.Clone{Dir: t.TempDir()}
	write := func(name, content string) {
		t.Helper()
		file := c.Source("test/cluster", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "parts/go.mod", "parts/go.sum", "parts/x/main.go", "parts/y/main.go"} {
		write(name, "")
	}
	part := Part{Name: "x", Programs: []Program{{Name: "x", Module: unified, Package: "./x"}}}
	of := func(p Part, version string) string {
		t.Helper()
		print, err := fingerprint(c, p, version)
		if err != nil {
			t.Fatal(err)
		}
		return print
	}
	first := of(part, "go1")
	same := func(what string, want bool) {
		t.Helper()
		if got := of(part, "go1") == first; got != want {
			t.Errorf("%s: same fingerprint: %v, want %v", what, got, want)
		}
	}
	same("nothing changed", true)
	write("parts/y/main.go", "changed")
	same("another program changed", true)
	write("go.sum", "changed")
	same("another module changed", true)
	write("parts/x/main.go", "changed")
	same("the program changed", false)
	write("parts/x/main.go", "")
	same("and back", true)
	write("parts/go.sum", "changed")
	same("its module changed", false)
	write("parts/go.sum", "")
	if of(part, "go2") == first {
		t.Error("another Go makes another program")
	}
	part.Programs[0].LDFlags = "-X a.b=c"
	same("its flags changed", false)
}

// What is built and what it is called have to fit together.
func TestAll(t *testing.T) {
	names := map[string]bool{}
	for _, p := range All {
		if names[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		names[p.Name] = true
		if p.Image != nil && len(p.Programs) == 0 {
			t.Errorf("%s: an image of nothing", p.Name)
		}
		for _, program := range p.Programs {
			if !slices.Contains(modules, program.Module) {
				t.Errorf("%s: another version of what it requires would go unnoticed", p.Name)
			}
		}
		if p.Make != nil && len(p.Outputs) == 0 {
			t.Errorf("%s: nobody will know that it was made", p.Name)
		}
	}
	if _, err := Select([]string{"etcd", "none"}); err == nil {
		t.Error("a part that isn't there was selected")
	}
	if some, err := Select([]string{"etcd"}); err != nil || len(some) != 1 || some[0].Name != "etcd" {
		t.Errorf("selected %v, %v", some, err)
	}
}

// Flux runs what is built here, since there is no registry.
func TestFluxRunsWhatIsBuilt(t *testing.T) {
	manifests, err := os.ReadFile("../../../../gitops/clusters/local/flux-system/gotk-components.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range All {
		if p.Image != nil && p.Image.Base != "" && !strings.Contains(string(manifests), "image: "+p.Image.Name+"\n") {
			t.Errorf("Flux's manifests do not name %s", p.Image.Name)
		}
	}
}
