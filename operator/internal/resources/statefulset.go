package resources

import (
	"crypto/sha256"
	"encoding/hex"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

const (
	// configAnnotation carries a hash of bitcoin.conf, so that a changed
	// configuration is a changed pod template.
	configAnnotation = "bitcoin-operator.github.io/config"

	// bitcoindUser is the user and group that bitcoind runs as. bitcoind makes
	// its files readable by that user alone, so it must never change.
	bitcoindUser = 1000

	dataVolume   = "data"
	authVolume   = "auth"
	configVolume = "config"
)

// StatefulSet runs the nodes of a network. It starts them all at once and
// replaces none by itself (OnDelete): the operator does that, one at a time.
func StatefulSet(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: objectMeta(network),
		Spec: appsv1.StatefulSetSpec{
			Replicas:            new(network.Spec.Nodes),
			ServiceName:         network.Name,
			Selector:            &metav1.LabelSelector{MatchLabels: Selector(network)},
			PodManagementPolicy: appsv1.ParallelPodManagement,
			UpdateStrategy:      appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{
					Labels:      labels(network),
					Annotations: map[string]string{configAnnotation: hash(bitcoind.Config(chain))},
				},
				Spec: podSpec(network, platform, chain),
			},
		},
	}
}

func podSpec(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain) corev1.PodSpec {
	return corev1.PodSpec{
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		TerminationGracePeriodSeconds: new(int64(60)),
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
		DNSConfig:  &corev1.PodDNSConfig{Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: new("1")}}},
		Containers: []corev1.Container{container(network, platform, chain)},
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
			// Losing a run of neighbouring ordinals is what can split a
			// network, so they should not share a machine.
			MaxSkew:           1,
			TopologyKey:       corev1.LabelHostname,
			WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector:     &metav1.LabelSelector{MatchLabels: Selector(network)},
		}},
		Volumes: []corev1.Volume{
			{Name: dataVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			{Name: authVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
				Medium:    corev1.StorageMediumMemory,
				SizeLimit: new(resource.MustParse("1Mi")),
			}}},
			{Name: configVolume, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: network.Name},
			}}},
		},
	}
}

func container(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain) corev1.Container {
	c := corev1.Container{
		Name:  Container,
		Image: platform.Image(network),
		// Every node says in its user agent which one it is.
		Args: []string{"-uacomment=" + commentOf(network, "$(ORDINAL)")},
		Env: []corev1.EnvVar{
			{Name: "HOME", Value: bitcoind.Home},
			{Name: "ORDINAL", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{
				APIVersion: "v1",
				FieldPath:  "metadata.labels['" + appsv1.PodIndexLabel + "']",
			}}},
		},
		Ports: []corev1.ContainerPort{
			{Name: p2pPort, ContainerPort: chain.P2PPort, Protocol: corev1.ProtocolTCP},
			{Name: rpcPort, ContainerPort: chain.RPCPort, Protocol: corev1.ProtocolTCP},
		},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("10m"),
				corev1.ResourceMemory: resource.MustParse("64Mi"),
			},
			Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
		},
		// The P2P port opens when the chain is loaded, which takes hours after
		// a crash in the worst case: nothing may kill a node before.
		StartupProbe: probe(corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString(p2pPort)}}, 1, 4*3600),
		// Readiness says that the node answers, never that it is in sync.
		ReadinessProbe: probe(corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path:   "/rest/chaininfo.json",
			Port:   intstr.FromString(rpcPort),
			Scheme: corev1.URISchemeHTTP,
		}}, 5, 3),
		LivenessProbe: probe(corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString(rpcPort)}}, 30, 10),
		// The end of a crashed node's log is what the status says of it.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			ReadOnlyRootFilesystem:   new(true),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: dataVolume, MountPath: bitcoind.DataDir},
			{Name: configVolume, MountPath: bitcoind.ConfigFile, SubPath: configKey, ReadOnly: true},
			{Name: authVolume, MountPath: bitcoind.AuthDir},
		},
	}
	if network.Spec.Secret == "" {
		c.Env = append(c.Env,
			corev1.EnvVar{Name: bitcoind.UserKey, Value: bitcoind.DefaultCredentials.User},
			corev1.EnvVar{Name: bitcoind.PasswordKey, Value: bitcoind.DefaultCredentials.Password})
		return c
	}
	c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: network.Spec.Secret},
	}}}
	return c
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

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
