package e2e

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// conformanceImage is how the image is called in the cluster that `make conformance` is
// for: a name that the tests' teams may use.
const conformanceImage = "localhost/conformance/bitcoind:tested"

// tested is the image of networks that name none. By default the platform's is.
var tested string

// testImage has networks run an image of somebody else's, as it is.
func testImage(ctx context.Context, image string) error {
	if err := cluster.PullImage(ctx, image); err != nil {
		return err
	}
	tested = conformanceImage
	return cluster.TagImage(ctx, image, conformanceImage)
}

// An image that was made by people who know nothing of the operator runs unmodified.
func TestAnyImageWithBitcoind(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	image := tested
	if image == "" {
		var err error
		image, err = cluster.LoadStock(ctx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	any := up(t, g, ctx, "team-a", "any-image", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName, Image: image})
	for _, node := range any.Nodes {
		spec := pod(g, ctx, node).Spec
		g.Expect(spec.Containers[0].Image).To(Equal(image))
		g.Expect(spec.InitContainers).To(HaveLen(1), "the entry point comes from the operator's image")
	}
	tip := mine(g, ctx, any, 0, 3)
	for _, node := range any.Nodes {
		g.Eventually(ctx, func() (bool, error) { return node.Has(ctx, tip) }, "30s", "1s").Should(BeTrue(), "%s has the block", node)
	}
	version, err := cluster.Kubectl(ctx, "exec", any.Nodes[0].Pod(), "--namespace", "team-a", "--", "bitcoin-cli", "-version")
	g.Expect(err).NotTo(HaveOccurred())
	t.Logf("%s: %s", image, version)
}
