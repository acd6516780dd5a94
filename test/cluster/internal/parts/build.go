package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/say"
)

// GoEnv is that of the product's own builds too, so that all share Go's
// build cache.
var GoEnv = []string{"CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false -mod=readonly", "GOWORK=off", "GOTOOLCHAIN=local"}

// A build is one part being made.
type build struct {
	context.Context
	clone.Clone
	log *os.File
}

// Select returns the parts of these names, or those that every cluster is made of.
func Select(names []string) ([]Part, error) {
	if len(names) == 0 {
		return Needed(), nil
	}
	var selected []Part
	for _, name := range names {
		i := slices.IndexFunc(All, func(p Part) bool { return p.Name == name })
		if i < 0 {
			var known []string
			for _, p := range All {
				known = append(known, p.Name)
			}
			return nil, fmt.Errorf("there is no part %q; there are %s", name, strings.Join(known, ", "))
		}
		selected = append(selected, All[i])
	}
	return selected, nil
}

// Stale returns the parts that have to be made, by their fingerprints.
func Stale(ctx context.Context, c clone.Clone, selected []Part) (map[string]string, error) {
	version, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("ask go for its version: %w", err)
	}
	stale := map[string]string{}
	for _, p := range selected {
		print, err := fingerprint(c, p, strings.TrimSpace(string(version)))
		if err != nil {
			return nil, fmt.Errorf("fingerprint of %s: %w", p.Name, err)
		}
		if made, err := os.ReadFile(stamp(c, p)); err != nil || string(made) != print || !complete(c, p) {
			stale[p.Name] = print
		}
	}
	return stale, nil
}

// Build makes those of the parts that are not current.
func Build(ctx context.Context, c clone.Clone, selected []Part) error {
	if stale, err := Stale(ctx, c, selected); err != nil || len(stale) == 0 {
		return err
	}
	unlock, err := lock(c)
	if err != nil {
		return err
	}
	defer unlock()
	stale, err := Stale(ctx, c, selected) // another may have built them
	if err != nil {
		return err
	}
	var cold time.Duration
	for _, p := range selected {
		if stale[p.Name] != "" {
			cold += p.Cold
		}
	}
	if cold > time.Minute {
		say.Note("%d of %d parts have to be built: about %s on 2 cores if nothing is in Go's build cache", len(stale), len(selected), about(cold))
	}
	for _, p := range selected {
		if stale[p.Name] == "" {
			continue
		}
		if err := p.build(ctx, c, stale[p.Name]); err != nil {
			return err
		}
	}
	return nil
}

// lock waits until nobody else builds in this clone. It ends with the returned
// function, or with this process.
func lock(c clone.Clone) (unlock func(), err error) {
	if err := os.MkdirAll(c.Local("build"), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(c.Local("build", "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = f.Close() }
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		say.Note("another `cluster` command builds in this clone: waiting for it")
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		unlock()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return unlock, nil
}

func (p Part) build(ctx context.Context, c clone.Clone, print string) error {
	for _, dir := range []string{c.Local("bin"), c.Local("images"), c.Local("log"), filepath.Dir(stamp(c, p))} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	name := c.Log("build-" + p.Name)
	log, err := os.Create(name)
	if err != nil {
		return err
	}
	defer log.Close()
	done := say.Step("build %s (about %s when cold)", p.Name, about(p.Cold))
	b := &build{Context: ctx, Clone: c, log: log}
	for _, program := range p.Programs {
		if err := b.program(program); err != nil {
			return fmt.Errorf("build %s: %w", p.Name, say.WithLog(err, name))
		}
	}
	if p.Image != nil {
		if err := b.image(p); err != nil {
			return fmt.Errorf("image of %s: %w", p.Name, err)
		}
	}
	if p.Make != nil {
		if err := p.Make(b); err != nil {
			return fmt.Errorf("build %s: %w", p.Name, say.WithLog(err, name))
		}
	}
	done()
	return os.WriteFile(stamp(c, p), []byte(print), 0o644)
}

// image makes the image of a part, which is of its first program.
func (b *build) image(p Part) error {
	var base []string
	if p.Image.Base != "" {
		base = []string{b.rootfs(p.Image.Base)}
	}
	return p.Image.Archive(b.Bin(p.Programs[0].Name), b.Image(p.Name), base...)
}

// about is a time as one would guess it.
func about(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}

// program builds one beside its place, as the one that is there may be running.
func (b *build) program(p Program) error {
	out := b.Bin(p.Name)
	if err := b.run(b.Source("test/cluster", p.Module), "go", "build", "-o", out+".new", "-ldflags", "-s -w "+p.LDFlags, p.Package); err != nil {
		return err
	}
	if err := os.Rename(out+".new", out); err != nil {
		return err
	}
	for _, link := range p.Links {
		if err := os.Remove(b.Bin(link)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.Symlink(p.Name, b.Bin(link)); err != nil {
			return err
		}
	}
	return nil
}

// run runs a command with its output in the part's log.
func (b *build) run(dir string, name string, args ...string) error {
	fmt.Fprintf(b.log, "$ %s %s\n", name, strings.Join(args, " "))
	cmd := exec.CommandContext(b, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, b.log, b.log
	cmd.Env = append(os.Environ(), GoEnv...)
	return cmd.Run()
}
