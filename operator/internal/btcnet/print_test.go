package btcnet

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain/explaintest"
)

var update = flag.Bool("update", false, "write what is printed to testdata")

// What a person reads, of every kind of trouble, as text that is no terminal's.
func TestReportsRead(t *testing.T) {
	for _, test := range explaintest.Cases {
		t.Run(test.Name, func(t *testing.T) {
			g := NewWithT(t)
			report := explain.Network(test.Seen(), test.Asked())
			var out bytes.Buffer
			g.Expect(printReports(terminal(&out), []explain.Report{report}, explaintest.Now)).To(Succeed())
			golden := filepath.Join("testdata", test.Name+".txt")
			if *update {
				g.Expect(os.WriteFile(golden, out.Bytes(), 0o644)).To(Succeed())
			}
			want, err := os.ReadFile(golden)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(out.String()).To(Equal(string(want)), "go test -update writes it")
			g.Expect(out.String()).To(fitTerminal())
		})
	}
}

func TestSeveralNetworksRead(t *testing.T) {
	g := NewWithT(t)
	var reports []explain.Report
	for _, name := range []string{"healthy", "split", "never-applied"} {
		at := slices.IndexFunc(explaintest.Cases, func(test explaintest.Case) bool { return test.Name == name })
		test := explaintest.Cases[at]
		reports = append(reports, explain.Network(test.Seen(), test.Asked()))
	}
	var out bytes.Buffer
	g.Expect(printReports(terminal(&out), reports, explaintest.Now)).To(Succeed())
	if *update {
		g.Expect(os.WriteFile("testdata/several.txt", out.Bytes(), 0o644)).To(Succeed())
	}
	want, err := os.ReadFile("testdata/several.txt")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out.String()).To(Equal(string(want)))

	out.Reset()
	g.Expect(printJSON(&out, reports)).To(Succeed())
	if *update {
		g.Expect(os.WriteFile("testdata/several.json", out.Bytes(), 0o644)).To(Succeed())
	}
	want, err = os.ReadFile("testdata/several.json")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out.String()).To(Equal(string(want)))
}

// fitTerminal matches what fits into 80 columns, but for commands and long words, which are
// copied, and has no colours.
func fitTerminal() OmegaMatcher {
	command := regexp.MustCompile(`^ +kubectl `)
	return WithTransform(func(text string) []string {
		var wide []string
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line) > columns && !command.MatchString(line) && strings.Contains(strings.TrimSpace(line), " ") || strings.ContainsAny(line, "\x1b\x07\r") {
				wide = append(wide, line)
			}
		}
		return wide
	}, BeEmpty())
}
