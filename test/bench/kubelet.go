package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
)

// How the played kubelet takes its time: the pod's RPC port opens, then the pod is ready;
// one that is deleted ends.
const (
	opensAfter = 400 * time.Millisecond
	readyAfter = time.Second
	endsAfter  = 100 * time.Millisecond
)

// podsAtOnce is how many pods the played controllers work at side by side.
const podsAtOnce = 12

const (
	rpcPort = 18443
	p2pPort = 18444
)

// byAddress is the label of StatefulSets whose nodes dial each other by the address of the
// pod instead of its name.
const byAddress = "bench/by-address"

// kubelet plays the scheduler and the kubelet: it binds pods, and has a simulated node
// answer at the address of each.
type kubelet struct {
	client.Client
	nodes *simulation

	mu        sync.Mutex
	pods      map[types.UID]*played
	addresses int                                // how many were given out
	changes   map[types.NamespacedName]time.Time // when containers became ready or a pod went, the last of a StatefulSet
	readies   map[types.NamespacedName]time.Time // when a pod became ready, the last of a StatefulSet
}

func newKubelet(manager ctrl.Manager, nodes *simulation) (*kubelet, error) {
	k := &kubelet{
		Client: manager.GetClient(), nodes: nodes,
		pods: map[types.UID]*played{}, changes: map[types.NamespacedName]time.Time{}, readies: map[types.NamespacedName]time.Time{},
	}
	return k, ctrl.NewControllerManagedBy(manager).Named("kubelet").For(&corev1.Pod{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: podsAtOnce}).Complete(k)
}

// step is what the kubelet does next with a pod.
type step int

const (
	wait step = iota
	bind
	run
	serve
	comeUp
	becomeReady
	noticeEnd
	end
)

// next returns what to do with a pod, and how long there is to wait.
func next(pod *corev1.Pod, p played, now time.Time) (step, time.Duration) {
	switch {
	case pod.DeletionTimestamp != nil && p.going.IsZero():
		return noticeEnd, 0
	case pod.DeletionTimestamp != nil:
		return after(end, p.going.Add(endsAfter), now)
	case pod.Spec.NodeName == "":
		return bind, 0
	case p.running.IsZero():
		return run, 0
	case !p.serves:
		return after(serve, p.running.Add(opensAfter), now)
	case !p.up:
		return after(comeUp, p.running.Add(readyAfter), now)
	case !p.ready && gatesAreOpen(pod):
		return becomeReady, 0
	default:
		return wait, 0
	}
}

func after(what step, due, now time.Time) (step, time.Duration) {
	if remaining := due.Sub(now); remaining > 0 {
		return wait, remaining
	}
	return what, 0
}

// gatesAreOpen tells that a pod's readiness is up to its containers alone.
func gatesAreOpen(pod *corev1.Pod) bool {
	return !slices.ContainsFunc(pod.Spec.ReadinessGates, func(gate corev1.PodReadinessGate) bool {
		return !slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
			return condition.Type == gate.ConditionType && condition.Status == corev1.ConditionTrue
		})
	})
}

// Reconcile implements reconcile.Reconciler.
func (k *kubelet) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	pod := &corev1.Pod{}
	switch err := k.Get(ctx, request.NamespacedName, pod); {
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, k.forget(ctx, request.NamespacedName)
	case err != nil:
		return ctrl.Result{}, err
	}
	for {
		p, known := k.of(pod)
		if !known {
			return ctrl.Result{}, nil
		}
		step, remaining := next(pod, p, time.Now())
		if step == wait {
			return ctrl.Result{RequeueAfter: remaining}, nil
		}
		switch err := k.do(ctx, step, pod, p); {
		case apierrors.IsConflict(err): // the operator has opened a gate meanwhile
			return ctrl.Result{RequeueAfter: 10 * time.Millisecond}, nil
		case err != nil:
			return ctrl.Result{}, client.IgnoreNotFound(err)
		case step == bind || step == end:
			return ctrl.Result{}, nil // the pod comes again, or not at all
		}
	}
}

func (k *kubelet) do(ctx context.Context, step step, pod *corev1.Pod, p played) error {
	switch step {
	case bind:
		return k.SubResource("binding").Create(ctx, pod, &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: "machine"}})
	case run:
		return k.run(ctx, pod)
	case serve:
		return k.serve(ctx, pod, p)
	case comeUp:
		return k.comeUp(ctx, pod, p)
	case becomeReady:
		return k.becomeReady(ctx, pod, p)
	case noticeEnd:
		k.change(pod, func(p *played) { p.going, p.ready = time.Now(), false })
		return nil
	case end:
		return k.end(ctx, pod, p)
	default:
		return nil
	}
}

func (k *kubelet) run(ctx context.Context, pod *corev1.Pod) error {
	now := metav1.Now()
	ip := k.nextIP()
	pod.Status.Phase, pod.Status.PodIP, pod.Status.StartTime = corev1.PodRunning, ip, &now
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now})
	for _, container := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, ContainerID: "containerd://" + string(pod.UID),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	if err := k.Status().Update(ctx, pod); err != nil {
		return err
	}
	k.change(pod, func(p *played) { p.ip, p.running = ip, time.Now() })
	return nil
}

// nextIP returns a loopback address of its own for a pod, of a range that another
// benchmark on the same machine hardly has too.
func (k *kubelet) nextIP() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.addresses++
	return fmt.Sprintf("127.%d.%d.%d", 16+os.Getpid()%200, k.addresses/250, 1+k.addresses%250)
}

func (k *kubelet) serve(ctx context.Context, pod *corev1.Pod, p played) error {
	name := fmt.Sprintf("%s.%s.%s.svc.cluster.local:%d", pod.Name, p.set.Name, pod.Namespace, p2pPort)
	if pod.Labels[byAddress] != "" {
		name = fmt.Sprintf("%s:%d", p.ip, p2pPort)
	}
	comment := fmt.Sprintf("%s.%s.%s", pod.Namespace, p.set.Name, pod.Labels[appsv1.PodIndexLabel])
	if err := k.nodes.start(ctx, p.address(), name, comment); err != nil {
		return err
	}
	k.change(pod, func(p *played) { p.serves = true })
	return nil
}

// comeUp finds a pod's containers ready, and the pod with them if its gates are open.
func (k *kubelet) comeUp(ctx context.Context, pod *corev1.Pod, p played) error {
	for i := range pod.Status.ContainerStatuses {
		pod.Status.ContainerStatuses[i].Ready = true
	}
	isReady := gatesAreOpen(pod)
	setCondition(pod, corev1.ContainersReady, true)
	setCondition(pod, corev1.PodReady, isReady)
	if err := k.Status().Update(ctx, pod); err != nil {
		return err
	}
	k.change(pod, func(p *played) { p.up, p.ready = true, isReady })
	k.note(k.changes, p.set)
	if isReady {
		k.note(k.readies, p.set)
	}
	return nil
}

// becomeReady finds a pod ready whose gates have been opened.
func (k *kubelet) becomeReady(ctx context.Context, pod *corev1.Pod, p played) error {
	setCondition(pod, corev1.PodReady, true)
	if err := k.Status().Update(ctx, pod); err != nil {
		return err
	}
	k.change(pod, func(p *played) { p.ready = true })
	k.note(k.readies, p.set)
	return nil
}

func setCondition(pod *corev1.Pod, name corev1.PodConditionType, isSo bool) {
	status := corev1.ConditionFalse
	if isSo {
		status = corev1.ConditionTrue
	}
	pod.Status.Conditions = append(
		slices.DeleteFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool { return condition.Type == name }),
		corev1.PodCondition{Type: name, Status: status, LastTransitionTime: metav1.Now()})
}

func (k *kubelet) end(ctx context.Context, pod *corev1.Pod, p played) error {
	if p.serves {
		if err := k.nodes.end(ctx, p.address()); err != nil {
			return err
		}
	}
	pod.Status.Phase = corev1.PodSucceeded
	if err := k.Status().Update(ctx, pod); err != nil {
		return err
	}
	if err := k.Delete(ctx, pod, client.GracePeriodSeconds(0)); err != nil {
		return err
	}
	k.note(k.changes, p.set)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.pods, pod.UID)
	return nil
}

// forget ends what is left of a pod that went otherwise, as with its namespace.
func (k *kubelet) forget(ctx context.Context, pod types.NamespacedName) error {
	k.mu.Lock()
	var left []played
	for uid, p := range k.pods {
		if p.key == pod {
			left = append(left, *p)
			delete(k.pods, uid)
		}
	}
	k.mu.Unlock()
	for _, p := range left {
		if p.serves {
			if err := k.nodes.end(ctx, p.address()); err != nil {
				return err
			}
		}
	}
	return nil
}
