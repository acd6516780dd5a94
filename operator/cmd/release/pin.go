package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// keychain has the credentials that docker login has left.
var keychain = authn.DefaultKeychain

// pin writes, into the lists of images of kustomization.yaml files, what the tags are in
// their registries. A file is written when all of its tags are known, or not at all.
func pin(ctx context.Context, paths []string) error {
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pinned, err := pinImages(content, func(image string) (string, error) { return digestOf(ctx, image) })
		if err != nil {
			return fmt.Errorf("pin the images of %s: %w", path, err)
		}
		if err := os.WriteFile(path, pinned, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func digestOf(ctx context.Context, image string) (string, error) {
	reference, err := name.ParseReference(image)
	if err != nil {
		return "", err
	}
	found, err := remote.Head(reference, remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain))
	if err != nil {
		return "", fmt.Errorf("ask for the digest of %s: %w", image, err)
	}
	return found.Digest.String(), nil
}

// pinImages writes the digest of each image that has a tag, and leaves all else as it is
// written.
func pinImages(content []byte, digestOf func(image string) (string, error)) ([]byte, error) {
	var pinned bytes.Buffer
	file := kio.ByteReadWriter{Reader: bytes.NewReader(content), Writer: &pinned, PreserveSeqIndent: true}
	documents, err := file.Read()
	if err != nil {
		return nil, err
	}
	for _, document := range documents {
		images, err := document.Pipe(yaml.Lookup("images"))
		if err != nil {
			return nil, err
		}
		if images == nil {
			continue
		}
		if err := images.VisitElements(func(entry *yaml.RNode) error { return pinImage(entry, digestOf) }); err != nil {
			return nil, err
		}
	}
	err = file.Write(documents)
	return pinned.Bytes(), err
}

func pinImage(entry *yaml.RNode, digestOf func(image string) (string, error)) error {
	tag := field(entry, "newTag")
	if tag == "" {
		return nil
	}
	digest, err := digestOf(cmp.Or(field(entry, "newName"), field(entry, "name")) + ":" + tag)
	if err != nil {
		return err
	}
	return entry.PipeE(yaml.SetField("digest", yaml.NewStringRNode(digest)))
}

// field returns a field's text, or none.
func field(entry *yaml.RNode, name string) string {
	value := entry.Field(name)
	if value == nil {
		return ""
	}
	return value.Value.YNode().Value
}
