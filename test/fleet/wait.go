package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Condition tells whether something is so and, while it is not, what it waits
// for, in words for a person. An error says that this could not be found out
// now; it is no reason to give up, since a busy machine may be slow for once.
type Condition func(ctx context.Context) (done bool, waitingFor string, err error)

// period is between two times that a condition is asked.
const period = 250 * time.Millisecond

// Until asks a condition until it is so, and tells what it waits for whenever it
// has asked. It fails when ctx ends, with what it last waited for; how long it
// may take is the caller's to say, with ctx.
func Until(ctx context.Context, condition Condition, tell func(waitingFor string)) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	last := errors.New("nothing is known yet")
	for {
		done, waitingFor, err := condition(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			// Interrupted: what was last seen says more.
		case err != nil:
			last = err
		case done:
			return nil
		default:
			last = errors.New(waitingFor)
		}
		if tell != nil {
			tell(last.Error())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last seen: %w", context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// All is so when all of the conditions are. Every one is asked every time, since
// asking may be what keeps things moving.
func All(conditions ...Condition) Condition {
	return func(ctx context.Context) (bool, string, error) {
		var waiting []string
		var errs []error
		for _, condition := range conditions {
			done, waitingFor, err := condition(ctx)
			if err != nil {
				errs = append(errs, err)
			} else if !done {
				waiting = append(waiting, waitingFor)
			}
		}
		return len(waiting) == 0 && len(errs) == 0, strings.Join(waiting, "; "), errors.Join(errs...)
	}
}
