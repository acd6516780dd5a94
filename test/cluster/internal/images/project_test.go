package images

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCopied(t *testing.T) {
	const dockerfile = `ARG BASE=x
FROM scratch AS one
COPY .local/image/one /one

FROM ${BASE} AS two
RUN true
copy --chown=1:1 a/file b/file /dir/
`
	for target, want := range map[string][]string{
		"one":   {".local/image/one"},
		"two":   {"a/file", "b/file"},
		"three": nil,
	} {
		if got := copied(dockerfile, target); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", target, got, want)
		}
	}
}

func TestContents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	digest := func(text, content string) string {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := contents(text, file)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := digest("text", "content")
	if digest("text", "content") != first {
		t.Error("the same, another digest")
	}
	if digest("text", "other") == first || digest("other", "content") == first {
		t.Error("not the same, but the same digest")
	}
	if _, err := contents("text", file+".none"); err == nil {
		t.Error("a file that isn't there has a digest")
	}
}
