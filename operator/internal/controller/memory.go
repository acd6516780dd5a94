package controller

import (
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// memory is what the operator remembers of a network between reconciles. All of
// it may be lost: it saves requests, and no decision rests on it alone. Only the
// one reconcile that runs for the network touches it.
type memory struct {
	// applied tells, by kind and name, what was last applied and what came of it.
	applied map[string]application
	// patience spares nodes that did not answer.
	patience *patience
	// keyring tells which credentials nodes take.
	keyring *keyring
	// hearing tells connections that have fallen silent.
	hearing *hearing
	// dialling tells until when nodes, by their pods, are taken to be busy with
	// names that they were told to dial.
	dialling map[types.UID]time.Time
	// written is the network as it was when its status was last written.
	written *v1alpha1.BitcoinNetwork
	// miningProblem is why the last block could not be mined.
	miningProblem string
	// heightAt is when a change of nothing but the height was last written.
	heightAt time.Time
}

// newMemory returns an empty memory.
func newMemory() *memory {
	return &memory{applied: map[string]application{}, patience: newPatience(), keyring: newKeyring(), hearing: newHearing()}
}

// latest returns the later of what the cache has of a network and what was last
// written of it. The cache lags behind: by it a status would be written, and an
// event told, a second time.
func (m *memory) latest(cached *v1alpha1.BitcoinNetwork) (*v1alpha1.BitcoinNetwork, error) {
	if m.written == nil || m.written.UID != cached.UID {
		return cached, nil
	}
	order, err := resourceversion.CompareResourceVersion(m.written.ResourceVersion, cached.ResourceVersion)
	if err != nil {
		return nil, fmt.Errorf("compare versions of %s: %w", cached.Name, err)
	}
	if order > 0 {
		return m.written.DeepCopy(), nil
	}
	return cached, nil
}

const (
	firstWait   = time.Second
	longestWait = 30 * time.Second
)

// patience remembers which nodes did not answer, so that each is asked again
// ever more seldom, and none holds up the others. A pod that has changed, by a
// new container or by becoming ready, is asked at once.
type patience struct {
	backoff *flowcontrol.Backoff

	mu       sync.Mutex
	problems map[string]string
}

func newPatience() *patience {
	return &patience{
		backoff:  flowcontrol.NewBackOff(firstWait, longestWait),
		problems: map[string]string{},
	}
}

// forgetOthers drops what is remembered of pods, and lives of pods, that are gone.
func (p *patience) forgetOthers(nodes []node) {
	current := map[string]bool{}
	for _, node := range nodes {
		if node.pod != nil {
			current[attemptKey(node.pod)] = true
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.problems {
		if !current[key] {
			delete(p.problems, key)
			p.backoff.DeleteEntry(key)
		}
	}
}

// exhausted returns the problem that a node last had, while it should not be
// asked again.
func (p *patience) exhausted(pod *corev1.Pod) string {
	key := attemptKey(pod)
	if !p.backoff.IsInBackOffSinceUpdate(key, p.backoff.Clock.Now()) {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.problems[key]
}

func (p *patience) failed(pod *corev1.Pod, problem string) {
	key := attemptKey(pod)
	p.backoff.Next(key, p.backoff.Clock.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems[key] = problem
}

func (p *patience) succeeded(pod *corev1.Pod) {
	key := attemptKey(pod)
	p.backoff.DeleteEntry(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.problems, key)
}

// wait returns how long until a node may be asked again.
func (p *patience) wait(pod *corev1.Pod) time.Duration {
	return max(p.backoff.Get(attemptKey(pod)), firstWait)
}

// attemptKey tells apart the lives of a node: its pod, its container, and
// whether the kubelet finds it ready.
func attemptKey(pod *corev1.Pod) string {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == resources.Container {
			return fmt.Sprintf("%s/%s/%t", pod.UID, status.ContainerID, status.Ready)
		}
	}
	return string(pod.UID)
}
