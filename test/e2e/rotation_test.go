package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// pair is a user and a password.
type pair struct{ user, password string }

// A password changes while a client calls every node ten times a second: it uses
// the old pair until the status says that the new one works everywhere. No call may
// fail but to the node that is being replaced, and none for its password.
func TestPasswordChangesUnderAClient(t *testing.T) {
	g, ctx := needsCluster(t)
	team := team(g, ctx, "team-b")
	found := network(g, ctx, "team-b", "lightning")
	wait(g, ctx, found.Connected)
	before := lives(g, ctx, "team-b", "lightning")
	block, err := found.Nodes[0].Mine(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	old := pairOf(g, ctx, "team-b")
	next := pair{"lightning operator", strings.Repeat(`"p#ss' w\rd $(x) `, 12) + "ü" + rand.Text()}
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())

	calls := startCalls(ctx, found.Nodes, old)
	t.Cleanup(func() { calls.stop() })

	g.Expect(team.Seal(ctx, sealer, map[string]string{
		"BC_RPC_USER": next.user, "BC_RPC_PASSWORD": next.password,
		"BC_RPC_USER_PREVIOUS": old.user, "BC_RPC_PASSWORD_PREVIOUS": old.password,
	})).To(Succeed())
	wait(g, ctx, push(g, ctx, team, "A new password, beside the old one").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "Rotated"))
	calls.use(next)
	made := calls.made.Load()

	g.Expect(team.Seal(ctx, sealer, map[string]string{"BC_RPC_USER": next.user, "BC_RPC_PASSWORD": next.password})).To(Succeed())
	wait(g, ctx, push(g, ctx, team, "Drop the old password").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
	wait(g, ctx, cluster.NetworksReady("team-b"))
	wait(g, ctx, found.Connected)

	g.Expect(calls.made.Load()).To(BeNumerically(">", made+50), "the client went on")
	g.Expect(calls.stop()).To(BeEmpty(), "of %d calls", calls.made.Load())
	after := lives(g, ctx, "team-b", "lightning")
	for pod, life := range before {
		g.Expect(after[pod].UID).NotTo(Equal(life.UID), "%s was not replaced", pod)
	}
	having, err := found.Having(ctx, block)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(having).To(HaveLen(len(found.Nodes)), "the chain was lost on the way")
	g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), old)).To(MatchError(errUnauthorized), "the old password still works")
}

// hasReason is so when a network's condition has a reason, for what was asked last.
func hasReason(network fleet.Network, condition, reason string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		now, err := cluster.Network(ctx, network.Namespace, network.Name)
		for _, found := range now.Status.Conditions {
			if found.Type == condition {
				return found.Reason == reason, found.Message, err
			}
		}
		return false, "no condition", err
	}
}

func pairOf(g Gomega, ctx context.Context, namespace string) pair {
	var secret corev1.Secret
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "bitcoin-rpc"}, &secret)).To(Succeed())
	return pair{string(secret.Data["BC_RPC_USER"]), string(secret.Data["BC_RPC_PASSWORD"])}
}

// calls is a client that calls nodes every 100 ms, and keeps what it cannot excuse.
type calls struct {
	made    atomic.Int64
	current atomic.Pointer[pair]
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	failed []string
}

func startCalls(ctx context.Context, nodes []fleet.Node, with pair) *calls {
	ctx, cancel := context.WithCancel(ctx)
	c := &calls{cancel: cancel}
	c.use(with)
	for _, node := range nodes {
		c.running.Go(func() {
			for tick := time.NewTicker(100 * time.Millisecond); ; {
				select {
				case <-ctx.Done():
					tick.Stop()
					return
				case <-tick.C:
					c.call(ctx, node)
				}
			}
		})
	}
	return c
}

func (c *calls) use(next pair) { c.current.Store(&next) }

// stop ends the calls and returns those that failed.
func (c *calls) stop() []string {
	c.cancel()
	c.running.Wait()
	return c.failed
}

func (c *calls) call(ctx context.Context, node fleet.Node) {
	began := time.Now()
	address := addressOf(ctx, node)
	err := call(ctx, address, *c.current.Load())
	c.made.Add(1)
	if err == nil || ctx.Err() != nil || !errors.Is(err, errUnauthorized) && isBeingReplaced(ctx, node, address, began) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = append(c.failed, fmt.Sprintf("%s at %s: %v", node, began.Format(time.StampMilli), err))
}

var errUnauthorized = errors.New("unauthorized")

func call(ctx context.Context, address string, with pair) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+":18443/", strings.NewReader(`{"method": "getblockcount"}`))
	if err != nil {
		return err
	}
	request.SetBasicAuth(with.user, with.password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized:
		return errUnauthorized
	default:
		return errors.New(response.Status)
	}
}

func podOf(ctx context.Context, node fleet.Node) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	return pod, cluster.API.Get(ctx, client.ObjectKey{Namespace: node.Namespace, Name: node.Pod()}, pod)
}

// addressOf returns where a node's pod is, or nothing while it is nowhere.
func addressOf(ctx context.Context, node fleet.Node) string {
	pod, err := podOf(ctx, node)
	if err != nil {
		return ""
	}
	return pod.Status.PodIP
}

// isBeingReplaced tells whether a call that began then could not succeed: the pod
// was on its way out, or not yet ready.
func isBeingReplaced(ctx context.Context, node fleet.Node, address string, began time.Time) bool {
	pod, err := podOf(ctx, node)
	if err != nil || pod.DeletionTimestamp != nil || pod.Status.PodIP != address {
		return true
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			// Times in conditions are of whole seconds.
			return condition.Status != corev1.ConditionTrue || condition.LastTransitionTime.After(began.Add(-time.Second))
		}
	}
	return true
}
