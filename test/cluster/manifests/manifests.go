// Package manifests has what runs inside the cluster: what any cluster that
// people use has, in the form in which they would apply it.
package manifests

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template"
)

//go:embed *.yaml monitoring/*.yaml
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
		rendered, err := render(name, v)
		if err != nil {
			return nil, err
		}
		out.WriteString("---\n")
		out.Write(rendered)
	}
	return out.Bytes(), nil
}

// MonitoringValues are what a Prometheus and an Alertmanager are made with.
type MonitoringValues struct {
	Image        string
	Alertmanager string // its configuration
	Receiver     string // a URL to which alerts are posted as to Slack
}

// Monitoring returns the manifests of a Prometheus and an Alertmanager.
func Monitoring(v MonitoringValues) ([]byte, error) {
	return render("monitoring/monitoring.yaml", v)
}

func render(name string, values any) ([]byte, error) {
	t, err := template.New(path.Base(name)).Delims("<<", ">>").Option("missingkey=error").
		Funcs(template.FuncMap{"indent": indent}).ParseFS(files, name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, values); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// indent puts spaces before each line of a text, so that it is part of a YAML block.
func indent(by int, text string) string {
	before := strings.Repeat(" ", by)
	return before + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+before)
}
