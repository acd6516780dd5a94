// Git-server serves bare repositories over HTTP, for reading and for pushing,
// to whoever can reach it: in a local cluster, the machine and its pods.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3000", "address to serve on")
	repositories := flag.String("repositories", ".", "folder of the bare repositories")
	flag.Parse()
	if err := serve(*listen, *repositories); err != nil {
		log.Fatal(err)
	}
}

func serve(listen, repositories string) error {
	libexec, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: listen,
		Handler: local(inOnePiece(&cgi.Handler{
			Path: filepath.Join(strings.TrimSpace(string(libexec)), "git-http-backend"),
			Env:  []string{"GIT_PROJECT_ROOT=" + repositories, "GIT_HTTP_EXPORT_ALL=1"},
		})),
		ReadHeaderTimeout: 10 * time.Second,
	}
	log.Printf("serving %s on %s", repositories, listen)
	return server.ListenAndServe()
}

// local lets in the machine and its pods alone. The address that is served on is
// the machine's own, but a neighbour with a route to it could reach it, and what
// is pushed here is applied with all rights.
func local(handler http.Handler) http.Handler {
	pods := netip.MustParsePrefix(network.PodCIDR)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !from.Addr().IsLoopback() && !pods.Contains(from.Addr()) {
			http.Error(w, "only for this machine and its pods", http.StatusForbidden)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// inOnePiece hands on a body of known length: git pushes what is large in chunks,
// which CGI has no word for.
func inOnePiece(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength >= 0 {
			handler.ServeHTTP(w, r)
			return
		}
		body, err := os.CreateTemp("", "push-")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer body.Close()
		// The file goes when it is closed.
		if err := os.Remove(body.Name()); err != nil {
			log.Printf("removing %s: %v", body.Name(), err)
		}
		size, err := io.Copy(body, r.Body)
		if err == nil {
			_, err = body.Seek(0, io.SeekStart)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		whole := r.Clone(r.Context())
		whole.Body, whole.ContentLength, whole.TransferEncoding = body, size, nil
		handler.ServeHTTP(w, whole)
	})
}
