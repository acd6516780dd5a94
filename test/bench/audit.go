package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"sync"
)

// auditPolicy has the API server write down what operators ask of it, and of what they
// write into status all of it.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Request
    userGroups: [` + operatorsGroup + `]
    verbs: [patch]
    resources:
      - group: bitcoin-operator.github.io
        resources: [bitcoinnetworks/status]
  - level: Metadata
    userGroups: [` + operatorsGroup + `]
  - level: None
`

// operatorsGroup is a group of all operators, which gives them no right.
const operatorsGroup = "bench:operators"

// What the API server is asked most, as calls has it.
const (
	statusWrite = "patch bitcoinnetworks/status"
	leaseWrite  = "update leases"
)

// calls is what a user has asked of the API server: how often, by verb and resource, and
// how many bytes it has written into status.
type calls struct {
	byKind      map[string]int
	statusBytes int
}

func (c calls) total() int {
	total := 0
	for _, count := range c.byKind {
		total += count
	}
	return total
}

// since returns the calls that are not among earlier ones.
func (c calls) since(earlier calls) calls {
	later := calls{byKind: map[string]int{}, statusBytes: c.statusBytes - earlier.statusBytes}
	for kind, count := range c.byKind {
		if more := count - earlier.byKind[kind]; more > 0 {
			later.byKind[kind] = more
		}
	}
	return later
}

// auditEvent is what is read of a line.
type auditEvent struct {
	Stage string `json:"stage"`
	Verb  string `json:"verb"`
	User  struct {
		Username string `json:"username"`
	} `json:"user"`
	Object struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	Request json.RawMessage `json:"requestObject"`
}

// kind is the verb and the resource. A watch counts when it begins, and anything else when
// it ends; of what does not count the kind is empty.
func (e auditEvent) kind() string {
	const begun, ended = "ResponseStarted", "ResponseComplete"
	if e.Verb == "watch" && e.Stage != begun || e.Verb != "watch" && e.Stage != ended {
		return ""
	}
	return e.Verb + " " + strings.TrimSuffix(e.Object.Resource+"/"+e.Object.Subresource, "/")
}

// auditLog reads what the API server writes. It is safe for concurrent use.
type auditLog struct {
	path string

	mu     sync.Mutex
	offset int64
	byUser map[string]calls
}

// of returns what a user has asked up to now.
func (l *auditLog) of(user string) (calls, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.read(); err != nil {
		return calls{}, err
	}
	all := l.byUser[user]
	return calls{byKind: maps.Clone(all.byKind), statusBytes: all.statusBytes}, nil
}

// read takes in the lines that have been written since.
func (l *auditLog) read() error {
	file, err := os.Open(l.path)
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer file.Close()
	if _, err := file.Seek(l.offset, io.SeekStart); err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	read, err := l.take(file)
	l.offset += read
	return err
}

// take takes in whole lines, and returns how many bytes they are.
func (l *auditLog) take(from io.Reader) (int64, error) {
	reader, read := bufio.NewReader(from), int64(0)
	for {
		line, err := reader.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF): // the rest of the line is still to come
			return read, nil
		case err != nil:
			return read, fmt.Errorf("read the audit log: %w", err)
		}
		read += int64(len(line))
		var event auditEvent
		if err := json.Unmarshal(bytes.TrimSpace(line), &event); err != nil {
			return read, fmt.Errorf("read a line of the audit log: %w", err)
		}
		l.add(event)
	}
}

func (l *auditLog) add(event auditEvent) {
	kind := event.kind()
	if kind == "" {
		return
	}
	if l.byUser == nil {
		l.byUser = map[string]calls{}
	}
	user, known := l.byUser[event.User.Username]
	if !known {
		user.byKind = map[string]int{}
	}
	user.byKind[kind]++
	if kind == statusWrite {
		user.statusBytes += len(event.Request)
	}
	l.byUser[event.User.Username] = user
}
