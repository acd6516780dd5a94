package observe

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/flowcontrol"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

const closed = "its RPC port is closed"

// backoffAt returns a backoff whose time passes only when it is told to.
func backoffAt(clock *clocktesting.FakeClock) *backoff {
	backoff := newBackoff()
	backoff.waits = flowcontrol.NewFakeBackOff(firstWait, longestWait, clock)
	return backoff
}

func newClock() *clocktesting.FakeClock { return clocktesting.NewFakeClock(statetest.Now) }

func TestNodeThatDoesNotAnswerIsAskedEverMoreSeldom(t *testing.T) {
	g := NewWithT(t)
	clock := newClock()
	backoff, pod := backoffAt(clock), statetest.Pod(0)

	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		wait *= time.Second
		g.Expect(backoff.lastProblem(pod)).To(BeEmpty(), "it is time to ask")
		g.Expect(backoff.failed(pod, closed)).To(Equal(wait))
		g.Expect(backoff.wait(pod)).To(Equal(wait))
		clock.Step(wait - time.Millisecond)
		g.Expect(backoff.lastProblem(pod)).To(Equal(closed), "before %s have passed", wait)
		clock.Step(time.Millisecond)
	}
}

func TestBackoffTellsTheLastProblem(t *testing.T) {
	g := NewWithT(t)
	clock := newClock()
	backoff, pod := backoffAt(clock), statetest.Pod(0)
	backoff.failed(pod, closed)
	clock.Step(firstWait)
	backoff.failed(pod, "it refuses the credentials")
	g.Expect(backoff.lastProblem(pod)).To(Equal("it refuses the credentials"))
}

func TestNodeThatAnswersStartsAfresh(t *testing.T) {
	g := NewWithT(t)
	backoff, pod := backoffAt(newClock()), statetest.Pod(0)
	for range 5 {
		backoff.failed(pod, closed)
	}
	backoff.succeeded(pod)
	g.Expect(backoff.lastProblem(pod)).To(BeEmpty())
	backoff.failed(pod, closed)
	g.Expect(backoff.wait(pod)).To(Equal(firstWait))
}

func TestNobodyWaitsLessThanTheFirstWait(t *testing.T) {
	NewWithT(t).Expect(backoffAt(newClock()).wait(statetest.Pod(0))).To(Equal(firstWait))
}

// A pod that has changed is another chance.
func TestBackoffIsWithTheLifeOfANode(t *testing.T) {
	for _, test := range []struct {
		reason string
		now    *corev1.Pod
		asked  bool
	}{
		{"the same pod, the same container", statetest.Pod(0), false},
		{"another node", statetest.Pod(1), true},
		{"the pod was replaced", statetest.Pod(0, func(pod *corev1.Pod) { pod.UID = "another" }), true},
		{"the container was restarted", statetest.Pod(0, restarted), true},
		{"it has become ready or ceased to be", statetest.Pod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].Ready = false }), true},
		{"its labels changed", statetest.Pod(0, func(pod *corev1.Pod) { pod.Labels["team"] = "blue" }), false},
		{"a container beside it was restarted", statetest.Pod(0, func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses = append([]corev1.ContainerStatus{{Name: "proxy", ContainerID: "containerd://proxy"}}, pod.Status.ContainerStatuses...)
		}), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			backoff := backoffAt(newClock())
			backoff.failed(statetest.Pod(0), closed)
			if asked := backoff.lastProblem(test.now) == ""; asked != test.asked {
				t.Errorf("asked at once: %t, want %t", asked, test.asked)
			}
		})
	}
}

func TestBackoffForgetsLivesThatAreOver(t *testing.T) {
	g := NewWithT(t)
	backoff := backoffAt(newClock())
	for ordinal := range 3 {
		backoff.failed(statetest.Pod(ordinal), closed)
	}
	backoff.forgetOthers([]state.Node{{Pod: statetest.Pod(0)}, {Pod: statetest.Pod(1, restarted)}, {}})

	g.Expect(backoff.problems).To(HaveLen(1))
	g.Expect(backoff.lastProblem(statetest.Pod(0))).To(Equal(closed), "it is still there")
	for _, gone := range []*corev1.Pod{statetest.Pod(1), statetest.Pod(2)} {
		g.Expect(backoff.waits.Get(attemptKey(gone))).To(BeZero(), "%s was not forgotten", attemptKey(gone))
	}
}

func TestAttemptKeyOfAPodWithoutContainer(t *testing.T) {
	pod := statetest.Pod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].Name = "not-" + resources.Container })
	if got, want := attemptKey(pod), string(pod.UID)+"/false"; got != want {
		t.Errorf("got %q, want %q: the pod's UID, and that it is not ready", got, want)
	}
}
