package controller

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

func withConfig(lines ...v1alpha1.ConfigLine) func(*v1alpha1.BitcoinNetworkSpec) {
	return func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = lines }
}

// whatTheyRead returns what the containers of these pods have read as bitcoin.conf.
func (w *world) whatTheyRead(pods ...string) []string {
	var read []string
	for _, pod := range pods {
		read = append(read, w.kubelet.reads(pod))
	}
	return read
}

// A roll that halts has changed nothing for the nodes whose turn has not come, also
// when their containers are started again.
func TestContainerThatStartsAgainReadsTheConfigOfItsPod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, withConfig("txindex=1")))
	old := w.kubelet.reads("payments-0")
	w.Expect(old).To(ContainSubstring("txindex=1\n"))
	before := w.uids()

	w.kubelet.refuse("bitcoind:typo") // payments-1 is the first, since clients are led to payments-0
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "bitcoind:typo"; withConfig("txindex=0")(spec) })
	w.Eventually(w.condition(network, v1alpha1.NodesReadyCondition)).Should(ContainSubstring("ImagePullBackOff"))
	w.kubelet.crash("payments-0")
	w.kubelet.crash("payments-2")
	w.Expect(w.whatTheyRead("payments-0", "payments-2")).To(HaveEach(old))
	w.Expect(w.uids()["payments-2"]).To(Equal(before["payments-2"]))

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "" })
	w.becomesReady(network)
	w.Expect(w.whatTheyRead("payments-0", "payments-1", "payments-2")).To(HaveEach(ContainSubstring("txindex=0\n")))
}

// What the API server refuses reaches no node in part.
func TestConfigOfAStatefulSetThatIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		before func(*world, *v1alpha1.BitcoinNetwork)
	}{
		{"in the pods", func(*world, *v1alpha1.BitcoinNetwork) {}},
		{"in a ConfigMap, as earlier operators had it", (*world).madeEarlier},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.secret()
			network := w.becomesReady(w.network("payments", 2, withConfig("txindex=1")))
			test.before(w, network)
			old, set := w.kubelet.reads("payments-1"), w.statefulSet("payments")

			w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) {
				spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: "Never"}}
				withConfig("txindex=0")(spec)
			})
			w.Eventually(w.condition(network, meta.ReadyCondition)).Should(ContainSubstring("spec.template.spec.topologySpreadConstraints[0].whenUnsatisfiable"))
			w.kubelet.crash("payments-1")
			w.Expect(w.kubelet.reads("payments-1")).To(Equal(old))
			w.Expect(w.statefulSet("payments").ResourceVersion).To(Equal(set.ResourceVersion))

			w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.TopologySpreadConstraints = nil })
			w.becomesReady(network)
			w.Expect(w.whatTheyRead("payments-0", "payments-1")).To(HaveEach(ContainSubstring("txindex=0\n")))
		})
	}
}

// A network that an earlier operator made keeps its pods, and the ConfigMap from which
// they read bitcoin.conf, until it is changed. Then the ConfigMap stays as it is: there
// are pods that read it yet.
func TestUpgradeFromAConfigMap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3, withConfig("txindex=1")))
	w.madeEarlier(network)
	before, set := w.uids(), w.statefulSet("payments")
	old := w.kubelet.reads("payments-2")
	w.Expect(old).To(ContainSubstring("# earlier\n"))
	w.Expect(set.Spec.Template.Spec.Volumes).To(ContainElement(HaveField("ConfigMap", Not(BeNil()))))

	// As long as the template asks for it, it is there, and is what it was.
	inConfigMap := func() string {
		found := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: w.namespace}}
		if err := w.api.Get(w.ctx, client.ObjectKeyFromObject(found), found); err != nil {
			return err.Error()
		}
		return found.Data["bitcoin.conf"]
	}
	w.Expect(w.api.Delete(w.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: w.namespace}})).To(Succeed())
	w.Eventually(inConfigMap).Should(Equal(old))
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = 4 })
	w.becomesReady(network)
	w.Expect(w.kubelet.reads("payments-3")).To(Equal(old), "of the same template, and so of the same bitcoin.conf")
	for pod, uid := range before {
		w.Expect(w.uids()).To(HaveKeyWithValue(pod, uid), "the upgrade replaced it")
	}
	w.Expect(w.statefulSet("payments").Spec.Template).To(Equal(set.Spec.Template))

	w.kubelet.refuse("bitcoind:typo")
	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "bitcoind:typo"; withConfig("txindex=0")(spec) })
	w.Eventually(w.condition(network, v1alpha1.NodesReadyCondition)).Should(ContainSubstring("ImagePullBackOff"))
	w.kubelet.crash("payments-2")
	w.Expect(w.kubelet.reads("payments-2")).To(Equal(old))

	w.edit(network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "" })
	w.becomesReady(network)
	w.Expect(w.whatTheyRead("payments-0", "payments-1", "payments-2", "payments-3")).To(HaveEach(ContainSubstring("txindex=0\n")))
	w.Expect(inConfigMap()).To(Equal(old), "it goes with the network")
	w.Expect(w.statefulSet("payments").Spec.Template.Spec.Volumes).NotTo(ContainElement(HaveField("ConfigMap", Not(BeNil()))))
}

// The longest bitcoin.conf, in bytes and as JSON writes it, passes the API server.
func TestLongestConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	for name, character := range map[string]string{"bytes": "\U0001f642", "escaped": "<"} {
		lines := slices.Repeat([]v1alpha1.ConfigLine{v1alpha1.ConfigLine("a=" + strings.Repeat(character, 510))}, 64)
		w.becomesReady(w.network(name, 1, withConfig(lines...)))
		w.Expect(strings.Count(w.kubelet.reads(name+"-0"), character)).To(BeNumerically(">=", 64*510))
	}
}

// madeEarlier makes a network, and its pods, what an earlier operator made of it: they
// mount bitcoin.conf from a ConfigMap, and the record has it beside their template.
func (w *world) madeEarlier(network *v1alpha1.BitcoinNetwork) {
	w.stopOperator()
	const record = "bitcoin-operator.github.io/workload"
	var earlier resources.Workload
	w.Expect(json.Unmarshal([]byte(w.statefulSet(network.Name).Annotations[record]), &earlier)).To(Succeed())
	spec := &earlier.Template.Spec
	earlier.Config = "# earlier\n" + earlier.Template.Annotations[resources.ConfigAnnotation]
	earlier.Template.Annotations = map[string]string{"bitcoin-operator.github.io/config": "0123456789abcdef"}
	for i := range spec.Volumes {
		if spec.Volumes[i].DownwardAPI != nil {
			spec.Volumes[i] = corev1.Volume{Name: "config", VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: network.Name}},
			}}
		}
	}
	for i := range spec.Containers[0].VolumeMounts {
		if mount := &spec.Containers[0].VolumeMounts[i]; mount.MountPath == bitcoind.ConfigFile {
			mount.Name = "config"
		}
	}
	recorded, err := json.Marshal(earlier)
	w.Expect(err).NotTo(HaveOccurred())
	set := resources.StatefulSet(network, earlier, int(network.Spec.Nodes), nil)
	set.Annotations = map[string]string{record: string(recorded)}
	for _, object := range []client.Object{resources.ConfigMap(network, set), set} {
		w.Expect(controllerutil.SetControllerReference(network, object, scheme, controllerutil.WithBlockOwnerDeletion(false))).To(Succeed())
		w.Expect((&Reconciler{Client: w.api}).apply(w.ctx, object, object.DeepCopyObject().(client.Object))).To(Succeed())
	}

	before := w.uids()
	for pod := range before {
		w.Expect(w.api.Delete(w.ctx, w.pod(pod))).To(Succeed())
	}
	for pod, old := range before {
		w.Eventually(func() bool { now := w.pod(pod); return now != nil && string(now.UID) != old && now.Status.PodIP != "" }).Should(BeTrue())
	}
	w.startOperator()
	w.becomesReady(network)
}
