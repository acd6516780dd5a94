package explain

import (
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The labels by which Flux knows what it has applied.
const (
	appliedByName      = "kustomize.toolkit.fluxcd.io/name"
	appliedByNamespace = "kustomize.toolkit.fluxcd.io/namespace"
)

// frozenKey is that of the ConfigMap `tenant` which lets nobody of a team change anything.
const frozenKey = "frozen"

// tenant says whether the platform has frozen the team.
func tenant(s *subject) []Finding {
	if found, missing := s.unread(Tenant, "configmaps"); missing {
		return found
	}
	if s.Tenant == nil || s.Tenant.Data[frozenKey] == "" || s.Tenant.Data[frozenKey] == "false" {
		return nil
	}
	return one(Tenant, Problem, "Frozen", fmt.Sprintf(
		"the platform has frozen namespace %s: networks keep running, but no commit or command changes them", s.Name))
}

// source says whether the commit was fetched.
func source(s *subject) []Finding {
	if found, missing := s.unread(Source, "gitrepositories"); missing {
		return found
	}
	var findings []Finding
	for _, repository := range s.repositories() {
		findings = append(findings, fetched(repository))
	}
	return findings
}

func fetched(repository unstructured.Unstructured) Finding {
	name := "GitRepository " + repository.GetName()
	ready := conditionOf(repository, meta.ReadyCondition)
	switch {
	case isSuspended(repository):
		return Finding{Step: Source, Level: Problem, Reason: meta.SuspendedReason, Message: name + " is suspended: no commit is fetched"}
	case ready == nil:
		return Finding{Step: Source, Level: Waiting, Message: "Flux has not reconciled " + name + " yet"}
	case ready.Status == metav1.ConditionFalse:
		found := finding(Source, Problem, ready)
		found.Message = name + ": " + found.Message
		return found
	default:
		return Finding{Step: Source, Level: OK, Message: name + ": " + revision(fetchedRevision(repository)) + " is fetched"}
	}
}

// commit says whether the commit was applied.
func commit(s *subject) []Finding {
	if s.network != nil && s.network.Labels[appliedByName] == "" {
		return one(Commit, OK, "", "created by hand: no Flux Kustomization applied it")
	}
	if found, missing := s.unread(Commit, "kustomizations"); missing {
		return found
	}
	var findings []Finding
	for _, kustomization := range s.kustomizations() {
		findings = append(findings, s.applied(kustomization))
	}
	if len(findings) == 0 && s.network != nil {
		return one(Commit, Unknown, "", fmt.Sprintf("Kustomization %s/%s, which has applied it, cannot be seen from here",
			s.network.Labels[appliedByNamespace], s.network.Labels[appliedByName]))
	}
	return findings
}

// Reasons of a Kustomization's condition Ready, of kustomize-controller.
const (
	healthCheckFailed   = "HealthCheckFailed"
	healthCheckCanceled = "HealthCheckCanceled"
	dependencyNotReady  = "DependencyNotReady"
	artifactFailed      = "ArtifactFailed"
)

func (s *subject) applied(kustomization unstructured.Unstructured) Finding {
	name := "Kustomization " + kustomization.GetName()
	ready := conditionOf(kustomization, meta.ReadyCondition)
	if isSuspended(kustomization) {
		return Finding{Step: Commit, Level: Problem, Reason: meta.SuspendedReason, Message: name + " is suspended: no commit is applied"}
	}
	if ready == nil {
		return Finding{Step: Commit, Level: Waiting, Message: "Flux has not reconciled " + name + " yet"}
	}
	found := finding(Commit, levelOfCommit(ready), ready)
	found.Message = name + ": " + found.Message
	if ready.Status != metav1.ConditionTrue {
		return found
	}
	applied, latest := text(kustomization, "status", "lastAppliedRevision"), s.latestFor(kustomization)
	if latest != "" && latest != applied {
		return Finding{Step: Commit, Level: Waiting, Reason: "Pending", Message: fmt.Sprintf("%s: %s is fetched but not applied yet; %s is", name, revision(latest), revision(applied))}
	}
	return Finding{Step: Commit, Level: OK, Message: name + ": " + revision(applied) + " is applied"}
}

// levelOfCommit: what was applied and is not healthy says so itself, or is another network.
func levelOfCommit(ready *metav1.Condition) Level {
	switch {
	case ready.Status == metav1.ConditionTrue:
		return OK
	case ready.Status == metav1.ConditionUnknown, ready.Reason == healthCheckFailed, ready.Reason == healthCheckCanceled:
		return Note
	case ready.Reason == dependencyNotReady:
		return Waiting
	default:
		return Problem
	}
}

// kustomizations are the one that has applied the network; while there is no network, all
// that might.
func (s *subject) kustomizations() []unstructured.Unstructured {
	if s.network == nil {
		return s.Kustomizations
	}
	applied := named(s.Kustomizations, s.network.Labels[appliedByName])
	if applied == nil || s.network.Labels[appliedByNamespace] != s.Name {
		return nil
	}
	return []unstructured.Unstructured{*applied}
}

// repositories are those that the Kustomizations apply.
func (s *subject) repositories() []unstructured.Unstructured {
	var found []unstructured.Unstructured
	for _, kustomization := range s.kustomizations() {
		if repository := s.repositoryOf(kustomization); repository != nil {
			found = append(found, *repository)
		}
	}
	return found
}

func (s *subject) repositoryOf(kustomization unstructured.Unstructured) *unstructured.Unstructured {
	elsewhere := text(kustomization, "spec", "sourceRef", "namespace")
	if text(kustomization, "spec", "sourceRef", "kind") != GitRepositoryKind.Kind || elsewhere != "" && elsewhere != s.Name {
		return nil
	}
	return named(s.Repositories, text(kustomization, "spec", "sourceRef", "name"))
}

// latestFor returns what a Kustomization is to apply.
func (s *subject) latestFor(kustomization unstructured.Unstructured) string {
	repository := s.repositoryOf(kustomization)
	if repository == nil {
		return ""
	}
	return fetchedRevision(*repository)
}

func fetchedRevision(repository unstructured.Unstructured) string {
	return text(repository, "status", "artifact", "revision")
}

// revision shortens the hash of a revision, such as main@sha1:4f5c2d1….
func revision(full string) string {
	const shown = 10
	before, hash, found := strings.Cut(full, ":")
	switch {
	case full == "":
		return "no commit"
	case !found || len(hash) <= shown:
		return full
	default:
		return before + ":" + hash[:shown]
	}
}
