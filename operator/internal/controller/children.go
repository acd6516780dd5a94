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

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// fieldOwner is the operator's name in the managed fields of what it applies.
const fieldOwner = "bitcoin-operator"

// conflict tells that an object which a network needs belongs to someone else.
type conflict struct {
	kind, name string
}

// Error implements error.
func (c *conflict) Error() string {
	return fmt.Sprintf("%s %q exists and is not this network's; delete or rename it, or give the network another name", c.kind, c.name)
}

// leftover tells that an object is that of a network of this name that has been
// deleted, and goes when Kubernetes has collected it.
type leftover struct {
	kind, name string
}

// Error implements error.
func (l *leftover) Error() string {
	return fmt.Sprintf("waiting for the %s %q of the deleted network of this name to go", l.kind, l.name)
}

// application sums up what is wanted of an object, and what is live. As long as
// neither has changed since an object was applied there is nothing to apply.
type application struct {
	wanted, live [sha256.Size]byte
}

// applyChildren makes the objects of a network what they should be, and tells
// whether the StatefulSet is new. It returns *conflict when one of them belongs
// to someone else.
func (r *Reconciler) applyChildren(ctx context.Context, network *v1alpha1.BitcoinNetwork, seen *observation, memory *memory) (created bool, err error) {
	children, err := resources.Children(network, r.Platform, seen.chain, len(seen.pairs), seen.statefulSet)
	if err != nil {
		return false, err
	}
	for _, child := range children {
		live, isNew, err := r.applyChild(ctx, network, child, memory)
		if err != nil {
			return false, err
		}
		if set, isSet := live.(*appsv1.StatefulSet); isSet {
			seen.statefulSet, created = set, isNew
		}
	}
	return created, nil
}

// applyChild makes one object what it should be. It returns the object as it is
// then, and whether it is new.
func (r *Reconciler) applyChild(ctx context.Context, network *v1alpha1.BitcoinNetwork, child client.Object, memory *memory) (live client.Object, created bool, err error) {
	gvk := child.GetObjectKind().GroupVersionKind()
	key := gvk.Kind + "/" + child.GetName()
	// Not to block the network's deletion spares the operator a right that some
	// platforms ask for that.
	if err := controllerutil.SetControllerReference(network, child, r.Client.Scheme(), controllerutil.WithBlockOwnerDeletion(false)); err != nil {
		return nil, false, fmt.Errorf("own %s %s: %w", gvk.Kind, child.GetName(), err)
	}
	empty, err := r.Client.Scheme().New(gvk)
	if err != nil {
		return nil, false, fmt.Errorf("make a %s: %w", gvk.Kind, err)
	}
	live = empty.(client.Object)
	exists, err := r.read(ctx, client.ObjectKeyFromObject(child), live)
	if err != nil {
		return nil, false, fmt.Errorf("read %s %s: %w", gvk.Kind, child.GetName(), err)
	}
	if exists && !metav1.IsControlledBy(live, network) {
		if owner := metav1.GetControllerOf(live); owner != nil && owner.Kind == "BitcoinNetwork" && owner.Name == network.Name {
			return nil, false, &leftover{kind: gvk.Kind, name: child.GetName()}
		}
		return nil, false, &conflict{kind: gvk.Kind, name: child.GetName()}
	}

	if exists {
		found, err := applicationOf(child, live)
		if err != nil {
			return nil, false, err
		}
		if found == memory.applied[key] {
			return live, false, nil
		}
	}
	if err := r.apply(ctx, child, live); err != nil {
		return nil, false, fmt.Errorf("apply %s %s: %w", gvk.Kind, child.GetName(), err)
	}
	memory.applied[key], err = applicationOf(child, live)
	return live, !exists, err
}

// read reads an object and tells whether it exists. The cache holds only what
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

func applicationOf(wanted, live client.Object) (application, error) {
	var of application
	var err error
	if of.wanted, err = sum(wanted); err != nil {
		return of, err
	}
	of.live, err = sum(live)
	return of, err
}

func sum(object client.Object) ([sha256.Size]byte, error) {
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
