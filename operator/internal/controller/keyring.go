package controller

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// keyring remembers which pairs of credentials nodes take. A container reads the
// Secret when it starts, so what it takes cannot be known from its pod's template
// and does not change while it runs: it is tried, once.
type keyring struct {
	mu       sync.Mutex
	pairs    []bitcoind.Credentials
	since    time.Time
	accepted map[string][]bitcoind.Credentials // by container
	refused  map[string][]bitcoind.Credentials
}

func newKeyring() *keyring {
	return &keyring{accepted: map[string][]bitcoind.Credentials{}, refused: map[string][]bitcoind.Credentials{}}
}

// hold takes note of the pairs that the Secret has now. It returns since when,
// as far as the operator knows.
func (k *keyring) hold(pairs []bitcoind.Credentials, now time.Time) time.Time {
	if k.since.IsZero() || !slices.Equal(k.pairs, pairs) {
		k.pairs, k.since = pairs, now
	}
	return k.since
}

// candidates returns the pairs that a pod's container may take, the likeliest first:
// those of the Secret, then those that others took before it changed.
func (k *keyring) candidates(pod *corev1.Pod) []bitcoind.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	candidates := slices.Clone(k.pairs)
	for _, accepted := range k.accepted {
		for _, pair := range accepted {
			if !slices.Contains(candidates, pair) {
				candidates = append(candidates, pair)
			}
		}
	}
	refused := k.refused[containerKey(pod)]
	return slices.DeleteFunc(candidates, func(pair bitcoind.Credentials) bool { return slices.Contains(refused, pair) })
}

// tried takes note of whether a pod's container takes a pair.
func (k *keyring) tried(pod *corev1.Pod, pair bitcoind.Credentials, accepted bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	verdicts := k.refused
	if accepted {
		verdicts = k.accepted
	}
	if key := containerKey(pod); !slices.Contains(verdicts[key], pair) {
		verdicts[key] = append(verdicts[key], pair)
	}
}

// takes tells whether a pod's container is known to take a pair, or to refuse it.
func (k *keyring) takes(pod *corev1.Pod, pair bitcoind.Credentials) (takes, known bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := containerKey(pod)
	takes = slices.Contains(k.accepted[key], pair)
	return takes, takes || slices.Contains(k.refused[key], pair)
}

// forgetOthers drops what is remembered of containers that are gone.
func (k *keyring) forgetOthers(nodes []node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	current := map[string]bool{}
	for _, node := range nodes {
		if node.pod != nil {
			current[containerKey(node.pod)] = true
		}
	}
	for _, verdicts := range []map[string][]bitcoind.Credentials{k.accepted, k.refused} {
		for key := range verdicts {
			if !current[key] {
				delete(verdicts, key)
			}
		}
	}
}

// containerKey tells apart the containers that run a node, one after the other.
func containerKey(pod *corev1.Pod) string {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == resources.Container {
			return string(pod.UID) + "/" + status.ContainerID
		}
	}
	return string(pod.UID)
}

// startedAt returns when a pod's container started.
func startedAt(pod *corev1.Pod) time.Time {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == resources.Container && status.State.Running != nil {
			return status.State.Running.StartedAt.Time
		}
	}
	return pod.CreationTimestamp.Time
}
