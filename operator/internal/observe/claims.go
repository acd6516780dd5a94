package observe

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// observeClaims finds the volume claims of the network's nodes, and the quotas under
// which they are to grow.
func (o *Observer) observeClaims(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *state.Network) error {
	if network.Spec.Storage == nil {
		return nil
	}
	if err := o.listClaims(ctx, o.Client, network, seen); err != nil {
		return err
	}
	for _, node := range seen.Nodes {
		if seen.StatefulSet == nil && node.Claim != nil && state.OfEarlierLife(node.Claim, seen.Now) {
			seen.Former = append(seen.Former, node.Claim.Name)
		}
	}
	if seen.HandsOff(network) || !grows(network, seen) {
		return nil
	}
	var err error
	if seen.Quotas, err = o.Quotas(ctx, network.Namespace); err != nil {
		return err
	}
	// Growth that the quotas count already, and the cache has not heard of yet, would
	// count twice.
	return o.listClaims(ctx, o.API, network, seen)
}

// listClaims finds the volume claims of the network's nodes, and whether there are
// others.
func (o *Observer) listClaims(ctx context.Context, from client.Reader, network *v1alpha1.BitcoinNetwork, seen *state.Network) error {
	var claims corev1.PersistentVolumeClaimList
	if err := from.List(ctx, &claims, client.InNamespace(network.Namespace), client.MatchingLabels(resources.Selector(network))); err != nil {
		return fmt.Errorf("list the volume claims of %s: %w", network.Name, err)
	}
	byName := make(map[string]*corev1.PersistentVolumeClaim, len(claims.Items))
	for i := range claims.Items {
		byName[claims.Items[i].Name] = &claims.Items[i]
	}
	for ordinal := range seen.Nodes {
		node, name := &seen.Nodes[ordinal], resources.ClaimName(network, ordinal)
		node.Claim, node.Data = byName[name], ""
		if node.Claim != nil {
			node.Data = node.Claim.UID
		}
		delete(byName, name)
	}
	seen.SpareData = len(byName) > 0
	return nil
}

// grows reports whether a volume claim should ask for more.
func grows(network *v1alpha1.BitcoinNetwork, seen *state.Network) bool {
	return slices.ContainsFunc(seen.WantedNodes(), func(node state.Node) bool {
		return node.Claim != nil && state.AsksForLess(node.Claim, network.Spec.Storage.Size)
	})
}

// Quotas returns the quotas of a namespace. None are in sight for an operator that may
// not look.
func (o *Observer) Quotas(ctx context.Context, namespace string) ([]corev1.ResourceQuota, error) {
	var quotas corev1.ResourceQuotaList
	if err := o.API.List(ctx, &quotas, client.InNamespace(namespace)); err != nil && !apierrors.IsForbidden(err) {
		return nil, fmt.Errorf("list the quotas of namespace %s: %w", namespace, err)
	}
	return quotas.Items, nil
}
