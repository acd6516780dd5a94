package observe

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

const (
	// patience is how long a look waits for a node. Of one that takes longer it says what
	// that last said; what it answers after all counts at the next look.
	patience = 400 * time.Millisecond
	// longestPatience is how long it waits at most for what something rests on, of one node
	// and of all.
	longestPatience = 4 * time.Second
	// maxLate is how many nodes of a network may take longer at a time, without keeping
	// others from being asked.
	maxLate = 64
)

// answers remembers what nodes last said that were well then, so that what happens to one
// node costs no requests to all, and which nodes are being asked.
type answers struct {
	mu sync.Mutex
	// said is by what tells the lives of nodes, and their addresses, apart.
	said map[string]answer
	// asking are the questions to nodes that are being asked.
	asking map[string]*question
	late   int
	// round tells apart what was verified by one Secret from what was by another.
	round int
	// told are the pods of nodes that were told something since they were last asked.
	told map[types.UID]bool
	// patience is how long a look waits for a node.
	patience time.Duration
	// life is as long as anything is remembered of the network. All that asks its nodes ends
	// with it, also for whom no look waits any more.
	life context.Context
	end  context.CancelFunc
	asks sync.WaitGroup
}

// answer is what a node said when it was asked.
type answer struct {
	node state.Node
	// wasReady reports that the kubelet found it ready then, or has since.
	wasReady bool
	// took is how long it took to answer.
	took time.Duration
}

// question is one that a node is being asked.
type question struct {
	begun time.Time
	// round is that in which it was begun, and late reports that no look waits for it any
	// more.
	round int
	late  bool
	// asked is the node as it is when done is closed.
	asked state.Node
	done  chan struct{}
}

func newAnswers() *answers {
	life, end := context.WithCancel(context.Background())
	return &answers{
		said: map[string]answer{}, asking: map[string]*question{}, told: map[types.UID]bool{}, patience: patience,
		life: life, end: end,
	}
}

// close ends all that asks nodes, and waits until it has.
func (a *answers) close() {
	a.end()
	a.asks.Wait()
}

// voice tells apart the lives of a node, and the addresses where it answers.
func voice(pod *corev1.Pod) string { return state.Life(pod) + "@" + pod.Status.PodIP }

// of returns what a node last said, with what is known of it now.
func (a *answers) of(node state.Node) (said state.Node, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	last, known := a.said[voice(node.Pod)]
	if !known || last.node.Data != node.Data {
		return state.Node{}, false
	}
	said = last.node
	keepSeen(&said, node)
	said.Asked, said.Problem = false, state.Unreached(node.Pod)
	return said, true
}

// isFresh reports whether a node need not be asked before its regular turn: it was well,
// was told nothing since, and its pod is as it was.
func (a *answers) isFresh(node state.Node) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	pod := node.Pod
	last, known := a.said[voice(pod)]
	if !known || last.node.Data != node.Data || a.told[pod.UID] || last.wasReady && !state.IsReady(pod) {
		return false
	}
	last.wasReady = state.IsReady(pod)
	a.said[voice(pod)] = last
	return true
}

// begin returns the question to a node that is being asked, which begins unless there is one
// already. No look waits for one that is late from the beginning; where there are many it is
// not begun, and nil.
func (a *answers) begin(node state.Node, late bool) (of *question, begins bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := voice(node.Pod)
	if of := a.asking[key]; of != nil || late && a.late == maxLate {
		return of, false
	}
	of = &question{begun: time.Now(), round: a.round, late: late, asked: node, done: make(chan struct{})}
	a.asking[key] = of
	delete(a.told, node.Pod.UID)
	if late {
		a.late++
	}
	return of, true
}

// patienceWith is how long to wait for a node's answer: a moment for one that has timed out
// before, and where something rests on it, so long that a slow one can give it.
func (a *answers) patienceWith(pod *corev1.Pod, late, rests bool) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case late:
		return a.patience / 8
	case rests:
		return min(max(a.patience, 2*a.said[voice(pod)].took), longestPatience)
	default:
		return a.patience
	}
}

// isLate takes note that no look waits any more for a node that is being asked, as long
// as there are few.
func (a *answers) isLate(pod *corev1.Pod) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.asking[voice(pod)]
	if of == nil || of.late || a.late == maxLate {
		return false
	}
	of.late = true
	a.late++
	return true
}

// came takes note of what came of a question.
func (a *answers) came(of *question) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := voice(of.asked.Pod)
	if of.late {
		a.late--
	}
	delete(a.asking, key)
	if of.asked.Answers && of.asked.Problem == "" && of.round == a.round {
		a.said[key] = answer{node: of.asked, wasReady: state.IsReady(of.asked.Pod), took: time.Since(of.begun)}
	} else {
		delete(a.said, key)
	}
}

// tells takes note that a node is told something, after which it is to be asked.
func (a *answers) tells(pod types.UID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[pod] = true
}

// agrees takes note of what a node's list of peers has become, as it has agreed.
func (a *answers) agrees(pod *corev1.Pod, change bitcoind.PeerChange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	last, known := a.said[voice(pod)]
	if !known {
		return
	}
	said := &last.node.State
	said.Added = slices.DeleteFunc(slices.Clone(said.Added), func(added bitcoind.AddedNode) bool {
		return slices.Contains(change.Remove, added.AddedNode)
	})
	said.Peers = slices.DeleteFunc(slices.Clone(said.Peers), func(peer bitcoind.Peer) bool {
		return !peer.Inbound && slices.Contains(change.Remove, peer.Addr)
	})
	for _, name := range change.Add {
		if !slices.ContainsFunc(said.Added, func(added bitcoind.AddedNode) bool { return added.AddedNode == name }) {
			said.Added = append(said.Added, bitcoind.AddedNode{AddedNode: name})
		}
	}
	a.said[voice(pod)] = last
}

// forget drops what was said, as when the Secret has changed by which it was verified.
func (a *answers) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.said)
	a.round++
}

// forgetOthers drops what is remembered of nodes that are gone.
func (a *answers) forgetOthers(nodes []state.Node) {
	a.mu.Lock()
	defer a.mu.Unlock()
	keepOnly(a.said, keysOf(nodes, voice))
	keepOnly(a.told, keysOf(nodes, uidOf))
}

// keepSeen copies what is known of a node without asking it.
func keepSeen(into *state.Node, node state.Node) {
	into.Pod, into.Claim, into.Data, into.NotMade, into.ReadsOther = node.Pod, node.Claim, node.Data, node.NotMade, node.ReadsOther
	into.HadBest, into.LastServed, into.LastAnswer = node.HadBest, node.LastServed, node.LastAnswer
	into.LastAlive, into.AlivePod, into.BehindSince = node.LastAlive, node.AlivePod, node.BehindSince
	into.SyncedAt, into.StalledSince, into.Earlier, into.Invalid = node.SyncedAt, node.StalledSince, node.Earlier, node.Invalid
	into.RefusedAt, into.NotStoppedAt = node.RefusedAt, node.NotStoppedAt
}
