package e2e

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// btcnet runs kubectl btcnet as somebody of team-b, who has the Role `people` and no more.
func btcnet(g Gomega, ctx context.Context, args ...string) fleet.Answer {
	answer, err := cluster.Btcnet(ctx, append(args, "--namespace=team-b", "--as=someone@example.com", "--as-group=team-b")...)
	g.Expect(err).NotTo(HaveOccurred())
	return answer
}

// explains waits until status of a network ends so, and says all of that.
func explains(g Gomega, ctx context.Context, network string, code int, texts ...string) {
	g.Eventually(func(g Gomega) {
		answer := btcnet(g, ctx, "status", network)
		g.Expect(answer.Code).To(Equal(code), "%s%s", answer.Out, answer.ErrOut)
		g.Expect(answer.Out).NotTo(ContainSubstring("not looked at"))
		for _, text := range texts {
			g.Expect(answer.Out).To(ContainSubstring(text))
		}
	}, "90s", "1s").Should(Succeed())
}

// What is wrong with a network, and what to do next, a person is told by one command.
func TestBtcnetTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	up(t, g, ctx, "team-b", "told", v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName})
	explains(g, ctx, "told", 0, "team-b/told: healthy")
	explains(g, ctx, "not-told", 2, `there is no network "not-told"`)

	answer := btcnet(g, ctx, "suspend", "told")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	g.Expect(answer.Out).To(ContainSubstring("suspended by spec.suspend"))
	explains(g, ctx, "told", 2, "✗ Network: Suspended", "kubectl btcnet resume told -n team-b")
	answer = btcnet(g, ctx, "resume", "told")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	explains(g, ctx, "told", 0)

	create(t, g, ctx, "team-b", "told-image", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName, Image: "localhost/e2e/missing:1"})
	explains(g, ctx, "told-image", 2, "✗ Nodes: ", "localhost/e2e/missing:1", "Correct spec.image", "docs/troubleshooting.md#image-pull")
	create(t, g, ctx, "team-b", "told-split", v1alpha1.BitcoinNetworkSpec{
		Nodes: 3, Secret: secretName, Config: []v1alpha1.ConfigLine{"maxsendbuffer=0"},
	})
	explains(g, ctx, "told-split", 2, "✗ Links: Split", "docs/troubleshooting.md#split")
}

// Also what waits, what does not fit, and nodes that do not agree.
func TestBtcnetTellsWhatWaits(t *testing.T) {
	t.Parallel()
	g, ctx := needsClusterFor(t, 8*time.Minute)
	waits := up(t, g, ctx, "team-b", "waits", v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName})
	create(t, g, ctx, "team-b", "waits-quota", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName, Resources: &v1alpha1.Resources{
		Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("900Gi")},
	}})
	explains(g, ctx, "waits-quota", 2, "✗ Objects: FailedCreate", "exceeded quota", "docs/troubleshooting.md#status-unknown-for-quota")

	answer := btcnet(g, ctx, "pay", "waits", someone, "99")
	g.Expect(answer.Code).To(Equal(1))
	explains(g, ctx, "waits", 0, "! Requests: ", "docs/troubleshooting.md#a-request-is-refused")

	tip := mine(g, ctx, waits, 0, 1)
	_, err := waits.Nodes[1].Bitcoin(ctx, "invalidateblock", tip)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = waits.Nodes[1].Mine(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	explains(g, ctx, "waits", 2, "✗ Tips: Fork", "docs/troubleshooting.md#tips-differ")
	_, err = waits.Nodes[1].Bitcoin(ctx, "reconsiderblock", tip)
	g.Expect(err).NotTo(HaveOccurred())
	answer = btcnet(g, ctx, "mine", "waits", "1")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	explains(g, ctx, "waits", 0, "team-b/waits: healthy")

	alter(g, ctx, waits, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "localhost/e2e/missing:1" })
	explains(g, ctx, "waits", 2, "✗ Nodes: ", "waits-0 waits for waits-1 to serve", "docs/troubleshooting.md#image-pull")
	alter(g, ctx, waits, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "" })
	ready(g, ctx, waits)
	explains(g, ctx, "waits", 0, "team-b/waits: healthy")
}

// A person has blocks and coins, more nodes, and the nodes' logs by the same command.
func TestBtcnetDoesWhatPeopleMay(t *testing.T) {
	t.Parallel()
	g, ctx := needsClusterFor(t, 8*time.Minute)
	used := up(t, g, ctx, "team-b", "used", v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName})
	answer := btcnet(g, ctx, "mine", "used", "110")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	g.Expect(answer.Out).To(ContainSubstring("mined 110 blocks"))
	wait(g, ctx, higher(used, 109))
	answer = btcnet(g, ctx, "pay", "used", someone, "2.5")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	answer = btcnet(g, ctx, "pay", "used", someone, "101")
	g.Expect(answer.Code).To(Equal(1))
	g.Expect(answer.ErrOut).To(ContainSubstring("spec.pay.amount: the platform allows 100 BTC per request in this namespace, not 101"))

	answer = btcnet(g, ctx, "look", "used")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	answer = btcnet(g, ctx, "scale", "used", "3")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	g.Expect(answer.Out).To(ContainSubstring("3 nodes answer RPC"))
	answer = btcnet(g, ctx, "logs", "used", "--tail=20")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	g.Expect(answer.Out).To(And(ContainSubstring("used-0 "), ContainSubstring("used-2 ")))
}

// Who may read the Secret and forward ports asks a node; people may neither.
func TestBtcnetAsksNodes(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	up(t, g, ctx, "team-b", "called", v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName})
	answer := btcnet(g, ctx, "rpc", "called", "getblockcount")
	g.Expect(answer.Code).To(Equal(1))
	g.Expect(answer.ErrOut).To(ContainSubstring(`secrets "` + secretName + `" is forbidden`))

	asPlatform := func(args ...string) fleet.Answer {
		answer, err := cluster.Btcnet(ctx, append([]string{"rpc", "--namespace=team-b"}, args...)...)
		g.Expect(err).NotTo(HaveOccurred())
		return answer
	}
	answer = asPlatform("called/1", "getblockcount")
	g.Expect(answer.Code).To(Equal(0), answer.ErrOut)
	height, err := strconv.Atoi(strings.TrimSpace(answer.Out))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(height).To(BeNumerically(">=", 0))
	answer = asPlatform("called/1", "getblockhash", "1000000")
	g.Expect(answer.Code).To(Equal(1))
	g.Expect(answer.ErrOut).To(ContainSubstring("Block height out of range"))
}
