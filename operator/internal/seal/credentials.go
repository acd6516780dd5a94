package seal

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Whose are the credentials that are sealed: of the user of BC_RPC_USER, who may call
// everything and of whom the operator is one, or of one of spec.users.
type Whose struct {
	// User is the name of a user of spec.users, and empty for the other one.
	User string
}

var userName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$`)

// Of returns whose credentials those of a user of spec.users are.
func Of(user string) (Whose, error) {
	current, _ := bitcoind.UserPasswordKeys(user)
	if known, isUsers := bitcoind.UserOfKey(current); !userName.MatchString(user) || !isUsers || known != user {
		return Whose{}, fmt.Errorf("%q is not a valid name in spec.users: use at most 32 lower-case letters, digits and '-', and neither previous nor a name that ends in -previous", user)
	}
	return Whose{user}, nil
}

// keyPair is the key of a value, and that of the value before it.
type keyPair struct{ current, previous string }

// keys are the keys of the values.
func (w Whose) keys() []keyPair {
	if w.User == "" {
		return []keyPair{{bitcoind.UserKey, bitcoind.PreviousUserKey}, {bitcoind.PasswordKey, bitcoind.PreviousPasswordKey}}
	}
	current, previous := bitcoind.UserPasswordKeys(w.User)
	return []keyPair{{current, previous}}
}

// Random returns credentials with a password that nobody has seen.
func Random(user string) bitcoind.Credentials { return bitcoind.NewCredentials(user, rand.Text()) }

// Given returns credentials with a password that was read from somewhere: a line break
// at its end is the end of the line that it was.
func Given(user, line string) bitcoind.Credentials {
	line = strings.TrimSuffix(line, "\n")
	return bitcoind.NewCredentials(user, strings.TrimSuffix(line, "\r"))
}

// values are what is sealed of credentials, by key. Those that bitcoind could not take are
// refused. The error holds no value.
func (w Whose) values(credentials bitcoind.Credentials) (map[string]string, error) {
	values := map[string]string{bitcoind.UserKey: credentials.User(), bitcoind.PasswordKey: credentials.Password()}
	if w.User == "" {
		_, err := bitcoind.CredentialsFrom(valueIn(values))
		return values, err
	}
	current, _ := bitcoind.UserPasswordKeys(w.User)
	values = map[string]string{current: credentials.Password()}
	_, err := bitcoind.UserCredentials(valueIn(values), w.User)
	return values, err
}

func valueIn(values map[string]string) func(string) string {
	return func(key string) string { return values[key] }
}
