package state

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWithReason(t *testing.T) {
	for _, test := range []struct {
		rule                  string
		reason, message, want string
	}{
		{"both", "Unschedulable", "no machine", "Unschedulable: no machine"},
		{"no reason", "", "no machine", "no machine"},
		{"no message", "ContainerCreating", "", "ContainerCreating"},
		{"neither", "", "", ""},
		{"one line", "Error", " first\n\n\tsecond ", "Error: first second"},
		{"no colours", "Error", "\x1b[1;31mfatal\x1b[0m: no space left", "Error: fatal: no space left"},
		{"nothing else that steers a terminal", "Error", "\x1b]0;title\a\x00one\b\u202etwo\x7f", "Error: ]0;title one two"},
		{"what is no text", "Error", "bad \xff option", "Error: bad \ufffd option"},
		{"nothing but what is not printed", "Error", "\x1b[0m\x00\n", "Error"},
		{"no colon where nothing follows", "Error", "exit:\x1b[0m\n", "Error: exit"},
		{"as long as may be", "Error", strings.Repeat("x", 300), "Error: " + strings.Repeat("x", 300)},
		{"the end of a log tells", "Error", strings.Repeat("x", 300) + " the error", "Error: …" + strings.Repeat("x", 290) + " the error"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := withReason(test.reason, test.message); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if missing := Missing("exceeded\x1b[31m quota\n"); missing.NotMade != "exceeded quota" || missing.Problem != "it has no pod: exceeded quota" {
		t.Errorf("why there is no pod is told as %+v", missing)
	}
	if cut := withReason("Error", strings.Repeat("ü", 1000)); !utf8.ValidString(cut) {
		t.Errorf("cut within a character: %q", cut)
	}
}
