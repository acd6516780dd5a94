package main

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

func TestShortRevision(t *testing.T) {
	for revision, want := range map[string]string{
		"main@sha1:281aa5c747b7306334c8296cfccb8dbae150e41e": "main@sha1:281aa5c7",
		"main@sha1:281": "main@sha1:281",
		"":              "",
	} {
		if got := shortRevision(revision); got != want {
			t.Errorf("%q becomes %q, want %q", revision, got, want)
		}
	}
}

func TestTables(t *testing.T) {
	network := fleet.Network{BitcoinNetwork: v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "payments"},
		Status: v1alpha1.BitcoinNetworkStatus{
			Conditions: []metav1.Condition{
				{Type: "CredentialsReady", Status: metav1.ConditionTrue, Reason: "SecretRead"},
				{Type: "NodesReady", Status: metav1.ConditionTrue, Reason: "NodesAnswer"},
				{Type: "PeersConnected", Status: metav1.ConditionFalse, Reason: "LinksMissing"},
				{Type: "Ready", Status: metav1.ConditionFalse, Reason: "LinksMissing"},
			},
			Nodes: []v1alpha1.NodeStatus{{Ordinal: 0, IP: "192.0.2.1"}, {Ordinal: 1, IP: "192.0.2.2"}},
		},
	}}
	for ordinal := range 3 {
		network.Nodes = append(network.Nodes, fleet.Node{Namespace: "team-a", Network: "payments", Ordinal: ordinal})
	}
	connections := fleet.Connections{Links: []fleet.Link{{From: 1, To: 0}, {From: 2, To: 0}}}

	tests := map[string]struct {
		header []string
		rows   [][]string
		want   string
	}{
		"conditions": {append([]string{"NAMESPACE", "NAME"}, conditions...), conditionRows([]fleet.Network{network}), `
  NAMESPACE   NAME       CredentialsReady   NodesReady   PeersConnected         ChainsAgree   Ready
  team-a      payments   True               True         False (LinksMissing)   -             False (LinksMissing)
`},
		"nodes": {[]string{"NAMESPACE", "POD", "ADDRESS", "DIALS", "DIALLED BY", "BLOCKS"}, nodeRows(network, connections, []int{1, 1, 0}), `
  NAMESPACE   POD          ADDRESS     DIALS   DIALLED BY   BLOCKS
  team-a      payments-0   192.0.2.1   -       1 2          1
  team-a      payments-1   192.0.2.2   0       -            1
  team-a      payments-2               0       -            0
`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			table(&out, test.header, test.rows)
			if got := "\n" + out.String(); got != test.want {
				t.Errorf("got%swant%s", got, test.want)
			}
		})
	}
}
