package resources

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// withConfigMap is what the last operator that kept bitcoin.conf in a ConfigMap recorded
// of the network with every field. It is not to be changed.
//
//go:embed testdata/workload-with-configmap.json
var withConfigMap string

// What stands in the ConfigMap is what the pods of that template were made with, as
// long as any may read it: it is never another one's bitcoin.conf, and the template
// stays as long as its inputs do.
func TestNetworkWithAConfigMap(t *testing.T) {
	g := NewWithT(t)
	var then Workload
	g.Expect(json.Unmarshal([]byte(withConfigMap), &then)).To(Succeed())
	then.record = withConfigMap
	i := &inputs{network: networkNamed("payments", everyField, withUsers()), platform: platform}
	live := served(t, StatefulSet(i.network, then, 5, nil))

	c := i.children(t, live)
	g.Expect(c.set.Annotations).To(Equal(map[string]string{workloadAnnotation: withConfigMap}), "to the letter")
	g.Expect(text(t, c.set.Spec.Template)).To(Equal(text(t, then.Template)))
	g.Expect(c.conf(t)).To(Equal(then.Config))
	g.Expect(then.Config).To(ContainSubstring("txindex=1\nblocknotify=<&>\n"))

	i.network.Spec.Config = []v1alpha1.ConfigLine{"txindex=0"}
	c = i.children(t, live)
	g.Expect(c.config.Data).To(Equal(map[string]string{"bitcoin.conf": then.Config}), "the StatefulSet may be refused yet")
	g.Expect(c.conf(t)).To(ContainSubstring("txindex=0\n"))
	g.Expect(c.set.Spec.Template.Annotations).NotTo(HaveKey("bitcoin-operator.github.io/config"), "of no use beside bitcoin.conf itself")

	live = served(t, c.set)
	g.Expect(i.children(t, live).config).To(BeNil(), "pods from before may still read it as it is")
	i.network.Spec.Config = nil
	g.Expect(i.children(t, live).config).To(BeNil())
}

// The API server bounds an object's annotations to 256 KiB in all. The pods' have
// bitcoin.conf, and the StatefulSet's the record, where JSON writes some characters as
// six bytes.
func TestTheLongestConfigurationFits(t *testing.T) {
	for reason, character := range map[string]string{
		"a letter": "a", "two bytes": "é", "three": "₿", "four, the most of UTF-8": "\U0001f642",
		"what JSON quotes": `"`, "what it escapes": "<", "three bytes that it escapes": "\u2028",
	} {
		t.Run(reason, func(t *testing.T) {
			g := NewWithT(t)
			network := networkNamed("payments", everyField, func(n *v1alpha1.BitcoinNetwork) {
				n.Spec.Config, n.Spec.Users = nil, nil
				for user := range 16 { // of 64 methods, of 32 letters
					methods := slices.Repeat([]v1alpha1.RPCMethod{v1alpha1.RPCMethod(strings.Repeat("m", 32))}, 64)
					n.Spec.Users = append(n.Spec.Users, v1alpha1.User{Name: fmt.Sprintf("%032d", user), Methods: methods})
				}
				for range 64 { // of 512 characters, as the API allows
					n.Spec.Config = append(n.Spec.Config, v1alpha1.ConfigLine("a="+strings.Repeat(character, 510)))
				}
			})
			c := childrenOf(t, network)
			g.Expect(strings.Count(c.conf(t), character)).To(BeNumerically(">=", 64*510))
			g.Expect(len(c.whitelists())).To(BeNumerically("<", 128<<10), "the most that Linux takes for a variable")
			g.Expect(apivalidation.ValidateAnnotations(c.set.Annotations, nil)).To(BeEmpty())
			g.Expect(apivalidation.ValidateAnnotations(c.set.Spec.Template.Annotations, nil)).To(BeEmpty())
			const room = 24 << 10 // for affinity and labels beside it, and for what others annotate
			g.Expect(len(c.set.Annotations[workloadAnnotation])).To(BeNumerically("<", apivalidation.TotalAnnotationSizeLimitB-room))
			g.Expect(sorted(objectsOf(t, network, platform, served(t, c.set))).conf(t)).To(Equal(c.conf(t)), "and is read again as it was")
		})
	}
}
