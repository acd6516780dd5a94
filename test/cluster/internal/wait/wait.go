// Package wait waits for conditions.
package wait

import (
	"context"
	"fmt"
	"time"
)

// Until asks again and again until there is no error. It fails, with the last
// one, when that takes too long, and at once when what it waits for has ended.
func Until(ctx context.Context, what string, within time.Duration, ended <-chan struct{}, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if last == nil {
				last = ctx.Err()
			}
			return fmt.Errorf("%s: not within %s: %w", what, within, last)
		case <-ended:
			return fmt.Errorf("%s: it has ended", what)
		case <-tick.C:
		}
	}
}
