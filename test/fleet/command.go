package fleet

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A CommandError says which command failed, and what it said. Arguments are
// fit to be shown: nothing secret is ever among them.
type CommandError struct {
	Args   []string
	Stderr string
	Err    error
}

func (e *CommandError) Error() string {
	command := append([]string{filepath.Base(e.Args[0])}, e.Args[1:]...)
	text := fmt.Sprintf("%s: %v", strings.Join(command, " "), e.Err)
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return text
}

func (e *CommandError) Unwrap() error { return e.Err }

// Kubectl runs kubectl as whoever the API is spoken to as, and returns what it
// prints.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	return c.tool(ctx, nil, "kubectl", args...)
}

// tool runs one of the cluster's tools, and returns what it prints.
func (c *Cluster) tool(ctx context.Context, stdin []byte, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.Bin(), name), args...)
	cmd.Dir = c.root
	cmd.Env = append(environment(), "KUBECONFIG="+c.Kubeconfig())
	cmd.Stdin = bytes.NewReader(stdin)
	return output(ctx, cmd)
}

// environment is this process's, but for what would lead programs elsewhere: to
// the repository whose hook started us, or to a proxy that does not know the
// local cluster.
func environment() []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GIT_") {
			env = append(env, variable)
		}
	}
	return append(env, "NO_PROXY=*", "no_proxy=*")
}

func output(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // rather than "signal: killed"
		}
		return "", &CommandError{Args: cmd.Args, Stderr: strings.TrimSpace(stderr.String()), Err: err}
	}
	return stdout.String(), nil
}
