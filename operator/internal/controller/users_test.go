package controller

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Passwords of the user "read".
var (
	firstOfRead  = bitcoind.NewCredentials("read", "first")
	secondOfRead = bitcoind.NewCredentials("read", "second")
)

func withUser(users ...v1alpha1.User) func(*v1alpha1.BitcoinNetworkSpec) {
	return func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Users = users }
}

// reading is a user who may look at things.
func reading(name string) v1alpha1.User {
	return v1alpha1.User{Name: name, Profile: v1alpha1.ReadProfile}
}

// setKeys changes keys of the Secret; an empty value takes one out.
func (w *world) setKeys(keys map[string]string) {
	w.kubelet.aSecondLater()
	secret := &corev1.Secret{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: secretName}, secret)).To(Succeed())
	for key, value := range keys {
		secret.Data[key] = []byte(value)
		if value == "" {
			delete(secret.Data, key)
		}
	}
	w.Expect(w.api.Update(w.ctx, secret)).To(Succeed())
}

// letsIn reports whether every node accepts credentials, whatever their user may call;
// nobodyLetsIn whether none does.
func (w *world) letsIn(nodes int32, credentials bitcoind.Credentials) bool {
	return w.accepting(nodes, credentials) == int(nodes)
}

func (w *world) nobodyLetsIn(nodes int32, credentials bitcoind.Credentials) bool {
	return w.accepting(nodes, credentials) == 0
}

func (w *world) accepting(nodes int32, credentials bitcoind.Credentials) (count int) {
	for ordinal := range nodes {
		address := w.kubelet.address(fmt.Sprintf("payments-%d", ordinal))
		if accepts, err := w.nodes.Accepts(w.ctx, bitcoind.Endpoint{Address: address, Credentials: credentials}); err == nil && accepts {
			count++
		}
	}
	return count
}

func TestUsersPasswordChangesInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret(func(secret *corev1.Secret) { secret.Data["BC_RPC_PASSWORD_READ"] = []byte(firstOfRead.Password()) })
	network := w.networkWithAChain()
	before := w.uids()
	w.Expect(w.nobodyLetsIn(3, firstOfRead)).To(BeTrue(), "a key of the Secret alone makes no user")

	w.edit(network, withUser(reading("read")))
	w.Eventually(w.allReplaced(before), 4*soon).Should(BeTrue(), "a user that is added is a changed template")
	w.becomesReady(network)
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.SecretReadReason)
	w.Expect(w.letsIn(3, firstOfRead)).To(BeTrue())
	before = w.uids()

	w.setKeys(map[string]string{"BC_RPC_PASSWORD_READ": secondOfRead.Password(), "BC_RPC_PASSWORD_READ_PREVIOUS": firstOfRead.Password()})
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.RotatedReason)
	w.becomesReady(network)
	w.Expect(w.letsIn(3, firstOfRead) && w.letsIn(3, secondOfRead)).To(BeTrue(), "now clients can change over, one after the other")
	w.Expect(w.condition(network, v1alpha1.CredentialsReadyCondition)()).To(HaveSuffix("then remove BC_RPC_PASSWORD_READ_PREVIOUS"))

	w.setKeys(map[string]string{"BC_RPC_PASSWORD_READ_PREVIOUS": ""})
	w.Eventually(func() bool { return w.nobodyLetsIn(3, firstOfRead) }, 4*soon).Should(BeTrue(), "the previous password must not be accepted for ever")
	w.becomesReady(network)
	w.becomes(network, v1alpha1.CredentialsReadyCondition, v1alpha1.SecretReadReason)
	w.Expect(w.letsIn(3, secondOfRead)).To(BeTrue())
	w.Expect(w.accepts(3, alice)).To(BeTrue())
	w.Expect(w.uids()).To(Equal(before), "a pod was replaced for a Secret that changed")
	w.Expect(w.heights()).To(Equal([]int32{1, 1, 1}), "the chain was lost on the way")
}

// One user's key is another's business in nothing.
func TestUsersThatAreNotLetIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret(func(secret *corev1.Secret) { secret.Data["BC_RPC_PASSWORD_READ"] = []byte(firstOfRead.Password()) })
	network := w.network("payments", 2, withUser(reading("read"), reading("shop"), reading(alice.User())))
	w.becomesReady(network)
	w.Eventually(w.condition(network, v1alpha1.CredentialsReadyCondition)).Should(Equal(
		`True UsersRejected: Secret "bitcoin-rpc" was read; user "shop": BC_RPC_PASSWORD_SHOP must be set and not be empty` +
			`; user "alice": BC_RPC_USER has the same name, and that user may call every method: rename one of the two`))
	w.Expect(w.letsIn(2, firstOfRead)).To(BeTrue())
	w.Expect(w.accepts(2, alice)).To(BeTrue(), "a whitelist for its own user would lock the operator out")
	before := w.uids()

	// The missing key comes: its user is let in, in place.
	w.setKeys(map[string]string{"BC_RPC_PASSWORD_SHOP": "a"})
	w.Eventually(func() bool { return w.letsIn(2, bitcoind.NewCredentials("shop", "a")) }, 4*soon).Should(BeTrue())
	w.becomesReady(network)
	w.Expect(w.uids()).To(Equal(before))
}
