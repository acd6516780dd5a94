package state

import (
	"slices"
	"time"
)

// SecretLag is how far the kubelet's copy of a Secret may be behind.
const SecretLag = time.Minute

// ReadSecretAt returns when a node has read the Secret: when its container started.
// For one that rejects everything it is when its pod was made: such a node cannot be
// restarted, only replaced.
func ReadSecretAt(node Node) time.Time {
	if node.RejectsAll {
		return node.Pod.CreationTimestamp.Time
	}
	return StartedAt(node.Pod)
}

// HadPods reports whether the network has pods from before the Secret became what it is.
// Without, it began with that Secret, and no kubelet had another to give to its nodes.
func (n *Network) HadPods() bool {
	return slices.ContainsFunc(n.Nodes, func(node Node) bool {
		return node.Pod != nil && node.Pod.CreationTimestamp.Time.Before(n.Secret.ChangedAt)
	})
}

// MissedSecret reports whether a node may not have read the Secret as it is, so that
// it should be started once more.
func (n *Network) MissedSecret(node Node) bool {
	return ReadSecretAt(node).Before(n.Secret.ChangedAt.Add(SecretLag))
}
