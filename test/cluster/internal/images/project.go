package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/say"
)

// A Target is one of the images that the project's Dockerfile describes.
type Target struct {
	Name  string // in the Dockerfile
	Image string
	// Sources are main packages of the repository's top-level module. The Dockerfile
	// copies what is built from them out of .local/image.
	Sources []string
	Args    []string
	Bases   []string // archives of the images that it is built on
}

// archive is the file that the image goes to.
func (t Target) archive(c clone.Clone) string { return c.Image("project-" + t.Name) }

// stamp is the file that says what the image was made of.
func (t Target) stamp(c clone.Clone) string { return c.Local("build", "image-"+t.Name) }

// Build makes the images with buildah, which needs no daemon: those whose
// content has changed.
func Build(ctx context.Context, c clone.Clone, goEnv []string, targets []Target) error {
	for _, dir := range []string{c.Local("image"), c.Local("images"), c.Local("log"), c.Local("build")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, t := range targets {
		log, err := os.Create(c.Log("build-image-" + t.Name))
		if err != nil {
			return err
		}
		defer log.Close()
		done := say.Step("build image %s", t.Image)
		if err := (builder{ctx, c, goEnv, log}).target(t); err != nil {
			return fmt.Errorf("build image %s: %w", t.Image, say.WithLog(err, log.Name()))
		}
		done()
	}
	return nil
}

// LoadProject puts the images that were built into the cluster, unless it has
// them.
func LoadProject(ctx context.Context, c clone.Clone, targets []Target) error {
	for _, t := range targets {
		built, err := os.ReadFile(t.stamp(c))
		if errors.Is(err, fs.ErrNotExist) {
			continue // not built yet
		}
		if err != nil {
			return err
		}
		stamp := c.Data("loaded-" + t.Name) // ends with the cluster
		if loaded, err := os.ReadFile(stamp); err == nil && bytes.Equal(loaded, built) {
			continue
		}
		if err := Load(ctx, c, t.archive(c)); err != nil {
			return err
		}
		if err := os.WriteFile(stamp, built, 0o644); err != nil {
			return err
		}
	}
	return nil
}

type builder struct {
	context.Context
	clone.Clone
	goEnv []string
	log   io.Writer
}

// target builds one image, unless what it is made of is what it was.
func (b builder) target(t Target) error {
	build := []string{"build", "-o", b.Local("image") + string(filepath.Separator), "-ldflags", "-s -w"}
	if err := b.run(b.goEnv, "go", append(build, t.Sources...)...); err != nil {
		return err
	}
	archive, stamp := t.archive(b.Clone), t.stamp(b.Clone)
	dockerfile, err := os.ReadFile(b.Source("Dockerfile"))
	if err != nil {
		return err
	}
	files := slices.Clone(t.Bases)
	for _, source := range copied(string(dockerfile), t.Name) {
		files = append(files, b.Source(source))
	}
	print, err := contents(fmt.Sprint(t, string(dockerfile)), files...)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(stamp); err == nil && string(old) == print {
		if _, err := os.Stat(archive); err == nil {
			return nil
		}
	}
	for _, base := range t.Bases {
		if err := b.buildah("pull", "--quiet", "docker-archive:"+base); err != nil {
			return err
		}
	}
	bud := []string{"bud", "--isolation=chroot", "--pull-never", "--layers=false", "--timestamp=0", "--target=" + t.Name, "--tag=" + t.Image}
	for _, arg := range t.Args {
		bud = append(bud, "--build-arg="+arg)
	}
	if err := b.buildah(append(bud, b.Dir)...); err != nil {
		return err
	}
	if err := os.Remove(archive); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := b.buildah("push", "--quiet", t.Image, "docker-archive:"+archive+":"+t.Image); err != nil {
		return err
	}
	// The archive is all that is used. What it is built on stays, for the next time.
	if err := b.buildah("rmi", "--force", t.Image); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(print), 0o644)
}

func (b builder) buildah(args ...string) error {
	return b.run(nil, "buildah", append([]string{"--storage-driver=vfs", "--root=" + b.Local("buildah", "root"), "--runroot=" + b.Local("buildah", "run")}, args...)...)
}

func (b builder) run(env []string, name string, args ...string) error {
	fmt.Fprintf(b.log, "$ %s %s\n", name, strings.Join(args, " "))
	cmd := exec.CommandContext(b, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.Dir, b.log, b.log
	cmd.Env = append(os.Environ(), env...)
	return cmd.Run()
}

// copied are the files that a Dockerfile copies into a target from outside.
func copied(dockerfile, target string) []string {
	var files []string
	var here bool
	for line := range strings.Lines(dockerfile) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch strings.ToUpper(f[0]) {
		case "FROM":
			here = f[len(f)-1] == target
		case "COPY", "ADD":
			for _, source := range f[1 : len(f)-1] {
				if here && !strings.HasPrefix(source, "--") {
					files = append(files, source)
				}
			}
		}
	}
	return files
}

// contents is a digest of a text and of files.
func contents(text string, files ...string) (string, error) {
	all := sha256.New()
	fmt.Fprintln(all, text)
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		one := sha256.New()
		_, err = io.Copy(one, f)
		_ = f.Close()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%s %x\n", filepath.Base(file), one.Sum(nil))
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}
