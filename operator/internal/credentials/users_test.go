package credentials

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

func TestPasswords(t *testing.T) {
	g := NewWithT(t)
	found := passwords(secret(
		holding("BC_RPC_PASSWORD_READ", "new"), holding("BC_RPC_PASSWORD_READ_PREVIOUS", "old"),
		holding("BC_RPC_PASSWORD_BTC_PAY_PREVIOUS", "old"), holding("BC_RPC_PASSWORD_MINER", "\x00"), holding("BC_RPC_PASSWORD_LND", ""),
		holding("BC_RPC_PASSWORD_HUSH_USER", "a"), holding("OTHER", "b"),
	))
	g.Expect(found["read"]).To(Equal([]bitcoind.Credentials{bitcoind.NewCredentials("read", "new"), bitcoind.NewCredentials("read", "old")}))
	g.Expect(found["btc-pay"]).To(HaveLen(1), "what clients may still use")
	g.Expect(found).To(HaveLen(2), "of the others none is fit")
}

func TestUsersOf(t *testing.T) {
	const key, previous = "BC_RPC_PASSWORD_READ", "BC_RPC_PASSWORD_READ_PREVIOUS"
	for _, test := range []struct {
		reason string
		name   string
		change func(*corev1.Secret)
		want   state.User
	}{
		{"a password", "read", holding(key, hush), state.User{Passwords: 1}},
		{"of a name with a hyphen", "btc-pay", holding("BC_RPC_PASSWORD_BTC_PAY", hush), state.User{Passwords: 1}},
		{"and the one before", "read", and(holding(key, hush), holding(previous, hush+"-old")), state.User{Passwords: 2}},
		{"the one before alone", "read", holding(previous, hush), state.User{Passwords: 1, Problem: key + " must be set and not be empty"}},
		{"none", "read", holding("BC_RPC_PASSWORD_LND", hush), state.User{Problem: key + " must be set and not be empty"}},
		{"an empty one", "read", holding(key, ""), state.User{Problem: key + " must be set and not be empty"}},
		{"one that no client can send", "read", holding(key, strings.Repeat(hush, 2000)),
			state.User{Problem: key + " must have at most 4800 bytes: bitcoind rejects requests with long headers"}},
		{"one that was never text", "read", holding(key, hush+"\xff"), state.User{Problem: key + " must be valid UTF-8 without NUL bytes"}},
		{"one before that was not", "read", and(holding(key, hush), holding(previous, hush+"\x00")),
			state.User{Passwords: 1, Problem: previous + " must be valid UTF-8 without NUL bytes"}},
		{"one with a line break, which nodes take", "read", holding(key, hush+"\n"),
			state.User{Passwords: 1, Problem: key + ` ends with a line break, which clients that read lines do not send: set it again without one, for example with tr -d '\n'`}},
		{"the name of the user who may call everything", hush + "-user", holding("BC_RPC_PASSWORD_HUSH_USER", hush),
			state.User{Problem: "BC_RPC_USER has the same name, and that user may call every method: rename one of the two"}},
		{"the name of the one before", "bob", and(holding("BC_RPC_PASSWORD_BOB", hush), holding(bitcoind.PreviousUserKey, "bob"), holding(bitcoind.PreviousPasswordKey, hush)),
			state.User{Problem: "BC_RPC_USER_PREVIOUS has the same name, and that user may call every method: rename one of the two"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := network("bitcoin-rpc")
			network.Spec.Users = []v1alpha1.User{{Name: test.name, Profile: v1alpha1.ReadProfile}}
			test.want.Name = test.name
			found := usersOf(network, secret(test.change))
			g := NewWithT(t)
			g.Expect(found).To(Equal([]state.User{test.want}))
			g.Expect(found[0].Problem).NotTo(ContainSubstring(hush))
		})
	}
}

// and makes both changes.
func and(changes ...func(*corev1.Secret)) func(*corev1.Secret) {
	return func(secret *corev1.Secret) {
		for _, change := range changes {
			change(secret)
		}
	}
}
