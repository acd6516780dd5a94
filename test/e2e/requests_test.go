package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// person returns a client of somebody of a team, who has the Role `people` and no more.
func person(g Gomega, team string) client.Client {
	kubeconfig, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig())
	g.Expect(err).NotTo(HaveOccurred())
	kubeconfig.Impersonate = rest.ImpersonationConfig{UserName: "someone@example.com", Groups: []string{team, "system:authenticated"}}
	api, err := client.New(kubeconfig, client.Options{Scheme: cluster.API.Scheme()})
	g.Expect(err).NotTo(HaveOccurred())
	return api
}

// askFor makes a request as somebody, which is deleted after the test.
func askFor(t *testing.T, g Gomega, ctx context.Context, as client.Client, name string, spec v1alpha1.BitcoinRequestSpec) *v1alpha1.BitcoinRequest {
	t.Helper()
	asked := &v1alpha1.BitcoinRequest{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: name}, Spec: spec}
	g.Expect(as.Create(ctx, asked)).To(Succeed())
	t.Cleanup(func() {
		g.Expect(client.IgnoreNotFound(as.Delete(context.WithoutCancel(ctx), asked))).To(Succeed())
	})
	return asked
}

// finishes waits until a request is finished, and has that phase.
func finishes(g Gomega, ctx context.Context, asked *v1alpha1.BitcoinRequest, phase v1alpha1.RequestPhase) {
	g.Eventually(func() (v1alpha1.RequestPhase, error) {
		err := cluster.API.Get(ctx, client.ObjectKeyFromObject(asked), asked)
		return asked.Status.Phase, err
	}, "2m", "500ms").Should(Satisfy(v1alpha1.RequestPhase.IsFinished))
	g.Expect(asked.Status.Phase).To(Equal(phase), "%s: %+v", asked.Name, asked.Status)
}

func mining(network string, count int32) v1alpha1.BitcoinRequestSpec {
	return v1alpha1.BitcoinRequestSpec{Network: network, Mine: &v1alpha1.MineRequest{Count: count}}
}

func paying(network, amount string) v1alpha1.BitcoinRequestSpec {
	return v1alpha1.BitcoinRequestSpec{Network: network, Pay: &v1alpha1.PayRequest{Address: someone, Amount: amount}}
}

// Somebody who may do nothing else has blocks mined and coins paid, also after the node
// with the wallet was lost.
func TestPeopleGetBlocksAndCoins(t *testing.T) {
	t.Parallel()
	g, ctx := needsClusterFor(t, 8*time.Minute)
	as := person(g, "team-b")
	asked := up(t, g, ctx, "team-b", "asked", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})

	tooSoon := paying("asked", "2.5")
	tooSoon.TTL = &metav1.Duration{Duration: time.Minute}
	early := askFor(t, g, ctx, as, "asked-early", tooSoon)
	finishes(g, ctx, early, v1alpha1.RequestRefused)
	blocks := askFor(t, g, ctx, as, "asked-110", mining("asked", 110))
	finishes(g, ctx, blocks, v1alpha1.RequestSucceeded)
	g.Expect(blocks.Status.Blocks.Count).To(BeEquivalentTo(110))
	wait(g, ctx, higher(asked, 109))

	for i := range 2 {
		coins := askFor(t, g, ctx, as, fmt.Sprint("asked-coins-", i), paying("asked", "2.5"))
		finishes(g, ctx, coins, v1alpha1.RequestSucceeded)
		g.Expect(coins.Status.Confirmations).To(BeNumerically(">=", 1))
		for _, node := range asked.Nodes {
			paid := ask[struct{ Unspents []struct{ TxID string } }](g, ctx, node, "scantxoutset", "start", `["addr(`+someone+`)"]`)
			g.Expect(paid.Unspents).To(ContainElement(HaveField("TxID", coins.Status.TransactionID)), "%s has it in a block", node)
		}
		var network v1alpha1.BitcoinNetwork
		g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: "team-b", Name: "asked"}, &network)).To(Succeed())
		_, err := cluster.Kubectl(ctx, "delete", "pod", "--namespace=team-b", fmt.Sprint("asked-", network.Status.Primary.Ordinal))
		g.Expect(err).NotTo(HaveOccurred())
		ready(g, ctx, asked)
	}
	told(g, ctx, asked.Object(), ContainElements(HavePrefix("Normal Mined: BitcoinRequest asked-110: "), HavePrefix("Normal Paid: BitcoinRequest asked-coins-1: ")))

	// Twenty at once, and the operator killed among them.
	before, err := asked.Heights(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	var many []*v1alpha1.BitcoinRequest
	for i := range 20 {
		many = append(many, askFor(t, g, ctx, as, fmt.Sprint("asked-many-", i), mining("asked", 2)))
		if i == 10 {
			_, err := cluster.Kubectl(ctx, "delete", "pod", "--namespace=team-b", "--selector=app.kubernetes.io/name=bitcoin-operator", "--grace-period=0", "--force")
			g.Expect(err).NotTo(HaveOccurred())
		}
	}
	done := 0
	for _, one := range many {
		g.Eventually(func() (v1alpha1.RequestPhase, error) {
			err := cluster.API.Get(ctx, client.ObjectKeyFromObject(one), one)
			return one.Status.Phase, err
		}, "3m", "500ms").Should(Or(Equal(v1alpha1.RequestSucceeded), Equal(v1alpha1.RequestUnknown)))
		if one.Status.Phase == v1alpha1.RequestSucceeded {
			done++
		}
	}
	g.Expect(done).To(BeNumerically(">=", 19), "one at most was being told when the operator was killed")
	after, err := asked.Heights(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(after[0] - before[0]).To(And(BeNumerically(">=", 2*done), BeNumerically("<=", 40)))
	g.Eventually(func() error { return cluster.API.Get(ctx, client.ObjectKeyFromObject(early), early) }, "2m", "1s").
		Should(Satisfy(apierrors.IsNotFound), "a minute after it was finished")
}

// What is refused at once, and with which words.
func TestRequestsAreRefused(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	as := person(g, "team-b")
	up(t, g, ctx, "team-b", "not-asked", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName, Mining: &v1alpha1.Mining{KeepFresh: new(false)}})
	create(t, g, ctx, "team-b", "not-asked-main", v1alpha1.BitcoinNetworkSpec{Secret: secretName, Chain: v1alpha1.Main})
	create(t, g, ctx, "team-b", "not-asked-parked", v1alpha1.BitcoinNetworkSpec{Secret: secretName})
	create(t, g, ctx, "team-b", "not-asked-suspended", v1alpha1.BitcoinNetworkSpec{Secret: secretName, Suspend: true})
	for i, test := range []struct {
		spec v1alpha1.BitcoinRequestSpec
		want string
	}{
		{mining("nowhere", 1), `spec.network: there is no network "nowhere" in this namespace`},
		{mining("not-asked-main", 1), "spec.network: not-asked-main follows main; blocks and coins can be requested on regtest only"},
		{paying("not-asked-main", "1"), "spec.network: not-asked-main follows main; blocks and coins can be requested on regtest only"},
		{mining("not-asked-parked", 1), "spec.network: not-asked-parked is parked (spec.nodes: 0)"},
		{mining("not-asked-suspended", 1), "spec.network: not-asked-suspended is suspended (spec.suspend)"},
		{v1alpha1.BitcoinRequestSpec{Network: "not-asked", Mine: &v1alpha1.MineRequest{Count: 1, Address: someone[:len(someone)-1] + "q"}}, "spec.mine.address: its checksum does not match"},
		{paying("not-asked", "1"), "spec.pay.amount: the wallet of not-asked has 0 BTC to spend"},
	} {
		asked := askFor(t, g, ctx, as, fmt.Sprint("not-asked-", i), test.spec)
		finishes(g, ctx, asked, v1alpha1.RequestRefused)
		g.Expect(asked.Status.Conditions).To(ContainElement(And(HaveField("Type", "Ready"), HaveField("Message", HavePrefix(test.want)))))
	}
	tooMuch := &v1alpha1.BitcoinRequest{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "too-much"}, Spec: paying("not-asked", "101")}
	g.Expect(as.Create(ctx, tooMuch)).To(MatchError(ContainSubstring("spec.pay.amount: the platform allows 100 BTC per request in this namespace, not 101")))
}
