package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	// home is where the project's images are.
	home = "ghcr.io/bitcoin-operator"
	// imagesFolder has a folder for each repository, an OCI layout.
	imagesFolder = "images"
	// refName is the annotation by which an image in a layout has its tag.
	refName = "org.opencontainers.image.ref.name"
)

func repository(image string) string { return home + "/" + image }

// writeLayout writes an image, and its signature where there is a key, as an OCI layout.
func writeLayout(folder, repository, tag string, add func(layout.Path, ...layout.Option) error, digest v1.Hash, key signer) error {
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return fmt.Errorf("begin an OCI layout in %s: %w", folder, err)
	}
	if err := add(path, tagged(tag)); err != nil {
		return fmt.Errorf("write an image to %s: %w", folder, err)
	}
	if key == nil {
		return nil
	}
	signature, err := signatureOf(digest, repository, key)
	if err != nil {
		return err
	}
	if err := path.AppendImage(signature, tagged(signatureTag(digest))); err != nil {
		return fmt.Errorf("write a signature to %s: %w", folder, err)
	}
	return nil
}

func tagged(tag string) layout.Option {
	return layout.WithAnnotations(map[string]string{refName: tag})
}

// push pushes the images of a release, with their signatures.
func push(ctx context.Context, folder, prefix string, plainHTTP bool) error {
	repositories, err := os.ReadDir(filepath.Join(folder, imagesFolder))
	if err != nil {
		return fmt.Errorf("read the release in %s: %w", folder, err)
	}
	for _, entry := range repositories {
		to, err := name.NewRepository(prefix+"/"+entry.Name(), insecure(plainHTTP)...)
		if err != nil {
			return err
		}
		if err := pushLayout(ctx, filepath.Join(folder, imagesFolder, entry.Name()), to); err != nil {
			return err
		}
	}
	return nil
}

func pushLayout(ctx context.Context, folder string, to name.Repository) error {
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return fmt.Errorf("read the OCI layout in %s: %w", folder, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return fmt.Errorf("read the OCI layout in %s: %w", folder, err)
	}
	for _, found := range manifest.Manifests {
		tag := to.Tag(found.Annotations[refName])
		if err := pushOne(ctx, index, found, tag); err != nil {
			return fmt.Errorf("push %s: %w", tag, err)
		}
		fmt.Println("pushed", tag, found.Digest)
	}
	return nil
}

func pushOne(ctx context.Context, in v1.ImageIndex, found v1.Descriptor, tag name.Tag) error {
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain)}
	if found.MediaType.IsIndex() {
		index, err := in.ImageIndex(found.Digest)
		if err != nil {
			return err
		}
		return remote.WriteIndex(tag, index, options...)
	}
	image, err := in.Image(found.Digest)
	if err != nil {
		return err
	}
	return remote.Write(tag, image, options...)
}
