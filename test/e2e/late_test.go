package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// A node that is late with one answer, as one that writes a large cache to its disk, is
// well: nobody hears of it.
func TestOneLateAnswerIsNotTold(t *testing.T) {
	g, ctx := needsCluster(t)
	late := up(t, g, ctx, "team-a", "late", v1alpha1.BitcoinNetworkSpec{Nodes: 3, Secret: secretName})
	watched, err := cluster.Watch(ctx, &v1alpha1.BitcoinNetworkList{}, client.InNamespace("team-a"), client.MatchingFields{"metadata.name": "late"})
	g.Expect(err).NotTo(HaveOccurred())
	heard := make(chan []string)
	go func() { heard <- storyOf(watched.ResultChan()) }()
	before := timeouts(g, ctx, late)

	process := processOf(g, ctx, late.Nodes[1])
	g.Expect(syscall.Kill(process, syscall.SIGSTOP)).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(process, syscall.SIGCONT) })
	look(g, ctx, late)
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		return timeouts(g, ctx, late) > before, "a request to it to time out", nil
	})
	g.Expect(syscall.Kill(process, syscall.SIGCONT)).To(Succeed())
	look(g, ctx, late)
	watched.Stop()
	g.Expect(<-heard).To(Equal([]string{"True Connected 3/3"}))
	g.Expect(events(g, ctx, late.Object())).NotTo(ContainElement(ContainSubstring("NodesNotReady")))
}

var timedOut = regexp.MustCompile(`(?m)^bitcoinnetwork_rpc_requests_total\{(.*outcome="timeout".*)\} (\d+)$`)

// timeouts returns how many requests to a network's nodes have had no answer in time.
func timeouts(g Gomega, ctx context.Context, of fleet.Network) int {
	for _, line := range timedOut.FindAllStringSubmatch(metrics(g, ctx, of.Namespace), -1) {
		if strings.Contains(line[1], fmt.Sprintf("name=%q", of.Name)) {
			count, err := strconv.Atoi(line[2])
			g.Expect(err).NotTo(HaveOccurred())
			return count
		}
	}
	return 0
}

// metrics returns what a namespace's operator tells Prometheus.
func metrics(g Gomega, ctx context.Context, namespace string) string {
	operator, err := cluster.Kubectl(ctx, "get", "pod", "--namespace="+namespace, "--selector=app.kubernetes.io/name=bitcoin-operator", "--output=name")
	g.Expect(err).NotTo(HaveOccurred())
	metrics, err := cluster.Kubectl(ctx, "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", namespace, strings.TrimPrefix(strings.TrimSpace(operator), "pod/")))
	g.Expect(err).NotTo(HaveOccurred())
	return metrics
}

// A container that somebody else puts into nodes' pods, as a service mesh does, keeps
// clients away from them as long as it is not ready: so the network is not Ready, and says
// which container it is.
func TestContainerThatKeepsClientsAwayIsNamed(t *testing.T) {
	g, ctx := needsCluster(t)
	mesh := addsContainer("e2e-mesh", `object.metadata.?labels["bitcoin-operator.github.io/network"].orValue("") == "meshed"`, `Object.spec.containers{
		name: "mesh", image: object.spec.containers[0].image, command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"],
		readinessProbe: Object.spec.containers.readinessProbe{periodSeconds: 1, exec: Object.spec.containers.readinessProbe.exec{command: ["test", "-e", "/tmp/ready"]}},
		securityContext: Object.spec.containers.securityContext{allowPrivilegeEscalation: false, capabilities: Object.spec.containers.securityContext.capabilities{drop: ["ALL"]}}
	}`)
	for _, object := range mesh {
		t.Cleanup(func() { _ = cluster.API.Delete(context.WithoutCancel(ctx), object) })
		g.Expect(cluster.API.Create(ctx, object)).To(Succeed())
	}
	wait(g, ctx, func(ctx context.Context) (bool, string, error) {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "meshed", Labels: labelled("meshed")},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "only", Image: "localhost/none"}}},
		}
		err := cluster.API.Create(ctx, pod, client.DryRunAll)
		return len(pod.Spec.Containers) == 2, "the API server to add a container", err
	})

	meshed := create(t, g, ctx, "team-b", "meshed", v1alpha1.BitcoinNetworkSpec{Nodes: 1, Secret: secretName})
	wait(g, ctx, tells(meshed, "NodesReady", "NodesNotReady", `meshed-0: clients cannot reach it: container "mesh" of its pod is not ready`))
	g.Expect(network(g, ctx, "team-b", "meshed").Status.Ready).To(Equal("0/1"))
	_, err := cluster.Kubectl(ctx, "exec", "meshed-0", "--namespace=team-b", "--container=mesh", "--", "touch", "/tmp/ready")
	g.Expect(err).NotTo(HaveOccurred())
	ready(g, ctx, meshed)
}

// addsContainer returns what has the API server add a container to pods.
func addsContainer(name, pods, container string) []client.Object {
	return []client.Object{
		&admissionregistrationv1.MutatingAdmissionPolicy{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: admissionregistrationv1.MutatingAdmissionPolicySpec{
				MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
					RuleWithOperations: admissionregistrationv1.RuleWithOperations{
						Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
						Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
					},
				}}},
				MatchConditions:    []admissionregistrationv1.MatchCondition{{Name: "theirs", Expression: pods}},
				FailurePolicy:      new(admissionregistrationv1.Ignore),
				ReinvocationPolicy: admissionregistrationv1.NeverReinvocationPolicy,
				Mutations: []admissionregistrationv1.Mutation{{
					PatchType: admissionregistrationv1.PatchTypeJSONPatch,
					JSONPatch: &admissionregistrationv1.JSONPatch{Expression: `[JSONPatch{op: "add", path: "/spec/containers/-", value: ` + container + `}]`},
				}},
			},
		},
		&admissionregistrationv1.MutatingAdmissionPolicyBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       admissionregistrationv1.MutatingAdmissionPolicyBindingSpec{PolicyName: name},
		},
	}
}
