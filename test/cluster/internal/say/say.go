// Package say tells the person in front of the terminal what is going on.
package say

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

var mu sync.Mutex

// Step announces something that takes a while, and returns what says that it
// is done and how long it took.
func Step(format string, args ...any) (done func()) {
	what, start := fmt.Sprintf(format, args...), time.Now()
	line("-> %s", what)
	return func() { line("   %s: %s", what, Rounded(time.Since(start))) }
}

// Note says one thing.
func Note(format string, args ...any) { line("   "+format, args...) }

func line(format string, args ...any) {
	mu.Lock()
	defer mu.Unlock()
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// WithLog adds to an error the end of the log of what has failed.
func WithLog(err error, log string) error {
	data, _ := os.ReadFile(log) // the error is worth telling without it, too
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return fmt.Errorf("%w; %s ends with:\n%s", err, log, strings.Join(lines[max(0, len(lines)-10):], "\n"))
}

// Rounded is a duration as a person would tell it.
func Rounded(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
