package main

import (
	"os"
	"testing"
)

// The documentation tells the results that are beside the benchmark.
func TestDocumented(t *testing.T) {
	recorded, err := readResults("results.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../" + documentedFile)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := insert(string(document), report(recorded)); err != nil || string(document) != want {
		t.Errorf("%s does not tell what results.json has (error %v): run make bench RECORD=1", documentedFile, err)
	}
}
