package main

import (
	"os"
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
			got, err := authLines(func(key string) string { return test.env[key] }, test.inPod)
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

func TestSaltIsFresh(t *testing.T) {
	env := func(string) string { return "same" }
	first, _ := authLines(env, true)
	second, _ := authLines(env, true)
	if first == second {
		t.Error("two starts made the same line, so the salt is not random")
	}
}

func TestWithoutCredentials(t *testing.T) {
	got := withoutCredentials([]string{"HOME=/home/bitcoin", "BC_RPC_USER=u", "BC_RPC_PASSWORD=p", "PATH=/bin"})
	if want := []string{"HOME=/home/bitcoin", "PATH=/bin"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
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
