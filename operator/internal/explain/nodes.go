package explain

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// objects says whether Kubernetes makes the pods that the network wants.
func objects(s *subject) []Finding {
	if s.network == nil {
		return nil
	}
	if found, missing := s.unread(Objects, "statefulsets"); missing {
		return found
	}
	at := slices.IndexFunc(s.StatefulSets, func(set appsv1.StatefulSet) bool { return set.Name == s.network.Name })
	if at < 0 {
		return one(Objects, Waiting, "NotMade", fmt.Sprintf("StatefulSet %s does not exist", s.network.Name))
	}
	set := s.StatefulSets[at]
	wanted, has := int32(1), set.Status.Replicas
	if set.Spec.Replicas != nil {
		wanted = *set.Spec.Replicas
	}
	pods := fmt.Sprintf("StatefulSet %s has %d of %d pods", set.Name, has, wanted)
	if has >= wanted {
		return one(Objects, OK, "", pods)
	}
	event := s.latest(func(event corev1.Event) bool {
		return event.Reason == "FailedCreate" && event.InvolvedObject.Kind == "StatefulSet" && event.InvolvedObject.Name == set.Name
	})
	if event == nil {
		return one(Objects, Waiting, "PodsMissing", pods)
	}
	found := Finding{Step: Objects, Level: Problem, Reason: event.Reason, Message: pods + ": " + event.Message, Since: firstTime(*event)}
	if full := s.fullQuotas(); len(full) > 0 {
		found.Message += "; quotas used up: " + strings.Join(full, ", ")
	}
	return []Finding{found}
}

// fullQuotas names what of the namespace's quotas is used up.
func (s *subject) fullQuotas() []string {
	var full []string
	for _, quota := range s.Quotas {
		for name, hard := range quota.Status.Hard {
			used, known := quota.Status.Used[name]
			if known && !hard.IsZero() && used.Cmp(hard) >= 0 {
				full = append(full, fmt.Sprintf("%s of quota %s (%s of %s)", name, quota.Name, used.String(), hard.String()))
			}
		}
	}
	slices.Sort(full)
	return full
}

// nodes says which nodes do not answer, and why.
func nodes(s *subject) []Finding {
	condition := s.condition(v1alpha1.NodesReadyCondition)
	if condition == nil {
		return nil
	}
	switch condition.Status {
	case metav1.ConditionTrue:
		if s.operatorAway {
			return s.unservedPods(condition)
		}
		return []Finding{finding(Nodes, OK, condition)}
	case metav1.ConditionUnknown:
		return []Finding{finding(Nodes, Unknown, condition)}
	}
	found := finding(Nodes, Waiting, condition)
	switch _, reason, broken := s.brokenPod(); {
	case broken:
		found.Level, found.Reason = Problem, reason
	case s.lasts(condition):
		found.Level = Problem
	default:
		found.Reason = "Starting"
	}
	return []Finding{found}
}

// unservedPods says what Kubernetes says of the nodes, while nobody else does.
func (s *subject) unservedPods(condition *metav1.Condition) []Finding {
	for ordinal := range int(s.network.Spec.Nodes) {
		if pod := s.pod(ordinal); !state.IsReady(pod) {
			problem := state.PodProblem(pod)
			if problem == "" {
				problem = "its pod is not ready"
			}
			return one(Nodes, Problem, v1alpha1.NodesNotReadyReason, fmt.Sprintf("%s: %s", resources.PodName(s.network, ordinal), problem))
		}
	}
	return []Finding{finding(Nodes, OK, condition)}
}

// brokenPod returns the first node whose pod does not run, and not only because it is
// about to, with the reason that Kubernetes has for it.
func (s *subject) brokenPod() (pod *corev1.Pod, reason string, found bool) {
	for ordinal := range int(s.network.Spec.Nodes) {
		pod := s.pod(ordinal)
		if pod == nil || pod.DeletionTimestamp != nil {
			continue
		}
		if reason := brokenBy(pod); reason != "" {
			return pod, reason, true
		}
	}
	return nil, "", false
}

// ofStart is before the reason of an init container, as kubectl get pods has it.
const ofStart = "Init:"

// brokenBy returns the reason that Kubernetes has for a pod that does not run. A container
// that is being made is not broken.
func brokenBy(pod *corev1.Pod) string {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition.Reason
		}
	}
	if start := state.FailedStart(pod); start != nil {
		return ofStart + notRunning(start)
	}
	return notRunning(state.Container(pod))
}

// notRunning returns the reason that Kubernetes has for a container that does not run.
func notRunning(container *corev1.ContainerStatus) string {
	switch {
	case container == nil:
		return ""
	case container.LastTerminationState.Terminated != nil && container.State.Running == nil:
		if ended := container.LastTerminationState.Terminated.Reason; ended == "OOMKilled" {
			return ended
		}
		return "CrashLoopBackOff"
	case container.State.Waiting != nil && container.State.Waiting.Reason != "ContainerCreating" && container.State.Waiting.Reason != "PodInitializing":
		return container.State.Waiting.Reason
	case container.State.Terminated != nil:
		return container.State.Terminated.Reason
	default:
		return ""
	}
}
