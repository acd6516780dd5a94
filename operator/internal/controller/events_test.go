package controller

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// eventTexts returns the events of a change as the API server has them: "Type
// Reason message".
func eventTexts(before, after *v1alpha1.BitcoinNetwork, created bool) []string {
	var texts []string
	for _, event := range eventsOf(before, after, deeds{created: created}) {
		texts = append(texts, event.kind+" "+event.reason+" "+event.message)
	}
	return texts
}

func TestEvents(t *testing.T) {
	withMessage := func(s situation, message string) situation {
		s.seen.unfit.Message = message
		return s
	}
	withDefaults := ready(3)
	withDefaults.network.Spec.Secret = ""
	forked := ready(3)
	forked.seen.nodes[2] = nodeAt(2, 9, "b")
	forkedStill := ready(3)
	forkedStill.seen.nodes[2] = nodeAt(2, 10, "b")
	behind := ready(3)
	behind.seen.nodes[2] = nodeAt(2, 3, "a")
	alone := ready(1)
	alone.seen.nodes[0].pod.Labels[appsv1.ControllerRevisionHashLabelKey] = oldRevision
	otherSilent := oneSilent()
	otherSilent.seen.nodes[1].problem = "it does not answer in time"
	otherConflict := failing(&conflict{kind: "ConfigMap", name: "payments"})
	allSilent := ready(3)
	for ordinal := range allSilent.seen.nodes {
		allSilent.seen.nodes[ordinal] = silent(ordinal, "its pod is starting")
	}

	const (
		secretRead  = `Normal SecretRead Secret "bitcoin-rpc" was read`
		allIsWell   = "3 nodes answer RPC, 3 links connected"
		silentNode  = "2 of 3 nodes answer RPC; payments-1: its RPC port is closed"
		fork        = "nodes are on different chains; height 9 (b00009000000…): node 2; height 7 (a00007000000…): nodes 0, 1"
		agreement   = "Normal TipsEqual the fork is gone: the tips are equal or one block apart, on 3 nodes"
		chainIsGone = "Warning Parked the network has no nodes now, and its chain is gone with them, since they have no volumes"
	)

	for _, test := range []struct {
		reason  string
		before  *v1alpha1.BitcoinNetwork
		now     situation
		created bool
		want    []string
	}{
		{
			reason: "a network is created, with the Secret there", created: true,
			before: networkOf(3), now: starting(),
			want: []string{"Normal Created created the network with 3 nodes on regtest", secretRead},
		},
		{
			reason: "a network that cannot be created is not scaled, and why is told",
			before: networkOf(3), now: failing(errors.New("apply StatefulSet payments: no")),
			want: []string{secretRead, "Warning Failed apply StatefulSet payments: no"},
		},
		{
			reason: "one node is told in the singular", created: true,
			before: ready(1).report(), now: ready(1),
			want: []string{"Normal Created created the network with 1 node on regtest"},
		},
		{
			reason: "it comes up",
			before: starting().report(), now: ready(3),
			want: []string{"Normal Connected " + allIsWell},
		},
		{
			reason: "it is not told what it lacks while it comes up: its conditions say that",
			before: starting().report(), now: linkMissing(),
		},
		{
			reason: "default credentials are a warning", created: true,
			before: networkOf(3), now: withDefaults,
			want: []string{
				"Normal Created created the network with 3 nodes on regtest",
				"Warning DefaultCredentials the nodes use the well-known credentials, since spec.secret is not set: anybody who reaches them can use them",
				"Normal Connected " + allIsWell,
			},
		},

		{
			reason: "the Secret is missing from the start",
			before: networkOf(3), now: withoutCredentials(v1alpha1.SecretNotFoundReason),
			want: []string{"Warning SecretNotFound what is wrong with the Secret"},
		},
		{
			reason: "the Secret comes, and with it the network",
			before: withoutCredentials(v1alpha1.SecretNotFoundReason).report(), now: starting(), created: true,
			want: []string{"Normal Created created the network with 3 nodes on regtest", secretRead},
		},
		{
			reason: "what is wrong with the Secret is another thing now",
			before: withoutCredentials(v1alpha1.SecretNotFoundReason).report(), now: withoutCredentials(v1alpha1.SecretInvalidReason),
			want: []string{"Warning SecretInvalid what is wrong with the Secret"},
		},
		{
			reason: "the SealedSecret's own error comes later than the news that there is no Secret",
			before: withoutCredentials(v1alpha1.SecretNotFoundReason).report(),
			now:    withMessage(withoutCredentials(v1alpha1.SecretNotFoundReason), "no key could decrypt it"),
			want:   []string{"Warning SecretNotFound no key could decrypt it"},
		},
		{
			reason: "the Secret vanishes under a running network",
			before: ready(3).report(), now: withoutCredentials(v1alpha1.SecretNotFoundReason),
			want: []string{
				"Warning SecretNotFound what is wrong with the Secret",
				"Warning Degraded what is wrong with the Secret",
			},
		},

		{
			reason: "a node falls silent",
			before: ready(3).report(), now: oneSilent(),
			want: []string{"Warning Degraded " + silentNode},
		},
		{
			reason: "and is silent for another reason, which is the same trouble",
			before: oneSilent().on(ready(3).report()).report(), now: otherSilent,
		},
		{
			reason: "and answers again",
			before: oneSilent().on(ready(3).report()).report(), now: ready(3),
			want: []string{"Normal Recovered " + allIsWell},
		},
		{
			reason: "links break",
			before: ready(3).report(), now: linkMissing(),
			want: []string{"Warning Degraded 2 of 3 links connected; missing: 2→1"},
		},
		{
			reason: "objects cannot be written any more",
			before: ready(3).report(), now: failing(errors.New("evict pod payments-1: no")),
			want: []string{"Warning Degraded evict pod payments-1: no"},
		},

		{
			reason: "an object is somebody else's",
			before: starting().report(), now: conflicting(),
			want: []string{`Warning Conflict apply: Service "payments" exists and is not this network's; delete or rename it, or give the network another name`},
		},
		{
			reason: "and so is the next",
			before: conflicting().report(), now: otherConflict,
			want: []string{`Warning Conflict ConfigMap "payments" exists and is not this network's; delete or rename it, or give the network another name`},
		},

		{
			reason: "the network grows",
			before: ready(2).report(), now: starting().on(edited(ready(2).report())),
			want: []string{"Normal Scaled scaled from 2 nodes to 3"},
		},
		{
			reason: "the network shrinks",
			before: ready(4).report(), now: ready(3).on(edited(ready(4).report())),
			want: []string{"Normal Scaled scaled from 4 nodes to 3"},
		},
		{
			reason: "the network is parked: one warning tells what that costs",
			before: ready(3).report(), now: parked().on(edited(ready(3).report())),
			want: []string{"Normal Scaled scaled from 3 nodes to 0", chainIsGone},
		},
		{
			reason: "a network that is not well is parked, which makes it no better",
			before: oneSilent().on(ready(3).report()).report(), now: parked(),
			want: []string{"Normal Scaled scaled from 3 nodes to 0", chainIsGone},
		},
		{
			reason: "a network without its Secret is left as it is, whatever it asks for: its nodes still run, their chain is there",
			before: withoutCredentials(v1alpha1.SecretNotFoundReason).report(),
			now:    situation{network: edited(networkOf(0)), seen: unfit(v1alpha1.SecretNotFoundReason, "what is wrong with the Secret", 0), plan: planOf(0)},
		},
		{
			reason: "a network is created parked", created: true,
			before: networkOf(0), now: parked(),
			want: []string{
				"Normal Created created the network with 0 nodes on regtest", secretRead,
				"Normal Parked the network is parked: spec.nodes is 0",
			},
		},
		{
			reason: "the network is there again",
			before: parked().report(), now: starting().on(edited(parked().report())),
			want: []string{"Normal Scaled scaled from 0 nodes to 3"},
		},

		{
			reason: "a roll is nothing to warn of",
			before: ready(3).report(), now: rolling(),
			want: []string{"Normal Rolling replacing the nodes one at a time; 2 nodes to go"},
		},
		{
			reason: "but for the only node of a network without volumes",
			before: ready(1).report(), now: alone,
			want: []string{
				"Normal Rolling replacing the nodes one at a time; 1 node to go",
				"Warning ChainLost the only node is being replaced and has no volume: its chain goes with it",
			},
		},
		{
			reason: "nor is a node that is away in it",
			before: rolling().on(ready(3).report()).report(), now: oneSilent(),
		},
		{
			reason: "a roll ends",
			before: oneSilent().on(rolling().on(ready(3).report()).report()).report(), now: ready(3),
			want: []string{"Normal Connected " + allIsWell},
		},

		{
			reason: "nodes are on different tips",
			before: ready(3).report(), now: forked,
			want: []string{"Warning Fork " + fork},
		},
		{
			reason: "and still are, further along",
			before: forked.on(ready(3).report()).report(), now: forkedStill,
		},
		{
			reason: "and agree again",
			before: forked.on(ready(3).report()).report(), now: ready(3),
			want: []string{agreement},
		},
		{
			reason: "that a node is behind on the same chain is not worth a warning",
			before: ready(3).report(), now: behind,
		},
		{
			reason: "that none answers is no agreement",
			before: forked.on(ready(3).report()).report(), now: allSilent,
			want: []string{"Warning Degraded 0 of 3 nodes answer RPC; payments-0: its pod is starting; payments-1: its pod is starting; payments-2: its pod is starting"},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if test.now.network.Generation == test.before.Generation {
				test.now = test.now.on(test.before)
			} else {
				test.now.network.Status = *test.before.Status.DeepCopy()
			}
			after := test.now.report()
			if diff := cmp.Diff(test.want, eventTexts(test.before, after, test.created)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStrangersAreTold(t *testing.T) {
	plan := peering.Plan{Changes: map[int]peering.Change{
		2: {Dial: []string{dialName(0)}},
		1: {Disconnect: []int32{4, 5}, Strangers: []string{"team-b.lightning.0", "team-b.lightning.2"}},
		0: {Disconnect: []int32{7}}, // a silent one
	}}
	want := []event{{"Warning", "Stranger", "disconnected payments-1 from nodes of another network: team-b.lightning.0; team-b.lightning.2"}}
	if got := strangerEvents(networkOf(3), plan); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
