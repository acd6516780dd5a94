package controller

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// beginsWith returns the image that a pod begins with; none while there is no pod.
func (w *world) beginsWith(name string) string {
	if pod := w.pod(name); pod != nil {
		return pod.Spec.InitContainers[0].Image
	}
	return ""
}

// An operator of another image, which the policies allow instead of the one before,
// replaces no node, and goes on looking after networks whose nodes began with that.
func TestAnotherImageOfTheOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 2))
	before := w.uids()

	w.stopOperator()
	w.platform.OperatorImage = "operator:next"
	tenant := &corev1.ConfigMap{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "tenant"}, tenant)).To(Succeed())
	tenant.Data["operatorImage"] = "operator:next"
	w.Expect(w.api.Update(w.ctx, tenant)).To(Succeed())
	w.startOperator()

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 3 })
	w.Eventually(func() string { return w.beginsWith("payments-2") }).Should(Equal("operator:default"), "one more is as the others are")
	w.becomesReady(network)
	for name, uid := range before {
		w.Expect(w.uids()).To(HaveKeyWithValue(name, uid), "an upgrade replaces no node")
	}

	home := w.statefulSet("payments").Spec.Template.Spec.Containers[0].Env[0].Value
	drifted := w.statefulSet("payments")
	drifted.Spec.Template.Spec.Containers[0].Env[0].Value = "/somewhere/else"
	w.Expect(w.api.Update(w.ctx, drifted)).To(Succeed())
	w.Eventually(func() string { return w.statefulSet("payments").Spec.Template.Spec.Containers[0].Env[0].Value }).Should(Equal(home), "drift is repaired")

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 2 })
	w.Eventually(func() *corev1.Pod { return w.pod("payments-2") }).Should(BeNil())
	w.becomesReady(network)
	w.network("new", 1)
	w.Eventually(func() string { return w.beginsWith("new-0") }).Should(Equal("operator:next"))

	w.edit(network, withConfig("txindex=1"))
	w.Eventually(func() []string { return []string{w.beginsWith("payments-0"), w.beginsWith("payments-1")} }).Should(HaveEach("operator:next"), "a change brings what there is now")
	w.becomesReady(network)
}
