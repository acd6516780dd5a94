package resources

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// NoWallets is the line of bitcoin.conf with which a node has no wallets.
const NoWallets = "disablewallet=1"

// WithoutWallets reports whether a pod's node has no wallets, by the bitcoin.conf that the
// pod carries.
func WithoutWallets(pod *corev1.Pod) bool {
	return slices.Contains(strings.Split(pod.Annotations[ConfigAnnotation], "\n"), NoWallets)
}
