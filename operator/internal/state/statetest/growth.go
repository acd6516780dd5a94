package statetest

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Linear fails where work grows faster than what is worked on: for ten times as many
// nodes it may take twenty-five times as long, where that of each pair would be a hundred. It
// counts what the processor does for this process, and tells nothing of how busy the
// machine is.
func Linear(t *testing.T, few int, work func(nodes int) func()) {
	t.Helper()
	const factor, most = 10, 25
	small, large := timeOf(work(few)), timeOf(work(few*factor))
	if ratio := float64(large) / float64(small); ratio > most {
		t.Errorf("%d nodes take %s and %d take %s, %.0f times as long", few, small, few*factor, large, ratio)
	}
}

// timeOf returns how long the processor works for something, on average over long
// enough to be told.
func timeOf(work func()) time.Duration {
	work() // what comes first costs more
	runtime.GC()
	began, times := processorTime(), 0
	for processorTime()-began < 40*time.Millisecond {
		work()
		times++
	}
	return (processorTime() - began) / time.Duration(times)
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
