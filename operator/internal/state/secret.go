package state

import "time"

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

// MissedSecret reports whether a node may not have read the Secret as it is, so that
// it should be started once more.
func (n *Network) MissedSecret(node Node) bool {
	return ReadSecretAt(node).Before(n.Secret.ChangedAt.Add(SecretLag))
}
