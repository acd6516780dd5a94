package state_test

import (
	"go/build"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	project  = "github.com/bitcoin-operator/bitcoin-operator/"
	internal = project + "operator/internal/"
)

// The packages that decide cannot do anything: they know neither the API server nor
// the nodes, and nobody who does.
func TestWhoDecidesCannotAct(t *testing.T) {
	acting := []string{
		"net/http", "os", "k8s.io/client-go", "sigs.k8s.io/controller-runtime/pkg/client",
		internal + "observe", internal + "controller", internal + "credentials",
	}
	for _, name := range []string{"state", "peering", "rollout", "plan", "status", "request", "explain"} {
		for _, imported := range importsOf(t, name) {
			if slices.ContainsFunc(acting, func(path string) bool { return isWithin(imported, path) }) {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

// Who dials whom is a matter of numbers and names, of whatever software.
func TestPeeringKnowsNothingOfTheProject(t *testing.T) {
	for _, imported := range importsOf(t, "peering") {
		if strings.HasPrefix(imported, project) {
			t.Errorf("peering imports %s", imported)
		}
	}
}

// What is known is the foundation, and each floor rests on those below it.
func TestNobodyImportsUpwards(t *testing.T) {
	floors := []string{"state", "rollout", "plan", "status", "request"}
	for floor, name := range floors {
		for _, imported := range importsOf(t, name) {
			above, found := strings.CutPrefix(imported, internal)
			if found && slices.Index(floors, above) > floor {
				t.Errorf("%s imports %s", name, above)
			}
		}
	}
}

// importsOf returns what a package beside this one imports, its tests aside.
func importsOf(t *testing.T, name string) []string {
	t.Helper()
	found, err := build.ImportDir(filepath.Join("..", name), 0)
	if err != nil {
		t.Fatal(err)
	}
	return found.Imports
}

// isWithin reports whether a package is one of those under a path.
func isWithin(imported, path string) bool {
	return imported == path || strings.HasPrefix(imported, path+"/")
}
