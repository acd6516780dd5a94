package e2e

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A team comes by one command and one commit, changes its password and goes: as the guide
// says, with kubectl btcnet alone. Its people seal, and need no more rights than they have.
func TestTeamByTheCommand(t *testing.T) {
	g, ctx := needsClusterFor(t, 10*time.Minute)
	const name = "by-command"
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(platform.Update(ctx)).To(Succeed())
	team := team(g, ctx, name)
	for _, file := range []string{"payments.yaml", "bitcoin-rpc.yaml"} { // of an earlier run
		g.Expect(os.RemoveAll(team.Path(file))).To(Succeed())
	}
	tenant := func(code int, args ...string) fleet.Answer {
		t.Helper()
		answer, err := cluster.Btcnet(ctx, append([]string{"tenant", "--fleet=" + platform.Dir}, args...)...)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(answer.Code).To(Equal(code), "%s%s", answer.Out, answer.ErrOut)
		return answer
	}

	tenant(0, "create", name, "--in=local", "--reuse-name", "--repository="+team.Dir)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 3*time.Minute, errors.New("three minutes after the test"))
		defer cancel()
		removeTenants(NewWithT(t), ctx, platform, name)
	})
	commit, err := platform.Push(ctx, "Add "+name)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, platform.Delivery("tenants", commit).Done)
	wait(g, ctx, push(g, ctx, team, "What the command has begun").Done)
	found := network(g, ctx, name, "payments")
	ready(g, ctx, found)
	wait(g, ctx, platform.Delivery("operators", commit).Done)
	g.Expect(tenant(0, "check", name, "--live", "--in=local").Out).To(Equal(name + "\n  as create would write it\n"))

	seal := func(code int, does, says string) {
		t.Helper()
		answer, err := cluster.Btcnet(ctx, "credentials", "seal", does, "--file="+team.Path("bitcoin-rpc.yaml"),
			"--as=somebody@example.com", "--as-group="+name, "--as-group=system:authenticated")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(answer.Code).To(Equal(code), answer.ErrOut)
		g.Expect(answer.ErrOut).To(ContainSubstring(says))
	}
	old := pairOf(g, ctx, name)
	seal(1, "--finish", "with reason SecretRead, not Rotated")
	seal(0, "--rotate", "Nodes then accept both passwords")
	seal(1, "--finish", "differs from the file: push the file")
	wait(g, ctx, push(g, ctx, team, "A new password, beside the old one").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "Rotated"))
	next := pairOf(g, ctx, name)
	g.Expect(next.user).To(Equal(old.user))
	g.Expect(next.password).NotTo(Equal(old.password))
	for _, accepted := range []pair{old, next} {
		g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), accepted)).To(Succeed())
	}
	seal(0, "--finish", "the previous password is removed")
	wait(g, ctx, push(g, ctx, team, "Drop the old password").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
	ready(g, ctx, found)
	g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), next)).To(Succeed())
	g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), old)).To(MatchError(errUnauthorized), "the old password still works")

	g.Expect(tenant(0, "remove", name, "--dry-run").Out).To(And(
		ContainSubstring("- network payments, with its 3 nodes, and its chain\n"),
		ContainSubstring("- SealedSecret bitcoin-rpc, and its Secret\n"),
		ContainSubstring("- Namespace "+name+", with its limits, "),
		ContainSubstring("tenants/"+name+" would be removed\n")))
	removeTenants(g, ctx, platform, name)
	g.Expect(tenant(1, "create", name, "--in=local").ErrOut).To(ContainSubstring("What was sealed for namespace " + name + " opens there again"))
}
