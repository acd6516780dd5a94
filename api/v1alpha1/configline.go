package v1alpha1

import "regexp"

// KeepsApart reports whether a node with this line cannot reach others, or be reached
// or known by them. The API server refuses such lines, but a network may have some
// from before it did.
func (l ConfigLine) KeepsApart() bool {
	line := string(l)
	return keepsApart.MatchString(line) && !harmless.MatchString(line)
}

// The patterns are those of the rules of Config.
var (
	keepsApart = regexp.MustCompile(`^(no)?(dns|proxy|maxconnections|uaspoof)=`)
	harmless   = regexp.MustCompile(`^(dns=1?|nodns=0|proxy=(0|.*=(onion|tor|cjdns))?|noproxy=1?|maxconnections=([4-9][0-9]|[1-9][0-9][0-9]+))$`)
)
