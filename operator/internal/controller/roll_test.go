package controller

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// names returns the names of pods.
func names(pods []*corev1.Pod) []string {
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	return names
}

func TestOutdated(t *testing.T) {
	with := func(seen *observation, change func(*observation)) *observation {
		change(seen)
		return seen
	}
	mixed := func() *observation {
		return seenOf(
			nodeAt(0, 7, "a", ofOldRevision),
			nodeAt(1, 7, "a"),
			silent(2, "its pod is being deleted", ofOldRevision, terminating),
			node{problem: "it has no pod"},
		)
	}
	for _, test := range []struct {
		reason string
		seen   *observation
		want   []string
	}{
		{"all run the current template", healthy(3), nil},
		{"those that do not, in order, also where they are on their way out", mixed(), []string{"payments-0", "payments-2"}},
		{"there is no StatefulSet yet", with(mixed(), func(o *observation) { o.statefulSet = nil }), nil},
		{"what the StatefulSet's status calls current is not yet the template as it is now",
			with(mixed(), func(o *observation) { o.statefulSet.Generation++ }), nil},
		{"the StatefulSet controller has not looked at it at all",
			with(mixed(), func(o *observation) { o.statefulSet.Status.UpdateRevision = "" }), nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := names(outdated(test.seen)); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestNextToReplace(t *testing.T) {
	old := func(ordinal int) node { return nodeAt(ordinal, 7, "a", ofOldRevision) }
	fresh := func(ordinal int) node { return nodeAt(ordinal, 7, "a") }
	neverStarted := container(waiting("ImagePullBackOff", "no such image"))
	missing := func(from, to int) peering.Link { return peering.Link{From: from, To: to} }

	for _, test := range []struct {
		reason  string
		nodes   []node
		missing []peering.Link
		noChain bool // no node has ever told of a chain
		want    string
	}{
		{
			reason: "nothing to replace",
			nodes:  []node{fresh(0), fresh(1)},
		},
		{
			reason: "one at a time, from the first",
			nodes:  []node{old(0), old(1), old(2)},
			want:   "payments-0",
		},
		{
			reason: "the next when the one before is back",
			nodes:  []node{fresh(0), old(1), old(2)},
			want:   "payments-1",
		},
		{
			reason: "the only node: there is nobody to wait for",
			nodes:  []node{old(0)},
			want:   "payments-0",
		},

		{
			reason: "not while another has no pod",
			nodes:  []node{{problem: "it has no pod"}, old(1), old(2)},
		},
		{
			reason: "not while another is on its way out",
			nodes:  []node{silent(0, "its pod is being deleted", terminating), old(1), old(2)},
		},
		{
			reason: "not while another does not answer",
			nodes:  []node{silent(0, "it does not answer in time"), old(1), old(2)},
		},
		{
			reason: "not while another is behind: it may be the one with an empty chain",
			nodes:  []node{nodeAt(0, 0, "a"), old(1), old(2)},
		},
		{
			reason: "not while another is on a fork",
			nodes:  []node{nodeAt(0, 7, "b"), old(1), old(2)},
		},
		{
			reason: "not the one that alone has the best tip: the chain would be lost with it",
			nodes:  []node{nodeAt(0, 8, "a", ofOldRevision), fresh(1), fresh(2)},
		},
		{
			reason:  "not while a link is missing between others",
			nodes:   []node{old(0), fresh(1), fresh(2)},
			missing: []peering.Link{missing(2, 1)},
		},

		{
			reason:  "its own links need not stand",
			nodes:   []node{fresh(0), old(1), fresh(2)},
			missing: []peering.Link{missing(1, 0), missing(2, 1)},
			want:    "payments-1",
		},
		{
			reason:  "one that does not answer is first: that costs least",
			nodes:   []node{old(0), silent(1, "its RPC port is closed", ofOldRevision), old(2)},
			missing: []peering.Link{missing(1, 0), missing(2, 1)},
			want:    "payments-1",
		},
		{
			reason: "one that is behind itself has nothing that others lack",
			nodes:  []node{fresh(0), nodeAt(1, 3, "a", ofOldRevision), fresh(2)},
			want:   "payments-1",
		},
		{
			reason: "two that do not answer wait for each other, since either may have the better chain",
			nodes:  []node{fresh(0), silent(1, "its RPC port is closed", ofOldRevision), silent(2, "its RPC port is closed", ofOldRevision)},
		},

		{
			reason:  "one that never ran goes at once, though nothing else holds",
			nodes:   []node{old(0), {problem: "it has no pod"}, silent(2, "ImagePullBackOff", ofOldRevision, neverStarted)},
			missing: []peering.Link{missing(1, 0), missing(2, 0), missing(2, 1)},
			want:    "payments-2",
		},
		{
			reason: "a network that never came up heals from a bad image",
			nodes: []node{
				silent(0, "ImagePullBackOff", ofOldRevision, neverStarted),
				silent(1, "ImagePullBackOff", ofOldRevision, neverStarted),
			},
			want: "payments-0",
		},
		{
			reason: "one that never ran but has the current template stays",
			nodes:  []node{silent(0, "ContainerCreating", container(waiting("ContainerCreating", ""))), old(1)},
		},
		{
			reason: "what is on its way out need not be sent there again, also where the others hold",
			nodes:  []node{silent(0, "its pod is being deleted", ofOldRevision, terminating), fresh(1)},
		},
		{
			reason: "nor where it never ran",
			nodes: []node{
				silent(0, "its pod is being deleted", ofOldRevision, terminating, neverStarted),
				silent(1, "its pod is being deleted", ofOldRevision, terminating),
			},
		},
		{
			reason: "one that crashes has run, and may have a chain",
			nodes: []node{
				silent(0, "CrashLoopBackOff", ofOldRevision, container(waiting("CrashLoopBackOff", ""), func(status *corev1.ContainerStatus) {
					status.RestartCount = 3
					status.LastTerminationState = exited(1, "Error", "")
				})),
				{problem: "it has no pod"},
			},
		},
		{
			reason:  "where no node ever had a chain, one that crashes has none to lose",
			noChain: true,
			nodes: []node{
				silent(0, "CrashLoopBackOff", ofOldRevision, container(waiting("CrashLoopBackOff", ""), func(status *corev1.ContainerStatus) {
					status.RestartCount = 3
					status.LastTerminationState = exited(1, "Error", "")
				})),
				{problem: "it has no pod"},
			},
			want: "payments-0",
		},
		{
			reason:  "as soon as one answers there is a chain to keep",
			noChain: true,
			nodes:   []node{silent(0, "it does not answer in time", ofOldRevision), silent(1, "it does not answer in time"), fresh(2)},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := networkOf(int32(len(test.nodes)))
			if !test.noChain {
				network.Status.Height = new(int64(7))
			}
			got := ""
			if pod := nextToReplace(network, seenOf(test.nodes...), planOf(len(test.nodes), test.missing...)); pod != nil {
				got = pod.Name
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestNothingIsReplacedByAnOldStatus(t *testing.T) {
	seen := seenOf(nodeAt(0, 7, "a", ofOldRevision))
	seen.statefulSet.Generation++
	if pod := nextToReplace(networkOf(1), seen, planOf(1)); pod != nil {
		t.Errorf("would replace %s", pod.Name)
	}
}
