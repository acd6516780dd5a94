package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// setOf returns the StatefulSet that a network wants.
func setOf(network *v1alpha1.BitcoinNetwork, platform resources.Platform) *appsv1.StatefulSet {
	children := childrenOf(network, platform)
	return children[len(children)-1].(*appsv1.StatefulSet)
}

func childrenOf(network *v1alpha1.BitcoinNetwork, platform resources.Platform) []client.Object {
	children, err := resources.Children(network, platform, statetest.Regtest, int(network.Spec.Nodes), resources.Budget{MaxUnavailable: 1, AlwaysAllow: true}, nil)
	if err != nil {
		panic(err)
	}
	return children
}

// liveSet returns a network's StatefulSet as it comes from the API server.
func liveSet(changes ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	set := setOf(statetest.Network(3), platform)
	set.UID, set.ResourceVersion, set.Generation, set.CreationTimestamp = "uid", "10", 1, metav1.Now()
	set.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: fieldOwner, Operation: metav1.ManagedFieldsOperationApply}}
	for _, change := range changes {
		change(set)
	}
	return set
}

// An object is applied again when what is wanted of it, or what it is, has
// changed, and not for what others write about it.
func TestFingerprintTellsWhetherToApplyAgain(t *testing.T) {
	wanted := func() client.Object { return setOf(statetest.Network(3), platform) }
	applied, err := fingerprintOf(wanted(), liveSet())
	if err != nil {
		t.Fatal(err)
	}
	other := platform
	other.DefaultImage = "bitcoind:next"

	for _, test := range []struct {
		reason       string
		wanted, live client.Object
		again        bool
	}{
		{"nothing has changed", wanted(), liveSet(), false},
		{"another number of nodes is wanted", setOf(statetest.Network(4), platform), liveSet(), true},
		{"another image is wanted", setOf(statetest.Network(3), other), liveSet(), true},
		{"its status has changed", wanted(), liveSet(func(set *appsv1.StatefulSet) { set.Status.ReadyReplicas = 2 }), false},
		{"and its version with that", wanted(), liveSet(func(set *appsv1.StatefulSet) { set.ResourceVersion = "11" }), false},
		{"who wrote which field is stripped from the cache", wanted(), liveSet(func(set *appsv1.StatefulSet) { set.ManagedFields = nil }), false},
		{"the cache fills in the kind, the API server does not", wanted(), liveSet(func(set *appsv1.StatefulSet) { set.TypeMeta = metav1.TypeMeta{} }), false},
		{"somebody changed its spec", wanted(), liveSet(func(set *appsv1.StatefulSet) { set.Spec.Replicas = new(int32(7)) }), true},
		{"somebody changed a label", wanted(), liveSet(func(set *appsv1.StatefulSet) { delete(set.Labels, resources.NetworkLabel) }), true},
		{"somebody took its owner away", wanted(), liveSet(func(set *appsv1.StatefulSet) {
			set.OwnerReferences = []metav1.OwnerReference{{Name: "somebody"}}
		}), true},
		{"somebody deletes it, and waits", wanted(), liveSet(func(set *appsv1.StatefulSet) { set.DeletionTimestamp = new(metav1.Now()) }), true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			now, err := fingerprintOf(test.wanted, test.live)
			if err != nil {
				t.Fatal(err)
			}
			if again := now != applied; again != test.again {
				t.Errorf("to apply again: %t, want %t", again, test.again)
			}
		})
	}
}

// What is sent to be applied holds what the operator wants and nothing else: each
// field in it is taken over from whoever had it.
func TestContentIsWhatIsWanted(t *testing.T) {
	service := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{
			Name: "payments", Namespace: "team-a", Labels: map[string]string{"a": "b"},
			UID: "uid", ResourceVersion: "10", Generation: 3, CreationTimestamp: metav1.Now(),
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "somebody"}},
		},
		Spec:   corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone},
		Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}}},
	}
	before := service.DeepCopy()
	got, err := contentOf(service)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"apiVersion": "v1",
		"kind":       "Service",
		"metadata":   map[string]any{"name": "payments", "namespace": "team-a", "labels": map[string]any{"a": "b"}},
		"spec":       map[string]any{"clusterIP": "None"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, service); diff != "" {
		t.Errorf("the object itself was changed:\n%s", diff)
	}
}

// A field without a value would be applied as one, and taken over.
func TestChildrenApplyNoEmptyFields(t *testing.T) {
	network := statetest.Network(3)
	for _, child := range childrenOf(network, platform) {
		content, err := contentOf(child)
		if err != nil {
			t.Fatal(err)
		}
		kind := child.GetObjectKind().GroupVersionKind()
		if (kind == schema.GroupVersionKind{}) {
			t.Errorf("%T says no kind, so it cannot be applied", child)
		}
		for _, path := range emptyFields(content, kind.Kind) {
			t.Errorf("%s is empty", path)
		}
	}
}

// emptyFields returns the paths below a value at which there is nothing. An
// emptyDir is nothing by design.
func emptyFields(value any, path string) []string {
	var found []string
	switch value := value.(type) {
	case nil:
		return []string{path}
	case map[string]any:
		for key, field := range value {
			if key != "emptyDir" {
				found = append(found, emptyFields(field, path+"."+key)...)
			}
		}
		if len(value) == 0 {
			return []string{path}
		}
	case []any:
		for _, item := range value {
			found = append(found, emptyFields(item, path+"[]")...)
		}
	}
	return found
}
