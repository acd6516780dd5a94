package bitcoind

import (
	"slices"
	"testing"
)

func TestWhitelists(t *testing.T) {
	users := []User{{"read", []string{"getblock", "uptime"}}, {"btc-pay", []string{"getblock"}}}
	const want = "read:getblock,uptime btc-pay:getblock"
	if got := Whitelists(users); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got := UsersOf(want)
	if !slices.EqualFunc(got, users, func(a, b User) bool { return a.Name == b.Name && slices.Equal(a.Methods, b.Methods) }) {
		t.Errorf("got %v, want %v", got, users)
	}
	if got := UsersOf(""); len(got) > 0 {
		t.Errorf("nobody becomes %v", got)
	}
}

func TestUserPasswordKeys(t *testing.T) {
	current, previous := UserPasswordKeys("btc-pay-2")
	if current != "BC_RPC_PASSWORD_BTC_PAY_2" || previous != "BC_RPC_PASSWORD_BTC_PAY_2_PREVIOUS" {
		t.Errorf("got %s and %s", current, previous)
	}
}

// Which of a user's passwords are fit, bitcoind-start's test tells; here is who is first.
func TestUserCredentials(t *testing.T) {
	env := map[string]string{"BC_RPC_PASSWORD_READ": "new", "BC_RPC_PASSWORD_READ_PREVIOUS": "old"}
	got, err := UserCredentials(func(key string) string { return env[key] }, "read")
	if want := []Credentials{NewCredentials("read", "new"), NewCredentials("read", "old")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d credentials, error %v, want the new password before the old one", len(got), err)
	}
}
