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
		{"as long as may be", "Error", strings.Repeat("x", 300), "Error: " + strings.Repeat("x", 300)},
		{"the end of a log tells", "Error", strings.Repeat("x", 300) + " the error", "Error: …" + strings.Repeat("x", 290) + " the error"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := withReason(test.reason, test.message); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if cut := withReason("Error", strings.Repeat("ü", 1000)); !utf8.ValidString(cut) {
		t.Errorf("cut within a character: %q", cut)
	}
}
