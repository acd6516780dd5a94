package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// line is one of the audit log.
func line(stage, verb, user, object, request string) string {
	return fmt.Sprintf(`{"stage":%q,"verb":%q,"user":{"username":%q},"objectRef":%s,"requestObject":%s}`+"\n", stage, verb, user, object, request)
}

func TestAuditLog(t *testing.T) {
	const (
		alice, bob = "alice", "bob"
		done       = "ResponseComplete"
		pods       = `{"resource":"pods"}`
		status     = `{"resource":"bitcoinnetworks","subresource":"status"}`
	)
	written := strings.Join([]string{
		line("ResponseStarted", "watch", alice, pods, "null"),
		line(done, "watch", alice, pods, "null"), // the same one
		line(done, "list", alice, pods, "null"),
		line(done, "patch", alice, status, `{"status":{}}`),
		line(done, "patch", bob, status, `{"status":{"height":1}}`),
	}, "")
	half := line(done, "get", alice, pods, "null")

	log := &auditLog{}
	read, err := log.take(strings.NewReader(written + half[:20]))
	if err != nil {
		t.Fatal(err)
	}
	if read != int64(len(written)) {
		t.Errorf("%d bytes were read, want %d: the last line is still being written", read, len(written))
	}
	before := log.byUser[alice]
	if want := map[string]int{"watch pods": 1, "list pods": 1, statusWrite: 1}; !maps.Equal(before.byKind, want) {
		t.Errorf("calls = %v, want %v", before.byKind, want)
	}
	if before.statusBytes != len(`{"status":{}}`) {
		t.Errorf("%d bytes of status, want those of alice alone", before.statusBytes)
	}

	earlier := calls{byKind: maps.Clone(before.byKind), statusBytes: before.statusBytes}
	if _, err := log.take(strings.NewReader(half + half)); err != nil {
		t.Fatal(err)
	}
	later := log.byUser[alice].since(earlier)
	if want := map[string]int{"get pods": 2}; !maps.Equal(later.byKind, want) || later.total() != 2 || later.statusBytes != 0 {
		t.Errorf("later calls = %+v, want %v and no status", later, want)
	}
}
