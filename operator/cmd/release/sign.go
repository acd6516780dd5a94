package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/payload"
)

// Signatures are cosign's, with a key and without a transparency log: `cosign verify
// --key` and Flux's OCIRepository know them. Those of files openssl knows, too.
const (
	simpleSigning       = types.MediaType("application/vnd.dev.cosign.simplesigning.v1+json")
	signatureAnnotation = "dev.cosignproject.cosign/signature"
)

// mostSignature is more than a signature and what is signed have in bytes.
const mostSignature = 64 << 10

type (
	signer   = signature.Signer
	verifier = signature.Verifier
)

func readPrivateKey(file string) (signer, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	key, err := cryptoutils.UnmarshalPEMToPrivateKey(content, cryptoutils.StaticPasswordFunc([]byte(os.Getenv("COSIGN_PASSWORD"))))
	if err != nil {
		return nil, fmt.Errorf("read the key in %s: %w", file, err)
	}
	return signature.LoadSigner(key, crypto.SHA256)
}

func readPublicKey(file string) (verifier, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	key, err := cryptoutils.UnmarshalPEMToPublicKey(content)
	if err != nil {
		return nil, fmt.Errorf("read the key in %s: %w", file, err)
	}
	return signature.LoadVerifier(key, crypto.SHA256)
}

// sign returns the signature of a text as it stands in files and annotations.
func sign(text []byte, key signer) (string, error) {
	signed, err := key.SignMessage(bytes.NewReader(text))
	return base64.StdEncoding.EncodeToString(signed), err
}

func verifySignature(text []byte, signed string, key verifier) error {
	decoded, err := base64.StdEncoding.DecodeString(signed)
	if err != nil {
		return fmt.Errorf("decode the signature: %w", err)
	}
	return key.VerifySignature(bytes.NewReader(decoded), bytes.NewReader(text))
}

// signatureTag is where cosign looks for the signature of an image.
func signatureTag(digest v1.Hash) string { return digest.Algorithm + "-" + digest.Hex + ".sig" }

// signatureOf returns the image that is the signature of another, in a repository.
func signatureOf(digest v1.Hash, repository string, key signer) (v1.Image, error) {
	of, err := name.NewDigest(repository + "@" + digest.String())
	if err != nil {
		return nil, fmt.Errorf("name what is signed: %w", err)
	}
	text, err := payload.Cosign{Image: of}.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode what is signed: %w", err)
	}
	signed, err := sign(text, key)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", of, err)
	}
	return mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
		Layer:       static.NewLayer(text, simpleSigning),
		Annotations: map[string]string{signatureAnnotation: signed},
	})
}

// verifyImage makes sure that an image in a registry is signed by a key, and returns its
// digest, by which it can be had as it was signed.
func verifyImage(ctx context.Context, image string, key verifier, plainHTTP bool) (name.Digest, error) {
	reference, err := name.ParseReference(image, insecure(plainHTTP)...)
	if err != nil {
		return name.Digest{}, err
	}
	found, err := remote.Get(reference, remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain))
	if err != nil {
		return name.Digest{}, fmt.Errorf("read image %s: %w", image, err)
	}
	signatures, err := remote.Image(reference.Context().Tag(signatureTag(found.Digest)), remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain))
	if err != nil {
		return name.Digest{}, fmt.Errorf("read the signature of image %s: %w", image, err)
	}
	manifest, err := signatures.Manifest()
	if err != nil {
		return name.Digest{}, fmt.Errorf("read the signature of image %s: %w", image, err)
	}
	wrong := errors.New("it has no signature")
	for _, layer := range manifest.Layers {
		if layer.MediaType != simpleSigning {
			continue
		}
		if wrong = verifyLayer(signatures, layer, found.Digest, key); wrong == nil {
			return reference.Context().Digest(found.Digest.String()), nil
		}
	}
	return name.Digest{}, fmt.Errorf("image %s is not signed by this key: %w", image, wrong)
}

func verifyLayer(signatures v1.Image, descriptor v1.Descriptor, digest v1.Hash, key verifier) error {
	layer, err := signatures.LayerByDigest(descriptor.Digest)
	if err != nil {
		return err
	}
	content, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer content.Close()
	text, err := io.ReadAll(io.LimitReader(content, mostSignature))
	if err != nil {
		return err
	}
	if err := verifySignature(text, descriptor.Annotations[signatureAnnotation], key); err != nil {
		return err
	}
	// What is signed must be this image, and no other of the same releaser.
	var signed payload.SimpleContainerImage
	if err := json.Unmarshal(text, &signed); err != nil {
		return fmt.Errorf("read what is signed: %w", err)
	}
	if signed.Critical.Image.DockerManifestDigest != digest.String() {
		return fmt.Errorf("the signature is for %s", signed.Critical.Image.DockerManifestDigest)
	}
	return nil
}

func insecure(plainHTTP bool) []name.Option {
	if plainHTTP {
		return []name.Option{name.Insecure}
	}
	return nil
}
