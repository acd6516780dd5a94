package tenants

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"strings"
)

// Past says when a team of a name was last in the fleet repository, by its history. It is
// empty where it never was.
func Past(ctx context.Context, dir, team string) (string, error) {
	shallow, err := git(ctx, dir, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return "", err
	}
	if shallow == "true" {
		return "", fmt.Errorf("%s is a shallow clone, whose history may lack earlier teams: git fetch --unshallow", dir)
	}
	return git(ctx, dir, "log", "--all", "--max-count=1", "--format=commit %h of %as", "--", path.Join(folder, team))
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(failed.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("ask the fleet repository for its history: git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
