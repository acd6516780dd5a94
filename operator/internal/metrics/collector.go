// Package metrics tells Prometheus how networks stand: by Flux's own names for
// what all of its kinds have, and by names of this project for the rest.
package metrics

import (
	"slices"
	"sync"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	gotk "github.com/fluxcd/pkg/runtime/metrics"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// Network is what there is to measure of a network.
type Network struct {
	// Ready is its condition Ready.
	Ready metav1.Condition
	// Conditions are all that its status has.
	Conditions []metav1.Condition
	// Suspended tells that the operator leaves it as it is.
	Suspended bool
	// Interval is how often the operator looks at it when nothing calls for it.
	Interval time.Duration
	// MiningFailed tells that a block is due and could not be mined, or that none can be.
	MiningFailed bool
	// NodesWanted is how many nodes there should be, NodesReady how many of them
	// answer RPC.
	NodesWanted, NodesReady int
	// LinksPlanned is how many links there should be, LinksConnected how many of
	// them stand.
	LinksPlanned, LinksConnected int
	// Parts is into how many groups the nodes that answer fall.
	Parts int
	// Chain is nil while no node answers.
	Chain *Chain
	// Waiting is nil while no node waits to be restarted, replaced or scaled away.
	Waiting *Waiting
	// NodesSynced is how many of the wanted nodes have the chain, and Nodes are those that
	// say how they are.
	NodesSynced int
	Nodes       []Node
}

// Waiting is a node that waits to be restarted, replaced or scaled away.
type Waiting struct {
	// Node is the name of its pod, and On the kind of thing that it waits for.
	Node, On string
}

// Chain is what there is to measure of a network's chain.
type Chain struct {
	// HighestTip and LowestTip are heights of the nodes' tips.
	HighestTip, LowestTip int64
	// LastBlock is the time that the highest tip carries.
	LastBlock time.Time
}

// Collector collects what is measured of all networks of the operator. It is safe
// for concurrent use.
type Collector struct {
	flux     *gotk.Recorder
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	asked    *prometheus.CounterVec
	clock    clock.PassiveClock

	mu       sync.Mutex
	networks map[types.NamespacedName]Network
	told     map[types.NamespacedName]map[string]time.Time
}

// labelNames tell one network from another, as Flux's metrics do.
var labelNames = []string{"namespace", "name"}

func labels(network types.NamespacedName) []string { return []string{network.Namespace, network.Name} }

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("bitcoinnetwork_"+name, help, labelNames, nil)
}

var (
	interval       = describe("interval_seconds", "Time between regular checks of the network: spec.interval.")
	miningFailed   = describe("mining_failed", "1 if blocks of the network cannot be mined, else 0.")
	nodesWanted    = describe("nodes_wanted", "Number of nodes that the network should have.")
	nodesReady     = describe("nodes_ready", "Number of wanted nodes that answer RPC and can be reached by clients.")
	linksPlanned   = describe("links_planned", "Number of planned links between nodes.")
	linksConnected = describe("links_connected", "Number of planned links that are connected.")
	nodesSynced    = describe("nodes_synced", "Number of wanted nodes that are synced.")
	parts          = describe("parts", "Number of disconnected groups among the nodes that answer; 1 means fully connected.")
	highestTip     = describe("highest_tip_height", "Height of the highest tip among the nodes.")
	lowestTip      = describe("lowest_tip_height", "Height of the lowest tip among the nodes.")
	lastBlockAge   = describe("last_block_age_seconds", "Age of the highest tip, by its own timestamp.")
)

var rolloutWaiting = prometheus.NewDesc("bitcoinnetwork_rollout_waiting",
	"1 for the next node to be restarted, replaced or removed by scaling while it waits, by what it waits for.",
	slices.Concat(labelNames, []string{"node", "on"}), nil)

var (
	condition = prometheus.NewDesc("bitcoinnetwork_condition",
		"1 for each condition in the network's status, by its status and reason.",
		slices.Concat(labelNames, []string{"type", "status", "reason"}), nil)
	lastEvent = prometheus.NewDesc("bitcoinnetwork_last_event_timestamp_seconds",
		"Time of the network's last event with this reason since the operator was started.",
		slices.Concat(labelNames, []string{"reason"}), nil)
)

// NewCollector returns a collector of no networks.
func NewCollector(clock clock.PassiveClock) *Collector {
	return &Collector{
		flux:     gotk.NewRecorder(),
		clock:    clock,
		networks: map[types.NamespacedName]Network{},
		told:     map[types.NamespacedName]map[string]time.Time{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bitcoinnetwork_rpc_requests_total",
			Help: "Number of requests to nodes, each a batch of calls, by outcome.",
		}, append(labelNames, "outcome")),
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bitcoinnetwork_bitcoinrequests_total",
			Help: "Number of finished BitcoinRequests, by kind and outcome.",
		}, append(labelNames, "kind", "outcome")),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "bitcoinnetwork_rpc_request_duration_seconds",
			Help:    "Duration of requests to nodes, answered or not.",
			Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2},
		}, labelNames),
	}
}

// Register has a registry collect from the collector.
func (c *Collector) Register(registry prometheus.Registerer) error {
	for _, collector := range append(c.flux.Collectors(), c, c.requests, c.latency, c.asked) {
		if err := registry.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

// SetNetwork takes note of how a network stands.
func (c *Collector) SetNetwork(name types.NamespacedName, network Network) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.networks[name]; !known {
		c.expectRequests(name)
	}
	c.networks[name] = network
	c.flux.RecordCondition(reference(name), network.Ready)
	c.flux.RecordSuspend(reference(name), network.Suspended)
}

// DeleteNetwork forgets a network.
func (c *Collector) DeleteNetwork(name types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.networks, name)
	delete(c.told, name)
	c.flux.DeleteCondition(reference(name), meta.ReadyCondition)
	c.flux.DeleteSuspend(reference(name))
	c.flux.DeleteDuration(reference(name))
	c.latency.DeleteLabelValues(labels(name)...)
	for _, counter := range []*prometheus.CounterVec{c.requests, c.asked} {
		counter.DeletePartialMatch(prometheus.Labels{"namespace": name.Namespace, "name": name.Name})
	}
}

// Reconciled takes note of a reconcile that began then and ends now.
func (c *Collector) Reconciled(name types.NamespacedName, began time.Time) {
	c.flux.RecordDuration(reference(name), began)
}

// Requested takes note of a request to one of a network's nodes.
func (c *Collector) Requested(name types.NamespacedName, outcome string, took time.Duration) {
	c.requests.WithLabelValues(append(labels(name), outcome)...).Inc()
	c.latency.WithLabelValues(labels(name)...).Observe(took.Seconds())
}

// Asked takes note that a BitcoinRequest for a network came to its end.
func (c *Collector) Asked(name types.NamespacedName, kind, outcome string) {
	c.asked.WithLabelValues(append(labels(name), kind, outcome)...).Inc()
}

// expectRequests has the counts of what may go wrong begin at 0: the first of a kind is an
// increase, too.
func (c *Collector) expectRequests(name types.NamespacedName) {
	for _, kind := range []string{"mine", "pay"} {
		for _, outcome := range []string{"failed", "unknown"} {
			c.asked.WithLabelValues(append(labels(name), kind, outcome)...)
		}
	}
}

// Told takes note that an event of that reason is told of a network.
func (c *Collector) Told(name types.NamespacedName, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told[name] == nil {
		c.told[name] = map[string]time.Time{}
	}
	c.told[name][reason] = c.clock.Now()
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, description := range []*prometheus.Desc{
		nodesWanted, nodesReady, linksPlanned, linksConnected, parts, highestTip, lowestTip, lastBlockAge, rolloutWaiting, condition, lastEvent, nodesSynced,
		interval, miningFailed,
	} {
		descriptions <- description
	}
	describeNodes(descriptions)
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(found chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, network := range c.networks {
		tell := func(description *prometheus.Desc, value float64) {
			found <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, value, labels(name)...)
		}
		tell(interval, network.Interval.Seconds())
		tell(miningFailed, number(network.MiningFailed))
		tell(nodesWanted, float64(network.NodesWanted))
		tell(nodesReady, float64(network.NodesReady))
		tell(linksPlanned, float64(network.LinksPlanned))
		tell(linksConnected, float64(network.LinksConnected))
		tell(parts, float64(network.Parts))
		tell(nodesSynced, float64(network.NodesSynced))
		for _, node := range network.Nodes {
			node.collect(name, found)
		}
		for _, has := range network.Conditions {
			found <- prometheus.MustNewConstMetric(condition, prometheus.GaugeValue, 1, append(labels(name), has.Type, string(has.Status), has.Reason)...)
		}
		if waiting := network.Waiting; waiting != nil {
			found <- prometheus.MustNewConstMetric(rolloutWaiting, prometheus.GaugeValue, 1, append(labels(name), waiting.Node, waiting.On)...)
		}
		if chain := network.Chain; chain != nil {
			tell(highestTip, float64(chain.HighestTip))
			tell(lowestTip, float64(chain.LowestTip))
			tell(lastBlockAge, max(c.clock.Since(chain.LastBlock), 0).Seconds()) // of many blocks at once the last lie in the future
		}
	}
	for name, told := range c.told {
		for reason, at := range told {
			found <- prometheus.MustNewConstMetric(lastEvent, prometheus.GaugeValue, float64(at.Unix()), append(labels(name), reason)...)
		}
	}
}

func reference(name types.NamespacedName) corev1.ObjectReference {
	return corev1.ObjectReference{Kind: "BitcoinNetwork", Namespace: name.Namespace, Name: name.Name}
}
