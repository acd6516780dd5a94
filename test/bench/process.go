package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memory is what a process holds, in bytes.
type memory struct {
	resident, anonymous, peak, proportional int64
}

// memoryOf reads the memory of a process.
func memoryOf(pid int) (memory, error) {
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return memory{}, fmt.Errorf("read the memory of a process: %w", err)
	}
	rollup, err := os.ReadFile(filepath.Join(folder, "smaps_rollup"))
	if err != nil {
		return memory{}, fmt.Errorf("read the memory of a process: %w", err)
	}
	return memory{
		resident:     kilobytes(string(status), "VmRSS:"),
		anonymous:    kilobytes(string(status), "RssAnon:"),
		peak:         kilobytes(string(status), "VmHWM:"),
		proportional: kilobytes(string(rollup), "Pss:"),
	}, nil
}

// kilobytes returns the bytes that a file of /proc tells in kB under a name, or 0.
func kilobytes(file, name string) int64 {
	for line := range strings.Lines(file) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == name && fields[2] == "kB" {
			value, _ := strconv.ParseInt(fields[1], 10, 64)
			return value << 10
		}
	}
	return 0
}

// cpuOf returns the time that a process has run, as its threads that there are now have.
func cpuOf(pid int) (time.Duration, error) {
	files, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task/*/schedstat"))
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, fmt.Errorf("process %d has ended", pid)
	}
	total := time.Duration(0)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		total += timeOnCPU(string(content))
	}
	return total, nil
}

// timeOnCPU is the first of the three numbers of a schedstat.
func timeOnCPU(schedstat string) time.Duration {
	first, _, _ := strings.Cut(schedstat, " ")
	nanoseconds, _ := strconv.ParseInt(first, 10, 64)
	return time.Duration(nanoseconds)
}

// metric returns the sum of a metric's values, over all labels, in what Prometheus is told.
func metric(exposition, name string) float64 {
	sum := 0.0
	for line := range strings.Lines(exposition) {
		rest, found := strings.CutPrefix(line, name)
		if !found || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		fields := strings.Fields(line[strings.LastIndex(line, "}")+1:])
		value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err == nil {
			sum += value
		}
	}
	return sum
}
