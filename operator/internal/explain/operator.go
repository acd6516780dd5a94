package explain

import (
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// operator says whether anybody looks after the namespace. People may not see its
// Deployment, but they see its pods.
func operator(s *subject) []Finding {
	if found, missing := s.unread(Operator, "pods"); missing {
		return found
	}
	var problem string
	for i := range s.Pods {
		pod := &s.Pods[i]
		if pod.Labels["app.kubernetes.io/name"] != "bitcoin-operator" {
			continue
		}
		if state.IsReady(pod) {
			return s.observed(pod.Name)
		}
		problem = fmt.Sprintf("its pod %s is not ready%s", pod.Name, containerProblem(pod))
	}
	s.operatorAway = true
	if problem == "" {
		problem = "it has no pod"
	}
	return one(Operator, Problem, "OperatorAway",
		fmt.Sprintf("no operator is running for the networks of %s: %s; what follows is what the operator last saw", s.Name, problem))
}

// observed says whether the operator has looked at the network as it is now.
func (s *subject) observed(name string) []Finding {
	switch {
	case s.network == nil:
		return one(Operator, OK, "", name+" is ready")
	case s.condition(meta.ReadyCondition) != nil && s.network.Status.ObservedGeneration < s.network.Generation:
		return one(Operator, Waiting, "NotObserved", name+" is ready, but has not reconciled the last change of the network yet")
	default:
		return one(Operator, OK, "", name+" is ready")
	}
}

// containerProblem says what the kubelet says of the first container that is not well.
func containerProblem(pod *corev1.Pod) string {
	for _, container := range pod.Status.ContainerStatuses {
		switch {
		case container.State.Waiting != nil:
			return ": " + strings.TrimSuffix(container.State.Waiting.Reason+": "+container.State.Waiting.Message, ": ")
		case container.State.Terminated != nil:
			return fmt.Sprintf(": its container exited with code %d", container.State.Terminated.ExitCode)
		}
	}
	return ""
}

// itself says what the network says of itself where no other step does.
func itself(s *subject) []Finding {
	if s.network == nil {
		if s.name == "" {
			return one(Itself, Problem, "NotFound", fmt.Sprintf("there is no network in namespace %s", s.Name))
		}
		return one(Itself, Problem, "NotFound", fmt.Sprintf("there is no network %q in namespace %s", s.name, s.Name))
	}
	ready := s.condition(meta.ReadyCondition)
	switch {
	case s.network.DeletionTimestamp != nil:
		return []Finding{{Step: Itself, Level: Waiting, Reason: "Deleted", Message: "the network is being deleted", Since: s.network.DeletionTimestamp}}
	case ready == nil:
		return one(Itself, Waiting, "NotObserved", "the operator has not reconciled the network yet")
	case ready.Reason == v1alpha1.SuspendedReason:
		found := finding(Itself, Problem, ready)
		if told := s.lastEvent(v1alpha1.SuspendedReason); told != nil || ready.Status == metav1.ConditionTrue {
			found.Since = told
		}
		return []Finding{found}
	case ready.Status == metav1.ConditionTrue:
		return []Finding{s.ready(ready)}
	case s.saidElsewhere(ready):
		return nil
	case s.isStalled():
		return []Finding{finding(Itself, Problem, ready)}
	case ready.Reason == v1alpha1.FailedReason && s.lasts(ready):
		return []Finding{finding(Itself, Problem, ready)}
	default:
		return []Finding{finding(Itself, Waiting, ready)}
	}
}

// ready is the finding of a network that is Ready. What its message says beyond that, as
// of blocks that cannot be mined, is for somebody to know.
func (s *subject) ready(ready *metav1.Condition) Finding {
	level := OK
	if strings.Contains(ready.Message, "; ") && ready.Reason == v1alpha1.ConnectedReason {
		level = Note
	}
	found := finding(Itself, level, ready)
	if level == Note {
		found.Reason = "ConnectedBut"
	}
	return found
}

// summedUp are the conditions of which Ready repeats the first that is not True.
var summedUp = []string{
	v1alpha1.CredentialsReadyCondition, v1alpha1.StorageReadyCondition, v1alpha1.NodesReadyCondition, v1alpha1.PeersConnectedCondition,
}

// saidElsewhere reports whether another step says why a network is not Ready.
func (s *subject) saidElsewhere(ready *metav1.Condition) bool {
	if ready.Reason == v1alpha1.RollingReason || ready.Reason == v1alpha1.RolloutBlockedReason {
		return true
	}
	return s.repeated(ready) != nil
}

// repeated returns the condition that Ready repeats, or nil.
func (s *subject) repeated(ready *metav1.Condition) *metav1.Condition {
	for _, name := range summedUp {
		condition := s.condition(name)
		if condition != nil && condition.Status == metav1.ConditionFalse && strings.HasPrefix(ready.Message, condition.Message) {
			return condition
		}
	}
	return nil
}

// isStalled reports whether the network stays as it is until somebody acts.
func (s *subject) isStalled() bool {
	stalled := s.condition(meta.StalledCondition)
	return stalled != nil && stalled.Status == metav1.ConditionTrue
}
