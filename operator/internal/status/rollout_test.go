package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// taken is the record of a node that was taken down.
func taken(ordinal int32, action v1alpha1.RolloutAction, pod types.UID, ago time.Duration) v1alpha1.RolloutStatus {
	return v1alpha1.RolloutStatus{Ordinal: ordinal, Action: action, PodUID: pod, Since: metav1.NewTime(statetest.Now.Add(-ago))}
}

func TestRecordBest(t *testing.T) {
	block := statetest.Block(7, "a")
	for _, test := range []struct {
		reason string
		best   *state.Block
		want   *v1alpha1.BestBlockStatus
	}{
		{"a block is recorded with its work", &block, bestBlock(block)},
		{"nobody has one", nil, nil},
		{"of one that an earlier operator recorded the height is in the status", &state.Block{Height: 7}, nil},
	} {
		network := statetest.Network(1)
		network.Status.BestBlock = bestBlock(statetest.Block(3, "b"))
		RecordBest(network, &state.Network{Best: test.best})
		if diff := cmp.Diff(test.want, network.Status.BestBlock); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.reason, diff)
		}
	}
}

// What a step rests on, and whom it takes down, is on record before it is taken: an
// operator that comes after this one goes by it.
func TestRecordStep(t *testing.T) {
	const restart, replace = v1alpha1.RestartAction, v1alpha1.ReplaceAction
	for _, test := range []struct {
		reason   string
		decision rollout.Decision
		want     []v1alpha1.RolloutStatus
	}{
		{"the first node goes", rollout.Decision{Step: &rollout.Step{Ordinal: 1, Action: replace}},
			[]v1alpha1.RolloutStatus{taken(1, replace, "payments-1", 0)}},
		{"another is down", rollout.Decision{
			Step: &rollout.Step{Ordinal: 0, Action: restart},
			Down: []v1alpha1.RolloutStatus{taken(2, restart, "payments-2", time.Hour)},
		}, []v1alpha1.RolloutStatus{taken(0, restart, "payments-0", 0), taken(2, restart, "payments-2", time.Hour)}},
		{"they are in order", rollout.Decision{
			Step: &rollout.Step{Ordinal: 2, Action: restart},
			Down: []v1alpha1.RolloutStatus{taken(0, restart, "payments-0", time.Hour), taken(1, replace, "before", time.Hour)},
		}, []v1alpha1.RolloutStatus{
			taken(0, restart, "payments-0", time.Hour), taken(1, replace, "before", time.Hour), taken(2, restart, "payments-2", 0),
		}},
		{"a node that was restarted and did not come back is replaced", rollout.Decision{
			Step: &rollout.Step{Ordinal: 1, Action: replace},
			Down: []v1alpha1.RolloutStatus{taken(0, restart, "payments-0", time.Hour), taken(1, restart, "payments-1", time.Hour)},
		}, []v1alpha1.RolloutStatus{taken(0, restart, "payments-0", time.Hour), taken(1, replace, "payments-1", 0)}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := wellConnected(3)
			s.network = s.report()
			s.seen.Now = statetest.Now.Add(300 * time.Millisecond) // the API server keeps seconds
			down := len(test.decision.Down)
			RecordStep(s.network, s.seen, test.decision)
			g.Expect(s.network.Status.Rollout).To(Equal(test.want))
			g.Expect(s.network.Status.BestBlock).To(Equal(bestBlock(statetest.Block(7, "a"))))
			g.Expect(test.decision.Down).To(HaveLen(down), "a decision is a value")
			g.Expect(s.network.Status.Repairs).To(BeEmpty(), "a change is no repair")
		})
	}
}

func TestRecordStepOfRepair(t *testing.T) {
	for _, test := range []struct {
		reason string
		before []v1alpha1.RepairStatus
		want   int32
	}{
		{"the first", nil, 1},
		{"the next, while it has not served since", []v1alpha1.RepairStatus{{Ordinal: 1, Count: 1, Last: metav1.NewTime(statetest.Now.Add(-time.Hour))}}, 2},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := oneSilent()
			s.network = s.report()
			s.network.Status.Repairs = test.before
			s.seen.Now = statetest.Now.Add(300 * time.Millisecond)
			RecordStep(s.network, s.seen, rollout.Decision{Step: &rollout.Step{Ordinal: 1, Action: v1alpha1.ReplaceAction, Repair: true}})
			g.Expect(s.network.Status.Repairs).To(ConsistOf(v1alpha1.RepairStatus{Ordinal: 1, Count: test.want, Last: metav1.NewTime(statetest.Now)}))
		})
	}
}

func TestReportOfRollout(t *testing.T) {
	before := []v1alpha1.RolloutStatus{taken(0, v1alpha1.ReplaceAction, "before", time.Hour)}
	held := new(metav1.NewTime(statetest.Now.Add(-time.Hour)))
	recorded := func(s *situation) { s.network.Status.Rollout = before }
	for _, test := range []struct {
		reason    string
		situation situation
		want      []v1alpha1.RolloutStatus
	}{
		{"nobody is down", wellConnected(3), nil},
		{"nobody is any more", wellConnected(3).with(recorded), nil},
		{"one still is", returning().with(recorded), returning().todo.Rollout.Down},
		{"one has just been taken down, which is on record already", takingDown(),
			[]v1alpha1.RolloutStatus{taken(0, v1alpha1.ReplaceAction, "payments-0", 0)}},
		{"one should have been taken down and was not", takingDown().with(isDown(1), refused), returning().todo.Rollout.Down},
	} {
		t.Run(test.reason, func(t *testing.T) {
			test.situation.todo.Shape.Drain.HeldSince = held
			network := test.situation.report()
			if diff := cmp.Diff(test.want, network.Status.Rollout); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if network.Status.DrainsHeldSince != held {
				t.Errorf("drains are held since %s", network.Status.DrainsHeldSince)
			}
		})
	}
}

func TestReportOfDrainsThatAreNotHeld(t *testing.T) {
	s := wellConnected(3)
	s.network.Status.DrainsHeldSince = new(metav1.Now())
	if since := s.report().Status.DrainsHeldSince; since != nil {
		t.Errorf("drains are held since %s", since)
	}
}
