package credentials

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// passwords returns the credentials of users in a Secret that are fit, first those to use,
// by name: of all users that it speaks of, since several networks share it.
func passwords(secret *corev1.Secret) map[string][]bitcoind.Credentials {
	found := map[string][]bitcoind.Credentials{}
	for key := range secret.Data {
		user, isUsers := bitcoind.UserOfKey(key)
		if _, known := found[user]; !isUsers || known {
			continue
		}
		if fit, _ := bitcoind.UserCredentials(valueIn(secret), user); len(fit) > 0 {
			found[user] = fit
		}
	}
	return found
}

// usersOf says of a network's users what the Secret has for them.
func usersOf(network *v1alpha1.BitcoinNetwork, secret *corev1.Secret) []state.User {
	var users []state.User
	for _, user := range network.Spec.Users {
		fit, err := bitcoind.UserCredentials(valueIn(secret), user.Name)
		found := state.User{Name: user.Name, Passwords: len(fit)}
		current, _ := bitcoind.UserPasswordKeys(user.Name)
		switch {
		case err != nil:
			found.Problem = err.Error()
		case len(fit) > 0:
			found.Problem = warning(current, fit[0])
		}
		users = append(users, found)
	}
	return users
}

func valueIn(secret *corev1.Secret) func(key string) string {
	return func(key string) string { return string(secret.Data[key]) }
}
