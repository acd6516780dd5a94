package resources

import (
	"bytes"
	"os"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// What a node may take of the machine's disk, and that none of it is reserved unless
// the network asks for it. Without a word of requests Kubernetes would take the limits
// for them.
func TestDisk(t *testing.T) {
	const ephemeral = corev1.ResourceEphemeralStorage
	for _, test := range []struct {
		reason           string
		change           func(*v1alpha1.BitcoinNetwork)
		requests, limits corev1.ResourceList
		wantRequest      string
		wantLimit        string
	}{
		{"regtest", on(v1alpha1.Regtest), nil, nil, "0", "20Gi"},
		{"signet", on(v1alpha1.Signet), nil, nil, "0", "200Gi"},
		{"testnet4", on(v1alpha1.Testnet4), nil, nil, "0", "300Gi"},
		{"main", on(v1alpha1.Main), nil, nil, "0", "1800Gi"},
		{"more than by default", on(v1alpha1.Regtest), nil, list("ephemeral-storage=40Gi"), "0", "40Gi"},
		{"less", on(v1alpha1.Regtest), nil, list("ephemeral-storage=1Gi"), "0", "1Gi"},
		{"some of it reserved", on(v1alpha1.Regtest), list("ephemeral-storage=1Gi"), nil, "1Gi", "20Gi"},
		{"more than by default reserved: a limit is no less", on(v1alpha1.Regtest), list("ephemeral-storage=30Gi"), nil, "30Gi", "30Gi"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			c := childrenOf(t, networkNamed("payments", test.change, func(n *v1alpha1.BitcoinNetwork) {
				n.Spec.Resources = &v1alpha1.Resources{Requests: test.requests, Limits: test.limits}
			}))
			needs := c.container().Resources
			g.Expect(needs.Requests).To(HaveKey(ephemeral))
			request, limit := needs.Requests[ephemeral], needs.Limits[ephemeral]
			g.Expect(request.String()).To(Equal(test.wantRequest))
			g.Expect(limit.String()).To(Equal(test.wantLimit))
			g.Expect(volumesOf(c.set)[DataVolume].EmptyDir.SizeLimit.String()).To(Equal(test.wantLimit), "the data's own")
			g.Expect(DiskOf(&corev1.Pod{Spec: c.set.Spec.Template.Spec})).To(Equal(limit.Value()))
		})
	}

	g := NewWithT(t)
	c := childrenOf(t, networkNamed("payments", withStorage))
	g.Expect(c.container().Resources.Limits).NotTo(HaveKey(ephemeral), "with a volume nothing is on the machine's disk")
	g.Expect(DiskOf(&corev1.Pod{Spec: c.set.Spec.Template.Spec})).To(BeZero())
}

// Pods from before there was a bound have that of the namespace's LimitRange, or none.
func TestDiskOfPodsFromBefore(t *testing.T) {
	pod := func(sizeLimit, limit string) *corev1.Pod {
		data := &corev1.EmptyDirVolumeSource{}
		if sizeLimit != "" {
			data.SizeLimit = new(resource.MustParse(sizeLimit))
		}
		limits := corev1.ResourceList{}
		if limit != "" {
			limits[corev1.ResourceEphemeralStorage] = resource.MustParse(limit)
		}
		return &corev1.Pod{Spec: corev1.PodSpec{
			Containers: []corev1.Container{
				{Name: Container, Resources: corev1.ResourceRequirements{Limits: limits}},
				{Name: "beside", Resources: corev1.ResourceRequirements{Limits: list("ephemeral-storage=1")}},
			},
			Volumes: []corev1.Volume{
				{Name: authVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("1Mi"))}}},
				{Name: DataVolume, VolumeSource: corev1.VolumeSource{EmptyDir: data}},
			},
		}}
	}
	for _, test := range []struct {
		reason, sizeLimit, limit string
		want                     int64
	}{
		{"no bound", "", "", 0},
		{"that of the LimitRange", "", "2Ti", 2 << 40},
		{"a bound of the data", "1Gi", "", 1 << 30},
		{"the tighter of both", "1Gi", "2Gi", 1 << 30},
		{"the tighter of both, the other", "2Gi", "1Gi", 1 << 30},
		{"zero, which is no bound", "0", "0", 0},
	} {
		NewWithT(t).Expect(DiskOf(pod(test.sizeLimit, test.limit))).To(Equal(test.want), test.reason)
	}
}

// The tenants' LimitRange meets nodes that were recorded before there was a bound: it
// must evict none of them for its chain. And nothing that it sets may be reserved, or
// counted, as if it were used.
func TestTenantsLimitsFitTheChains(t *testing.T) {
	g := NewWithT(t)
	content, err := os.ReadFile("../../../tenants/base/limits.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	var limits corev1.LimitRange
	for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
		var kind struct {
			Kind string `json:"kind"`
		}
		g.Expect(yaml.Unmarshal(document, &kind)).To(Succeed())
		switch kind.Kind {
		case "LimitRange":
			g.Expect(yaml.UnmarshalStrict(document, &limits)).To(Succeed())
		case "ResourceQuota":
			var quota corev1.ResourceQuota
			g.Expect(yaml.UnmarshalStrict(document, &quota)).To(Succeed())
			g.Expect(quota.Spec.Hard).NotTo(HaveKey(corev1.ResourceLimitsEphemeralStorage), quota.Name)
		}
	}
	g.Expect(limits.Spec.Limits).To(HaveLen(1))
	most, little := limits.Spec.Limits[0].Default[corev1.ResourceEphemeralStorage], limits.Spec.Limits[0].DefaultRequest[corev1.ResourceEphemeralStorage]
	for _, name := range bitcoind.ChainNames() {
		chain, err := bitcoind.ChainNamed(name)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(chain.Disk).To(BeNumerically(">", 0), name)
		g.Expect(most.Value()).To(BeNumerically(">", chain.Disk), name)
	}
	g.Expect(little.Value()).To(BeNumerically("<=", 64<<20))
}

// A node has users of its own where the platform says so, and an operator that is told so
// replaces none for it.
func TestUserNamespaces(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments")
	g.Expect(setOf(network, platform).Spec.Template.Spec.HostUsers).To(BeNil())
	chosen := platform
	chosen.UserNamespaces = true
	g.Expect(setOf(network, chosen).Spec.Template.Spec.HostUsers).To(HaveValue(BeFalse()))

	live := served(t, setOf(network, platform))
	g.Expect(sorted(objectsOf(t, network, chosen, live)).set.Spec.Template.Spec.HostUsers).To(BeNil(), "one that runs is left as it is")
}
