package observe

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// slow asks nodes, some of which take their time: what they say was so when they were asked.
type slow struct {
	Nodes
	mu   sync.Mutex
	held map[string]chan struct{} // by address: whose answers are held back
}

func (n *slow) Check(ctx context.Context, endpoint bitcoind.Endpoint) (bitcoind.State, error) {
	said, err := n.Nodes.Check(ctx, endpoint)
	n.mu.Lock()
	held := n.held[endpoint.Address]
	n.mu.Unlock()
	if held != nil {
		<-held
	}
	return said, err
}

// hold has a node take its time.
func (n *slow) hold(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held[address] == nil {
		n.held[address] = make(chan struct{})
	}
}

// release has all answers come that are held back.
func (n *slow) release() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, held := range n.held {
		close(held)
	}
	clear(n.held)
}

// truth is how a node is from some time on.
type truth struct {
	since  time.Time
	life   string
	height int32
	busy   bool
}

// looks is a generated history of looks at three nodes, and of what happens to them.
type looks struct {
	*scene
	t     *rapid.T
	nodes *slow
	was   [3][]truth // the latest last
	busy  [3]bool
	lives int
}

func newLooks(test *testing.T, t *rapid.T) *looks {
	l := &looks{scene: newScene(test, 3), t: t}
	l.nodes = &slow{Nodes: l.scene, held: map[string]chan struct{}{}}
	l.scene.nodes = l.nodes
	l.cache().answers.patience = 2 * time.Millisecond
	l.partial = true
	l.note()
	return l
}

// note takes note of how the nodes are now.
func (l *looks) note() {
	for ordinal, pod := range l.pods {
		l.was[ordinal] = append(l.was[ordinal], truth{l.clock.Now(), state.Life(pod), l.State(hostOf(ordinal)).Chain.Blocks, l.busy[ordinal]})
	}
}

// at returns how a node was at a time, at each of its moments.
func (l *looks) at(ordinal int, at time.Time) []truth {
	var moments []truth
	for _, was := range slices.Backward(l.was[ordinal]) {
		if was.since.After(at) {
			continue
		}
		moments = append(moments, was)
		if was.since.Before(at) {
			break
		}
	}
	return moments
}

// look has the nodes looked at, and holds what is said of them to what was so.
func (l *looks) look() {
	l.note()
	seen := l.scene.look()
	l.hold(seen, nil)
	if ordinals := rapid.SliceOfDistinct(rapid.IntRange(0, 2), rapid.ID[int]).Draw(l.t, "asks"); len(ordinals) > 0 {
		asks := seen.Unasked(ordinals)
		if err := l.observer.Ask(l.scene.t.Context(), l.network, l.nodes, seen, asks); err != nil {
			l.t.Fatal(err)
		}
		l.hold(seen, asks)
	}
}

// hold holds what is said of nodes to what was so, of some of them to what is so now.
func (l *looks) hold(seen *state.Network, now []int) {
	for ordinal, node := range seen.Nodes {
		if !node.Answers {
			continue
		}
		if slices.Contains(now, ordinal) && !node.AskedAt.Equal(seen.Now) {
			l.t.Fatalf("node %d was asked %s ago, and something rests on it", ordinal, seen.Now.Sub(node.AskedAt))
		}
		if age := seen.Now.Sub(node.AskedAt); age > 30*time.Second && node.AskAgain == 0 { // else it is being asked
			l.t.Fatalf("what is said of node %d is %s old", ordinal, age)
		}
		if !slices.ContainsFunc(l.at(ordinal, node.AskedAt), func(was truth) bool {
			return !was.busy && was.life == state.Life(l.pods[ordinal]) && int64(was.height) == node.Tip.Height
		}) {
			l.t.Fatalf("node %d is said to be at %d, as it was %s ago; it was %+v", ordinal, node.Tip.Height, seen.Now.Sub(node.AskedAt), l.at(ordinal, node.AskedAt))
		}
	}
	for ordinal, node := range seen.Nodes {
		if node.Answers && node.Asked && seen.Best != nil && node.Tip.Compare(*seen.Best) > 0 {
			l.t.Fatalf("node %d has a better block than the best", ordinal)
		}
	}
}

// pass lets time pass. Answers do not take longer than requests may.
func (l *looks) pass(duration time.Duration) {
	if duration > 0 {
		l.nodes.release()
		l.settle()
	}
	l.clock.Step(duration)
	l.note()
}

// settle waits until nobody asks a node any more.
func (l *looks) settle() { l.cache().answers.asks.Wait() }

func (l *looks) one() int { return rapid.IntRange(0, 2).Draw(l.t, "node") }

// startAgain starts a node's container, or its pod, again.
func (l *looks) startAgain(ordinal int, changes ...func(*corev1.Pod)) {
	l.lives++
	l.Restart(hostOf(ordinal))
	l.busy[ordinal] = false
	l.pods[ordinal] = statetest.Pod(ordinal, changes...)
	l.note()
}

// What a look says of a node was so at most a check ago, in the same life of its container,
// however late answers come; and of nodes on which something rests it is so now.
func TestWhatLooksSayWasSoACheckAgo(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := newLooks(t, r)
		defer l.settle()
		defer l.nodes.release()
		r.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { l.look() },
			"time passes": func(t *rapid.T) {
				l.pass(rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, 23 * time.Second, time.Minute}).Draw(t, "for"))
			},
			"a block is found": func(*rapid.T) {
				l.MineAt(hostOf(l.one()))
				l.note()
			},
			"a node is busy": func(*rapid.T) {
				ordinal := l.one()
				l.Fail(hostOf(ordinal), bitcoind.ErrBusy)
				l.busy[ordinal] = true
				l.note()
			},
			"a node recovers": func(*rapid.T) {
				ordinal := l.one()
				l.Fail(hostOf(ordinal), nil)
				l.busy[ordinal] = false
				l.note()
			},
			"a node takes its time": func(*rapid.T) { l.nodes.hold(hostOf(l.one())) },
			"answers come":          func(*rapid.T) { l.nodes.release() },
			"a container is started again": func(*rapid.T) {
				ordinal := l.one()
				uid, life := l.pods[ordinal].UID, strconv.Itoa(l.lives)
				l.startAgain(ordinal, func(pod *corev1.Pod) { pod.UID, pod.Status.ContainerStatuses[0].ContainerID = uid, life })
			},
			"a pod is replaced": func(*rapid.T) {
				uid := types.UID("pod-" + strconv.Itoa(l.lives))
				l.startAgain(l.one(), func(pod *corev1.Pod) { pod.UID = uid })
			},
			"a pod is not ready": func(*rapid.T) { statetest.NotReady(l.pods[l.one()]) },
			"the Secret has changed": func(*rapid.T) {
				l.sets(l.clock.Now(), alice, bitcoind.NewCredentials("bob", strconv.Itoa(l.lives)))
				l.lives++
			},
			"somebody asks for a look": func(*rapid.T) { l.observer.LookAtAll(types.NamespacedName{Namespace: "team-a", Name: "payments"}) },
		})
		l.nodes.release()
		l.settle()
		if asking := slices.Collect(maps.Keys(l.cache().answers.asking)); len(asking) > 0 || l.cache().answers.late != 0 {
			r.Fatalf("%v are asked for ever, %d are late", asking, l.cache().answers.late)
		}
	})
}
