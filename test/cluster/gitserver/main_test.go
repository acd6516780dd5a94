package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPushComesInOnePiece(t *testing.T) {
	server := httptest.NewServer(inOnePiece(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(body)) || len(r.TransferEncoding) > 0 {
			http.Error(w, "not in one piece", http.StatusBadRequest)
			return
		}
		_, _ = w.Write(body)
	})))
	defer server.Close()

	for reason, body := range map[string]io.Reader{
		"of known length, as git sends what is small": strings.NewReader("pack"),
		"in chunks, as git sends what is large":       io.MultiReader(strings.NewReader("pa"), strings.NewReader("ck")),
	} {
		t.Run(reason, func(t *testing.T) {
			answer, err := http.Post(server.URL, "application/x-git-receive-pack-request", body)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			got, err := io.ReadAll(answer.Body)
			if err != nil || string(got) != "pack" {
				t.Errorf("the backend was handed %q: %v", got, err)
			}
		})
	}
}
