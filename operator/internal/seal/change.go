package seal

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

var (
	// ErrThere tells that credentials are sealed in a file already.
	ErrThere = errors.New("is already sealed")
	// ErrNotThere tells that they are not.
	ErrNotThere = errors.New("is not sealed yet")
	// ErrRotating tells that the previous credentials are still there.
	ErrRotating = errors.New("is still there")
	// ErrNotRotating tells that they are not.
	ErrNotRotating = errors.New("does not exist: no change is in progress")
)

// Add seals credentials of which the file has none.
func (f *File) Add(whose Whose, credentials bitcoind.Credentials, with Key) error {
	for _, keys := range whose.keys() {
		for _, key := range []string{keys.current, keys.previous} {
			if f.has(key) {
				return fmt.Errorf("%s %w in %s", key, ErrThere, f.secret)
			}
		}
	}
	return f.seal(whose, credentials, with)
}

// Replace seals credentials in place of those that the file has, the previous ones among
// them: for some that have leaked. Nodes reject the old ones as soon as they have the new.
func (f *File) Replace(whose Whose, credentials bitcoind.Credentials, with Key) error {
	if err := f.seal(whose, credentials, with); err != nil {
		return err
	}
	return f.dropPrevious(whose)
}

// Rotate seals new credentials, and keeps those that the file has as the previous ones,
// without opening them: a sealed value is bound to its Secret and not to its key. Nodes
// accept both.
//
// Credentials without a user keep the user's name as it is sealed.
func (f *File) Rotate(whose Whose, credentials bitcoind.Credentials, with Key) error {
	for _, keys := range whose.keys() {
		switch {
		case !f.has(keys.current):
			return fmt.Errorf("%s %w in %s", keys.current, ErrNotThere, f.secret)
		case f.has(keys.previous):
			return fmt.Errorf("%s %w in %s: finish the previous change first", keys.previous, ErrRotating, f.secret)
		}
	}
	for _, keys := range whose.keys() {
		if err := f.copy(keys.current, keys.previous); err != nil {
			return err
		}
	}
	return f.seal(whose, credentials, with)
}

// Finish drops the previous credentials. Whether they may go is for Refusals to say.
func (f *File) Finish(whose Whose) error {
	rotating := slices.ContainsFunc(whose.keys(), func(keys keyPair) bool { return f.has(keys.previous) })
	if !rotating {
		return fmt.Errorf("%s %w", whose.keys()[0].previous, ErrNotRotating)
	}
	return f.dropPrevious(whose)
}

// Users are the names of the users of spec.users of whom a password is sealed.
func (f *File) Users() ([]string, error) {
	values, err := f.Values()
	var users []string
	for key := range values {
		if user, isUsers := bitcoind.UserOfKey(key); isUsers {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return slices.Compact(users), err
}

func (f *File) seal(whose Whose, credentials bitcoind.Credentials, with Key) error {
	values, err := f.toSeal(whose, credentials)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if err := f.put(key, values[key], with); err != nil {
			return err
		}
	}
	return nil
}

// toSeal returns the values that change, by key, if bitcoind takes them.
func (f *File) toSeal(whose Whose, credentials bitcoind.Credentials) (map[string]string, error) {
	keepsName := whose.User == "" && credentials.User() == "" && f.has(bitcoind.UserKey)
	if keepsName {
		credentials = bitcoind.NewCredentials("as-it-is-sealed", credentials.Password())
	}
	values, err := whose.values(credentials)
	if err != nil {
		return nil, err
	}
	if keepsName {
		delete(values, bitcoind.UserKey)
	}
	users, err := f.Users()
	if err != nil {
		return nil, err
	}
	if name := values[bitcoind.UserKey]; slices.Contains(users, name) {
		return nil, fmt.Errorf("%s has a password for %s as a restricted user of spec.users: give %s another name", f.secret, name, bitcoind.UserKey)
	}
	return values, nil
}

func (f *File) dropPrevious(whose Whose) error {
	for _, keys := range whose.keys() {
		if err := f.drop(keys.previous); err != nil {
			return err
		}
	}
	return nil
}
