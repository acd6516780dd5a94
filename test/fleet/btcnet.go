package fleet

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
)

// An Answer is what `kubectl btcnet` has printed, and its exit code.
type Answer struct {
	Code        int
	Out, ErrOut string
}

// Btcnet runs `kubectl btcnet`, as whom its arguments say.
func (c *Cluster) Btcnet(ctx context.Context, args ...string) (Answer, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(c.Bin(), "kubectl-btcnet"), args...)
	cmd.Dir = c.root
	cmd.Env = append(environment(), "KUBECONFIG="+c.Kubeconfig())
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	answer := Answer{Code: cmd.ProcessState.ExitCode(), Out: stdout.String(), ErrOut: stderr.String()}
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.Exited() {
		return answer, nil
	}
	if err != nil {
		return answer, &CommandError{Args: cmd.Args, Stderr: strings.TrimSpace(answer.ErrOut), Err: err}
	}
	return answer, nil
}
