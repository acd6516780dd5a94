package e2e

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// The chain of a network without volumes is in its pods alone. It must survive that
// all of them are replaced, and a mistake on the way.
func TestImageChangeKeepsEveryBlock(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	const missing, next = "localhost/e2e/missing:1", "localhost/e2e/bitcoind:next"
	rolled := up(t, g, ctx, "team-a", "rolled", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	g.Expect(cluster.TagImage(ctx, rolled.Status.Image, next)).To(Succeed())
	t.Cleanup(func() { _ = cluster.RemoveImage(context.WithoutCancel(ctx), next) })
	tip := mine(g, ctx, rolled, 0, 5)
	before := lives(g, ctx, "team-a", "rolled")

	alter(g, ctx, rolled, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = missing })
	wait(g, ctx, tells(rolled, "NodesReady", "NodesNotReady", "2 of 3 nodes answer RPC", missing))
	stayed := 0
	for pod, life := range lives(g, ctx, "team-a", "rolled") {
		if before[pod] == life {
			stayed++
		}
	}
	g.Expect(stayed).To(Equal(2), "an image that does not exist takes one node, and no more")

	corrected := time.Now()
	alter(g, ctx, rolled, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = next })
	ready(g, ctx, rolled)
	t.Logf("three nodes were replaced in %.0f s", time.Since(corrected).Seconds())
	for _, node := range rolled.Nodes {
		replaced := pod(g, ctx, node)
		g.Expect(replaced.Spec.Containers[0].Image).To(Equal(next))
		g.Expect(replaced.UID).NotTo(Equal(before[node.Pod()].UID))
		g.Expect(node.Has(ctx, tip)).To(BeTrue(), "%s has the block", node)
	}
	g.Expect(network(g, ctx, "team-a", "rolled").Status.Image).To(Equal(next))
	g.Expect(rolled.Heights(ctx)).To(HaveEach(BeNumerically(">=", 5)))
}

func TestNetworkWhoseImageIsWrongComesUpWhenItIsCorrected(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	wrong := create(t, g, ctx, "team-a", "wrong-image", v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName, Image: "localhost/e2e/missing:1"})
	wait(g, ctx, tells(wrong, "NodesReady", "NodesNotReady", "0 of 2 nodes answer RPC", "localhost/e2e/missing:1"))

	alter(g, ctx, wrong, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "localhost/pause:1" })
	wait(g, ctx, tells(wrong, "NodesReady", "NodesNotReady", "the image has no bitcoind on its PATH"))

	corrected := time.Now()
	alter(g, ctx, wrong, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "" })
	ready(g, ctx, wrong)
	t.Logf("it was up %.0f s after it was corrected", time.Since(corrected).Seconds())
}
