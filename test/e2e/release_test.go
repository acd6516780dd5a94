package e2e

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A platform of somebody's own: releases in a registry, signed; a fleet repository that
// refers to one, and has no copy of it; a first team by the command; and the next release
// by one commit, which restarts no node.
func TestSlowProductionFromARelease(t *testing.T) {
	slow(t)
	g, ctx := needsClusterFor(t, 40*time.Minute)
	const name, first, second = "released", "v0.0.1", "v0.0.2"
	images := startRegistry(t)
	project, err := cluster.Project(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(project.NewKeys(ctx)).To(Succeed())
	for _, version := range []string{first, second} {
		g.Expect(project.Release(ctx, version, images)).To(Succeed())
		t.Cleanup(func() { _ = cluster.RemoveImage(context.WithoutCancel(ctx), images+"/operator:"+version) })
	}

	platform, err := cluster.FleetOf(ctx, project, first, images)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(platform.AddTenant(ctx, name)).To(Succeed())
	commit, err := platform.Push(ctx, "A cluster at "+first)
	g.Expect(err).NotTo(HaveOccurred())
	demo := network(g, ctx, "team-a", "payments")
	demoLived := lives(g, ctx, demo.Namespace, demo.Name)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 5*time.Minute, errors.New("five minutes after the test"))
		defer cancel()
		followLocal(NewWithT(t), ctx, name)
	})
	g.Expect(platform.Bootstrap(ctx)).To(Succeed())
	follow(g, ctx, platform, commit)

	team := team(g, ctx, name)
	g.Expect(team.Seed()).To(Succeed())
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(team.SealCredentials(ctx, sealer)).To(Succeed())
	wait(g, ctx, push(g, ctx, team, "A network").Done)
	payments := network(g, ctx, name, "payments")
	ready(g, ctx, payments)
	mine(g, ctx, payments, 0, 3)
	runs(g, ctx, name, images, first)
	lived, set := lives(g, ctx, name, payments.Name), generation(g, ctx, payments)

	g.Expect(platform.Upgrade(ctx, project, first, second)).To(Succeed())
	commit, err = platform.Push(ctx, "Upgrade to "+second)
	g.Expect(err).NotTo(HaveOccurred())
	pushed := time.Now()
	follow(g, ctx, platform, commit)
	t.Logf("the release was there %s after the push", time.Since(pushed).Round(time.Second))
	for _, namespace := range []string{name, "team-a"} {
		runs(g, ctx, namespace, images, second)
	}
	look(g, ctx, payments)
	ready(g, ctx, payments)
	g.Consistently(func(g Gomega) {
		g.Expect(lives(g, ctx, name, payments.Name)).To(Equal(lived), "a node was restarted")
		g.Expect(generation(g, ctx, payments)).To(Equal(set), "the StatefulSet was written")
		g.Expect(lives(g, ctx, demo.Namespace, demo.Name)).To(Equal(demoLived), "a node that was there before the release was restarted")
	}, "20s", "2s").Should(Succeed())
}

// startRegistry serves a registry until the test ends, and returns the prefix of its
// repositories. It is on loopback, where containerd asks without TLS.
func startRegistry(t *testing.T) string {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String() + "/bitcoin-operator"
}

// follow waits until Flux has applied all of a fleet's commit.
func follow(g Gomega, ctx context.Context, platform *fleet.Fleet, commit string) {
	for _, kustomization := range []string{"flux-system", "sealed-secrets", "crds", "policies", "flux-tenants", "tenants", "operators"} {
		wait(g, ctx, platform.Delivery(kustomization, commit).Done)
	}
}

// followLocal has Flux go by the local cluster's fleet again, in which a team is not.
func followLocal(g Gomega, ctx context.Context, team string) {
	local, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(local.Bootstrap(ctx)).To(Succeed())
	commit, err := local.Head(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	follow(g, ctx, local, commit)
	wait(g, ctx, gone(team))
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team}}
	g.Expect(client.IgnoreNotFound(cluster.API.Delete(ctx, namespace))).To(Succeed())
	wait(g, ctx, namespaceGone(team))
}

var builtAs = regexp.MustCompile(`(?m)^bitcoin_operator_build_info\{.*\bversion="([^"]*)".*\} 1$`)

// runs holds that a namespace's operator was pulled from a registry, and says that it is of
// a release.
func runs(g Gomega, ctx context.Context, namespace, images, version string) {
	var operator appsv1.Deployment
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "bitcoin-operator"}, &operator)).To(Succeed())
	g.Expect(operator.Spec.Template.Spec.Containers[0].Image).To(Equal(images + "/operator:" + version))
	g.Expect(builtAs.FindStringSubmatch(metrics(g, ctx, namespace))).To(HaveExactElements(Not(BeEmpty()), Equal(version)))
}
