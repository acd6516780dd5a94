// Command schemas writes the JSON Schemas that kubeconform reads, from what is on the
// machine: the OpenAPI document of Kubernetes' module, and CustomResourceDefinitions. A
// field that no schema has is a mistake there, as with kubeconform's -strict.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: schemas FOLDER SWAGGER.JSON CRDS…")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

// run writes the schemas of all kinds into a folder.
func run(folder, swagger string, crds []string) error {
	content, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var document struct {
		Definitions map[string]map[string]any
	}
	if err := json.Unmarshal(content, &document); err != nil {
		return fmt.Errorf("read %s: %w", swagger, err)
	}
	for name, kinds := range kindsOf(document.Definitions) {
		schema := bundle(name, document.Definitions)
		for _, k := range kinds {
			if err := k.write(folder, schema); err != nil {
				return err
			}
		}
	}
	for _, path := range crds {
		if err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			return writeDefined(folder, path)
		}); err != nil {
			return err
		}
	}
	return nil
}

// A kind of objects.
type kind struct{ Group, Version, Kind string }

// write writes a kind's schema to where SCHEMAS in the Makefile looks for it.
func (k kind) write(folder string, schema map[string]any) error {
	group := k.Group
	if group == "" {
		group = k.Version // as kubeconform calls it
	}
	path := filepath.Join(folder, group, strings.ToLower(k.Kind)+"_"+k.Version+".json")
	content, err := json.Marshal(schema)
	if err != nil {
		return fmt.Errorf("write the schema of %s: %w", k.Kind, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// kindsOf returns the kinds that definitions are of, by the names of these.
func kindsOf(definitions map[string]map[string]any) map[string][]kind {
	kinds := map[string][]kind{}
	for name, definition := range definitions {
		raw, err := json.Marshal(definition["x-kubernetes-group-version-kind"])
		if err != nil {
			continue
		}
		var found []kind
		if json.Unmarshal(raw, &found) == nil && len(found) == 1 { // those of many kinds are their options
			kinds[name] = found
		}
	}
	return kinds
}

const definitionsPath = "#/definitions/"

// bundle returns the schema of a definition together with those that it refers to.
func bundle(root string, definitions map[string]map[string]any) map[string]any {
	needed := map[string]any{}
	for open := []string{root}; len(open) > 0; {
		var name string
		name, open = open[0], open[1:]
		if _, done := needed[name]; done {
			continue
		}
		needed[name] = strict(definitions[name])
		open = append(open, references(definitions[name])...)
	}
	return map[string]any{"$ref": definitionsPath + root, "definitions": needed}
}

// references returns the names of the definitions that a schema refers to.
func references(schema any) []string {
	var names []string
	switch schema := schema.(type) {
	case map[string]any:
		if target, is := schema["$ref"].(string); is {
			names = append(names, strings.TrimPrefix(target, definitionsPath))
		}
		for _, part := range schema {
			names = append(names, references(part)...)
		}
	case []any:
		for _, part := range schema {
			names = append(names, references(part)...)
		}
	}
	return names
}

// strict returns a schema that allows no fields but those that it has, and that says as
// JSON Schema does what OpenAPI says in ways of its own.
func strict(schema map[string]any) map[string]any {
	out := maps.Clone(schema)
	for _, key := range []string{"items", "additionalProperties"} {
		if part, is := schema[key].(map[string]any); is {
			out[key] = strict(part)
		}
	}
	fields, hasFields := schema["properties"].(map[string]any)
	if hasFields {
		closed := map[string]any{}
		for name, field := range fields {
			closed[name] = strict(field.(map[string]any))
		}
		out["properties"] = closed
	}
	_, hasOthers := schema["additionalProperties"]
	if hasFields && !hasOthers && schema["x-kubernetes-preserve-unknown-fields"] != true {
		out["additionalProperties"] = false
	}
	if schema["format"] == "int-or-string" {
		out["type"] = []string{"integer", "string"}
	}
	if kind, is := schema["type"].(string); is && schema["nullable"] == true {
		out["type"] = []string{kind, "null"}
	}
	return out
}

// writeDefined writes the schemas of the CustomResourceDefinitions in a file.
func writeDefined(folder, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096); ; {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := documents.Decode(&crd); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if crd.Kind != "CustomResourceDefinition" {
			continue
		}
		for _, version := range crd.Spec.Versions {
			raw, err := json.Marshal(version.Schema.OpenAPIV3Schema)
			if err != nil {
				return fmt.Errorf("read the schema of %s: %w", crd.Name, err)
			}
			var schema map[string]any
			if err := json.Unmarshal(raw, &schema); err != nil {
				return fmt.Errorf("read the schema of %s: %w", crd.Name, err)
			}
			k := kind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
			if err := k.write(folder, strict(schema)); err != nil {
				return err
			}
		}
	}
}
