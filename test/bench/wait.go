package main

import (
	"context"
	"fmt"
	"time"
)

// patience is how long anything may take that is waited for.
const patience = 2 * time.Minute

// until asks a condition, often enough for its answer to be timely, until it is so.
func until(ctx context.Context, what string, isSo func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		switch so, err := isSo(); {
		case err != nil:
			return fmt.Errorf("wait until %s: %w", what, err)
		case so:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}

// pause waits for a time.
func pause(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}
