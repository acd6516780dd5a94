package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
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
// fail for its password. Others may fail while a node starts again: of one node at a
// time, and for three seconds at most. A container that is started a second time within
// ten minutes, the kubelet lets wait for ten seconds.
func TestPasswordChangesUnderAClient(t *testing.T) { changePasswordUnderAClient(t, 3) }

func changePasswordUnderAClient(t *testing.T, nodes int32) {
	g, ctx := needsClusterFor(t, 10*time.Minute)
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	const name = "rotating"
	team := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		g.Expect(team.Edit("payments.yaml", "nodes: 3", fmt.Sprintf("nodes: %d", nodes))).To(Succeed())
	}, name)[0]
	wait(g, ctx, push(g, ctx, team, "A network").Done)
	found := network(g, ctx, name, "payments")
	wait(g, ctx, found.Connected)
	before := lives(g, ctx, name, "payments")
	block := mine(g, ctx, found, 0, 1)
	old := pairOf(g, ctx, name)
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
	made, rotated := calls.made.Load(), time.Now()

	g.Expect(team.Seal(ctx, sealer, map[string]string{"BC_RPC_USER": next.user, "BC_RPC_PASSWORD": next.password})).To(Succeed())
	wait(g, ctx, push(g, ctx, team, "Drop the old password").Done)
	wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
	wait(g, ctx, cluster.NetworksReady(name))
	wait(g, ctx, found.Connected)

	g.Expect(calls.made.Load()).To(BeNumerically(">", made+50), "the client went on")
	calls.failedOneNodeAtATime(t, g, rotated)
	for pod, life := range lives(g, ctx, name, "payments") {
		g.Expect(life.UID).To(Equal(before[pod].UID), "%s was replaced", pod)
	}
	having, err := found.Having(ctx, block)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(having).To(HaveLen(len(found.Nodes)), "the chain was lost on the way")
	g.Expect(call(ctx, addressOf(ctx, found.Nodes[0]), old)).To(MatchError(errUnauthorized), "the old password still works")
}

// failedOneNodeAtATime stops the calls, and expects that none of them failed for its
// password, and the others of one node at a time, while it started again: from some
// moment on for the second time.
func (c *calls) failedOneNodeAtATime(t *testing.T, g Gomega, secondFrom time.Time) {
	t.Helper()
	outages := c.stop()
	t.Logf("of %d calls failed: %v", c.made.Load(), outages)
	for i, outage := range outages {
		g.Expect(outage.unauthorized).To(BeZero(), "%s", outage)
		most := 3 * time.Second
		if outage.from.After(secondFrom) {
			most += 12 * time.Second
		}
		g.Expect(outage.until.Sub(outage.from)).To(BeNumerically("<=", most), "%s", outage)
		g.Expect(i == 0 || outages[i-1].until.Before(outage.from)).To(BeTrue(), "two nodes were down at a time: %v", outages)
	}
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

// outage is when calls of one node failed, one after the other.
type outage struct {
	node         fleet.Node
	from, until  time.Time
	unauthorized int
	last         error
}

func (o outage) String() string {
	return fmt.Sprintf("%s from %s for %s, %d unauthorized: %v", o.node, o.from.Format(time.StampMilli), o.until.Sub(o.from).Round(time.Millisecond), o.unauthorized, o.last)
}

// calls is a client that calls nodes every 100 ms, and keeps when that failed.
type calls struct {
	made    atomic.Int64
	current atomic.Pointer[pair]
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	outages []outage
}

func startCalls(ctx context.Context, nodes []fleet.Node, with pair) *calls {
	ctx, cancel := context.WithCancel(ctx)
	c := &calls{cancel: cancel}
	c.use(with)
	for _, node := range nodes {
		address := addressOf(ctx, node)
		c.running.Go(func() {
			var down *outage
			for tick := time.NewTicker(100 * time.Millisecond); ; {
				select {
				case <-ctx.Done():
					tick.Stop()
					return
				case <-tick.C:
					down = c.call(ctx, node, address, down)
				}
			}
		})
	}
	return c
}

func (c *calls) use(next pair) { c.current.Store(&next) }

// stop ends the calls and returns the outages, the first one first.
func (c *calls) stop() []outage {
	c.cancel()
	c.running.Wait()
	slices.SortFunc(c.outages, func(a, b outage) int { return a.from.Compare(b.from) })
	return c.outages
}

// call calls a node, and returns the outage that it is in.
func (c *calls) call(ctx context.Context, node fleet.Node, address string, down *outage) *outage {
	began := time.Now()
	err := call(ctx, address, *c.current.Load())
	c.made.Add(1)
	switch {
	case ctx.Err() != nil:
		return down
	case err == nil && down != nil:
		down.until = began
		c.mu.Lock()
		defer c.mu.Unlock()
		c.outages = append(c.outages, *down)
		return nil
	case err == nil:
		return nil
	case down == nil:
		down = &outage{node: node, from: began}
	}
	down.last = err
	if errors.Is(err, errUnauthorized) {
		down.unauthorized++
	}
	return down
}

var (
	errUnauthorized = errors.New("unauthorized")
	errForbidden    = errors.New("forbidden")
)

func call(ctx context.Context, address string, with pair) error {
	return callMethod(ctx, address, with, "getblockcount")
}

func callMethod(ctx context.Context, address string, with pair, method string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+":18443/", strings.NewReader(fmt.Sprintf(`{"method": %q}`, method)))
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
	case http.StatusForbidden:
		return errForbidden
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
