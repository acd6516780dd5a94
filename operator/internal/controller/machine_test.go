package controller

import (
	"context"
	"fmt"
	"hash/crc32"
	"strconv"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// machine plays the StatefulSet controller and the kubelet: it makes a
// StatefulSet's pods, runs a node in each, and ends the nodes of pods that go.
type machine struct {
	world *world

	mu sync.Mutex
	// badImages are those that cannot be pulled.
	badImages map[string]bool
	// refused are pods that cannot be made, and why.
	refused map[string]string
	// addresses are those of the nodes that run, by pod UID.
	addresses map[string]string
	pods      int
}

func (m *machine) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := m.sync(ctx); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			panic(fmt.Sprintf("the machine failed: %v", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (m *machine) sync(ctx context.Context) error {
	var sets appsv1.StatefulSetList
	var pods corev1.PodList
	if err := m.world.api.List(ctx, &sets, client.InNamespace(m.world.namespace)); err != nil {
		return err
	}
	if err := m.world.api.List(ctx, &pods, client.InNamespace(m.world.namespace)); err != nil {
		return err
	}
	byName := map[string]*corev1.Pod{}
	alive := map[string]bool{}
	for i := range pods.Items {
		byName[pods.Items[i].Name] = &pods.Items[i]
		alive[string(pods.Items[i].UID)] = true
	}
	m.endNodes(alive)
	if err := m.syncBudgets(ctx, pods.Items); err != nil {
		return err
	}
	for i := range sets.Items {
		if err := m.syncSet(ctx, &sets.Items[i], byName); err != nil {
			return err
		}
	}
	return nil
}

// syncBudgets plays the disruption controller: one pod may go while all are ready.
func (m *machine) syncBudgets(ctx context.Context, pods []corev1.Pod) error {
	var budgets policyv1.PodDisruptionBudgetList
	if err := m.world.api.List(ctx, &budgets, client.InNamespace(m.world.namespace)); err != nil {
		return err
	}
	for i := range budgets.Items {
		budget := &budgets.Items[i]
		status := policyv1.PodDisruptionBudgetStatus{ObservedGeneration: budget.Generation}
		for _, pod := range pods {
			if labels.SelectorFromSet(budget.Spec.Selector.MatchLabels).Matches(labels.Set(pod.Labels)) {
				status.ExpectedPods++
				if isReady(&pod) {
					status.CurrentHealthy++
				}
			}
		}
		status.DesiredHealthy = max(status.ExpectedPods-1, 0)
		status.DisruptionsAllowed = max(status.CurrentHealthy-status.DesiredHealthy, 0)
		if equality.Semantic.DeepEqual(status, budget.Status) {
			continue
		}
		budget.Status = status
		if err := m.world.api.Status().Update(ctx, budget); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) endNodes(alive map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for uid, address := range m.addresses {
		if !alive[uid] {
			m.world.nodes.Stop(address)
			delete(m.addresses, uid)
		}
	}
}

func (m *machine) syncSet(ctx context.Context, set *appsv1.StatefulSet, pods map[string]*corev1.Pod) error {
	// A revision is a label's value, which an image's name is not.
	revision := fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(set.Spec.Template.String())))
	wanted := int(*set.Spec.Replicas)
	for ordinal := range wanted {
		name := fmt.Sprintf("%s-%d", set.Name, ordinal)
		pod := pods[name]
		if pod == nil && m.tellRefusal(ctx, set, name) {
			continue
		}
		if pod == nil {
			if err := m.world.api.Create(ctx, podOf(set, name, ordinal, revision)); err != nil {
				return err
			}
			continue
		}
		if pod.Status.PodIP == "" {
			if err := m.start(ctx, set, pod, ordinal); err != nil {
				return err
			}
		}
	}
	for ordinal := wanted; pods[fmt.Sprintf("%s-%d", set.Name, ordinal)] != nil; ordinal++ {
		if err := m.world.api.Delete(ctx, pods[fmt.Sprintf("%s-%d", set.Name, ordinal)]); err != nil {
			return err
		}
	}
	if set.Status.ObservedGeneration == set.Generation && set.Status.Replicas == int32(wanted) {
		return nil
	}
	set.Status.ObservedGeneration = set.Generation
	set.Status.Replicas = int32(wanted)
	set.Status.UpdateRevision = revision
	return m.world.api.Status().Update(ctx, set)
}

func podOf(set *appsv1.StatefulSet, name string, ordinal int, revision string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: *set.Spec.Template.ObjectMeta.DeepCopy(), Spec: *set.Spec.Template.Spec.DeepCopy()}
	pod.Name, pod.Namespace = name, set.Namespace
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(ordinal)
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = revision
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))}
	for _, claim := range set.Spec.VolumeClaimTemplates {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: claim.Name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-" + name},
		}})
	}
	return pod
}

// start runs a pod's node, or says that its image cannot be pulled.
func (m *machine) start(ctx context.Context, set *appsv1.StatefulSet, pod *corev1.Pod, ordinal int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	container := corev1.ContainerStatus{Name: "bitcoind", Image: pod.Spec.Containers[0].Image}
	if m.badImages[container.Image] {
		if len(pod.Status.ContainerStatuses) > 0 {
			return nil
		}
		container.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{container}
		return m.world.api.Status().Update(ctx, pod)
	}

	m.pods++
	ip := fmt.Sprintf("192.0.2.%d", m.pods)
	container.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.Now()}
	container.ContainerID = "containerd://" + string(pod.UID)
	container.Ready = true
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	pod.Status.PodIP = ip
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{container}

	address := ip + ":18443"
	name := fmt.Sprintf("%s.%s.%s.svc.cluster.local:18444", pod.Name, set.Spec.ServiceName, pod.Namespace)
	comment := fmt.Sprintf("%s.%s.%d", pod.Namespace, set.Name, ordinal)
	m.world.nodes.Start(address, name, comment, m.credentials(ctx, pod)...)
	m.addresses[string(pod.UID)] = address
	return m.world.api.Status().Update(ctx, pod)
}

// credentials returns what the environment of a pod's container has, as
// bitcoind-start takes it.
func (m *machine) credentials(ctx context.Context, pod *corev1.Pod) []bitcoind.Credentials {
	environment := map[string]string{}
	container := pod.Spec.Containers[0]
	for _, source := range container.EnvFrom {
		secret := &corev1.Secret{}
		if err := m.world.api.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: source.SecretRef.Name}, secret); err == nil {
			for key, value := range secret.Data {
				environment[key] = string(value)
			}
		}
	}
	for _, variable := range container.Env {
		environment[variable.Name] = variable.Value
	}
	pairs, _ := bitcoind.CredentialsFrom(func(key string) string { return environment[key] })
	return pairs
}

// address returns where a pod's node answers.
func (m *machine) address(pod string) string {
	uid := m.world.uids()[pod]
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.addresses[uid]
}

// refuse makes an image one that cannot be pulled.
func (m *machine) refuse(image string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.badImages = map[string]bool{image: true}
}

// forget has a pod's node go on, whatever becomes of the pod.
func (m *machine) forget(pod string) {
	uid := m.world.uids()[pod]
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.addresses, uid)
}

// withhold has a pod not be made, for a reason that the StatefulSet's events tell.
func (m *machine) withhold(pod, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused = map[string]string{pod: why}
}

// tellRefusal tells why a pod cannot be made, if it cannot, once.
func (m *machine) tellRefusal(ctx context.Context, set *appsv1.StatefulSet, pod string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	why, refused := m.refused[pod]
	if !refused {
		return false
	}
	event := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: pod + ".refused", Namespace: set.Namespace},
		InvolvedObject: corev1.ObjectReference{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: set.Namespace, Name: set.Name, UID: set.UID},
		Reason:         "FailedCreate", Message: why, Type: corev1.EventTypeWarning, LastTimestamp: metav1.Now(),
	}
	if err := m.world.api.Create(ctx, event); err != nil && !apierrors.IsAlreadyExists(err) {
		panic(err)
	}
	return true
}
