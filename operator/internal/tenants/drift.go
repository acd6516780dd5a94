package tenants

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fieldManager applies nothing but dry runs.
const fieldManager = "kubectl-btcnet"

// Drift says what of a team's objects in a cluster is not as the fleet repository would
// have it. It asks the API server by dry runs, and changes nothing.
func (f *Fleet) Drift(ctx context.Context, api client.Client, cluster, team string) ([]Finding, error) {
	wanted, err := f.objects(cluster, team)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, object := range wanted {
		what := object.GetKind() + " " + object.GetName()
		live := object.DeepCopy()
		err := api.Get(ctx, client.ObjectKeyFromObject(object), live)
		if apierrors.IsNotFound(err) {
			found = append(found, Finding{true, what + " is not in the cluster"})
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("get %s of %s: %w", what, team, err)
		}
		err = api.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.DryRunAll, client.ForceOwnership, client.FieldOwner(fieldManager))
		if err != nil {
			return nil, fmt.Errorf("apply %s of %s, as a dry run: %w", what, team, err)
		}
		if fields := differences("", content(live), content(object)); len(fields) > 0 {
			found = append(found, Finding{true, what + " in the cluster differs in " + strings.Join(fields, ", ")})
		}
	}
	return found, nil
}

// objects returns what a team is made of in a cluster, its namespace first.
func (f *Fleet) objects(cluster, team string) ([]*unstructured.Unstructured, error) {
	built, err := f.build(cluster)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	var failed error
	for _, resource := range built.Resources() {
		object := &unstructured.Unstructured{}
		manifest, err := resource.MarshalJSON()
		if err == nil {
			err = object.UnmarshalJSON(manifest)
		}
		failed = errors.Join(failed, err)
		if object.GetNamespace() == team || object.GetKind() == "Namespace" && object.GetName() == team {
			objects = append(objects, object)
		}
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
		return cmp.Compare(a.GetNamespace(), b.GetNamespace()) // which a namespace has none of
	})
	return objects, failed
}

// content is what an object says, without what the API server notes of it.
func content(object *unstructured.Unstructured) map[string]any {
	said := object.DeepCopy()
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"} {
		unstructured.RemoveNestedField(said.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(said.Object, "status")
	return said.Object
}

// differences are the paths of the fields that differ.
func differences(path string, a, b map[string]any) []string {
	var found []string
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		below := strings.TrimPrefix(path+"."+name, ".")
		inA, aIsMap := a[name].(map[string]any)
		inB, bIsMap := b[name].(map[string]any)
		switch {
		case aIsMap && bIsMap:
			found = append(found, differences(below, inA, inB)...)
		case !reflect.DeepEqual(a[name], b[name]):
			found = append(found, below)
		}
	}
	return found
}
