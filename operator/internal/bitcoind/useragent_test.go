package bitcoind

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComments(t *testing.T) {
	for _, test := range []struct {
		reason    string
		userAgent string
		want      []string
	}{
		{"a connection that is half open has no user agent", "", nil},
		{"Core without a comment", "/Satoshi:29.4.0/", nil},
		{"Core with a comment", "/Satoshi:29.4.0(team-a.payments.0)/", []string{"team-a.payments.0"}},
		{"Knots writes its own name after Core's", "/Satoshi:29.4.0(team-a.payments.0)/Knots:20260508/", []string{"team-a.payments.0"}},
		{"the user's own comments stand beside the operator's", "/Satoshi:29.4.0(team-a.payments.0; x)/", []string{"team-a.payments.0", "x"}},
		{"each part of a user agent may have comments", "/Satoshi:29.4.0(a)/Knots:1(b; c)/", []string{"a", "b", "c"}},
		{"an ordinal is no other's prefix", "/Satoshi:29.4.0(team-a.payments.10)/", []string{"team-a.payments.10"}},
		{"an empty comment is none that a node carries", "/Satoshi:29.4.0()/", []string{""}},
		{"a comment that does not end is none", "/Satoshi:29.4.0(team-a.payments.0/", nil},
		{"an end without a beginning is none", "/Satoshi:29.4.0)team-a.payments.0(/", nil},
		{"a bracket in a comment is part of it", "/Satoshi((a)/", []string{"(a"}},
		{"a separator without a space does not separate", "/Satoshi(a;b)/", []string{"a;b"}},
		{"bytes that are no text are no reason to fail", "/\xff(\xfe\x00)/", []string{"\xfe\x00"}},
	} {
		if diff := cmp.Diff(test.want, Comments(test.userAgent)); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", test.reason, test.userAgent, diff)
		}
	}
}

// A peer chooses its user agent; bitcoind lets 256 bytes of it through.
func FuzzComments(f *testing.F) {
	for _, userAgent := range []string{"/Satoshi:29.4.0(a; b)/", "((((", "))))", "()()()", strings.Repeat("(;", 128)} {
		f.Add(userAgent)
	}
	f.Fuzz(func(t *testing.T, userAgent string) {
		for _, comment := range Comments(userAgent) {
			if strings.Contains(comment, ")") || strings.Contains(comment, "; ") {
				t.Errorf("%q has comment %q", userAgent, comment)
			}
			if !strings.Contains(userAgent, comment) {
				t.Errorf("%q does not hold its comment %q", userAgent, comment)
			}
		}
	})
}
