package controller

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/status"
)

// resize has volume claims ask for what they should. Where one may not grow, those
// after it are left as they are: they are of the same class, and under the same quotas.
func (p *pass) resize(ctx context.Context, todo plan.Plan, outcome *status.Outcome) error {
	outcome.Short = todo.Short
	var errs []error
	for _, resize := range todo.Resize {
		claim := p.seen.Nodes[resize.Node].Claim
		asked := state.Asked(claim)
		grows := resize.To.Cmp(asked) > 0
		if grows && outcome.NotGrown != nil {
			continue
		}
		resized, err := p.resizeClaim(ctx, claim, resize.To)
		switch refusal := (&status.ResizeRefusal{Claim: claim.Name, To: resize.To, Err: err}); {
		case err == nil:
			p.seen.Nodes[resize.Node].Claim = resized
		case !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err):
			errs = append(errs, fmt.Errorf("resize volume claim %s: %w", claim.Name, err))
		case grows:
			outcome.NotGrown = refusal
			outcome.Short, err = p.shortNow(ctx)
			errs = append(errs, err)
		default:
			outcome.NotLowered = refusal
		}
	}
	return errors.Join(errs...)
}

// resizeClaim has a volume claim ask for another size, and returns it as it is then.
func (p *pass) resizeClaim(ctx context.Context, before *corev1.PersistentVolumeClaim, size resource.Quantity) (*corev1.PersistentVolumeClaim, error) {
	claim := before.DeepCopy()
	claim.Spec.Resources.Requests[corev1.ResourceStorage] = size
	return claim, p.Client.Patch(ctx, claim, client.MergeFrom(before), client.FieldOwner(fieldOwner))
}

// shortNow tells whether the API server refuses a claim's growth for want of quota,
// which it answers just as a class that does not allow it: somebody may have taken
// what was left since the operator looked.
func (p *pass) shortNow(ctx context.Context) ([]plan.Shortage, error) {
	quotas, err := p.Observer.Quotas(ctx, p.network.Namespace)
	if err != nil {
		return nil, err
	}
	p.seen.Quotas = quotas
	return plan.Short(p.network, p.seen), nil
}
