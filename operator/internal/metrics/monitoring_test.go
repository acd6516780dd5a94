package metrics_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
	_ "sigs.k8s.io/controller-runtime/pkg/controller" // registers its metrics
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const root = "../../../"

// ruleGroups is a file of rules, in the words of Prometheus.
type ruleGroups struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

func rules(g Gomega) []rule {
	var file ruleGroups
	read(g, "gitops/monitoring/rules/rules.yaml", &file)
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

func read(g Gomega, name string, into any) {
	content, err := os.ReadFile(root + name)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(yaml.Unmarshal(content, into)).To(Succeed(), name)
}

func text(g Gomega, name string) string {
	content, err := os.ReadFile(root + name)
	g.Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// queries returns what the dashboards ask, by dashboard and panel, and in the places of
// their variables what somebody would choose.
func queries(g Gomega) map[string]string {
	files, err := filepath.Glob(root + "gitops/monitoring/dashboards/*.json")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(files).NotTo(BeEmpty())
	chosen := strings.NewReplacer("$namespace", "team-a", "$name", "payments", "$__rate_interval", "1m")
	found := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		var dashboard struct {
			Panels []struct {
				Title   string
				Type    string
				Targets []struct{ Expr string }
			}
			Annotations struct{ List []struct{ Name, Expr string } }
			Templating  struct {
				List []struct {
					Name  string
					Query json.RawMessage
				}
			}
		}
		g.Expect(json.Unmarshal(content, &dashboard)).To(Succeed(), file)
		add := func(what, query string) {
			what = fmt.Sprintf("%s: %s", filepath.Base(file), what)
			g.Expect(found).NotTo(HaveKey(what))
			found[what] = chosen.Replace(query)
			g.Expect(found[what]).NotTo(ContainSubstring("$"), what)
		}
		for number, panel := range dashboard.Panels {
			g.Expect(panel.Type == "row" || len(panel.Targets) > 0).To(BeTrue(), panel.Title)
			for i, target := range panel.Targets {
				add(fmt.Sprintf("panel %d, %s, query %d", number, panel.Title, i), target.Expr)
			}
		}
		for _, annotation := range dashboard.Annotations.List {
			add("annotation "+annotation.Name, annotation.Expr)
		}
		for _, variable := range dashboard.Templating.List {
			var query struct{ Query string }
			if json.Unmarshal(variable.Query, &query) == nil { // that of the data source is a string
				of, _, found := strings.Cut(strings.TrimPrefix(query.Query, "label_values("), ", ")
				g.Expect(found).To(BeTrue(), query.Query)
				add("variable "+variable.Name, of)
			}
		}
	}
	return found
}

var (
	quoted     = regexp.MustCompile(`"[^"]*"`)
	braces     = regexp.MustCompile(`\{[^}]*\}`)
	labelLists = regexp.MustCompile(`\b(by|on|without|ignoring|group_left|group_right) *\([^)]*\)`)
	identifier = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\b *\(?`)
)

// named returns the metrics that an expression names: what is left when labels are taken
// away, and functions and words of the language.
func named(expr string) []string {
	for _, without := range []*regexp.Regexp{quoted, braces, labelLists} {
		expr = without.ReplaceAllString(expr, "")
	}
	var names []string
	for _, name := range identifier.FindAllString(expr, -1) {
		word := strings.TrimSpace(name)
		if !strings.HasSuffix(word, "(") && !slices.Contains([]string{"and", "or", "unless", "offset", "bool", "by", "on"}, word) && len(word) > 1 {
			names = append(names, word)
		}
	}
	return names
}

func TestNamed(t *testing.T) {
	g := NewWithT(t)
	g.Expect(named(`histogram_quantile(0.95, sum by (namespace, le) (rate(a_bucket{job="x"}[10m]))) > 5 unless on (x) (time() - b:c:max offset 1h)`)).
		To(Equal([]string{"a_bucket", "b:c:max"}))
}

// registrations notes what is registered.
type registrations map[string]bool

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

func (r registrations) Register(collector prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc)
	go func() { collector.Describe(descriptions); close(descriptions) }()
	for description := range descriptions {
		r[fqName.FindStringSubmatch(description.String())[1]] = true
	}
	return nil
}

func (r registrations) MustRegister(...prometheus.Collector) { panic("not used") }
func (r registrations) Unregister(prometheus.Collector) bool { panic("not used") }

// ours are the metrics that this project has names for, and Flux's that it tells, too.
func ours(g Gomega) registrations {
	found := registrations{}
	g.Expect(metrics.NewCollector(clock.RealClock{}).Register(found)).To(Succeed())
	return found
}

// others are metrics of what else runs in the cluster, and in Prometheus.
var others = []string{
	"up", "ALERTS", // Prometheus
	"sealed_secrets_controller_condition_info",                             // sealed-secrets
	"kube_deployment_created", "kube_deployment_status_replicas_available", // kube-state-metrics
	"container_memory_working_set_bytes", "container_cpu_usage_seconds_total", // the kubelet's cAdvisor
	"kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes", // the kubelet
}

// What rules and dashboards name is there, under that name.
func TestMetricsAreThere(t *testing.T) {
	g := NewWithT(t)
	known := ours(g)
	g.Expect(known.Register(ctrlmetrics.Registry.(prometheus.Collector))).To(Succeed())
	for _, name := range others {
		known[name] = true
	}
	expressions := queries(g)
	for _, rule := range rules(g) {
		known[rule.Record] = true
		expressions["rule "+rule.Record+rule.Alert] = rule.Expr
	}
	for where, expr := range expressions {
		names := named(expr)
		g.Expect(names).NotTo(BeEmpty(), where)
		for _, name := range names {
			ofHistogram := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
			g.Expect(known[name] || known[ofHistogram]).To(BeTrue(), "%s names %s, which nobody tells", where, name)
		}
	}
}

// Every alert says what it is and where to read on, is found there, and is tested.
func TestAlertsHaveRunbooks(t *testing.T) {
	g := NewWithT(t)
	tests, err := filepath.Glob(root + "test/monitoring/*_test.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	var tested strings.Builder
	for _, file := range tests {
		content, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		tested.Write(content)
	}
	const page = "docs/runbooks.md"
	runbooks := text(g, page)
	var alerts []string
	for _, rule := range rules(g) {
		if rule.Alert == "" {
			continue
		}
		alerts = append(alerts, rule.Alert)
		g.Expect(rule.Labels["severity"]).To(BeElementOf("critical", "warning", "info"), rule.Alert)
		g.Expect(rule.Labels["owner"]).To(BeElementOf("team", "platform"), rule.Alert)
		g.Expect(rule.Annotations).To(And(HaveKey("summary"), HaveKey("description")), rule.Alert)
		g.Expect(rule.Annotations).To(HaveKeyWithValue("runbook_url",
			"https://github.com/bitcoin-operator/bitcoin-operator/blob/main/"+page+"#"+strings.ToLower(rule.Alert)))
		g.Expect(tested.String()).To(MatchRegexp(`\b%s\b`, rule.Alert), "in test/monitoring")
	}
	var described []string
	for _, heading := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(runbooks, -1) {
		described = append(described, heading[1])
	}
	g.Expect(described).To(Equal(alerts), "sections of %s, in the order of the rules", page)
}

// The alert about disks begins where the operator warns.
func TestDiskAlertIsTheOperatorsWarning(t *testing.T) {
	g := NewWithT(t)
	for _, rule := range rules(g) {
		if rule.Alert == "BitcoinNetworkDiskFills" {
			g.Expect(rule.Expr).To(ContainSubstring(fmt.Sprintf("bitcoinnetwork_node_disk_limit_bytes) >= %v\n", state.DiskFilling)))
			return
		}
	}
	t.Error("there is no such alert")
}

type relabeling struct {
	Action       string
	SourceLabels []string
	Regex        string
	TargetLabel  string
	Replacement  string
}

// podMonitor has what of a PodMonitor is in use here.
type podMonitor struct {
	Metadata struct{ Name string }
	Spec     struct {
		JobLabel          string
		PodTargetLabels   []string
		NamespaceSelector struct {
			Any        bool
			MatchNames []string
		}
		Selector struct {
			MatchLabels      map[string]string
			MatchExpressions []struct {
				Key, Operator string
				Values        []string
			}
		}
		PodMetricsEndpoints []struct {
			Port              string
			MetricRelabelings []relabeling
		}
	}
}

// scrapeConfig has what of a scrape configuration is in use here.
type scrapeConfig struct {
	JobName              string       `json:"job_name"`
	KubernetesSDConfigs  []discovery  `json:"kubernetes_sd_configs"`
	RelabelConfigs       []relabelled `json:"relabel_configs"`
	MetricRelabelConfigs []relabelled `json:"metric_relabel_configs"`
}

type discovery struct {
	Role       string                         `json:"role"`
	Namespaces struct{ Names []string }       `json:"namespaces"`
	Selectors  []struct{ Role, Label string } `json:"selectors"`
}

type relabelled struct {
	Action       string   `json:"action,omitempty"`
	SourceLabels []string `json:"source_labels,omitempty"`
	Regex        string   `json:"regex,omitempty"`
	TargetLabel  string   `json:"target_label,omitempty"`
	Replacement  string   `json:"replacement,omitempty"`
}

// as is what the Prometheus Operator makes of a PodMonitor, as far as rules and
// dashboards go by it.
func (m podMonitor) as() scrapeConfig {
	spec, endpoint := m.Spec, m.Spec.PodMetricsEndpoints[0]
	var selects []string
	for _, label := range slices.Sorted(maps.Keys(spec.Selector.MatchLabels)) {
		selects = append(selects, label+"="+spec.Selector.MatchLabels[label])
	}
	for _, in := range spec.Selector.MatchExpressions {
		selects = append(selects, fmt.Sprintf("%s %s (%s)", in.Key, strings.ToLower(in.Operator), strings.Join(in.Values, ",")))
	}
	label := func(name string) []string {
		return []string{"__meta_kubernetes_pod_label_" + regexp.MustCompile(`[^a-z]`).ReplaceAllString(name, "_")}
	}
	config := scrapeConfig{
		JobName: m.Metadata.Name,
		RelabelConfigs: []relabelled{
			{Action: "keep", SourceLabels: []string{"__meta_kubernetes_pod_container_port_name"}, Regex: endpoint.Port},
			{Action: "drop", SourceLabels: []string{"__meta_kubernetes_pod_phase"}, Regex: "(Failed|Succeeded)"},
			{SourceLabels: []string{"__meta_kubernetes_namespace"}, TargetLabel: "namespace"},
			{SourceLabels: []string{"__meta_kubernetes_pod_container_name"}, TargetLabel: "container"},
			{SourceLabels: []string{"__meta_kubernetes_pod_name"}, TargetLabel: "pod"},
			{SourceLabels: label(spec.JobLabel), TargetLabel: "job"},
		},
	}
	found := discovery{Role: "pod", Selectors: []struct{ Role, Label string }{{"pod", strings.Join(selects, ",")}}}
	if !spec.NamespaceSelector.Any {
		found.Namespaces.Names = spec.NamespaceSelector.MatchNames
	}
	config.KubernetesSDConfigs = []discovery{found}
	for _, name := range spec.PodTargetLabels {
		config.RelabelConfigs = append(config.RelabelConfigs, relabelled{SourceLabels: label(name), TargetLabel: name})
	}
	for _, change := range endpoint.MetricRelabelings {
		config.MetricRelabelConfigs = append(config.MetricRelabelConfigs, relabelled(change))
	}
	return config
}

func scrapeConfigs(g Gomega) []scrapeConfig {
	var file struct {
		ScrapeConfigs []scrapeConfig `json:"scrape_configs"`
	}
	read(g, "gitops/monitoring/prometheus/scrape.yaml", &file)
	return file.ScrapeConfigs
}

// A Prometheus with the Prometheus Operator's kinds and one without ask the same pods, and
// call what they say the same.
func TestPodMonitorsAreTheScrapeConfigs(t *testing.T) {
	g := NewWithT(t)
	var kustomization struct {
		Patches []struct {
			Target struct{ Name string }
			Patch  string
		}
	}
	read(g, "gitops/monitoring/prometheus-operator/kustomization.yaml", &kustomization)
	g.Expect(kustomization.Patches).To(HaveLen(1))
	patch := kustomization.Patches[0]
	var operations []struct {
		Path  string
		Value []relabeling
	}
	g.Expect(yaml.Unmarshal([]byte(patch.Patch), &operations)).To(Succeed())
	var made []scrapeConfig
	for document := range strings.SplitSeq(text(g, "gitops/monitoring/prometheus-operator/pod-monitors.yaml"), "\n---\n") {
		var monitor podMonitor
		g.Expect(yaml.UnmarshalStrict([]byte(document), &struct {
			APIVersion, Kind string
			*podMonitor      `json:",inline"`
		}{podMonitor: &monitor})).To(Succeed())
		if regexp.MustCompile("^(" + patch.Target.Name + ")$").MatchString(monitor.Metadata.Name) {
			g.Expect(operations).To(HaveLen(1))
			monitor.Spec.PodMetricsEndpoints[0].MetricRelabelings = operations[0].Value
		}
		made = append(made, monitor.as())
	}
	if diff := cmp.Diff(made, scrapeConfigs(g)); diff != "" {
		t.Errorf("(-pod-monitors.yaml +scrape.yaml):\n%s", diff)
	}
}
