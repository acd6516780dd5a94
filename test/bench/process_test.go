package main

import (
	"os"
	"testing"
	"time"
)

func TestKilobytes(t *testing.T) {
	const status = "Name:\toperator\nVmHWM:\t   43016 kB\nVmRSS:\t   42000 kB\nRssAnon:\t   15700 kB\nThreads:\t9\n"
	for name, want := range map[string]int64{"VmRSS:": 42000 << 10, "RssAnon:": 15700 << 10, "Threads:": 0, "VmSwap:": 0} {
		if got := kilobytes(status, name); got != want {
			t.Errorf("%s %d bytes, want %d", name, got, want)
		}
	}
}

func TestTimeOnCPU(t *testing.T) {
	if got, want := timeOnCPU("1500000000 200 42\n"), 1500*time.Millisecond; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMetric(t *testing.T) {
	const exposition = `# HELP go_memstats_alloc_bytes_total Total number of bytes allocated.
# TYPE go_memstats_alloc_bytes_total counter
go_memstats_alloc_bytes_total 1.5e+07
go_memstats_alloc_bytes 7
requests_total{outcome="ok",name="a } b"} 3
requests_total{outcome="timeout"} 4
`
	for name, want := range map[string]float64{
		"go_memstats_alloc_bytes_total": 15e6,
		"go_memstats_alloc_bytes":       7,
		"requests_total":                7,
		"requests":                      0,
	} {
		if got := metric(exposition, name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

func TestThisProcess(t *testing.T) {
	held, err := memoryOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if held.resident == 0 || held.anonymous == 0 || held.peak < held.resident || held.proportional == 0 {
		t.Errorf("memory = %+v", held)
	}
	if ran, err := cpuOf(os.Getpid()); err != nil || ran == 0 {
		t.Errorf("it has run for %s, error %v", ran, err)
	}
}
