package plan

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// situation is what is known, and planned.
type situation struct {
	network *v1alpha1.BitcoinNetwork
	seen    *state.Network
	plan    Plan
	due     *Block
}

// gated gives a pod the readiness gate, which is closed.
func gated(pod *corev1.Pod) {
	pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: resources.SyncedCondition}}
}

func TestLookAgain(t *testing.T) {
	askAgain := func(ordinal int, wait time.Duration) func(*situation) {
		return func(s *situation) {
			s.seen.Nodes[ordinal] = statetest.Silent(ordinal, closed)
			s.seen.Nodes[ordinal].AskAgain = wait
		}
	}
	interval := func(interval time.Duration) func(*situation) {
		return func(s *situation) { s.network.Spec.Interval = &metav1.Duration{Duration: interval} }
	}
	unusable := func(reason string) func(*situation) {
		return func(s *situation) { s.seen = statetest.Unusable(reason, "what is wrong with the Secret", 3) }
	}
	suspended := func(s *situation) { s.network.Spec.Suspend = true }
	linkToMake := func(s *situation) {
		s.plan.Links.Changes = map[int]peering.Change{2: {Dial: []string{"payments-1"}}}
	}
	held := func(ended bool) func(*situation) {
		return func(s *situation) {
			s.plan.Shape.Drain = rollout.Drain{HeldSince: new(metav1.NewTime(statetest.Now)), Ended: ended}
		}
	}
	all := func(changes ...func(*situation)) func(*situation) {
		return func(s *situation) {
			for _, change := range changes {
				change(s)
			}
		}
	}
	waits := &rollout.Wait{Node: 1, On: rollout.OnNode, For: "payments-0"}

	for _, test := range []struct {
		reason string
		change func(*situation)
		want   time.Duration
	}{
		{"nothing calls for it: the net below the watches", func(*situation) {}, 30 * time.Second},
		{"as often as the network says", interval(5 * time.Minute), 5 * time.Minute},
		{"a parked network", func(s *situation) { s.network, s.seen = statetest.Network(0), statetest.Healthy(0) }, 30 * time.Second},
		{"a node that has no pod: the watch tells when it has", func(s *situation) { s.seen.Nodes[1] = state.Missing("") }, 30 * time.Second},
		{"a pod that starts: the watch tells when it runs", func(s *situation) {
			s.seen.Nodes[1] = statetest.Silent(1, "ContainerCreating", statetest.Container(statetest.Waiting("ContainerCreating", "")))
		}, 30 * time.Second},

		{"a node does not answer, and is to be left alone for so long", askAgain(1, 8*time.Second), 8 * time.Second},
		{"the one that may be asked first", all(askAgain(1, 16*time.Second), askAgain(2, 2*time.Second)), 2 * time.Second},
		{"never less often than a steady one", askAgain(1, 40*time.Second), 30 * time.Second},

		{"a link can be made", linkToMake, settlingInterval},
		{"links wait for nodes that start", func(s *situation) { s.plan.Links.Held = true }, settlingInterval},
		{"which waits for no node that does not answer", all(askAgain(1, 8*time.Second), linkToMake), settlingInterval},
		{"a link is missing, and nobody can do anything about it", func(s *situation) {
			s.plan.Links.Missing = []peering.Link{{From: 1, To: 0}}
		}, 30 * time.Second},

		{"a node waits to be replaced until a tip has caught up", func(s *situation) { s.plan.Rollout.Pending = 1 }, rollingInterval},
		{"a node was taken down", func(s *situation) { s.plan.Rollout.Down = []v1alpha1.RolloutStatus{{}} }, rollingInterval},
		{"a rollout waits for something", func(s *situation) { s.plan.Rollout.Wait = waits }, rollingInterval},
		{"nodes wait to be scaled away", func(s *situation) { s.plan.Shape.Size.Wait = waits }, rollingInterval},
		{"time alone changes the rollout", func(s *situation) { s.plan.Rollout.LookAgain = 12 * time.Second }, 12 * time.Second},
		{"sooner than another look would", func(s *situation) { s.plan.Rollout.Pending, s.plan.Rollout.LookAgain = 1, 3*time.Second }, 3 * time.Second},
		{"drains are held up, and somebody may be waiting with one", held(false), rollingInterval},
		{"they were held up for long enough, and go on", held(true), 30 * time.Second},

		{"a node copies the chain before its pod is ready", func(s *situation) {
			s.seen.Nodes[1] = statetest.NodeAt(1, 3, "a", gated)
		}, settlingInterval},
		{"one that does not answer is known to copy nothing", func(s *situation) {
			s.seen.Nodes[1] = statetest.Silent(1, closed, gated)
		}, 30 * time.Second},

		{"a block was mined", func(s *situation) { s.plan.Mine, s.due = &Block{}, &Block{} }, settlingInterval},
		{"a block is due by then", func(s *situation) { s.due = &Block{Wait: 4 * time.Second} }, 4 * time.Second},
		{"it is due much later", func(s *situation) { s.due = &Block{Wait: time.Hour} }, 30 * time.Second},
		{"it is due and cannot be mined now", func(s *situation) { s.due = &Block{} }, 30 * time.Second},

		{"the Secret is missing", unusable(v1alpha1.SecretNotFoundReason), credentialsInterval},
		{"the Secret cannot be watched, if it may not be read", unusable(v1alpha1.SecretForbiddenReason), credentialsInterval},
		{"however seldom the network wants to be looked at", all(unusable(v1alpha1.SecretNotFoundReason), interval(time.Hour)), credentialsInterval},

		{"a network that is left alone is looked at all the same", all(suspended, interval(time.Minute)), time.Minute},
		{"its nodes are asked", all(suspended, askAgain(1, 2*time.Second)), 2 * time.Second},
		{"and their gates opened", all(suspended, func(s *situation) { s.seen.Nodes[1] = statetest.NodeAt(1, 3, "a", gated) }), settlingInterval},
		{"but nothing else is to be done", all(suspended, linkToMake, func(s *situation) {
			held(false)(s)
			s.plan.Rollout, s.due = rollout.Decision{Pending: 1, LookAgain: time.Second}, &Block{Wait: time.Second}
		}), 30 * time.Second},
	} {
		s := situation{network: statetest.Network(3), seen: statetest.Healthy(3)}
		s.plan.Links = statetest.Links(3)
		test.change(&s)
		if got := lookAgain(s.network, s.seen, s.plan, s.due); got != test.want {
			t.Errorf("%s: in %s, want %s", test.reason, got, test.want)
		}
	}
}
