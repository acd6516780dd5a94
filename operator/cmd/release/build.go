package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

var (
	// inImage are the commands in the operator's image, which runs the first.
	inImage = []string{"operator", "publish-certificate", "bitcoind-start"}
	// imageMachines are those that nodes of Kubernetes have.
	imageMachines = []machine{{"linux", "amd64"}, {"linux", "arm64"}}
	// people are those that people have.
	people = []machine{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}}
)

// plugin is the command for people's own machines.
const plugin = "kubectl-btcnet"

// In a fleet, sources have the version in their names: so it has no capital letters, and
// does not end in a dot or dash.
var versions = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9a-z]+([.-][0-9a-z]+)*)?$`)

type buildOptions struct {
	version, root, out string
	// platform is the only one to build for, if one is named.
	platform string
}

// only returns those of machines that are to be built for.
func (o buildOptions) only(machines []machine) []machine {
	if o.platform == "" {
		return machines
	}
	return slices.DeleteFunc(slices.Clone(machines), func(m machine) bool { return m.os+"/"+m.arch != o.platform })
}

// build makes a release in a folder.
func build(ctx context.Context, opts buildOptions, key signer) error {
	if !versions.MatchString(opts.version) {
		return fmt.Errorf("flag --version: %q is not a version such as v0.2.0", opts.version)
	}
	images, commands := opts.only(imageMachines), opts.only(people)
	if len(images) == 0 {
		return fmt.Errorf("flag --platform: there is no image for %q: it must be one of %v", opts.platform, imageMachines)
	}
	s, err := sourceOf(ctx, opts.root, opts.version)
	if err != nil {
		return err
	}
	if key != nil && !s.isClean {
		return errors.New("there are uncommitted changes: what is signed is built from a commit")
	}
	if err := namesItself(s); err != nil {
		return err
	}
	if err := os.Mkdir(opts.out, 0o755); err != nil {
		return fmt.Errorf("make the folder of the release: %w", err)
	}
	digest, err := buildImage(ctx, s, images, opts.out, key)
	if err != nil {
		return err
	}
	if err := buildManifests(s, opts.out, repository("operator")+":"+s.version+"@"+digest.String(), key); err != nil {
		return err
	}
	if err := buildPlugin(ctx, s, commands, opts.out); err != nil {
		return err
	}
	return writeChecksums(opts.out, key)
}

// buildImage makes the operator's image, and says what its programs are made of. It
// returns the image's digest.
func buildImage(ctx context.Context, s source, machines []machine, out string, key signer) (v1.Hash, error) {
	images := map[machine]v1.Image{}
	for _, m := range machines {
		var programs []program
		for _, command := range inImage {
			content, err := s.program(ctx, out, command, m)
			if err != nil {
				return v1.Hash{}, err
			}
			programs = append(programs, program{command, content})
		}
		image, err := imageOf(s, m, programs)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("make the image for %s: %w", m, err)
		}
		images[m] = image
	}
	index := indexOf(s, images, machines)
	digest, err := index.Digest()
	if err != nil {
		return digest, err
	}
	return digest, writeLayout(filepath.Join(out, imagesFolder, "operator"), repository("operator"), s.version,
		func(path layout.Path, options ...layout.Option) error { return path.AppendIndex(index, options...) }, digest, key)
}

// program builds a command, and says in the release what it is made of.
func (s source) program(ctx context.Context, out, command string, m machine) ([]byte, error) {
	folder, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	built := filepath.Join(folder, command)
	if err := s.compile(ctx, command, m, built); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(built)
	if err != nil {
		return nil, err
	}
	bom, err := sbom(s, command, content)
	if err != nil {
		return nil, err
	}
	return content, write(out, fmt.Sprintf("sbom/%s_%s.cdx.json", command, m), bom)
}

// buildManifests makes what a cluster applies: a file each of what some people apply by
// hand, and all of it for a fleet repository, as an archive and for Flux.
func buildManifests(s source, out, image string, key signer) error {
	files, err := manifests(s.root, image)
	if err != nil {
		return err
	}
	bitcoind, err := stock(s.root)
	if err != nil {
		return err
	}
	for name, folder := range rendered {
		content, err := render(files, folder)
		if err != nil {
			return err
		}
		content = bitcoindImage.ReplaceAll(content, []byte(bitcoind))
		if err := write(out, name, content); err != nil {
			return err
		}
	}
	content, err := archive(files, s.created)
	if err != nil {
		return err
	}
	if err := write(out, "manifests_"+s.version+".tar.gz", content); err != nil {
		return err
	}
	if err := buildFleet(s, out); err != nil {
		return err
	}
	artifact, err := artifactOf(s, content)
	if err != nil {
		return err
	}
	digest, err := artifact.Digest()
	if err != nil {
		return err
	}
	return writeLayout(filepath.Join(out, imagesFolder, "manifests"), repository("manifests"), s.version,
		func(path layout.Path, options ...layout.Option) error { return path.AppendImage(artifact, options...) }, digest, key)
}

// buildFleet makes an archive of what a fleet repository begins with.
func buildFleet(s source, out string) error {
	files, err := fleet(s.root)
	if err != nil {
		return err
	}
	content, err := archive(files, s.created)
	if err != nil {
		return err
	}
	return write(out, "fleet_"+s.version+".tar.gz", content)
}

// buildPlugin makes archives of the command for people, where the repository has it.
func buildPlugin(ctx context.Context, s source, machines []machine, out string) error {
	if _, err := os.Stat(filepath.Join(s.root, "operator", "cmd", plugin)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	licence, err := os.ReadFile(filepath.Join(s.root, "LICENSE"))
	if err != nil {
		return err
	}
	for _, m := range machines {
		content, err := s.program(ctx, out, plugin, m)
		if err != nil {
			return err
		}
		name := plugin
		if m.os == "windows" {
			name += ".exe"
		}
		packed, err := archive([]file{{name, 0o755, content}, {"LICENSE", 0o644, licence}}, s.created)
		if err != nil {
			return err
		}
		if err := write(out, fmt.Sprintf("%s_%s_%s.tar.gz", plugin, s.version, m), packed); err != nil {
			return err
		}
	}
	return nil
}

// write writes a file of the release.
func write(out, name string, content []byte) error {
	path := filepath.Join(out, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
