// Package images makes container images, without a registry, and loads them
// into the cluster.
package images

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// A Program is an image of one static binary, and of what else is on its base.
type Program struct {
	Name    string // with the registry, as manifests name it
	Path    string // of the binary in the image
	Command string // how manifests call it; the path where that is empty
	User    string
	Base    string // a part whose root file system is below; nothing where that is empty
}

// Archive writes the image as `docker save` would, from the binary, above a root file
// system where there is one.
func (p Program) Archive(binary, file string, base ...string) error {
	layer := file + ".layer"
	defer os.Remove(layer)
	if err := Layer(binary, p.Path, layer); err != nil {
		return fmt.Errorf("image %s: %w", p.Name, err)
	}
	entrypoint := p.Command
	if entrypoint == "" {
		entrypoint = p.Path
	}
	return Archive(p.Name, file, append(base, layer), map[string]any{
		"Entrypoint": []string{entrypoint},
		"User":       p.User,
		"Env":        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	})
}

// Layer writes a layer of an image, which has a binary at that path.
func Layer(binary, path, file string) error {
	in, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	w := tar.NewWriter(out)
	path = strings.TrimPrefix(path, "/")
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
	return errors.Join(w.Close(), out.Close())
}

// Archive writes an image of layers, which are tar files. Times are left out, so that
// the same content gives the same image.
func Archive(name, file string, layers []string, config map[string]any) error {
	var ids, files []string
	for _, layer := range layers {
		id, err := digest(layer)
		if err != nil {
			return err
		}
		ids, files = append(ids, "sha256:"+id), append(files, id+".tar")
	}
	image, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       config,
		"rootfs":       map[string]any{"type": "layers", "diff_ids": ids},
	})
	if err != nil {
		return err
	}
	imageID := sha256.Sum256(image)
	imageFile := hex.EncodeToString(imageID[:]) + ".json"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": imageFile, "RepoTags": []string{name}, "Layers": files,
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
	if err := add(w, "manifest.json", int64(len(manifest)), bytes.NewReader(manifest)); err != nil {
		return err
	}
	if err := add(w, imageFile, int64(len(image)), bytes.NewReader(image)); err != nil {
		return err
	}
	for i, layer := range layers {
		if err := addFile(w, files[i], layer); err != nil {
			return err
		}
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

func digest(file string) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, in)
	return hex.EncodeToString(sum.Sum(nil)), err
}

func addFile(w *tar.Writer, name, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	return add(w, name, info.Size(), in)
}

func add(w *tar.Writer, name string, size int64, content io.Reader) error {
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size}); err != nil {
		return err
	}
	_, err := io.Copy(w, content)
	return err
}
