package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestMeasure(t *testing.T) {
	minedAt := statetest.Now.Add(-time.Hour)
	behind := func(s *situation) {
		s.seen.Nodes[2] = statetest.NodeAt(2, 3, "a")
		s.seen.Nodes[0].State.Chain.Time = minedAt.Unix()
	}
	minesNothing := func(s *situation) { s.outcome.MiningProblem = "Address is not valid" }
	measured := func(name string, height int64, synced bool) metrics.Node {
		return metrics.Node{Name: name, Software: "Bitcoin Core", Version: "32.1", Synced: synced, Blocks: height, Headers: height, Progress: 1}
	}
	for _, test := range []struct {
		reason    string
		situation situation
		want      metrics.Network // but for the conditions
		ready     metav1.ConditionStatus
	}{
		{"some of all", oneSilent().with(behind), metrics.Network{
			NodesWanted: 3, NodesReady: 2, LinksPlanned: 3, LinksConnected: 1, Parts: 1, NodesSynced: 1,
			Nodes: []metrics.Node{measured("payments-0", 7, true), measured("payments-2", 3, false)},
			Chain: &metrics.Chain{HighestTip: 7, LowestTip: 3, LastBlock: minedAt},
		}, metav1.ConditionFalse},
		{"nobody tells of a chain", starting(), metrics.Network{NodesWanted: 3, LinksPlanned: 3, Parts: 1}, metav1.ConditionFalse},
		{"a pod beyond those that are asked for is not measured", shrinking(), metrics.Network{
			NodesWanted: 2, NodesReady: 2, LinksPlanned: 1, LinksConnected: 1, Parts: 1, NodesSynced: 2,
			Nodes: []metrics.Node{measured("payments-0", 7, true), measured("payments-1", 7, true)},
			Chain: &metrics.Chain{HighestTip: 7, LowestTip: 7, LastBlock: time.Unix(0, 0)},
		}, metav1.ConditionFalse},
		{"somebody waits", starting().with(waitsFor(forNode)), metrics.Network{
			NodesWanted: 3, LinksPlanned: 3, Parts: 1, Waiting: &metrics.Waiting{Node: "payments-0", On: "node"},
		}, metav1.ConditionFalse},
		{"for a budget", starting().with(refused), metrics.Network{
			NodesWanted: 3, LinksPlanned: 3, Parts: 1, Waiting: &metrics.Waiting{Node: "payments-0", On: "budget"},
		}, metav1.ConditionFalse},
		{"a block cannot be mined", wellConnected(0).with(minesNothing), metrics.Network{MiningFailed: true}, metav1.ConditionTrue},
		{"nobody waits while a network is suspended", parked().with(isSuspended, waitsFor(forNode)), metrics.Network{Suspended: true}, metav1.ConditionTrue},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := test.situation.report()
			test.want.Interval = 30 * time.Second
			got := Measure(network, test.situation.seen, test.situation.todo, test.situation.outcome)
			if got.Ready.Type != "Ready" || got.Ready.Status != test.ready {
				t.Errorf("Ready is %v", got.Ready)
			}
			if diff := cmp.Diff(network.Status.Conditions, got.Conditions); diff != "" {
				t.Errorf("conditions (-status +measured):\n%s", diff)
			}
			got.Ready, got.Conditions = metav1.Condition{}, nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A node is measured by what it says, the user agent that it chooses aside.
func TestMeasureNode(t *testing.T) {
	said := bitcoind.State{
		Mempool: bitcoind.Mempool{Size: 3, Bytes: 426}, Uptime: 60, Warnings: []string{"a", "b"},
		Peers: []bitcoind.Peer{{Inbound: true}, {Inbound: true}, {}},
	}
	said.Chain.Blocks, said.Chain.Headers, said.Chain.VerificationProgress = 7, 9, 0.75
	said.Chain.InitialBlockDownload, said.Chain.Pruned, said.Chain.SizeOnDisk = true, true, 2048
	said.Network.Version, said.Network.SubVersion = 290403, "/Satoshi:29.4.3(team-a.payments.0)/Knots:20260508/"
	want := metrics.Node{
		Name: "payments-0", Software: "Bitcoin Knots", Version: "29.4.3", InitialDownload: true, Pruned: true,
		Blocks: 7, Headers: 9, Progress: 0.75, SizeOnDisk: 2048, MempoolSize: 3, MempoolBytes: 426,
		PeersIn: 2, PeersOut: 1, Uptime: 60, Warnings: 2,
	}
	if diff := cmp.Diff(want, measureNode("payments-0", state.Node{State: said}, state.Downloading)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a node says of its progress is measured as far as it can be so.
func TestMeasureProgress(t *testing.T) {
	for said, want := range map[float64]float64{0: 0, 0.25: 0.25, 1: 1, 1e300: 1, -5: 0} {
		node := statetest.NodeAt(0, 7, "a")
		node.State.Chain.VerificationProgress = said
		if got := measureNode("payments-0", node, state.Downloading).Progress; got != want {
			t.Errorf("of %v: got %v, want %v", said, got, want)
		}
	}
}

// A node's limit on the machine's disk is measured where its data are on that: an alert
// goes by the share that it has used.
func TestMeasureDiskLimit(t *testing.T) {
	for _, test := range []struct {
		reason string
		data   corev1.VolumeSource
		want   int64
	}{
		{"on the machine's disk", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("100"))}}, 100},
		{"on a volume", corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-payments-0"}}, 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			node := statetest.NodeAt(0, 7, "a")
			node.Pod.Spec.Volumes = []corev1.Volume{{Name: resources.DataVolume, VolumeSource: test.data}}
			if got := measureNode("payments-0", node, state.Synced).DiskLimit; got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// How often a network is looked at is measured as its spec says it: an alert about an
// operator that looks at nothing goes by it.
func TestMeasureInterval(t *testing.T) {
	rare := wellConnected(3).with(func(s *situation) { s.network.Spec.Interval = &metav1.Duration{Duration: time.Hour} })
	if got := Measure(rare.report(), rare.seen, rare.todo, rare.outcome).Interval; got != time.Hour {
		t.Errorf("got %s, want 1h", got)
	}
}
