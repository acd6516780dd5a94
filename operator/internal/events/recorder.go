// Package events tells events to Kubernetes, and to Flux's notification-controller
// where the platform asks for that.
package events

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/runtime/events"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
)

// maxWaiting bounds the events that wait for a notification-controller that is slow
// or away; more than these are lost to it.
const maxWaiting = 100

// Recorder records events with Kubernetes at once, and posts them to Flux from a
// goroutine of its own: posting may take the better part of a minute when nobody
// answers at that address, and no reconcile waits for it.
type Recorder struct {
	record.EventRecorder

	flux    record.EventRecorder
	waiting chan func()
}

// NewRecorder returns a recorder of events that this controller tells, which also
// posts them to that address. The manager runs it.
func NewRecorder(manager ctrl.Manager, address, controller string) (*Recorder, error) {
	kubernetes, err := events.NewRecorder(manager, ctrl.Log, "", controller)
	if err != nil {
		return nil, fmt.Errorf("record events: %w", err)
	}
	// A recorder that discards stands in for Kubernetes, which has its own.
	flux, err := events.NewRecorderForScheme(manager.GetScheme(), &record.FakeRecorder{}, ctrl.Log, address, controller)
	if err != nil {
		return nil, fmt.Errorf("post events to %s: %w", address, err)
	}
	recorder := &Recorder{EventRecorder: kubernetes, flux: flux, waiting: make(chan func(), maxWaiting)}
	return recorder, manager.Add(recorder)
}

// Start posts the events that come until the context ends.
func (r *Recorder) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case post := <-r.waiting:
			posted := make(chan struct{})
			go func() { defer close(posted); post() }()
			select {
			case <-posted:
			case <-ctx.Done(): // the last one ends with its own time-out
			}
		}
	}
}

// Event implements record.EventRecorder.
func (r *Recorder) Event(object runtime.Object, kind, reason, message string) {
	r.EventRecorder.Event(object, kind, reason, message)
	told := object.DeepCopyObject()
	select {
	case r.waiting <- func() { r.flux.Event(told, kind, reason, message) }:
	default:
		ctrl.Log.Info("dropped an event: too many are waiting to be sent", "reason", reason)
	}
}
