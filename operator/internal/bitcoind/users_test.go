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

func TestUserOfKey(t *testing.T) {
	for _, test := range []struct{ reason, key, want string }{
		{"a user's", "BC_RPC_PASSWORD_READ", "read"},
		{"as it was before", "BC_RPC_PASSWORD_BTC_PAY_2_PREVIOUS", "btc-pay-2"},
		{"the operator's own", "BC_RPC_PASSWORD", ""},
		{"as it was before", "BC_RPC_PASSWORD_PREVIOUS", ""},
		{"another's name", "BC_RPC_USER_READ", ""},
		{"nobody's", "BC_RPC_PASSWORD_", ""},
		{"nobody's before", "BC_RPC_PASSWORD__PREVIOUS", ""},
		{"not as the keys of users are", "BC_RPC_PASSWORD_read", ""},
		{"something else", "READ", ""},
	} {
		user, isUsers := UserOfKey(test.key)
		if isUsers != (test.want != "") || isUsers && user != test.want {
			t.Errorf("%s: %s is of %q, %t; want %q", test.reason, test.key, user, isUsers, test.want)
		}
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
