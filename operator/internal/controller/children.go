package controller

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/observe"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// fieldOwner is the operator's name in the managed fields of what it applies.
const fieldOwner = "bitcoin-operator"

// fingerprint sums up what is wanted of an object, and what is live. As long as
// neither has changed since an object was applied there is nothing to apply.
type fingerprint struct {
	wanted, live [sha256.Size]byte
}

// applyChildren makes the objects of a network what they should be, and reports
// whether the StatefulSet is new. From then on what is seen of the network has the
// StatefulSet as it was applied.
func (p *pass) applyChildren(ctx context.Context, shape plan.Shape) (created bool, err error) {
	children, err := resources.Children(p.network, p.Platform, p.seen.Chain, shape.Size.Pods, shape.Drain.Budget, p.seen.StatefulSet)
	if err != nil {
		return false, err
	}
	found, err := p.find(ctx, children)
	if err != nil {
		return false, err
	}
	for _, child := range found {
		isNew, err := p.applyChild(ctx, child)
		if err != nil {
			return false, err
		}
		if set, isSet := child.live.(*appsv1.StatefulSet); isSet {
			p.seen.StatefulSet, created = set, isNew
		}
	}
	return created, nil
}

// child is an object that a network wants to exist, and what there is of it.
type child struct {
	wanted, live client.Object
	exists       bool
}

// nameOf says "Service payments".
func nameOf(object client.Object) string {
	return object.GetObjectKind().GroupVersionKind().Kind + " " + object.GetName()
}

// find finds out what there is of the objects that a network wants to exist. All that
// are someone else's are told of at once, and none is touched.
func (p *pass) find(ctx context.Context, wanted []client.Object) ([]child, error) {
	var found []child
	var foreign []client.Object
	for _, object := range wanted {
		child, err := p.findChild(ctx, object)
		if err != nil {
			return nil, err
		}
		found = append(found, child)
		owner := metav1.GetControllerOf(child.live)
		switch {
		case !child.exists, metav1.IsControlledBy(child.live, p.network), resources.IsOrphan(p.network, p.seen.Chain, child.live):
		case owner != nil && owner.Kind == "BitcoinNetwork" && owner.Name == p.network.Name:
			return nil, &leftoverError{object}
		default:
			foreign = append(foreign, object)
		}
	}
	if len(foreign) > 0 {
		return nil, &conflictError{foreign}
	}
	return found, nil
}

// findChild finds out what there is of one object.
func (p *pass) findChild(ctx context.Context, wanted client.Object) (child, error) {
	// Not to block the network's deletion spares the operator a right that some
	// platforms ask for that.
	if err := controllerutil.SetControllerReference(p.network, wanted, p.Client.Scheme(), controllerutil.WithBlockOwnerDeletion(false)); err != nil {
		return child{}, fmt.Errorf("own %s: %w", nameOf(wanted), err)
	}
	empty, err := p.Client.Scheme().New(wanted.GetObjectKind().GroupVersionKind())
	if err != nil {
		return child{}, fmt.Errorf("make %s: %w", nameOf(wanted), err)
	}
	live := empty.(client.Object)
	exists, err := observe.Read(ctx, p.Client, p.API, client.ObjectKeyFromObject(wanted), live)
	if err != nil {
		return child{}, fmt.Errorf("read %s: %w", nameOf(wanted), err)
	}
	return child{wanted: wanted, live: live, exists: exists}, nil
}

// applyChild makes one object what it should be, and reports whether it is new.
func (p *pass) applyChild(ctx context.Context, child child) (created bool, err error) {
	key := nameOf(child.wanted)
	if child.exists {
		found, err := fingerprintOf(child.wanted, child.live)
		if err != nil {
			return false, err
		}
		if found == p.cache.applied[key] {
			return false, nil
		}
	}
	if _, isSet := child.wanted.(*appsv1.StatefulSet); isSet && !child.exists && len(p.seen.Former) > 0 {
		return false, &formerError{names: p.seen.Former}
	}
	if err := p.mustBeThere(ctx); err != nil {
		return false, err
	}
	if err := p.apply(ctx, child.wanted, child.live); err != nil {
		return false, applyError(child.wanted, err)
	}
	p.cache.applied[key], err = fingerprintOf(child.wanted, child.live)
	return !child.exists, err
}

// mustBeThere fails when the network has been deleted, by the API server's own word, of
// which a pass asks once, before it applies the first object: one that is made now would
// be collected, but not before its pods had the names, and the claims, of the next
// network's.
func (p *pass) mustBeThere(ctx context.Context) error {
	if p.isThere {
		return nil
	}
	var networks v1alpha1.BitcoinNetworkList
	if err := p.API.List(ctx, &networks, client.InNamespace(p.network.Namespace), client.MatchingFields{metav1.ObjectNameField: p.network.Name}); err != nil {
		return fmt.Errorf("look for BitcoinNetwork %s: %w", p.network.Name, err)
	}
	p.isThere = slices.ContainsFunc(networks.Items, func(found v1alpha1.BitcoinNetwork) bool {
		return found.UID == p.network.UID && found.DeletionTimestamp.IsZero()
	})
	if !p.isThere {
		return errNetworkGone
	}
	return nil
}

// apply applies an object server-side and reads the result into live. Fields
// that the operator does not own are left alone.
func (r *Reconciler) apply(ctx context.Context, object, live client.Object) error {
	content, err := contentOf(object)
	if err != nil {
		return err
	}
	applied := &unstructured.Unstructured{Object: content}
	if err := r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner(fieldOwner), client.ForceOwnership); err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(applied.Object, live)
}

func fingerprintOf(wanted, live client.Object) (fingerprint, error) {
	var of fingerprint
	var err error
	if of.wanted, err = hash(wanted); err != nil {
		return of, err
	}
	of.live, err = hash(live)
	return of, err
}

func hash(object client.Object) ([sha256.Size]byte, error) {
	content, err := contentOf(object)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	withoutKind(content)
	templates, _, _ := unstructured.NestedFieldNoCopy(content, "spec", "volumeClaimTemplates")
	claims, _ := templates.([]any)
	for _, claim := range claims {
		withoutKind(claim.(map[string]any))
	}
	text, err := json.Marshal(content)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("encode %s: %w", object.GetName(), err)
	}
	return sha256.Sum256(text), nil
}

// withoutKind drops what is filled in or not depending on where an object was read.
func withoutKind(content map[string]any) {
	delete(content, "apiVersion")
	delete(content, "kind")
}

// contentOf returns the part of an object that somebody wants to be so, less what
// the API server and others write about it.
func contentOf(object client.Object) (map[string]any, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("convert %s: %w", object.GetName(), err)
	}
	delete(content, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"} {
		unstructured.RemoveNestedField(content, "metadata", field)
	}
	return content, nil
}
