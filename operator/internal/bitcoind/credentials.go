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
	"unique"
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
	credentials := NewCredentials(value(userKey), value(passwordKey))
	return credentials, credentials.validate(userKey, passwordKey)
}

// Credentials are what a client of a node's JSON-RPC proves itself with. Those of
// the same pair are equal by ==, and the zero value is those of nobody.
//
// They print and marshal as nothing, so that no log line holds a password by
// accident. In another struct's unexported field fmt does not ask, but follows no
// pointer to a string: it prints where the texts are. A handle for the pair would
// be one to a struct, which it does follow when a verb does not suit.
type Credentials struct {
	user, password unique.Handle[string]
}

// NewCredentials returns the credentials of a user.
func NewCredentials(user, password string) Credentials {
	return Credentials{unique.Make(user), unique.Make(password)}
}

// User returns the name of the user.
func (c Credentials) User() string { return textOf(c.user) }

// Password returns the password in plain text.
func (c Credentials) Password() string { return textOf(c.password) }

// textOf returns the text behind a handle, and nothing for that of the zero value.
func textOf(handle unique.Handle[string]) string {
	if handle == (unique.Handle[string]{}) {
		return ""
	}
	return handle.Value()
}

// DefaultCredentials are well known. A regtest network that names no Secret
// uses them; nothing else does.
var DefaultCredentials = NewCredentials("user", "password")

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

// How long a user's name and a password may be. bitcoind refuses a request with more
// than 8 KiB of headers, in which the two stand as base64.
const (
	maxUserBytes     = 1024
	maxPasswordBytes = 4800
)

// validate tells what about the credentials bitcoind could not take. The message
// names the key at fault and holds nothing of its value.
func (c Credentials) validate(userKey, passwordKey string) error {
	user, password := c.User(), c.Password()
	const tooLong = "%s must have at most %d bytes: bitcoind rejects requests with long headers"
	switch {
	case len(user) > maxUserBytes:
		return fmt.Errorf(tooLong, userKey, maxUserBytes)
	case len(password) > maxPasswordBytes:
		return fmt.Errorf(tooLong, passwordKey, maxPasswordBytes)
	case strings.ContainsAny(user, ":#") || strings.ContainsFunc(user, unicode.IsControl) || strings.TrimSpace(user) != user:
		return fmt.Errorf("%s must not contain ':', '#' or control characters, or begin or end with a space: bitcoin.conf cannot represent such a user name", userKey)
	case !utf8.ValidString(user):
		return fmt.Errorf("%s is not valid UTF-8", userKey)
	case !utf8.ValidString(password) || strings.Contains(password, "\x00"):
		return fmt.Errorf("%s must be valid UTF-8 without NUL bytes", passwordKey)
	}
	return nil
}

// RPCAuth returns the line of bitcoin.conf that lets these credentials in,
// without telling the password: rpcauth=user:salt$hash, as share/rpcauth.py in
// Bitcoin Core's source makes it.
func RPCAuth(credentials Credentials, salt string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(credentials.Password()))
	return fmt.Sprintf("rpcauth=%s:%s$%s", credentials.User(), salt, hex.EncodeToString(mac.Sum(nil)))
}
