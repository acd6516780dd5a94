package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/test/statefulset"
)

// fakeKubelet plays the StatefulSet controller, the storage and the kubelet: it makes
// a StatefulSet's claims, with a volume each, and pods, runs a node in each, and ends
// the nodes of pods that go.
type fakeKubelet struct {
	world *world

	mu sync.Mutex
	// badImages are those that cannot be pulled.
	badImages map[string]bool
	// refused are pods that cannot be made, and why.
	refused map[string]string
	// unready are the pods, by UID, that it finds not ready since a while ago.
	unready map[string]time.Time
	// addresses are those of the nodes that run, by pod UID.
	addresses map[string]string
	// configs are what their containers read as bitcoin.conf when they were started last.
	configs map[string]string
	pods    int
	// lastStart is when a container was last started.
	lastStart time.Time
}

func (k *fakeKubelet) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := k.sync(ctx); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			panic(fmt.Sprintf("the fake kubelet failed: %v", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (k *fakeKubelet) sync(ctx context.Context) error {
	var sets appsv1.StatefulSetList
	var pods corev1.PodList
	if err := k.world.api.List(ctx, &sets, client.InNamespace(k.world.namespace)); err != nil {
		return err
	}
	if err := k.world.api.List(ctx, &pods, client.InNamespace(k.world.namespace)); err != nil {
		return err
	}
	byName := map[string]*corev1.Pod{}
	alive := map[string]bool{}
	for i := range pods.Items {
		byName[pods.Items[i].Name] = &pods.Items[i]
		alive[string(pods.Items[i].UID)] = true
	}
	k.endNodes(alive)
	if err := k.syncBudgets(ctx, sets.Items, pods.Items); err != nil {
		return err
	}
	for i := range sets.Items {
		if err := k.syncSet(ctx, &sets.Items[i], byName); err != nil {
			return err
		}
	}
	return nil
}

// syncBudgets plays the disruption controller.
func (k *fakeKubelet) syncBudgets(ctx context.Context, sets []appsv1.StatefulSet, pods []corev1.Pod) error {
	var budgets policyv1.PodDisruptionBudgetList
	if err := k.world.api.List(ctx, &budgets, client.InNamespace(k.world.namespace)); err != nil {
		return err
	}
	for i := range budgets.Items {
		budget := &budgets.Items[i]
		status := policyv1.PodDisruptionBudgetStatus{ObservedGeneration: budget.Generation}
		for _, set := range sets {
			if set.Name == budget.Name {
				status.ExpectedPods = *set.Spec.Replicas
			}
		}
		for _, pod := range pods {
			if labels.SelectorFromSet(budget.Spec.Selector.MatchLabels).Matches(labels.Set(pod.Labels)) && state.IsReady(&pod) {
				status.CurrentHealthy++
			}
		}
		status.DesiredHealthy = max(status.ExpectedPods-budget.Spec.MaxUnavailable.IntVal, 0)
		status.DisruptionsAllowed = max(status.CurrentHealthy-status.DesiredHealthy, 0)
		if equality.Semantic.DeepEqual(status, budget.Status) {
			continue
		}
		budget.Status = status
		if err := k.world.api.Status().Update(ctx, budget); err != nil {
			return err
		}
	}
	return nil
}

func (k *fakeKubelet) endNodes(alive map[string]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for uid, address := range k.addresses {
		if !alive[uid] {
			k.world.nodes.Stop(address)
			delete(k.addresses, uid)
		}
	}
}

func (k *fakeKubelet) syncSet(ctx context.Context, set *appsv1.StatefulSet, pods map[string]*corev1.Pod) error {
	wanted := int(*set.Spec.Replicas)
	for ordinal := range wanted {
		name := statefulset.PodName(set, ordinal)
		pod := pods[name]
		if pod == nil && k.tellRefusal(ctx, set, name) {
			continue
		}
		if pod == nil {
			if err := k.bindClaims(ctx, set, name); err != nil {
				return err
			}
			if err := k.world.api.Create(ctx, statefulset.Pod(set, ordinal)); err != nil {
				return err
			}
			continue
		}
		if err := k.syncPod(ctx, set, pod, ordinal); err != nil {
			return err
		}
	}
	for ordinal := wanted; pods[statefulset.PodName(set, ordinal)] != nil; ordinal++ {
		if err := k.world.api.Delete(ctx, pods[statefulset.PodName(set, ordinal)]); err != nil {
			return err
		}
	}
	if set.Status.ObservedGeneration == set.Generation && set.Status.Replicas == int32(wanted) {
		return nil
	}
	set.Status.ObservedGeneration = set.Generation
	set.Status.Replicas = int32(wanted)
	set.Status.UpdateRevision = statefulset.Revision(set)
	return k.world.api.Status().Update(ctx, set)
}

// bindClaims makes the claims of a pod that are not there, with a volume as large as
// they ask for. Nothing makes volumes grow but what a test does.
func (k *fakeKubelet) bindClaims(ctx context.Context, set *appsv1.StatefulSet, pod string) error {
	for _, template := range set.Spec.VolumeClaimTemplates {
		claim := &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: template.Name + "-" + pod, Namespace: set.Namespace, Labels: set.Spec.Selector.MatchLabels},
			Spec:       *template.Spec.DeepCopy(),
		}
		switch err := k.world.api.Create(ctx, claim); {
		case apierrors.IsAlreadyExists(err):
			continue
		case err != nil:
			return err
		}
		claim.Status.Phase, claim.Status.Capacity = corev1.ClaimBound, template.Spec.Resources.Requests
		if err := k.world.api.Status().Update(ctx, claim); err != nil {
			return err
		}
	}
	return nil
}

// syncPod starts a pod's node, starts it again where it has ended, and finds the pod
// ready when its readiness gates are open.
func (k *fakeKubelet) syncPod(ctx context.Context, set *appsv1.StatefulSet, pod *corev1.Pod, ordinal int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	address, started := k.addresses[string(pod.UID)]
	switch {
	case !started && pod.Status.PodIP == "":
		return k.start(ctx, set, pod, ordinal)
	case started && !k.world.nodes.Runs(address):
		config, err := k.config(ctx, pod)
		if err != nil {
			return err
		}
		k.configs[string(pod.UID)] = config
		pairs, users := k.credentials(ctx, pod)
		k.world.nodes.LetIn(address, users...)
		k.world.nodes.RestartWith(address, pairs...)
		container := &pod.Status.ContainerStatuses[0]
		container.RestartCount++
		container.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
			Reason: "Completed", StartedAt: container.State.Running.StartedAt, FinishedAt: metav1.Now(),
		}
		container.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.Now()}
		container.ContainerID = fmt.Sprintf("containerd://%s/%d", pod.UID, container.RestartCount)
		k.lastStart = time.Now()
		if err := k.world.api.Status().Update(ctx, pod); err != nil {
			k.world.nodes.Stop(address) // the operator has opened a gate meanwhile: it is started again next time
			return err
		}
		return nil
	case !k.unready[string(pod.UID)].IsZero():
		if !state.IsReady(pod) {
			return nil
		}
		for i := range pod.Status.Conditions {
			if condition := &pod.Status.Conditions[i]; condition.Type == corev1.ContainersReady || condition.Type == corev1.PodReady {
				condition.Status, condition.LastTransitionTime = corev1.ConditionFalse, metav1.NewTime(k.unready[string(pod.UID)])
			}
		}
		return k.world.api.Status().Update(ctx, pod)
	case started && state.IsReady(pod) == state.AwaitsSync(pod):
		setReady(pod)
		return k.world.api.Status().Update(ctx, pod)
	default:
		return nil
	}
}

// setReady finds a pod ready whose readiness gates are open. Its containers have been
// ready for a while, so that its node is believed without credentials.
func setReady(pod *corev1.Pod) {
	since := metav1.NewTime(time.Now().Add(-time.Minute))
	kept := slices.DeleteFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
		return condition.Type == corev1.ContainersReady || condition.Type == corev1.PodReady
	})
	ready := corev1.ConditionTrue
	if state.AwaitsSync(pod) {
		ready = corev1.ConditionFalse
	}
	pod.Status.Conditions = append(kept,
		corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: since},
		corev1.PodCondition{Type: corev1.PodReady, Status: ready, LastTransitionTime: since})
}

// start runs a pod's node, or says that its image cannot be pulled.
func (k *fakeKubelet) start(ctx context.Context, set *appsv1.StatefulSet, pod *corev1.Pod, ordinal int) error {
	container := corev1.ContainerStatus{Name: "bitcoind", Image: pod.Spec.Containers[0].Image}
	if k.badImages[container.Image] {
		if len(pod.Status.ContainerStatuses) > 0 {
			return nil
		}
		container.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{container}
		return k.world.api.Status().Update(ctx, pod)
	}

	config, err := k.config(ctx, pod)
	if err != nil {
		return err // until the ConfigMap is there
	}
	k.configs[string(pod.UID)] = config
	k.pods++
	ip := fmt.Sprintf("192.0.2.%d", k.pods)
	k.lastStart = time.Now()
	container.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.Now()}
	container.ContainerID = "containerd://" + string(pod.UID)
	container.Ready = true
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIP = ip
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{container}
	setReady(pod)

	address := ip + ":18443"
	name := fmt.Sprintf("%s.%s.%s.svc.cluster.local:18444", pod.Name, set.Spec.ServiceName, pod.Namespace)
	comment := fmt.Sprintf("%s.%s.%d", pod.Namespace, set.Name, ordinal)
	pairs, users := k.credentials(ctx, pod)
	k.world.nodes.LetIn(address, users...)
	k.world.nodes.Start(address, name, comment, pairs...)
	if err := k.world.api.Status().Update(ctx, pod); err != nil {
		k.world.nodes.Stop(address) // the operator has opened a gate meanwhile
		return err
	}
	k.addresses[string(pod.UID)] = address
	return nil
}

// config returns what a container that is started now reads as bitcoin.conf: its mount
// is made anew each time.
func (k *fakeKubelet) config(ctx context.Context, pod *corev1.Pod) (string, error) {
	mounts := pod.Spec.Containers[0].VolumeMounts
	mount := mounts[slices.IndexFunc(mounts, func(m corev1.VolumeMount) bool { return m.MountPath == bitcoind.ConfigFile })]
	volume := pod.Spec.Volumes[slices.IndexFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })]
	if volume.ConfigMap != nil {
		found := &corev1.ConfigMap{}
		err := k.world.api.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: volume.ConfigMap.Name}, found)
		return found.Data[mount.SubPath], err
	}
	items := volume.DownwardAPI.Items
	item := items[slices.IndexFunc(items, func(f corev1.DownwardAPIVolumeFile) bool { return f.Path == mount.SubPath })]
	key := strings.TrimSuffix(strings.TrimPrefix(item.FieldRef.FieldPath, "metadata.annotations['"), "']")
	return pod.Annotations[key], nil
}

// credentials returns what the environment of a pod's container has, as
// bitcoind-start takes it: of those who may call everything, and of users who may not.
func (k *fakeKubelet) credentials(ctx context.Context, pod *corev1.Pod) (pairs, users []bitcoind.Credentials) {
	environment := map[string]string{}
	container := pod.Spec.Containers[0]
	for _, source := range container.EnvFrom {
		secret := &corev1.Secret{}
		if err := k.world.api.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: source.SecretRef.Name}, secret); err == nil {
			for key, value := range secret.Data {
				environment[key] = string(value)
			}
		}
	}
	for _, variable := range container.Env {
		environment[variable.Name] = variable.Value
	}
	value := func(key string) string { return environment[key] }
	pairs, _ = bitcoind.CredentialsFrom(value)
	for _, user := range bitcoind.UsersOf(value(bitcoind.WhitelistsVariable)) {
		accepted, _ := bitcoind.UserCredentials(value, user.Name)
		users = append(users, accepted...)
	}
	return pairs, users
}

// aSecondLater waits until a container that is started from now on has another time
// of start than those before: Kubernetes tells it in seconds.
func (k *fakeKubelet) aSecondLater() {
	k.mu.Lock()
	last := k.lastStart
	k.mu.Unlock()
	k.world.Eventually(func() int64 { return time.Now().Unix() }).Should(BeNumerically(">", last.Unix()))
}

// address returns where a pod's node answers.
func (k *fakeKubelet) address(pod string) string {
	uid := k.world.uids()[pod]
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.addresses[uid]
}

// reads returns what a pod's running container has read as bitcoin.conf.
func (k *fakeKubelet) reads(pod string) string {
	uid := k.world.uids()[pod]
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.configs[uid]
}

// crash has a pod's node end, and waits until its container is started again.
func (k *fakeKubelet) crash(name string) {
	before := k.world.pod(name)
	k.world.nodes.Stop(k.address(name))
	k.world.Eventually(func(g Gomega) {
		now := k.world.pod(name)
		g.Expect(now.UID).To(Equal(before.UID))
		g.Expect(now.Status.ContainerStatuses[0].RestartCount).To(Equal(before.Status.ContainerStatuses[0].RestartCount + 1))
	}).Should(Succeed())
}

// hang has a pod's node answer nobody any more, the kubelet since then.
func (k *fakeKubelet) hang(pod string, since time.Time) {
	k.world.nodes.Freeze(k.address(pod))
	k.findUnready(pod, since)
}

// deadlock has a pod's node answer nobody whom it knows any more, the kubelet since then:
// who has a wrong password it refuses as before.
func (k *fakeKubelet) deadlock(pod string, since time.Time) {
	k.world.nodes.Fail(k.address(pod), context.DeadlineExceeded)
	k.findUnready(pod, since)
}

// findUnready has the kubelet not find a pod ready, since then.
func (k *fakeKubelet) findUnready(pod string, since time.Time) {
	uid := k.world.uids()[pod]
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unready = map[string]time.Time{uid: since}
}

// refuse makes an image one that cannot be pulled.
func (k *fakeKubelet) refuse(image string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.badImages = map[string]bool{image: true}
}

// forget has a pod's node go on, whatever becomes of the pod.
func (k *fakeKubelet) forget(pod string) {
	uid := k.world.uids()[pod]
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.addresses, uid)
}

// withhold has a pod not be made, for a reason that the StatefulSet's events tell.
func (k *fakeKubelet) withhold(pod, why string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refused = map[string]string{pod: why}
}

// tellRefusal tells why a pod cannot be made, if it cannot, once.
func (k *fakeKubelet) tellRefusal(ctx context.Context, set *appsv1.StatefulSet, pod string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	why, refused := k.refused[pod]
	if !refused {
		return false
	}
	event := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: pod + ".refused", Namespace: set.Namespace},
		InvolvedObject: corev1.ObjectReference{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: set.Namespace, Name: set.Name, UID: set.UID},
		Reason:         "FailedCreate", Message: why, Type: corev1.EventTypeWarning, LastTimestamp: metav1.Now(),
	}
	if err := k.world.api.Create(ctx, event); err != nil && ctx.Err() == nil && !apierrors.IsAlreadyExists(err) {
		panic(err)
	}
	return true
}
