package fleet

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The kinds of objects that say how a fleet stands.
var (
	GitRepository  = schema.GroupVersionKind{Group: "source.toolkit.fluxcd.io", Version: "v1", Kind: "GitRepository"}
	Kustomization  = schema.GroupVersionKind{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: "Kustomization"}
	SealedSecret   = schema.GroupVersionKind{Group: "bitnami.com", Version: "v1alpha1", Kind: "SealedSecret"}
	Deployment     = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	BitcoinNetwork = schema.GroupVersionKind{Group: "bitcoin-operator.github.io", Version: "v1alpha1", Kind: "BitcoinNetwork"}
)

// An Object names an object of the cluster.
type Object struct {
	Kind            schema.GroupVersionKind
	Namespace, Name string
}

func (o Object) String() string {
	return fmt.Sprintf("%s %s/%s", o.Kind.Kind, o.Namespace, o.Name)
}

func (o Object) unstructured() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(o.Kind)
	u.SetNamespace(o.Namespace)
	u.SetName(o.Name)
	return u
}

// A State is what an object says of itself in its status. All kinds above do so
// with conditions.
type State struct {
	Object     Object
	Generation int64
	status
}

type status struct {
	ObservedGeneration int64              `json:"observedGeneration"`
	Conditions         []metav1.Condition `json:"conditions"`
	// Flux's also say which revision they are at.
	Artifact              artifact `json:"artifact"`
	LastAttemptedRevision string   `json:"lastAttemptedRevision"`
	LastAppliedRevision   string   `json:"lastAppliedRevision"`
}

type artifact struct {
	Revision string `json:"revision"`
}

// State reads how an object stands. One that does not exist has no generation,
// and no conditions.
func (c *Cluster) State(ctx context.Context, object Object) (State, error) {
	u := object.unstructured()
	err := c.API.Get(ctx, client.ObjectKeyFromObject(u), u)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return State{Object: object}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("get %s: %w", object, err)
	}
	return stateOf(u)
}

// States reads how all objects of a kind stand, in one namespace or, without
// its name, in all.
func (c *Cluster) States(ctx context.Context, kind schema.GroupVersionKind, namespace string) ([]State, error) {
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(kind)
	err := c.API.List(ctx, &list, client.InNamespace(namespace))
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", kind.Kind, err)
	}
	var states []State
	for i := range list.Items {
		state, err := stateOf(&list.Items[i])
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

// Patch changes an object by a merge patch.
func (c *Cluster) Patch(ctx context.Context, object Object, patch any) error {
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	if err := c.API.Patch(ctx, object.unstructured(), client.RawPatch(types.MergePatchType, data)); err != nil {
		return fmt.Errorf("patch %s: %w", object, err)
	}
	return nil
}

func stateOf(u *unstructured.Unstructured) (State, error) {
	state := State{
		Object:     Object{u.GroupVersionKind(), u.GetNamespace(), u.GetName()},
		Generation: u.GetGeneration(),
	}
	if content, ok := u.Object["status"].(map[string]any); ok {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &state.status); err != nil {
			return State{}, fmt.Errorf("read the status of %s: %w", state.Object, err)
		}
	}
	return state, nil
}

// Is tells whether the object says that a condition is True, and speaks of what
// is wanted of it now.
func (s State) Is(condition string) bool {
	return s.ObservedGeneration == s.Generation && meta.IsStatusConditionTrue(s.Conditions, condition)
}

// Not tells whether the object says that a condition is False.
func (s State) Not(condition string) bool {
	return meta.IsStatusConditionFalse(s.Conditions, condition)
}

// Message is what the object says of a condition, for a person: of one that is
// Unknown, rather what it is doing now.
func (s State) Message(condition string) string {
	if s.Generation == 0 {
		return fmt.Sprintf("%s: not there yet", s.Object)
	}
	c := meta.FindStatusCondition(s.Conditions, condition)
	if doing := meta.FindStatusCondition(s.Conditions, "Reconciling"); doing != nil && (c == nil || c.Status == metav1.ConditionUnknown) {
		c = doing
	}
	if c == nil {
		return fmt.Sprintf("%s: says nothing yet", s.Object)
	}
	message := oneLine(c.Message)
	if message == "" {
		message = c.Reason
	}
	return fmt.Sprintf("%s: %s", s.Object, message)
}

// Says is so when an object says that a condition of it is True.
func (c *Cluster) Says(object Object, condition string) Condition {
	return func(ctx context.Context) (bool, string, error) {
		state, err := c.State(ctx, object)
		if err != nil {
			return false, "", err
		}
		return state.Is(condition), state.Message(condition), nil
	}
}
