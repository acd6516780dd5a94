package metrics

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func TestMetricsAreServedAsTheyAre(t *testing.T) {
	g := NewWithT(t)
	filter, err := Uncompressed(nil, nil)
	g.Expect(err).NotTo(HaveOccurred())
	handler, err := filter(logr.Discard(), promhttp.HandlerFor(prometheus.NewRegistry(), promhttp.HandlerOpts{}))
	g.Expect(err).NotTo(HaveOccurred())

	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept-Encoding", "gzip") // as Prometheus does
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	g.Expect(answer.Code).To(Equal(http.StatusOK))
	g.Expect(answer.Header()).NotTo(HaveKey("Content-Encoding"))
}
