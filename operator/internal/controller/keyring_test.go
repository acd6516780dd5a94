package controller

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
)

var (
	bob     = bitcoind.Credentials{User: "bob", Password: "battery staple"}
	errBusy = bitcoind.ErrBusy
)

// restarted is a pod whose container is another than before.
func restarted(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].ContainerID += "-next" }

// rotation is nodes, and an operator that asks them with what the Secret holds.
type rotation struct {
	*bitcoindtest.Network
	reconciler *Reconciler
	memory     *memory
}

func newRotation(accepted ...[]bitcoind.Credentials) *rotation {
	r := &rotation{Network: bitcoindtest.NewNetwork(), reconciler: &Reconciler{Clock: newClock()}, memory: newMemory()}
	for ordinal, pairs := range accepted {
		r.Start(hostPort(runningPod(ordinal).Status.PodIP, 18443), dialName(ordinal), "", pairs...)
	}
	return r
}

func (r *rotation) ask(pods []*corev1.Pod, pairs ...bitcoind.Credentials) *observation {
	seen := unasked(r.Network, pods...)
	seen.pairs = pairs
	r.reconciler.askNodes(context.Background(), seen, r.memory)
	return seen
}

func TestNodeIsAskedWithWhatItTakes(t *testing.T) {
	for _, test := range []struct {
		reason         string
		takes, secret  []bitcoind.Credentials
		known          []bitcoind.Credentials // that another node takes
		answers        bool
		stale, refuses bool
		requests       int // at first; afterwards one is enough
	}{
		{"what the Secret holds", []bitcoind.Credentials{alice}, []bitcoind.Credentials{alice}, nil, true, false, false, 1},
		{"both pairs, each tried once", []bitcoind.Credentials{alice, bob}, []bitcoind.Credentials{alice, bob}, nil, true, false, false, 2},
		{"the previous pair, since it started before the Secret changed", []bitcoind.Credentials{bob}, []bitcoind.Credentials{alice, bob}, nil, true, true, false, 2},
		{"the present pair, but not the previous one", []bitcoind.Credentials{alice}, []bitcoind.Credentials{alice, bob}, nil, true, true, false, 2},
		{"a pair that the Secret no longer has, but that others took", []bitcoind.Credentials{bob}, []bitcoind.Credentials{alice}, []bitcoind.Credentials{bob}, true, true, false, 2},
		{"none that is known", []bitcoind.Credentials{bob}, []bitcoind.Credentials{alice}, nil, false, false, true, 1},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			r := newRotation(test.takes, test.known)
			pods := []*corev1.Pod{runningPod(0), runningPod(1)}
			for _, pair := range test.known {
				r.memory.keyring.tried(pods[1], pair, true)
			}
			node := r.ask(pods, test.secret...).nodes[0]
			g.Expect(node.answers()).To(Equal(test.answers), node.problem)
			g.Expect(node.stale).To(Equal(test.stale))
			g.Expect(node.refuses).To(Equal(test.refuses))
			g.Expect(r.Checks("10.0.0.0:18443")).To(Equal(test.requests))

			again := r.ask(pods, test.secret...).nodes[0]
			g.Expect(again.answers()).To(Equal(test.answers))
			g.Expect(again.stale).To(Equal(test.stale), "what is known is not forgotten")
			want := test.requests
			if test.answers {
				want++
			}
			g.Expect(r.Checks("10.0.0.0:18443")).To(Equal(want), "a refused pair costs the node a quarter of a second: it is not tried again")
		})
	}
}

// A container that starts anew reads the Secret anew.
func TestRestartedContainerIsTriedAnew(t *testing.T) {
	g := NewWithT(t)
	r := newRotation([]bitcoind.Credentials{bob})
	g.Expect(r.ask([]*corev1.Pod{runningPod(0)}, alice).nodes[0].refuses).To(BeTrue())
	r.Stop("10.0.0.0:18443")
	r.Start("10.0.0.0:18443", dialName(0), "", alice)
	g.Expect(r.ask([]*corev1.Pod{runningPod(0)}, alice).nodes[0].refuses).To(BeTrue(), "it is the same container")
	g.Expect(r.ask([]*corev1.Pod{runningPod(0, restarted)}, alice).nodes[0].answers()).To(BeTrue())
}

func TestKeyringKeepsNothingOfWhatIsGone(t *testing.T) {
	g := NewWithT(t)
	r := newRotation([]bitcoind.Credentials{bob})
	r.ask([]*corev1.Pod{runningPod(0)}, alice, bob)
	g.Expect(r.memory.keyring.refused).To(HaveLen(1))
	r.memory.keyring.forgetOthers(nil)
	g.Expect(r.memory.keyring.refused).To(BeEmpty())
	g.Expect(r.memory.keyring.accepted).To(BeEmpty(), "a pair that nobody takes is remembered for nobody")
}

// Which nodes are to be replaced for the sake of credentials.
func TestMissedSecret(t *testing.T) {
	changed := newClock().Now()
	startedAt := func(at time.Time) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].State.Running.StartedAt.Time = at }
	}
	for _, test := range []struct {
		reason         string
		started        time.Time
		stale, refuses bool
		want           bool
	}{
		{"it takes what it should", changed.Add(-time.Hour), false, false, false},
		{"it started before the Secret was as it is", changed.Add(-time.Hour), true, false, true},
		{"also where nothing that is known is taken", changed.Add(-time.Hour), false, true, true},
		{"it started later, so its image goes its own way: once more would not help", changed.Add(time.Hour), false, true, false},
	} {
		seen := seenOf(nodeAt(0, 7, "a", startedAt(test.started)))
		seen.pairsSince = changed
		seen.nodes[0].stale, seen.nodes[0].refuses = test.stale, test.refuses
		if got := len(outdated(seen)) == 1; got != test.want {
			t.Errorf("%s: to be replaced: %t, want %t", test.reason, got, test.want)
		}
	}
}

func TestSinceWhenTheSecretIsAsItIs(t *testing.T) {
	g := NewWithT(t)
	keyring, first := newKeyring(), newClock().Now()
	later := first.Add(time.Hour)
	g.Expect(keyring.hold([]bitcoind.Credentials{alice}, first)).To(Equal(first))
	g.Expect(keyring.hold([]bitcoind.Credentials{alice}, later)).To(Equal(first), "the Secret's version may change without its keys")
	g.Expect(keyring.hold([]bitcoind.Credentials{bob, alice}, later)).To(Equal(later))
}

// Nodes that refuse the operator cannot be asked: the kubelet's word must do.
func TestRollAmongNodesThatRefuse(t *testing.T) {
	ready := func(pod *corev1.Pod) {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	refusing := func(ordinal int, changes ...func(*corev1.Pod)) node {
		found := silent(ordinal, "it takes none of the credentials that the operator knows", changes...)
		found.refuses = true
		return found
	}
	for _, test := range []struct {
		reason string
		nodes  []node
		want   string
	}{
		{"the first goes when the others are ready", []node{refusing(0, ready), refusing(1, ready), refusing(2, ready)}, "payments-0"},
		{"not when one is not", []node{refusing(0, ready), refusing(1), refusing(2, ready)}, "payments-1"},
		{"the next goes when the one before has the chain that the status knows of", []node{nodeAt(0, 7, "a"), refusing(1, ready), refusing(2, ready)}, "payments-1"},
		{"and not before", []node{nodeAt(0, 3, "a"), refusing(1, ready), refusing(2, ready)}, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			seen := seenOf(test.nodes...)
			seen.pairsSince = newClock().Now()
			network := networkOf(int32(len(test.nodes)))
			network.Status.Height = new(int64(7))
			got := ""
			if pod := nextToReplace(network, seen, planOf(len(test.nodes), planOf(len(test.nodes)).Links...)); pod != nil {
				got = pod.Name
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRefusalIsNotABackOff(t *testing.T) {
	g := NewWithT(t)
	r := newRotation([]bitcoind.Credentials{bob})
	r.ask([]*corev1.Pod{runningPod(0)}, alice)
	g.Expect(r.memory.patience.exhausted(runningPod(0))).To(BeEmpty())
	r.Fail("10.0.0.0:18443", errors.New("it is away"))
	g.Expect(r.ask([]*corev1.Pod{runningPod(0)}, bob).nodes[0].answers()).To(BeFalse())
	g.Expect(r.memory.patience.exhausted(runningPod(0))).NotTo(BeEmpty(), "a node that does not answer is spared")
}
