package fleet

import "testing"

func TestRewardTo(t *testing.T) {
	if got, want := rewardTo("a/net"), "raw(4c05612f6e6574)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNode(t *testing.T) {
	n := Node{Namespace: "team-a", Network: "payments", Ordinal: 2}
	if n.Pod() != "payments-2" || n.String() != "team-a/payments-2" {
		t.Errorf("got %s and %s", n.Pod(), n)
	}
}

func TestNewCredentials(t *testing.T) {
	one, other := NewCredentials("payments"), NewCredentials("payments")
	if one["BC_RPC_USER"] != "payments" || len(one["BC_RPC_PASSWORD"]) < 20 {
		t.Error("credentials are incomplete")
	}
	if one["BC_RPC_PASSWORD"] == other["BC_RPC_PASSWORD"] {
		t.Error("the same password twice")
	}
}
