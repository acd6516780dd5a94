package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/version"
)

// BuildInfo collects what the operator was built from.
func BuildInfo(build version.Info) prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "bitcoin_operator_build_info",
		Help: "Always 1; the labels are the operator's version, the commit it was built from, and the version of Go.",
	}, []string{"version", "revision", "goversion"})
	info.WithLabelValues(build.Version, build.Revision, build.Go).Set(1)
	return info
}
