package floor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apiserver/pkg/cel/environment"
)

// The documentation names the Kubernetes whose libraries these tests have. That one takes
// new expressions of CEL which the version before it can still run.
func TestDocumentationNamesTheFloor(t *testing.T) {
	g := NewWithT(t)
	before := environment.DefaultCompatibilityVersion()
	floor := fmt.Sprintf("%d.%d", before.Major(), before.Minor()+1)
	named := regexp.MustCompile(`Kubernetes (?:\| )?(\d+\.\d+) (?:or|and) newer|\*\*Kubernetes (\d+\.\d+)\*\* is the first`)
	for _, page := range []string{"README.md", "docs/install.md", "docs/versions.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		g.Expect(err).NotTo(HaveOccurred())
		names := named.FindAllStringSubmatch(string(text), -1)
		g.Expect(names).NotTo(BeEmpty(), "%s names no floor", page)
		for _, name := range names {
			g.Expect(name[1]+name[2]).To(Equal(floor), "%s: %s", page, name[0])
		}
	}
}

// A field that the floor does not know is dropped there without a word, or refused.
func TestFloorKnowsEveryField(t *testing.T) {
	g := NewWithT(t)
	all, err := manifests()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(all).NotTo(BeEmpty())
	for _, manifest := range all {
		_, err := manifest.object()
		g.Expect(err).NotTo(HaveOccurred())
	}
}
