package bitcoindtest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// profiles are the API's.
var profiles = []string{"read", "lightning", "electrum", "miner", "wallet"}

// hidden are methods that help does not list.
var hidden = []string{
	"addconnection", "addpeeraddress", "echo", "echojson", "estimaterawfee", "generate", "generateblock", "generatetoaddress",
	"generatetodescriptor", "getorphantxs", "getrawaddrman", "invalidateblock", "mockscheduler", "reconsiderblock", "sendmsgtopeer",
	"setmocktime", "syncwithvalidationinterfacequeue", "getinfo",
}

// unknown are methods on a list that the bitcoind of this test does not have.
var unknown = map[string]string{
	"getinfo":       "no bitcoind has it; rpcclient asks for it to tell btcd from bitcoind",
	"getdifficulty": "Bitcoin Core has it, Knots 29.4 does not",
}

// TestProfiles asks a real node for every method of its own, as a user of each profile:
// it is allowed exactly when it is on the list. No call does anything, since none has
// parameters of that name.
func TestProfiles(t *testing.T) {
	var auth []string
	users := map[string]bitcoind.Credentials{}
	for _, profile := range profiles {
		users[profile] = bitcoind.NewCredentials("user-"+profile, profile)
		auth = append(auth, bitcoind.User{Name: "user-" + profile, Methods: bitcoind.Profile(profile)}.RPCWhitelist(),
			bitcoind.RPCAuth(users[profile], "0123456789abcdef"))
	}
	world := newRealWorld(t, needsBitcoind(t), 1, auth...)
	at := world.endpoint(0).Address
	methods := map[string]bool{}
	for _, method := range slices.Concat(listed(t, at), hidden) {
		methods[method] = true
	}
	for _, profile := range profiles {
		for _, method := range bitcoind.Profile(profile) {
			if _, isMissing := unknown[method]; !methods[method] && !isMissing {
				t.Errorf("%s: the node knows no %s", profile, method)
			}
			methods[method] = true
		}
	}
	if len(methods) < 150 {
		t.Fatalf("the node tells of %d methods", len(methods))
	}
	for _, method := range slices.Sorted(maps.Keys(methods)) {
		for _, profile := range profiles {
			want := slices.Contains(bitcoind.Profile(profile), method)
			if status := ask(t, at, users[profile], method); (status != http.StatusForbidden) != want || status == http.StatusUnauthorized {
				t.Errorf("%s by %s: HTTP status %d, want it to be allowed: %t", method, profile, status, want)
			}
		}
		if status := ask(t, at, bitcoind.DefaultCredentials, method); status == http.StatusForbidden {
			t.Errorf("%s is forbidden to the user who may call everything", method)
		}
	}
}

// Methods that would be a way out of a profile are on none of the lists.
func TestWhatNoProfileMayCall(t *testing.T) {
	for _, profile := range profiles {
		methods := bitcoind.Profile(profile)
		if len(methods) == 0 || len(methods) > 128 || !slices.IsSorted(methods) {
			t.Errorf("%s has %d methods", profile, len(methods))
		}
		for _, method := range methods {
			for _, forbidden := range []string{
				"stop", "addnode", "disconnectnode", "setban", "clearbanned", "setnetworkactive", "logging", "invalidateblock",
				"waitfor", "scan", "dump", "load", "backupwallet", "restorewallet", "migratewallet", "prune", "save", "importmempool",
			} {
				if strings.HasPrefix(method, forbidden) && method != "loadwallet" {
					t.Errorf("%s may call %s", profile, method)
				}
			}
		}
	}
	if got := bitcoind.Profile("admin"); got != nil {
		t.Errorf("a profile that there is not has %v", got)
	}
}

// listed returns the methods of which a node's help tells.
func listed(t *testing.T, address string) []string {
	t.Helper()
	var answer struct{ Result string }
	response := post(t, address, bitcoind.DefaultCredentials, `{"method": "help"}`)
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	var methods []string
	for line := range strings.Lines(answer.Result) {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "==" {
			methods = append(methods, words[0])
		}
	}
	return methods
}

// ask calls a method with a parameter that none has, and returns the HTTP status.
func ask(t *testing.T, address string, credentials bitcoind.Credentials, method string) int {
	t.Helper()
	response := post(t, address, credentials, fmt.Sprintf(`{"method": %q, "params": {"no such parameter": 1}}`, method))
	response.Body.Close()
	return response.StatusCode
}

func post(t *testing.T, address string, credentials bitcoind.Credentials, body string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(credentials.User(), credentials.Password())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}
