package controller

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

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
	for _, child := range children {
		live, isNew, err := p.applyChild(ctx, child)
		if err != nil {
			return false, err
		}
		if set, isSet := live.(*appsv1.StatefulSet); isSet {
			p.seen.StatefulSet, created = set, isNew
		}
	}
	return created, nil
}

// applyChild makes one object what it should be. It returns the object as it is
// then, and whether it is new.
func (p *pass) applyChild(ctx context.Context, child client.Object) (live client.Object, created bool, err error) {
	gvk := child.GetObjectKind().GroupVersionKind()
	key := gvk.Kind + "/" + child.GetName()
	// Not to block the network's deletion spares the operator a right that some
	// platforms ask for that.
	if err := controllerutil.SetControllerReference(p.network, child, p.Client.Scheme(), controllerutil.WithBlockOwnerDeletion(false)); err != nil {
		return nil, false, fmt.Errorf("own %s %s: %w", gvk.Kind, child.GetName(), err)
	}
	empty, err := p.Client.Scheme().New(gvk)
	if err != nil {
		return nil, false, fmt.Errorf("make a %s: %w", gvk.Kind, err)
	}
	live = empty.(client.Object)
	exists, err := p.read(ctx, client.ObjectKeyFromObject(child), live)
	if err != nil {
		return nil, false, fmt.Errorf("read %s %s: %w", gvk.Kind, child.GetName(), err)
	}
	if exists && !metav1.IsControlledBy(live, p.network) {
		if owner := metav1.GetControllerOf(live); owner != nil && owner.Kind == "BitcoinNetwork" && owner.Name == p.network.Name {
			return nil, false, &leftoverError{kind: gvk.Kind, name: child.GetName()}
		}
		return nil, false, &conflictError{kind: gvk.Kind, name: child.GetName()}
	}

	if exists {
		found, err := fingerprintOf(child, live)
		if err != nil {
			return nil, false, err
		}
		if found == p.cache.applied[key] {
			return live, false, nil
		}
	}
	if err := p.apply(ctx, child, live); err != nil {
		return nil, false, fmt.Errorf("apply %s %s: %w", gvk.Kind, child.GetName(), err)
	}
	p.cache.applied[key], err = fingerprintOf(child, live)
	return live, !exists, err
}

// read reads an object and reports whether it exists. The cache holds only what
// carries the operator's label, so what it lacks the API server is asked for: it
// may be there and belong to someone else.
func (r *Reconciler) read(ctx context.Context, key client.ObjectKey, object client.Object) (bool, error) {
	err := r.Client.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		err = r.API.Get(ctx, key, object)
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
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
