package controller

import (
	corev1 "k8s.io/api/core/v1"
	informers "sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// withoutUnread strips a pod of what nobody here reads: of a thousand pods all of it is
// 11 MB, and with the bitcoin.conf that each carries up to 130 MB more.
func withoutUnread(object any) (any, error) {
	if pod, isPod := object.(*corev1.Pod); isPod {
		pod.Annotations = annotationsRead(pod)
		pod.Spec = specRead(pod.Spec)
		pod.Status.HostIPs, pod.Status.PodIPs, pod.Status.EphemeralContainerStatuses = nil, nil, nil
		for _, statuses := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
			for i := range statuses {
				statuses[i] = statusRead(statuses[i])
			}
		}
	}
	return informers.TransformStripManagedFields()(object)
}

// annotationsRead returns what is read of a pod's annotations: a line of its bitcoin.conf.
func annotationsRead(pod *corev1.Pod) map[string]string {
	if !resources.WithoutWallets(pod) {
		return nil
	}
	return map[string]string{resources.ConfigAnnotation: resources.NoWallets}
}

// specRead returns what is read of a pod's spec: where it is, what holds up its readiness,
// which image its node runs, from which Secret it reads which users' passwords, and how much
// disk it may take.
func specRead(spec corev1.PodSpec) corev1.PodSpec {
	read := corev1.PodSpec{NodeName: spec.NodeName, ReadinessGates: spec.ReadinessGates}
	for _, volume := range spec.Volumes {
		if volume.Name == resources.DataVolume {
			read.Volumes = append(read.Volumes, volume)
		}
	}
	for _, container := range spec.Containers {
		if container.Name == resources.Container {
			read.Containers = append(read.Containers, corev1.Container{
				Name: container.Name, Image: container.Image, Env: container.Env, EnvFrom: container.EnvFrom, Resources: container.Resources,
			})
		}
	}
	return read
}

// statusRead returns what is read of a container's status.
func statusRead(status corev1.ContainerStatus) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: status.Name, State: status.State, LastTerminationState: status.LastTerminationState,
		Ready: status.Ready, RestartCount: status.RestartCount, ContainerID: status.ContainerID,
	}
}
