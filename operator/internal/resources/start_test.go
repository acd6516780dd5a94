package resources

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// bringing is a platform whose operator knows its own image.
func bringing(image string) Platform {
	with := platform
	with.OperatorImage = image
	return with
}

func TestAPodBringsTheEntryPoint(t *testing.T) {
	for _, change := range []func(*v1alpha1.BitcoinNetwork){on(v1alpha1.Regtest), on(v1alpha1.Main), withoutSecret, everyField} {
		g := NewWithT(t)
		network := networkNamed("payments", change)
		spec := setOf(network, bringing("operator:v1")).Spec.Template.Spec
		g.Expect(spec.InitContainers).To(HaveLen(1))
		first, node := spec.InitContainers[0], spec.Containers[0]
		g.Expect(first.Name).To(Equal(StartContainer))
		g.Expect(first.Image).To(Equal("operator:v1"))
		g.Expect(node.Image).To(Equal(bringing("").Image(network)), "the network's own")
		g.Expect(first.Command).To(Equal([]string{"/bitcoind-start", "install", "/opt/bitcoin-operator/bitcoind-start"}))
		g.Expect(node.Command).To(Equal([]string{"/opt/bitcoin-operator/bitcoind-start"}), "wherever the image's own PATH leads")

		g.Expect(first.Env).To(BeEmpty(), "it needs no password")
		g.Expect(first.EnvFrom).To(BeEmpty())
		g.Expect(first.SecurityContext).To(Equal(node.SecurityContext))
		g.Expect(first.RestartPolicy).To(BeNil(), "it comes to its end before bitcoind begins")

		g.Expect(first.VolumeMounts).To(HaveExactElements(corev1.VolumeMount{Name: "start", MountPath: "/opt/bitcoin-operator"}), "of the node's own nothing")
		g.Expect(node.VolumeMounts).To(ContainElement(corev1.VolumeMount{Name: "start", MountPath: "/opt/bitcoin-operator", ReadOnly: true}))
		g.Expect(spec.Volumes).To(ContainElement(And(HaveField("Name", "start"), HaveField("EmptyDir.SizeLimit", Not(BeNil())))))
	}
}

// A pod needs the most of what its init containers and its containers ask for: with as
// much as the node it counts for a quota, and for the scheduler, as it does without.
func TestTheEntryPointAsksForNothingMore(t *testing.T) {
	for _, change := range []func(*v1alpha1.BitcoinNetwork){on(v1alpha1.Regtest), on(v1alpha1.Main), everyField, func(n *v1alpha1.BitcoinNetwork) {
		n.Spec.Resources = &v1alpha1.Resources{Requests: list("cpu=1m", "memory=8Mi"), Limits: list("memory=12Mi", "example.com/device=1")}
	}} {
		g := NewWithT(t)
		spec := setOf(networkNamed("payments", change), bringing("operator:v1")).Spec.Template.Spec
		asked := spec.InitContainers[0].Resources
		g.Expect(asked).To(Equal(spec.Containers[0].Resources))
		g.Expect(asked.Limits).To(HaveKey(corev1.ResourceMemory))
		g.Expect(asked.Requests).To(And(HaveKey(corev1.ResourceMemory), HaveKey(corev1.ResourceCPU)))
	}
}

// An operator that is upgraded replaces no node: neither one that was made by an operator
// that brought nothing, nor one that has its entry point of an older image.
func TestAnUpgradeLeavesTheEntryPointAsItIs(t *testing.T) {
	for _, test := range []struct {
		reason      string
		then, now   Platform
		wantThenNow []string
	}{
		{"from before", platform, bringing("operator:v2"), nil},
		{"from an older image", bringing("operator:v1"), bringing("operator:v2"), []string{"operator:v1"}},
		{"back to what brings none", bringing("operator:v1"), platform, []string{"operator:v1"}},
	} {
		g := NewWithT(t)
		network := networkNamed("payments")
		live := served(t, setOf(network, test.then))
		g.Expect(IsApplied(network, test.now, live)).To(BeTrue(), test.reason)
		images := func(spec corev1.PodSpec) (images []string) {
			for _, container := range spec.InitContainers {
				images = append(images, container.Image)
			}
			return images
		}
		kept := sorted(objectsOf(t, network, test.now, live)).set
		g.Expect(text(t, kept)).To(Equal(text(t, setOf(network, test.then))), test.reason)
		g.Expect(images(kept.Spec.Template.Spec)).To(Equal(test.wantThenNow), test.reason)

		network.Spec.Config = []v1alpha1.ConfigLine{"txindex=1"}
		changed := sorted(objectsOf(t, network, test.now, live)).set
		g.Expect(text(t, changed)).To(Equal(text(t, setOf(network, test.now))), "%s: with the next change it is as now", test.reason)
	}
}
