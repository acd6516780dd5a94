package tenants

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/resmap"
)

// Change is what is written to a working tree, and which folders are removed.
type Change struct {
	Writes  map[string]string // by path
	Removes []string
}

// Apply makes the change in a folder.
func (c Change) Apply(dir string) error {
	for _, name := range slices.Sorted(maps.Keys(c.Writes)) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(c.Writes[name]), 0o644); err != nil {
			return err
		}
	}
	for _, name := range c.Removes {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// builds holds that a change builds in each of these clusters, and that it changes nothing
// of any other namespace.
func (f *Fleet) builds(change Change, team string, clusters []string) error {
	next, err := f.with(change)
	if err != nil {
		return err
	}
	for _, cluster := range clusters {
		before, err := f.build(cluster)
		if err != nil {
			return fmt.Errorf("before any change: %w", err)
		}
		after, err := next.build(cluster)
		if err != nil {
			return err
		}
		others, err := textOf(before, team)
		if err != nil {
			return err
		}
		same, err := textOf(after, team)
		if err != nil {
			return err
		}
		if others != same {
			return fmt.Errorf("build %s: other teams' objects would change with those of %s", cluster, team)
		}
	}
	return nil
}

// textOf returns all objects but those of a namespace.
func textOf(objects resmap.ResMap, but string) (string, error) {
	var text strings.Builder
	var failed error
	for _, object := range objects.Resources() {
		if object.GetNamespace() == but || object.GetKind() == "Namespace" && object.GetName() == but {
			continue
		}
		manifest, err := object.AsYAML()
		failed = errors.Join(failed, err)
		text.Write(manifest)
	}
	return text.String(), failed
}
