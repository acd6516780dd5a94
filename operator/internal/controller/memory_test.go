package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/flowcontrol"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

const closed = "its RPC port is closed"

// patienceAt returns a patience whose time passes only when it is told to.
func patienceAt(clock *clocktesting.FakeClock) *patience {
	patience := newPatience()
	patience.backoff = flowcontrol.NewFakeBackOff(firstWait, longestWait, clock)
	return patience
}

func newClock() *clocktesting.FakeClock {
	return clocktesting.NewFakeClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

func TestNodeThatDoesNotAnswerIsAskedEverMoreSeldom(t *testing.T) {
	g := NewWithT(t)
	clock := newClock()
	patience, pod := patienceAt(clock), runningPod(0)

	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		wait *= time.Second
		g.Expect(patience.exhausted(pod)).To(BeEmpty(), "it is time to ask")
		patience.failed(pod, closed)
		g.Expect(patience.wait(pod)).To(Equal(wait))
		clock.Step(wait - time.Millisecond)
		g.Expect(patience.exhausted(pod)).To(Equal(closed), "before %s have passed", wait)
		clock.Step(time.Millisecond)
	}
}

func TestPatienceTellsTheLastProblem(t *testing.T) {
	g := NewWithT(t)
	clock := newClock()
	patience, pod := patienceAt(clock), runningPod(0)
	patience.failed(pod, closed)
	clock.Step(firstWait)
	patience.failed(pod, "it refuses the credentials")
	g.Expect(patience.exhausted(pod)).To(Equal("it refuses the credentials"))
}

func TestNodeThatAnswersStartsAfresh(t *testing.T) {
	g := NewWithT(t)
	patience, pod := patienceAt(newClock()), runningPod(0)
	for range 5 {
		patience.failed(pod, closed)
	}
	patience.succeeded(pod)
	g.Expect(patience.exhausted(pod)).To(BeEmpty())
	patience.failed(pod, closed)
	g.Expect(patience.wait(pod)).To(Equal(firstWait))
}

func TestNobodyWaitsLessThanTheFirstWait(t *testing.T) {
	NewWithT(t).Expect(patienceAt(newClock()).wait(runningPod(0))).To(Equal(firstWait))
}

// A pod that has changed is another chance.
func TestPatienceIsWithTheLifeOfANode(t *testing.T) {
	for _, test := range []struct {
		reason string
		now    *corev1.Pod
		asked  bool
	}{
		{"the same pod, the same container", runningPod(0), false},
		{"another node", runningPod(1), true},
		{"the pod was replaced", runningPod(0, func(pod *corev1.Pod) { pod.UID = "another" }), true},
		{"the container was restarted", runningPod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].ContainerID = "containerd://another" }), true},
		{"it has become ready or ceased to be", runningPod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].Ready = false }), true},
		{"its labels changed", runningPod(0, func(pod *corev1.Pod) { pod.Labels["team"] = "blue" }), false},
		{"a container beside it was restarted", runningPod(0, func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses = append([]corev1.ContainerStatus{{Name: "proxy", ContainerID: "containerd://proxy"}}, pod.Status.ContainerStatuses...)
		}), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			patience := patienceAt(newClock())
			patience.failed(runningPod(0), closed)
			if asked := patience.exhausted(test.now) == ""; asked != test.asked {
				t.Errorf("asked at once: %t, want %t", asked, test.asked)
			}
		})
	}
}

func TestPatienceForgetsLivesThatAreOver(t *testing.T) {
	g := NewWithT(t)
	patience := patienceAt(newClock())
	restarted := runningPod(1, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].ContainerID = "containerd://another" })
	for _, pod := range []*corev1.Pod{runningPod(0), runningPod(1), runningPod(2)} {
		patience.failed(pod, closed)
	}
	patience.forgetOthers([]node{{pod: runningPod(0)}, {pod: restarted}, {}})

	g.Expect(patience.problems).To(HaveLen(1))
	g.Expect(patience.exhausted(runningPod(0))).To(Equal(closed), "it is still there")
	for _, gone := range []*corev1.Pod{runningPod(1), runningPod(2)} {
		g.Expect(patience.backoff.Get(attemptKey(gone))).To(BeZero(), "%s was not forgotten", attemptKey(gone))
	}
}

func TestAttemptKeyOfAPodWithoutContainer(t *testing.T) {
	pod := runningPod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].Name = "not-" + resources.Container })
	if got := attemptKey(pod); got != string(pod.UID) {
		t.Errorf("got %q, want the pod's UID", got)
	}
}

// The cache may be behind what the operator itself has written.
func TestLatest(t *testing.T) {
	at := func(version string, changes ...func(*v1alpha1.BitcoinNetwork)) *v1alpha1.BitcoinNetwork {
		network := networkOf(3, changes...)
		network.ResourceVersion = version
		return network
	}
	for _, test := range []struct {
		reason          string
		written, cached *v1alpha1.BitcoinNetwork
		want            string
		fails           bool
	}{
		{"nothing was written yet", nil, at("5"), "5", false},
		{"the cache is behind", at("9"), at("5"), "9", false},
		{"versions are numbers, not text", at("10"), at("9"), "10", false},
		{"the cache has caught up", at("9"), at("9"), "9", false},
		{"somebody has written since", at("9"), at("12"), "12", false},
		{"it is another network of the same name", at("9"), at("5", func(n *v1alpha1.BitcoinNetwork) { n.UID = "another" }), "5", false},
		{"a version that is none", at("9"), at("five"), "", true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			memory := newMemory()
			memory.written = test.written
			got, err := memory.latest(test.cached)
			if test.fails != (err != nil) {
				t.Fatalf("error %v", err)
			}
			if err == nil && got.ResourceVersion != test.want {
				t.Errorf("got version %s, want %s", got.ResourceVersion, test.want)
			}
		})
	}
}

func TestLatestIsACopy(t *testing.T) {
	memory := newMemory()
	memory.written = networkOf(3, func(n *v1alpha1.BitcoinNetwork) { n.ResourceVersion = "9" })
	got, err := memory.latest(networkOf(3, func(n *v1alpha1.BitcoinNetwork) { n.ResourceVersion = "5" }))
	if err != nil {
		t.Fatal(err)
	}
	got.Status.ObservedGeneration = 42
	if memory.written.Status.ObservedGeneration == 42 {
		t.Error("a reconcile that fails half way would leave its status in the memory, as if it were written")
	}
}
