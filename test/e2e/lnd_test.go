package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// LND, with the settings of docs/connect.md, lives in another namespace through all that
// a network goes through. It follows within fifteen seconds of a primary's being there,
// pays, and ends only where it is restarted for its password.
func TestLNDLivesThroughIt(t *testing.T) {
	programs := os.Getenv("TEST_LND")
	if programs == "" {
		t.Skip("needs LND: run make e2e-lnd")
	}
	const team, market, image = "lending", "app-lnd", "localhost/e2e/lnd:1"
	g, ctx := needsClusterFor(t, 25*time.Minute)
	g.Expect(cluster.LoadBuilt(ctx, image, filepath.Join(programs, "lnd"), "/bin/lnd", filepath.Join(programs, "lncli"), "/bin/lncli")).To(Succeed())
	t.Cleanup(func() { _ = cluster.RemoveImage(context.WithoutCancel(ctx), image) })
	old, next := pair{"lnd", rand.Text()}, pair{"lnd", rand.Text()}
	lending := supply(t, g, ctx, team, market, `  zmq: [rawblock, rawtx]
  users:
    - name: lnd
      profile: lightning
  clients:
    - namespaces: [app-lnd]
      podLabels: {app: lnd}
      ports: [rpc, zmq]
`, old)
	found := lending.network
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: market, Name: "bitcoin"}, StringData: map[string]string{"BC_RPC_USER": old.user, "BC_RPC_PASSWORD": old.password}}
	g.Expect(cluster.API.Create(ctx, secret)).To(Succeed())
	lnd := runLND(t, g, ctx, market, image, strings.ReplaceAll(lndSettings(g), "payments-primary.team-a.svc.cluster.local", lending.host()))
	lnd.fund(g, ctx, lending)
	miner := startMiner(ctx, found, lending.admin())
	t.Cleanup(func() { miner.stop() })

	phase := func(name string, happens func(g Gomega)) {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			happens(g)
			lnd.follows(t, g, ctx, miner)
			ready(g, ctx, found)
			lnd.follows(t, g, ctx, miner)
			lnd.pays(t, g, ctx)
			lnd.isRefusedNothing(g, ctx, found)
			g.Expect(lnd.life(g, ctx)).To(Equal(lnd.began), "LND has ended")
		})
	}
	phase("nothing", func(Gomega) {})
	phase("the primary's pod is lost", func(g Gomega) {
		lost := primaryOf(g, ctx, found)
		g.Expect(cluster.API.Delete(ctx, pod(g, ctx, lost))).To(Succeed())
		wait(g, ctx, leadsElsewhere(found, lost))
	})
	phase("all nodes are replaced", func(g Gomega) {
		before := lives(g, ctx, team, "payments")
		g.Expect(lending.Edit("payments.yaml", "  chain: regtest\n", "  chain: regtest\n  config: [maxmempool=20]\n")).To(Succeed())
		wait(g, ctx, fleet.All(push(g, ctx, lending.Team, "Another configuration").Done, replaced(team, "payments", before, 3)))
	})
	phase("a new password is let in", func(g Gomega) {
		lending.deliver(g, ctx, "A new password for lnd, beside the old one", map[string]string{"BC_RPC_PASSWORD_LND": next.password, "BC_RPC_PASSWORD_LND_PREVIOUS": old.password})
		wait(g, ctx, hasReason(found, "CredentialsReady", "Rotated"))
	})
	phase("LND is restarted with it, and the old one is dropped", func(g Gomega) {
		was := lnd.info(g, ctx)
		secret.StringData = map[string]string{"BC_RPC_PASSWORD": next.password}
		g.Expect(cluster.API.Update(ctx, secret)).To(Succeed())
		for _, args := range [][]string{{"restart"}, {"status", "--timeout=2m"}} {
			_, err := cluster.Kubectl(ctx, append([]string{"rollout", args[0], "statefulset/lnd", "--namespace=" + market}, args[1:]...)...)
			g.Expect(err).NotTo(HaveOccurred())
		}
		wait(g, ctx, lnd.synced)
		lnd.began = lnd.life(g, ctx)
		g.Expect(lnd.info(g, ctx).Key).To(Equal(was.Key), "its data are on its volume")
		lending.deliver(g, ctx, "Drop lnd's old password", map[string]string{"BC_RPC_PASSWORD_LND": next.password})
		wait(g, ctx, hasReason(found, "CredentialsReady", "SecretRead"))
		wait(g, ctx, rejects(found, old))
	})
	phase("the primary's node hangs", func(g Gomega) {
		hangPrimary(t, g, ctx, found)
	})
}

// lndSettings are LND's as docs/connect.md says them, for the network payments of team-a.
func lndSettings(g Gomega) string {
	content, err := os.ReadFile("../../docs/connect.md")
	g.Expect(err).NotTo(HaveOccurred())
	_, after, _ := strings.Cut(string(content), "\n```ini\n")
	settings, _, _ := strings.Cut(after, "```\n")
	g.Expect(settings).To(ContainSubstring("bitcoin.node=bitcoind"), "the one block of ini in docs/connect.md")
	return settings
}

// An lnd is LND in a namespace of its own, with its data on a volume.
type lnd struct {
	namespace string
	began     lndLife
}

// runLND runs LND until its namespace goes, and waits until it follows.
func runLND(t *testing.T, g Gomega, ctx context.Context, namespace, image, settings string) *lnd {
	t.Helper()
	labels := map[string]string{"app": "lnd"}
	named := metav1.ObjectMeta{Namespace: namespace, Name: "lnd"}
	g.Expect(cluster.API.Create(ctx, &corev1.ConfigMap{ObjectMeta: named, Data: map[string]string{"lnd.conf": settings}})).To(Succeed())
	g.Expect(cluster.API.Create(ctx, &appsv1.StatefulSet{
		ObjectMeta: named,
		Spec: appsv1.StatefulSetSpec{
			ServiceName: "lnd",
			Selector:    &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					AutomountServiceAccountToken: new(false),
					SecurityContext: &corev1.PodSecurityContext{
						RunAsNonRoot: new(true), RunAsUser: new(int64(1000)), FSGroup: new(int64(1000)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
					},
					Containers: []corev1.Container{{
						Name: "lnd", Image: image, Args: []string{"--lnddir=/data", "--configfile=/settings/lnd.conf", "--noseedbackup"},
						EnvFrom:         []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "bitcoin"}}}},
						VolumeMounts:    []corev1.VolumeMount{{Name: "settings", MountPath: "/settings", ReadOnly: true}, {Name: "data", MountPath: "/data"}},
						SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
					}},
					Volumes: []corev1.Volume{{Name: "settings", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "lnd"}}}}},
				},
			},
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
				ObjectMeta: metav1.ObjectMeta{Name: "data"},
				Spec: corev1.PersistentVolumeClaimSpec{
					AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
					Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("256Mi")}},
				},
			}},
		},
	})).To(Succeed())
	lnd := &lnd{namespace: namespace}
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := cluster.Kubectl(context.WithoutCancel(ctx), "logs", "lnd-0", "--namespace="+namespace, "--tail=200")
			t.Logf("LND said: %s", said)
		}
	})
	wait(g, ctx, lnd.synced)
	lnd.began = lnd.life(g, ctx)
	t.Logf("LND follows, restarted %d times before it did", lnd.began.restarts)
	return lnd
}

// lncli asks LND, as a person in front of it would, and reads the answer into where result
// points to.
func (l *lnd) lncli(ctx context.Context, result any, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	printed, err := cluster.Kubectl(ctx, append([]string{"exec", "lnd-0", "--namespace=" + l.namespace, "--", "lncli", "--lnddir=/data", "--network=regtest"}, args...)...)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(printed), result)
}

// lndInfo is what LND says of itself.
type lndInfo struct {
	Key    string `json:"identity_pubkey"`
	Height int    `json:"block_height"`
	Synced bool   `json:"synced_to_chain"`
}

func (l *lnd) info(g Gomega, ctx context.Context) (info lndInfo) {
	g.Expect(l.lncli(ctx, &info, "getinfo")).To(Succeed())
	return info
}

// synced is so when LND has followed the chain to its end.
func (l *lnd) synced(ctx context.Context) (bool, string, error) {
	var info lndInfo
	err := l.lncli(ctx, &info, "getinfo")
	return info.Synced, fmt.Sprintf("LND to follow: it is at block %d", info.Height), err
}

// follows expects that LND goes on with blocks that are mined from now on. It tries every
// five seconds to subscribe to a node that is away, and the next block tells it of those
// before. The height that it says is the node's own: synced is LND.
func (l *lnd) follows(t *testing.T, g Gomega, ctx context.Context, miner *miner) {
	t.Helper()
	mined := miner.height()
	within(t, g, ctx, fmt.Sprintf("LND was beyond block %d", mined), 15*time.Second, func(ctx context.Context) (bool, string, error) {
		var info lndInfo
		err := l.lncli(ctx, &info, "getinfo")
		return info.Synced && info.Height > mined, fmt.Sprintf("more than %d blocks; LND is at %d, and synced: %t", mined, info.Height, info.Synced), err
	})
}

func (l *lnd) address(g Gomega, ctx context.Context) string {
	var made struct{ Address string }
	g.Expect(l.lncli(ctx, &made, "newaddress", "p2wkh")).To(Succeed())
	return made.Address
}

// fund gives LND the coins of one block, and mines so many above it that they can be spent.
func (l *lnd) fund(g Gomega, ctx context.Context, from supplier) {
	node := addressOf(ctx, from.network.Nodes[0]) + ":18443"
	var hashes []string
	g.Expect(fleet.Call(ctx, node, from.admin(), &hashes, "generatetoaddress", 1, l.address(g, ctx))).To(Succeed())
	g.Expect(fleet.Call(ctx, node, from.admin(), &hashes, "generatetodescriptor", 100, "raw(51)")).To(Succeed())
	wait(g, ctx, has(from.network, hashes[len(hashes)-1]))
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		var balance struct {
			Confirmed string `json:"confirmed_balance"`
		}
		err := l.lncli(ctx, &balance, "walletbalance")
		return balance.Confirmed == "5000000000", "LND to have 50 coins, and not " + balance.Confirmed, err
	})
}

// pays expects that LND estimates a fee, and that what it sends is in a block soon.
func (l *lnd) pays(t *testing.T, g Gomega, ctx context.Context) {
	t.Helper()
	to := l.address(g, ctx)
	var fee map[string]any
	g.Expect(l.lncli(ctx, &fee, "estimatefee", "--conf_target=6", fmt.Sprintf(`{"%s": 100000}`, to))).To(Succeed())
	var sent struct{ TxID string }
	g.Expect(l.lncli(ctx, &sent, "sendcoins", "--force", "--addr="+to, "--amt=100000")).To(Succeed())
	within(t, g, ctx, "a payment was in a block", 30*time.Second, func(ctx context.Context) (bool, string, error) {
		var chain struct {
			Transactions []struct {
				TxHash        string `json:"tx_hash"`
				Confirmations int    `json:"num_confirmations"`
			}
		}
		err := l.lncli(ctx, &chain, "listchaintxns")
		for _, transaction := range chain.Transactions {
			if transaction.TxHash == sent.TxID && transaction.Confirmations > 0 {
				return true, "", err
			}
		}
		return false, "payment " + sent.TxID + " to be in a block", err
	})
}

// isRefusedNothing expects that neither LND nor a node says that the user may not call
// something.
func (l *lnd) isRefusedNothing(g Gomega, ctx context.Context, by fleet.Network) {
	g.Expect(kubectlPrints(g, ctx, "logs", "lnd-0", "--namespace="+l.namespace)).NotTo(ContainSubstring("status code: 403"))
	for _, node := range by.Nodes {
		g.Expect(kubectlPrints(g, ctx, "logs", node.Pod(), "--namespace="+node.Namespace)).NotTo(ContainSubstring("not allowed to call method"), "%s", node)
	}
}

// lndLife is one life of LND's process.
type lndLife struct {
	uid      types.UID
	restarts int32
}

func (l *lnd) life(g Gomega, ctx context.Context) lndLife {
	var pod corev1.Pod
	g.Expect(cluster.API.Get(ctx, client.ObjectKey{Namespace: l.namespace, Name: "lnd-0"}, &pod)).To(Succeed())
	g.Expect(pod.Status.ContainerStatuses).To(HaveLen(1))
	return lndLife{pod.UID, pod.Status.ContainerStatuses[0].RestartCount}
}
