package main

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// releaseFile says which release a fleet begins with.
const releaseFile = "gitops/clusters/production/release/release.yaml"

// naming are the manifests that name the version. A fleet refers to the repository at a
// tag, and runs what these name there.
var naming = []string{
	"gitops/operator/deployment.yaml",
	"gitops/infrastructure/sealing-certificate/publisher.yaml",
	releaseFile,
}

// namesItself holds that a fleet at the tag of the version runs that version: the manifests
// name it, and no other.
func namesItself(s source) error {
	files, err := read(s.root, slices.Concat(productFolders, fleetFolders), unchanged)
	if err != nil {
		return err
	}
	isNamed := map[string]bool{}
	var wrong []error
	for _, f := range files {
		named, err := versionsIn(f)
		if err != nil {
			return fmt.Errorf("read which version %s names: %w", f.name, err)
		}
		for _, version := range named {
			isNamed[f.name] = true
			if version != s.version {
				wrong = append(wrong, fmt.Errorf("%s names %s, not %s: a fleet at the tag %[3]s would not run it", f.name, version, s.version))
			}
		}
	}
	for _, name := range naming {
		if !isNamed[name] {
			wrong = append(wrong, fmt.Errorf("%s names no version: a fleet at the tag %s would not run it", name, s.version))
		}
	}
	return errors.Join(wrong...)
}

// versionsIn returns the versions in a manifest's fields: the tags of the operator's
// images, and of the release that a fleet begins with. What a comment says does not count.
func versionsIn(f file) ([]string, error) {
	if path.Ext(f.name) != ".yaml" {
		return nil, nil
	}
	documents, err := kio.FromBytes(f.content)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, document := range documents {
		for _, text := range texts(document.YNode()) {
			for _, image := range operatorImage.FindAllStringSubmatch(text, -1) {
				found = append(found, image[1])
			}
		}
		more := [][]string{{"images", "[name=" + repository("operator") + "]", "newTag"}}
		if f.name == releaseFile {
			more = append(more, []string{"data", "tag"})
		}
		for _, at := range more {
			tag, err := document.Pipe(yaml.Lookup(at...))
			if err != nil {
				return nil, err
			}
			if tag != nil {
				found = append(found, tag.YNode().Value)
			}
		}
	}
	return found, nil
}

// texts returns the scalars of a YAML node.
func texts(node *yaml.Node) []string {
	if node.Kind == yaml.ScalarNode {
		return []string{node.Value}
	}
	var all []string
	for _, child := range node.Content {
		all = append(all, texts(child)...)
	}
	return all
}

func unchanged(content []byte) []byte { return content }
