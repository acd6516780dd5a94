package fleet

import (
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
