package bitcoind

import (
	"fmt"
	"slices"
	"strings"
)

// WhitelistsVariable is the environment variable that says which users a node lets in
// beside those who may call everything, and what they may call. Their passwords are
// under keys of their own, and a user without one is not let in.
const WhitelistsVariable = "BC_RPC_WHITELISTS"

// User is one who may call some methods of a node and no others.
type User struct {
	Name    string
	Methods []string
}

// Whitelists is the value of WhitelistsVariable for these users: for each what
// bitcoind's option rpcwhitelist says of it.
func Whitelists(users []User) string {
	var words []string
	for _, user := range users {
		words = append(words, user.whitelist())
	}
	return strings.Join(words, " ")
}

func (u User) whitelist() string { return u.Name + ":" + strings.Join(u.Methods, ",") }

// UsersOf returns the users that a value of WhitelistsVariable speaks of.
func UsersOf(whitelists string) []User {
	var users []User
	for word := range strings.FieldsSeq(whitelists) {
		name, methods, _ := strings.Cut(word, ":")
		users = append(users, User{Name: name, Methods: strings.Split(methods, ",")})
	}
	return users
}

// UserPasswordKeys returns the keys of a user's password: of the one to use, and of the
// previous one while it is being changed.
func UserPasswordKeys(user string) (current, previous string) {
	current = PasswordKey + "_" + strings.ToUpper(strings.ReplaceAll(user, "-", "_"))
	return current, current + "_PREVIOUS"
}

// UserOfKey returns the user whose password a key is for, and whether it is for one: the
// inverse of UserPasswordKeys.
func UserOfKey(key string) (user string, isUsers bool) {
	name, _ := strings.CutSuffix(strings.TrimPrefix(key, PasswordKey+"_"), "_PREVIOUS")
	user = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	current, previous := UserPasswordKeys(user)
	return user, key != PreviousPasswordKey && (key == current || key == previous) && name != ""
}

// UserCredentials takes a user's credentials from where their keys stand for values:
// those that are fit, first the one to use. The error says what is wrong with the
// others, and holds no value. A user of the name of one who may call everything has
// none: the whitelist would bind that one, too.
func UserCredentials(value func(key string) string, user string) ([]Credentials, error) {
	for _, key := range []string{UserKey, PreviousUserKey} {
		if value(key) == user {
			return nil, fmt.Errorf("%s has the same name, and that user may call every method: rename one of the two", key)
		}
	}
	var fit []Credentials
	var problem error
	current, previous := UserPasswordKeys(user)
	for _, key := range []string{previous, current} {
		credentials := NewCredentials(user, value(key))
		switch err := credentials.validate("its name", key); {
		case err != nil:
			problem = err
		case credentials.Password() != "":
			fit = append(fit, credentials)
		case key == current:
			problem = fmt.Errorf("%s %w", key, ErrMissing)
		}
	}
	slices.Reverse(fit)
	return fit, problem
}

// RPCWhitelist returns the line of bitcoin.conf that says what the user may call. Where
// there is one, RPCWhitelistDefault must stand as well, or users without may call
// nothing.
func (u User) RPCWhitelist() string { return "rpcwhitelist=" + u.whitelist() }

// RPCWhitelistDefault is the line of bitcoin.conf by which users without a whitelist may
// call everything.
const RPCWhitelistDefault = "rpcwhitelistdefault=0"
