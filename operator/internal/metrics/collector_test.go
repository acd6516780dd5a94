package metrics

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

var payments = types.NamespacedName{Namespace: "team-a", Name: "payments"}

// gather returns what a registry tells of one network, by metric and the values of its
// own labels; histograms by how much they have counted.
func gather(g Gomega, registry *prometheus.Registry) map[string]float64 {
	families, err := registry.Gather()
	g.Expect(err).NotTo(HaveOccurred())
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				switch label.GetName() {
				case "outcome", "status", "node", "on", "direction", "software", "version":
					name += " " + label.GetValue()
				}
			}
			found[name] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return found
}

func TestCollector(t *testing.T) {
	g := NewWithT(t)
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	collector, registry := NewCollector(clock), prometheus.NewPedanticRegistry()
	g.Expect(collector.Register(registry)).To(Succeed())

	collector.SetNetwork(payments, Network{
		Ready:    metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse},
		Interval: 30 * time.Second, MiningFailed: true,
		NodesWanted: 3, NodesReady: 2, LinksPlanned: 3, LinksConnected: 1, Parts: 1,
		Chain: &Chain{HighestTip: 7, LowestTip: 5, LastBlock: time.Unix(970, 0)},
	})
	collector.Requested(payments, "ok", time.Millisecond)
	collector.Requested(payments, "timeout", 2*time.Second)
	collector.Reconciled(payments, time.Now())
	g.Expect(gather(g, registry)).To(Equal(map[string]float64{
		"bitcoinnetwork_interval_seconds":              30,
		"bitcoinnetwork_mining_failed":                 1,
		"bitcoinnetwork_nodes_wanted":                  3,
		"bitcoinnetwork_nodes_ready":                   2,
		"bitcoinnetwork_links_planned":                 3,
		"bitcoinnetwork_links_connected":               1,
		"bitcoinnetwork_nodes_synced":                  0,
		"bitcoinnetwork_parts":                         1,
		"bitcoinnetwork_highest_tip_height":            7,
		"bitcoinnetwork_lowest_tip_height":             5,
		"bitcoinnetwork_last_block_age_seconds":        30,
		"bitcoinnetwork_rpc_requests_total ok":         1,
		"bitcoinnetwork_rpc_requests_total timeout":    1,
		"bitcoinnetwork_rpc_request_duration_seconds":  2,
		"bitcoinnetwork_bitcoinrequests_total failed":  0, // so that the first is an increase
		"bitcoinnetwork_bitcoinrequests_total unknown": 0,
		"gotk_reconcile_condition True":                0,
		"gotk_reconcile_condition False":               1,
		"gotk_reconcile_condition Unknown":             0,
		"gotk_reconcile_duration_seconds":              1,
		"gotk_suspend_status":                          0,
	}))

	clock.SetTime(time.Unix(1060, 0))
	g.Expect(gather(g, registry)).To(HaveKeyWithValue("bitcoinnetwork_last_block_age_seconds", 90.0), "it grows between reconciles")
	collector.SetNetwork(payments, Network{Chain: &Chain{LastBlock: time.Unix(8000, 0)}})
	g.Expect(gather(g, registry)).To(HaveKeyWithValue("bitcoinnetwork_last_block_age_seconds", 0.0), "a block in the future is no older than one of now")
	collector.SetNetwork(payments, Network{})
	for name := range gather(g, registry) {
		g.Expect(name).NotTo(ContainSubstring("tip"), "nothing is told of a chain that nobody tells of")
	}

	collector.SetNetwork(payments, Network{Waiting: &Waiting{Node: "payments-1", On: "budget"}, Suspended: true})
	g.Expect(gather(g, registry)).To(HaveKeyWithValue("bitcoinnetwork_rollout_waiting payments-1 budget", 1.0))
	g.Expect(gather(g, registry)).To(HaveKeyWithValue("gotk_suspend_status", 1.0))
	collector.SetNetwork(payments, Network{Waiting: &Waiting{Node: "payments-0", On: "node"}})
	g.Expect(gather(g, registry)).To(HaveKeyWithValue("bitcoinnetwork_rollout_waiting payments-0 node", 1.0))
	g.Expect(gather(g, registry)).NotTo(HaveKey("bitcoinnetwork_rollout_waiting payments-1 budget"), "it waits no more")
	collector.SetNetwork(payments, Network{})
	for name := range gather(g, registry) {
		g.Expect(name).NotTo(ContainSubstring("waiting"), "nothing waits")
	}

	collector.DeleteNetwork(payments)
	for name := range gather(g, registry) {
		g.Expect(strings.HasPrefix(name, "bitcoinnetwork_") || strings.HasPrefix(name, "gotk_reconcile_duration")).To(BeFalse(), "%s of a network that is gone", name)
	}
}

// Of a node all is told that it says of itself, as long as it does.
func TestNodes(t *testing.T) {
	g := NewWithT(t)
	collector, registry := NewCollector(clocktesting.NewFakePassiveClock(time.Unix(1000, 0))), prometheus.NewPedanticRegistry()
	g.Expect(registry.Register(collector)).To(Succeed())
	ofNodes := func() map[string]float64 {
		told := gather(g, registry)
		maps.DeleteFunc(told, func(name string, _ float64) bool { return !strings.HasPrefix(name, "bitcoinnetwork_node_") })
		return told
	}
	collector.SetNetwork(payments, Network{NodesSynced: 1, Nodes: []Node{{
		Name: "payments-1", Software: "Bitcoin Core", Version: "32.1", Synced: true, InitialDownload: true, Pruned: true,
		Blocks: 7, Headers: 9, Progress: 0.75, SizeOnDisk: 2048, DiskLimit: 4096, MempoolSize: 3, MempoolBytes: 426, PeersIn: 2, PeersOut: 1, Uptime: 60, Warnings: 4,
	}}})
	g.Expect(gather(g, registry)).To(HaveKeyWithValue("bitcoinnetwork_nodes_synced", 1.0))
	g.Expect(ofNodes()).To(Equal(map[string]float64{
		"bitcoinnetwork_node_synced payments-1":                      1,
		"bitcoinnetwork_node_initial_block_download payments-1":      1,
		"bitcoinnetwork_node_pruned payments-1":                      1,
		"bitcoinnetwork_node_tip_height payments-1":                  7,
		"bitcoinnetwork_node_headers_height payments-1":              9,
		"bitcoinnetwork_node_verification_progress_ratio payments-1": 0.75,
		"bitcoinnetwork_node_size_on_disk_bytes payments-1":          2048,
		"bitcoinnetwork_node_disk_limit_bytes payments-1":            4096,
		"bitcoinnetwork_node_mempool_transactions payments-1":        3,
		"bitcoinnetwork_node_mempool_bytes payments-1":               426,
		"bitcoinnetwork_node_peers in payments-1":                    2,
		"bitcoinnetwork_node_peers out payments-1":                   1,
		"bitcoinnetwork_node_uptime_seconds payments-1":              60,
		"bitcoinnetwork_node_warnings payments-1":                    4,
		"bitcoinnetwork_node_info payments-1 Bitcoin Core 32.1":      1,
	}))
	collector.SetNetwork(payments, Network{Nodes: []Node{{Name: "payments-0"}}})
	g.Expect(ofNodes()).To(HaveKeyWithValue("bitcoinnetwork_node_synced payments-0", 0.0))
	g.Expect(ofNodes()).NotTo(HaveKey("bitcoinnetwork_node_synced payments-1"), "it says nothing any more")
	g.Expect(ofNodes()).NotTo(HaveKey("bitcoinnetwork_node_disk_limit_bytes payments-0"), "it has a volume: no share of 0")
}

// What waits is told with the pod's name, and for what: alerts go by these labels.
func TestWaiting(t *testing.T) {
	g := NewWithT(t)
	collector, registry := NewCollector(clocktesting.NewFakePassiveClock(time.Unix(1000, 0))), prometheus.NewPedanticRegistry()
	g.Expect(registry.Register(collector)).To(Succeed())
	collector.SetNetwork(payments, Network{Waiting: &Waiting{Node: "payments-1", On: "budget"}})
	g.Expect(series(g, registry, "bitcoinnetwork_rollout_waiting")).To(ConsistOf("map[name:payments namespace:team-a node:payments-1 on:budget] 1"))
}

// Conditions are told with their reasons, and events by when they were told last.
func TestConditionsAndEvents(t *testing.T) {
	g := NewWithT(t)
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	collector, registry := NewCollector(clock), prometheus.NewPedanticRegistry()
	g.Expect(registry.Register(collector)).To(Succeed())
	chains := func(status metav1.ConditionStatus, reason string) Network {
		return Network{Conditions: []metav1.Condition{{Type: "ChainsAgree", Status: status, Reason: reason}}}
	}
	collector.SetNetwork(payments, chains(metav1.ConditionFalse, "Fork"))
	g.Expect(series(g, registry, "bitcoinnetwork_condition")).To(ConsistOf(
		"map[name:payments namespace:team-a reason:Fork status:False type:ChainsAgree] 1"))
	collector.SetNetwork(payments, chains(metav1.ConditionTrue, "TipsEqual"))
	g.Expect(series(g, registry, "bitcoinnetwork_condition")).To(ConsistOf(
		"map[name:payments namespace:team-a reason:TipsEqual status:True type:ChainsAgree] 1"), "what was so is so no more")

	g.Expect(series(g, registry, "bitcoinnetwork_last_event_timestamp_seconds")).To(BeEmpty())
	collector.Told(payments, "ChainLost")
	clock.SetTime(time.Unix(1060, 0))
	collector.Told(payments, "Repaired")
	g.Expect(series(g, registry, "bitcoinnetwork_last_event_timestamp_seconds")).To(ConsistOf(
		"map[name:payments namespace:team-a reason:ChainLost] 1000",
		"map[name:payments namespace:team-a reason:Repaired] 1060"))
	collector.Told(payments, "ChainLost")
	g.Expect(series(g, registry, "bitcoinnetwork_last_event_timestamp_seconds")).To(ContainElement(
		"map[name:payments namespace:team-a reason:ChainLost] 1060"), "once more")

	collector.DeleteNetwork(payments)
	g.Expect(series(g, registry, "bitcoinnetwork_condition")).To(BeEmpty())
	g.Expect(series(g, registry, "bitcoinnetwork_last_event_timestamp_seconds")).To(BeEmpty())
}

// series returns what a registry tells by a name, with all labels.
func series(g Gomega, registry *prometheus.Registry, name string) []string {
	families, err := registry.Gather()
	g.Expect(err).NotTo(HaveOccurred())
	var told []string
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			told = append(told, fmt.Sprint(labels, metric.GetGauge().GetValue()))
		}
	}
	return told
}

// One network's metrics are told apart from another's, and go with it alone.
func TestNetworksAreToldApart(t *testing.T) {
	g := NewWithT(t)
	collector, registry := NewCollector(clocktesting.NewFakePassiveClock(time.Unix(1000, 0))), prometheus.NewPedanticRegistry()
	g.Expect(collector.Register(registry)).To(Succeed())
	lightning := types.NamespacedName{Namespace: "team-a", Name: "lightning"}
	collector.SetNetwork(payments, Network{NodesWanted: 3})
	collector.SetNetwork(lightning, Network{NodesWanted: 5})
	collector.Requested(lightning, "ok", time.Millisecond)
	collector.DeleteNetwork(payments)
	g.Expect(gather(g, registry)).To(HaveKeyWithValue("bitcoinnetwork_nodes_wanted", 5.0))
	g.Expect(gather(g, registry)).To(HaveKeyWithValue("bitcoinnetwork_rpc_requests_total ok", 1.0))
}
