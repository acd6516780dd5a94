// Command release builds, signs, publishes and verifies a release of the project. It is
// a module of its own, so that nothing of what it is built with reaches the operator.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/pflag"
)

const usage = `usage:
  release build --version=v0.2.0 [--key=cosign.key] [--root=.] [--out=dist] [--platform=linux/amd64]
        Build everything that belongs to a release into a folder, which must not exist, and
        sign it. The manifests must name the version. A release for one platform alone is for
        trying things out.
  release push [--plain-http] FOLDER [REGISTRY/PREFIX]
        Push the images in such a folder, with their signatures, to ghcr.io/bitcoin-operator
        or another place.
  release verify --key=cosign.pub FOLDER
        Verify the signature of a folder's checksums, and the checksums.
  release verify --key=cosign.pub --image [--plain-http] REFERENCE
        Verify the signature of an image in a registry, and print its digest.
  release pin KUSTOMIZATION…
        Write the digests of tags into the list of images of kustomization.yaml files.

The password of an encrypted key is read from the environment variable COSIGN_PASSWORD.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		stop()
		os.Exit(1)
	}
}

// flags are those of all commands.
type flags struct {
	build     buildOptions
	key       string
	isImage   bool
	plainHTTP bool
}

func run(ctx context.Context, args []string) error {
	var f flags
	set := pflag.NewFlagSet("release", pflag.ContinueOnError)
	set.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	set.StringVar(&f.build.version, "version", "", "The version, such as v0.2.0.")
	set.StringVar(&f.build.root, "root", ".", "The top of the repository.")
	set.StringVar(&f.build.out, "out", "dist", "The folder to write to, which must not exist.")
	set.StringVar(&f.build.platform, "platform", "", "The one platform to build for, such as linux/amd64.")
	set.StringVar(&f.key, "key", "", "The key file: the private key to build, the public key to verify.")
	set.BoolVar(&f.isImage, "image", false, "Verify an image in a registry.")
	set.BoolVar(&f.plainHTTP, "plain-http", false, "Reach the registry without TLS.")
	if err := set.Parse(args); err != nil {
		return err
	}
	command, rest := "", set.Args()
	if len(rest) > 0 {
		command, rest = rest[0], rest[1:]
	}
	switch {
	case command == "build" && len(rest) == 0:
		return buildAndSign(ctx, f)
	case command == "push" && len(rest) == 1:
		return push(ctx, rest[0], home, f.plainHTTP)
	case command == "push" && len(rest) == 2:
		return push(ctx, rest[0], strings.TrimSuffix(rest[1], "/"), f.plainHTTP)
	case command == "verify" && len(rest) == 1 && f.key != "":
		return verify(ctx, rest[0], f)
	case command == "pin" && len(rest) > 0:
		return pin(ctx, rest)
	default:
		set.Usage()
		return errors.New("no such command")
	}
}

func buildAndSign(ctx context.Context, f flags) error {
	var key signer
	if f.key == "" {
		fmt.Fprintln(os.Stderr, "release: without --key nothing is signed; use this only to try things out")
	} else {
		var err error
		if key, err = readPrivateKey(f.key); err != nil {
			return err
		}
	}
	return build(ctx, f.build, key)
}

func verify(ctx context.Context, what string, f flags) error {
	key, err := readPublicKey(f.key)
	if err != nil {
		return err
	}
	if !f.isImage {
		if err := verifyFolder(what, key); err != nil {
			return err
		}
		fmt.Println("verified", what)
		return nil
	}
	digest, err := verifyImage(ctx, what, key, f.plainHTTP)
	if err != nil {
		return err
	}
	fmt.Println("verified", digest)
	return nil
}
