package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Repository is a clone of one of the repositories on the cluster's Git
// server, as the person who keeps it has one.
type Repository struct {
	Name string
	URL  string
	Dir  string
}

// Repository clones a repository of the Git server, which is made when it is not
// there yet. An earlier clone goes: with the cluster that it was of, the history
// that it knows may have gone, too.
func (c *Cluster) Repository(ctx context.Context, name string) (*Repository, error) {
	url, err := c.tool(ctx, nil, "cluster", "repo", name)
	if err != nil {
		return nil, fmt.Errorf("make repository %s: %w", name, err)
	}
	r := &Repository{Name: name, URL: strings.TrimSpace(url), Dir: c.local("work", name)}
	return r, r.clone(ctx)
}

func (r *Repository) clone(ctx context.Context) error {
	if err := os.RemoveAll(r.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return err
	}
	if _, err := r.git(ctx, "clone", "--quiet", r.URL, "."); err != nil {
		return fmt.Errorf("clone %s: %w", r.Name, err)
	}
	return nil
}

// clear removes all files of the clone, which keeps its history.
func (r *Repository) clear() error {
	entries, err := os.ReadDir(r.Dir)
	for _, entry := range entries {
		if entry.Name() != ".git" {
			err = errors.Join(err, os.RemoveAll(r.Path(entry.Name())))
		}
	}
	return err
}

// Path is a path in the clone.
func (r *Repository) Path(elem ...string) string {
	return filepath.Join(append([]string{r.Dir}, elem...)...)
}

// Edit replaces text in a file, which must be there.
func (r *Repository) Edit(path, from, to string) error {
	content, err := os.ReadFile(r.Path(path))
	if err != nil {
		return err
	}
	if !strings.Contains(string(content), from) {
		return fmt.Errorf("%s: %s has no %q", r.Name, path, from)
	}
	return os.WriteFile(r.Path(path), []byte(strings.ReplaceAll(string(content), from, to)), 0o644)
}

// Push commits what has changed in the clone, if anything has, and pushes it. It
// returns the commit that the repository's branch main then is at.
func (r *Repository) Push(ctx context.Context, message string) (commit string, err error) {
	if _, err := r.git(ctx, "add", "--all"); err != nil {
		return "", err
	}
	changes, err := r.git(ctx, "status", "--porcelain")
	if err != nil {
		return "", err
	}
	if changes != "" {
		if _, err := r.git(ctx, "commit", "--quiet", "--message", message); err != nil {
			return "", err
		}
		if _, err := r.git(ctx, "push", "--quiet", "origin", "main"); err != nil {
			return "", fmt.Errorf("push %s: %w", r.Name, err)
		}
	}
	return r.Head(ctx)
}

// Rewrite makes one commit, without a past, of all that the clone has, and pushes it
// in place of the branch's history.
func (r *Repository) Rewrite(ctx context.Context, message string) error {
	for _, args := range [][]string{
		{"checkout", "--quiet", "--orphan", "rewritten"},
		{"commit", "--quiet", "--all", "--message", message},
		{"branch", "--quiet", "--force", "--move", "main"},
		{"push", "--quiet", "--force", "origin", "main"},
	} {
		if _, err := r.git(ctx, args...); err != nil {
			return fmt.Errorf("rewrite %s: %w", r.Name, err)
		}
	}
	return nil
}

// Withdraw deletes the branch main from the server, if that lets it.
func (r *Repository) Withdraw(ctx context.Context) error {
	if _, err := r.git(ctx, "push", "--quiet", "origin", "--delete", "main"); err != nil {
		return fmt.Errorf("withdraw the branch of %s: %w", r.Name, err)
	}
	return nil
}

// tag puts a tag, which may have been elsewhere, onto what the clone is at, and pushes it.
func (r *Repository) tag(ctx context.Context, name string) error {
	for _, args := range [][]string{
		{"tag", "--force", name},
		{"push", "--quiet", "--force", "origin", "refs/tags/" + name},
	} {
		if _, err := r.git(ctx, args...); err != nil {
			return fmt.Errorf("tag %s: %w", r.Name, err)
		}
	}
	return nil
}

// Head is the commit that the clone is at.
func (r *Repository) Head(ctx context.Context) (string, error) {
	commit, err := r.git(ctx, "rev-parse", "HEAD")
	return strings.TrimSpace(commit), err
}

// git runs git in the clone, apart from the configuration of whoever runs this:
// no keys to sign with, no hooks, no proxy.
func (r *Repository) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(environment(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME="+r.Name, "GIT_AUTHOR_EMAIL="+r.Name+"@example.com",
		"GIT_COMMITTER_NAME="+r.Name, "GIT_COMMITTER_EMAIL="+r.Name+"@example.com")
	return output(ctx, cmd)
}
