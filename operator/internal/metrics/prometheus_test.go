package metrics_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
)

// A real Prometheus takes in what an operator tells, and what others tell as they do, and
// can answer every rule and every query of the dashboards: with something, so that no
// label is misspelt.
func TestPrometheusAnswers(t *testing.T) {
	program := os.Getenv("TEST_PROMETHEUS")
	if program == "" {
		t.Skip("TEST_PROMETHEUS names no Prometheus; make test sets it to .local/bin/prometheus")
	}
	g := NewWithT(t)
	told, tell := operator(g)
	configs := scrapeConfigs(g)
	asked := []target{
		{"bitcoin-operator", map[string]string{"namespace": "team-a", "pod": "bitcoin-operator-x"}, told},
		{"bitcoin-operator", map[string]string{"namespace": "team-a", "pod": "bitcoin-operator-x"}, page(runtimePage)},
		{"flux", map[string]string{"namespace": "flux-tenants", "pod": "kustomize-controller-x", "app": "kustomize-controller"}, page(fluxPage)},
		{"sealed-secrets", map[string]string{"namespace": "kube-system", "pod": "sealed-secrets-controller-x"}, page(sealedSecretsPage)},
		{"others", nil, page(kubernetesPage)},
	}
	server := startPrometheus(t, program, configs, asked)

	t.Run("rules", func(t *testing.T) {
		g := NewWithT(t)
		var groups ruleHealth
		g.Eventually(func(g Gomega) {
			tell()
			g.Expect(server.get("rules", nil, &groups)).To(Succeed())
			g.Expect(groups.unknown()).To(BeEmpty(), "rules that were not evaluated")
		}, 30*time.Second, 250*time.Millisecond).Should(Succeed())
		g.Expect(groups.all()).To(Equal(len(rules(g))))
		g.Expect(groups.failed()).To(BeEmpty())
	})
	t.Run("dashboards", func(t *testing.T) {
		for where, query := range queries(g) {
			NewWithT(t).Eventually(func(g Gomega) {
				tell()
				g.Expect(server.query(g, query)).NotTo(BeEmpty())
			}, 30*time.Second, 250*time.Millisecond).Should(Succeed(), "%s: %s", where, query)
		}
	})
	t.Run("whose it is", func(t *testing.T) {
		g := NewWithT(t)
		for query, want := range map[string]string{
			`bitcoinnetwork_nodes_wanted{name="of-another"}`:       "team-a", // it says team-b
			`gotk_reconcile_duration_seconds_count{job="flux"}`:    "team-a",
			`process_start_time_seconds{job="flux"}`:               "flux-tenants",
			`sealed_secrets_controller_condition_info`:             "team-a",
			`process_start_time_seconds{job="sealed-secrets"}`:     "kube-system",
			`namespace_name:bitcoinnetwork_ready:max{name="well"}`: "team-a",
		} {
			for _, labels := range server.query(g, query) {
				g.Expect(labels).To(And(HaveKeyWithValue("namespace", want), Not(HaveKey("exported_namespace"))), query)
			}
		}
	})
}

// operator returns what an operator of team-a tells of a network that is well, of one for
// which everything goes wrong that there is an alert for, and of one of another team's, as
// one would that has been taken over. The returned function has it tell on.
func operator(g Gomega) (http.Handler, func()) {
	payments, well := types.NamespacedName{Namespace: "team-a", Name: "payments"}, types.NamespacedName{Namespace: "team-a", Name: "well"}
	collector, registry := metrics.NewCollector(clock.RealClock{}), prometheus.NewRegistry()
	g.Expect(collector.Register(registry)).To(Succeed())
	condition := func(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason}
	}
	wrong := metrics.Network{
		Ready: condition("Ready", metav1.ConditionFalse, "NodesNotReady"),
		Conditions: []metav1.Condition{
			condition("Ready", metav1.ConditionFalse, "NodesNotReady"),
			condition("Stalled", metav1.ConditionTrue, "QuotaExceeded"),
			condition("ChainsAgree", metav1.ConditionFalse, "Fork"),
			condition("Synced", metav1.ConditionFalse, "NotCatchingUp"),
			condition("VersionsSupported", metav1.ConditionFalse, "OutOfSupport"),
		},
		Interval: 30 * time.Second, MiningFailed: true, NodesSynced: 1,
		Nodes:       []metrics.Node{{Name: "payments-0", Software: "Bitcoin Core", Version: "29.4", SizeOnDisk: 90, DiskLimit: 100}},
		NodesWanted: 3, NodesReady: 2, LinksPlanned: 3, LinksConnected: 1, Parts: 2,
		Chain:   &metrics.Chain{HighestTip: 17, LowestTip: 5, LastBlock: time.Now()},
		Waiting: &metrics.Waiting{Node: "payments-1", On: "node"},
	}
	fine := metrics.Network{Ready: condition("Ready", metav1.ConditionTrue, "Connected"), NodesWanted: 1, NodesReady: 1, Parts: 1}
	tell := func() {
		collector.SetNetwork(payments, wrong)
		collector.SetNetwork(well, fine)
		collector.SetNetwork(types.NamespacedName{Namespace: "team-b", Name: "of-another"}, fine)
		for _, outcome := range []string{"ok", "timeout", "unauthorized"} {
			collector.Requested(payments, outcome, time.Millisecond)
		}
		collector.Asked(payments, "pay", "failed")
		collector.Told(payments, "ChainLost")
		collector.Reconciled(payments, time.Now())
	}
	tell()
	return promhttp.HandlerFor(prometheus.Gatherers{registry, ctrlmetrics.Registry}, promhttp.HandlerOpts{}), tell
}

// page is what another program tells, in which N is a number that grows.
func page(content string) http.Handler {
	asked := 0
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = io.WriteString(w, strings.ReplaceAll(content, " N", fmt.Sprint(" ", asked)))
	})
}

// What controller-runtime tells of a controller that works, which in this test is none.
const runtimePage = `
controller_runtime_reconcile_total{controller="bitcoinnetwork",result="success"} N
controller_runtime_reconcile_errors_total{controller="bitcoinnetwork"} N
controller_runtime_reconcile_time_seconds_bucket{controller="bitcoinnetwork",le="0.1"} N
controller_runtime_reconcile_time_seconds_bucket{controller="bitcoinnetwork",le="+Inf"} N
leader_election_master_status{name="bitcoin-operator"} 1
workqueue_longest_running_processor_seconds{name="bitcoinnetwork",controller="bitcoinnetwork"} 0
rest_client_requests_total{code="200",method="GET",host="198.19.0.1"} N
`

const fluxPage = `
gotk_reconcile_duration_seconds_bucket{kind="Kustomization",name="networks",namespace="team-a",le="0.1"} N
gotk_reconcile_duration_seconds_bucket{kind="Kustomization",name="networks",namespace="team-a",le="+Inf"} N
gotk_reconcile_duration_seconds_count{kind="Kustomization",name="networks",namespace="team-a"} N
process_start_time_seconds 1
workqueue_longest_running_processor_seconds{name="kustomization"} 700
`

const sealedSecretsPage = `
sealed_secrets_controller_condition_info{condition="Synced",name="bitcoin-rpc",namespace="team-a",ss_app_kubernetes_io_instance=""} -1
process_start_time_seconds 1
`

// What the kubelet and kube-state-metrics tell, whose labels are taken as they are.
const kubernetesPage = `
kube_deployment_created{namespace="team-a",deployment="bitcoin-operator"} 1
kube_deployment_status_replicas_available{namespace="sealing",deployment="publisher"} 0
container_memory_working_set_bytes{namespace="team-a",pod="payments-0",container="bitcoind"} 1
container_cpu_usage_seconds_total{namespace="team-a",pod="payments-0",container="bitcoind"} N
kubelet_volume_stats_used_bytes{namespace="team-a",persistentvolumeclaim="data-payments-0"} 1
kubelet_volume_stats_capacity_bytes{namespace="team-a",persistentvolumeclaim="data-payments-0"} 2
`

// target is somebody whom Prometheus asks, under the labels that it finds of him.
type target struct {
	job     string
	labels  map[string]string
	answers http.Handler
}

// prometheusServer is a Prometheus that runs.
type prometheusServer string

// startPrometheus starts one that asks these, treats what they say as the shipped
// configuration does, and has the shipped rules.
func startPrometheus(t *testing.T, program string, shipped []scrapeConfig, targets []target) prometheusServer {
	t.Helper()
	g := NewWithT(t)
	changes := map[string][]relabelled{}
	for _, config := range shipped {
		changes[config.JobName] = config.MetricRelabelConfigs
	}
	var jobs []map[string]any
	for i, target := range targets {
		server := httptest.NewServer(target.answers)
		t.Cleanup(server.Close)
		labels := map[string]string{"job": target.job}
		for name, value := range target.labels {
			labels[name] = value
		}
		jobs = append(jobs, map[string]any{
			"job_name":               fmt.Sprintf("%s-%d", target.job, i),
			"honor_labels":           target.labels == nil,
			"static_configs":         []any{map[string]any{"targets": []string{strings.TrimPrefix(server.URL, "http://")}, "labels": labels}},
			"metric_relabel_configs": changes[target.job],
		})
	}
	rules, err := filepath.Abs(root + "gitops/monitoring/rules/rules.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	config, err := yaml.Marshal(map[string]any{
		"global":         map[string]string{"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
		"rule_files":     []string{rules},
		"scrape_configs": jobs,
	})
	g.Expect(err).NotTo(HaveOccurred())
	directory := t.TempDir()
	file := filepath.Join(directory, "prometheus.yaml")
	g.Expect(os.WriteFile(file, config, 0o644)).To(Succeed())
	log, err := os.Create(filepath.Join(directory, "log"))
	g.Expect(err).NotTo(HaveOccurred())
	address := freeAddress(g)
	command := exec.Command(program, "--config.file="+file, "--storage.tsdb.path="+directory, "--web.listen-address="+address)
	command.Stdout, command.Stderr = log, log
	g.Expect(command.Start()).To(Succeed())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = log.Close()
		if t.Failed() {
			said, _ := os.ReadFile(log.Name())
			t.Logf("Prometheus said:\n%s", said)
		}
	})
	server := prometheusServer("http://" + address)
	g.Eventually(func() error { return server.get("status/runtimeinfo", nil, &struct{}{}) }, 30*time.Second, 100*time.Millisecond).Should(Succeed())
	return server
}

func freeAddress(g Gomega) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return listener.Addr().String()
}

// get asks Prometheus' API.
func (s prometheusServer) get(path string, parameters url.Values, into any) error {
	response, err := http.Get(string(s) + "/api/v1/" + path + "?" + parameters.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		Data  json.RawMessage
		Error string
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}

// query returns the labels of what answers a query.
func (s prometheusServer) query(g Gomega, query string) []map[string]string {
	var answer struct {
		Result []struct{ Metric map[string]string }
	}
	g.Expect(s.get("query", url.Values{"query": {query}}, &answer)).To(Succeed(), query)
	var found []map[string]string
	for _, sample := range answer.Result {
		found = append(found, sample.Metric)
	}
	return found
}

// ruleHealth is what Prometheus says of its rules.
type ruleHealth struct {
	Groups []struct {
		Rules []struct{ Name, Health, LastError string }
	}
}

func (h ruleHealth) all() (count int) {
	for _, group := range h.Groups {
		count += len(group.Rules)
	}
	return count
}

func (h ruleHealth) in(health string) (found []string) {
	for _, group := range h.Groups {
		for _, rule := range group.Rules {
			if rule.Health == health {
				found = append(found, rule.Name+" "+rule.LastError)
			}
		}
	}
	return found
}

func (h ruleHealth) unknown() []string { return h.in("unknown") }
func (h ruleHealth) failed() []string  { return h.in("err") }
