package status

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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestConditions(t *testing.T) {
	withDefaults := wellConnected(2)
	withDefaults.network.Spec.Secret = ""

	many := wellConnected(7)
	for ordinal := range many.seen.Nodes {
		many.seen.Nodes[ordinal] = statetest.Silent(ordinal, isStarting)
	}
	many.todo.Links = statetest.Links(7, peering.Links(7, peering.MaxDegree)...)

	split := wellConnected(3)
	split.todo.Links = statetest.Links(3, peering.Link{From: 1, To: 0}, peering.Link{From: 2, To: 1})
	split.todo.Links.Parts = [][]int{{0, 2}, {1}}

	splitAndSilent := oneSilent()
	splitAndSilent.todo.Links.Parts = [][]int{{0}, {2}}

	behind := wellConnected(3)
	behind.seen.Nodes[2] = statetest.NodeAt(2, 3, "a")
	forked := wellConnected(3)
	forked.seen.Nodes[2] = statetest.NodeAt(2, 9, "b")

	oneBehind := wellConnected(3)
	oneBehind.seen.Nodes[2] = statetest.NodeAt(2, 6, "a")

	lateForNothing := withoutCredentials(v1alpha1.SecretNotFoundReason)
	lateForNothing.network, lateForNothing.todo = statetest.Network(0), plan.Plan{Links: statetest.Links(0)}
	lateForNothing.seen.Wanted, lateForNothing.seen.Nodes = 0, nil

	lateForKept := withoutCredentials(v1alpha1.SecretNotFoundReason)
	lateForKept.network, lateForKept.todo = statetest.Network(0), plan.Plan{Links: statetest.Links(0)}
	lateForKept.seen.Wanted, lateForKept.seen.Nodes, lateForKept.network.Status.Height = 0, nil, new(int64(7))

	known := wellConnected(3)
	known.network.Status.Height = new(int64(7))

	uncounted := wellConnected(3)
	uncounted.seen.StatefulSet.Spec.Replicas = nil

	lateForMuch := withoutCredentials(v1alpha1.SecretNotFoundReason)
	lateForMuch.network.Status.Height = new(int64(7))

	crashing := wellConnected(2)
	crashing.seen.Nodes[1] = statetest.Silent(1, "it crashes", statetest.Crashed)
	crashingSince := wellConnected(2)
	crashingSince.seen.Nodes[1] = statetest.Silent(1, "it crashes", statetest.Crashed, statetest.OfOldRevision)
	startingSince := wellConnected(2)
	startingSince.seen.Nodes[1] = statetest.Silent(1, isStarting, statetest.OfOldRevision, statetest.Terminating)

	twoDown := returning().with(isDown(2))

	configured := func(s situation, lines ...v1alpha1.ConfigLine) situation {
		s.network = s.network.DeepCopy()
		s.network.Spec.Config = lines
		return s
	}

	for _, test := range []struct {
		reason    string
		situation situation
		condition string
		want      string
	}{
		{"a Secret that was read is named", wellConnected(3), v1alpha1.CredentialsReadyCondition,
			`True SecretRead: Secret "bitcoin-rpc" was read`},
		{"default credentials are usable, and said to be known to all", withDefaults, v1alpha1.CredentialsReadyCondition,
			"True DefaultCredentials: spec.secret is not set, so the nodes use the default credentials: anyone who can reach them can log in"},
		{"what is wrong with the Secret is said as it was found", withoutCredentials(v1alpha1.SecretIncompleteReason), v1alpha1.CredentialsReadyCondition,
			"False SecretIncomplete: what is wrong with the Secret"},
		{"whoever sees it wants to know that nothing stops", lateForMuch, v1alpha1.CredentialsReadyCondition,
			"False SecretNotFound: what is wrong with the Secret; running nodes are left untouched"},
		{"where none run there is none to stop", lateForKept, v1alpha1.CredentialsReadyCondition,
			"False SecretNotFound: what is wrong with the Secret"},
		{"nor is that worth a word where nothing is wrong", known, v1alpha1.CredentialsReadyCondition,
			`True SecretRead: Secret "bitcoin-rpc" was read`},

		{"all nodes answer", wellConnected(3), v1alpha1.NodesReadyCondition,
			"True NodesAnswer: 3 nodes answer RPC"},
		{"a node that does not is named, with its problem", oneSilent(), v1alpha1.NodesReadyCondition,
			"False NodesNotReady: 2 of 3 nodes answer RPC; payments-1: its RPC port refuses connections"},
		{"a message lists only so many nodes", many, v1alpha1.NodesReadyCondition,
			"False NodesNotReady: 0 of 7 nodes answer RPC; payments-0: its pod is starting; payments-1: its pod is starting; " +
				"payments-2: its pod is starting; payments-3: its pod is starting; payments-4: its pod is starting; and 2 more"},
		{"without credentials nothing is known of the nodes", withoutCredentials(v1alpha1.SecretNotFoundReason), v1alpha1.NodesReadyCondition,
			"Unknown WaitingForCredentials: the nodes cannot be queried without credentials"},
		{"that no nodes are there is known even so", lateForNothing, v1alpha1.NodesReadyCondition,
			"True NodesAnswer: 0 nodes answer RPC"},
		{"a pod that is as it should be has a problem of its own", crashing, v1alpha1.NodesReadyCondition,
			"False NodesNotReady: 1 of 2 nodes answer RPC; payments-1: it crashes"},
		{"what is wrong with a pod from before the last change may have been mended by it", crashingSince, v1alpha1.NodesReadyCondition,
			"False NodesNotReady: 1 of 2 nodes answer RPC; payments-1: it crashes; its pod predates the last change and is waiting to be replaced"},
		{"nothing is wrong with one that is on its way out", startingSince, v1alpha1.NodesReadyCondition,
			"False NodesNotReady: 1 of 2 nodes answer RPC; payments-1: its pod is starting"},

		{"all links stand", wellConnected(3), v1alpha1.PeersConnectedCondition,
			"True LinksConnected: all 3 planned links are connected"},
		{"one link is all there is", wellConnected(2), v1alpha1.PeersConnectedCondition,
			"True LinksConnected: the planned link is connected"},
		{"links that do not stand are named", oneSilent(), v1alpha1.PeersConnectedCondition,
			"False LinksMissing: 1 of 3 links connected; missing: 1→0; 2→1"},
		{"a message lists only so many links", many, v1alpha1.PeersConnectedCondition,
			"False LinksMissing: 0 of 21 links connected; missing: 1→0; 2→0; 2→1; 3→0; 3→1; and 16 more"},
		{"nodes that all answer and do not reach each other are a split network", split, v1alpha1.PeersConnectedCondition,
			"False Split: the network is split into 2 parts: nodes 0, 2; node 1; 1 of 3 links connected"},
		{"what may be why is named, as it is refused by now", configured(split, "txindex=1", "maxconnections=8", "dns=0"), v1alpha1.PeersConnectedCondition,
			"False Split: the network is split into 2 parts: nodes 0, 2; node 1; 1 of 3 links connected; these lines of spec.config may keep nodes apart: maxconnections=8; dns=0"},
		{"so it is where a link does not stand", configured(linkMissing(), "maxconnections=8"), v1alpha1.PeersConnectedCondition,
			"False LinksMissing: 2 of 3 links connected; missing: 2→1; these lines of spec.config may keep nodes apart: maxconnections=8"},
		{"and not where all is well", configured(wellConnected(3), "maxconnections=20"), v1alpha1.PeersConnectedCondition,
			"True LinksConnected: all 3 planned links are connected"},
		{"a silent node may well connect the others: that is no split", splitAndSilent, v1alpha1.PeersConnectedCondition,
			"False LinksMissing: 1 of 3 links connected; missing: 1→0; 2→1"},
		{"nobody asks for the links of a node that is there for a while longer", shrinking(), v1alpha1.PeersConnectedCondition,
			"True LinksConnected: the planned link is connected"},
		{"without credentials nothing is known of the links", withoutCredentials(v1alpha1.SecretNotFoundReason), v1alpha1.PeersConnectedCondition,
			"Unknown WaitingForCredentials: the nodes' peers cannot be queried without credentials"},
		{"where no links are planned none is missing", lateForNothing, v1alpha1.PeersConnectedCondition,
			"True LinksConnected: no links are planned"},
		{"a lone node has nobody to link with", wellConnected(1), v1alpha1.PeersConnectedCondition,
			"True LinksConnected: no links are planned"},

		{"equal tips agree; no height, which would make a write of every block", wellConnected(3), v1alpha1.ChainsAgreeCondition,
			"True TipsEqual: the tips of 3 nodes are equal or one block apart"},
		{"a node that has not heard of the last block agrees", oneBehind, v1alpha1.ChainsAgreeCondition,
			"True TipsEqual: the tips of 3 nodes are equal or one block apart"},
		{"tips that differ are told, the highest first", forked, v1alpha1.ChainsAgreeCondition,
			"False Fork: nodes are on different chains; height 9 (b00009000000…): node 2; height 7 (a00007000000…): nodes 0, 1"},
		{"nodes that are behind on the same chain are told from a fork", behind, v1alpha1.ChainsAgreeCondition,
			"False Lagging: some nodes lag behind on the same chain; height 7 (a00007000000…): nodes 0, 1; height 3 (a00003000000…): node 2"},
		{"those that answer are compared", oneSilent(), v1alpha1.ChainsAgreeCondition,
			"True TipsEqual: the tips of 2 nodes are equal or one block apart"},
		{"where none answers there is nothing to compare", starting(), v1alpha1.ChainsAgreeCondition,
			"Unknown NoNodes: no node answers"},

		{"Ready sums up", wellConnected(3), meta.ReadyCondition,
			"True Connected: 3 nodes answer RPC, 3 links connected"},
		{"a fork does not make a network less ready", forked, meta.ReadyCondition,
			"True Connected: 3 nodes answer RPC, 3 links connected"},
		{"credentials come first: without them the rest is not known", withoutCredentials(v1alpha1.SecretForbiddenReason), meta.ReadyCondition,
			"False SecretForbidden: what is wrong with the Secret"},
		{"nodes come before their links", oneSilent(), meta.ReadyCondition,
			"False NodesNotReady: 2 of 3 nodes answer RPC; payments-1: its RPC port refuses connections"},
		{"then links", linkMissing(), meta.ReadyCondition,
			"False LinksMissing: 2 of 3 links connected; missing: 2→1"},
		{"nodes that still run what was asked for before are not what is asked for", rolling(), meta.ReadyCondition,
			"False Rolling: restarting or replacing the nodes one at a time; 2 nodes to go"},
		{"nobody knows yet which nodes those are", unobserved(), meta.ReadyCondition,
			"False Rolling: waiting for the StatefulSet controller to observe the new pod template"},
		{"a node that was taken down is not there for clients yet, though it answers", returning(), meta.ReadyCondition,
			"False Rolling: waiting for payments-1 to serve"},
		{"of two the first is named", twoDown, meta.ReadyCondition,
			"False Rolling: waiting for payments-1 to serve"},
		{"nobody waits for a node while others are still to go", rolling().with(isDown(1)), meta.ReadyCondition,
			"False Rolling: restarting or replacing the nodes one at a time; 2 nodes to go"},
		{"a pod that nobody asks for is yet to go", shrinking(), meta.ReadyCondition,
			"False Rolling: waiting for 1 node beyond spec.nodes to be removed"},
		{"a StatefulSet that names no number has no pods beyond it", uncounted, meta.ReadyCondition,
			"True Connected: 3 nodes answer RPC, 3 links connected"},
		{"a network that asks for no nodes and has none is as it should be", parked(), meta.ReadyCondition,
			"True Parked: the network is parked: spec.nodes is 0"},
		{"a parked network, too, says that its Secret is missing", lateForNothing, meta.ReadyCondition,
			"False SecretNotFound: what is wrong with the Secret"},
		{"a failure is more than what was seen before it", failing(errors.New("evict pod payments-1: no")), meta.ReadyCondition,
			"False Failed: evict pod payments-1: no"},
		{"a failure that is a state of the world is told apart from others, with what to do", conflicting(), meta.ReadyCondition,
			`False Conflict: apply: Service "payments" is not owned by this network`},
		{"a chain that is not allowed comes before all else", chainNotAllowed(), meta.ReadyCondition,
			"False ChainNotAllowed: spec.chain: the platform does not allow regtest in this namespace; " +
				"ask the platform team, who set the operator's flag --allowed-chains"},
	} {
		t.Run(test.condition+": "+test.reason, func(t *testing.T) {
			if got := said(test.situation.report(), test.condition); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// A node that is late once is no news.
func TestReportOfANodeThatIsLate(t *testing.T) {
	before := aged(wellConnected(3).report())
	after := oneLate().on(before).report()
	if diff := cmp.Diff(before.Status, after.Status); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if told := Events(before, after, oneLate().seen, oneLate().todo, Outcome{}); len(told) > 0 {
		t.Errorf("told %v", told)
	}
	waits := rolling().with(func(s *situation) { s.seen.Nodes[1] = oneLate().seen.Nodes[1] })
	if got := said(waits.report(), v1alpha1.NodesReadyCondition); got != "True NodesAnswer: 3 nodes answer RPC" {
		t.Error(got)
	}
}

func TestTipsThatCannotBeCompared(t *testing.T) {
	s := wellConnected(2)
	s.seen.Nodes[1] = statetest.NodeAt(1, 3, "a")
	Report(s.network, platform, s.seen, s.todo, s.outcome)
	const want = "Unknown TipsDiffer: could not determine whether these tips are on the same chain; " +
		"height 7 (a00007000000…): node 0; height 3 (a00003000000…): node 1"
	if got := said(s.network, v1alpha1.ChainsAgreeCondition); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Ready says what keeps blocks from being mined, last, and is what it is all the same:
// nodes serve without new blocks.
func TestReadySaysThatMiningFails(t *testing.T) {
	fails := func(s *situation) { s.outcome.MiningProblem = "time-too-new" }
	for _, test := range []struct {
		reason    string
		situation situation
		want      string
	}{
		{"all is well but for that", wellConnected(3).with(fails), "True Connected: 3 nodes answer RPC, 3 links connected; mining fails: time-too-new"},
		{"the next one was mined", wellConnected(3).with(fails).with(func(s *situation) { s.outcome.MiningProblem = "" }),
			"True Connected: 3 nodes answer RPC, 3 links connected"},
		{"a rollout waits", rolling().with(waitsFor(forBudget), fails),
			"False Rolling: restarting or replacing the nodes one at a time; 2 nodes to go; payments-0 waits for the disruption budget to allow its eviction; mining fails: time-too-new"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := said(test.situation.report(), meta.ReadyCondition); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Ready says what clients should have and have not, and is what it is all the same.
func TestReadySaysWhatIsLeftOut(t *testing.T) {
	const taken = `Service "payments-primary", because another object has that name`
	s := wellConnected(3).with(func(s *situation) { s.outcome.Connection.LeftOut = taken })
	const want = "True Connected: 3 nodes answer RPC, 3 links connected; not applied: " + taken
	if got := said(s.report(), meta.ReadyCondition); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Whatever else is the matter with a network, Ready says what its rollout waits for.
func TestReadySaysWhatIsWaitedFor(t *testing.T) {
	const silent = "2 of 3 nodes answer RPC; payments-1: its RPC port refuses connections"
	spare := shrinking()
	spare.todo.Shape.Size.Wait = &forNode
	both := rolling().with(waitsFor(forNode))
	both.todo.Shape.Size.Wait = &forHuman

	for _, test := range []struct {
		reason    string
		situation situation
		want      string
		isStalled bool
	}{
		{"a roll waits for a node", rolling().with(waitsFor(forNode)),
			"False Rolling: restarting or replacing the nodes one at a time; 2 nodes to go; payments-0 waits for payments-1 to serve: its RPC port refuses connections", false},
		{"so does one that is not the first thing to tell", oneSilent().with(waitsFor(forNode)),
			"False NodesNotReady: " + silent + "; payments-0 waits for payments-1 to serve: its RPC port refuses connections", false},
		{"or that something else keeps from being done", failing(errors.New("no")).with(waitsFor(forNode)),
			"False Failed: no; payments-0 waits for payments-1 to serve: its RPC port refuses connections", false},
		{"a step was planned, and the disruption budget does not allow it", rolling().with(refused),
			"False Rolling: restarting or replacing the nodes one at a time; 2 nodes to go; payments-0 waits for the disruption budget to allow its eviction", false},
		{"a pod stays until another has the chain", spare,
			"False Rolling: waiting for 1 node beyond spec.nodes to be removed; payments-0 waits for payments-1 to serve: its RPC port refuses connections", false},
		{"of two things the rollout's is told", both,
			"False Rolling: restarting or replacing the nodes one at a time; 2 nodes to go; payments-0 waits for payments-1 to serve: its RPC port refuses connections", false},

		{"no waiting helps where somebody has to decide", rolling().with(waitsFor(forHuman)),
			"False RolloutBlocked: restarting or replacing the nodes one at a time; 2 nodes to go; payments-0 waits for somebody to decide", true},
		{"whatever is told first", oneSilent().with(waitsFor(forHuman)),
			"False RolloutBlocked: " + silent + "; payments-0 waits for somebody to decide", true},
		{"another's object is in the way of more than a rollout", conflicting().with(waitsFor(forHuman)),
			`False Conflict: apply: Service "payments" is not owned by this network; payments-0 waits for somebody to decide`, true},
		{"so is an object that cannot be made", invalid().with(waitsFor(forHuman)),
			"False Invalid: apply StatefulSet payments: requests: Invalid value; payments-0 waits for somebody to decide", true},

		{"a suspended network waits for nothing but its resumption", wellConnected(2).with(isSuspended, waitsFor(forHuman)),
			"True Suspended: suspended by spec.suspend; 2 nodes answer RPC, 1 link connected", false},
		{"also where it is not well", oneSilent().with(isSuspended, waitsFor(forNode)),
			"False Suspended: suspended by spec.suspend; " + silent, true},
		{"one whose chain is not allowed waits for that alone", chainNotAllowed().with(waitsFor(forHuman)),
			"False ChainNotAllowed: spec.chain: the platform does not allow regtest in this namespace; " +
				"ask the platform team, who set the operator's flag --allowed-chains", true},
		{"and one without credentials for these", withoutCredentials(v1alpha1.SecretNotFoundReason).with(waitsFor(forHuman)),
			"False SecretNotFound: what is wrong with the Secret", false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := test.situation.report()
			if got := said(network, meta.ReadyCondition); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if got := conditions.IsStalled(network); got != test.isStalled {
				t.Errorf("stalled: %t, want %t", got, test.isStalled)
			}
		})
	}
}

// A suspended network is Ready when it is what its spec asks for, and well.
func TestSuspendedNetworkIsReadyForWhatWasApplied(t *testing.T) {
	const (
		well      = "True Suspended: suspended by spec.suspend; 3 nodes answer RPC, 3 links connected"
		unapplied = "False Suspended: suspended by spec.suspend, with unapplied changes: %s; %s"
		made      = "the nodes' image, configuration or other settings"
		connected = "3 nodes answer RPC, 3 links connected"
	)
	asks := func(change func(*v1alpha1.BitcoinNetworkSpec)) func(*situation) {
		return func(s *situation) { change(&s.network.Spec) }
	}
	for _, test := range []struct {
		reason    string
		situation situation
		want      string
	}{
		{"nothing has changed", wellConnected(3), well},
		{"nothing of which nodes know", wellConnected(3).with(asks(func(spec *v1alpha1.BitcoinNetworkSpec) {
			spec.Mining, spec.Protect = &v1alpha1.Mining{Interval: &metav1.Duration{Duration: time.Hour}}, true
		})), well},
		{"another image", wellConnected(3).with(asks(func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "bitcoind:another" })), fmt.Sprintf(unapplied, made, connected)},
		{"another line", wellConnected(3).with(asks(func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Config = []v1alpha1.ConfigLine{"txindex=1"} })), fmt.Sprintf(unapplied, made, connected)},
		{"another image of the platform's", wellConnected(3).with(func(s *situation) {
			s.network.Spec.Image = "bitcoind:before" // which is what this one stands for
			isApplied(s)
			s.network.Spec.Image = ""
		}), fmt.Sprintf(unapplied, made, connected)},
		{"it was suspended on the way to another image", rolling().with(func(s *situation) { s.todo.Rollout.Pending = 0 }), fmt.Sprintf(unapplied, made, connected)},
		{"fewer nodes", shrinking(), fmt.Sprintf(unapplied, "spec.nodes", "2 nodes answer RPC, 1 link connected")},
		{"no nodes", wellConnected(3).with(func(s *situation) {
			s.network.Spec.Nodes, s.seen.Wanted, s.todo.Links = 0, 0, statetest.Links(0)
		}), fmt.Sprintf(unapplied, "spec.nodes", "the network is parked: spec.nodes is 0")},
		{"both, and one that does not answer", oneSilent().with(asks(func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Image = "bitcoind:another" }), func(s *situation) {
			s.seen.StatefulSet.Spec.Replicas = new(int32(4))
		}), fmt.Sprintf(unapplied, "spec.nodes, "+made, "2 of 3 nodes answer RPC; payments-1: its RPC port refuses connections")},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := test.situation.with(isSuspended).report()
			if got := said(network, meta.ReadyCondition); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if conditions.IsStalled(network) == conditions.IsReady(network) {
				t.Errorf("Ready %t, Stalled %t", conditions.IsReady(network), conditions.IsStalled(network))
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
	wasReady := func() *v1alpha1.BitcoinNetwork { return wellConnected(3).report() }
	wasDegraded := func() *v1alpha1.BitcoinNetwork { return oneSilent().on(wasReady()).report() }
	wasStalled := func() *v1alpha1.BitcoinNetwork { return conflicting().report() }

	for _, test := range []struct {
		reason    string
		situation situation
		want      string
	}{
		{"a network that is Ready needs neither", wellConnected(3), ""},
		{"nor does a parked one", parked(), ""},
		{"what was never there is on its way", starting(), progressing},
		{"a Secret that is missing may come", withoutCredentials(v1alpha1.SecretNotFoundReason), progressing},
		{"a key may be added", withoutCredentials(v1alpha1.SecretIncompleteReason), progressing},
		{"no waiting makes a Secret fit", withoutCredentials(v1alpha1.SecretInvalidReason), "Stalled SecretInvalid"},
		{"nor lets the operator read it", withoutCredentials(v1alpha1.SecretForbiddenReason), "Stalled SecretForbidden"},
		{"nor takes somebody's object away", conflicting(), "Stalled Conflict"},
		{"nor what the API server takes for invalid", invalid(), "Stalled Invalid"},
		{"nor allows a chain", chainNotAllowed(), "Stalled ChainNotAllowed"},
		{"nor makes a storage class let volumes grow", refusedByClass(), "Stalled StorageRefused"},
		{"nor a quota larger", beyondQuota(), "Stalled QuotaExceeded"},
		{"nor the storage", infeasible(), "Stalled ResizeInfeasible"},
		{"volumes that have not grown yet keep nobody from working", resizing(), ""},
		{"nor decides what somebody has to decide", oneSilent().with(waitsFor(forHuman)), "Stalled RolloutBlocked"},
		{"nor ends a suspension", oneSilent().with(isSuspended), "Stalled Suspended"},
		{"which does no harm where all is well", wellConnected(3).with(isSuspended), ""},
		{"what is left of a deleted network goes", failing(&worldError{meta.ProgressingReason, "waiting"}), progressing},
		{"other failures may pass", failing(errors.New("no")), progressing},

		{"what was there and is not has degraded", oneSilent().on(wasReady()), degraded},
		{"so has a network without its Secret", withoutCredentials(v1alpha1.SecretNotFoundReason).on(wasReady()), degraded},
		{"and one whose objects cannot be written", failing(errors.New("no")).on(wasReady()), degraded},
		{"it stays so while it is, whatever the problem is now", linkMissing().on(wasDegraded()), degraded},
		{"until it is Ready", wellConnected(3).on(wasDegraded()), ""},
		{"and the next time is another time", oneSilent().on(wellConnected(3).on(wasDegraded()).report()), degraded},
		{"what nobody asked for before cannot have been there", oneSilent().on(edited(wasReady())), progressing},
		{"what was degraded before it was edited is on its way to something else", oneSilent().on(edited(wasDegraded())), progressing},
		{"and stays on its way", oneSilent().on(oneSilent().on(edited(wasDegraded())).report()), progressing},

		{"a roll after an edit is progress", rolling().on(edited(wasReady())), progressing},
		{"and so is one that the platform's default image brings: nothing is lost", rolling().on(wasReady()), progressing},
		{"or the repair of what somebody changed by hand", unobserved().on(wasReady()), progressing},
		{"a node that is away in a roll is part of it", oneSilent().on(rolling().on(wasReady()).report()), progressing},

		{"somebody must act, however well it went before", withoutCredentials(v1alpha1.SecretInvalidReason).on(wasReady()), "Stalled SecretInvalid"},
		{"or however badly", conflicting().on(wasDegraded()), "Stalled Conflict"},
		{"what was in the way is gone", starting().on(wasStalled()), progressing},
		{"and all is well at once", wellConnected(3).on(wasStalled()), ""},
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

// A steady network costs no writes, whatever state it is in: not even the time since
// which a condition is as it is moves.
func TestReportIsQuiet(t *testing.T) {
	for name, now := range everySituation() {
		t.Run(name, func(t *testing.T) {
			first := aged(now().report())
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
				t.Errorf("Report changed more than the status:\n%s", diff)
			}
		})
	}
}

func TestReportOfNodes(t *testing.T) {
	g := NewWithT(t)
	s := oneSilent()
	s.seen.Nodes[2] = state.Missing("")
	s.seen.StatefulSet.Status.Replicas = 2
	s.seen.Nodes[0].Claim = statetest.Claim("2Gi", "1Gi")
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
	g.Expect(status.Storage.String()).To(Equal("1Gi"))
}

func TestReportOfNoNodes(t *testing.T) {
	g := NewWithT(t)
	s := parked().on(wellConnected(3).report())
	s.seen.StatefulSet = nil
	status := s.report().Status
	g.Expect(status.Nodes).To(BeEmpty())
	g.Expect(status.Ready).To(Equal("0/0"))
	g.Expect(*status.Links).To(Equal(v1alpha1.LinksStatus{Summary: "0/0"}))
	g.Expect(status.Replicas).To(BeZero())
}

func TestReportOfNodesThatAreThereForAWhileLonger(t *testing.T) {
	g := NewWithT(t)
	s := shrinking()
	planned := len(s.todo.Links.Links)
	status := s.report().Status
	g.Expect(status.Nodes).To(HaveLen(2))
	g.Expect(status.Ready).To(Equal("2/2"))
	g.Expect(*status.Links).To(Equal(v1alpha1.LinksStatus{Planned: 1, Connected: 1, Summary: "1/1"}))
	g.Expect(status.Replicas).To(BeEquivalentTo(3))
	g.Expect(s.todo.Links.Links).To(HaveLen(planned), "a plan is a value")
}

func TestReportOfTheNetworksOwnImage(t *testing.T) {
	s := wellConnected(1)
	s.network.Spec.Image = "registry.example/bitcoind:29"
	NewWithT(t).Expect(s.report().Status.Image).To(Equal("registry.example/bitcoind:29"))
}

func TestReportOfRepairs(t *testing.T) {
	repaired := v1alpha1.RepairStatus{Ordinal: 1, Count: 2, Last: metav1.NewTime(statetest.Now.Add(-time.Minute))}
	g := NewWithT(t)
	before := wellConnected(2).report()
	before.Status.Repairs = []v1alpha1.RepairStatus{repaired, {Ordinal: 2, Count: 1, Last: repaired.Last}}
	g.Expect(wellConnected(2).on(before).report().Status.Repairs).To(ConsistOf(repaired), "it may break again at once; the other is gone")

	before.Status.Repairs[0].Last = metav1.NewTime(statetest.Now.Add(-time.Hour))
	g.Expect(wellConnected(2).on(before).report().Status.Repairs).To(BeEmpty(), "it has served for a while since")
}

func TestReportAnswersARequestToReconcile(t *testing.T) {
	g := NewWithT(t)
	s := wellConnected(1)
	s.network.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	g.Expect(s.report().Status.LastHandledReconcileAt).To(Equal("now"))
}
