package resources

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

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
	nothing := func(*v1alpha1.BitcoinNetwork) {}
	for chain, choose := range map[string]func(*v1alpha1.BitcoinNetwork){
		"regtest": on(v1alpha1.Regtest), "signet": on(v1alpha1.Signet), "own signet": ownSignet, "testnet4": on(v1alpha1.Testnet4), "main": on(v1alpha1.Main),
	} {
		for reason, change := range map[string]func(*v1alpha1.BitcoinNetwork){
			"with a Secret": nothing, "with default credentials": withoutSecret, "with storage": withStorage, "with every field": everyField,
		} {
			// everyField chooses a chain, too.
			set := setOf(networkNamed("payments", change, choose), bringing("operator:v1"))
			template := set.Spec.Template
			for _, claim := range set.Spec.VolumeClaimTemplates {
				// As the StatefulSet controller does.
				template.Spec.Volumes = append(template.Spec.Volumes, corev1.Volume{Name: claim.Name, VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-payments-0"},
				}})
			}
			for _, result := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
				if !result.Allowed {
					t.Errorf("%s, %s: %s: %s", chain, reason, result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
		}
	}
}

func TestPodLabels(t *testing.T) {
	own := map[string]string{
		NetworkLabel: "payments", "app.kubernetes.io/name": "bitcoind",
		"app.kubernetes.io/instance": "payments", "app.kubernetes.io/managed-by": "bitcoin-operator",
	}
	for _, test := range []struct {
		reason string
		labels map[string]v1alpha1.LabelValue
		more   map[string]string
	}{
		{"none", nil, nil},
		{"some", map[string]v1alpha1.LabelValue{"cost-centre": "4711", "example.com/team": ""}, map[string]string{"cost-centre": "4711", "example.com/team": ""}},
		// The API refuses these. A network from before it did is none of the operator's pods all the same.
		{"the operator's own", map[string]v1alpha1.LabelValue{
			NetworkLabel: "invoices", "app.kubernetes.io/name": "bitcoin-operator", "app.kubernetes.io/instance": "x", "app.kubernetes.io/managed-by": "x",
		}, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			c := childrenOf(t, networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.PodLabels = test.labels }))
			want := map[string]string{}
			for _, labels := range []map[string]string{own, test.more} {
				for key, value := range labels {
					want[key] = value
				}
			}
			g.Expect(c.set.Spec.Template.Labels).To(Equal(want))
			g.Expect(c.set.Labels).To(Equal(own), "they are the pods' alone")
		})
	}
}

func TestNodesTakeTheirCredentialsFromTheSecret(t *testing.T) {
	for _, change := range []func(*v1alpha1.BitcoinNetwork){func(*v1alpha1.BitcoinNetwork) {}, everyField} {
		g := NewWithT(t)
		container := bitcoindOf(change)
		g.Expect(container.EnvFrom).To(Equal([]corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "bitcoin-rpc"},
			// Not optional: without the Secret the container must not start.
		}}}))
		for _, variable := range container.Env {
			g.Expect(variable.Name).NotTo(Or(HavePrefix("BC_RPC_USER"), HavePrefix("BC_RPC_PASSWORD")), "it would win over the Secret's")
		}
		for _, volume := range templateOf(change).Spec.Volumes {
			g.Expect(volume.Secret).To(BeNil(), "on no file system")
		}
	}
}

func TestNodesWithoutASecretAreGivenTheDefault(t *testing.T) {
	g := NewWithT(t)
	container := bitcoindOf(withoutSecret)
	g.Expect(container.EnvFrom).To(BeEmpty())
	g.Expect(container.Env).To(ContainElements(
		corev1.EnvVar{Name: "BC_RPC_USER", Value: bitcoind.DefaultCredentials.User()},
		corev1.EnvVar{Name: "BC_RPC_PASSWORD", Value: bitcoind.DefaultCredentials.Password()},
	))
}

// Which of them a pod has is told by the pod, not by the network, which may have
// changed since.
func TestSecretOf(t *testing.T) {
	of := func(change func(*corev1.PodSpec), changes ...func(*v1alpha1.BitcoinNetwork)) *corev1.Pod {
		spec := templateOf(changes...).Spec
		change(&spec)
		return &corev1.Pod{Spec: spec}
	}
	unchanged := func(*corev1.PodSpec) {}
	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   string
	}{
		{"one with a Secret", of(unchanged), "bitcoin-rpc"},
		{"one with the default credentials", of(unchanged, withoutSecret), ""},
		{"a container beside it has another", of(func(spec *corev1.PodSpec) {
			beside := *spec.Containers[0].DeepCopy()
			beside.Name, beside.EnvFrom[0].SecretRef.Name = "proxy", "tls"
			spec.Containers = append([]corev1.Container{beside}, spec.Containers...)
		}), "bitcoin-rpc"},
		{"other variables are from elsewhere", of(func(spec *corev1.PodSpec) {
			other := corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{}}
			spec.Containers[0].EnvFrom = append([]corev1.EnvFromSource{other}, spec.Containers[0].EnvFrom...)
		}), "bitcoin-rpc"},
		{"one without containers", of(func(spec *corev1.PodSpec) { spec.Containers = nil }), ""},
	} {
		if got := SecretOf(test.pod); got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
}

// A pod whose data are gone with it is not ready before its node has what the others
// have.
func TestReadinessGates(t *testing.T) {
	gated := []corev1.PodReadinessGate{{ConditionType: "bitcoin-operator.github.io/synced"}}
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.BitcoinNetwork)
		want   []corev1.PodReadinessGate
	}{
		{"regtest", on(v1alpha1.Regtest), gated},
		{"a signet of one's own", ownSignet, gated},
		{"regtest on a volume, which a new pod has at once", withStorage, nil},
		{"a signet of one's own on a volume", everyField, nil},
		{"the public signet, which the world has", on(v1alpha1.Signet), nil},
		{"testnet4", on(v1alpha1.Testnet4), nil},
		{"main, where nodes are behind for days", on(v1alpha1.Main), nil},
	} {
		NewWithT(t).Expect(templateOf(test.change).Spec.ReadinessGates).To(Equal(test.want), test.reason)
	}
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
	args := childrenOf(t, network).container().Args
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
	g.Expect(bitcoindOf().Command).To(Equal([]string{"bitcoind-start"}), "it makes the credentials fit for bitcoind; an image that lacks it is told apart")
	g.Expect(bitcoindOf().Name).To(Equal(Container))
	g.Expect(templateOf().Spec.Containers).To(HaveLen(1))
	g.Expect(templateOf().Spec.InitContainers).To(BeEmpty())
}

func TestImageIsPulled(t *testing.T) {
	g := NewWithT(t)
	g.Expect(bitcoindOf().ImagePullPolicy).To(BeEmpty(), "Kubernetes' own default")
	g.Expect(templateOf().Spec.ImagePullSecrets).To(BeEmpty())
	for _, policy := range []corev1.PullPolicy{corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever} {
		g.Expect(bitcoindOf(func(n *v1alpha1.BitcoinNetwork) { n.Spec.ImagePullPolicy = policy }).ImagePullPolicy).To(Equal(policy))
	}
	template := templateOf(func(n *v1alpha1.BitcoinNetwork) {
		n.Spec.ImagePullSecrets = []v1alpha1.ImagePullSecret{{Name: "registry"}, {Name: "mirror"}}
	})
	g.Expect(template.Spec.ImagePullSecrets).To(Equal([]corev1.LocalObjectReference{{Name: "registry"}, {Name: "mirror"}}))
}

func TestPodsHaveNoAccessToTheCluster(t *testing.T) {
	g := NewWithT(t)
	spec := templateOf().Spec
	g.Expect(spec.AutomountServiceAccountToken).To(HaveValue(BeFalse()))
	g.Expect(spec.ServiceAccountName).To(BeEmpty())
	g.Expect(spec.EnableServiceLinks).To(HaveValue(BeFalse()), "a namespace's other Services are none of its business, and hundreds of them slow its start")
}

func TestPeersAreLookedUpByTheirCompleteNames(t *testing.T) {
	g := NewWithT(t)
	spec := templateOf().Spec
	g.Expect(spec.DNSConfig.Options).To(Equal([]corev1.PodDNSConfigOption{{Name: "ndots", Value: new("1")}}))
	g.Expect(spec.DNSConfig.Nameservers).To(BeEmpty(), "they are the cluster's")
	g.Expect(spec.DNSPolicy).To(BeEmpty())
}

func TestOnlyTheDataCanBeWritten(t *testing.T) {
	g := NewWithT(t)
	c := childrenOf(t, networkNamed("payments"))
	spec, container := c.set.Spec.Template.Spec, c.container()
	g.Expect(container.SecurityContext.ReadOnlyRootFilesystem).To(HaveValue(BeTrue()))
	g.Expect(spec.SecurityContext.RunAsUser).To(HaveValue(BeEquivalentTo(1000)), "data belongs to that user alone: another could not read it")
	g.Expect(*spec.SecurityContext.FSGroup).To(Equal(*spec.SecurityContext.RunAsGroup))
	g.Expect(spec.SecurityContext.FSGroupChangePolicy).To(HaveValue(Equal(corev1.FSGroupChangeOnRootMismatch)), "a chain has a hundred thousand files")

	volumes := volumesOf(c.set)
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
	g.Expect(volumes[data.Name].EmptyDir.SizeLimit.Value()).To(BeNumerically(">", 0), "TestDisk")

	auth := mounts[bitcoind.AuthDir]
	g.Expect(auth.ReadOnly).To(BeFalse())
	g.Expect(volumes[auth.Name].EmptyDir.Medium).To(Equal(corev1.StorageMediumMemory), "hashes of credentials stay off the disk")
	g.Expect(volumes[auth.Name].EmptyDir.SizeLimit.Value()).To(BeNumerically(">", 0))

	config := mounts[bitcoind.ConfigFile]
	g.Expect(config.ReadOnly).To(BeTrue())
	g.Expect(volumes[config.Name].DownwardAPI.Items).To(HaveExactElements(And(
		HaveField("Path", config.SubPath),
		HaveField("Mode", BeNil()), // by default everybody may read it
		HaveField("FieldRef.FieldPath", "metadata.annotations['bitcoin-operator.github.io/bitcoin.conf']"))))
	g.Expect(c.set.Spec.Template.Annotations).To(HaveKey("bitcoin-operator.github.io/bitcoin.conf"))
	g.Expect(c.config).To(BeNil())
}

// With storage the data alone is elsewhere, so nothing is to be copied before a new pod
// is ready, and the machine's disk needs no bound.
func TestStorageMovesTheDataAlone(t *testing.T) {
	g := NewWithT(t)
	with, without := templateOf(withStorage), templateOf()
	g.Expect(with.Spec.Volumes).To(HaveLen(2))
	for _, volume := range with.Spec.Volumes {
		g.Expect(without.Spec.Volumes).To(ContainElement(volume))
	}
	with.Spec.Volumes, without.Spec.Volumes = nil, nil
	without.Spec.ReadinessGates = nil
	for _, list := range []corev1.ResourceList{without.Spec.Containers[0].Resources.Requests, without.Spec.Containers[0].Resources.Limits} {
		delete(list, corev1.ResourceEphemeralStorage)
	}
	g.Expect(with).To(Equal(without))
}

func lasts(probe *corev1.Probe) time.Duration {
	return time.Duration(probe.PeriodSeconds) * time.Duration(probe.FailureThreshold) * time.Second
}

func TestProbes(t *testing.T) {
	for _, change := range []func(*v1alpha1.BitcoinNetwork){
		on(v1alpha1.Regtest), on(v1alpha1.Signet), ownSignet, on(v1alpha1.Testnet4), on(v1alpha1.Main), everyField,
	} {
		g := NewWithT(t)
		network := networkNamed("payments", change)
		container, chain := childrenOf(t, network).container(), chainOf(network)
		ports := map[string]int32{}
		for _, port := range container.Ports {
			ports[port.Name] = port.ContainerPort
		}

		startup := container.StartupProbe
		g.Expect(ports[startup.TCPSocket.Port.StrVal]).To(Equal(chain.P2PPort), "that port opens when the chain is loaded")
		g.Expect(startup.PeriodSeconds).To(BeEquivalentTo(1), "a node is Ready as soon as it can be")

		readiness := container.ReadinessProbe
		g.Expect(ports[readiness.HTTPGet.Port.StrVal]).To(Equal(chain.RPCPort))
		g.Expect(readiness.HTTPGet.Path).To(Equal("/rest/chaininfo.json"), "it needs no credentials, and fails while the node warms up")

		liveness := container.LivenessProbe
		g.Expect(ports[liveness.TCPSocket.Port.StrVal]).To(Equal(chain.RPCPort), "it asks nothing of the chain: a node that syncs is alive")
		g.Expect(lasts(liveness)).To(BeNumerically(">=", 5*time.Minute), "a kill costs a replay")

		for _, probe := range []*corev1.Probe{startup, readiness, liveness} {
			g.Expect(probe.Exec).To(BeNil(), "a process in the container for every probe of every node")
			g.Expect(probe.TimeoutSeconds).To(BeNumerically(">", 1), "a busy node is not a dead one")
		}
	}
}

// kube-proxy may lead clients to a node for a second after it was told to end. Who dials
// an address that nobody has any more may wait for a minute.
func TestNodesServeUntilNobodyIsLedToThem(t *testing.T) {
	g := NewWithT(t)
	network := networkNamed("payments")
	ends := childrenOf(t, network).container().Lifecycle.PreStop.Sleep.Seconds
	g.Expect(ends).To(And(BeNumerically(">", 1), BeNumerically("<", chainOf(network).Grace.Seconds())))
}

// A larger chain takes longer to be written out, and to be replayed when it was
// not; a kill in the middle of either starts it over.
func TestNodesAreGivenTheirTime(t *testing.T) {
	for _, test := range []struct {
		reason         string
		change         func(*v1alpha1.BitcoinNetwork)
		grace, startup time.Duration
	}{
		{"regtest", on(v1alpha1.Regtest), 60 * time.Second, 4 * time.Hour},
		{"the public signet", on(v1alpha1.Signet), 600 * time.Second, 24 * time.Hour},
		{"a signet of one's own", ownSignet, 600 * time.Second, 24 * time.Hour},
		{"testnet4", on(v1alpha1.Testnet4), 600 * time.Second, 24 * time.Hour},
		{"main", on(v1alpha1.Main), 600 * time.Second, 48 * time.Hour},
	} {
		g := NewWithT(t)
		template := templateOf(test.change)
		g.Expect(template.Spec.TerminationGracePeriodSeconds).To(HaveValue(BeEquivalentTo(test.grace/time.Second)), test.reason)
		g.Expect(lasts(template.Spec.Containers[0].StartupProbe)).To(Equal(test.startup), test.reason)
		for _, probe := range []*corev1.Probe{template.Spec.Containers[0].StartupProbe, template.Spec.Containers[0].LivenessProbe} {
			g.Expect(probe.TerminationGracePeriodSeconds).To(BeNil(), "a probe that fails allows the same time")
		}
	}
}

// Why a container ended is in its last words. The operator shows them, where the
// kubelet keeps them.
func TestLastWordsAreKept(t *testing.T) {
	NewWithT(t).Expect(bitcoindOf().TerminationMessagePolicy).To(Equal(corev1.TerminationMessageFallbackToLogsOnError))
}

func TestWhereNodesRun(t *testing.T) {
	g := NewWithT(t)
	bare := templateOf().Spec
	g.Expect(bare.NodeSelector).To(BeEmpty())
	g.Expect(bare.Tolerations).To(BeEmpty())
	g.Expect(bare.Affinity).To(BeNil())

	network := networkNamed("payments", everyField)
	spec := childrenOf(t, network).set.Spec.Template.Spec
	g.Expect(spec.NodeSelector).To(Equal(network.Spec.NodeSelector))
	g.Expect(spec.Tolerations).To(Equal(network.Spec.Tolerations))
	g.Expect(spec.Affinity).To(Equal(network.Spec.Affinity))
}

func TestNodesAreSpread(t *testing.T) {
	ofNetwork := &metav1.LabelSelector{MatchLabels: map[string]string{NetworkLabel: "payments"}}
	others := &metav1.LabelSelector{MatchLabels: map[string]string{"team": "payments"}}
	zones := func(selector *metav1.LabelSelector) corev1.TopologySpreadConstraint {
		return corev1.TopologySpreadConstraint{
			MaxSkew: 2, TopologyKey: "topology.kubernetes.io/zone", WhenUnsatisfiable: corev1.DoNotSchedule,
			MinDomains: new(int32(3)), MatchLabelKeys: []string{"rack"}, LabelSelector: selector,
		}
	}
	byDefault := []corev1.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: "kubernetes.io/hostname",
		WhenUnsatisfiable: corev1.ScheduleAnyway, // a cluster of one machine runs networks, too
		LabelSelector:     ofNetwork,
	}}
	for _, test := range []struct {
		reason     string
		said, want []corev1.TopologySpreadConstraint
	}{
		{"over machines by default", nil, byDefault},
		{"an empty list says nothing", []corev1.TopologySpreadConstraint{}, byDefault},
		{"without a selector: the nodes of this network", []corev1.TopologySpreadConstraint{zones(nil)}, []corev1.TopologySpreadConstraint{zones(ofNetwork)}},
		{"with a selector: as it says", []corev1.TopologySpreadConstraint{zones(others)}, []corev1.TopologySpreadConstraint{zones(others)}},
		{"with one that selects everything", []corev1.TopologySpreadConstraint{zones(&metav1.LabelSelector{})}, []corev1.TopologySpreadConstraint{zones(&metav1.LabelSelector{})}},
		{"some with and some without", []corev1.TopologySpreadConstraint{zones(others), zones(nil), zones(others)},
			[]corev1.TopologySpreadConstraint{zones(others), zones(ofNetwork), zones(others)}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network := networkNamed("payments", func(n *v1alpha1.BitcoinNetwork) { n.Spec.TopologySpreadConstraints = test.said })
			before := network.DeepCopy()
			g.Expect(childrenOf(t, network).set.Spec.Template.Spec.TopologySpreadConstraints).To(Equal(test.want))
			g.Expect(network).To(Equal(before), "the network still says what it said")
		})
	}
}
