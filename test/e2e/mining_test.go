package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

func TestBlocksAreMinedRegularly(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	const interval = 3 * time.Second
	network := up(t, g, ctx, "team-b", "mined", v1alpha1.BitcoinNetworkSpec{
		Nodes: 2, Secret: secretName,
		Mining: &v1alpha1.Mining{Interval: &metav1.Duration{Duration: interval}, Address: someone},
	})

	wait(g, ctx, higher(network, 4))
	heights, err := network.Heights(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	var times []int64
	for height := 1; height <= slices.Min(heights); height++ {
		hash, err := network.Nodes[1].Bitcoin(ctx, "getblockhash", fmt.Sprint(height))
		g.Expect(err).NotTo(HaveOccurred())
		type output struct{ ScriptPubKey struct{ Address string } }
		block := ask[struct {
			Time int64
			Tx   []struct{ Vout []output }
		}](g, ctx, network.Nodes[1], "getblock", hash, "2")
		g.Expect(block.Tx[0].Vout[0].ScriptPubKey.Address).To(Equal(someone))
		times = append(times, block.Time)
	}
	for i := 1; i < len(times); i++ {
		g.Expect(times[i]-times[i-1]).To(BeNumerically("~", 3, 2), "seconds between two blocks, of %v", times)
	}

	alter(g, ctx, network, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Suspend = true })
	wait(g, ctx, tells(network, "Ready", "Suspended"))
	before, err := network.Heights(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Consistently(func() ([]int, error) { return network.Heights(ctx) }, 3*interval, time.Second).Should(Equal(before), "a suspended network mines nothing")
}

// higher is so when all nodes of a network have more blocks.
func higher(network fleet.Network, than int) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		heights, err := network.Heights(ctx)
		return err == nil && slices.Min(heights) > than, fmt.Sprintf("more than %d blocks on the nodes of %s: they have %v", than, network, heights), err
	}
}

// bitcoind relays nothing until there is a block that is not older than a day.
func TestFreshNetworkHasTheBlockThatItNeedsToRelay(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	left := up(t, g, ctx, "team-b", "not-fresh", v1alpha1.BitcoinNetworkSpec{
		Nodes: 2, Secret: secretName, Mining: &v1alpha1.Mining{KeepFresh: new(false)},
	})
	kept := up(t, g, ctx, "team-b", "fresh", v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName})

	type chain struct {
		Blocks               int
		InitialBlockDownload bool
	}
	wait(g, ctx, higher(kept, 0))
	for _, node := range kept.Nodes {
		g.Expect(ask[chain](g, ctx, node, "getblockchaininfo")).To(Equal(chain{1, false}), "%s", node)
	}
	told(g, ctx, kept.Object(), ContainElement(And(HavePrefix("Normal Mined: "), ContainSubstring("there was none"))))
	for _, node := range left.Nodes {
		g.Expect(ask[chain](g, ctx, node, "getblockchaininfo")).To(Equal(chain{0, true}), "%s is left as it is", node)
	}
}
