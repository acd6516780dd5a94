// Command hostile is what a team could run in bitcoind's place: it answers RPC with
// what should harm whoever asks. What it does goes by the ordinal of its pod.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

// answers are what a node can say, by ordinal.
var answers = []http.HandlerFunc{
	gigabyte,
	endless,
	silence,
	says(`[{"id": 0, "result": {"blocks": "many", "bestblockhash": 7}, "error": null}]`),
	says(`[` + strings.Repeat(`{},`, 150_000) + `{}]`),
	says(strings.Repeat(`[`, 500_000)),
	elsewhere,
	says(`[{"id": 0, "result": null, "error": {"code": -1, "message": "` + strings.Repeat(`\u0007A very long story. `, 10_000) + `"}}]`),
}

func main() {
	host, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	var ordinal int
	if _, err := fmt.Sscan(host[strings.LastIndex(host, "-")+1:], &ordinal); err != nil {
		log.Fatalf("%s is no name of a node: %v", host, err)
	}
	log.Fatal(http.ListenAndServe(":18443", answers[ordinal%len(answers)]))
}

func says(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }
}

// gigabyte is an answer that begins well.
func gigabyte(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `[{"id": 0, "result": "`)
	block := bytes.Repeat([]byte("x"), 1<<20)
	for range 1 << 10 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// endless says a little more every moment.
func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, " ")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(100 * time.Millisecond)
	}
}

// silence takes the question and says nothing.
func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// elsewhere sends whoever asks, with the password, to somebody else.
func elsewhere(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "http://kubernetes.default.svc/", http.StatusTemporaryRedirect)
}
