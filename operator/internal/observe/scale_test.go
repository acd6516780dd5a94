package observe

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// informers have a network's objects, as those of an operator do.
type informers struct {
	client.Reader
	set    *appsv1.StatefulSet
	pods   []corev1.Pod
	claims []corev1.PersistentVolumeClaim
}

func (i *informers) Get(_ context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	i.set.DeepCopyInto(object.(*appsv1.StatefulSet))
	return nil
}

func (i *informers) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	switch list := list.(type) {
	case *corev1.PodList:
		list.Items = i.pods
	case *corev1.PersistentVolumeClaimList:
		list.Items = i.claims
	}
	return nil
}

// answering are nodes that answer as one function does.
type answering struct {
	Nodes
	check func(bitcoind.Endpoint) (bitcoind.State, error)
}

func (a answering) Check(_ context.Context, endpoint bitcoind.Endpoint) (bitcoind.State, error) {
	return a.check(endpoint)
}

func (a answering) Tip(context.Context, string) (bitcoind.Tip, error) {
	return bitcoind.Tip{}, bitcoind.ErrBusy
}

// A look takes time in proportion to the nodes, whatever they answer, and so does what
// is remembered from one look to the next.
func TestLookGrowsWithTheNodes(t *testing.T) {
	for _, test := range []struct {
		reason string
		check  func(bitcoind.Endpoint) (bitcoind.State, error)
	}{
		{"all answer", func(endpoint bitcoind.Endpoint) (bitcoind.State, error) {
			var ordinal int
			_, err := fmt.Sscanf(endpoint.Address, "10.0.0.%d:", &ordinal)
			var answer bitcoind.State
			answer.Network.SubVersion = fmt.Sprintf("/Satoshi:29.4.0(team-a.payments.%d)/", ordinal)
			return answer, err
		}},
		{"all reject the credentials", func(bitcoind.Endpoint) (bitcoind.State, error) {
			return bitcoind.State{}, bitcoind.ErrUnauthorized
		}},
		{"none answers", func(bitcoind.Endpoint) (bitcoind.State, error) { return bitcoind.State{}, bitcoind.ErrBusy }},
	} {
		t.Run(test.reason, func(t *testing.T) {
			statetest.Linear(t, maxNodes/10, func(nodes int) func() {
				network := statetest.Network(int32(nodes), func(network *v1alpha1.BitcoinNetwork) {
					network.Spec.Secret, network.Spec.Storage = "", &v1alpha1.Storage{}
				})
				live := &informers{set: &appsv1.StatefulSet{
					ObjectMeta: metav1.ObjectMeta{Name: "payments", UID: "set", OwnerReferences: ownedBy(network)},
					Spec:       appsv1.StatefulSetSpec{Replicas: new(int32(nodes))},
				}}
				for ordinal := range nodes {
					pod := statetest.Pod(ordinal)
					pod.OwnerReferences = ownedBy(live.set)
					live.pods = append(live.pods, *pod)
					name := resources.ClaimName(network, ordinal)
					live.claims = append(live.claims, corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}})
				}
				clock := newClock()
				observer := &Observer{Client: live, API: live, Credentials: credentials.Reader{API: live}, AllowedChains: bitcoind.ChainNames(), Clock: clock}
				return func() {
					clock.Step(time.Minute)
					observer.AskAll(client.ObjectKeyFromObject(network))
					if _, err := observer.Observe(t.Context(), network, answering{check: test.check}); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

// What a look costs beside the requests: at all nodes, and when nothing has happened to
// them. BenchmarkCheck tells what a request costs.
func BenchmarkLook(b *testing.B) {
	network := statetest.Network(maxNodes, func(network *v1alpha1.BitcoinNetwork) { network.Spec.Secret = "" })
	live := &informers{set: &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "payments", UID: "set", OwnerReferences: ownedBy(network)},
		Spec:       appsv1.StatefulSetSpec{Replicas: new(int32(maxNodes))},
	}}
	for ordinal := range maxNodes {
		pod := statetest.Pod(ordinal)
		pod.OwnerReferences = ownedBy(live.set)
		live.pods = append(live.pods, *pod)
	}
	nodes := answering{check: func(endpoint bitcoind.Endpoint) (answer bitcoind.State, _ error) {
		answer.Network.SubVersion = "/Satoshi:29.4.0(" + endpoint.Comment + ")/"
		return answer, nil
	}}
	for name, all := range map[string]bool{"all": true, "event": false} {
		b.Run(name, func(b *testing.B) {
			observer := &Observer{Client: live, API: live, Credentials: credentials.Reader{API: live}, AllowedChains: bitcoind.ChainNames(), Clock: newClock()}
			b.ReportAllocs()
			for b.Loop() {
				if all {
					observer.LookAtAll(client.ObjectKeyFromObject(network))
				}
				if _, err := observer.Observe(b.Context(), network, nodes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
