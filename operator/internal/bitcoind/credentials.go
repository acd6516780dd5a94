package bitcoind

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The environment variables, and the keys of the Secret, that carry a node's
// credentials.
const (
	UserKey     = "BC_RPC_USER"
	PasswordKey = "BC_RPC_PASSWORD"
	// While a password is being changed, the previous pair is accepted as well.
	PreviousUserKey     = UserKey + "_PREVIOUS"
	PreviousPasswordKey = PasswordKey + "_PREVIOUS"
)

// ErrMissing tells that credentials lack a value.
var ErrMissing = errors.New("must be set and not be empty")

// CredentialsFrom takes credentials from where their keys stand for values: first
// the pair to use, then the previous one if there is one.
func CredentialsFrom(value func(key string) string) ([]Credentials, error) {
	current, err := pairFrom(value, UserKey, PasswordKey)
	if err != nil {
		return nil, err
	}
	if value(PreviousUserKey) == "" && value(PreviousPasswordKey) == "" {
		return []Credentials{current}, nil
	}
	previous, err := pairFrom(value, PreviousUserKey, PreviousPasswordKey)
	if err != nil {
		return nil, err
	}
	return []Credentials{current, previous}, nil
}

func pairFrom(value func(key string) string, userKey, passwordKey string) (Credentials, error) {
	for _, key := range []string{userKey, passwordKey} {
		if value(key) == "" {
			return Credentials{}, fmt.Errorf("%s %w", key, ErrMissing)
		}
	}
	pair := Credentials{User: value(userKey), Password: value(passwordKey)}
	return pair, pair.validate(userKey, passwordKey)
}

// Credentials are what a client of a node's JSON-RPC proves itself with. They
// print and marshal as nothing, so that no log line holds a password by accident.
// Beware of one way: fmt prints what is in another struct's unexported field
// without asking.
type Credentials struct {
	User, Password string
}

// DefaultCredentials are well known. A regtest network that names no Secret
// uses them; nothing else does.
var DefaultCredentials = Credentials{User: "user", Password: "password"}

// Format implements fmt.Formatter.
func (Credentials) Format(state fmt.State, _ rune) {
	fmt.Fprint(state, redacted)
}

// MarshalText implements encoding.TextMarshaler, which is what loggers that write
// JSON ask.
func (Credentials) MarshalText() ([]byte, error) {
	return []byte(redacted), nil
}

const redacted = "[credentials]"

// validate tells what about the credentials bitcoind could not take. The message
// names the key at fault and holds nothing of its value.
func (c Credentials) validate(userKey, passwordKey string) error {
	switch {
	case strings.ContainsAny(c.User, ":#") || strings.ContainsFunc(c.User, unicode.IsControl) || strings.TrimSpace(c.User) != c.User:
		return fmt.Errorf("%s must have no ':', '#' or control character, and no space at its ends: bitcoin.conf cannot hold such a user name", userKey)
	case !utf8.ValidString(c.User):
		return fmt.Errorf("%s is not valid UTF-8", userKey)
	case !utf8.ValidString(c.Password) || strings.Contains(c.Password, "\x00"):
		return fmt.Errorf("%s is not valid UTF-8 without NUL", passwordKey)
	}
	return nil
}

// RPCAuth returns the line of bitcoin.conf that lets these credentials in,
// without telling the password: rpcauth=user:salt$hash, as share/rpcauth.py in
// Bitcoin Core's source makes it.
func RPCAuth(credentials Credentials, salt string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(credentials.Password))
	return fmt.Sprintf("rpcauth=%s:%s$%s", credentials.User, salt, hex.EncodeToString(mac.Sum(nil)))
}
