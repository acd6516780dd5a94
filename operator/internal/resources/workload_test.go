package resources

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// olderSet returns a network's StatefulSet as an operator would have left it that
// made something else of the same inputs.
func olderSet(network *v1alpha1.BitcoinNetwork, pairs int) *appsv1.StatefulSet {
	workload, err := WorkloadOf(network, platform, regtest, pairs, nil)
	if err != nil {
		panic(err)
	}
	workload.Config = "# as it was written once\n"
	workload.Template.Spec.Containers[0].Env = append(workload.Template.Spec.Containers[0].Env, corev1.EnvVar{Name: "OLD", Value: "1"})
	if workload, err = workload.recorded(); err != nil {
		panic(err)
	}
	return StatefulSet(network, workload, nil)
}

// Rule 6: nodes are replaced only for a reason that a user or the platform gave.
func TestUpgradeOfTheOperatorReplacesNothing(t *testing.T) {
	network := networkNamed("payments")
	for _, test := range []struct {
		reason string
		live   func(*appsv1.StatefulSet)
		change func(*v1alpha1.BitcoinNetwork)
		pairs  int
		kept   bool
	}{
		{"the same inputs: what was applied stays", nil, nil, 1, true},
		{"drift does not count: what was applied is put back",
			func(set *appsv1.StatefulSet) { set.Spec.Template.Spec.Containers[0].Image = "somebody:else" }, nil, 1, true},
		{"an input has changed: the new way of things is adopted", nil,
			func(n *v1alpha1.BitcoinNetwork) { n.Spec.Config = []v1alpha1.ConfigLine{"txindex=1"} }, 1, false},
		{"a previous pair of credentials has come", nil, nil, 2, false},
		{"what was applied is not known", func(set *appsv1.StatefulSet) { set.Annotations = nil }, nil, 1, false},
		{"or damaged", func(set *appsv1.StatefulSet) { set.Annotations[workloadAnnotation] = "{" }, nil, 1, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			live := olderSet(network, 1)
			recorded := live.Spec.Template.DeepCopy()
			wanted := networkNamed("payments")
			if test.live != nil {
				test.live(live)
			}
			if test.change != nil {
				test.change(wanted)
			}
			children, err := Children(wanted, platform, regtest, test.pairs, live)
			g.Expect(err).NotTo(HaveOccurred())
			config := children[0].(*corev1.ConfigMap).Data["bitcoin.conf"]
			set := children[len(children)-1].(*appsv1.StatefulSet)
			if test.kept {
				g.Expect(set.Spec.Template).To(Equal(*recorded))
				g.Expect(config).To(Equal("# as it was written once\n"))
				g.Expect(set.Annotations).To(Equal(olderSet(network, 1).Annotations))
				return
			}
			g.Expect(set.Spec.Template.Spec.Containers[0].Env).NotTo(ContainElement(HaveField("Name", "OLD")))
			g.Expect(config).To(ContainSubstring("chain=regtest"))
		})
	}
}

// The annotation can be read by whoever may look at StatefulSets.
func TestPairsOfCredentialsAreCountedAndNotTold(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments")
	of := func(pairs int) map[string]string {
		workload, err := WorkloadOf(network, platform, regtest, pairs, nil)
		g.Expect(err).NotTo(HaveOccurred())
		return workload.Template.Annotations
	}
	g.Expect(of(1)).To(HaveKeyWithValue("bitcoin-operator.github.io/credentials", "current"))
	g.Expect(of(2)).To(HaveKeyWithValue("bitcoin-operator.github.io/credentials", "current and previous"))
}
