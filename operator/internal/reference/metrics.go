package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/version"
)

// A metric is one that the operator serves of networks, or of itself.
type metric struct {
	name, help string
	labels     []string
}

// metricsOf returns the operator's metrics, by their own descriptions.
func metricsOf() ([]metric, error) {
	var found descriptions
	if err := metrics.NewCollector(clock.RealClock{}).Register(&found); err != nil {
		return nil, err
	}
	found.MustRegister(metrics.BuildInfo(version.Info{}))
	var all []metric
	for _, description := range found {
		found, err := metricOf(description)
		if err != nil {
			return nil, err
		}
		all = append(all, found)
	}
	slices.SortFunc(all, func(a, b metric) int { return cmp.Compare(a.name, b.name) })
	return all, nil
}

// ofDescription is how a description reads.
var ofDescription = regexp.MustCompile(`^Desc\{fqName: "(\w+)", help: "(.*)", unit: ".*", constLabels: \{.*\}, variableLabels: \{(.*)\}\}$`)

func metricOf(description *prometheus.Desc) (metric, error) {
	parts := ofDescription.FindStringSubmatch(description.String())
	if parts == nil {
		return metric{}, fmt.Errorf("a metric whose description reads otherwise: %s", description)
	}
	var labels []string
	if parts[3] != "" {
		labels = strings.Split(parts[3], ",")
	}
	return metric{name: parts[1], help: parts[2], labels: labels}, nil
}

// descriptions registers collectors only to hear how they describe themselves.
type descriptions []*prometheus.Desc

// Register implements prometheus.Registerer.
func (d *descriptions) Register(collector prometheus.Collector) error {
	told := make(chan *prometheus.Desc)
	go func() {
		defer close(told)
		collector.Describe(told)
	}()
	for description := range told {
		*d = append(*d, description)
	}
	return nil
}

// MustRegister implements prometheus.Registerer.
func (d *descriptions) MustRegister(collectors ...prometheus.Collector) {
	for _, collector := range collectors {
		_ = d.Register(collector)
	}
}

// Unregister implements prometheus.Registerer.
func (d *descriptions) Unregister(prometheus.Collector) bool { return false }

func metricTable(metrics []metric) string {
	var rows [][]string
	for _, metric := range metrics {
		var labels []string
		for _, label := range metric.labels {
			labels = append(labels, "`"+label+"`")
		}
		rows = append(rows, []string{"`" + metric.name + "`", strings.Join(labels, ", "), inCell(metric.help)})
	}
	return table([]string{"metric", "labels", "meaning"}, rows)
}
