package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// What is read of a pod is the same before and after: the rest nobody misses.
func TestPodsAreRememberedWithoutWhatNobodyReads(t *testing.T) {
	g := NewWithT(t)
	network := statetest.Network(3)
	chain, err := bitcoind.ChainNamed("regtest")
	g.Expect(err).NotTo(HaveOccurred())
	pod := statetest.Pod(1)
	workload, err := resources.WorkloadOf(network, resources.Platform{DefaultImage: "bitcoind:default"}, chain, nil)
	g.Expect(err).NotTo(HaveOccurred())
	pod.Spec = resources.StatefulSet(network, workload, 3, nil).Spec.Template.Spec
	pod.Spec.NodeName = "machine-1"
	pod.Annotations = map[string]string{resources.ConfigAnnotation: "chain=regtest\n\n[regtest]\ndisablewallet=1\n", "example.com/owner": "blue"}
	pod.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "somebody"}}
	pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "proxy", State: statetest.Waiting("ImagePullBackOff", "")}}
	read := func(pod *corev1.Pod) []any {
		since := time.Time{}
		return []any{
			state.Life(pod), state.PodProblem(pod), state.Unreached(pod), state.IsReady(pod), state.AwaitsSync(pod), state.Restarts(pod),
			state.StartedAt(pod), state.RunsSince(pod), state.UnservedSince(pod), state.NeverRan(pod), state.OfEarlierLife(pod, since),
			resources.SecretOf(pod), resources.KnownUsers(pod), resources.DiskOf(pod), resources.ImageOf(pod), resources.WithoutWallets(pod), pod.Spec.NodeName, pod.Labels, pod.OwnerReferences,
		}
	}
	before := pod.DeepCopy()
	g.Expect(withoutUnread(pod)).To(BeIdenticalTo(pod))
	g.Expect(read(pod)).To(Equal(read(before)))
	g.Expect(pod.Annotations).To(HaveLen(1))
	g.Expect(pod.Annotations[resources.ConfigAnnotation]).To(Equal(resources.NoWallets), "of its bitcoin.conf one line")
	g.Expect(pod.ManagedFields).To(BeEmpty())
	g.Expect(pod.Size()).To(BeNumerically("<", before.Size()*2/3))

	pod.Annotations = map[string]string{resources.ConfigAnnotation: "chain=regtest\n"}
	_, err = withoutUnread(pod)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pod.Annotations).To(BeNil(), "nothing is read of another")
}
