package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

func TestNextLook(t *testing.T) {
	steady := SatisfyAll(BeNumerically(">=", steadyInterval*9/10), BeNumerically("<=", steadyInterval*11/10))
	toDo := func(s situation) situation {
		s.plan.Changes = map[int]peering.Change{2: {Dial: []string{"payments-1"}}}
		return s
	}
	twoSilent := oneSilent()
	twoSilent.seen.nodes[2] = silent(2, closed)
	noPod := ready(3)
	noPod.seen.nodes[1] = node{problem: "it has no pod"}

	pulling := ready(3)
	pulling.seen.nodes[1] = silent(1, "ContainerCreating", container(waiting("ContainerCreating", "")))

	for _, test := range []struct {
		reason    string
		situation situation
		failures  []int // by ordinal
		want      OmegaMatcher
	}{
		{"nothing calls for it: the net below the watches, not at the same moment for all", ready(3), nil, steady},
		{"a parked network", parked(), nil, steady},
		{"a link can be made", toDo(linkMissing()), nil, Equal(settlingInterval)},
		{"a link is missing to a node that does not answer, which is all there is to wait for", oneSilent(), []int{0, 1}, Equal(firstWait)},
		{"as long as it should be left alone", oneSilent(), []int{0, 4}, Equal(8 * time.Second)},
		{"the one that may be asked first", twoSilent, []int{0, 2, 5}, Equal(2 * time.Second)},
		{"while the others do not wait for it", toDo(oneSilent()), []int{0, 4}, Equal(settlingInterval)},
		{"never less often than a steady one", oneSilent(), []int{0, 10}, steady},
		{"a node that has no pod: the watch tells when it has", noPod, nil, steady},
		{"a pod that starts: the watch tells when it runs", pulling, nil, steady},
		{"a node waits to be replaced until a tip has caught up", rolling(), nil, Equal(rollingInterval)},
		{"the Secret is missing", withoutCredentials(v1alpha1.SecretNotFoundReason), nil, Equal(credentialsInterval)},
		{"the Secret cannot be watched, if it may not be read", withoutCredentials(v1alpha1.SecretForbiddenReason), nil, Equal(credentialsInterval)},
	} {
		t.Run(test.reason, func(t *testing.T) {
			memory := newMemory()
			memory.patience = patienceAt(newClock())
			for ordinal, failures := range test.failures {
				for range failures {
					memory.patience.failed(runningPod(ordinal), closed)
				}
			}
			NewWithT(t).Expect((&Reconciler{Clock: newClock()}).nextLook(test.situation.network, test.situation.seen, test.situation.plan, deeds{}, memory)).To(test.want)
		})
	}
}
