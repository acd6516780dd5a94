package fleet

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestWrites(t *testing.T) {
	log := `{"verb":"list","user":{"username":"operator"},"objectRef":{"resource":"pods"}}
{"verb":"get","user":{"username":"operator"},"objectRef":{"resource":"services","name":"quiet"}}
{"verb":"patch","user":{"username":"operator"},"objectRef":{"resource":"bitcoinnetworks","subresource":"status","name":"quiet"}}
{"verb":"patch","user":{"username":"operator"},"objectRef":{"resource":"services","name":"loud"}}
{"verb":"create","user":{"username":"operator"},"objectRef":{"resource":"events","name":"quiet.17"}}
{"verb":"patch","user":{"username":"another"},"objectRef":{"resource":"services","name":"quiet"}}
{"verb":"patch","user":{"username":"operator"},"objectRef":{"resource":"serv`
	got, err := writes(strings.NewReader(log), "operator", "quiet")
	if want := []string{"patch bitcoinnetworks/status quiet", "create events quiet.17"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestRights(t *testing.T) {
	log := `{"verb":"list","user":{"username":"system:serviceaccount:team-a:operator"},"objectRef":{"resource":"pods"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"verb":"create","user":{"username":"system:serviceaccount:team-b:operator"},"objectRef":{"resource":"pods","subresource":"eviction"},"annotations":{"authorization.k8s.io/decision":"allow"}}
{"verb":"get","user":{"username":"system:serviceaccount:team-a:operator"},"objectRef":{"resource":"statefulsets","apiGroup":"apps"},"annotations":{"authorization.k8s.io/decision":"forbid"}}
{"verb":"watch","requestURI":"/api/v1/services?sendInitialEvents=true","user":{"username":"system:serviceaccount:team-a:operator"},"objectRef":{"resource":"services"}}
{"verb":"patch","user":{"username":"system:serviceaccount:team-a:operator"},"objectRef":{"resource":"services"},"responseStatus":{"code":201}}
{"verb":"get","user":{"username":"system:serviceaccount:team-a:another-operator"},"objectRef":{"resource":"secrets"}}
{"verb":"get","user":{"username":"somebody:operator"},"objectRef":{"resource":"secrets"}}
{"verb":"get","user":{"username":"system:serviceaccount:team-a:operator"},"requestURI":"/apis"}
{"verb":"delete","user":{"username":"system:serviceaccount:team-a:operator"},"userAgent":"kubectl/v1","objectRef":{"resource":"nodes"}}
{"verb":"delete","user":{"username":"system:serviceaccount:team-a:operator"},"impersonatedUser":{"username":"another"},"objectRef":{"resource":"pods"}}
`
	used, lacked, err := rights(strings.NewReader(log), "operator")
	if want := (map[Right]bool{{"list", "", "pods"}: true, {"create", "", "pods/eviction"}: true,
		{"watch", "", "services"}: true, {"list", "", "services"}: true, {"patch", "", "services"}: true, {"create", "", "services"}: true, {"impersonate", "", "serviceaccounts"}: true}); err != nil || !maps.Equal(used, want) {
		t.Errorf("used %v, %v", used, err)
	}
	if want := (map[Right]bool{{"get", "apps", "statefulsets"}: true}); !maps.Equal(lacked, want) {
		t.Errorf("lacked %v", lacked)
	}
}
