package metrics

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/version"
)

func TestBuildInfo(t *testing.T) {
	g, registry := NewWithT(t), prometheus.NewPedanticRegistry()
	g.Expect(registry.Register(BuildInfo(version.Info{Version: "v0.2.0", Revision: "abc", Go: "go1.26"}))).To(Succeed())
	families, err := registry.Gather()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(families).To(HaveLen(1))
	g.Expect(families[0].GetName()).To(Equal("bitcoin_operator_build_info"))
	labels := map[string]string{}
	for _, label := range families[0].GetMetric()[0].GetLabel() {
		labels[label.GetName()] = label.GetValue()
	}
	g.Expect(labels).To(Equal(map[string]string{"version": "v0.2.0", "revision": "abc", "goversion": "go1.26"}))
	g.Expect(families[0].GetMetric()[0].GetGauge().GetValue()).To(Equal(1.0))
}
