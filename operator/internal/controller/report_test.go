package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
)

// situation is what report has to go by.
type situation struct {
	network *v1alpha1.BitcoinNetwork
	seen    *observation
	plan    peering.Plan
	failure error
}

// report reports what was seen, tips compared.
func (s situation) report() *v1alpha1.BitcoinNetwork {
	s.seen.branches = branches(s.seen)
	report(s.network, platform, s.seen, s.plan, s.failure)
	return s.network
}

// Situations that several tests speak of.
func ready(nodes int) situation {
	return situation{network: networkOf(int32(nodes)), seen: healthy(nodes), plan: planOf(nodes)}
}

func starting() situation {
	seen := seenOf(node{problem: "it has no pod"}, node{problem: "it has no pod"}, node{problem: "it has no pod"})
	return situation{network: networkOf(3), seen: seen, plan: planOf(3, peering.Links(3, peering.MaxDegree)...)}
}

func oneSilent() situation {
	s := ready(3)
	s.seen.nodes[1] = silent(1, "its RPC port is closed")
	s.plan = planOf(3, peering.Link{From: 1, To: 0}, peering.Link{From: 2, To: 1})
	return s
}

func linkMissing() situation {
	s := ready(3)
	s.plan = planOf(3, peering.Link{From: 2, To: 1})
	return s
}

func withoutCredentials(reason string) situation {
	return situation{
		network: networkOf(3), seen: unfit(reason, "what is wrong with the Secret", 3),
		plan: planOf(3, peering.Links(3, peering.MaxDegree)...),
	}
}

func rolling() situation {
	s := ready(3)
	ofOldRevision(s.seen.nodes[0].pod)
	ofOldRevision(s.seen.nodes[2].pod)
	return s
}

func notTakenUp() situation {
	s := ready(3)
	s.seen.statefulSet.Generation++
	return s
}

func parked() situation { return ready(0) }

func failing(err error) situation {
	s := ready(3)
	s.failure = err
	return s
}

func conflicting() situation {
	return failing(fmt.Errorf("apply: %w", &conflict{kind: "Service", name: "payments"}))
}

// on makes a situation one of a network that had this status before.
func (s situation) on(before *v1alpha1.BitcoinNetwork) situation {
	s.network.Generation = before.Generation
	s.network.Status = *before.Status.DeepCopy()
	return s
}

// edited is a network whose spec has changed since its status was written.
func edited(network *v1alpha1.BitcoinNetwork) *v1alpha1.BitcoinNetwork {
	network.Generation++
	return network
}

// said returns a condition as "Status Reason: message".
func said(network *v1alpha1.BitcoinNetwork, name string) string {
	condition := conditions.Get(network, name)
	if condition == nil {
		return ""
	}
	return fmt.Sprintf("%s %s: %s", condition.Status, condition.Reason, condition.Message)
}

func TestConditions(t *testing.T) {
	withDefaults := ready(2)
	withDefaults.network.Spec.Secret = ""

	many := situation{network: networkOf(7), seen: seenOf(make([]node, 7)...), plan: planOf(7, peering.Links(7, peering.MaxDegree)...)}
	for ordinal := range many.seen.nodes {
		many.seen.nodes[ordinal] = silent(ordinal, "its pod is starting")
	}

	split := ready(3)
	split.plan = planOf(3, peering.Link{From: 1, To: 0}, peering.Link{From: 2, To: 1})
	split.plan.Parts = [][]int{{0, 2}, {1}}

	splitAndSilent := oneSilent()
	splitAndSilent.plan.Parts = [][]int{{0}, {2}}

	behind := ready(3)
	behind.seen.nodes[2] = nodeAt(2, 3, "a")
	forked := ready(3)
	forked.seen.nodes[2] = nodeAt(2, 9, "b")

	oneBehind := ready(3)
	oneBehind.seen.nodes[2] = nodeAt(2, 6, "a")

	lateForNothing := withoutCredentials(v1alpha1.SecretNotFoundReason)
	lateForNothing.network, lateForNothing.seen.nodes, lateForNothing.plan = networkOf(0), nil, planOf(0)

	for _, test := range []struct {
		reason    string
		situation situation
		condition string
		want      string
	}{
		{"a Secret that was read is named", ready(3), v1alpha1.CredentialsReadyCondition,
			`True SecretRead: Secret "bitcoin-rpc" was read`},
		{"default credentials are usable, and said to be known to all", withDefaults, v1alpha1.CredentialsReadyCondition,
			"True DefaultCredentials: the nodes use the well-known credentials, since spec.secret is not set: anybody who reaches them can use them"},
		{"what is wrong with the Secret is said as it was found", withoutCredentials(v1alpha1.SecretIncompleteReason), v1alpha1.CredentialsReadyCondition,
			"False SecretIncomplete: what is wrong with the Secret"},

		{"all nodes answer", ready(3), v1alpha1.NodesReadyCondition,
			"True NodesAnswer: 3 nodes answer RPC"},
		{"a node that does not is named, with its problem", oneSilent(), v1alpha1.NodesReadyCondition,
			"False NodesNotReady: 2 of 3 nodes answer RPC; payments-1: its RPC port is closed"},
		{"a message lists only so many nodes", many, v1alpha1.NodesReadyCondition,
			"False NodesNotReady: 0 of 7 nodes answer RPC; payments-0: its pod is starting; payments-1: its pod is starting; " +
				"payments-2: its pod is starting; payments-3: its pod is starting; payments-4: its pod is starting; and 2 more"},
		{"without credentials nothing is known of the nodes", withoutCredentials(v1alpha1.SecretNotFoundReason), v1alpha1.NodesReadyCondition,
			"Unknown WaitingForCredentials: without credentials the nodes cannot be asked"},
		{"that no nodes are there is known even so", lateForNothing, v1alpha1.NodesReadyCondition,
			"True NodesAnswer: 0 nodes answer RPC"},

		{"all links stand", ready(3), v1alpha1.PeersConnectedCondition,
			"True LinksConnected: 3 links connected, all that are planned"},
		{"links that do not stand are named", oneSilent(), v1alpha1.PeersConnectedCondition,
			"False LinksMissing: 1 of 3 links connected; missing: 1→0; 2→1"},
		{"a message lists only so many links", many, v1alpha1.PeersConnectedCondition,
			"False LinksMissing: 0 of 21 links connected; missing: 1→0; 2→0; 2→1; 3→0; 3→1; and 16 more"},
		{"nodes that all answer and do not reach each other are a split network", split, v1alpha1.PeersConnectedCondition,
			"False Split: the network is in 2 parts: nodes 0, 2; node 1; 1 of 3 links connected"},
		{"a silent node may well connect the others: that is no split", splitAndSilent, v1alpha1.PeersConnectedCondition,
			"False LinksMissing: 1 of 3 links connected; missing: 1→0; 2→1"},
		{"without credentials nothing is known of the links", withoutCredentials(v1alpha1.SecretNotFoundReason), v1alpha1.PeersConnectedCondition,
			"Unknown WaitingForCredentials: without credentials the nodes cannot be asked for their peers"},
		{"where no links are planned none is missing", lateForNothing, v1alpha1.PeersConnectedCondition,
			"True LinksConnected: no links are planned"},
		{"a lone node has nobody to link with", ready(1), v1alpha1.PeersConnectedCondition,
			"True LinksConnected: no links are planned"},

		{"equal tips agree; no height, which would make a write of every block", ready(3), v1alpha1.ChainsAgreeCondition,
			"True TipsEqual: the tips are equal or one block apart, on 3 nodes"},
		{"a node that has not heard of the last block agrees", oneBehind, v1alpha1.ChainsAgreeCondition,
			"True TipsEqual: the tips are equal or one block apart, on 3 nodes"},
		{"tips that differ are told, the highest first", forked, v1alpha1.ChainsAgreeCondition,
			"False Fork: nodes are on different chains; height 9 (b00009000000…): node 2; height 7 (a00007000000…): nodes 0, 1"},
		{"nodes that are behind on the same chain are told from a fork", behind, v1alpha1.ChainsAgreeCondition,
			"False Lagging: nodes are behind on one chain; height 7 (a00007000000…): nodes 0, 1; height 3 (a00003000000…): node 2"},
		{"those that answer are compared", oneSilent(), v1alpha1.ChainsAgreeCondition,
			"True TipsEqual: the tips are equal or one block apart, on 2 nodes"},
		{"where none answers there is nothing to compare", starting(), v1alpha1.ChainsAgreeCondition,
			"Unknown NoNodes: no node answers"},

		{"Ready sums up", ready(3), meta.ReadyCondition,
			"True Connected: 3 nodes answer RPC, 3 links connected"},
		{"a fork does not make a network less ready", forked, meta.ReadyCondition,
			"True Connected: 3 nodes answer RPC, 3 links connected"},
		{"credentials come first: without them the rest is not known", withoutCredentials(v1alpha1.SecretForbiddenReason), meta.ReadyCondition,
			"False SecretForbidden: what is wrong with the Secret"},
		{"nodes come before their links", oneSilent(), meta.ReadyCondition,
			"False NodesNotReady: 2 of 3 nodes answer RPC; payments-1: its RPC port is closed"},
		{"then links", linkMissing(), meta.ReadyCondition,
			"False LinksMissing: 2 of 3 links connected; missing: 2→1"},
		{"nodes that still run what was asked for before are not what is asked for", rolling(), meta.ReadyCondition,
			"False Rolling: replacing the nodes one at a time; 2 nodes to go"},
		{"nobody knows yet which nodes those are", notTakenUp(), meta.ReadyCondition,
			"False Rolling: the StatefulSet has changed; waiting for Kubernetes to take it up"},
		{"a network that asks for no nodes and has none is as it should be", parked(), meta.ReadyCondition,
			"True Parked: the network is parked: spec.nodes is 0"},
		{"a parked network, too, says that its Secret is missing", lateForNothing, meta.ReadyCondition,
			"False SecretNotFound: what is wrong with the Secret"},
		{"a failure is more than what was seen before it", failing(errors.New("evict pod payments-1: no")), meta.ReadyCondition,
			"False Failed: evict pod payments-1: no"},
		{"an object of somebody else's is told apart from other failures, with what to do", conflicting(), meta.ReadyCondition,
			`False Conflict: apply: Service "payments" exists and is not this network's; delete or rename it, or give the network another name`},
	} {
		t.Run(test.condition+": "+test.reason, func(t *testing.T) {
			if got := said(test.situation.report(), test.condition); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Of a network that is not Ready, Reconciling and Stalled say what to expect.
func TestProgress(t *testing.T) {
	const (
		progressing = "Reconciling Progressing"
		degraded    = "Reconciling Degraded"
	)
	wasReady := func() *v1alpha1.BitcoinNetwork { return ready(3).report() }
	wasDegraded := func() *v1alpha1.BitcoinNetwork { return oneSilent().on(wasReady()).report() }
	wasStalled := func() *v1alpha1.BitcoinNetwork { return conflicting().report() }

	for _, test := range []struct {
		reason    string
		situation situation
		want      string
	}{
		{"a network that is Ready needs neither", ready(3), ""},
		{"nor does a parked one", parked(), ""},
		{"what was never there is on its way", starting(), progressing},
		{"a Secret that is missing may come", withoutCredentials(v1alpha1.SecretNotFoundReason), progressing},
		{"a key may be added", withoutCredentials(v1alpha1.SecretIncompleteReason), progressing},
		{"no waiting makes a Secret fit", withoutCredentials(v1alpha1.SecretInvalidReason), "Stalled SecretInvalid"},
		{"nor lets the operator read it", withoutCredentials(v1alpha1.SecretForbiddenReason), "Stalled SecretForbidden"},
		{"nor takes somebody's object away", conflicting(), "Stalled Conflict"},
		{"other failures may pass", failing(errors.New("no")), progressing},

		{"what was there and is not has degraded", oneSilent().on(wasReady()), degraded},
		{"so has a network without its Secret", withoutCredentials(v1alpha1.SecretNotFoundReason).on(wasReady()), degraded},
		{"and one whose objects cannot be written", failing(errors.New("no")).on(wasReady()), degraded},
		{"it stays so while it is, whatever the problem is now", linkMissing().on(wasDegraded()), degraded},
		{"until it is Ready", ready(3).on(wasDegraded()), ""},
		{"and the next time is another time", oneSilent().on(ready(3).on(wasDegraded()).report()), degraded},
		{"what nobody asked for before cannot have been there", oneSilent().on(edited(wasReady())), progressing},
		{"what was degraded before it was edited is on its way to something else", oneSilent().on(edited(wasDegraded())), progressing},
		{"and stays on its way", oneSilent().on(oneSilent().on(edited(wasDegraded())).report()), progressing},

		{"a roll after an edit is progress", rolling().on(edited(wasReady())), progressing},
		{"and so is one that the platform's default image brings: nothing is lost", rolling().on(wasReady()), progressing},
		{"or the repair of what somebody changed by hand", notTakenUp().on(wasReady()), progressing},
		{"a node that is away in a roll is part of it", oneSilent().on(rolling().on(wasReady()).report()), progressing},

		{"somebody must act, however well it went before", withoutCredentials(v1alpha1.SecretInvalidReason).on(wasReady()), "Stalled SecretInvalid"},
		{"or however badly", conflicting().on(wasDegraded()), "Stalled Conflict"},
		{"what was in the way is gone", starting().on(wasStalled()), progressing},
		{"and all is well at once", ready(3).on(wasStalled()), ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := test.situation.report()
			var got []string
			for _, name := range []string{meta.ReconcilingCondition, meta.StalledCondition} {
				if condition := conditions.Get(network, name); condition != nil {
					got = append(got, name+" "+condition.Reason)
					if ready := conditions.GetMessage(network, meta.ReadyCondition); condition.Message != ready {
						t.Errorf("%s says %q, Ready says %q", name, condition.Message, ready)
					}
				}
			}
			if joined := strings.Join(got, ", "); joined != test.want {
				t.Errorf("got %q, want %q", joined, test.want)
			}
		})
	}
}

// everySituation has one of each.
func everySituation() map[string]func() situation {
	return map[string]func() situation{
		"ready":        func() situation { return ready(3) },
		"starting":     starting,
		"one silent":   oneSilent,
		"link missing": linkMissing,
		"rolling":      rolling,
		"not taken up": notTakenUp,
		"parked":       parked,
		"failing":      func() situation { return failing(errors.New("no")) },
		"conflicting":  conflicting,
		"no Secret":    func() situation { return withoutCredentials(v1alpha1.SecretNotFoundReason) },
		"bad Secret":   func() situation { return withoutCredentials(v1alpha1.SecretInvalidReason) },
	}
}

// Whatever a network's past, it reads to kstatus, and so to Flux, as just one of
// current, in progress and failed, and never as "not looked at yet".
func TestReportIsUnderstoodByKstatus(t *testing.T) {
	for pastName, past := range everySituation() {
		for nowName, now := range everySituation() {
			for _, change := range []func(*v1alpha1.BitcoinNetwork) *v1alpha1.BitcoinNetwork{
				func(network *v1alpha1.BitcoinNetwork) *v1alpha1.BitcoinNetwork { return network },
				edited,
			} {
				network := now().on(change(past().report())).report()
				g := NewWithT(t)
				at := fmt.Sprintf("%s, then %s, generation %d", pastName, nowName, network.Generation)
				g.Expect(network.Status.ObservedGeneration).To(Equal(network.Generation), at)

				states := 0
				for _, name := range []string{meta.ReadyCondition, meta.ReconcilingCondition, meta.StalledCondition} {
					if conditions.IsTrue(network, name) {
						states++
					}
				}
				g.Expect(states).To(Equal(1), "%s: just one of Ready, Reconciling and Stalled is True", at)
				g.Expect(conditions.Has(network, meta.ReadyCondition)).To(BeTrue(), at)
				for _, condition := range network.Status.Conditions {
					g.Expect(condition.ObservedGeneration).To(Equal(network.Generation), "%s: %s", at, condition.Type)
					g.Expect(condition.Reason).NotTo(BeEmpty(), "%s: %s", at, condition.Type)
					if condition.Type == meta.ReconcilingCondition || condition.Type == meta.StalledCondition {
						g.Expect(condition.Status).To(Equal(metav1.ConditionTrue), "%s: %s is there only while it is True", at, condition.Type)
					}
				}
			}
		}
	}
}

// A steady network costs no writes, whatever state it is in.
func TestReportIsQuiet(t *testing.T) {
	for name, now := range everySituation() {
		t.Run(name, func(t *testing.T) {
			first := now().report()
			second := now().on(first).report()
			if diff := cmp.Diff(first.Status, second.Status); diff != "" {
				t.Errorf("the second report of the same differs (-first +second):\n%s", diff)
			}
		})
	}
}

func TestReportTouchesOnlyTheStatus(t *testing.T) {
	for name, now := range everySituation() {
		t.Run(name, func(t *testing.T) {
			s := now()
			before := s.network.DeepCopy()
			after := s.report().DeepCopy()
			after.Status = before.Status
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("report changed more than the status:\n%s", diff)
			}
		})
	}
}

func TestReportOfNodes(t *testing.T) {
	g := NewWithT(t)
	s := oneSilent()
	s.seen.nodes[2] = node{problem: "it has no pod"}
	s.seen.statefulSet.Status.Replicas = 2
	status := s.report().Status

	g.Expect(status.Nodes).To(Equal([]v1alpha1.NodeStatus{
		{Ordinal: 0, Ready: true, IP: "10.0.0.0", NodeName: "machine-a", DNSName: "payments-0.payments.team-a.svc.cluster.local"},
		{Ordinal: 1, Ready: false, IP: "10.0.0.1", NodeName: "machine-a", DNSName: "payments-1.payments.team-a.svc.cluster.local"},
		{Ordinal: 2, Ready: false, DNSName: "payments-2.payments.team-a.svc.cluster.local"},
	}))
	g.Expect(status.Ready).To(Equal("1/3"))
	g.Expect(*status.Links).To(Equal(v1alpha1.LinksStatus{Planned: 3, Connected: 1, Summary: "1/3"}))
	g.Expect(status.Replicas).To(BeEquivalentTo(2), "the scale subresource counts pods, not wishes")
	g.Expect(status.Selector).To(Equal("bitcoin-operator.github.io/network=payments"))
	g.Expect(status.Image).To(Equal(platform.DefaultImage))
}

func TestReportOfNoNodes(t *testing.T) {
	g := NewWithT(t)
	s := parked().on(ready(3).report())
	s.seen.statefulSet = nil
	status := s.report().Status
	g.Expect(status.Nodes).To(BeEmpty())
	g.Expect(status.Ready).To(Equal("0/0"))
	g.Expect(*status.Links).To(Equal(v1alpha1.LinksStatus{Summary: "0/0"}))
	g.Expect(status.Replicas).To(BeZero())
}

func TestReportOfTheNetworksOwnImage(t *testing.T) {
	s := ready(1)
	s.network.Spec.Image = "registry.example/bitcoind:29"
	NewWithT(t).Expect(s.report().Status.Image).To(Equal("registry.example/bitcoind:29"))
}

// Clients go by this: while it says Rotating they must use the previous password, and
// once it says Rotated they may use either.
func TestPasswordChangeIsReportedAsOne(t *testing.T) {
	s := ready(3)
	s.seen.pairs = []bitcoind.Credentials{bob, alice}
	s.seen.pairsSince = newClock().Now()
	for ordinal := range s.seen.nodes {
		s.seen.nodes[ordinal].stale = true // and its container is older
	}
	takesBoth := func(ordinal int) func(nodes []node) {
		return func(nodes []node) { nodes[ordinal] = nodeAt(ordinal, 7, "a") }
	}
	const rotating = "True Rotating: Secret \"bitcoin-rpc\" has new credentials, which %d of 3 nodes take; go on using the previous ones until all do"
	for _, step := range []struct {
		reason string
		change func(nodes []node)
		want   string
	}{
		{"it begins", func([]node) {}, fmt.Sprintf(rotating, 0)},
		{"a node was replaced", takesBoth(0), fmt.Sprintf(rotating, 1)},
		{"another was", takesBoth(1), fmt.Sprintf(rotating, 2)},
		{"the last one is gone and not back: it takes neither", func(nodes []node) { nodes[2] = node{problem: "it has no pod"} }, fmt.Sprintf(rotating, 2)},
		{"nor while it starts", func(nodes []node) { nodes[2] = silent(2, isStarting) }, fmt.Sprintf(rotating, 2)},
		{"all take both", takesBoth(2), `True Rotated: Secret "bitcoin-rpc" was read, and every node takes the new credentials and the previous ones: ` +
			"have all clients use the new ones, then drop BC_RPC_USER_PREVIOUS and BC_RPC_PASSWORD_PREVIOUS"},
	} {
		step.change(s.seen.nodes)
		if diff := cmp.Diff(step.want, said(s.report(), v1alpha1.CredentialsReadyCondition)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.reason, diff)
		}
	}
	s.seen.nodes[1] = silent(1, closed)
	if got := conditions.GetReason(s.report(), v1alpha1.CredentialsReadyCondition); got != v1alpha1.RotatedReason {
		t.Errorf("a node that fails later has taken both all the same: %s", got)
	}
	s.seen.nodes[1] = nodeAt(1, 7, "a", func(pod *corev1.Pod) {
		pod.CreationTimestamp.Time = s.seen.pairsSince.Add(time.Second)
		pod.Status.ContainerStatuses[0].State.Running.StartedAt = pod.CreationTimestamp
	})
	s.seen.nodes[1].stale = true
	if got := conditions.GetMessage(s.report(), v1alpha1.CredentialsReadyCondition); !strings.HasPrefix(got, "1 of 3 nodes started with what is in Secret \"bitcoin-rpc\" and do not take all of it") {
		t.Errorf("an image that knows of one pair alone is not waited for: %s", got)
	}
}
