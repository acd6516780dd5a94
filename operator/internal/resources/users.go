package resources

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// usersOf returns the users of a network's nodes, with what they may call.
func usersOf(network *v1alpha1.BitcoinNetwork) []bitcoind.User {
	var users []bitcoind.User
	for _, user := range sortedUsers(network.Spec.Users) {
		methods := bitcoind.Profile(string(user.Profile))
		for _, method := range user.Methods {
			methods = append(methods, string(method))
		}
		users = append(users, bitcoind.User{Name: user.Name, Methods: methods})
	}
	return users
}

// sortedUsers returns the same users, and their methods, in an order that does not
// depend on how they were written down.
func sortedUsers(users []v1alpha1.User) []v1alpha1.User {
	sorted := slices.SortedFunc(slices.Values(users), func(a, b v1alpha1.User) int { return cmp.Compare(a.Name, b.Name) })
	for i := range sorted {
		sorted[i].Methods = slices.Sorted(slices.Values(sorted[i].Methods))
	}
	return sorted
}

// KnownUsers returns the names of the users whom a pod's node lets in, beside those who
// may call everything, once it has their passwords.
func KnownUsers(pod *corev1.Pod) []string {
	var names []string
	for _, container := range pod.Spec.Containers {
		for _, variable := range container.Env {
			if container.Name == Container && variable.Name == bitcoind.WhitelistsVariable {
				for _, user := range bitcoind.UsersOf(variable.Value) {
					names = append(names, user.Name)
				}
			}
		}
	}
	return names
}
