package manifests

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What keeps tenants apart on a real cluster must do so here.
func TestFluxIsLockedDown(t *testing.T) {
	lockdown, err := os.ReadFile("../../../gitops/clusters/base/lockdown/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	flux, err := files.ReadFile("flux.yaml")
	if err != nil {
		t.Fatal(err)
	}
	added := flagsIn(string(lockdown), "value: ")
	installed := flagsIn(string(flux), "- ")

	for _, controller := range []string{"source-controller", "kustomize-controller"} {
		if len(installed[controller]) == 0 {
			t.Errorf("no flag of %s was found", controller)
		}
	}
	compared := 0
	for target, flags := range added {
		pattern := regexp.MustCompile("^(" + target + ")$")
		for controller, have := range installed {
			if !pattern.MatchString(controller) {
				continue
			}
			for _, flag := range flags {
				compared++
				if !slices.Contains(have, flag) {
					t.Errorf("%s runs without %s", controller, flag)
				}
			}
		}
	}
	if compared == 0 {
		t.Error("the lock-down adds nothing to what is installed")
	}
}

// flagsIn returns the flags in a text of YAML, each on a line with this prefix, by
// the object that was named last.
func flagsIn(text, prefix string) map[string][]string {
	flags := make(map[string][]string)
	var name string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if after, ok := strings.CutPrefix(line, "name: "); ok {
			name = after
		}
		if flag, ok := strings.CutPrefix(line, prefix); ok && strings.HasPrefix(flag, "--") {
			flags[name] = append(flags[name], flag)
		}
	}
	return flags
}
