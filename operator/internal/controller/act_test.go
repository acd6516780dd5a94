package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Between what was seen and the act, others can delete pods.
func TestKeeperIsStillThere(t *testing.T) {
	pod := func(changes ...func(*corev1.Pod)) *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "payments-1", UID: "as-seen"}}
		for _, change := range changes {
			change(pod)
		}
		return pod
	}
	for _, test := range []struct {
		reason string
		keeper *int
		live   []client.Object
		want   bool
	}{
		{"as it was seen", new(1), []client.Object{pod()}, true},
		{"gone", new(1), nil, false},
		{"on its way out", new(1), []client.Object{pod(func(pod *corev1.Pod) {
			pod.DeletionTimestamp, pod.Finalizers = new(metav1.Now()), []string{"test/held"}
		})}, false},
		{"made again, with nothing", new(1), []client.Object{pod(func(pod *corev1.Pod) { pod.UID = "successor" })}, false},
		{"nothing is at stake", nil, nil, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			api := fake.NewClientBuilder().WithObjects(test.live...).
				WithIndex(&corev1.Pod{}, metav1.ObjectNameField, func(pod client.Object) []string { return []string{pod.GetName()} }).Build()
			p := &pass{Reconciler: &Reconciler{API: api}, seen: &state.Network{Nodes: []state.Node{{}, {Pod: pod()}}}}
			got, err := p.isStillThere(t.Context(), test.keeper)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
