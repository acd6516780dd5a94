package observe

import (
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	firstWait   = time.Second
	longestWait = 30 * time.Second
)

// backoff remembers which nodes did not answer, so that each is asked again
// ever more seldom, and none holds up the others. A pod that has changed, by a
// new container or by becoming ready, is asked at once.
type backoff struct {
	waits *flowcontrol.Backoff

	mu       sync.Mutex
	problems map[string]string
}

func newBackoff() *backoff {
	return &backoff{
		waits:    flowcontrol.NewBackOff(firstWait, longestWait),
		problems: map[string]string{},
	}
}

// forget has every node be asked again.
func (b *backoff) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.problems {
		b.waits.DeleteEntry(key)
	}
	clear(b.problems)
}

// forgetOthers drops what is remembered of pods, and lives of pods, that are gone.
func (b *backoff) forgetOthers(nodes []state.Node) {
	there := keysOf(nodes, attemptKey)
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.problems {
		if !there[key] {
			b.waits.DeleteEntry(key)
		}
	}
	keepOnly(b.problems, there)
}

// lastProblem returns the problem that a node last had, while it should not be
// asked again.
func (b *backoff) lastProblem(pod *corev1.Pod) string {
	key := attemptKey(pod)
	if !b.waits.IsInBackOffSinceUpdate(key, b.waits.Clock.Now()) {
		return ""
	}
	return b.problem(pod)
}

// problem returns the problem that a node last had, if it has not answered since.
func (b *backoff) problem(pod *corev1.Pod) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems[attemptKey(pod)]
}

// failed takes note of a node's problem, and returns how long until it may be asked
// again.
func (b *backoff) failed(pod *corev1.Pod, problem string) time.Duration {
	key := attemptKey(pod)
	b.waits.Next(key, b.waits.Clock.Now())
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems[key] = problem
	return b.wait(pod)
}

func (b *backoff) succeeded(pod *corev1.Pod) {
	key := attemptKey(pod)
	b.waits.DeleteEntry(key)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.problems, key)
}

// wait returns how long until a node may be asked again.
func (b *backoff) wait(pod *corev1.Pod) time.Duration {
	return max(b.waits.Get(attemptKey(pod)), firstWait)
}

// attemptKey tells apart the lives of a node: its pod, its container, and whether the
// kubelet finds it ready.
func attemptKey(pod *corev1.Pod) string {
	container := state.Container(pod)
	return fmt.Sprintf("%s/%t", state.Life(pod), container != nil && container.Ready)
}
