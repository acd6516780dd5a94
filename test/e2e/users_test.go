package e2e

import (
	"crypto/rand"
	"maps"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A user who may look at things gets what it may, and is refused the rest. Its password
// changes under it as the operator's own does, and the operator's own does not.
func TestUserOfSomeMethods(t *testing.T) {
	g, ctx := needsClusterFor(t, 10*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	const name = "limited"
	keys := fleet.NewCredentials(name)
	admin, old, next := pair{name, keys["BC_RPC_PASSWORD"]}, pair{"watch-only", rand.Text()}, pair{"watch-only", rand.Text()}
	seal := func(team *fleet.Team, more map[string]string) {
		t.Helper()
		data := maps.Clone(keys)
		maps.Copy(data, more)
		g.Expect(team.Seal(ctx, sealer, data)).To(Succeed())
	}
	team := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		g.Expect(team.Edit("payments.yaml", "  chain: regtest\n", "  chain: regtest\n  users:\n    - {name: watch-only, profile: read}\n")).To(Succeed())
		seal(team, map[string]string{"BC_RPC_PASSWORD_WATCH_ONLY": old.password})
	}, name)[0]
	wait(g, ctx, push(g, ctx, team, "A network with a user").Done)
	found := network(g, ctx, name, "payments")
	wait(g, ctx, found.Connected)
	wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
	before := lives(g, ctx, name, "payments")

	for _, node := range found.Nodes {
		at := addressOf(ctx, node)
		for _, method := range []string{"getblockchaininfo", "getmempoolinfo", "getnetworkinfo", "uptime"} {
			g.Expect(callMethod(ctx, at, old, method)).To(Succeed(), "%s of %s", method, node)
		}
		for _, method := range []string{"stop", "getaddednodeinfo", "clearbanned", "listwallets", "savemempool"} {
			g.Expect(callMethod(ctx, at, old, method)).To(MatchError(errForbidden), "%s of %s", method, node)
		}
		g.Expect(callMethod(ctx, at, admin, "getaddednodeinfo")).To(Succeed(), "the operator's own user may call everything")
		g.Expect(callMethod(ctx, at, pair{name, old.password}, "uptime")).To(MatchError(errUnauthorized))
	}

	calls := startCalls(ctx, found.Nodes, old)
	t.Cleanup(func() { calls.stop() })
	seal(team, map[string]string{"BC_RPC_PASSWORD_WATCH_ONLY": next.password, "BC_RPC_PASSWORD_WATCH_ONLY_PREVIOUS": old.password})
	wait(g, ctx, push(g, ctx, team, "A new password for the user, beside the old one").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "Rotated"))
	calls.use(next)
	made, rotated := calls.made.Load(), time.Now()

	seal(team, map[string]string{"BC_RPC_PASSWORD_WATCH_ONLY": next.password})
	wait(g, ctx, push(g, ctx, team, "Drop the user's old password").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
	wait(g, ctx, cluster.NetworksReady(name))
	g.Expect(calls.made.Load()).To(BeNumerically(">", made+50), "the client went on")
	calls.failedOneNodeAtATime(t, g, rotated)
	for pod, life := range lives(g, ctx, name, "payments") {
		g.Expect(life.UID).To(Equal(before[pod].UID), "%s was replaced", pod)
	}
	at := addressOf(ctx, found.Nodes[0])
	g.Expect(call(ctx, at, old)).To(MatchError(errUnauthorized), "the old password still works")
	g.Expect(callMethod(ctx, at, next, "stop")).To(MatchError(errForbidden))

	// Without its password the user is out, and nobody else is.
	seal(team, nil)
	wait(g, ctx, push(g, ctx, team, "Take the user's password away").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "UsersRejected"))
	wait(g, ctx, cluster.NetworksReady(name))
	g.Eventually(func() error { return call(ctx, at, next) }, "3m", "1s").Should(MatchError(errUnauthorized))
	g.Expect(call(ctx, at, admin)).To(Succeed())
}
