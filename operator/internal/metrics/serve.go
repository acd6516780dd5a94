package metrics

import (
	"net/http"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// Uncompressed is a filter of the metrics server, which then serves metrics as they are: what
// compresses them takes a tenth of the memory of a small network's operator, for good.
func Uncompressed(*rest.Config, *http.Client) (metricsserver.Filter, error) {
	return func(_ logr.Logger, handler http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Accept-Encoding")
			handler.ServeHTTP(w, r)
		}), nil
	}, nil
}
