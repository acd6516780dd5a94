package controller

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// storageRefused tells that the API server does not let a volume claim grow.
type storageRefused struct {
	claim string
	err   error
}

// Error implements error.
func (s *storageRefused) Error() string {
	return fmt.Sprintf("volume claim %q cannot grow: %s; set spec.storage.size back to what is in status.storage, or have the storage class allow it", s.claim, s.err)
}

// Unwrap returns what the API server said.
func (s *storageRefused) Unwrap() error { return s.err }

// growClaims has the volume claims of the nodes ask for as much as the network
// says. Those of new nodes come with the size that the network began with, since a
// StatefulSet's template of claims cannot change, and grow like the others.
func (r *Reconciler) growClaims(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *observation) error {
	var errs []error
	for i := range seen.claims {
		claim := &seen.claims[i]
		if !growsTo(claim, network.Spec.Storage.Size) {
			continue
		}
		before := claim.DeepCopy()
		claim.Spec.Resources.Requests[corev1.ResourceStorage] = network.Spec.Storage.Size
		err := r.Client.Patch(ctx, claim, client.MergeFrom(before), client.FieldOwner(fieldOwner))
		if err == nil {
			continue
		}
		seen.claims[i] = *before
		if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
			return errors.Join(append(errs, &storageRefused{claim: claim.Name, err: err})...) // the others are of the same class
		}
		errs = append(errs, fmt.Errorf("grow volume claim %s: %w", claim.Name, err))
	}
	return errors.Join(errs...)
}

// growsTo tells whether a claim should ask for more. The API server lets only
// those grow that are bound.
func growsTo(claim *corev1.PersistentVolumeClaim, size resource.Quantity) bool {
	asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	return claim.Status.Phase == corev1.ClaimBound && claim.DeletionTimestamp == nil && asked.Cmp(size) < 0
}

// claimed returns the size of the largest claim, or nil while there is none.
func claimed(seen *observation) *resource.Quantity {
	var largest *resource.Quantity
	for _, claim := range seen.claims {
		asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]
		if largest == nil || largest.Cmp(asked) < 0 {
			largest = &asked
		}
	}
	return largest
}
