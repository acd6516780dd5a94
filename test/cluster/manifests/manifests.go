// Package manifests has what runs inside the cluster: what any cluster that
// people use has, in the form in which they would apply it.
package manifests

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"text/template"
)

//go:embed *.yaml
var files embed.FS

// Values are what differs from clone to clone.
type Values struct {
	DNS     string // address of the cluster's DNS server
	Domain  string
	Volumes string // folder on the machine for the claims' volumes
	Helper  string // an image with a shell, to make and remove those
}

// All returns the manifests as one stream of documents.
func All(v Values) ([]byte, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, name := range names {
		t, err := template.New(name).Delims("<<", ">>").Option("missingkey=error").ParseFS(files, name)
		if err != nil {
			return nil, err
		}
		out.WriteString("---\n")
		if err := t.Execute(&out, v); err != nil {
			return nil, fmt.Errorf("render %s: %w", name, err)
		}
	}
	return out.Bytes(), nil
}
