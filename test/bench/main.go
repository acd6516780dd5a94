// Bench measures what the operator costs: its own program, with its own rights, at a real
// API server, where everything else is played. See docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Where results go: those of every run, and those that the documentation tells.
const (
	outputFolder   = ".local/bench"
	recordedFile   = "test/bench/results.json"
	documentedFile = "docs/benchmarks.md"
)

func main() {
	var mode string
	var record bool
	flag.StringVar(&mode, "mode", "quick", "quick, full, or counts, which measures no times and fails if a count is over its budget, unless that is known")
	flag.BoolVar(&record, "record", false, "write what was measured into "+recordedFile+" and "+documentedFile+" as well")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runMode(ctx, mode, record); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func runMode(ctx context.Context, mode string, record bool) error {
	course, known := courses[mode]
	if !known {
		return fmt.Errorf("there is no mode %q", mode)
	}
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	begun := time.Now()
	measured, err := measure(ctx, course)
	if err != nil {
		return err
	}
	measured.Mode = mode
	text := report(measured)
	fmt.Printf("%s\nIt took %s.\n", text, time.Since(begun).Round(time.Second))
	if err := errors.Join(
		measured.write(filepath.Join(outputFolder, "results.json")),
		os.WriteFile(filepath.Join(outputFolder, "results.md"), []byte(text), 0o644),
	); err != nil {
		return err
	}
	if record {
		if err := document(measured); err != nil {
			return err
		}
	}
	if mode == "counts" {
		return missedCounts(measured)
	}
	return nil
}

// document keeps results as those that the documentation tells.
func document(r results) error {
	before, err := os.ReadFile(documentedFile)
	if err != nil {
		return err
	}
	after, err := insert(string(before), report(r))
	if err != nil {
		return fmt.Errorf("%s: %w", documentedFile, err)
	}
	return errors.Join(r.write(recordedFile), os.WriteFile(documentedFile, []byte(after), 0o644))
}

// missedCounts fails with each count that is over its budget, unless that is known and it is
// within what it is held to meanwhile.
func missedCounts(r results) error {
	var missed []error
	for _, v := range judge(r) {
		if !v.isCount || v.isHeld() {
			continue
		}
		err := fmt.Errorf("%s: %s %s, and the budget is %s", v.subject(), number(v.measured), v.unit, number(v.limit))
		if known := v.known(); known != nil {
			err = fmt.Errorf("%w; it is known to be missed, and held to %s", err, number(known.held))
		}
		missed = append(missed, err)
	}
	return errors.Join(missed...)
}
