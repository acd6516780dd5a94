package main

import (
	"go/ast"
	"go/parser"
	"go/token"
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

// pages returns the pages that explain things to people, by their names.
func pages(g Gomega) map[string]string {
	pages := map[string]string{}
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		g.Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			pages[strings.TrimPrefix(file, root+"/")] = read(g, file)
		}
	}
	g.Expect(pages).To(HaveKey("docs/reference.md"))
	delete(pages, "docs/reference.md")
	return pages
}

// allPages returns all pages that people write.
func allPages(g Gomega) map[string]string {
	all := pages(g)
	for _, more := range []string{"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"} {
		all[more] = read(g, filepath.Join(root, more))
	}
	return all
}

func read(g Gomega, file string) string {
	text, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// explained returns the text of all pages that explain.
func explained(g Gomega) string {
	return strings.Join(slices.Collect(maps.Values(pages(g))), "\n")
}

// quoted are the words that a page quotes.
var quoted = regexp.MustCompile("`([^`\n]+)`")

// aName is how a condition, reason or event is written, and a kind of object.
var aName = regexp.MustCompile(`^([A-Z][a-z]+)+$`)

func TestDocsNameOnlyReasonsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	known, unknown := theirNames(g), map[string][]string{}
	for page, text := range allPages(g) {
		for _, quote := range quoted.FindAllStringSubmatch(text, -1) {
			if word := quote[1]; aName.MatchString(word) && !known[word] && !slices.Contains(former[page], word) {
				unknown[page] = append(unknown[page], word)
			}
		}
	}
	g.Expect(unknown).To(BeEmpty(), "neither a condition, reason or event, nor a kind of object, nor in others_test.go")
}

// theirNames returns the names that a page may quote: of conditions, reasons and events,
// of kinds, of alerts, of what kubectl btcnet finds, and what others say.
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
	for file, form := range map[string]string{
		"gitops/monitoring/rules/rules.yaml":  `(?m)^ *- alert: (\w+)$`,
		"operator/internal/explain/report.go": `(?m)^\t\w+ +(?:Level|Step) += "(\w+)"$`,
	} {
		found := regexp.MustCompile(form).FindAllStringSubmatch(read(g, filepath.Join(root, file)), -1)
		g.Expect(found).NotTo(BeEmpty(), file)
		for _, name := range found {
			known[name[1]] = true
		}
	}
	for _, name := range others {
		known[name] = true
	}
	return known
}

func TestMonitoringNamesOnlyReasonsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	reasons, err := reasonsOf(filepath.Join(root, "api/v1alpha1"))
	g.Expect(err).NotTo(HaveOccurred())
	known := namesOf(reasons)
	files, err := filepath.Glob(filepath.Join(root, "gitops/monitoring/*/*"))
	g.Expect(err).NotTo(HaveOccurred())
	found := 0
	for _, file := range files {
		for _, selector := range regexp.MustCompile(`\b(?:reason|type)(?:=~?|![=~])\\?"([A-Z][\w|]*)\\?"`).FindAllStringSubmatch(read(g, file), -1) {
			for _, name := range strings.Split(selector[1], "|") {
				found++
				g.Expect(known).To(ContainElement(name), file)
			}
		}
	}
	g.Expect(found).To(BeNumerically(">", 20), "the test reads the expressions")
}

func TestEveryReasonIsExplained(t *testing.T) {
	g := NewWithT(t)
	reasons, err := reasonsOf(filepath.Join(root, "api/v1alpha1"))
	g.Expect(err).NotTo(HaveOccurred())
	all := explained(g)
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
	for page, text := range allPages(g) {
		for _, name := range ours.FindAllString(text, -1) {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				name = strings.TrimSuffix(name, suffix)
			}
			g.Expect(known).To(HaveKey(name), "%s names the metric %s", page, name)
		}
	}
	all := explained(g)
	for name := range known {
		g.Expect(all).To(ContainSubstring(name), "no page but the reference names the metric %s", name)
	}
}

// aFlag is a flag wherever a page has one: quoted, with its value, in a command.
var aFlag = regexp.MustCompile(`(?:^|[^\w-])(--[a-z][a-z0-9-]+)`)

func TestDocsNameOnlyFlagsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	operators, err := flagsOf(root)
	g.Expect(err).NotTo(HaveOccurred())
	known, unknown := map[string]bool{}, map[string][]string{}
	for _, flag := range operators {
		known["--"+flag.name] = true
	}
	for _, name := range btcnet.Flags() {
		known["--"+name] = true
	}
	for _, name := range slices.Concat(releaseFlags(g), othersFlags) {
		known[name] = true
	}
	for page, text := range allPages(g) {
		for _, found := range aFlag.FindAllStringSubmatch(text, -1) {
			if !known[found[1]] {
				unknown[page] = append(unknown[page], found[1])
			}
		}
	}
	g.Expect(unknown).To(BeEmpty(), "no flag of a program of this project, nor in others_test.go")
}

// Those of kubectl btcnet its --help explains.
func TestEveryFlagOfTheOperatorIsExplained(t *testing.T) {
	g := NewWithT(t)
	flags, err := flagsOf(root)
	g.Expect(err).NotTo(HaveOccurred())
	var named []string
	for _, found := range aFlag.FindAllStringSubmatch(explained(g), -1) {
		named = append(named, found[1])
	}
	for _, flag := range flags {
		g.Expect(slices.Contains(named, "--"+flag.name)).To(BeTrue(), "no page but the reference names --%s", flag.name)
	}
}

// releaseFlags returns the flags of the program that `make release` runs. It is in a module
// of its own.
func releaseFlags(g Gomega) []string {
	source := read(g, filepath.Join(root, "operator/cmd/release/main.go"))
	var names []string
	for _, found := range regexp.MustCompile(`set\.\w+Var\(&[\w.]+, "([a-z-]+)"`).FindAllStringSubmatch(source, -1) {
		names = append(names, "--"+found[1])
	}
	g.Expect(names).To(ContainElement("--key"))
	return names
}

// What the operator's code tells is of the kind that the reference has, as far as the code
// names both in one place.
func TestEventsAreOfTheKindThatTheyAreToldAs(t *testing.T) {
	g := NewWithT(t)
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "operator/internal/status/events.go"), nil, 0)
	g.Expect(err).NotTo(HaveOccurred())
	told := map[string][]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		if event, ok := node.(*ast.CompositeLit); ok {
			if kind, reason := toldBy(event); kind != "" && reason != "" {
				told[reason] = append(told[reason], kind)
			}
		}
		return true
	})
	g.Expect(len(told)).To(BeNumerically(">", 15), "the test reads the code")
	kinds := kindsOf(g)
	for reason, code := range told {
		slices.Sort(code)
		g.Expect(kinds[reason]).To(Equal(strings.Join(slices.Compact(code), ", ")), reason)
	}
}

// toldBy returns the kind and the reason that a literal of an event, or of a kind of them,
// names.
func toldBy(event *ast.CompositeLit) (kind, reason string) {
	for _, element := range event.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			element = pair.Value
		}
		switch value := element.(type) {
		case *ast.Ident:
			if of := map[string]string{"normal": "Normal", "warning": "Warning"}[value.Name]; of != "" {
				kind = of
			}
		case *ast.SelectorExpr:
			if of, ok := value.X.(*ast.Ident); !ok || of.Name != "v1alpha1" {
				continue
			}
			reason = strings.TrimSuffix(strings.TrimSuffix(value.Sel.Name, "Event"), "Reason")
		}
	}
	return kind, reason
}

// kindsOf returns the kinds of the events that networks have, by their reasons.
func kindsOf(g Gomega) map[string]string {
	groups, err := reasonsOf(filepath.Join(root, "api/v1alpha1"))
	g.Expect(err).NotTo(HaveOccurred())
	kinds := map[string]string{}
	for _, group := range groups {
		if strings.HasPrefix(group.title, "The ") { // conditions, and the phases of requests
			continue
		}
		for _, reason := range group.reasons {
			if reason.kind != "" {
				kinds[reason.name] = reason.kind
			}
		}
	}
	return kinds
}

func TestTenantGuideHasEveryEvent(t *testing.T) {
	g := NewWithT(t)
	guide := read(g, filepath.Join(root, "docs/tenant-guide.md"))
	listed := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| ((?:Normal|Warning)[^|]*) \| ([^|]+) \|`).FindAllStringSubmatch(guide, -1) {
		for _, reason := range quoted.FindAllStringSubmatch(row[2], -1) {
			listed[reason[1]] = row[1]
		}
	}
	g.Expect(listed).To(Equal(kindsOf(g)), "the table of events, and the comments in api/v1alpha1/conditions.go")
}

func TestEveryPackageHasItsPlace(t *testing.T) {
	g := NewWithT(t)
	folders, err := filepath.Glob("../*")
	g.Expect(err).NotTo(HaveOccurred())
	for _, page := range []string{"CONTRIBUTING.md", "docs/architecture.md"} {
		named := map[string]bool{}
		for _, found := range regexp.MustCompile("`operator/internal/([\\w,{}]+)`").FindAllStringSubmatch(read(g, filepath.Join(root, page)), -1) {
			for _, name := range strings.Split(strings.Trim(found[1], "{}"), ",") {
				named[name] = true
			}
		}
		for _, folder := range folders {
			if info, err := os.Stat(folder); err == nil && info.IsDir() {
				g.Expect(named).To(HaveKey(filepath.Base(folder)), page)
			}
		}
	}
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
		"| `Ready` | True if the network is as its spec asks",
		"| `NodesReady` | True if every node answers RPC and can be reached by clients. |",
		"| `Failed` | Warning | ",
		"| `Mined` | Normal | ",
		"| `Refused` | Warning | ",
		"| `--drain-hold` | duration | ",
		"| `bitcoinnetwork_parts` | `namespace`, `name` | ",
	} {
		g.Expect(page).To(ContainSubstring(line))
	}
}
