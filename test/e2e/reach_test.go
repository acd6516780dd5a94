package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// Where others than pods are, for pods.
const (
	apiServer       = "198.18.0.1:16443"
	apiService      = "198.19.0.1:443" // by its Service
	gitServer       = "198.18.0.1:3000"
	kubelet         = "198.18.0.1:11250"
	clusterDNS      = "198.19.0.10:53"
	metadataService = "169.254.169.254:80" // where clouds tell a machine its credentials
)

// stranger is a namespace that nobody has fenced.
const stranger = "stranger"

const (
	clientLabel  = "bitcoin-operator.github.io/client"
	networkLabel = "bitcoin-operator.github.io/network"
	nameLabel    = "app.kubernetes.io/name"
)

// standIns are pods that only dial, in the place of those that platforms and teams have,
// by namespace, name and labels. What a policy selects is a pod's labels.
var standIns = []standIn{
	{"team-a", "wallet", map[string]string{clientLabel: "true"}},
	{"team-a", "other", nil},
	{"team-a", "as-operator", map[string]string{nameLabel: "bitcoin-operator"}},
	{"team-b", "wallet", map[string]string{clientLabel: "true"}},
	{"team-b", "other", nil},
	{"monitoring", "prometheus", nil},
	{stranger, "plain", nil},
	{stranger, "impostor", map[string]string{
		clientLabel: "true", networkLabel: "payments", nameLabel: "bitcoin-operator", "app": "kustomize-controller", "k8s-app": "kube-dns",
	}},
}

type standIn struct {
	namespace, name string
	labels          map[string]string
}

// connections say who reaches what. Pods are called namespace/name, where of a
// Deployment's the beginning will do.
var connections = []connection{
	{"nodes of a network are peers", "team-a/payments-0", "team-a/payments-1:18444", true},
	{"nodes of a network are no clients of each other", "team-a/payments-0", "team-a/payments-1:18443", false},
	{"nodes find each other by name", "team-a/payments-0", clusterDNS, true},
	{"another network of the team", "team-a/payments-0", "team-a/watched-0:18444", false},
	{"another network of the team", "team-a/payments-0", "team-a/watched-0:18443", false},
	{"another team's peers", "team-a/payments-0", "team-b/lightning-0:18444", false},
	{"another team's RPC", "team-a/payments-0", "team-b/lightning-0:18443", false},
	{"a node's own operator", "team-a/payments-0", "team-a/bitcoin-operator:8080", false},
	{"the API server", "team-a/payments-0", apiServer, false},
	{"the API server, by its Service", "team-a/payments-0", apiService, false},
	{"the kubelet", "team-a/payments-0", kubelet, false},
	{"the Git server", "team-a/payments-0", gitServer, false},
	{"the platform's store", "team-a/payments-0", "flux-system/source-controller:9090", false},
	{"the store of teams' commits", "team-a/payments-0", "flux-tenants/source-controller:9090", false},
	{"the unsealer", "team-a/payments-0", "kube-system/sealed-secrets-controller:8080", false},

	{"peers of another team", "team-b/lightning-0", "team-b/lightning-1:18444", true},
	{"another team's peers", "team-b/lightning-0", "team-a/payments-0:18444", false},
	{"another team's RPC", "team-b/lightning-0", "team-a/payments-0:18443", false},
	{"another team's notifications", "team-b/lightning-0", "team-a/watched-0:28332", false},
	{"another team's operator", "team-b/lightning-0", "team-a/bitcoin-operator:8080", false},

	{"a client: RPC", "team-a/wallet", "team-a/payments-0:18443", true},
	{"a client: RPC by the Service", "team-a/wallet", "payments-rpc.team-a.svc.cluster.local:18443", true},
	{"a client: RPC by the Service that leads to one node", "team-a/wallet", "payments-primary.team-a.svc.cluster.local:18443", true},
	{"a client is no peer by that Service either", "team-a/wallet", "payments-primary.team-a.svc.cluster.local:18444", false},
	{"a client: notifications", "team-a/wallet", "team-a/watched-0:28332", true},
	{"a client is no peer", "team-a/wallet", "team-a/payments-0:18444", false},
	{"a client of another team's", "team-a/wallet", "team-b/lightning-0:18443", false},
	{"a client of the operator", "team-a/wallet", "team-a/bitcoin-operator:8080", false},
	{"a client: the API server", "team-a/wallet", apiServer, false},
	{"a client: the Git server", "team-a/wallet", gitServer, false},
	{"a client: the unsealer", "team-a/wallet", "kube-system/sealed-secrets-controller:8080", false},
	{"a client: the store of teams' commits", "team-a/wallet", "flux-tenants/source-controller:9090", false},

	{"without the label: names", "team-a/other", clusterDNS, true},
	{"without the label: RPC", "team-a/other", "team-a/payments-0:18443", false},
	{"without the label: peers", "team-a/other", "team-a/payments-0:18444", false},
	{"without the label: notifications", "team-a/other", "team-a/watched-0:28332", false},
	{"without the label: the API server", "team-a/other", apiService, false},

	{"an operator: its nodes", "team-a/as-operator", "team-a/payments-0:18443", true},
	{"an operator: the API server", "team-a/as-operator", apiServer, true},
	{"an operator: the API server, by its Service", "team-a/as-operator", apiService, true},
	{"an operator is no peer", "team-a/as-operator", "team-a/payments-0:18444", false},
	{"an operator: another team's nodes", "team-a/as-operator", "team-b/lightning-0:18443", false},
	{"an operator: another team's operator", "team-a/as-operator", "team-b/bitcoin-operator:8080", false},
	{"an operator: the kubelet beside the API server", "team-a/as-operator", kubelet, false},
	{"an operator: the Git server beside it", "team-a/as-operator", gitServer, false},
	{"an operator: the unsealer", "team-a/as-operator", "kube-system/sealed-secrets-controller:8080", false},

	{"the other team's client: its own", "team-b/wallet", "team-b/lightning-0:18443", true},
	{"the other team's client: RPC", "team-b/wallet", "team-a/payments-0:18443", false},
	{"the other team's client: RPC by the Service", "team-b/wallet", "payments-rpc.team-a.svc.cluster.local:18443", false},
	{"the other team's client: notifications", "team-b/wallet", "team-a/watched-0:28332", false},
	{"the other team's pods: peers", "team-b/other", "team-a/payments-0:18444", false},
	{"the other team's pods: metrics", "team-b/other", "team-a/bitcoin-operator:8080", false},

	{"the monitoring: metrics", "monitoring/prometheus", "team-a/bitcoin-operator:8080", true},
	{"the monitoring: metrics of what builds commits", "monitoring/prometheus", "flux-tenants/kustomize-controller:8080", true},
	{"the monitoring: metrics of the unsealer", "monitoring/prometheus", "kube-system/sealed-secrets-controller:8081", true},
	{"the monitoring: nothing else of an operator", "monitoring/prometheus", "team-a/bitcoin-operator:9440", false},
	{"the monitoring: nothing else of the unsealer", "monitoring/prometheus", "kube-system/sealed-secrets-controller:8080", false},
	{"the monitoring: no nodes", "monitoring/prometheus", "team-a/payments-0:18443", false},

	{"what nobody has fenced: the API server", stranger + "/plain", apiServer, true},
	{"what nobody has fenced: the Git server", stranger + "/plain", gitServer, true},
	{"what nobody has fenced: RPC", stranger + "/plain", "team-a/payments-0:18443", false},
	{"what nobody has fenced: peers", stranger + "/plain", "team-a/payments-0:18444", false},
	{"what nobody has fenced: metrics", stranger + "/plain", "team-a/bitcoin-operator:8080", false},
	{"what nobody has fenced: the platform's store", stranger + "/plain", "flux-system/source-controller:9090", false},
	{"what nobody has fenced: the store of teams' commits", stranger + "/plain", "flux-tenants/source-controller:9090", false},
	{"what nobody has fenced: the unsealer", stranger + "/plain", "kube-system/sealed-secrets-controller:8080", false},
	{"what nobody has fenced: the unsealer's metrics", stranger + "/plain", "kube-system/sealed-secrets-controller:8081", false},

	{"all labels, elsewhere: DNS", stranger + "/impostor", clusterDNS, true},
	{"all labels, elsewhere: RPC", stranger + "/impostor", "team-a/payments-0:18443", false},
	{"all labels, elsewhere: peers", stranger + "/impostor", "team-a/payments-0:18444", false},
	{"all labels, elsewhere: notifications", stranger + "/impostor", "team-a/watched-0:28332", false},
	{"all labels, elsewhere: metrics", stranger + "/impostor", "team-a/bitcoin-operator:8080", false},
	{"all labels, elsewhere: the store of teams' commits", stranger + "/impostor", "flux-tenants/source-controller:9090", false},

	{"what builds commits: its store", "flux-tenants/kustomize-controller", "flux-tenants/source-controller:9090", true},
	{"what builds commits: the API server", "flux-tenants/kustomize-controller", apiServer, true},
	{"what builds commits: the platform's store", "flux-tenants/kustomize-controller", "flux-system/source-controller:9090", false},
	{"what builds commits: the Git server", "flux-tenants/kustomize-controller", gitServer, false},
	{"what builds commits: the kubelet", "flux-tenants/kustomize-controller", kubelet, false},
	{"what builds commits: a team's nodes", "flux-tenants/kustomize-controller", "team-a/payments-0:18443", false},
	{"what builds commits: the unsealer", "flux-tenants/kustomize-controller", "kube-system/sealed-secrets-controller:8080", false},
	{"what fetches commits: the Git server", "flux-tenants/source-controller", gitServer, true},
	{"what fetches commits: the platform's store", "flux-tenants/source-controller", "flux-system/source-controller:9090", false},
	{"what fetches commits: a team's nodes", "flux-tenants/source-controller", "team-a/payments-0:18443", false},
}

type connection struct {
	reason, from, to string
	reaches          bool
}

// Pods dial each other, and whatever else they should not reach, where policies are
// enforced. test/isolation judges the same policies in seconds, and more of them.
func TestWhoReachesWhom(t *testing.T) {
	g, ctx := needsCluster(t)
	up(t, g, ctx, "team-a", "watched", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName, ZMQ: []v1alpha1.ZMQTopic{v1alpha1.RawBlock}})
	stand(t, g, ctx, network(g, ctx, "team-a", "payments").Status.Image)
	var pods corev1.PodList
	g.Expect(cluster.API.List(ctx, &pods)).To(Succeed())

	// Nobody keeps this machine from anything in it: what is refused below is there.
	for _, to := range refused() {
		conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", address(g, pods, to))
		g.Expect(err).NotTo(HaveOccurred(), "from this machine to %s", to)
		_ = conn.Close()
	}

	callers := map[string]*caller{}
	for _, c := range connections {
		if callers[c.from] == nil {
			pod := named(g, pods, c.from)
			callers[c.from] = &caller{namespace: pod.Namespace, pod: pod.Name, reaches: map[string]bool{}}
		}
		callers[c.from].reaches[address(g, pods, c.to)] = c.reaches
	}
	var dialling sync.WaitGroup
	for _, caller := range callers {
		dialling.Go(func() { caller.dial(ctx) })
	}
	dialling.Wait()
	for _, c := range connections {
		t.Run(fmt.Sprintf("%s: %s to %s", c.reason, c.from, c.to), func(t *testing.T) {
			g, caller := NewWithT(t), callers[c.from]
			outcome := caller.outcomes[address(g, pods, c.to)]
			g.Expect(outcome).NotTo(BeEmpty(), "%v", caller.err)
			g.Expect(outcome == fleet.Reached).To(Equal(c.reaches), "%s", outcome)
		})
	}

	for from, caller := range callers {
		g.Expect(caller.err).NotTo(HaveOccurred(), from)
	}

	t.Run("the cloud's credentials", func(t *testing.T) {
		g := NewWithT(t)
		// Nothing may be there to be reached: only a policy refuses then.
		outcomes, err := cluster.Dial(ctx, stranger, "plain", metadataService)
		g.Expect(err).NotTo(HaveOccurred())
		if outcomes[metadataService] == fleet.Refused {
			t.Skipf("this machine itself refuses connections to %s", metadataService)
		}
		for _, pod := range []string{"payments-0", "wallet", "as-operator"} {
			wait(g, ctx, comesTo(fleet.Refused, "team-a", pod, metadataService))
		}
	})

	t.Run("by IPv6, which policies of this cluster know nothing of", func(t *testing.T) {
		g := NewWithT(t)
		for _, pod := range []string{"payments-0", "other"} {
			g.Expect(kubectlPrints(g, ctx, "exec", pod, "--namespace=team-a", "--", "sh", "-c", "cat /proc/net/if_inet6 2>/dev/null || true")).
				To(BeEmpty(), "%s has addresses", pod)
		}
	})
}

// refused are the places that somebody should not reach.
func refused() []string {
	places := map[string]bool{}
	for _, c := range connections {
		if !c.reaches && !strings.HasSuffix(c.to[:strings.LastIndex(c.to, ":")], ".svc.cluster.local") { // which this machine cannot resolve
			places[c.to] = true
		}
	}
	return slices.Sorted(maps.Keys(places))
}

// A caller is a pod that dials.
type caller struct {
	namespace, pod string
	reaches        map[string]bool // by address, whether it should reach that

	outcomes map[string]fleet.Outcome // the last ones
	err      error
}

// dial dials everything at once until all comes out as it should: a new pod is open for a
// moment, and a rule that lets it in takes as long. Then what it should not reach is dialled
// once more.
func (c *caller) dial(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("a minute of dialling"))
	defer cancel()
	if c.err = fleet.Until(ctx, c.asItShould, nil); c.err != nil {
		return
	}
	again, err := cluster.Dial(ctx, c.namespace, c.pod, c.refused()...)
	maps.Copy(c.outcomes, again)
	c.err = err
}

func (c *caller) asItShould(ctx context.Context) (bool, string, error) {
	outcomes, err := cluster.Dial(ctx, c.namespace, c.pod, slices.Sorted(maps.Keys(c.reaches))...)
	if err != nil {
		return false, "", err
	}
	c.outcomes = outcomes
	var wrong []string
	for to, outcome := range outcomes {
		if (outcome == fleet.Reached) != c.reaches[to] {
			wrong = append(wrong, fmt.Sprintf("%s %s", to, outcome))
		}
	}
	return len(wrong) == 0, strings.Join(wrong, ", "), nil
}

// refused are what it should not reach.
func (c *caller) refused() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.reaches)), func(to string) bool { return c.reaches[to] })
}

// comesTo is so when a connection that a pod tries to open comes to that.
func comesTo(want fleet.Outcome, namespace, pod, to string) fleet.Condition {
	return func(ctx context.Context) (bool, string, error) {
		outcomes, err := cluster.Dial(ctx, namespace, pod, to)
		return outcomes[to] == want, fmt.Sprintf("%s/%s to %s: %s", namespace, pod, to, outcomes[to]), err
	}
}

// stand makes the stand-ins, and their namespaces where these are not there, and waits
// until they run. They go when the test ends.
func stand(t *testing.T, g Gomega, ctx context.Context, image string) {
	t.Helper()
	for _, name := range []string{stranger, "monitoring"} {
		err := cluster.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		if apierrors.IsAlreadyExists(err) {
			continue
		}
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 2*time.Minute, errors.New("two minutes after the test"))
			defer cancel()
			removeNamespace(NewWithT(t), ctx, name)
		})
	}
	var made []*corev1.Pod
	for _, s := range standIns {
		pod := dialler(s, image)
		g.Expect(cluster.API.Create(ctx, pod)).To(Succeed())
		t.Cleanup(func() { _ = cluster.API.Delete(context.WithoutCancel(ctx), pod, client.GracePeriodSeconds(0)) })
		made = append(made, pod)
	}
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		var waiting []string
		for _, pod := range made {
			if err := cluster.API.Get(ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
				return false, "", err
			}
			if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" {
				waiting = append(waiting, pod.Namespace+"/"+pod.Name)
			}
		}
		return len(waiting) == 0, fmt.Sprintf("%v to run", waiting), nil
	})
}

// dialler is a pod that waits to be told whom to dial.
func dialler(s standIn, image string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.name, Labels: s.labels},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: new(false),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(1000)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "dialler", Image: image, Command: []string{"sleep", "infinity"},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
}

// address is that of a place: namespace/pod:port, or an address as it is.
func address(g Gomega, pods corev1.PodList, place string) string {
	name, port, _ := strings.Cut(place, ":")
	if !strings.Contains(name, "/") {
		return place
	}
	return named(g, pods, name).Status.PodIP + ":" + port
}

// named returns the running pod of that name, or else of a Deployment that is so called.
func named(g Gomega, pods corev1.PodList, name string) corev1.Pod {
	runs := func(is func(called string) bool) []corev1.Pod {
		return slices.DeleteFunc(slices.Clone(pods.Items), func(pod corev1.Pod) bool {
			return pod.Status.PodIP == "" || pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning || !is(pod.Namespace+"/"+pod.Name)
		})
	}
	found := runs(func(called string) bool { return called == name })
	if len(found) == 0 {
		found = runs(func(called string) bool { return strings.HasPrefix(called, name+"-") })
	}
	g.Expect(found).NotTo(BeEmpty(), "no pod of %s runs", name)
	return found[0]
}
