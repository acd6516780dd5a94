package resources

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

const (
	// bitcoindUser is the user and group that bitcoind runs as. bitcoind makes
	// its files readable by that user alone, so it must never change.
	bitcoindUser = 1000

	// DataVolume is the volume with a node's data.
	DataVolume = "data"

	authVolume = "auth"
	// confVolume is not called "config", as that of earlier operators was: where
	// somebody else has a say in a field of that one, it would be of two kinds.
	confVolume = "conf"
	configFile = "bitcoin.conf"
)

func podSpec(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain) corev1.PodSpec {
	return corev1.PodSpec{
		HostUsers:                     hostUsers(platform),
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		TerminationGracePeriodSeconds: new(int64(chain.Grace / time.Second)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:        new(true),
			RunAsUser:           new(int64(bitcoindUser)),
			RunAsGroup:          new(int64(bitcoindUser)),
			FSGroup:             new(int64(bitcoindUser)),
			FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
			SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		// Peers are dialled by complete names: by default the resolver would look
		// each up below three other domains first.
		DNSConfig:                 &corev1.PodDNSConfig{Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: new("1")}}},
		ImagePullSecrets:          pullSecrets(network),
		Containers:                []corev1.Container{container(network, platform.Image(network), chain)},
		ReadinessGates:            readinessGates(network, chain),
		Volumes:                   volumes(network, chain),
		NodeSelector:              network.Spec.NodeSelector,
		Tolerations:               network.Spec.Tolerations,
		Affinity:                  network.Spec.Affinity,
		TopologySpreadConstraints: spread(network),
	}
}

// readinessGates keep a pod whose data are gone with it from being ready before its
// node has copied the chain: an empty node answers probes like any other, so a budget
// that went by them would let a drain take the last copy. A public chain the world
// has.
func readinessGates(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) []corev1.PodReadinessGate {
	if network.Spec.Storage != nil || !IsPrivate(network, chain) {
		return nil
	}
	return []corev1.PodReadinessGate{{ConditionType: SyncedCondition}}
}

// spread says how nodes spread over machines. By default they should not share
// one: losing a run of neighbouring ordinals is what can split a network.
func spread(network *v1alpha1.BitcoinNetwork) []corev1.TopologySpreadConstraint {
	if len(network.Spec.TopologySpreadConstraints) == 0 {
		return []corev1.TopologySpreadConstraint{{
			MaxSkew:           1,
			TopologyKey:       corev1.LabelHostname,
			WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector:     &metav1.LabelSelector{MatchLabels: Selector(network)},
		}}
	}
	constraints := slices.Clone(network.Spec.TopologySpreadConstraints)
	for i := range constraints {
		if constraints[i].LabelSelector == nil {
			constraints[i].LabelSelector = &metav1.LabelSelector{MatchLabels: Selector(network)}
		}
	}
	return constraints
}

// hostUsers says that nodes have users of their own, where the platform has chosen so:
// whoever breaks out of one is nobody on the machine.
func hostUsers(platform Platform) *bool {
	if !platform.UserNamespaces {
		return nil
	}
	return new(false)
}

func pullSecrets(network *v1alpha1.BitcoinNetwork) []corev1.LocalObjectReference {
	var references []corev1.LocalObjectReference
	for _, secret := range network.Spec.ImagePullSecrets {
		references = append(references, corev1.LocalObjectReference{Name: secret.Name})
	}
	return references
}

// volumes are those of every pod. Where there is storage, the data is in a claim
// of the StatefulSet's instead.
func volumes(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) []corev1.Volume {
	volumes := []corev1.Volume{
		{Name: authVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
			Medium:    corev1.StorageMediumMemory,
			SizeLimit: new(resource.MustParse("1Mi")),
		}}},
		{Name: confVolume, VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
			Items: []corev1.DownwardAPIVolumeFile{{Path: configFile, FieldRef: &corev1.ObjectFieldSelector{
				APIVersion: "v1",
				FieldPath:  "metadata.annotations['" + ConfigAnnotation + "']",
			}}},
		}}},
	}
	if network.Spec.Storage == nil {
		volumes = append(volumes, corev1.Volume{Name: DataVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
			SizeLimit: new(requirements(network, chain).Limits[corev1.ResourceEphemeralStorage]),
		}}})
	}
	return volumes
}

// handover is for how many seconds a node goes on when it is told to end: kube-proxy
// changes its rules at most once a second, and the operator's Services come before that.
const handover = 3

func container(network *v1alpha1.BitcoinNetwork, image string, chain bitcoind.Chain) corev1.Container {
	c := corev1.Container{
		Name:            Container,
		Image:           image,
		ImagePullPolicy: network.Spec.ImagePullPolicy,
		// Said here and not left to the image, so that an image which lacks it is
		// told apart from one whose bitcoind fails.
		Command: []string{bitcoind.EntryPoint},
		// Every node says in its user agent which one it is.
		Args: []string{"-uacomment=" + commentOf(network, "$(ORDINAL)")},
		Env: []corev1.EnvVar{
			{Name: "HOME", Value: bitcoind.Home},
			{Name: "ORDINAL", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{
				APIVersion: "v1",
				FieldPath:  "metadata.labels['" + appsv1.PodIndexLabel + "']",
			}}},
		},
		Ports:     containerPorts(network, chain),
		Resources: requirements(network, chain),
		// The P2P port opens when the chain is loaded, which takes hours after
		// a crash in the worst case: nothing may kill a node before.
		StartupProbe: probe(corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString(p2pPort)}}, 1, int32(chain.Replay/time.Second)),
		// Readiness says that the node answers, never that it is in sync.
		ReadinessProbe: probe(corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path:   "/rest/chaininfo.json",
			Port:   intstr.FromString(rpcPort),
			Scheme: corev1.URISchemeHTTP,
		}}, 5, 3),
		LivenessProbe: probe(corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString(rpcPort)}}, 30, 10),
		// A node that is told to end goes on serving until nobody is led to it any more:
		// connections to an address that is gone may hang for a minute.
		Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: handover}}},
		// The end of a crashed node's log is what the status says of it.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext:          containerSecurity(),
		VolumeMounts: []corev1.VolumeMount{
			{Name: DataVolume, MountPath: bitcoind.DataDir},
			{Name: confVolume, MountPath: bitcoind.ConfigFile, SubPath: configFile, ReadOnly: true},
			{Name: authVolume, MountPath: bitcoind.AuthDir},
		},
	}
	if network.Spec.Secret == "" {
		c.Env = append(c.Env,
			corev1.EnvVar{Name: bitcoind.UserKey, Value: bitcoind.DefaultCredentials.User()},
			corev1.EnvVar{Name: bitcoind.PasswordKey, Value: bitcoind.DefaultCredentials.Password()})
		return c
	}
	c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: network.Spec.Secret},
	}}}
	if users := usersOf(network); len(users) > 0 {
		c.Env = append(c.Env, corev1.EnvVar{Name: bitcoind.WhitelistsVariable, Value: bitcoind.Whitelists(users)})
	}
	return c
}

func containerSecurity() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// SecretOf returns the name of the Secret from which a pod's node takes its
// credentials. It is empty for one that has the default ones.
func SecretOf(pod *corev1.Pod) string {
	for _, container := range pod.Spec.Containers {
		for _, source := range container.EnvFrom {
			if container.Name == Container && source.SecretRef != nil {
				return source.SecretRef.Name
			}
		}
	}
	return ""
}

// ImageOf returns the image that a pod's node runs.
func ImageOf(pod *corev1.Pod) string {
	for _, container := range pod.Spec.Containers {
		if container.Name == Container {
			return container.Image
		}
	}
	return ""
}

func containerPorts(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) []corev1.ContainerPort {
	var ports []corev1.ContainerPort
	for _, port := range nodePorts(network, chain) {
		ports = append(ports, corev1.ContainerPort{Name: port.name, ContainerPort: port.number, Protocol: corev1.ProtocolTCP})
	}
	return ports
}

// probe returns a probe of the given period in seconds that allows for so many
// failures in a row.
func probe(handler corev1.ProbeHandler, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     handler,
		PeriodSeconds:    period,
		FailureThreshold: failures,
		TimeoutSeconds:   5,
		SuccessThreshold: 1,
	}
}
