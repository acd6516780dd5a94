package fleet

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOutput(t *testing.T) {
	ctx := t.Context()
	if got, err := output(ctx, exec.CommandContext(ctx, "sh", "-c", "echo said")); got != "said\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := output(ctx, exec.CommandContext(ctx, "/bin/sh", "-c", "echo why >&2; exit 3"))
	var failed *CommandError
	if !errors.As(err, &failed) || failed.Stderr != "why" {
		t.Fatalf("got %v", err)
	}
	if want := "sh -c echo why >&2; exit 3: exit status 3: why"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}

	ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := output(ctx, exec.CommandContext(ctx, "sleep", "60")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command that is cut off fails with %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("GIT_DIR", "/elsewhere")
	t.Setenv("NO_PROXY", "example.com")
	env := environment()
	if slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "GIT_") }) {
		t.Error("a hook's variables reach the commands")
	}
	if env[len(env)-2] != "NO_PROXY=*" { // the last of a name counts
		t.Error("the cluster may be asked for through a proxy")
	}
}
