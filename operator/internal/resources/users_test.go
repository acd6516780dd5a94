package resources

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// whitelists returns what the pods' environment says of users.
func (c children) whitelists() string {
	for _, variable := range c.container().Env {
		if variable.Name == bitcoind.WhitelistsVariable {
			return variable.Value
		}
	}
	return ""
}

func withUsers(users ...v1alpha1.User) func(*v1alpha1.BitcoinNetwork) {
	return func(network *v1alpha1.BitcoinNetwork) { network.Spec.Users = users }
}

func TestUsers(t *testing.T) {
	var (
		lnd  = v1alpha1.User{Name: "lnd", Profile: v1alpha1.LightningProfile}
		btc  = v1alpha1.User{Name: "btc-pay", Methods: []v1alpha1.RPCMethod{"uptime", "getblock"}}
		lnds = "lnd:" + strings.Join(bitcoind.Profile("lightning"), ",")
	)
	for _, test := range []struct {
		reason string
		users  []v1alpha1.User
		want   string
		known  []string
	}{
		{"nobody: the environment is what it was", nil, "", nil},
		{"by a profile", []v1alpha1.User{lnd}, lnds, []string{"lnd"}},
		{"by methods, in order", []v1alpha1.User{btc}, "btc-pay:getblock,uptime", []string{"btc-pay"}},
		{"both, by name", []v1alpha1.User{lnd, btc}, "btc-pay:getblock,uptime " + lnds, []string{"btc-pay", "lnd"}},
	} {
		g := NewWithT(t)
		c := childrenOf(t, networkNamed("payments", withUsers(test.users...)))
		g.Expect(c.whitelists()).To(Equal(test.want), test.reason)
		g.Expect(KnownUsers(&corev1.Pod{Spec: c.set.Spec.Template.Spec})).To(Equal(test.known), test.reason)
	}
	NewWithT(t).Expect(childrenOf(t, networkNamed("payments", withoutSecret, withUsers(lnd))).whitelists()).To(BeEmpty(), "who could have no password")
}

// An upgrade of the operator that brings other methods replaces nobody: that is held by
// the record, which goes by the profile's name.
func TestEveryProfileHasMethods(t *testing.T) {
	for _, profile := range []v1alpha1.UserProfile{
		v1alpha1.ReadProfile, v1alpha1.LightningProfile, v1alpha1.ElectrumProfile, v1alpha1.MinerProfile, v1alpha1.WalletProfile,
	} {
		NewWithT(t).Expect(bitcoind.Profile(string(profile))).NotTo(BeEmpty(), string(profile))
	}
}

func TestOrderOfUsersReplacesNobody(t *testing.T) {
	g := NewWithT(t)
	var users []v1alpha1.User
	for i := range 3 {
		users = append(users, v1alpha1.User{Name: fmt.Sprintf("user-%d", i), Methods: []v1alpha1.RPCMethod{"getblock", "uptime"}})
	}
	network := networkNamed("payments", withUsers(users...))
	before := childrenOf(t, network)
	slices.Reverse(users)
	slices.Reverse(users[0].Methods)
	reordered := networkNamed("payments", withUsers(users...))
	g.Expect(text(t, childrenOf(t, reordered).set)).To(Equal(text(t, before.set)))
	g.Expect(IsApplied(reordered, platform, served(t, before.set))).To(BeTrue())
	g.Expect(reordered.Spec.Users).To(Equal(users), "what Git has is not changed")
}
