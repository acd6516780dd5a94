package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// lacksUser reports whether a node's pod is from before a user was added that has a
// password: it needs another pod.
func lacksUser(seen *state.Network, node state.Node) bool {
	known := resources.KnownUsers(node.Pod)
	return slices.ContainsFunc(seen.Secret.Users, func(user state.User) bool {
		return user.Passwords > 0 && !slices.Contains(known, user.Name)
	})
}

// userProblems says of each user what keeps it out, or lets it in with what it should
// not be, though nodes have been started with the Secret as it is.
func userProblems(seen *state.Network) []string {
	var problems []string
	for _, user := range seen.Secret.Users {
		rejecting, keeping := 0, 0
		for _, node := range seen.WantedNodes() {
			switch {
			case node.Pod == nil || isToBeStarted(seen, node):
			case slices.Contains(node.RejectsUsers, user.Name):
				rejecting++
			case slices.Contains(node.KeepsUsers, user.Name):
				keeping++
			}
		}
		tell := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("user %q: ", user.Name)+fmt.Sprintf(format, args...))
		}
		switch {
		case user.Problem != "":
			tell("%s", user.Problem)
		case rejecting > 0:
			tell("%d of %d nodes reject its password, although they were started with it: their image must have a %s that supports users",
				rejecting, seen.Wanted, bitcoind.EntryPoint)
		case keeping > 0:
			tell("%d of %d nodes still accept a password that is no longer in the Secret: their image must accept the passwords in the Secret and no others",
				keeping, seen.Wanted)
		}
	}
	return problems
}

// previousKeys names the keys of passwords that are being changed.
func previousKeys(secret state.Secret) []string {
	var keys []string
	if secret.Pairs > 1 {
		keys = append(keys, bitcoind.PreviousUserKey, bitcoind.PreviousPasswordKey)
	}
	for _, user := range secret.Users {
		if user.Passwords > 1 {
			_, previous := bitcoind.UserPasswordKeys(user.Name)
			keys = append(keys, previous)
		}
	}
	return keys
}

// and says "a", "a and b" or "a, b and c".
func and(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " and " + items[last]
}
