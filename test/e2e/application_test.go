package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// An application on LND's own backend, in another namespace and with a user who may do
// just that, and one that syncs headers by P2P, live through all that a network goes
// through: they miss no block, and the first sees each within five seconds of a primary's
// being there.
func TestSlowApplicationsLiveThroughIt(t *testing.T) {
	slow(t)
	t.Parallel()
	const team, market, image = "trading", "market", "localhost/e2e/application:1"
	g, ctx := needsClusterFor(t, 15*time.Minute)
	g.Expect(cluster.LoadApplication(ctx, image)).To(Succeed())
	t.Cleanup(func() { _ = cluster.RemoveImage(context.WithoutCancel(ctx), image) })
	old, next := pair{"lnd", rand.Text()}, pair{"lnd", rand.Text()}
	trading := supply(t, g, ctx, team, market, connected, old)
	found, host := trading.network, trading.host()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: market, Name: "bitcoin"}, StringData: map[string]string{"password": old.password}}
	g.Expect(cluster.API.Create(ctx, secret)).To(Succeed())
	applications := live{network: found, lnd: runApplication(t, g, ctx, market, "lightning", image, host), indexer: runApplication(t, g, ctx, market, "headers", image, host)}
	miner := startMiner(ctx, found, trading.admin())
	t.Cleanup(func() { miner.stop() })

	phase := func(name string, happens func(g Gomega)) {
		t.Run(name, func(t *testing.T) {
			g, began := NewWithT(t), time.Now()
			happens(g)
			wait(g, ctx, cluster.Says(found.Object(), "Ready")) // its nodes' links are not all: one application is a peer, too
			applications.followed(t, g, ctx, began, miner)
		})
	}
	phase("nothing", func(Gomega) {})
	phase("the primary's pod is lost", func(g Gomega) {
		lost := primaryOf(g, ctx, found)
		g.Expect(cluster.API.Delete(ctx, pod(g, ctx, lost))).To(Succeed())
		wait(g, ctx, leadsElsewhere(found, lost))
	})
	phase("all nodes are replaced, and the operator is killed meanwhile", func(g Gomega) {
		before := lives(g, ctx, team, "payments")
		g.Expect(trading.Edit("payments.yaml", "  chain: regtest\n", "  chain: regtest\n  config: [maxmempool=20]\n")).To(Succeed())
		delivery := push(g, ctx, trading.Team, "Another configuration")
		wait(g, ctx, fleet.All(delivery.Begun, replaced(team, "payments", before, 1)))
		killOperator(g, ctx, team)
		wait(g, ctx, fleet.All(delivery.Done, replaced(team, "payments", before, 3)))
	})
	phase("the password changes", func(g Gomega) {
		trading.deliver(g, ctx, "A new password for lnd, beside the old one", map[string]string{"BC_RPC_PASSWORD_LND": next.password, "BC_RPC_PASSWORD_LND_PREVIOUS": old.password})
		wait(g, ctx, hasReason(found, "CredentialsReady", "Rotated"))
		secret.StringData = map[string]string{"password": next.password}
		g.Expect(cluster.API.Update(ctx, secret)).To(Succeed())
		// The kubelet writes it to the pod when it looks at that.
		_, err := cluster.Kubectl(ctx, "annotate", "pod", "lightning", "--namespace="+market, "looked-at="+time.Now().Format(time.RFC3339Nano))
		g.Expect(err).NotTo(HaveOccurred())
		wait(g, ctx, func(ctx context.Context) (bool, string, error) {
			account, err := applications.lnd.account(ctx)
			return account.Sessions == 2, "the application to use the new password", err
		})
		trading.deliver(g, ctx, "Drop lnd's old password", map[string]string{"BC_RPC_PASSWORD_LND": next.password})
		wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
		wait(g, ctx, rejects(found, old))
	})
	phase("the primary's node hangs", func(g Gomega) {
		hangPrimary(t, g, ctx, found)
	})

	for what, application := range map[string]application{"lightning": applications.lnd, "headers": applications.indexer} {
		account, err := application.account(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		t.Logf("%s followed %d blocks; %d were taken back, and %d told twice", what, len(account.Chain), account.TakenBack, account.Repeated)
		for i, hash := range account.Chain {
			var want string
			g.Expect(fleet.Call(ctx, addressOf(ctx, found.Nodes[0])+":18443", miner.pair, &want, "getblockhash", int(account.First)+i)).To(Succeed())
			g.Expect(hash).To(Equal(want), "block %d of %s", int(account.First)+i, what)
		}
	}
}

// A supplier is a team whose network payments applications of another namespace live off.
type supplier struct {
	*fleet.Team
	network fleet.Network
	keys    map[string]string // its Secret's own
	sealer  *fleet.Sealer
}

// supply adds a team, whose network says this as well and lets in a user lnd, waits until
// that is ready, and makes the namespace of those who live off it.
func supply(t *testing.T, g Gomega, ctx context.Context, team, market, says string, lnd pair) supplier {
	t.Helper()
	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	s := supplier{keys: fleet.NewCredentials(team)}
	s.sealer, err = cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	s.Team = addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		g.Expect(team.Edit("payments.yaml", "  chain: regtest\n", "  chain: regtest\n"+says)).To(Succeed())
	}, team)[0]
	for _, key := range []string{"clientNamespaces", "peerNamespaces"} {
		g.Expect(platform.Edit("tenants/"+team+"/tenant.yaml", "data:\n", "data:\n  "+key+": "+market+"\n")).To(Succeed())
	}
	commit, err := platform.Push(ctx, "Let "+team+" let in "+market)
	g.Expect(err).NotTo(HaveOccurred())
	wait(g, ctx, platform.Delivery("tenants", commit).Done)
	s.deliver(g, ctx, "A network for applications", map[string]string{"BC_RPC_PASSWORD_LND": lnd.password})
	s.network = network(g, ctx, team, "payments")
	ready(g, ctx, s.network)
	wait(g, ctx, higher(s.network, 0))

	g.Expect(cluster.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: market}})).To(Succeed())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 2*time.Minute, errors.New("two minutes after the test"))
		defer cancel()
		removeNamespace(NewWithT(t), ctx, market)
	})
	return s
}

// deliver commits the Secret with these passwords of users beside its own.
func (s supplier) deliver(g Gomega, ctx context.Context, message string, passwords map[string]string) {
	data := maps.Clone(s.keys)
	maps.Copy(data, passwords)
	g.Expect(s.Seal(ctx, s.sealer, data)).To(Succeed())
	wait(g, ctx, push(g, ctx, s.Team, message).Done)
}

// host is where applications reach the network.
func (s supplier) host() string { return "payments-primary." + s.Name + ".svc.cluster.local" }

// admin is who may call everything.
func (s supplier) admin() fleet.Pair {
	return fleet.Pair{User: s.keys["BC_RPC_USER"], Password: s.keys["BC_RPC_PASSWORD"]}
}

// connected is what a network says that serves applications of the namespace market.
const connected = `  zmq: [rawblock, rawtx]
  users:
    - name: lnd
      profile: lightning
  clients:
    - namespaces: [market]
      podLabels: {app: lightning}
      ports: [rpc, zmq]
    - namespaces: [market]
      podLabels: {app: headers}
      ports: [p2p]
`

// An application is a pod with test/application.
type application struct{ address string }

// runApplication runs an application until its namespace goes, and waits until it follows.
func runApplication(t *testing.T, g Gomega, ctx context.Context, namespace, what, image, host string) application {
	made := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: what, Labels: map[string]string{"app": what}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken:  new(false),
			TerminationGracePeriodSeconds: new(int64(1)),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(1000)), FSGroup: new(int64(1000)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "application", Image: image, Args: []string{what},
				Env: []corev1.EnvVar{
					{Name: "LISTEN", Value: ":8080"},
					{Name: "RPC", Value: host + ":18443"}, {Name: "P2P", Value: host + ":18444"},
					{Name: "ZMQ_RAWBLOCK", Value: "tcp://" + host + ":28332"}, {Name: "ZMQ_RAWTX", Value: "tcp://" + host + ":28333"},
					{Name: "RPC_USER", Value: "lnd"}, {Name: "RPC_PASSWORD_FILE", Value: "/bitcoin/password"},
				},
				VolumeMounts:    []corev1.VolumeMount{{Name: "bitcoin", MountPath: "/bitcoin", ReadOnly: true}},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
			Volumes: []corev1.Volume{{Name: "bitcoin", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "bitcoin"}}}},
		},
	}
	g.Expect(cluster.API.Create(ctx, made)).To(Succeed())
	var application application
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := cluster.Kubectl(context.WithoutCancel(ctx), "logs", what, "--namespace="+namespace)
			t.Logf("%s said: %s", what, said)
		}
	})
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		if err := cluster.API.Get(ctx, client.ObjectKeyFromObject(made), made); err != nil || made.Status.PodIP == "" {
			return false, "the pod " + what, err
		}
		application.address = made.Status.PodIP + ":8080"
		account, err := application.account(ctx)
		return account.Sessions > 0, what + " to follow", err
	})
	return application
}

// A report is what an application says of the chain that it follows.
type report struct {
	Tip                 struct{ Height int }
	First               int32
	Chain, Missed       []string
	Repeated, TakenBack int
	Waits               []struct {
		Height int
		At     time.Time
		Waited time.Duration
	}
	Away     []struct{ From, Until time.Time }
	Sessions int
}

func (a application) account(ctx context.Context) (account report, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.address+"/", nil)
	if err != nil {
		return account, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return account, err
	}
	defer response.Body.Close()
	return account, json.NewDecoder(response.Body).Decode(&account)
}

// live are applications that live off a network.
type live struct {
	network      fleet.Network
	lnd, indexer application
}

// followed expects that they have followed the network since a moment, and still do.
func (l live) followed(t *testing.T, g Gomega, ctx context.Context, since time.Time, miner *miner) {
	t.Helper()
	mined := miner.height()
	for what, application := range map[string]application{"lightning": l.lnd, "headers": l.indexer} {
		within(t, g, ctx, what+" follows", 10*time.Second, func(ctx context.Context) (bool, string, error) {
			account, err := application.account(ctx)
			return account.Tip.Height > mined, fmt.Sprintf("more than %d blocks; it has seen %d", mined, account.Tip.Height), err
		})
		account, err := application.account(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(account.Missed).To(BeEmpty(), "%s was not told of blocks", what)
		longest := time.Duration(0)
		for _, tip := range account.Waits {
			if tip.At.After(since) {
				longest = max(longest, tip.Waited)
				g.Expect(tip.Waited).To(BeNumerically("<=", 5*time.Second), "%s waited for block %d, which was there at %s; nobody was there %v", what, tip.Height, tip.At, account.Away)
			}
		}
		for _, away := range account.Away {
			if away.From.After(since) {
				t.Logf("%s: no primary for %s", what, away.Until.Sub(away.From).Round(time.Millisecond))
			}
		}
		t.Logf("%s waited %s at most for a block", what, longest.Round(time.Millisecond))
	}
}

// hangPrimary has the node hang to which clients are led, and waits until they have left it
// and it was replaced.
func hangPrimary(t *testing.T, g Gomega, ctx context.Context, of fleet.Network) {
	t.Helper()
	hangs, before := primaryOf(g, ctx, of), lives(g, ctx, of.Namespace, of.Name)
	process := processOf(g, ctx, hangs)
	g.Expect(syscall.Kill(process, syscall.SIGSTOP)).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(process, syscall.SIGCONT) })
	within(t, g, ctx, "clients left it", 2*time.Minute, leadsElsewhere(of, hangs))
	wait(g, ctx, replaced(of.Namespace, of.Name, before, 1))
}

// primaryOf returns the node to which clients are led.
func primaryOf(g Gomega, ctx context.Context, of fleet.Network) fleet.Node {
	now := network(g, ctx, of.Namespace, of.Name)
	g.Expect(now.Status.Primary).NotTo(BeNil())
	return of.Nodes[now.Status.Primary.Ordinal]
}

// leadsElsewhere is so when clients are led to another node.
func leadsElsewhere(of fleet.Network, than fleet.Node) fleet.Condition {
	others := slices.DeleteFunc(slices.Clone(of.Nodes), func(node fleet.Node) bool { return node.Ordinal == than.Ordinal })
	return func(ctx context.Context) (bool, string, error) {
		for _, other := range others {
			if leads, _, err := leadsTo(of, other.Ordinal)(ctx); leads || err != nil {
				return leads, "", err
			}
		}
		return false, "clients to be led elsewhere than to " + than.String(), nil
	}
}

// A miner mines a block a second, on a node that has the last, and is not the one to which
// clients are led: what that one has, another has then, whatever becomes of it.
type miner struct {
	network fleet.Network
	pair    fleet.Pair
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	last int
}

func startMiner(ctx context.Context, on fleet.Network, pair fleet.Pair) *miner {
	ctx, cancel := context.WithCancel(ctx)
	m := &miner{network: on, pair: pair, cancel: cancel}
	m.running.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				m.mine(ctx)
			}
		}
	})
	return m
}

func (m *miner) stop() {
	m.cancel()
	m.running.Wait()
}

// height is that of the last block.
func (m *miner) height() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// mine mines a block on the first node that can; where none can now, the next time.
func (m *miner) mine(ctx context.Context) {
	now, err := cluster.Network(ctx, m.network.Namespace, m.network.Name)
	if err != nil || now.Status.Primary == nil {
		return
	}
	for _, node := range m.network.Nodes {
		found, err := podOf(ctx, node)
		if err != nil || found.DeletionTimestamp != nil || found.Status.PodIP == "" || node.Ordinal == int(now.Status.Primary.Ordinal) {
			continue
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		mined := m.mineOn(short, found.Status.PodIP+":18443")
		cancel()
		if mined {
			return
		}
	}
}

func (m *miner) mineOn(ctx context.Context, address string) bool {
	var height int
	if err := fleet.Call(ctx, address, m.pair, &height, "getblockcount"); err != nil || height < m.height() {
		return false
	}
	var hashes []string
	if err := fleet.Call(ctx, address, m.pair, &hashes, "generatetodescriptor", 1, "raw(51)"); err != nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = height + 1
	return true
}
