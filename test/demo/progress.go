package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Progress tells a person how far the demo is. On a terminal a stage has one
// line, which always says what it waits for; elsewhere, as in a log, that is a
// line of its own, but not more often than anyone would read.
type progress struct {
	out      io.Writer
	terminal bool

	what    string
	started time.Time
	told    string
	toldAt  time.Time
}

// tellEvery is between two lines about the same stage in a log.
const tellEvery = 3 * time.Second

func newProgress(out io.Writer, terminal bool) *progress {
	return &progress{out: out, terminal: terminal}
}

// begin begins a stage.
func (p *progress) begin(what string) {
	p.what, p.started = what, time.Now()
	p.told, p.toldAt = "", p.started
	p.rewrite("… " + what)
}

// waiting tells what the stage waits for.
func (p *progress) waiting(waitingFor string) {
	now := time.Now()
	if p.terminal {
		p.rewrite(fmt.Sprintf("… %s (%.0fs): %s", p.what, now.Sub(p.started).Seconds(), waitingFor))
		return
	}
	if waitingFor == p.told || now.Sub(p.toldAt) < tellEvery {
		return
	}
	p.told, p.toldAt = waitingFor, now
	fmt.Fprintf(p.out, "  … %s: %s\n", p.what, waitingFor)
}

// done ends a stage that has succeeded. The detail, if any, is its result.
func (p *progress) done(detail string) {
	if detail != "" {
		detail = ": " + detail
	}
	p.end("✓", detail)
}

// failed ends a stage that has not.
func (p *progress) failed() { p.end("✗", "") }

func (p *progress) end(mark, detail string) {
	p.rewrite("")
	fmt.Fprintf(p.out, "%s %s%s (%.1fs)\n", mark, p.what, detail, time.Since(p.started).Seconds())
}

// rewrite replaces the terminal's current line. A line that is too long must not
// go on in the next one, so that it can be replaced in turn.
func (p *progress) rewrite(line string) {
	const (
		clear   = "\r\x1b[K"
		noWrap  = "\x1b[?7l"
		yesWrap = "\x1b[?7h"
	)
	if p.terminal {
		fmt.Fprint(p.out, clear+noWrap+line+yesWrap)
	}
}

// isTerminal tells whether a person looks at a file's output as it is written.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
