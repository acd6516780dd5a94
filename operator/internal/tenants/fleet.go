package tenants

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	kustomize "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// The folders of the fleet repository.
const (
	folder         = "tenants"
	clustersFolder = "gitops/clusters"
	baseFolder     = folder + "/base"

	kustomizationFile = "kustomization.yaml"
	valuesFile        = "tenant.yaml"
)

// Fleet is a working tree of the fleet repository, read into memory: what is to be written
// is built there first. Paths in it begin at its top.
type Fleet struct {
	files filesys.FileSystem
}

// Read reads the working tree in a folder, but for what begins with a dot. Where the fleet
// repository refers to a release, what it takes from there is read from another folder,
// which has that release's manifests.
func Read(dir, release string) (*Fleet, error) {
	f := &Fleet{filesys.MakeFsInMemory()}
	if release != "" {
		if err := f.add(release, isOfRelease); err != nil {
			return nil, fmt.Errorf("read the release's manifests: %w", err)
		}
		if !f.files.Exists("/" + baseFolder) {
			return nil, fmt.Errorf("%s does not have a release's manifests: it has no folder %s", release, baseFolder)
		}
	}
	if err := f.add(dir, func(string) bool { return true }); err != nil {
		return nil, fmt.Errorf("read the fleet repository: %w", err)
	}
	if !f.files.Exists("/" + clustersFolder) {
		return nil, fmt.Errorf("%s is not a fleet repository: it has no folder %s", dir, clustersFolder)
	}
	return f, nil
}

// components are the folders with what teams have in common, or may have.
var components = []string{baseFolder, folder + "/private", folder + "/" + SOPS, folder + "/" + ExternalSecrets}

// isOfRelease tells which files a fleet repository takes from a release: all but those of
// clusters and teams, which are its own.
func isOfRelease(name string) bool {
	return strings.HasPrefix(name, "gitops/") && !strings.HasPrefix(name, clustersFolder+"/") ||
		slices.ContainsFunc(components, func(component string) bool { return strings.HasPrefix(name, component+"/") })
}

// add reads files of a folder.
func (f *Fleet) add(dir string, wanted func(name string) bool) error {
	return fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case !entry.Type().IsRegular() || !wanted(name):
			return nil
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		return f.files.WriteFile("/"+name, content)
	})
}

// with returns the working tree as it would be after a change.
func (f *Fleet) with(change Change) (*Fleet, error) {
	next := &Fleet{filesys.MakeFsInMemory()}
	err := f.files.Walk("/", func(name string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() || slices.ContainsFunc(change.Removes, func(removed string) bool { return strings.HasPrefix(name, "/"+removed+"/") }) {
			return err
		}
		content, err := f.files.ReadFile(name)
		if err != nil {
			return err
		}
		return next.files.WriteFile(name, content)
	})
	for name, content := range change.Writes {
		err = errors.Join(err, next.files.WriteFile("/"+name, []byte(content)))
	}
	return next, err
}

// Clusters are the names of the clusters that have tenants.
func (f *Fleet) Clusters() ([]string, error) {
	names, err := f.files.ReadDir("/" + clustersFolder)
	if err != nil {
		return nil, fmt.Errorf("read the fleet repository: %w", err)
	}
	var clusters []string
	for _, name := range names {
		if f.files.Exists("/" + registration(name)) {
			clusters = append(clusters, name)
		}
	}
	slices.Sort(clusters)
	return clusters, nil
}

// registration is the file in which a cluster lists its tenants.
func registration(cluster string) string {
	return path.Join(clustersFolder, cluster, "tenants", kustomizationFile)
}

// Teams are the names of the folders of teams.
func (f *Fleet) Teams() ([]string, error) {
	if !f.files.Exists("/" + folder) {
		return nil, nil // before the first
	}
	names, err := f.files.ReadDir("/" + folder)
	if err != nil {
		return nil, fmt.Errorf("read the fleet repository: %w", err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !f.files.Exists("/" + path.Join(folder, name, valuesFile)) })
	slices.Sort(names)
	return names, nil
}

// In returns the clusters that a team is in.
func (f *Fleet) In(team string) ([]string, error) {
	clusters, err := f.Clusters()
	if err != nil {
		return nil, err
	}
	var in []string
	for _, cluster := range clusters {
		listed, err := f.kustomization(registration(cluster))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(listed.Resources, func(resource string) bool { return teamOf(resource) == team }) {
			in = append(in, cluster)
		}
	}
	return in, nil
}

// teamOf returns the team whose folder a cluster's resource is, if it is one's.
func teamOf(resource string) string {
	found, isTeams := strings.CutPrefix(path.Join(path.Dir(registration("any")), resource), folder+"/")
	if !isTeams || strings.Contains(found, "/") {
		return ""
	}
	return found
}

func (f *Fleet) kustomization(name string) (kustomize.Kustomization, error) {
	var found kustomize.Kustomization
	content, err := f.files.ReadFile("/" + name)
	if err == nil {
		err = yaml.Unmarshal(content, &found)
	}
	if err != nil {
		return found, fmt.Errorf("read %s: %w", name, err)
	}
	return found, nil
}

// values returns what a team's tenant.yaml says.
func (f *Fleet) values(team string) (Values, error) {
	var bounds struct {
		Data Values `json:"data"`
	}
	name := path.Join(folder, team, valuesFile)
	content, err := f.files.ReadFile("/" + name)
	if err == nil {
		err = yaml.Unmarshal(content, &bounds)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return bounds.Data, nil
}

// build returns what a cluster's tenants are made of.
func (f *Fleet) build(cluster string) (resmap.ResMap, error) {
	if !f.files.Exists("/" + baseFolder) {
		return nil, fmt.Errorf("there is no folder %s: where the fleet repository refers to a release, unpack that release's manifests, and set --release to their folder", baseFolder)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(f.files, "/"+path.Dir(registration(cluster)))
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", path.Dir(registration(cluster)), err)
	}
	return built, nil
}
