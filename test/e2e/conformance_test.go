package e2e

import (
	"context"
	"os"
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
	if tested == "" {
		t.Skip("needs an image: run make conformance IMAGE=…")
	}
	any := up(t, g, ctx, "team-a", "any-image", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	for _, node := range any.Nodes {
		spec := pod(g, ctx, node).Spec
		g.Expect(spec.Containers[0].Image).To(Equal(tested))
		g.Expect(spec.InitContainers).To(HaveLen(1), "the entry point comes from the operator's image")
	}
	version, err := cluster.Kubectl(ctx, "exec", any.Nodes[0].Pod(), "--namespace", "team-a", "--", "bitcoin-cli", "-version")
	g.Expect(err).NotTo(HaveOccurred())
	t.Logf("%s: %s", os.Getenv("CONFORMANCE_IMAGE"), version)
}
