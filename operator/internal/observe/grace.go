package observe

import (
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// grace remembers what nodes last said that were well then. One that is late once is
// given another check before that counts: bitcoind answers nobody while it writes out
// its chain state.
type grace struct {
	mu   sync.Mutex
	last map[string]lastAnswer // by the lives of containers
}

// lastAnswer is what a node last said, and how many checks it has missed since.
type lastAnswer struct {
	state  bitcoind.State
	missed int
}

func newGrace() *grace { return &grace{last: map[string]lastAnswer{}} }

// answered takes note of what a node says that is well.
func (g *grace) answered(pod *corev1.Pod, said bitcoind.State) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last[state.Life(pod)] = lastAnswer{state: said}
}

// late takes note that a node did not answer in time.
func (g *grace) late(pod *corev1.Pod) {
	g.mu.Lock()
	defer g.mu.Unlock()
	last, wasWell := g.last[state.Life(pod)]
	if last.missed++; !wasWell {
		last.missed++ // it is given no other
	}
	g.last[state.Life(pod)] = last
}

// ended takes note that a node is not well.
func (g *grace) ended(pod *corev1.Pod) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.last, state.Life(pod))
}

// of returns what a node last said, if it was late once since, and the kubelet finds it
// ready.
func (g *grace) of(pod *corev1.Pod) (said bitcoind.State, given bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	last, known := g.last[state.Life(pod)]
	return last.state, known && last.missed == 1 && state.IsReady(pod)
}

// hasMissed reports whether a node did not answer in time when it was last asked.
func (g *grace) hasMissed(pod *corev1.Pod) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last[state.Life(pod)].missed > 0
}

// forgetOthers drops what is remembered of containers that are gone.
func (g *grace) forgetOthers(nodes []state.Node) {
	g.mu.Lock()
	defer g.mu.Unlock()
	keepOnly(g.last, keysOf(nodes, state.Life))
}
