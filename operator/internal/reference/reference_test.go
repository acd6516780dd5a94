package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/btcnet"
)

const root = "../../.."

// pages returns the pages that people write, by their names.
func pages(g Gomega) map[string]string {
	pages := map[string]string{}
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		g.Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			text, err := os.ReadFile(file)
			g.Expect(err).NotTo(HaveOccurred())
			pages[strings.TrimPrefix(file, root+"/")] = string(text)
		}
	}
	g.Expect(pages).To(HaveKey("docs/reference.md"))
	delete(pages, "docs/reference.md")
	return pages
}

// quoted are the words that a page quotes.
var quoted = regexp.MustCompile("`([^`\n]+)`")

// wordsOf returns what a page quotes that is wholly of a form, once each.
func wordsOf(page string, form *regexp.Regexp) []string {
	words := map[string]bool{}
	for _, quote := range quoted.FindAllStringSubmatch(page, -1) {
		if word := form.FindString(quote[1]); word == quote[1] {
			words[word] = true
		}
	}
	return slices.Sorted(maps.Keys(words))
}

func TestDocsNameOnlyReasonsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	known, unknown := theirNames(g), []string{}
	for page, text := range pages(g) {
		for _, word := range wordsOf(text, regexp.MustCompile(`[A-Z][a-z]+([A-Z][a-z]+)+`)) {
			if !known[word] {
				unknown = append(unknown, page+": "+word)
			}
		}
	}
	g.Expect(unknown).To(BeEmpty(), "neither a condition, reason or event, nor a kind of object, nor in others_test.go")
}

// theirNames returns the names that a page may quote: of conditions, reasons and events,
// of kinds, of alerts, and what others say.
func theirNames(g Gomega) map[string]bool {
	reasons, err := reasonsOf(filepath.Join(root, "api/v1alpha1"))
	g.Expect(err).NotTo(HaveOccurred())
	known := map[string]bool{}
	for _, name := range namesOf(reasons) {
		known[name] = true
	}
	scheme := runtime.NewScheme()
	g.Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	for kind := range scheme.AllKnownTypes() {
		known[kind.Kind] = true
	}
	rules, err := os.ReadFile(filepath.Join(root, "gitops/monitoring/rules/rules.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, alert := range regexp.MustCompile(`(?m)^ *- alert: (\w+)$`).FindAllStringSubmatch(string(rules), -1) {
		known[alert[1]] = true
	}
	for _, name := range others {
		known[name] = true
	}
	return known
}

func TestEveryReasonIsExplained(t *testing.T) {
	g := NewWithT(t)
	reasons, err := reasonsOf(filepath.Join(root, "api/v1alpha1"))
	g.Expect(err).NotTo(HaveOccurred())
	all := strings.Join(slices.Collect(maps.Values(pages(g))), "\n")
	for _, name := range namesOf(reasons) {
		g.Expect(all).To(ContainSubstring("`"+name+"`"), "no page but the reference names %s", name)
	}
}

func TestDocsNameOnlyMetricsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	metrics, err := metricsOf()
	g.Expect(err).NotTo(HaveOccurred())
	known := map[string]bool{}
	for _, metric := range metrics {
		known[metric.name] = true
	}
	ours := regexp.MustCompile(`\b(bitcoinnetwork|bitcoin_operator|gotk)_[a-z_]+`)
	all := ""
	for page, text := range pages(g) {
		all += text
		for _, name := range ours.FindAllString(text, -1) {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				name = strings.TrimSuffix(name, suffix)
			}
			g.Expect(known).To(HaveKey(name), "%s names the metric %s", page, name)
		}
	}
	for name := range known {
		g.Expect(all).To(ContainSubstring(name), "no page but the reference names the metric %s", name)
	}
}

func TestDocsNameOnlyFlagsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	flags, err := flagsOf(root)
	g.Expect(err).NotTo(HaveOccurred())
	known, unknown := map[string]bool{}, []string{}
	for _, flag := range flags {
		known["--"+flag.name] = true
	}
	for _, name := range btcnet.Flags() {
		known["--"+name] = true
	}
	for _, name := range othersFlags {
		known[name] = true
	}
	for page, text := range pages(g) {
		for _, name := range wordsOf(text, regexp.MustCompile(`--[a-z-]+`)) {
			if !known[name] {
				unknown = append(unknown, page+": "+name)
			}
		}
	}
	g.Expect(unknown).To(BeEmpty(), "no flag of the operator or of kubectl btcnet, nor in others_test.go")
}

// The page is as the code is: make check-generated holds that. That it says all of it, this.
func TestReferenceHasEverything(t *testing.T) {
	g := NewWithT(t)
	page, err := pageOf(root)
	g.Expect(err).NotTo(HaveOccurred())
	for _, line := range []string{
		"| `spec.peering.degree` | integer | `8` | 2 to 8 | ",
		"| `spec.nodes` | integer | required | 0 to 1000 | ",
		"| `status.conditions` | list of objects | ",
		"| `spec.network` | string | required | ",
		"| `NodesReady` | True if every node answers RPC and can be reached by clients. |",
		"| `Mined` | ",
		"| `--drain-hold` | duration | ",
		"| `bitcoinnetwork_parts` | `namespace`, `name` | ",
	} {
		g.Expect(page).To(ContainSubstring(line))
	}
}
