package explain

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// The kinds that are read without their Go types, which are other projects'.
var (
	GitRepositoryKind = schema.GroupVersionKind{Group: "source.toolkit.fluxcd.io", Version: "v1", Kind: "GitRepository"}
	KustomizationKind = schema.GroupVersionKind{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: "Kustomization"}
	SealedSecretKind  = schema.GroupVersionKind{Group: "bitnami.com", Version: "v1alpha1", Kind: "SealedSecret"}
)

// Namespace is what was read of a namespace.
type Namespace struct {
	Name string
	// Now is when.
	Now time.Time

	Networks     []v1alpha1.BitcoinNetwork
	Requests     []v1alpha1.BitcoinRequest
	StatefulSets []appsv1.StatefulSet
	Pods         []corev1.Pod
	Quotas       []corev1.ResourceQuota
	Events       []corev1.Event
	// Tenant is the ConfigMap that has what the platform says of the team.
	Tenant *corev1.ConfigMap

	Repositories   []unstructured.Unstructured
	Kustomizations []unstructured.Unstructured
	SealedSecrets  []unstructured.Unstructured

	// Unread says of kinds why they were not read.
	Unread map[string]string
}

// conditionOf returns a condition of an object, or nil.
func conditionOf(object unstructured.Unstructured, name string) *metav1.Condition {
	items, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	if err != nil {
		return nil
	}
	for _, item := range items {
		fields, isCondition := item.(map[string]any)
		if !isCondition || fields["type"] != name {
			continue
		}
		condition := &metav1.Condition{}
		if runtime.DefaultUnstructuredConverter.FromUnstructured(fields, condition) == nil {
			return condition
		}
	}
	return nil
}

// text returns a field of an object; empty where there is none.
func text(object unstructured.Unstructured, path ...string) string {
	value, _, _ := unstructured.NestedString(object.Object, path...)
	return value
}

// isSuspended reports whether an object of Flux's is let be.
func isSuspended(object unstructured.Unstructured) bool {
	suspended, _, _ := unstructured.NestedBool(object.Object, "spec", "suspend")
	return suspended
}

// named returns the object of that name, or nil.
func named(objects []unstructured.Unstructured, name string) *unstructured.Unstructured {
	for i := range objects {
		if objects[i].GetName() == name {
			return &objects[i]
		}
	}
	return nil
}
