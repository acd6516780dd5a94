package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/version"
)

// BuildInfo collects what the operator was built from.
func BuildInfo(build version.Info) prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "bitcoin_operator_build_info",
		Help: "1, with the operator's version, the commit that it was built from, and the version of Go.",
	}, []string{"version", "revision", "goversion"})
	info.WithLabelValues(build.Version, build.Revision, build.Go).Set(1)
	return info
}
