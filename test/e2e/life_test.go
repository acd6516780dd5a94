package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

func TestNetworkGrowsAndShrinks(t *testing.T) {
	g, ctx := needsClusterFor(t, 10*time.Minute)
	grown := up(t, g, ctx, "team-a", "grows", v1alpha1.BitcoinNetworkSpec{Nodes: 23, Secret: secretName})
	for _, nodes := range []int{9, 30} {
		before := lives(g, ctx, "team-a", "grows")
		scale(g, ctx, grown, int32(nodes))
		ready(g, ctx, grown)
		after := lives(g, ctx, "team-a", "grows")
		g.Expect(after).To(HaveLen(nodes))
		for ordinal := range min(len(before), nodes) {
			pod := fmt.Sprintf("grows-%d", ordinal)
			g.Expect(after).To(HaveKeyWithValue(pod, before[pod]), "%s was restarted on the way to %d", pod, nodes)
		}
	}
}

// A network that is deleted and made again while its pods still end says what it waits
// for, and comes up when the last of them has ended. The StatefulSet controller, which
// finds their names taken, would be tried ever more seldom.
func TestNetworkIsMadeAgainWhileItsPodsEnd(t *testing.T) {
	const namespace, name = "team-a", "again"
	g, ctx := needsCluster(t)
	spec := v1alpha1.BitcoinNetworkSpec{Nodes: 2, Secret: secretName}
	first := up(t, g, ctx, namespace, name, spec)
	process := processOf(g, ctx, first.Nodes[0])
	g.Expect(syscall.Kill(process, syscall.SIGSTOP)).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(process, syscall.SIGCONT) })

	g.Expect(cluster.API.Delete(ctx, &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}})).To(Succeed())
	second := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: spec}
	g.Expect(cluster.API.Create(ctx, second)).To(Succeed())
	wait(g, ctx, says(first.Object(), "Ready", "waiting for again-0 of an earlier StatefulSet to be gone"))
	g.Consistently(func(g Gomega) {
		sets, err := cluster.Kubectl(ctx, "get", "statefulsets", "--namespace="+namespace, "--selector=bitcoin-operator.github.io/network="+name, "--output=name")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(sets).To(BeEmpty())
	}, "20s", "1s").Should(Succeed())

	before := pod(g, ctx, first.Nodes[0])
	g.Expect(syscall.Kill(process, syscall.SIGCONT)).To(Succeed())
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		var now corev1.Pod
		err := cluster.API.Get(ctx, client.ObjectKeyFromObject(before), &now)
		return apierrors.IsNotFound(err) || now.UID != before.UID, "the pod to end", client.IgnoreNotFound(err)
	})
	within(t, g, ctx, "the network is up", 10*time.Second, cluster.Says(first.Object(), "Ready"))
	ready(g, ctx, network(g, ctx, namespace, name))
}

// The kubelet starts an operator again that was killed, and it goes on from what it
// sees.
func TestOperatorIsKilled(t *testing.T) {
	const namespace, name = "team-b", "outlives"
	g, ctx := needsClusterFor(t, 10*time.Minute)
	outlives := up(t, g, ctx, namespace, name, v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	tip := mine(g, ctx, outlives, 0, 5)

	scale(g, ctx, outlives, 12)
	wait(g, ctx, atLeast(namespace, name, 4))
	killOperator(g, ctx, namespace)
	ready(g, ctx, outlives)
	scale(g, ctx, outlives, 5)
	killOperator(g, ctx, namespace)
	ready(g, ctx, outlives)
	g.Expect(lives(g, ctx, namespace, name)).To(HaveLen(5))

	before := lives(g, ctx, namespace, name)
	alter(g, ctx, outlives, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = []v1alpha1.ConfigLine{"maxmempool=20"} })
	wait(g, ctx, replaced(namespace, name, before, 2))
	killOperator(g, ctx, namespace)
	wait(g, ctx, replaced(namespace, name, before, 5))
	ready(g, ctx, outlives)
	between := lives(g, ctx, namespace, name)
	wait(g, ctx, has(network(g, ctx, namespace, name), tip))
	g.Consistently(func() map[string]life { return lives(g, ctx, namespace, name) }, "10s", "1s").Should(Equal(between), "a node was replaced twice")
}

// killOperator kills the operator of a namespace, and waits until it is ready again.
func killOperator(g Gomega, ctx context.Context, namespace string) {
	operator := func() *corev1.Pod {
		var pods corev1.PodList
		g.Expect(cluster.API.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/name": "bitcoin-operator"})).To(Succeed())
		g.Expect(pods.Items).To(HaveLen(1))
		return &pods.Items[0]
	}
	killed := operator()
	g.Expect(syscall.Kill(processIn(g, killed, "operator"), syscall.SIGKILL)).To(Succeed())
	wait(g, ctx, func(context.Context) (bool, string, error) {
		now := operator().Status.ContainerStatuses[0]
		return now.RestartCount > killed.Status.ContainerStatuses[0].RestartCount && now.Ready, "the operator to be back", nil
	})
}

// atLeast is so when so many pods of a network are there.
func atLeast(namespace, name string, pods int) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var list corev1.PodList
		err := cluster.API.List(ctx, &list, client.InNamespace(namespace), labelled(name))
		return len(list.Items) >= pods, fmt.Sprintf("%d of %d pods", len(list.Items), pods), err
	}
}

// replaced is so when so many nodes live another life than before.
func replaced(namespace, name string, before map[string]life, nodes int) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var list corev1.PodList
		err := cluster.API.List(ctx, &list, client.InNamespace(namespace), labelled(name))
		others := 0
		for _, pod := range list.Items {
			if before[pod.Name].UID != pod.UID {
				others++
			}
		}
		return others >= nodes, fmt.Sprintf("%d of %d nodes to be replaced", others, nodes), err
	}
}

// A network may be there before its credentials, for as long as it takes.
func TestSecretComesLate(t *testing.T) {
	g, ctx := needsClusterFor(t, 8*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	late := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		g.Expect(os.Rename(team.Path("bitcoin-rpc.yaml"), team.Path("bitcoin-rpc.later"))).To(Succeed())
	}, "late")[0]
	payments := fleet.Object{Kind: fleet.BitcoinNetwork, Namespace: late.Name, Name: "payments"}
	wait(g, ctx, fleet.All(push(g, ctx, late, "A network without credentials").Tried, says(payments, "CredentialsReady", "does not exist in namespace late")))

	g.Consistently(func(g Gomega) {
		state, err := cluster.State(ctx, payments)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(state.Not("CredentialsReady")).To(BeTrue(), state.Message("CredentialsReady"))
		g.Expect(state.Is("Stalled")).To(BeFalse(), "nobody needs to act here but the team")
		g.Expect(pods(g, ctx, late.Name)).To(BeEmpty(), "a node was started without credentials")
	}, time.Minute, 2*time.Second).Should(Succeed())

	g.Expect(os.Rename(late.Path("bitcoin-rpc.later"), late.Path("bitcoin-rpc.yaml"))).To(Succeed())
	delivery := push(g, ctx, late, "Its credentials")
	within(t, g, ctx, "it came up", time.Minute, delivery.Done)
}

// Whoever watches a network reads one thing after the other, none twice, and none
// that is not so.
func TestStatusReadsLikeATrueStory(t *testing.T) {
	t.Parallel()
	g, ctx := needsCluster(t)
	watched, err := cluster.Watch(ctx, &v1alpha1.BitcoinNetworkList{}, client.InNamespace("team-a"), client.MatchingFields{"metadata.name": "story"})
	g.Expect(err).NotTo(HaveOccurred())
	told := make(chan []string)
	go func() { told <- storyOf(watched.ResultChan()) }()

	story := up(t, g, ctx, "team-a", "story", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	scale(g, ctx, story, 6)
	ready(g, ctx, story)
	before := lives(g, ctx, "team-a", "story")
	alter(g, ctx, story, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = []v1alpha1.ConfigLine{"maxmempool=20"} })
	wait(g, ctx, replaced("team-a", "story", before, 6))
	ready(g, ctx, story)
	watched.Stop()

	heard := <-told
	t.Logf("it said: %v", heard)
	g.Expect(heard).NotTo(ContainElement(ContainSubstring("Degraded")), "all of this was asked for")
	g.Expect(slices.DeleteFunc(slices.Clone(heard), func(line string) bool { return !strings.HasPrefix(line, "True ") })).To(Equal([]string{
		"True Connected 3/3", "True Connected 6/6", "True Connected 6/6",
	}), "Ready once when it came up, once when it had grown, once when it had rolled, and then with all its nodes")
	g.Expect(heard[len(heard)-1]).To(HavePrefix("True "))
}

// storyOf returns what a network says one after the other of being Ready: the status,
// the reason, and how many nodes are.
func storyOf(changes <-chan watch.Event) []string {
	var story []string
	for change := range changes {
		network, ok := change.Object.(*v1alpha1.BitcoinNetwork)
		if !ok || network.Status.ObservedGeneration != network.Generation {
			continue
		}
		ready := meta.FindStatusCondition(network.Status.Conditions, "Ready")
		line := fmt.Sprintf("%s %s", ready.Status, ready.Reason)
		if meta.FindStatusCondition(network.Status.Conditions, "Reconciling") != nil {
			line += " " + meta.FindStatusCondition(network.Status.Conditions, "Reconciling").Reason
		}
		if ready.Status == metav1.ConditionTrue {
			line += " " + network.Status.Ready
		}
		if len(story) == 0 || story[len(story)-1] != line {
			story = append(story, line)
		}
	}
	return story
}
