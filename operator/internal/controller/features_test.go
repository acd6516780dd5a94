package controller

import (
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestNewNetworkIsFresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Mining = nil }))
	w.Eventually(w.heights).Should(Equal([]int32{1, 1, 1}))
	w.tells("Normal Mined payments-0 mined a block, because there was none")

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Mining = &v1alpha1.Mining{Interval: &metav1.Duration{Duration: time.Second}}
	})
	w.Eventually(func() int32 { return w.heights()[2] }).Should(BeNumerically(">", 2))
}

// What keeps blocks from being mined stands in the status, and the network is Ready all
// the same.
func TestWrongAddressForNewCoinsIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.network("payments", 3, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Mining = &v1alpha1.Mining{Address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08q"}
	})
	w.Eventually(w.condition(network, meta.ReadyCondition)).Should(Equal("True Connected: 3 nodes answer RPC, 3 links connected; " +
		"mining fails: spec.mining.address: its checksum does not match: is a character mistyped or missing?"))
	w.tells("Warning MiningFailed no block can be mined: spec.mining.address: ")
	w.Expect(w.heights()).To(Equal([]int32{0, 0, 0}))

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) {
		spec.Mining.Address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	})
	w.Eventually(w.heights).Should(Equal([]int32{1, 1, 1}))
	w.Eventually(w.condition(network, meta.ReadyCondition)).Should(Equal("True Connected: 3 nodes answer RPC, 3 links connected"))
}

func TestChainThatIsNotAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.network("payments", 3, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Chain, spec.Mining = v1alpha1.Main, nil })
	w.Eventually(w.condition(network, meta.StalledCondition)).Should(Equal(
		"True ChainNotAllowed: spec.chain: the platform does not allow main in this namespace; ask the platform team, who set the operator's flag --allowed-chains"))
	w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(network), &appsv1.StatefulSet{})).NotTo(Succeed())
	w.tells("Warning ChainNotAllowed ")
}

// A StatefulSet's pods that a quota does not allow are told of in events alone.
func TestPodThatCannotBeMadeIsExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	w.kubelet.withhold("payments-1", `create Pod payments-1 in StatefulSet payments failed error: pods "payments-1" is forbidden: exceeded quota: tight`)
	network := w.network("payments", 2)
	w.Eventually(w.condition(network, v1alpha1.NodesReadyCondition)).Should(ContainSubstring(
		`payments-1: it has no pod: create Pod payments-1 in StatefulSet payments failed error: pods "payments-1" is forbidden: exceeded quota: tight`))
}

// Rule 6, on a real API server: what another version of the operator has made of
// the same inputs stays, and drift from it is put back.
func TestUpgradeOfTheOperatorReplacesNoNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2))
	w.stopOperator()
	before := w.uids()

	// As an operator would have left it that knew of another variable.
	older := w.statefulSet("payments")
	const annotation = "bitcoin-operator.github.io/workload"
	older.Annotations[annotation] = older.Annotations[annotation][:len(older.Annotations[annotation])-1] + `,"old":true}`
	older.Spec.Template.Spec.Containers[0].Env[0].Value = "/somewhere/else"
	w.Expect(w.api.Update(w.ctx, older)).To(Succeed())
	w.startOperator()

	w.Eventually(func() string { return w.statefulSet("payments").Spec.Template.Spec.Containers[0].Env[0].Value }).
		ShouldNot(Equal("/somewhere/else"), "drift is put back")
	w.becomesReady(network)
	w.Expect(w.statefulSet("payments").Annotations[annotation]).To(HaveSuffix(`,"old":true}`), "the record is the older operator's")
	w.Expect(w.uids()).To(HaveLen(len(before)))
}

// Whatever stands in the way of a network is told, for each kind of its objects.
func TestEveryObjectMayBeSomebodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	for i, object := range childrenOf(statetest.Network(1), platform) {
		name := string(rune('a'+i)) + "-network"
		foreign := childrenOf(statetest.Network(1, func(n *v1alpha1.BitcoinNetwork) { n.Name, n.Namespace = name, w.namespace }), platform)[i]
		foreign.SetLabels(nil)
		w.Expect(w.api.Create(w.ctx, foreign)).To(Succeed())
		network := w.network(name, 1)
		w.Eventually(func() string { return conditions.GetReason(w.status(network), meta.StalledCondition) }).
			Should(Equal(v1alpha1.ConflictReason), "%T", object)
		w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(foreign), foreign)).To(Succeed())
		w.Expect(foreign.GetOwnerReferences()).To(BeEmpty(), "%T was taken over", object)
	}
}
