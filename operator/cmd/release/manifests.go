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
)

// productFolders are what a fleet repository builds on: all of gitops/ and tenants/ but
// the clusters and the teams, which are the platform's own.
var productFolders = []string{
	"gitops/clusters/base", "gitops/crds", "gitops/fence", "gitops/infrastructure", "gitops/monitoring", "gitops/operator", "gitops/policies",
	"tenants/base", "tenants/external-secrets", "tenants/leftovers.sh", "tenants/private", "tenants/sops",
}

// rendered are folders of which somebody without Flux takes one file each.
var rendered = map[string]string{
	"crds.yaml":     "gitops/crds",
	"policies.yaml": "gitops/policies",
	"operator.yaml": "gitops/operator",
}

// operatorImage matches the operator's image in manifests, where it has a tag.
var operatorImage = regexp.MustCompile(regexp.QuoteMeta(repository("operator")) + `:[\w.-]+(@sha256:[0-9a-f]{64})?`)

// manifests returns the product's manifests, in which the operator's image is one that
// nobody can change.
func manifests(root, image string) ([]file, error) {
	var files []file
	for _, folder := range productFolders {
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
				content: operatorImage.ReplaceAll(content, []byte(image)),
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
