package images

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProgram(t *testing.T) {
	dir := t.TempDir()
	binary, file := filepath.Join(dir, "binary"), filepath.Join(dir, "image.tar")
	if err := os.WriteFile(binary, []byte("#!"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := Program{Name: "example.com/x:1", Path: "/usr/bin/x", Command: "x", User: "65534:65534"}
	if err := p.Archive(binary, file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := untar(t, data)
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal([]byte(files["manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest) != 1 || len(manifest[0].Layers) != 1 || manifest[0].RepoTags[0] != p.Name {
		t.Fatalf("manifest: %+v", manifest)
	}
	config := files[manifest[0].Config]
	for _, want := range []string{`"Entrypoint":["x"]`, `"User":"65534:65534"`, "sha256:" + strings.TrimSuffix(manifest[0].Layers[0], ".tar")} {
		if !strings.Contains(config, want) {
			t.Errorf("%s is not in %s", want, config)
		}
	}
	layer := untar(t, []byte(files[manifest[0].Layers[0]]))
	if len(layer) != 3 || layer["usr/bin/x"] != "#!" {
		t.Errorf("layer: %v", layer)
	}
	if err := p.Archive(binary, file); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(file); !bytes.Equal(again, data) {
		t.Error("made again, the image is another one")
	}

	base := filepath.Join(dir, "base.tar")
	if err := Layer(binary, "/usr/bin/y", base); err != nil {
		t.Fatal(err)
	}
	if err := p.Archive(binary, file, base); err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	files, program := untar(t, data), manifest[0].Layers[0]
	if err := json.Unmarshal([]byte(files["manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if layers := manifest[0].Layers; len(layers) != 2 || untar(t, []byte(files[layers[0]]))["usr/bin/y"] != "#!" || layers[1] != program {
		t.Errorf("the program is not above its base: %v", layers)
	}
	if left, _ := os.ReadDir(dir); len(left) != 3 {
		t.Errorf("left behind: %v", left)
	}
}

func untar(t *testing.T, data []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = string(content)
	}
}
