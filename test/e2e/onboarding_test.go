package e2e

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
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
	tenant := func(args ...string) (string, error) {
		return cluster.Btcnet(ctx, append([]string{"tenant", "--fleet=" + platform.Dir}, args...)...)
	}

	_, err = tenant("create", name, "--in=local", "--reuse-name", "--repository="+team.Dir)
	g.Expect(err).NotTo(HaveOccurred())
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
	checked, err := tenant("check", name, "--live", "--in=local")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(checked).To(Equal(name + "\n  as create would write it\n"))

	seal := func(args ...string) error {
		people := []string{"credentials", "seal", "--as=somebody@example.com", "--as-group=" + name, "--as-group=system:authenticated"}
		_, err := cluster.Btcnet(ctx, append(append(people, "--file="+team.Path("bitcoin-rpc.yaml")), args...)...)
		return err
	}
	old := pairOf(g, ctx, name)
	g.Expect(seal("--finish")).To(MatchError(ContainSubstring("with reason SecretRead, and not Rotated")))
	g.Expect(seal("--rotate")).To(Succeed())
	g.Expect(seal("--finish")).To(MatchError(ContainSubstring("is not that of the file: push the file")))
	wait(g, ctx, push(g, ctx, team, "A new password, beside the old one").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "Rotated"))
	next := pairOf(g, ctx, name)
	g.Expect(next.user).To(Equal(old.user))
	g.Expect(next.password).NotTo(Equal(old.password))
	for _, accepted := range []pair{old, next} {
		g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), accepted)).To(Succeed())
	}
	g.Expect(seal("--finish")).To(Succeed())
	wait(g, ctx, push(g, ctx, team, "Drop the old password").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
	ready(g, ctx, found)
	g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), next)).To(Succeed())
	g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), old)).To(MatchError(errUnauthorized), "the old password still works")

	told, err := tenant("remove", name, "--dry-run")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(told).To(And(
		ContainSubstring("- network payments, with its 3 nodes, and its chain\n"),
		ContainSubstring("- SealedSecret bitcoin-rpc, and its Secret\n"),
		ContainSubstring("- Namespace "+name+", with its limits, "),
		ContainSubstring("tenants/"+name+" would be removed\n")))
	removeTenants(g, ctx, platform, name)
	_, err = tenant("create", name, "--in=local")
	g.Expect(err).To(MatchError(ContainSubstring("What was sealed for namespace " + name + " opens there again")))
}
