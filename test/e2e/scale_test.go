package e2e

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestScalingInGitRestartsNobody(t *testing.T) {
	g, ctx := needsCluster(t)
	team := team(g, ctx, "team-a")
	before := lives(g, ctx, "team-a", "payments")
	g.Expect(before).To(HaveLen(3))
	t.Cleanup(func() {
		if t.Failed() { // leave the network as it was
			_ = team.Edit("payments.yaml", "nodes: 12", "nodes: 3")
			_, _ = team.Push(context.WithoutCancel(ctx), "nodes: 3")
		}
	})

	for _, step := range []struct {
		from, to string
		nodes    int
		links    string
	}{
		{"nodes: 3", "nodes: 12", 12, "60/60"},
		{"nodes: 12", "nodes: 3", 3, "3/3"},
	} {
		g.Expect(team.Edit("payments.yaml", step.from, step.to)).To(Succeed())
		wait(g, ctx, push(g, ctx, team, step.to).Done)

		network := network(g, ctx, "team-a", "payments")
		g.Expect(network.Nodes).To(HaveLen(step.nodes))
		g.Expect(network.Status.Links.Summary).To(Equal(step.links))
		wait(g, ctx, network.Connected)
		after := lives(g, ctx, "team-a", "payments")
		for pod, life := range before {
			g.Expect(after).To(HaveKeyWithValue(pod, life), "%s was restarted by %s", pod, step.to)
		}
	}
}

// life is one life of a node: another container is another life.
type life struct {
	UID      types.UID
	Restarts int32
}

// lives returns the lives of a network's nodes, by pod.
func lives(g Gomega, ctx context.Context, namespace, network string) map[string]life {
	var pods corev1.PodList
	g.Expect(cluster.API.List(ctx, &pods, client.InNamespace(namespace),
		client.MatchingLabels{"bitcoin-operator.github.io/network": network})).To(Succeed())
	lives := map[string]life{}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil {
			continue
		}
		lives[pod.Name] = life{UID: pod.UID}
		for _, container := range pod.Status.ContainerStatuses {
			lives[pod.Name] = life{pod.UID, container.RestartCount}
		}
	}
	return lives
}
