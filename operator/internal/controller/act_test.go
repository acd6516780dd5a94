package controller

import (
	"context"
	"errors"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/observe"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
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

// miners are nodes that can do nothing but mine, and count it.
type miners struct {
	Nodes
	mined int
}

func (m *miners) Mine(context.Context, bitcoind.Endpoint, int, string) ([]string, error) {
	m.mined++
	return nil, nil
}

// A node must not go with a block that it alone has. Whatever keeps it from going keeps
// nobody from mining.
func TestMiningGoesOnWhereTheMinerStays(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	for _, test := range []struct {
		reason string
		evicts int   // the ordinal of the node that is to be replaced
		err    error // how the API server answers to that
		mines  bool
	}{
		{"a node goes", 1, nil, false},
		{"a disruption budget does not let it go", 1, apierrors.NewTooManyRequests("the budget", 0), true},
		{"nor the one that mines", 0, apierrors.NewTooManyRequests("the budget", 0), true},
		{"somebody else has replaced it", 1, apierrors.NewNotFound(pods, "payments-1"), true},
		{"two budgets have a say", 1, apierrors.NewInternalError(errors.New("more than one PodDisruptionBudget")), true},
		{"nobody knows whether the one that mines goes", 0, apierrors.NewInternalError(errors.New("no")), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network, nodes := statetest.Network(3), &miners{}
			api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(network).WithStatusSubresource(network).
				WithInterceptorFuncs(interceptor.Funcs{
					SubResourceCreate: func(context.Context, client.Client, string, client.Object, client.Object, ...client.SubResourceCreateOption) error {
						return test.err
					},
				}).Build()
			p := &pass{
				Reconciler: &Reconciler{
					Client: api, API: api, Observer: &observe.Observer{Clock: clocktesting.NewFakePassiveClock(statetest.Now)},
					Clock: clocktesting.NewFakePassiveClock(statetest.Now),
				},
				network: network, before: network.DeepCopy(), nodes: nodes, seen: statetest.Healthy(3), cache: &cache{applied: map[string]fingerprint{}},
			}
			outcome := p.act(t.Context(), plan.Plan{
				Mine:    &plan.Block{Node: 0},
				Rollout: rollout.Decision{Step: &rollout.Step{Ordinal: test.evicts, Action: v1alpha1.ReplaceAction}},
			})
			if mined := nodes.mined == 1; mined != test.mines || (outcome.Mined != nil) != test.mines {
				t.Errorf("mined %d, told %v, want %t", nodes.mined, outcome.Mined, test.mines)
			}
		})
	}
}

// What hangs does not heed that it is to end. Its pod is not forced away, though: its
// successor must not start while it may still run.
func TestStepsTakeTheTimeThatTheyMay(t *testing.T) {
	for _, test := range []struct {
		reason string
		atOnce bool
		want   *int64
	}{
		{"a node ends in the time that its pod has", false, nil},
		{"one that hangs, and has nothing to write, is ended", true, new(int64(1))},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := statetest.Network(3)
			var asked *policyv1.Eviction
			api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(network).WithStatusSubresource(network).
				WithInterceptorFuncs(interceptor.Funcs{
					SubResourceCreate: func(_ context.Context, _ client.Client, _ string, _, what client.Object, _ ...client.SubResourceCreateOption) error {
						asked = what.(*policyv1.Eviction)
						return nil
					},
				}).Build()
			p := &pass{
				Reconciler: &Reconciler{
					Client: api, API: api, Observer: &observe.Observer{Clock: clocktesting.NewFakePassiveClock(statetest.Now)},
					Clock: clocktesting.NewFakePassiveClock(statetest.Now),
				},
				network: network, before: network.DeepCopy(), seen: statetest.Healthy(3), cache: &cache{applied: map[string]fingerprint{}},
			}
			p.act(t.Context(), plan.Plan{Rollout: rollout.Decision{Step: &rollout.Step{Ordinal: 0, Action: v1alpha1.ReplaceAction, AtOnce: test.atOnce}}})
			if got := asked.DeleteOptions.GracePeriodSeconds; !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
