package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Monitoring is a Prometheus in the cluster, with what gitops/monitoring says, that tells an
// Alertmanager.
type Monitoring struct {
	address string
}

// monitoringNamespace is whom NetworkPolicies let ask for metrics.
const monitoringNamespace = "monitoring"

// StartMonitoring starts both. Alerts are posted to that URL, as to Slack.
func (c *Cluster) StartMonitoring(ctx context.Context, receiver string) (*Monitoring, error) {
	if _, err := c.tool(ctx, nil, "cluster", "monitoring", receiver); err != nil {
		return nil, fmt.Errorf("start Prometheus and Alertmanager: %w", err)
	}
	var service corev1.Service
	if err := c.API.Get(ctx, client.ObjectKey{Namespace: monitoringNamespace, Name: "prometheus"}, &service); err != nil {
		return nil, err
	}
	return &Monitoring{fmt.Sprintf("http://%s:%d", service.Spec.ClusterIP, service.Spec.Ports[0].Port)}, nil
}

// StopMonitoring removes what was started, but for its namespace.
func (c *Cluster) StopMonitoring(ctx context.Context) error {
	_, err := c.Kubectl(ctx, "delete", "--ignore-not-found", "--kustomize", c.source("gitops", "monitoring", "prometheus"))
	return err
}

// Query asks Prometheus, and returns the labels of what answers.
func (m *Monitoring) Query(ctx context.Context, query string) ([]map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.address+"/api/v1/query?"+url.Values{"query": {query}}.Encode(), nil)
	if err != nil {
		return nil, err
	}
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy knows the cluster
	response, err := direct.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask Prometheus: %w", err)
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct{ Metric map[string]string }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read Prometheus' answer to %s: %w", query, err)
	}
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	var found []map[string]string
	for _, sample := range answer.Data.Result {
		found = append(found, sample.Metric)
	}
	return found, nil
}

// Answers is so when something answers a query.
func (m *Monitoring) Answers(query string) Condition {
	return func(ctx context.Context) (bool, string, error) {
		found, err := m.Query(ctx, query)
		return len(found) > 0, "an answer to " + query, err
	}
}

// An Alert is one of the rules', with some of its labels.
type Alert struct {
	Name   string
	Labels map[string]string
}

func (a Alert) String() string { return a.query() }

func (a Alert) query() string {
	matchers := []string{fmt.Sprintf("alertname=%q", a.Name)}
	for _, label := range slices.Sorted(maps.Keys(a.Labels)) {
		matchers = append(matchers, fmt.Sprintf("%s=%q", label, a.Labels[label]))
	}
	return "ALERTS{" + strings.Join(matchers, ", ") + "}"
}

// Sees is so when what an alert is about is so: it fires, or will when it has been so for
// long enough, which promtool tests.
func (m *Monitoring) Sees(alert Alert) Condition { return m.Answers(alert.query()) }

// Ended is so when an alert is there no more.
func (m *Monitoring) Ended(alert Alert) Condition {
	return func(ctx context.Context) (bool, string, error) {
		found, err := m.Query(ctx, alert.query())
		return err == nil && len(found) == 0, fmt.Sprintf("%s to end", alert), err
	}
}
