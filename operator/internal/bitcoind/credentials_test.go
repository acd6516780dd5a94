package bitcoind

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// The wanted hashes are by Python, as share/rpcauth/rpcauth.py of Bitcoin Core
// makes them: hmac.new(salt.encode(), password.encode(), 'SHA256').hexdigest()
func TestRPCAuth(t *testing.T) {
	for _, test := range []struct {
		reason      string
		credentials Credentials
		salt        string
		want        string
	}{
		{
			reason:      "the salt is the key, as text, not the bytes that its digits stand for",
			credentials: Credentials{User: "user", Password: "password"},
			salt:        "b8a8d1dc80f1e84f7f3a53f3e0b8c2ff",
			want:        "rpcauth=user:b8a8d1dc80f1e84f7f3a53f3e0b8c2ff$0b68392e46baf560ba32a25c9fd3431efbadd469aa908f2f1c2c05f4f485bbeb",
		},
		{
			reason:      "a password is any text",
			credentials: Credentials{User: "alice", Password: "pass wörd$:#"},
			salt:        "fe38b0d3ae2b7c6f1f5ac4e0e5a4d0c9",
			want:        "rpcauth=alice:fe38b0d3ae2b7c6f1f5ac4e0e5a4d0c9$1f90457c06096b8321747cb0733a0e44fe5ee1985c7db181d819ddca1320518b",
		},
	} {
		if got := RPCAuth(test.credentials, test.salt); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.reason, got, test.want)
		}
	}
}

func TestCredentialsDoNotPrint(t *testing.T) {
	secret := Credentials{User: "hush-user", Password: "hush-password"}
	holder := struct {
		Endpoint Endpoint
		List     []Credentials
		Map      map[string]*Credentials
	}{Endpoint{Credentials: secret}, []Credentials{secret}, map[string]*Credentials{"a": &secret}}

	for _, value := range []any{secret, &secret, holder, &holder, Endpoint{Credentials: secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10.3s"} {
			mustNotTell(t, verb, fmt.Sprintf(verb, value))
			mustNotTell(t, "an error with "+verb, fmt.Errorf("ask "+verb+": %w", value, errors.ErrUnsupported).Error())
		}
		mustNotTell(t, "Sprint", fmt.Sprint(value))
		inJSON, err := json.Marshal(value)
		if err != nil {
			t.Error(err)
		}
		mustNotTell(t, "JSON", string(inJSON))

		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("asked", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("asked", "value", value)
		mustNotTell(t, "a log", log.String())
	}
}

func mustNotTell(t *testing.T, how, text string) {
	t.Helper()
	// In hexadecimal, too, as %x prints.
	for _, secret := range []string{"hush", fmt.Sprintf("%x", "hush")} {
		if strings.Contains(text, secret) {
			t.Errorf("%s tells the credentials: %s", how, text)
		}
	}
}
