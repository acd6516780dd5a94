package e2e

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// Whoever has an account may read the certificate, and nobody but the platform may change
// it, or ask sealed-secrets itself for anything.
func TestSealingNeedsTheCertificateOnly(t *testing.T) {
	g, ctx := needsCluster(t)
	everybody := map[string]authorizationv1.SubjectAccessReviewSpec{
		"a stranger":            {User: "stranger@example.com", Groups: []string{"system:authenticated"}},
		"somebody of a team":    {User: "someone@example.com", Groups: []string{"team-a", "system:authenticated"}},
		"a team's commit":       account("team-a", "reconciler"),
		"a team's operator":     account("team-a", "bitcoin-operator"),
		"what builds commits":   account("flux-tenants", "kustomize-controller"),
		"what publishes it":     account("sealing", "publisher"),
		"who has no account":    {User: "system:anonymous", Groups: []string{"system:unauthenticated"}},
		"another pod beside it": account("sealing", "default"),
	}
	for who, asks := range everybody {
		for _, test := range []struct {
			verb, what, in string
			want           bool
		}{
			{"get", "configmaps/certificate", "sealing", who != "who has no account"},
			{"update", "configmaps/certificate", "sealing", who == "what publishes it"},
			{"patch", "configmaps/certificate", "sealing", false},
			{"delete", "configmaps/certificate", "sealing", false},
			{"create", "configmaps", "sealing", false},
			{"get", "configmaps", "sealing", false},
			{"list", "configmaps", "sealing", false},
			{"get", "services/proxy", "kube-system", false},
			{"create", "services/proxy", "kube-system", false},
			{"get", "pods/proxy", "kube-system", false},
			{"create", "pods/portforward", "kube-system", false},
			{"get", "secrets", "kube-system", false},
			{"get", "secrets", "sealing", false},
		} {
			g.Expect(may(g, ctx, asks, test.verb, test.what, test.in)).To(Equal(test.want), "%s: %s %s in %s", who, test.verb, test.what, test.in)
		}
	}
}

// The certificate that is published is that of the newest sealing key. When a key is made
// anew it follows, without anybody's doing; a team seals with it, and what was sealed
// before opens still.
func TestCertificateIsRenewed(t *testing.T) {
	g, ctx := needsClusterFor(t, 10*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(platform.Update(ctx)).To(Succeed())
	wait(g, ctx, newestIsPublished(""))
	before, err := cluster.Certificate(ctx)
	g.Expect(err).NotTo(HaveOccurred())

	// As docs/security.md says for a key that has leaked: what is done when a month is over
	// is the same.
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 3*time.Minute, errors.New("three minutes after the test"))
		defer cancel()
		g := NewWithT(t)
		g.Expect(platform.Update(ctx)).To(Succeed())
		commit, err := platform.Push(ctx, "Leave sealing keys alone")
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, platform.Delivery("sealed-secrets", commit).Done)
	})
	g.Expect(platform.Edit("gitops/infrastructure/sealed-secrets/deployment.yaml", "command: [controller]\n",
		fmt.Sprintf("command: [controller]\n          args: [%q]\n", "--key-cutoff-time="+time.Now().Format(time.RFC1123Z)))).To(Succeed())
	commit, err := platform.Push(ctx, "A new sealing key")
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, fleet.All(platform.Delivery("sealed-secrets", commit).Done, newestIsPublished(before)))

	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	for _, name := range []string{"team-a", "team-b"} {
		sealed, err := os.ReadFile(team(g, ctx, name).Path(secretName + ".yaml"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(sealer.Opens(ctx, sealed)).To(BeTrue(), "what %s has sealed with the certificate of before", name)
	}
	added := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		g.Expect(team.Edit("payments.yaml", "  nodes: 3\n", "  nodes: 0\n")).To(Succeed())
	}, "sealing-anew")[0]
	wait(g, ctx, fleet.All(push(g, ctx, added, "Credentials for the new key").Done, cluster.Says(added.Secret(), "Synced")))
}

// newestIsPublished is so when the certificate is that of the newest sealing key, and
// not the one of before.
func newestIsPublished(before string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var keys corev1.SecretList
		if err := cluster.API.List(ctx, &keys, client.InNamespace("kube-system"), client.MatchingLabels{"sealedsecrets.bitnami.com/sealed-secrets-key": "active"}); err != nil {
			return false, "", err
		}
		var newest *x509.Certificate
		for _, key := range keys.Items {
			certificates, err := cert.ParseCertsPEM(key.Data[corev1.TLSCertKey])
			if err != nil {
				return false, "", fmt.Errorf("read sealing key %s: %w", key.Name, err)
			}
			if newest == nil || newest.NotBefore.Before(certificates[0].NotBefore) {
				newest = certificates[0]
			}
		}
		if newest == nil {
			return false, "a sealing key", nil
		}
		published, err := cluster.Certificate(ctx)
		if err != nil {
			return false, "", err
		}
		encoded, err := cert.EncodeCertificates(newest)
		waitingFor := fmt.Sprintf("the certificate of the newest of %d sealing keys to be published", len(keys.Items))
		return published == string(encoded) && published != before, waitingFor, err
	}
}
