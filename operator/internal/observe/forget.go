package observe

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// What is remembered is remembered of pods, of the lives of their containers, or of
// data, by what tells these apart, and goes when they are gone.

// keysOf returns what tells the pods of nodes apart, as far as they have one.
func keysOf[K comparable](nodes []state.Node, key func(*corev1.Pod) K) map[K]bool {
	keys := map[K]bool{}
	for _, node := range nodes {
		if node.Pod != nil {
			keys[key(node.Pod)] = true
		}
	}
	return keys
}

// keepOnly drops what is remembered of others than those that are there.
func keepOnly[K comparable, V any](remembered map[K]V, there map[K]bool) {
	maps.DeleteFunc(remembered, func(key K, _ V) bool { return !there[key] })
}

// uidOf tells pods apart.
func uidOf(pod *corev1.Pod) types.UID { return pod.UID }
