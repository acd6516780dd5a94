package controller

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// setSecret gives the Secret these pairs: the present one, and the previous one if
// there are two.
func (w *world) setSecret(pairs ...bitcoind.Credentials) {
	w.kubelet.aSecondLater()
	secret := &corev1.Secret{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: secretName}, secret)).To(Succeed())
	secret.Data = map[string][]byte{}
	for i, keys := range [][2]string{
		{bitcoind.UserKey, bitcoind.PasswordKey}, {bitcoind.PreviousUserKey, bitcoind.PreviousPasswordKey},
	} {
		if i < len(pairs) {
			secret.Data[keys[0]], secret.Data[keys[1]] = []byte(pairs[i].User()), []byte(pairs[i].Password())
		}
	}
	w.Expect(w.api.Update(w.ctx, secret)).To(Succeed())
}

// networkWithAChain makes a network of three nodes that are at height 1.
func (w *world) networkWithAChain() *v1alpha1.BitcoinNetwork { return w.networkWithAChainOf(3) }

func (w *world) networkWithAChainOf(nodes int32) *v1alpha1.BitcoinNetwork {
	network := w.becomesReady(w.network("payments", nodes))
	w.nodes.MineAt(w.kubelet.address("payments-0"))
	// A change of nothing but the height would be written a minute later.
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Interval = &metav1.Duration{Duration: time.Minute} })
	w.Eventually(func() int64 { return *w.status(network).Status.Height }).Should(BeEquivalentTo(1))
	return w.becomesReady(network)
}

func (w *world) heights() []int32 { return w.heightsOf(3) }

func (w *world) heightsOf(nodes int32) []int32 {
	var heights []int32
	for ordinal := range nodes {
		heights = append(heights, w.nodes.State(w.kubelet.address(fmt.Sprintf("payments-%d", ordinal))).Chain.Blocks)
	}
	return heights
}

func (w *world) becomes(network *v1alpha1.BitcoinNetwork, condition, reason string) {
	w.Eventually(func() string { return conditions.GetReason(w.status(network), condition) }, 4*soon).Should(Equal(reason))
}

// restarts returns how often the pods' containers have been started again.
func (w *world) restarts() map[string]int32 {
	var pods corev1.PodList
	w.Expect(w.api.List(w.ctx, &pods, client.InNamespace(w.namespace))).To(Succeed())
	restarts := map[string]int32{}
	for _, pod := range pods.Items {
		if container := state.Container(&pod); container != nil {
			restarts[pod.Name] = container.RestartCount
		}
	}
	return restarts
}

// allReplaced reports whether every pod is another than before.
func (w *world) allReplaced(before map[string]string) func() bool {
	return func() bool {
		now := w.uids()
		for name, uid := range before {
			if now[name] == uid || now[name] == "" {
				return false
			}
		}
		return true
	}
}

// accepts reports whether every node accepts a pair.
func (w *world) accepts(nodes int32, pair bitcoind.Credentials) bool {
	for ordinal := range nodes {
		endpoint := bitcoind.Endpoint{Address: w.kubelet.address(fmt.Sprintf("payments-%d", ordinal)), Credentials: pair}
		if _, err := w.nodes.Check(w.ctx, endpoint); err != nil {
			return false
		}
	}
	return true
}

// acceptsOnly reports whether every node accepts a pair, and none the other.
func (w *world) acceptsOnly(nodes int32, pair, other bitcoind.Credentials) bool {
	for ordinal := range nodes {
		endpoint := bitcoind.Endpoint{Address: w.kubelet.address(fmt.Sprintf("payments-%d", ordinal)), Credentials: other}
		if _, err := w.nodes.Check(w.ctx, endpoint); !errors.Is(err, bitcoind.ErrUnauthorized) {
			return false
		}
	}
	return w.accepts(nodes, pair)
}

// The way for clients that cannot miss a call.
func TestPasswordChangesWithoutAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.networkWithAChain()
	before := w.uids()

	w.setSecret(bob, alice)
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.RotatedReason)
	w.becomesReady(network)
	w.Expect(w.accepts(3, alice)).To(BeTrue(), "now clients can change over, one after the other")
	w.Expect(w.accepts(3, bob)).To(BeTrue())
	w.Expect(w.restarts()).To(Equal(map[string]int32{"payments-0": 1, "payments-1": 1, "payments-2": 1}), "a container reads the Secret when it starts")

	w.setSecret(bob)
	w.Eventually(w.restarts, 4*soon).Should(Equal(map[string]int32{"payments-0": 2, "payments-1": 2, "payments-2": 2}), "the previous pair must not be accepted for ever")
	w.becomesReady(network)
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.SecretReadReason)
	w.Expect(w.acceptsOnly(3, bob, alice)).To(BeTrue())
	w.Expect(w.uids()).To(Equal(before), "a pod was replaced for a Secret that changed")
	w.Expect(w.heights()).To(Equal([]int32{1, 1, 1}), "the chain was lost on the way")
}

// A password that leaked is changed at once, whoever still uses it.
func TestPasswordChangesAtOnce(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int32{1, 2, 3} {
		t.Run(fmt.Sprintf("the operator sees it happen, and restarts %d nodes in place", nodes), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.secret()
			network := w.networkWithAChainOf(nodes)
			before := w.uids()
			w.setSecret(bob)
			w.Eventually(func() bool { return w.acceptsOnly(nodes, bob, alice) }, 6*soon).Should(BeTrue())
			w.becomesReady(network)
			w.Expect(w.uids()).To(Equal(before), "a pod was replaced for a Secret that changed")
			w.Expect(w.heightsOf(nodes)).To(HaveEach(int32(1)), "the chain was lost on the way")
		})
		t.Run(fmt.Sprintf("the operator was away, and none of %d nodes answers it: they are replaced", nodes), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.secret()
			network := w.networkWithAChainOf(nodes)
			before := w.uids()
			w.stopOperator()
			w.setSecret(bob)
			w.startOperator()
			w.Eventually(w.allReplaced(before), 6*soon).Should(BeTrue())
			w.becomesReady(network)
			w.Expect(w.acceptsOnly(nodes, bob, alice)).To(BeTrue())
			w.Expect(w.heightsOf(nodes)).To(HaveEach(int32(1)), "the chain was lost on the way")
			w.Expect(w.uids()).To(HaveLen(int(nodes)), "a node that has copied the chain goes again")
		})
	}
}

func TestSecretThatIsWrittenAnewWithTheSameKeysReplacesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.secret()
	network := w.becomesReady(w.network("payments", 2))
	before, checks := w.uids(), w.nodes.Checks(w.kubelet.address("payments-0"))

	secret.Labels = map[string]string{"sealed": "again"}
	secret.Data["another"] = []byte("key")
	w.Expect(w.api.Update(w.ctx, secret)).To(Succeed())
	w.Eventually(func() int { return w.nodes.Checks(w.kubelet.address("payments-0")) }).Should(BeNumerically(">", checks))
	w.becomesReady(network)
	w.Expect(w.uids()).To(Equal(before))
}

// An operator that ends half way through leaves nothing that the next cannot go on
// with.
func TestOperatorThatIsKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.networkWithAChain()
	before := w.uids()
	w.setSecret(bob, alice)
	w.Eventually(func() int32 { return w.restarts()["payments-0"] }).Should(BeEquivalentTo(1))
	w.stopOperator()
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = []v1alpha1.ConfigLine{"txindex=1"} })
	w.startOperator()

	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.RotatedReason)
	w.Eventually(w.allReplaced(before), 4*soon).Should(BeTrue())
	w.becomesReady(network)
	w.Expect(w.heights()).To(Equal([]int32{1, 1, 1}), "the chain was lost on the way")
}

// Where nobody was there when the previous pair was taken out of the Secret, nobody knows
// what it was: every node is started once more, also by an operator that comes back at
// once, when the kubelet still may give out its old copy.
func TestPreviousPairGoesWhileTheOperatorIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.networkWithAChain()
	w.setSecret(bob, alice)
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.RotatedReason)
	before, restarts := w.uids(), w.restarts()

	w.stopOperator()
	w.kubelet.aSecondLater()
	w.setSecret(bob)
	w.startOperator()
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.RotatingReason)
	w.Eventually(func() bool { return w.acceptsOnly(3, bob, alice) }, 6*soon).Should(BeTrue())
	w.becomesReady(network)
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.SecretReadReason)
	for pod, times := range w.restarts() {
		w.Expect(times).To(Equal(restarts[pod]+1), "%s was started more often than it must", pod)
	}
	w.Expect(w.uids()).To(Equal(before))
}
