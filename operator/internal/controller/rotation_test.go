package controller

import (
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
)

// setSecret gives the Secret these pairs: the present one, and the previous one if
// there are two.
func (w *world) setSecret(pairs ...bitcoind.Credentials) {
	secret := &corev1.Secret{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: secretName}, secret)).To(Succeed())
	secret.Data = map[string][]byte{}
	for i, keys := range [][2]string{
		{bitcoind.UserKey, bitcoind.PasswordKey}, {bitcoind.PreviousUserKey, bitcoind.PreviousPasswordKey},
	} {
		if i < len(pairs) {
			secret.Data[keys[0]], secret.Data[keys[1]] = []byte(pairs[i].User), []byte(pairs[i].Password)
		}
	}
	w.Expect(w.api.Update(w.ctx, secret)).To(Succeed())
}

// networkWithAChain makes a network of three nodes that are at height 1.
func (w *world) networkWithAChain() *v1alpha1.BitcoinNetwork {
	network := w.becomesReady(w.network("payments", 3))
	w.nodes.MineAt(w.machine.address("payments-0"))
	// A change of nothing but the height would be written a minute later.
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Interval = &metav1.Duration{Duration: time.Minute} })
	w.Eventually(func() int64 { return *w.status(network).Status.Height }).Should(BeEquivalentTo(1))
	return w.becomesReady(network)
}

func (w *world) heights() []int32 {
	var heights []int32
	for ordinal := range 3 {
		heights = append(heights, w.nodes.State(w.machine.address(fmt.Sprintf("payments-%d", ordinal))).Chain.Blocks)
	}
	return heights
}

func (w *world) becomes(network *v1alpha1.BitcoinNetwork, condition, reason string) {
	w.Eventually(func() string { return conditions.GetReason(w.status(network), condition) }, 4*soon).Should(Equal(reason))
}

// allReplaced tells whether every pod is another than before.
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

// The way for clients that cannot miss a call.
func TestPasswordChangesWithoutAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.networkWithAChain()
	before := w.uids()

	w.setSecret(bob, alice)
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.RotatedReason)
	w.Expect(w.allReplaced(before)()).To(BeTrue(), "a container reads the Secret when it starts")
	w.becomesReady(network)
	for ordinal := range 3 {
		endpoint := bitcoind.Endpoint{Address: w.machine.address(fmt.Sprintf("payments-%d", ordinal))}
		for _, endpoint.Credentials = range []bitcoind.Credentials{alice, bob} {
			_, err := w.nodes.Check(w.ctx, endpoint)
			w.Expect(err).NotTo(HaveOccurred(), "now clients can change over, one after the other")
		}
	}

	between := w.uids()
	w.setSecret(bob)
	w.Eventually(w.allReplaced(between), 4*soon).Should(BeTrue())
	w.becomesReady(network)
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.SecretReadReason)
	_, err := w.nodes.Check(w.ctx, bitcoind.Endpoint{Address: w.machine.address("payments-0"), Credentials: alice})
	w.Expect(err).To(MatchError(bitcoind.ErrUnauthorized))
	w.Expect(w.heights()).To(Equal([]int32{1, 1, 1}), "the chain was lost on the way")
}

// A password that leaked is changed at once, whoever still uses it.
func TestPasswordChangesAtOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		absent bool
	}{
		{"the operator sees it happen, and knows the pair that nodes take", false},
		{"the operator was away, and no node answers it", true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.secret()
			network := w.networkWithAChain()
			before := w.uids()
			if test.absent {
				w.stopOperator()
				w.setSecret(bob)
				w.startOperator()
			} else {
				w.setSecret(bob)
			}
			w.Eventually(func() bool {
				w.nodes.ConnectAdded() // what nodes do by themselves, which nobody can tell to
				return w.allReplaced(before)()
			}, 6*soon).Should(BeTrue())
			w.becomesReady(network)
			w.Expect(w.heights()).To(Equal([]int32{1, 1, 1}), "the chain was lost on the way")
		})
	}
}

func TestSecretThatIsWrittenAnewWithTheSameKeysReplacesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.secret()
	network := w.becomesReady(w.network("payments", 2))
	before, checks := w.uids(), w.nodes.Checks(w.machine.address("payments-0"))

	secret.Labels = map[string]string{"sealed": "again"}
	secret.Data["another"] = []byte("key")
	w.Expect(w.api.Update(w.ctx, secret)).To(Succeed())
	w.Eventually(func() int { return w.nodes.Checks(w.machine.address("payments-0")) }).Should(BeNumerically(">", checks))
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
	w.Eventually(func() bool { return w.uids()["payments-0"] != before["payments-0"] }).Should(BeTrue())
	w.stopOperator()
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = []v1alpha1.ConfigLine{"txindex=1"} })
	w.startOperator()

	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.RotatedReason)
	w.Eventually(w.allReplaced(before), 4*soon).Should(BeTrue())
	w.becomesReady(network)
	w.Expect(w.heights()).To(Equal([]int32{1, 1, 1}), "the chain was lost on the way")
}
