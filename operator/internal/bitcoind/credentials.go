package bitcoind

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
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
)

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

// Validate tells what about the credentials bitcoind could not take. The message
// names the key at fault and holds nothing of its value.
func (c Credentials) Validate() error {
	switch {
	case strings.ContainsAny(c.User, ":#") || strings.ContainsFunc(c.User, unicode.IsControl) || strings.TrimSpace(c.User) != c.User:
		return fmt.Errorf("%s must have no ':', '#' or control character, and no space at its ends: bitcoin.conf cannot hold such a user name", UserKey)
	case !utf8.ValidString(c.User):
		return fmt.Errorf("%s is not valid UTF-8", UserKey)
	case !utf8.ValidString(c.Password) || strings.Contains(c.Password, "\x00"):
		return fmt.Errorf("%s is not valid UTF-8 without NUL", PasswordKey)
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
