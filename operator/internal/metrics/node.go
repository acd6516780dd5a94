package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// Node is what there is to measure of a node, mostly by its own account.
type Node struct {
	// Name is the name of its pod.
	Name string
	// Software and Version are what it runs: a name of a few, and a number.
	Software, Version string
	// Synced tells that it has the chain, which is the operator's finding, and
	// InitialDownload that it takes itself to be in initial block download.
	Synced, InitialDownload bool
	// Pruned tells that it has dropped old blocks.
	Pruned bool
	// Blocks and Headers are the heights of its chain and of its headers.
	Blocks, Headers int64
	// Progress is which part of the chain it has, by its own estimate.
	Progress float64
	// SizeOnDisk is what its blocks take there.
	SizeOnDisk int64
	// DiskLimit is how much of its machine's disk it may take; 0 for one that has a volume,
	// or no limit.
	DiskLimit int64
	// MempoolSize and MempoolBytes are how many transactions wait in its mempool, and
	// their size.
	MempoolSize, MempoolBytes int64
	// PeersIn and PeersOut are how many have connected to it, and it to others.
	PeersIn, PeersOut int
	// Uptime is for how many seconds it has run.
	Uptime int64
	// Warnings is how many things it warns of.
	Warnings int
}

// gauge is a metric of a node.
type gauge struct {
	description *prometheus.Desc
	of          func(Node) float64
}

func ofNode(name, help string, of func(Node) float64) gauge {
	return gauge{describeNode(name, help), of}
}

func describeNode(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("bitcoinnetwork_node_"+name, help, slices.Concat(labelNames, []string{"node"}, more), nil)
}

// gauges are the metrics of a node that are one number.
var gauges = []gauge{
	ofNode("synced", "1 if the node is synced, else 0.", func(n Node) float64 { return number(n.Synced) }),
	ofNode("initial_block_download", "1 if the node considers itself in initial block download, else 0.", func(n Node) float64 { return number(n.InitialDownload) }),
	ofNode("pruned", "1 if the node prunes old blocks, else 0.", func(n Node) float64 { return number(n.Pruned) }),
	ofNode("tip_height", "Height of the node's chain.", func(n Node) float64 { return float64(n.Blocks) }),
	ofNode("headers_height", "Height up to which the node has headers.", func(n Node) float64 { return float64(n.Headers) }),
	ofNode("verification_progress_ratio", "Share of the chain that the node has, from 0 to 1, by its own estimate.", func(n Node) float64 { return n.Progress }),
	ofNode("size_on_disk_bytes", "Size of the node's blocks on disk.", func(n Node) float64 { return float64(n.SizeOnDisk) }),
	ofNode("mempool_transactions", "Number of transactions in the node's mempool.", func(n Node) float64 { return float64(n.MempoolSize) }),
	ofNode("mempool_bytes", "Size of the transactions in the node's mempool.", func(n Node) float64 { return float64(n.MempoolBytes) }),
	ofNode("uptime_seconds", "Time since the node was started.", func(n Node) float64 { return float64(n.Uptime) }),
	ofNode("warnings", "Number of warnings that the node reports.", func(n Node) float64 { return float64(n.Warnings) }),
}

// diskLimit is a metric of those nodes only that have such a limit.
var diskLimit = describeNode("disk_limit_bytes", "Disk space on its machine that the node may use before its pod is evicted; absent for a node with a volume.")

// The metrics of a node that tell more by labels. Its user agent is no label: it is the
// node's to choose, and each that it chose would be a time series.
var (
	nodePeers = describeNode("peers", "Number of connections of the node, by direction.", "direction")
	nodeInfo  = describeNode("info", "Always 1; the labels are the software that the node runs and its version.", "software", "version")
)

func describeNodes(descriptions chan<- *prometheus.Desc) {
	for _, gauge := range gauges {
		descriptions <- gauge.description
	}
	descriptions <- diskLimit
	descriptions <- nodePeers
	descriptions <- nodeInfo
}

func (n Node) collect(network types.NamespacedName, found chan<- prometheus.Metric) {
	tell := func(description *prometheus.Desc, value float64, more ...string) {
		found <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, value, slices.Concat(labels(network), []string{n.Name}, more)...)
	}
	for _, gauge := range gauges {
		tell(gauge.description, gauge.of(n))
	}
	if n.DiskLimit > 0 {
		tell(diskLimit, float64(n.DiskLimit))
	}
	tell(nodePeers, float64(n.PeersIn), "in")
	tell(nodePeers, float64(n.PeersOut), "out")
	tell(nodeInfo, 1, n.Software, n.Version)
}

// number is 1 for what is so.
func number(isSo bool) float64 {
	if isSo {
		return 1
	}
	return 0
}
