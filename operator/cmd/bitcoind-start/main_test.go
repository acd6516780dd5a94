package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

func TestAuthLines(t *testing.T) {
	const user, password = "alice", "p#ss w\"rd"
	tests := map[string]struct {
		reason  string
		env     map[string]string
		inPod   bool
		want    string
		also    string
		wantErr string
	}{
		"both in a pod": {
			reason: "credentials become an rpcauth line",
			env:    map[string]string{bitcoind.UserKey: user, bitcoind.PasswordKey: password},
			inPod:  true,
			want:   "rpcauth=alice:",
		},
		"both outside": {
			reason: "plain Docker takes credentials in the same way",
			env:    map[string]string{bitcoind.UserKey: user, bitcoind.PasswordKey: password},
			want:   "rpcauth=alice:",
		},
		"none outside": {
			reason: "plain Docker starts with the image's configuration",
		},
		"none in a pod": {
			reason:  "a pod without credentials is a mistake",
			inPod:   true,
			wantErr: "must be set and not be empty",
		},
		"no password": {
			reason:  "half of the credentials is a mistake anywhere",
			env:     map[string]string{bitcoind.UserKey: user},
			wantErr: "must be set and not be empty",
		},
		"empty user in a pod": {
			reason:  "an empty value is none",
			env:     map[string]string{bitcoind.UserKey: "", bitcoind.PasswordKey: password},
			inPod:   true,
			wantErr: "must be set and not be empty",
		},
		"a previous pair": {
			reason: "while a password is being changed both are let in",
			env: map[string]string{bitcoind.UserKey: user, bitcoind.PasswordKey: password,
				bitcoind.PreviousUserKey: "bob", bitcoind.PreviousPasswordKey: "old"},
			inPod: true,
			want:  "rpcauth=alice:",
			also:  "\nrpcauth=bob:",
		},
		"half of a previous pair": {
			reason:  "half of a pair is a mistake",
			env:     map[string]string{bitcoind.UserKey: user, bitcoind.PasswordKey: password, bitcoind.PreviousUserKey: "bob"},
			inPod:   true,
			wantErr: bitcoind.PreviousPasswordKey,
		},
		"a colon in the user": {
			reason:  "rpcauth separates user and salt by a colon",
			env:     map[string]string{bitcoind.UserKey: "a:b", bitcoind.PasswordKey: password},
			inPod:   true,
			wantErr: bitcoind.UserKey,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := authLines(func(key string) string { return test.env[key] }, test.inPod, io.Discard)
			switch {
			case test.wantErr != "" && (err == nil || !strings.Contains(err.Error(), test.wantErr)):
				t.Fatalf("%s: got error %v, want one with %q", test.reason, err, test.wantErr)
			case test.wantErr == "" && err != nil:
				t.Fatalf("%s: %v", test.reason, err)
			case !strings.HasPrefix(got, test.want) || (test.want == "") != (got == ""):
				t.Errorf("%s: got %q, want it to begin with %q", test.reason, got, test.want)
			}
			if !strings.Contains(got, test.also) {
				t.Errorf("%s: %q is not in %q", test.reason, test.also, got)
			}
			if err != nil && strings.Contains(err.Error(), password) || strings.Contains(got, password) {
				t.Errorf("the password shows in %q, %v", got, err)
			}
		})
	}
}

// A line for each password, less the salt and the hash, and a whitelist for each user
// that is let in: nobody gets in without, or all of RPC would be theirs.
func TestUsersAreLetInToSomeMethods(t *testing.T) {
	const (
		everything = "rpcauth=alice\n"
		limited    = "rpcwhitelistdefault=0\n"
		twoUsers   = "read:getblock,uptime btc-pay:getblock"
	)
	for _, test := range []struct {
		reason     string
		whitelists string
		env        map[string]string
		want       string
		warnings   string
	}{
		{
			reason: "no users: what earlier versions wrote",
			env:    map[string]string{"BC_RPC_PASSWORD_READ": "r"},
			want:   everything,
		},
		{
			reason: "a line for each", whitelists: twoUsers,
			env: map[string]string{"BC_RPC_PASSWORD_READ": "r", "BC_RPC_PASSWORD_BTC_PAY": "b"},
			want: everything + "rpcwhitelist=read:getblock,uptime\nrpcauth=read\n" +
				"rpcwhitelist=btc-pay:getblock\nrpcauth=btc-pay\n" + limited,
		},
		{
			reason: "while a password is being changed both are let in", whitelists: "read:getblock,uptime",
			env:  map[string]string{"BC_RPC_PASSWORD_READ": "r", "BC_RPC_PASSWORD_READ_PREVIOUS": "old"},
			want: everything + "rpcwhitelist=read:getblock,uptime\nrpcauth=read\nrpcauth=read\n" + limited,
		},
		{
			reason: "a user that nobody has named is none, whatever the Secret has", whitelists: "read:getblock",
			env:  map[string]string{"BC_RPC_PASSWORD_READ": "r", "BC_RPC_PASSWORD_MINER": "m"},
			want: everything + "rpcwhitelist=read:getblock\nrpcauth=read\n" + limited,
		},
		{
			reason: "one without a password is not let in, and the others are", whitelists: twoUsers,
			env:      map[string]string{"BC_RPC_PASSWORD_BTC_PAY": "b"},
			want:     everything + "rpcwhitelist=btc-pay:getblock\nrpcauth=btc-pay\n" + limited,
			warnings: "bitcoind-start: user read: BC_RPC_PASSWORD_READ must be set and not be empty\n",
		},
		{
			reason: "nobody has a password", whitelists: "read:getblock",
			want:     everything,
			warnings: "bitcoind-start: user read: BC_RPC_PASSWORD_READ must be set and not be empty\n",
		},
		{
			reason: "a password that no client could send", whitelists: "read:getblock",
			env:      map[string]string{"BC_RPC_PASSWORD_READ": strings.Repeat("r", 4801)},
			want:     everything,
			warnings: "bitcoind-start: user read: BC_RPC_PASSWORD_READ must have at most 4800 bytes: bitcoind rejects requests with long headers\n",
		},
		{
			reason: "the previous password alone is one", whitelists: "read:getblock",
			env:      map[string]string{"BC_RPC_PASSWORD_READ_PREVIOUS": "old"},
			want:     everything + "rpcwhitelist=read:getblock\nrpcauth=read\n" + limited,
			warnings: "bitcoind-start: user read: BC_RPC_PASSWORD_READ must be set and not be empty\n",
		},
		{
			reason: "a whitelist for the operator's own user would lock the operator out", whitelists: "alice:getblock",
			env:      map[string]string{"BC_RPC_PASSWORD_ALICE": "a"},
			want:     everything,
			warnings: "bitcoind-start: user alice: BC_RPC_USER has the same name, and that user may call every method: rename one of the two\n",
		},
		{
			reason: "and so would one for the previous", whitelists: "bob:getblock",
			env:      map[string]string{"BC_RPC_PASSWORD_BOB": "b", bitcoind.PreviousUserKey: "bob", bitcoind.PreviousPasswordKey: "old"},
			want:     everything + "rpcauth=bob\n",
			warnings: "bitcoind-start: user bob: BC_RPC_USER_PREVIOUS has the same name, and that user may call every method: rename one of the two\n",
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			env := map[string]string{bitcoind.UserKey: "alice", bitcoind.PasswordKey: "correct horse", bitcoind.WhitelistsVariable: test.whitelists}
			maps.Copy(env, test.env)
			var warnings strings.Builder
			got, err := authLines(func(key string) string { return env[key] }, true, &warnings)
			if err != nil {
				t.Fatal(err)
			}
			if got = regexp.MustCompile(`:[A-Z0-9]+\$[0-9a-f]{64}`).ReplaceAllString(got, ""); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
			if warnings.String() != test.warnings {
				t.Errorf("warns %q, want %q", &warnings, test.warnings)
			}
		})
	}
}

func TestSaltIsFresh(t *testing.T) {
	env := func(string) string { return "same" }
	first, _ := authLines(env, true, io.Discard)
	second, _ := authLines(env, true, io.Discard)
	if first == second {
		t.Error("two starts made the same line, so the salt is not random")
	}
}

func TestWithoutCredentials(t *testing.T) {
	got := withoutCredentials([]string{"HOME=/home/bitcoin", "BC_RPC_USER=u", "BC_RPC_PASSWORD=p", "BC_RPC_PASSWORD_READ=r", "BC_RPC_WHITELISTS=read:uptime", "PATH=/bin"})
	if want := []string{"HOME=/home/bitcoin", "PATH=/bin"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The copy is the program itself, for everybody to run, and takes the place of an
// earlier one, as when a pod's containers are all made again.
func TestInstall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bitcoind-start")
	for range 2 {
		if err := run([]string{bitcoind.InstallCommand, file}); err != nil {
			t.Fatal(err)
		}
	}
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(this)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the copy is not the program")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("got %v, %v, want a program for everybody", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("got %v, %v, want nothing beside the copy", left, err)
	}
	if err := run([]string{bitcoind.InstallCommand, filepath.Join(file, "below-a-file")}); err == nil {
		t.Error("want an error where there is no folder")
	}
}

// Whoever runs an image without bitcoind is told so.
func TestNoBitcoind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := run([]string{"-uacomment=team-a.payments.0"})
	if err == nil || !errors.Is(err, exec.ErrNotFound) || !strings.HasPrefix(err.Error(), "the image has no bitcoind on its PATH: ") {
		t.Errorf("got %v", err)
	}
}

// The image's own configuration is that of a regtest network's pods, so that
// what is tried with plain Docker is what runs in the cluster.
func TestImageConfig(t *testing.T) {
	chain, err := bitcoind.ChainNamed("regtest")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("bitcoin.conf")
	if err != nil {
		t.Fatal(err)
	}
	if want := bitcoind.Config(bitcoind.Settings{Chain: chain, Memory: 512}); string(file) != want {
		t.Errorf("bitcoin.conf is not what the operator writes; want:\n%s", want)
	}
}
