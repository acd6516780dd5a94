package main

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// played is what the kubelet knows of a pod.
type played struct {
	key            types.NamespacedName
	set            types.NamespacedName
	ip             string
	running, going time.Time // since when
	// serves tells that its RPC port is open, and up that its containers are found ready.
	serves, up, ready bool
}

// address is that of the node's RPC.
func (p played) address() string { return fmt.Sprintf("%s:%d", p.ip, rpcPort) }

// of returns what is known of a pod. A pod that was ended the cache may still have.
func (k *kubelet) of(pod *corev1.Pod) (played, bool) {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return played{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known, found := k.pods[pod.UID]
	if !found && pod.Status.PodIP == "" {
		known = &played{key: client.ObjectKeyFromObject(pod), set: types.NamespacedName{Namespace: pod.Namespace, Name: owner.Name}}
		k.pods[pod.UID], found = known, true
	}
	if !found {
		return played{}, false
	}
	return *known, true
}

func (k *kubelet) change(pod *corev1.Pod, change func(*played)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known := k.pods[pod.UID]; known != nil {
		change(known)
	}
}

func (k *kubelet) note(in map[types.NamespacedName]time.Time, set types.NamespacedName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	in[set] = time.Now()
}

// ready returns the pods of a StatefulSet that are ready, by UID, and when the last one's
// containers became so or the last one went.
func (k *kubelet) ready(set types.NamespacedName) (map[types.UID]played, time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ready := map[types.UID]played{}
	for uid, p := range k.pods {
		if p.set == set && p.ready {
			ready[uid] = *p
		}
	}
	return ready, k.changes[set]
}

// readyAt returns when a pod of a StatefulSet became ready last.
func (k *kubelet) readyAt(set types.NamespacedName) time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.readies[set]
}

// count returns how many pods a StatefulSet has, also those that go.
func (k *kubelet) count(set types.NamespacedName) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	count := 0
	for p := range maps.Values(k.pods) {
		if p.set == set {
			count++
		}
	}
	return count
}
