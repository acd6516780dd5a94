// Git-server serves bare repositories over HTTP, for reading and for pushing,
// to whoever can reach it: in a local cluster, the machine and its pods.
package main

import (
	"flag"
	"log"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
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
		Handler: &cgi.Handler{
			Path: filepath.Join(strings.TrimSpace(string(libexec)), "git-http-backend"),
			Env:  []string{"GIT_PROJECT_ROOT=" + repositories, "GIT_HTTP_EXPORT_ALL=1"},
		},
		ReadHeaderTimeout: 10 * time.Second,
	}
	log.Printf("serving %s on %s", repositories, listen)
	return server.ListenAndServe()
}
