package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A machine is what a program is built for.
type machine struct{ os, arch string }

func (m machine) String() string { return m.os + "_" + m.arch }

// A source is a commit of the repository.
type source struct {
	root     string
	version  string
	revision string
	created  time.Time
	isClean  bool
}

func sourceOf(ctx context.Context, root, version string) (source, error) {
	s := source{root: root, version: version}
	var err error
	if s.revision, err = git(ctx, root, "rev-parse", "HEAD"); err != nil {
		return s, err
	}
	seconds, err := git(ctx, root, "show", "--no-patch", "--format=%ct", "HEAD")
	if err != nil {
		return s, err
	}
	committed, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return s, fmt.Errorf("read the time of commit %s: %w", s.revision, err)
	}
	// So the same commit makes the same images.
	s.created = time.Unix(committed, 0).UTC()
	changes, err := git(ctx, root, "status", "--porcelain")
	s.isClean = changes == ""
	return s, err
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	out, err := output(exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...))
	return strings.TrimSpace(out), err
}

// versionPackage has the variables by which a program knows its version.
const versionPackage = "github.com/bitcoin-operator/bitcoin-operator/operator/internal/version"

// compile builds a command of the repository into a file.
func (s source) compile(ctx context.Context, command string, m machine, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	ldflags := fmt.Sprintf("-s -w -X %[1]s.version=%[2]s -X %[1]s.revision=%[3]s", versionPackage, s.version, s.revision)
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(s.root, "operator", "cmd", command),
		"-trimpath", "-buildvcs=false", "-ldflags="+ldflags, "-o", file, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+m.os, "GOARCH="+m.arch)
	if _, err := output(build); err != nil {
		return fmt.Errorf("build %s for %s: %w", command, m, err)
	}
	return nil
}

// output runs a command, and returns what it says.
func output(cmd *exec.Cmd) (string, error) {
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run %s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(problems.String()))
	}
	return out.String(), nil
}
