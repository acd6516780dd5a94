package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// most is how many requests and events are told of.
const most = 5

// requests says what people have asked for that waits, or was not done. They are no part
// of the network's health.
func requests(s *subject) []Finding {
	if s.network == nil {
		return nil
	}
	if found, missing := s.unread(Requests, "bitcoinrequests"); missing {
		return found
	}
	var findings []Finding
	for _, request := range s.Requests {
		if request.Spec.Network == s.name {
			findings = append(findings, s.asked(request)...)
		}
	}
	latestFirst(findings)
	return findings[:min(len(findings), most)]
}

func (s *subject) asked(request v1alpha1.BitcoinRequest) []Finding {
	phase := request.Status.Phase
	if phase == v1alpha1.RequestSucceeded {
		return nil
	}
	if done := request.Status.FinishedAt; done != nil && s.Now.Sub(done.Time) > recent {
		return nil
	}
	found := Finding{Step: Requests, Level: Note, Reason: string(phase), Since: request.Status.FinishedAt, Message: request.Name + " waits for the operator"}
	if found.Since == nil {
		found.Since = &request.CreationTimestamp
	}
	if ready := apimeta.FindStatusCondition(request.Status.Conditions, meta.ReadyCondition); ready != nil {
		found.Message = fmt.Sprintf("%s: %s", request.Name, ready.Message)
	}
	return []Finding{found}
}

// events tells of warnings about the network and what it is made of.
func events(s *subject) []Finding {
	if s.name == "" {
		return nil
	}
	if found, missing := s.unread(Events, "events"); missing {
		return found
	}
	var findings []Finding
	for _, event := range s.Events {
		at := lastTime(event)
		if event.Type != corev1.EventTypeWarning || !s.isOurs(event.InvolvedObject) || s.Now.Sub(at) > recent {
			continue
		}
		message := fmt.Sprintf("%s %s: %s", event.InvolvedObject.Kind, event.InvolvedObject.Name, event.Message)
		if event.InvolvedObject.Kind == "BitcoinNetwork" {
			message = event.Message
		}
		findings = append(findings, Finding{Step: Events, Level: Note, Reason: event.Reason, Since: &metav1.Time{Time: at}, Message: message})
	}
	latestFirst(findings)
	return findings[:min(len(findings), most)]
}

// isOurs reports whether an object is the network, or one of those that are called after it.
func (s *subject) isOurs(object corev1.ObjectReference) bool {
	switch object.Kind {
	case "BitcoinNetwork", "StatefulSet":
		return object.Name == s.name
	case "Pod":
		return isNodeOf(s.name, object.Name)
	case "PersistentVolumeClaim":
		pod, found := strings.CutPrefix(object.Name, "data-")
		return found && isNodeOf(s.name, pod)
	default:
		return false
	}
}

// isNodeOf reports whether a pod is called as a node of a network is.
func isNodeOf(network, pod string) bool {
	ordinal, found := strings.CutPrefix(pod, network+"-")
	return found && ordinal != "" && strings.Trim(ordinal, "0123456789") == ""
}

// latest returns the last event that is so, or nil.
func (s *subject) latest(is func(corev1.Event) bool) *corev1.Event {
	var found *corev1.Event
	for i := range s.Events {
		event := &s.Events[i]
		if is(*event) && (found == nil || lastTime(*event).After(lastTime(*found))) {
			found = event
		}
	}
	return found
}

// lastEvent returns when the network last told of that.
func (s *subject) lastEvent(reason string) *metav1.Time {
	event := s.latest(func(event corev1.Event) bool {
		return event.Reason == reason && event.InvolvedObject.Kind == "BitcoinNetwork" && event.InvolvedObject.Name == s.name
	})
	if event == nil {
		return nil
	}
	return &metav1.Time{Time: lastTime(*event)}
}

// lastTime returns when an event was last told.
func lastTime(event corev1.Event) time.Time {
	switch {
	case event.Series != nil && !event.Series.LastObservedTime.IsZero():
		return event.Series.LastObservedTime.Time
	case !event.LastTimestamp.IsZero():
		return event.LastTimestamp.Time
	case !event.EventTime.IsZero():
		return event.EventTime.Time
	default:
		return event.CreationTimestamp.Time
	}
}

// firstTime returns when an event was first told.
func firstTime(event corev1.Event) *metav1.Time {
	if !event.FirstTimestamp.IsZero() {
		return &event.FirstTimestamp
	}
	return &metav1.Time{Time: lastTime(event)}
}

func latestFirst(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int { return b.Since.Compare(a.Since.Time) })
}
