package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A stage is a part of the demo that a person can follow, and that may fail.
type stage struct {
	what string
	// within is how long it may take. On a machine that is not busy that is
	// seconds; the deadlines are for one that is.
	within time.Duration
	// namespace is where to look if it fails.
	namespace string
	// do returns what came of it, in a few words, if that is worth telling.
	do func(ctx context.Context) (detail string, err error)
}

const (
	brief = time.Minute
	// A quota learns of kinds that are new to a cluster in its own time, which
	// can be five minutes, and until then allows none of them.
	long = 7 * time.Minute
)

// until is a stage that lasts until a condition is so.
func (d *demo) until(condition fleet.Condition, namespace, format string, args ...any) stage {
	return stage{fmt.Sprintf(format, args...), long, namespace, func(ctx context.Context) (string, error) {
		return "", fleet.Until(ctx, condition, d.progress.waiting)
	}}
}

// run runs stages, one after the other. If one fails, it shows what may tell why.
func (d *demo) run(ctx context.Context, stages ...stage) error {
	for _, s := range stages {
		d.progress.begin(s.what)
		stageCtx, cancel := context.WithTimeoutCause(ctx, s.within, fmt.Errorf("not within %s", s.within))
		detail, err := s.do(stageCtx)
		cancel()
		if err != nil {
			d.progress.failed()
			d.explain(ctx, s.namespace)
			return fmt.Errorf("%s: %w", s.what, err)
		}
		d.progress.done(detail)
	}
	return nil
}

func (d *demo) explain(ctx context.Context, namespace string) {
	if ctx.Err() != nil {
		return // the person has stopped it
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	d.cluster.Explain(ctx, os.Stderr, namespace)
	fmt.Fprintf(os.Stderr, "\nThe logs of the cluster's programs and pods are in %s.\n\n", d.cluster.Logs())
}
