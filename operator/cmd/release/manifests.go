package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// productFolders are what a fleet repository builds on: all of gitops/ and tenants/ but
// the clusters and the teams, which are the platform's own.
var productFolders = []string{
	"gitops/clusters/base", "gitops/crds", "gitops/fence", "gitops/infrastructure", "gitops/monitoring", "gitops/operator", "gitops/policies",
	"tenants/base", "tenants/external-secrets", "tenants/leftovers.sh", "tenants/private", "tenants/sops",
}

// fleetFolders are what a fleet repository begins with.
var fleetFolders = []string{"gitops/clusters/base", "gitops/clusters/production"}

// rendered are folders of which somebody without Flux takes one file each.
var rendered = map[string]string{
	"crds.yaml":       "gitops/crds",
	"policies.yaml":   "gitops/policies",
	"operator.yaml":   "gitops/operator",
	"monitoring.yaml": "gitops/monitoring/prometheus-operator",
}

// bitcoindImage is what nodes run whose network names no image. It is published nowhere: a
// cluster's folder names another in its place.
var bitcoindImage = regexp.MustCompile(regexp.QuoteMeta(repository("bitcoind")) + `:[\w.-]+`)

// stock returns the image that the cluster `production` has in its place.
func stock(root string) (string, error) {
	const file = "gitops/clusters/production/tenants/kustomization.yaml"
	document, err := yaml.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	entry, err := document.Pipe(yaml.Lookup("images", "[name="+repository("bitcoind")+"]"))
	if err != nil || entry == nil {
		return "", errors.Join(err, fmt.Errorf("%s has no image in place of %s", file, repository("bitcoind")))
	}
	return field(entry, "newName") + ":" + field(entry, "newTag"), nil
}

// operatorImage matches the operator's image in manifests, where it has a tag, and that tag.
var operatorImage = regexp.MustCompile(regexp.QuoteMeta(repository("operator")) + `:([\w.-]+)(?:@sha256:[0-9a-f]{64})?`)

// manifests returns the product's manifests, in which the operator's image is one that
// nobody can change.
func manifests(root, image string) ([]file, error) {
	return read(root, productFolders, func(content []byte) []byte {
		return operatorImage.ReplaceAll(content, []byte(image))
	})
}

// teams matches the teams of a cluster.
var teams = regexp.MustCompile(`(?m)^resources:\n(  - \.\./\.\./\.\./\.\./tenants/.*\n)+`)

// fleet returns what a fleet repository begins with: a cluster without teams.
func fleet(root string) ([]file, error) {
	return read(root, fleetFolders, func(content []byte) []byte {
		return teams.ReplaceAll(content, []byte("resources: []\n"))
	})
}

// read returns the files of folders, edited.
func read(root string, folders []string, edit func(content []byte) []byte) ([]file, error) {
	var files []file
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, filepath.FromSlash(folder)), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, path)
			files = append(files, file{
				name:    filepath.ToSlash(relative),
				mode:    int64(0o644 | info.Mode().Perm()&0o111),
				content: edit(content),
			})
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the manifests: %w", err)
		}
	}
	return files, nil
}

// render builds a folder of the manifests into one file.
func render(files []file, folder string) ([]byte, error) {
	tree := filesys.MakeFsInMemory()
	for _, f := range files {
		if err := tree.WriteFile(f.name, f.content); err != nil {
			return nil, err
		}
	}
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(tree, folder)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", folder, err)
	}
	return objects.AsYaml()
}

// archive returns files as a .tar.gz that is the same for the same files.
func archive(files []file, modified time.Time) ([]byte, error) {
	slices.SortFunc(files, func(a, b file) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	content, err := tarOf(files, modified)
	if err != nil {
		return nil, err
	}
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := writer.Write(content); err != nil {
		return nil, err
	}
	err = writer.Close()
	return compressed.Bytes(), err
}

// artifactOf returns an archive as Flux takes it from a registry.
func artifactOf(s source, archive []byte) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.cncf.flux.config.v1+json")
	image, err := mutate.Append(image, mutate.Addendum{Layer: static.NewLayer(archive, "application/vnd.cncf.flux.content.v1.tar+gzip")})
	if err != nil {
		return nil, fmt.Errorf("make an artifact: %w", err)
	}
	return mutate.Annotations(image, s.annotations()).(v1.Image), nil
}
