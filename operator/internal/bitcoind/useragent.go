package bitcoind

import "strings"

// Comments returns the comments in a user agent, such as "team-a.payments.0" in
// "/Satoshi:29.4.0(team-a.payments.0; x)/Knots:20260508/". Nodes of a network
// know each other by them.
func Comments(userAgent string) []string {
	var comments []string
	for {
		_, after, found := strings.Cut(userAgent, "(")
		if !found {
			return comments
		}
		inside, rest, closed := strings.Cut(after, ")")
		if !closed {
			return comments
		}
		comments = append(comments, strings.Split(inside, "; ")...)
		userAgent = rest
	}
}
