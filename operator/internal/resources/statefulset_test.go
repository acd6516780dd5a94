package resources

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

func withoutSecret(network *v1alpha1.BitcoinNetwork) { network.Spec.Secret = "" }

func onMain(network *v1alpha1.BitcoinNetwork) { network.Spec.Chain = v1alpha1.Main }

func withStorage(network *v1alpha1.BitcoinNetwork) {
	network.Spec.Storage = &v1alpha1.Storage{
		Size: resource.MustParse("10Gi"), ClassName: new("fast"),
		WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		WhenScaled:  appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
	}
}

// templateOf returns what a network's pods are made from.
func templateOf(changes ...func(*v1alpha1.BitcoinNetwork)) corev1.PodTemplateSpec {
	return setOf(networkNamed("payments", changes...), platform).Spec.Template
}

func bitcoindOf(changes ...func(*v1alpha1.BitcoinNetwork)) corev1.Container {
	return templateOf(changes...).Spec.Containers[0]
}

// Tenants' namespaces are under the Pod Security Standard "restricted". This is
// what the API server itself evaluates, in its latest version.
func TestPodsMeetTheRestrictedStandard(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for reason, template := range map[string]corev1.PodTemplateSpec{
		"with a Secret":            templateOf(),
		"with default credentials": templateOf(withoutSecret),
		"with volumes":             templateOf(withStorage),
		"on a public chain":        templateOf(onMain),
	} {
		for _, result := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", reason, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
}

func TestPodsAreStartedTogetherAndReplacedByTheOperator(t *testing.T) {
	g := NewWithT(t)
	spec := setOf(networkNamed("payments"), platform).Spec
	g.Expect(*spec.Replicas).To(BeEquivalentTo(3))
	g.Expect(spec.PodManagementPolicy).To(Equal(appsv1.ParallelPodManagement), "one node that does not start must not hold up the rest")
	g.Expect(spec.UpdateStrategy).To(Equal(appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}))
	g.Expect(spec.MinReadySeconds).To(BeZero())
}

// Which changes of a network change the template, and so replace its nodes.
func TestWhatReplacesNodes(t *testing.T) {
	for _, test := range []struct {
		reason   string
		change   func(*v1alpha1.BitcoinNetwork, *Platform)
		replaces bool
	}{
		{"scaling replaces none of those that stay", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.Nodes = 12 }, false},
		{"nor do labels, such as Flux's", func(n *v1alpha1.BitcoinNetwork, _ *Platform) {
			n.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "networks"}
		}, false},
		{"nor its status", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Status.Ready = "3/3" }, false},
		{"nor a new default image, where the network has its own", func(n *v1alpha1.BitcoinNetwork, p *Platform) {
			p.DefaultImage = "bitcoind:next"
		}, false},
		{"its image does", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.Image = "bitcoind:next" }, true},
		{"and the platform's, where it has none", func(n *v1alpha1.BitcoinNetwork, p *Platform) { n.Spec.Image = "" }, true},
		{"and another Secret", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.Secret = "another" }, true},
		{"and another line of bitcoin.conf", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.Config = []v1alpha1.ConfigLine{"txindex=1"} }, true},
		{"and notifications", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.ZMQ = []v1alpha1.ZMQTopic{v1alpha1.RawTx} }, true},
		{"and resources", func(n *v1alpha1.BitcoinNetwork, _ *Platform) {
			n.Spec.Resources = &v1alpha1.Resources{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}}
		}, true},
		{"and labels of pods", func(n *v1alpha1.BitcoinNetwork, _ *Platform) {
			n.Spec.PodLabels = map[string]v1alpha1.LabelValue{"a": "b"}
		}, true},
		{"and where they may run", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.NodeSelector = map[string]string{"a": "b"} }, true},
		{"how they are linked does not", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.Peering.Degree = 2 }, false},
		{"nor how often they are looked at", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.Interval = &metav1.Duration{Duration: time.Hour} }, false},
		{"nor mining", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.Mining = &v1alpha1.Mining{KeepFresh: new(false)} }, false},
		{"nor that the network is left as it is", func(n *v1alpha1.BitcoinNetwork, _ *Platform) { n.Spec.Suspend = true }, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.Image = "bitcoind:own" })
			platform := platform
			live := setOf(network, platform)
			before := live.Spec.Template
			test.change(network, &platform)
			workload, err := WorkloadOf(network, platform, regtest, 1, live)
			if err != nil {
				t.Fatal(err)
			}
			after := workload.Template
			if replaces := after.String() != before.String(); replaces != test.replaces {
				t.Errorf("replaces nodes: %t, want %t", replaces, test.replaces)
			}
		})
	}
}

func TestAChangedConfigurationIsAChangedAnnotation(t *testing.T) {
	g := NewWithT(t)
	withIndex := func(n *v1alpha1.BitcoinNetwork) { n.Spec.Config = []v1alpha1.ConfigLine{"txindex=1"} }
	annotation := func(network *v1alpha1.BitcoinNetwork) string {
		return setOf(network, platform).Spec.Template.Annotations["bitcoin-operator.github.io/config"]
	}
	g.Expect(annotation(networkNamed("payments"))).NotTo(BeEmpty())
	g.Expect(annotation(networkNamed("payments", withIndex))).NotTo(Equal(annotation(networkNamed("payments"))))
	g.Expect(annotation(networkNamed("invoices"))).To(Equal(annotation(networkNamed("payments"))),
		"it speaks of the configuration alone")
	g.Expect(annotation(networkNamed("payments", withoutSecret))).To(Equal(annotation(networkNamed("payments"))),
		"and of nothing that has to do with credentials")
}

func TestNodesTakeTheirCredentialsFromTheSecret(t *testing.T) {
	g := NewWithT(t)
	container := bitcoindOf()
	g.Expect(container.EnvFrom).To(Equal([]corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: "bitcoin-rpc"},
		// Not optional: without the Secret the container must not start.
	}}}))
	for _, variable := range container.Env {
		g.Expect(variable.Name).NotTo(HavePrefix("BC_RPC_"), "it would win over the Secret's")
	}
	for _, volume := range templateOf().Spec.Volumes {
		g.Expect(volume.Secret).To(BeNil(), "on no file system")
	}
}

func TestNodesWithoutASecretAreGivenTheDefault(t *testing.T) {
	g := NewWithT(t)
	container := bitcoindOf(withoutSecret)
	g.Expect(container.EnvFrom).To(BeEmpty())
	g.Expect(container.Env).To(ContainElements(
		corev1.EnvVar{Name: "BC_RPC_USER", Value: bitcoind.DefaultCredentials.User},
		corev1.EnvVar{Name: "BC_RPC_PASSWORD", Value: bitcoind.DefaultCredentials.Password},
	))
}

// A Secret may have more keys than two. None of them may stand for what the
// operator sets.
func TestASecretCannotStandForTheOperatorsOwnVariables(t *testing.T) {
	g := NewWithT(t)
	variables := map[string]corev1.EnvVar{}
	for _, variable := range bitcoindOf().Env {
		variables[variable.Name] = variable // Env wins over EnvFrom
	}
	g.Expect(variables["HOME"].Value).To(Equal(bitcoind.Home), "bitcoind and bitcoin-cli find everything below it")
	g.Expect(variables["ORDINAL"].ValueFrom.FieldRef.FieldPath).To(Equal("metadata.labels['apps.kubernetes.io/pod-index']"))
}

// A node says who it is in the words by which the operator looks for it.
func TestNodesSayWhoTheyAre(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments")
	args := setOf(network, platform).Spec.Template.Spec.Containers[0].Args
	g.Expect(args).To(HaveLen(1))
	for ordinal := range 12 {
		// As the kubelet expands it.
		expanded := strings.ReplaceAll(args[0], "$(ORDINAL)", fmt.Sprint(ordinal))
		g.Expect(expanded).To(Equal("-uacomment=" + Comment(network, ordinal)))
	}
}

func TestImageDecidesWhatRuns(t *testing.T) {
	g := NewWithT(t)
	g.Expect(bitcoindOf().Image).To(Equal("bitcoind:default"))
	g.Expect(bitcoindOf(func(n *v1alpha1.BitcoinNetwork) { n.Spec.Image = "bitcoind:own" }).Image).To(Equal("bitcoind:own"))
	g.Expect(bitcoindOf().Command).To(Equal([]string{"bitcoind-start"}), "it makes the credentials fit for bitcoind, and an image without it is told apart")
	g.Expect(bitcoindOf().Name).To(Equal(Container))
}

func TestPodsHaveNoAccessToTheCluster(t *testing.T) {
	g := NewWithT(t)
	spec := templateOf().Spec
	g.Expect(*spec.AutomountServiceAccountToken).To(BeFalse())
	g.Expect(spec.ServiceAccountName).To(BeEmpty())
	g.Expect(*spec.EnableServiceLinks).To(BeFalse(), "a namespace's other Services are none of its business, and hundreds of them slow its start")
}

func TestOnlyTheDataCanBeWritten(t *testing.T) {
	g := NewWithT(t)
	spec := templateOf().Spec
	container := bitcoindOf()
	g.Expect(*container.SecurityContext.ReadOnlyRootFilesystem).To(BeTrue())
	g.Expect(*spec.SecurityContext.RunAsUser).To(BeEquivalentTo(1000), "data belongs to that user alone: another could not read it")
	g.Expect(*spec.SecurityContext.FSGroup).To(Equal(*spec.SecurityContext.RunAsGroup))

	volumes := map[string]corev1.VolumeSource{}
	for _, volume := range spec.Volumes {
		volumes[volume.Name] = volume.VolumeSource
	}
	mounts := map[string]corev1.VolumeMount{}
	for _, mount := range container.VolumeMounts {
		mounts[mount.MountPath] = mount
		g.Expect(volumes).To(HaveKey(mount.Name), "%s is no volume", mount.Name)
	}
	g.Expect(mounts).To(HaveLen(3))
	g.Expect(volumes).To(HaveLen(3))

	data := mounts[bitcoind.DataDir]
	g.Expect(data.ReadOnly).To(BeFalse())
	g.Expect(volumes[data.Name].EmptyDir.Medium).To(BeEmpty(), "a chain in memory would count as the pod's memory")

	auth := mounts[bitcoind.AuthDir]
	g.Expect(auth.ReadOnly).To(BeFalse())
	g.Expect(volumes[auth.Name].EmptyDir.Medium).To(Equal(corev1.StorageMediumMemory), "hashes of credentials stay off the disk")
	g.Expect(volumes[auth.Name].EmptyDir.SizeLimit.Value()).To(BeNumerically(">", 0))

	config := mounts[bitcoind.ConfigFile]
	g.Expect(config.ReadOnly).To(BeTrue())
	g.Expect(volumes[config.Name].ConfigMap.Name).To(Equal(ConfigMap(networkNamed("payments"), workloadOf(networkNamed("payments"), platform)).Name))
	g.Expect(ConfigMap(networkNamed("payments"), workloadOf(networkNamed("payments"), platform)).Data).To(HaveKey(config.SubPath))
}

func TestProbes(t *testing.T) {
	g := NewWithT(t)
	container := bitcoindOf()
	ports := map[string]int32{}
	for _, port := range container.Ports {
		ports[port.Name] = port.ContainerPort
	}
	lasts := func(probe *corev1.Probe) time.Duration {
		return time.Duration(probe.PeriodSeconds*probe.FailureThreshold) * time.Second
	}

	startup := container.StartupProbe
	g.Expect(ports[startup.TCPSocket.Port.StrVal]).To(Equal(regtest.P2PPort), "that port opens when the chain is loaded")
	g.Expect(startup.PeriodSeconds).To(BeEquivalentTo(1), "a node is Ready as soon as it can be")
	g.Expect(lasts(startup)).To(BeNumerically(">=", 4*time.Hour), "replaying a chain takes hours, and a kill starts it over")

	readiness := container.ReadinessProbe
	g.Expect(ports[readiness.HTTPGet.Port.StrVal]).To(Equal(regtest.RPCPort))
	g.Expect(readiness.HTTPGet.Path).To(Equal("/rest/chaininfo.json"), "it needs no credentials, and fails while the node warms up")

	liveness := container.LivenessProbe
	g.Expect(ports[liveness.TCPSocket.Port.StrVal]).To(Equal(regtest.RPCPort), "it asks nothing of the chain: a node that syncs is alive")
	g.Expect(lasts(liveness)).To(BeNumerically(">=", 5*time.Minute), "a kill costs a replay")

	for _, probe := range []*corev1.Probe{startup, readiness, liveness} {
		g.Expect(probe.Exec).To(BeNil(), "a process in the container for every probe of every node")
		g.Expect(probe.TimeoutSeconds).To(BeNumerically(">", 1), "a busy node is not a dead one")
	}
}

func TestNodesAreStoppedInPeace(t *testing.T) {
	NewWithT(t).Expect(*templateOf().Spec.TerminationGracePeriodSeconds).To(BeNumerically(">=", 30), "bitcoind writes its chain out")
}

// Why a container ended is in its last words. The operator shows them, where the
// kubelet keeps them.
func TestLastWordsAreKept(t *testing.T) {
	NewWithT(t).Expect(bitcoindOf().TerminationMessagePolicy).To(Equal(corev1.TerminationMessageFallbackToLogsOnError))
}

func TestNodesAreSpreadOverMachinesIfThereAreSome(t *testing.T) {
	g := NewWithT(t)
	constraints := templateOf().Spec.TopologySpreadConstraints
	g.Expect(constraints).To(HaveLen(1))
	g.Expect(constraints[0].TopologyKey).To(Equal("kubernetes.io/hostname"))
	g.Expect(constraints[0].WhenUnsatisfiable).To(Equal(corev1.ScheduleAnyway), "a cluster of one machine runs networks, too")
}

func TestNodesAreBounded(t *testing.T) {
	g := NewWithT(t)
	resources := bitcoindOf().Resources
	g.Expect(resources.Requests).To(HaveKey(corev1.ResourceCPU))
	g.Expect(resources.Requests).To(HaveKey(corev1.ResourceMemory))
	g.Expect(resources.Limits).To(HaveKey(corev1.ResourceMemory))
	g.Expect(resources.Limits).NotTo(HaveKey(corev1.ResourceCPU), "idle machines may as well validate")
}
