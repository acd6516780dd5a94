package fleet

import (
	"context"
	"fmt"
	"strings"
)

// An Outcome is what came of a connection that a pod has tried to open.
type Outcome string

// Whoever enforces a network policy refuses a connection or lets it time out. On most
// machines it does one and the other: Linux bounds how often it refuses.
const (
	Reached  Outcome = "reached"
	Refused  Outcome = "refused"
	TimedOut Outcome = "timed out"
)

// dial opens a connection to each of its arguments, host:port, at once, and prints a line
// for each that ends. Every image in which there is bash can run it, whatever its PATH.
const dial = `PATH=/usr/bin:/bin
for to; do
  (
    said=$(timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${to%:*}" "${to##*:}" 2>&1)
    code=$?
    case $code/$said in
      0/*) echo "$to reached" ;;
      124/*|*"timed out"*) echo "$to timed out" ;;
      *refused*|*unreachable*|*"No route"*) echo "$to refused" ;;
      *) echo "$to fails: $said" | tr '\n' ' '; echo ;;
    esac
  ) &
done
wait`

// Dial has a pod open a new connection to each of these, host:port, and returns what came
// of it.
func (c *Cluster) Dial(ctx context.Context, namespace, pod string, to ...string) (map[string]Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	args := []string{"exec", pod, "--namespace=" + namespace, "--", "/usr/bin/bash", "-c", dial, "dial"}
	said, err := c.Kubectl(ctx, append(args, to...)...)
	if err != nil {
		return nil, err
	}
	outcomes, err := readOutcomes(said, to)
	if err != nil {
		return nil, fmt.Errorf("dial from %s/%s: %w", namespace, pod, err)
	}
	return outcomes, nil
}

// readOutcomes reads what dial has printed.
func readOutcomes(said string, to []string) (map[string]Outcome, error) {
	outcomes := map[string]Outcome{}
	for line := range strings.Lines(said) {
		address, outcome, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch outcome := Outcome(outcome); outcome {
		case Reached, Refused, TimedOut:
			outcomes[address] = outcome
		default:
			return nil, fmt.Errorf("%s %s", address, outcome)
		}
	}
	for _, address := range to {
		if outcomes[address] == "" {
			return nil, fmt.Errorf("nothing is known of %s", address)
		}
	}
	return outcomes, nil
}
