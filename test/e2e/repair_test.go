package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A pod that comes back has another address and no peers. Its links must stand
// again within three seconds of its being ready: of the node that is only dialled,
// of the one that only dials, and of one that does both.
func TestDeletedPodIsPeeredAgain(t *testing.T) {
	g, ctx := needsCluster(t)
	network := network(g, ctx, "team-b", "lightning")
	for _, node := range network.Nodes {
		wait(g, ctx, network.Connected)
		key := client.ObjectKey{Namespace: node.Namespace, Name: node.Pod()}
		var old corev1.Pod
		g.Expect(cluster.API.Get(ctx, key, &old)).To(Succeed())
		g.Expect(cluster.API.Delete(ctx, &old)).To(Succeed())
		wait(g, ctx, readyAgain(key, old.UID))
		ready := time.Now()
		wait(g, ctx, peers(node, len(network.Nodes)-1))
		took := time.Since(ready)
		t.Logf("%s: all links stood %.1f s after the pod was ready", node, took.Seconds())
		g.Expect(took).To(BeNumerically("<", 3*time.Second), node.String())
	}
	wait(g, ctx, network.Connected)
}

// peers is so when a node itself says that it has shaken hands with that many.
func peers(node fleet.Node, want int) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		peers, err := node.Peers(ctx)
		standing := 0
		for _, peer := range peers {
			if peer.Version != 0 {
				standing++
			}
		}
		return standing >= want, fmt.Sprintf("%d of %d links stand", standing, want), err
	}
}

// readyAgain is so when another pod of that name is ready.
func readyAgain(key client.ObjectKey, old types.UID) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		var pod corev1.Pod
		err := cluster.API.Get(ctx, key, &pod)
		if apierrors.IsNotFound(err) {
			return false, "the next pod", nil
		}
		if err != nil || pod.UID == old {
			return false, "the pod to go", err
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return true, "", nil
			}
		}
		return false, "the pod to be ready", nil
	}
}

// A node that hangs keeps its port open and says nothing: the worst kind of down.
func TestNodeThatHangs(t *testing.T) {
	g, ctx := needsCluster(t)
	found := network(g, ctx, "team-b", "lightning")
	wait(g, ctx, found.Connected)
	node := found.Nodes[2]
	process := processOf(g, ctx, node)
	g.Expect(syscall.Kill(process, syscall.SIGSTOP)).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(process, syscall.SIGCONT) })

	within(t, g, ctx, "it was told of", time.Minute, tells(found, "NodesReady", "NodesNotReady", "lightning-2: it timed out"))
	now := network(g, ctx, "team-b", "lightning")
	g.Expect(now.Status.Ready).To(Equal("2/3"))
	g.Expect(now.Status.Links.Connected).To(BeEquivalentTo(1), "the others are peered all the same")

	g.Expect(syscall.Kill(process, syscall.SIGCONT)).To(Succeed())
	within(t, g, ctx, "it was back", 10*time.Second, fleet.All(cluster.Says(found.Object(), "Ready"), found.Connected))
}

// within waits for a condition that must be so in time, and logs how long it took.
func within(t *testing.T, g Gomega, ctx context.Context, what string, most time.Duration, condition fleet.Condition) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(ctx, most, fmt.Errorf("%s is what should be so within %s", what, most))
	defer cancel()
	began := time.Now()
	wait(g, ctx, condition)
	t.Logf("%s after %s", what, time.Since(began).Round(100*time.Millisecond))
}

// processOf returns the process of a node's bitcoind.
func processOf(g Gomega, ctx context.Context, node fleet.Node) int {
	return processIn(g, pod(g, ctx, node), "bitcoind")
}

// processIn returns the process of that name in a pod's one container, as the machine
// sees it.
func processIn(g Gomega, pod *corev1.Pod, program string) int {
	container := strings.TrimPrefix(pod.Status.ContainerStatuses[0].ContainerID, "containerd://")
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	g.Expect(err).NotTo(HaveOccurred())
	found := 0
	for _, name := range names {
		// Processes end while we look; those are not the one.
		comm, _ := os.ReadFile(name)
		cgroup, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "cgroup"))
		if strings.TrimSpace(string(comm)) == program && strings.Contains(string(cgroup), container) {
			found, err = strconv.Atoi(filepath.Base(filepath.Dir(name)))
			g.Expect(err).NotTo(HaveOccurred())
		}
	}
	g.Expect(found).NotTo(BeZero(), "no process %s of %s was found", program, pod.Name)
	return found
}
