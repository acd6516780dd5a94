package controller

import (
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// conflictError reports that an object which a network needs belongs to someone else.
type conflictError struct {
	kind, name string
}

// Error implements error.
func (e *conflictError) Error() string {
	return fmt.Sprintf("%s %q already exists and is not owned by this network; delete it, or give the network another name", e.kind, e.name)
}

// Reason is the reason of the condition Ready.
func (e *conflictError) Reason() string { return v1alpha1.ConflictReason }

// leftoverError reports that an object is that of a network of this name that has been
// deleted, and goes when Kubernetes has collected it.
type leftoverError struct {
	kind, name string
}

// Error implements error.
func (e *leftoverError) Error() string {
	return fmt.Sprintf("waiting for %s %q, left over from a deleted network of the same name, to be garbage-collected", e.kind, e.name)
}

// Reason is the reason of the condition Ready.
func (e *leftoverError) Reason() string { return meta.ProgressingReason }
