package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

const (
	// StartContainer is the name of the init container that brings the entry point.
	StartContainer = "bitcoind-start"
	// startProgram is the entry point in the operator's image.
	startProgram = "/bitcoind-start"
	startVolume  = "start"
)

// withStart has a pod bring bitcoind's entry point with it, from the operator's own
// image, so that any image with bitcoind will do. Without that image it is left to the
// node's image, as all were by earlier operators.
func withStart(spec corev1.PodSpec, network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain) corev1.PodSpec {
	if platform.OperatorImage == "" {
		return spec
	}
	mount := corev1.VolumeMount{Name: startVolume, MountPath: bitcoind.StartDir}
	spec.Volumes = append(spec.Volumes, corev1.Volume{Name: startVolume, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("16Mi"))}, // the program has 5
	}})
	spec.InitContainers = []corev1.Container{{
		Name:            StartContainer,
		Image:           platform.OperatorImage,
		ImagePullPolicy: corev1.PullIfNotPresent, // as of the operator's own pod
		Command:         []string{startProgram, bitcoind.InstallCommand, bitcoind.StartFile},
		// It runs before bitcoind, and with as much the pod needs no more than that.
		Resources:                requirements(network, chain),
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext:          containerSecurity(),
		VolumeMounts:             []corev1.VolumeMount{mount},
	}}
	mount.ReadOnly = true
	node := &spec.Containers[0]
	node.Command = []string{bitcoind.StartFile}
	node.VolumeMounts = append(node.VolumeMounts, mount)
	return spec
}
