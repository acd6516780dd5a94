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
			credentials: NewCredentials("user", "password"),
			salt:        "b8a8d1dc80f1e84f7f3a53f3e0b8c2ff",
			want:        "rpcauth=user:b8a8d1dc80f1e84f7f3a53f3e0b8c2ff$0b68392e46baf560ba32a25c9fd3431efbadd469aa908f2f1c2c05f4f485bbeb",
		},
		{
			reason:      "a password is any text",
			credentials: NewCredentials("alice", "pass wörd$:#"),
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
	secret := NewCredentials("hush-user", "hush-password")
	holder := struct {
		Endpoint Endpoint
		List     []Credentials
		Map      map[string]*Credentials
		Key      map[Credentials]bool
	}{Endpoint{Credentials: secret}, []Credentials{secret}, map[string]*Credentials{"a": &secret}, map[Credentials]bool{secret: true}}
	// fmt asks nothing of what is unexported, but prints what it finds.
	hidden := struct {
		credentials Credentials
		pointer     *Credentials
		endpoint    Endpoint
		list        []Credentials
		array       [1]Credentials
		byName      map[string]Credentials
		byPair      map[Credentials]int
		whatever    any
	}{secret, &secret, Endpoint{Credentials: secret}, []Credentials{secret}, [1]Credentials{secret},
		map[string]Credentials{"a": secret}, map[Credentials]int{secret: 1}, secret}

	for _, value := range []any{
		secret, &secret, holder, &holder, hidden, &hidden, Endpoint{Credentials: secret}, []Credentials{secret}, []any{hidden},
		map[string]Credentials{"a": secret}, map[Credentials]int{secret: 1}, map[string]any{"a": hidden},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%10.3s", "%!"} {
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

func TestCredentialsSayWhatTheyAre(t *testing.T) {
	for _, test := range []struct {
		reason      string
		credentials Credentials
		want        string
	}{
		{"what is printed by accident", NewCredentials("hush-user", "hush-password"), "[credentials]"},
		{"nobody's print as anybody's", Credentials{}, "[credentials]"},
	} {
		if got := fmt.Sprintf("%+v", test.credentials); got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
		if got, err := json.Marshal(test.credentials); err != nil || string(got) != `"`+test.want+`"` {
			t.Errorf("%s: %s, %v, want %q", test.reason, got, err, test.want)
		}
	}
}

func TestCredentialsAreAPair(t *testing.T) {
	for _, test := range []struct {
		reason         string
		credentials    Credentials
		user, password string
	}{
		{"those of a user", NewCredentials("alice", "correct horse"), "alice", "correct horse"},
		{"the well-known ones", DefaultCredentials, "user", "password"},
		{"the zero value is nobody's", Credentials{}, "", ""},
	} {
		if user, password := test.credentials.User(), test.credentials.Password(); user != test.user || password != test.password {
			t.Errorf("%s: %q and %q, want %q and %q", test.reason, user, password, test.user, test.password)
		}
	}
}

func TestCredentialsCompare(t *testing.T) {
	alice := NewCredentials("alice", "correct horse")
	for _, test := range []struct {
		reason string
		other  Credentials
		equal  bool
	}{
		{"the same pair, made again", NewCredentials("alice", strings.Join([]string{"correct", "horse"}, " ")), true},
		{"another user", NewCredentials("bob", "correct horse"), false},
		{"another password", NewCredentials("alice", "battery staple"), false},
		{"the two exchanged", NewCredentials("correct horse", "alice"), false},
		{"nobody's", Credentials{}, false},
	} {
		if equal := alice == test.other; equal != test.equal {
			t.Errorf("%s: equal is %t, want %t", test.reason, equal, test.equal)
		}
	}
}

func mustNotTell(t *testing.T, how, text string) {
	t.Helper()
	// In hexadecimal, too, as %x prints.
	for _, secret := range []string{"hush", fmt.Sprintf("%x", "hush"), fmt.Sprintf("%X", "hush")} {
		if strings.Contains(text, secret) {
			t.Errorf("%s tells the credentials: %s", how, text)
		}
	}
}
