// Package images makes container images, without a registry, and loads them
// into the cluster.
package images

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A Program is an image of one static binary and nothing else.
type Program struct {
	Name    string // with the registry, as manifests name it
	Path    string // of the binary in the image
	Command string // how manifests call it; the path where that is empty
	User    string
}

// Archive writes the image as `docker save` would, from the binary.
func (p Program) Archive(binary, file string) error {
	layer, err := os.CreateTemp(filepath.Dir(file), "layer-")
	if err != nil {
		return err
	}
	defer os.Remove(layer.Name())
	defer layer.Close()
	if err := p.layer(binary, layer); err != nil {
		return fmt.Errorf("image %s: %w", p.Name, err)
	}
	entrypoint := p.Command
	if entrypoint == "" {
		entrypoint = p.Path
	}
	return Archive(p.Name, layer.Name(), file, map[string]any{
		"Entrypoint": []string{entrypoint},
		"User":       p.User,
		"Env":        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	})
}

func (p Program) layer(binary string, out io.Writer) error {
	in, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	path := strings.TrimPrefix(p.Path, "/")
	for i, r := range path {
		if r != '/' {
			continue
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: path[:i+1], Mode: 0o755}); err != nil {
			return err
		}
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o755, Size: info.Size()}); err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	return w.Close()
}

// Archive writes an image of one layer, which is a tar file. Times are left
// out, so that the same content gives the same image.
func Archive(name, layer, file string, config map[string]any) error {
	in, err := os.Open(layer)
	if err != nil {
		return err
	}
	defer in.Close()
	digest := sha256.New()
	size, err := io.Copy(digest, in)
	if err != nil {
		return err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	layerID := hex.EncodeToString(digest.Sum(nil))
	image, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       config,
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layerID}},
	})
	if err != nil {
		return err
	}
	imageID := sha256.Sum256(image)
	imageFile, layerFile := hex.EncodeToString(imageID[:])+".json", layerID+".tar"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": imageFile, "RepoTags": []string{name}, "Layers": []string{layerFile},
	}})
	if err != nil {
		return err
	}

	tmp := file + ".new"
	out, err := os.Create(tmp)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	defer out.Close()
	w := tar.NewWriter(out)
	for _, f := range []struct {
		name string
		data []byte
	}{{"manifest.json", manifest}, {imageFile, image}} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o644, Size: int64(len(f.data))}); err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: layerFile, Mode: 0o644, Size: size}); err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}
