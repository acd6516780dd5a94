package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A real Prometheus asks everybody through the NetworkPolicies; alerts come by their cause
// and end with it; one that fires reaches its team. For how long something must be so
// before an alert fires promtool tests: here one that is pending has been seen.
func TestAlertsComeByTheirCauseAndEnd(t *testing.T) {
	g, ctx := needsClusterFor(t, 12*time.Minute)
	posts := receivePosts(t, g)
	monitoring, err := cluster.StartMonitoring(ctx, posts.url)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 2*time.Minute, errors.New("two minutes after the test"))
		defer cancel()
		g := NewWithT(t)
		g.Expect(cluster.StopMonitoring(ctx)).To(Succeed())
		removeNamespace(g, ctx, "monitoring")
	})
	for _, asked := range []string{
		`up{job="bitcoin-operator", namespace="team-a"}`,
		`up{job="bitcoin-operator", namespace="team-b"}`,
		`up{job="flux", namespace="flux-tenants", app="source-controller"}`,
		`up{job="flux", namespace="flux-tenants", app="kustomize-controller"}`,
		`up{job="flux", namespace="flux-system", app="kustomize-controller"}`,
		`up{job="sealed-secrets", namespace="kube-system"}`,
	} {
		within(t, g, ctx, asked, time.Minute, monitoring.Answers(asked+" == 1"))
	}
	for _, told := range []string{
		`namespace_name:bitcoinnetwork_ready:max{namespace="team-b", name="lightning"} == 1`,
		`namespace:bitcoin_operator_wanted:group{namespace="team-b"}`,
		`sealed_secrets_controller_condition_info{namespace="team-b", name="bitcoin-rpc"} == 1`,
		`gotk_reconcile_duration_seconds_count{job="flux", namespace="team-b", name="networks"}`,
	} {
		within(t, g, ctx, told, time.Minute, monitoring.Answers(told))
	}
	within(t, g, ctx, "nothing is wrong with what serves all teams", time.Minute, monitoring.Ended(fleet.Alert{Name: "ControllerDown"}))

	platform, err := cluster.Fleet(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	sealer, err := cluster.Sealer(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	const name = "alerts"
	added := addTenants(t, g, ctx, platform, func(team *fleet.Team) {
		g.Expect(team.Edit("payments.yaml", "  nodes: 3\n", "  nodes: 1\n")).To(Succeed())
		sealed, err := sealer.Seal(ctx, "elsewhere", secretName, fleet.NewCredentials(name))
		g.Expect(err).NotTo(HaveOccurred())
		ours := strings.ReplaceAll(string(sealed), "namespace: elsewhere", "namespace: "+name)
		g.Expect(os.WriteFile(team.Path(secretName+".yaml"), []byte(ours), 0o644)).To(Succeed())
	}, name)[0]

	alert := func(alert, namespace, name string, more ...string) fleet.Alert {
		labels := map[string]string{"namespace": namespace, "name": name}
		for i := 0; i < len(more); i += 2 {
			labels[more[i]] = more[i+1]
		}
		return fleet.Alert{Name: alert, Labels: labels}
	}
	hung := hangs(t, g, ctx, network(g, ctx, "team-b", "lightning"))
	apart := create(t, g, ctx, "team-b", "apart", v1alpha1.BitcoinNetworkSpec{
		Nodes: 3, Secret: secretName, Config: []v1alpha1.ConfigLine{"maxsendbuffer=0"},
	})
	wait(g, ctx, push(g, ctx, added, "Sealed for elsewhere").Tried)

	// Meanwhile, since the first takes its time.
	t.Run("a chain is lost, and its team hears of it", func(t *testing.T) {
		g := NewWithT(t)
		forgetful := up(t, g, ctx, "team-a", "forgetful", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName})
		wait(g, ctx, higher(forgetful, 0))
		wait(g, ctx, monitoring.Answers(`bitcoinnetwork_highest_tip_height{namespace="team-a", name="forgetful"} > 0`))
		g.Expect(cluster.API.Delete(ctx, pod(g, ctx, forgetful.Nodes[0]))).To(Succeed())
		lost := alert("BitcoinNetworkChainLost", "team-a", "forgetful", "alertstate", "firing")
		within(t, g, ctx, lost.String(), 90*time.Second, monitoring.Sees(lost))
		within(t, g, ctx, "it is posted", time.Minute, posts.has("#team-a", "FIRING: BitcoinNetworkChainLost in team-a"))
	})
	t.Run("what builds teams' commits is killed, again and again", func(t *testing.T) {
		g := NewWithT(t)
		t.Cleanup(func() { // Kubernetes would wait ever longer before it starts it again
			_, _ = cluster.Kubectl(context.WithoutCancel(ctx), "delete", "pods", "--namespace=flux-tenants", "--selector=app=kustomize-controller")
		})
		killed := buildsCommits(g, ctx)
		for times := range 3 {
			wait(g, ctx, monitoring.Answers(fmt.Sprintf("changes(process_start_time_seconds{namespace=%q, pod=%q}[30m]) >= %d", killed.Namespace, killed.Name, times)))
			wait(g, ctx, startedAgain(killed, times))
			g.Expect(syscall.Kill(processIn(g, buildsCommits(g, ctx), "kustomize-contr"), syscall.SIGKILL)).To(Succeed()) // as much as the kernel keeps of its name
		}
		again := fleet.Alert{Name: "ControllerRestarts", Labels: map[string]string{"namespace": "flux-tenants", "alertstate": "firing"}}
		within(t, g, ctx, again.String(), 90*time.Second, monitoring.Sees(again))
	})

	alerts := []fleet.Alert{
		alert("BitcoinNetworkNotReady", "team-b", "lightning"),
		alert("BitcoinNetworkNodeHangs", "team-b", "lightning"),
		alert("BitcoinNetworkSplit", "team-b", "apart"),
		alert("SealedSecretNotOpened", name, secretName),
		alert("BitcoinNetworkCredentials", name, "payments", "reason", "SecretNotFound"),
	}
	for _, alert := range alerts {
		within(t, g, ctx, alert.String(), 3*time.Minute, monitoring.Sees(alert))
	}
	g.Expect(syscall.Kill(hung, syscall.SIGCONT)).To(Succeed())
	alter(g, ctx, apart, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = nil })
	g.Expect(added.SealCredentials(ctx, sealer)).To(Succeed())
	wait(g, ctx, push(g, ctx, added, "Sealed for here").Done)
	for _, alert := range alerts {
		within(t, g, ctx, fmt.Sprintf("%s has ended", alert), 2*time.Minute, monitoring.Ended(alert))
	}

	down := fleet.Alert{Name: "BitcoinOperatorDown", Labels: map[string]string{"namespace": name}}
	for _, step := range []struct {
		replicas string
		then     fleet.Condition
	}{{"0", monitoring.Sees(down)}, {"1", monitoring.Ended(down)}} {
		_, err := cluster.Kubectl(ctx, "scale", "deployment/bitcoin-operator", "--namespace="+name, "--replicas="+step.replicas)
		g.Expect(err).NotTo(HaveOccurred())
		within(t, g, ctx, fmt.Sprintf("%s, with %s operators", down, step.replicas), time.Minute, step.then)
	}
}

// hangs has a node hang to which no clients are led, so that the operator leaves it alone,
// and returns its process.
func hangs(t *testing.T, g Gomega, ctx context.Context, of fleet.Network) int {
	led := primaryOf(g, ctx, of)
	node := of.Nodes[len(of.Nodes)-1]
	if node == led {
		node = of.Nodes[0]
	}
	process := processOf(g, ctx, node)
	t.Cleanup(func() { _ = syscall.Kill(process, syscall.SIGCONT) })
	g.Expect(syscall.Kill(process, syscall.SIGSTOP)).To(Succeed())
	return process
}

// startedAgain is so when a pod's containers have been started again that often.
func startedAgain(pod *corev1.Pod, times int) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		counted, err := restarts(ctx, pod.Namespace)
		return int(counted[pod.Name]) >= times, fmt.Sprintf("%s to have been started again %d times: it was %d times", pod.Name, times, counted[pod.Name]), err
	}
}

// buildsCommits is the pod of what builds teams' commits.
func buildsCommits(g Gomega, ctx context.Context) *corev1.Pod {
	var pods corev1.PodList
	g.Expect(cluster.API.List(ctx, &pods, client.InNamespace("flux-tenants"), client.MatchingLabels{"app": "kustomize-controller"})).To(Succeed())
	g.Expect(pods.Items).To(HaveLen(1))
	return &pods.Items[0]
}

// posts are what was posted as to Slack.
type posts struct {
	url      string
	received chan post
	seen     []post
}

type post struct {
	Channel     string
	Attachments []struct{ Title string }
}

// receivePosts takes posts where pods reach this machine, until the test ends.
func receivePosts(t *testing.T, g Gomega) *posts {
	listener, err := net.Listen("tcp", "198.18.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	p := &posts{url: "http://" + listener.Addr().String() + "/", received: make(chan post, 1000)}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var received post
		if err := json.NewDecoder(request.Body).Decode(&received); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.received <- received
		_, _ = w.Write([]byte("ok"))
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return p
}

// has is so when that was posted to a channel.
func (p *posts) has(channel, title string) fleet.Condition {
	return func(context.Context) (bool, string, error) {
		for more := true; more; {
			select {
			case received := <-p.received:
				p.seen = append(p.seen, received)
			default:
				more = false
			}
		}
		for _, post := range p.seen {
			if post.Channel == channel && len(post.Attachments) == 1 && post.Attachments[0].Title == title {
				return true, "", nil
			}
		}
		return false, fmt.Sprintf("%q to be posted to %s; there were %v", title, channel, p.seen), nil
	}
}
