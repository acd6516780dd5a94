package resources

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// list makes figures of "cpu=10m" and the like.
func list(figures ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for _, figure := range figures {
		name, quantity, _ := strings.Cut(figure, "=")
		list[corev1.ResourceName(name)] = resource.MustParse(quantity)
	}
	return list
}

func figures(list corev1.ResourceList) string {
	var figures []string
	for _, name := range slices.Sorted(maps.Keys(list)) {
		quantity := list[name]
		figures = append(figures, fmt.Sprintf("%s=%s", name, quantity.String()))
	}
	return strings.Join(figures, " ")
}

// What is missing has the chain's default, as far as that fits: the API server
// refuses a request that is more than its limit.
func TestRequirements(t *testing.T) {
	for _, test := range []struct {
		reason           string
		chain            func(*v1alpha1.BitcoinNetwork)
		requests, limits corev1.ResourceList
		wantRequests     string
		wantLimits       string
		caches           string // dbcache and maxmempool
	}{
		{"nothing said, regtest", on(v1alpha1.Regtest), nil, nil, "cpu=10m memory=64Mi", "memory=512Mi", "128 64"},
		{"nothing said, a signet of one's own", ownSignet, nil, nil, "cpu=10m memory=64Mi", "memory=512Mi", "128 64"},
		{"nothing said, the public signet", on(v1alpha1.Signet), nil, nil, "cpu=100m memory=1Gi", "memory=4Gi", "1024 512"},
		{"nothing said, testnet4", on(v1alpha1.Testnet4), nil, nil, "cpu=100m memory=1Gi", "memory=4Gi", "1024 512"},
		{"nothing said, main", on(v1alpha1.Main), nil, nil, "cpu=100m memory=1Gi", "memory=4Gi", "1024 512"},
		{"all said", on(v1alpha1.Main), list("cpu=2", "memory=3Gi"), list("cpu=4", "memory=8Gi"), "cpu=2 memory=3Gi", "cpu=4 memory=8Gi", "2048 1024"},
		{"no request of CPU", on(v1alpha1.Main), list("memory=3Gi"), list("cpu=4", "memory=8Gi"), "cpu=100m memory=3Gi", "cpu=4 memory=8Gi", "2048 1024"},
		{"no request of CPU, and a limit below the default", on(v1alpha1.Main), list("memory=3Gi"), list("cpu=50m", "memory=8Gi"), "cpu=50m memory=3Gi", "cpu=50m memory=8Gi", "2048 1024"},
		{"no request of memory", on(v1alpha1.Main), list("cpu=2"), list("cpu=4", "memory=8Gi"), "cpu=2 memory=1Gi", "cpu=4 memory=8Gi", "2048 1024"},
		{"no request of memory, and a limit below the default", on(v1alpha1.Main), list("cpu=2"), list("memory=700Mi"), "cpu=2 memory=700Mi", "memory=700Mi", "175 87"},
		{"no limit of CPU: there is none by default", on(v1alpha1.Main), list("cpu=2", "memory=3Gi"), list("memory=8Gi"), "cpu=2 memory=3Gi", "memory=8Gi", "2048 1024"},
		{"no limit of memory", on(v1alpha1.Main), list("cpu=2", "memory=3Gi"), list("cpu=4"), "cpu=2 memory=3Gi", "cpu=4 memory=4Gi", "1024 512"},
		{"no limit of memory, and a request above the default", on(v1alpha1.Main), list("memory=6Gi"), nil, "cpu=100m memory=6Gi", "memory=6Gi", "1536 768"},
		{"no limit of memory, and a request above the default, regtest", on(v1alpha1.Regtest), list("memory=1Gi"), nil, "cpu=10m memory=1Gi", "memory=1Gi", "256 128"},
		{"requests alone", on(v1alpha1.Regtest), list("cpu=1", "memory=100Mi"), nil, "cpu=1 memory=100Mi", "memory=512Mi", "128 64"},
		{"limits alone", on(v1alpha1.Regtest), nil, list("cpu=1", "memory=100Mi"), "cpu=10m memory=64Mi", "cpu=1 memory=100Mi", "25 12"},
		{"limits alone, both below the defaults", on(v1alpha1.Regtest), nil, list("cpu=5m", "memory=32Mi"), "cpu=5m memory=32Mi", "cpu=5m memory=32Mi", "8 5"},
		{"empty lists", on(v1alpha1.Regtest), list(), list(), "cpu=10m memory=64Mi", "memory=512Mi", "128 64"},
		{"other resources stay", on(v1alpha1.Regtest), list("example.com/disk=1"), list("example.com/disk=1"), "cpu=10m example.com/disk=1 memory=64Mi", "example.com/disk=1 memory=512Mi", "128 64"},
		{"a limit of 0, which is none for the kubelet", on(v1alpha1.Regtest), nil, list("memory=0"), "cpu=10m memory=0", "memory=0", ""},
		{"a fraction", on(v1alpha1.Regtest), nil, list("memory=1.5Gi"), "cpu=10m memory=64Mi", "memory=1536Mi", "384 192"},
		{"powers of ten", on(v1alpha1.Regtest), nil, list("memory=1G"), "cpu=10m memory=64Mi", "memory=1G", "238 119"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			c := childrenOf(t, networkNamed("payments", test.chain, func(n *v1alpha1.BitcoinNetwork) {
				if test.requests != nil || test.limits != nil {
					n.Spec.Resources = &v1alpha1.Resources{Requests: test.requests, Limits: test.limits}
				}
			}))
			needs := c.container().Resources
			for _, list := range []corev1.ResourceList{needs.Requests, needs.Limits} {
				delete(list, corev1.ResourceEphemeralStorage) // TestDisk
			}
			g.Expect(figures(needs.Requests)).To(Equal(test.wantRequests), "requests")
			g.Expect(figures(needs.Limits)).To(Equal(test.wantLimits), "limits")
			g.Expect(needs.Claims).To(BeEmpty())
			for name, request := range needs.Requests {
				if limit, limited := needs.Limits[name]; limited {
					g.Expect(request.Cmp(limit)).To(BeNumerically("<=", 0), "%s: more than its limit", name)
				}
			}

			var caches []string
			for _, line := range regexp.MustCompile(`(?m)^(?:dbcache|maxmempool)=(\d+)$`).FindAllStringSubmatch(c.conf(t), -1) {
				caches = append(caches, line[1])
			}
			g.Expect(strings.Join(caches, " ")).To(Equal(test.caches), "caches follow the memory limit")
		})
	}
}

func TestResourcesWithNothingInThemAreTheDefaults(t *testing.T) {
	network := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Resources = &v1alpha1.Resources{} })
	NewWithT(t).Expect(childrenOf(t, network).container().Resources).To(Equal(childrenOf(t, networkNamed("payments")).container().Resources))
}
