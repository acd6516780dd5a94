package explain

import (
	"slices"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// patience is how long what takes seconds may take before somebody should look.
	patience = time.Minute
	// recent is how far back events and requests are told of.
	recent = time.Hour
	// longest is how much of what somebody else says is told.
	longest = 1000
)

// Network explains a network of a namespace. The network need not be there; without a name
// it is what keeps the namespace from having any.
func Network(seen *Namespace, name string) Report {
	s := &subject{Namespace: seen, name: name}
	for i := range seen.Networks {
		if seen.Networks[i].Name == name {
			s.network = &seen.Networks[i]
		}
	}
	report := Report{Namespace: seen.Name, Network: name}
	for _, step := range []func(*subject) []Finding{
		tenant, source, commit, sealed, operator, itself, credentials, storage, objects,
		nodes, links, tips, sync, versions, primary, rollouts, requests, events,
	} {
		report.Findings = append(report.Findings, step(s)...)
	}
	link(report.Findings)
	report.Healthy = !slices.ContainsFunc(report.Findings, Finding.IsWrong)
	for i := range report.Findings {
		finding := &report.Findings[i]
		finding.Reason, finding.Message = state.Quote(finding.Reason), state.QuoteUpTo(finding.Message, longest)
		// That the commit is not healthy follows from a network that is not.
		if finding.IsWrong() || finding.Level == Note && (report.Healthy || finding.Step != Commit) {
			finding.Remedy = s.remedy(*finding)
		}
	}
	if s.network != nil {
		describe(&report, s.network)
	}
	return report
}

func describe(report *Report, network *v1alpha1.BitcoinNetwork) {
	report.Chain = string(network.Spec.Chain)
	report.Nodes = network.Spec.Nodes
	report.Ready = network.Status.Ready
	report.Height = network.Status.Height
	if network.Status.Links != nil {
		report.Connected = network.Status.Links.Summary
	}
	if ready := apimeta.FindStatusCondition(network.Status.Conditions, meta.ReadyCondition); ready != nil {
		report.Status = ready.Reason
	}
}

// subject is the network that is explained, and what was read beside it.
type subject struct {
	*Namespace
	name    string
	network *v1alpha1.BitcoinNetwork // nil where there is none
	// operatorAway is that what the network says of itself may be old.
	operatorAway bool
}

// unread is the finding of a step whose objects were not read.
func (s *subject) unread(step Step, kind string) ([]Finding, bool) {
	why, missing := s.Unread[kind]
	if !missing {
		return nil, false
	}
	return []Finding{{Step: step, Level: Unknown, Message: why}}, true
}

// condition returns one of the network's, or nil.
func (s *subject) condition(name string) *metav1.Condition {
	if s.network == nil {
		return nil
	}
	return apimeta.FindStatusCondition(s.network.Status.Conditions, name)
}

// lasts reports whether a condition has been so for longer than it takes.
func (s *subject) lasts(condition *metav1.Condition) bool {
	return s.Now.Sub(condition.LastTransitionTime.Time) > patience
}

// finding repeats what a condition says.
func finding(step Step, level Level, condition *metav1.Condition) Finding {
	found := Finding{Step: step, Level: level, Reason: condition.Reason, Message: condition.Message}
	if !condition.LastTransitionTime.IsZero() {
		found.Since = &condition.LastTransitionTime
	}
	return found
}

// one is a finding that no condition says.
func one(step Step, level Level, reason, message string) []Finding {
	return []Finding{{Step: step, Level: level, Reason: reason, Message: message}}
}

// pod returns the pod of a node, or nil.
func (s *subject) pod(ordinal int) *corev1.Pod {
	name := resources.PodName(s.network, ordinal)
	for i := range s.Pods {
		if s.Pods[i].Name == name {
			return &s.Pods[i]
		}
	}
	return nil
}
