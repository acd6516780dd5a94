package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A program is what an image has of one machine's.
type program struct {
	name    string
	content []byte
}

// imageOf returns an image of nothing but programs, of which it runs the first: what the
// Dockerfile describes.
func imageOf(s source, m machine, programs []program) (v1.Image, error) {
	var files []file
	for _, p := range programs {
		files = append(files, file{name: p.name, mode: 0o755, content: p.content})
	}
	archive, err := tarOf(files, s.created)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, fmt.Errorf("make a layer: %w", err)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, fmt.Errorf("add a layer: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = m.os, m.arch, v1.Time{Time: s.created}
	config.Config = v1.Config{User: "65532:65532", Entrypoint: []string{"/" + programs[0].name}, Labels: s.annotations()}
	return mutate.ConfigFile(image, config)
}

// indexOf returns one image for several machines.
func indexOf(s source, images map[machine]v1.Image, order []machine) v1.ImageIndex {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, m := range order {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        images[m],
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: m.os, Architecture: m.arch}},
		})
	}
	return mutate.Annotations(index, s.annotations()).(v1.ImageIndex)
}

// annotations say what an image was built from.
func (s source) annotations() map[string]string {
	return map[string]string{
		"org.opencontainers.image.source":   "https://github.com/bitcoin-operator/bitcoin-operator",
		"org.opencontainers.image.version":  s.version,
		"org.opencontainers.image.revision": s.revision,
		"org.opencontainers.image.created":  s.created.Format(time.RFC3339),
		"org.opencontainers.image.licenses": "Apache-2.0",
	}
}

// A file is one of an archive.
type file struct {
	name    string
	mode    int64
	content []byte
}

// tarOf returns an archive that is the same for the same files.
func tarOf(files []file, modified time.Time) ([]byte, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, f := range files {
		header := &tar.Header{Name: filepath.ToSlash(f.name), Mode: f.mode, Size: int64(len(f.content)), ModTime: modified, Typeflag: tar.TypeReg}
		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("archive %s: %w", f.name, err)
		}
		if _, err := writer.Write(f.content); err != nil {
			return nil, fmt.Errorf("archive %s: %w", f.name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("end an archive: %w", err)
	}
	return archive.Bytes(), nil
}
