package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// Most tests have a network of their own, beside those in Git, and so do not
// disturb each other.

// secretName is the Secret that a team's operator may read.
const secretName = "bitcoin-rpc"

// create makes a network of the test's own, which goes when the test ends.
func create(t *testing.T, g Gomega, ctx context.Context, namespace, name string, spec v1alpha1.BitcoinNetworkSpec) fleet.Network {
	t.Helper()
	spec.Image = cmp.Or(spec.Image, tested)
	created := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: spec}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 2*time.Minute, errors.New("two minutes after the test"))
		defer cancel()
		if t.Failed() {
			story, _ := cluster.Kubectl(ctx, "describe", "btcnet", name, "--namespace", namespace)
			t.Log(story)
		}
		remove(NewWithT(t), ctx, created)
	})
	g.Expect(cluster.API.Create(ctx, created)).To(Succeed())
	return network(g, ctx, namespace, name)
}

// remove deletes a network, and waits until its pods and volumes have gone.
func remove(g Gomega, ctx context.Context, network *v1alpha1.BitcoinNetwork) {
	g.Expect(client.IgnoreNotFound(cluster.API.Delete(ctx, network))).To(Succeed())
	its := []client.ListOption{client.InNamespace(network.Namespace), labelled(network.Name)}
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		var pods corev1.PodList
		err := cluster.API.List(ctx, &pods, its...)
		return err == nil && len(pods.Items) == 0, fmt.Sprintf("%d pods of %s to go", len(pods.Items), network.Name), err
	})
	g.Expect(cluster.API.DeleteAllOf(ctx, &corev1.PersistentVolumeClaim{}, client.InNamespace(network.Namespace), labelled(network.Name))).To(Succeed())
}

// labelled selects what is a network's.
func labelled(network string) client.MatchingLabels {
	return client.MatchingLabels{"bitcoin-operator.github.io/network": network}
}

// up creates a network and waits until it is Ready and its links stand.
func up(t *testing.T, g Gomega, ctx context.Context, namespace, name string, spec v1alpha1.BitcoinNetworkSpec) fleet.Network {
	t.Helper()
	created := create(t, g, ctx, namespace, name, spec)
	ready(g, ctx, created)
	return network(g, ctx, namespace, name)
}

// ready waits until a network is Ready as it is wanted now, and its nodes report
// the links that are planned for it.
func ready(g Gomega, ctx context.Context, of fleet.Network) {
	wait(g, ctx, cluster.Says(of.Object(), "Ready"))
	wait(g, ctx, network(g, ctx, of.Namespace, of.Name).Connected)
}

// alter changes what a network should be.
func alter(g Gomega, ctx context.Context, of fleet.Network, edit func(spec *v1alpha1.BitcoinNetworkSpec)) {
	g.Expect(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		var resource v1alpha1.BitcoinNetwork
		if err := cluster.API.Get(ctx, client.ObjectKey{Namespace: of.Namespace, Name: of.Name}, &resource); err != nil {
			return err
		}
		edit(&resource.Spec)
		return cluster.API.Update(ctx, &resource)
	})).To(Succeed())
}

// scale changes how many nodes a network should have.
func scale(g Gomega, ctx context.Context, of fleet.Network, nodes int32) {
	alter(g, ctx, of, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = nodes })
}

// tells is so when a condition has a reason, and all of these texts in its message.
func tells(of fleet.Network, condition, reason string, texts ...string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		state, err := cluster.State(ctx, of.Object())
		if err != nil {
			return false, "", err
		}
		for _, told := range state.Conditions {
			if told.Type != condition {
				continue
			}
			missing := ""
			for _, text := range texts {
				if !strings.Contains(told.Message, text) {
					missing = text
				}
			}
			if told.Reason == reason && missing == "" {
				return true, "", nil
			}
			return false, fmt.Sprintf("%s of %s to be %s and say %q; it is %s, %s: %s", condition, of, reason, missing, told.Status, told.Reason, told.Message), nil
		}
		return false, fmt.Sprintf("%s of %s", condition, of), nil
	}
}

// ask asks a node, with bitcoin-cli in its pod, and reads what it answers.
func ask[Answer any](g Gomega, ctx context.Context, node fleet.Node, question ...string) (answer Answer) {
	text, err := node.Bitcoin(ctx, question...)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal([]byte(text), &answer)).To(Succeed(), text)
	return answer
}

// configOf reads a node's bitcoin.conf, in its container.
func configOf(g Gomega, ctx context.Context, node fleet.Node) string {
	read, err := cluster.Kubectl(ctx, "exec", node.Pod(), "--namespace", node.Namespace, "--", "cat", "/home/bitcoin/.bitcoin/bitcoin.conf")
	g.Expect(err).NotTo(HaveOccurred())
	return read
}

// mine mines blocks on a node, waits until all nodes have the last, and returns its
// hash.
func mine(g Gomega, ctx context.Context, on fleet.Network, node, blocks int) string {
	last := ""
	for range blocks {
		var err error
		last, err = on.Nodes[node].Mine(ctx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	wait(g, ctx, has(on, last))
	return last
}

// has is so when all nodes of a network have a block.
func has(network fleet.Network, block string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		having, err := network.Having(ctx, block)
		return len(having) == len(network.Nodes), fmt.Sprintf("a block on all nodes of %s: %d of %d have it", network, len(having), len(network.Nodes)), err
	}
}

// pod reads a node's pod.
func pod(g Gomega, ctx context.Context, node fleet.Node) *corev1.Pod {
	var found corev1.Pod
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: node.Namespace, Name: node.Pod()}, &found)).To(Succeed())
	return &found
}

// someone is an address on regtest.
const someone = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
