package controller

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// conflictError reports that objects which a network needs belong to someone else.
type conflictError struct {
	objects []client.Object
}

// Error implements error.
func (e *conflictError) Error() string {
	if len(e.objects) == 1 {
		return quoted(e.objects[0]) + " already exists and is not owned by this network; delete it, or give the network another name"
	}
	var names []string
	for _, object := range e.objects {
		names = append(names, quoted(object))
	}
	return strings.Join(names, ", ") + " already exist and are not owned by this network; delete them, or give the network another name"
}

// quoted says `Service "payments"`.
func quoted(object client.Object) string {
	return fmt.Sprintf("%s %q", object.GetObjectKind().GroupVersionKind().Kind, object.GetName())
}

// Reason is the reason of the condition Ready.
func (e *conflictError) Reason() string { return v1alpha1.ConflictReason }

// leftoverError reports that an object is that of a network of this name that has been
// deleted, and goes when Kubernetes has collected it.
type leftoverError struct {
	object client.Object
}

// Error implements error.
func (e *leftoverError) Error() string {
	return fmt.Sprintf("waiting for %s, left over from a deleted network of the same name, to be garbage-collected", quoted(e.object))
}

// Reason is the reason of the condition Ready.
func (e *leftoverError) Reason() string { return meta.ProgressingReason }

// formerError reports that what an earlier StatefulSet has left has the names which the
// pods of the next one need. The StatefulSet controller would try, be refused, and try
// again ever more seldom.
type formerError struct {
	names []string
}

// Error implements error.
func (e *formerError) Error() string {
	const most = 5
	names := strings.Join(e.names[:min(len(e.names), most)], ", ")
	if more := len(e.names) - most; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("waiting for %s of an earlier StatefulSet to be gone: the nodes need those names", names)
}

// Reason is the reason of the condition Ready.
func (e *formerError) Reason() string { return meta.ProgressingReason }

// errNetworkGone reports that a network has been deleted since the pass began.
var errNetworkGone = errors.New("the network is gone")

// applyError says that an object could not be applied. What the API server takes for
// invalid it will not take the next time either.
func applyError(object client.Object, err error) error {
	err = fmt.Errorf("apply %s: %w", nameOf(object), err)
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err) {
		return &invalidError{err}
	}
	return err
}

// invalidError reports that the API server takes an object of a network for invalid, in
// its own words.
type invalidError struct {
	error
}

// Unwrap returns what the API server said.
func (e *invalidError) Unwrap() error { return e.error }

// Reason is the reason of the condition Ready.
func (e *invalidError) Reason() string { return v1alpha1.InvalidReason }
