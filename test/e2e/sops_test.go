package e2e

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A team commits its Secret encrypted with SOPS, for a key of its own, and changes its
// password: as docs/secrets.md says. Nothing else comes to its namespace by that.
func TestSecretBySOPS(t *testing.T) {
	g, ctx := needsClusterFor(t, 10*time.Minute)
	const name = "by-sops"
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	sops, err := cluster.SOPS(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	team := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		g.Expect(team.Edit("payments.yaml", "nodes: 3", "nodes: 1")).To(Succeed())
	}, name)[0]
	g.Expect(os.Remove(team.Path("bitcoin-rpc.yaml"))).To(Succeed())
	kustomization := fleet.Object{Kind: fleet.Kustomization, Namespace: name, Name: "networks"}
	payments := fleet.Object{Kind: fleet.BitcoinNetwork, Namespace: name, Name: "payments"}
	old := map[string]string{"BC_RPC_USER": name, "BC_RPC_PASSWORD": "old"}

	t.Run("a team without the switch is refused", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(team.Encrypt(ctx, sops, old)).To(Succeed())
		tried := push(g, ctx, team, "A Secret").Tried
		wait(g, ctx, fleet.All(tried, says(kustomization, "Ready", `cannot patch resource "secrets"`)))
	})

	g.Expect(platform.Edit("tenants/"+name+"/kustomization.yaml", "  - ../base\n", "  - ../base\n  - ../sops\n")).To(Succeed())
	g.Expect(platform.Edit("tenants/"+name+"/tenant.yaml", "  secret: bitcoin-rpc\n", "  secret: bitcoin-rpc\n  secretFrom: sops\n")).To(Succeed())
	commit, err := platform.Push(ctx, "Secrets of "+name+" by SOPS")
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, platform.Delivery("tenants", commit).Done)

	t.Run("it waits for its key, and says so", func(t *testing.T) {
		g := NewWithT(t)
		tried := push(g, ctx, team, "A Secret").Tried
		wait(g, ctx, fleet.All(tried, says(kustomization, "Ready", `secrets "sops-age" not found`)))
	})
	key := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "sops-age"},
		StringData: map[string]string{name + ".agekey": sops.Key},
	}
	g.Expect(cluster.API.Create(ctx, key)).To(Succeed())
	t.Cleanup(func() { // the platform's: nobody else takes it away
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		NewWithT(t).Expect(client.IgnoreNotFound(cluster.API.Delete(ctx, key))).To(Succeed())
	})
	wait(g, ctx, push(g, ctx, team, "A Secret").Done)
	found := network(g, ctx, name, "payments")
	ready(g, ctx, found)
	g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), pair{name, "old"})).To(Succeed())

	t.Run("the key is for what builds commits alone", func(t *testing.T) {
		g := NewWithT(t)
		builds := account("flux-tenants", "kustomize-controller")
		g.Expect(may(g, ctx, builds, "get", "secrets/sops-age", name)).To(BeTrue())
		g.Expect(may(g, ctx, builds, "get", "secrets/sops-age", "team-a")).To(BeFalse())
		g.Expect(may(g, ctx, builds, "get", "secrets/bitcoin-rpc", name)).To(BeFalse())
		g.Expect(may(g, ctx, builds, "list", "secrets", name)).To(BeFalse())
		for _, who := range []string{"reconciler", "bitcoin-operator", "default", "source-controller"} {
			g.Expect(may(g, ctx, account(name, who), "get", "secrets/sops-age", name)).To(BeFalse(), who)
		}
	})

	t.Run("nothing else comes that way", func(t *testing.T) {
		for _, attempt := range []struct {
			reason, want string
			data         map[string]string
			also         func(*corev1.Secret)
		}{
			{"another Secret", `cannot patch resource "secrets"`, old, func(s *corev1.Secret) { s.Name = "another" }},
			{"the key itself", `cannot patch resource "secrets"`, old, func(s *corev1.Secret) { s.Name = "sops-age" }},
			{"a key that nodes keep", "data, stringData: LEAK is not allowed", map[string]string{"LEAK": "old"}, func(*corev1.Secret) {}},
			{"what copies it elsewhere", "example.com/copy-to is not allowed", old, func(s *corev1.Secret) { s.Labels = map[string]string{"example.com/copy-to": "team-a"} }},
			{"one that is not decrypted", "kustomize.toolkit.fluxcd.io/decrypt is not allowed", old, func(s *corev1.Secret) {
				s.Annotations = map[string]string{"kustomize.toolkit.fluxcd.io/decrypt": "disabled"}
			}},
		} {
			g := NewWithT(t)
			g.Expect(team.Encrypt(ctx, sops, attempt.data, attempt.also)).To(Succeed())
			tried := push(g, ctx, team, attempt.reason).Tried
			wait(g, ctx, fleet.All(tried, says(kustomization, "Ready", attempt.want)))
			g.Expect(pairOf(g, ctx, name)).To(Equal(pair{name, "old"}), attempt.reason)
		}
	})

	t.Run("the password changes", func(t *testing.T) {
		g := NewWithT(t)
		next := map[string]string{"BC_RPC_USER": name, "BC_RPC_PASSWORD": "new"}
		g.Expect(team.Encrypt(ctx, sops, map[string]string{
			"BC_RPC_USER": name, "BC_RPC_PASSWORD": "new", "BC_RPC_USER_PREVIOUS": name, "BC_RPC_PASSWORD_PREVIOUS": "old",
		})).To(Succeed())
		wait(g, ctx, push(g, ctx, team, "A new password, beside the old one").Done)
		wait(g, ctx, hasReason(found, "CredentialsReady", "Rotated"))
		for _, password := range []string{"old", "new"} {
			g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), pair{name, password})).To(Succeed(), password)
		}
		g.Expect(team.Encrypt(ctx, sops, next)).To(Succeed())
		wait(g, ctx, push(g, ctx, team, "Drop the old password").Done)
		wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
		ready(g, ctx, found)
		g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), pair{name, "old"})).To(MatchError(errUnauthorized), "the old password still works")
		printed, err := os.ReadFile(team.Path("bitcoin-rpc.yaml"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(strings.Contains(string(printed), "ENC[AES256_GCM,")).To(BeTrue(), "it is not in Git")
	})

	t.Run("what is no longer in Git goes, and the message names no SealedSecret", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(os.Remove(team.Path("bitcoin-rpc.yaml"))).To(Succeed())
		tried := push(g, ctx, team, "No Secret").Tried
		wait(g, ctx, fleet.All(tried, says(payments, "CredentialsReady", `Secret "bitcoin-rpc" does not exist in namespace by-sops; commit the credentials under that name`)))
		err := cluster.API.Get(ctx, client.ObjectKey{Namespace: name, Name: "bitcoin-rpc"}, &corev1.Secret{})
		g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "%v", err)
	})
	g.Expect(cluster.API.Delete(ctx, key)).To(Succeed())
	removeTenants(g, ctx, platform, name)
}
