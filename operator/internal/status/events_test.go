package status

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// textsOf returns events as the API server has them: "Type Reason message".
func textsOf(events []Event) []string {
	var texts []string
	for _, event := range events {
		texts = append(texts, event.Type+" "+event.Reason+" "+event.Message)
	}
	return texts
}

func TestEvents(t *testing.T) {
	withMessage := func(s situation, message string) situation {
		s.seen.Secret.Unusable.Message = message
		return s
	}
	withDefaults := wellConnected(3)
	withDefaults.network.Spec.Secret = ""
	forked := func() situation {
		return wellConnected(3).with(func(s *situation) { s.seen.Nodes[2] = statetest.NodeAt(2, 9, "b") })
	}
	forkedStill := wellConnected(3)
	forkedStill.seen.Nodes[2] = statetest.NodeAt(2, 10, "b")
	behind := wellConnected(3)
	behind.seen.Nodes[2] = statetest.NodeAt(2, 3, "a")
	otherSilent := oneSilent()
	otherSilent.seen.Nodes[1].Problem = "it timed out"
	otherConflict := failing(&worldError{v1alpha1.ConflictReason, `ConfigMap "payments" is not owned by this network`})
	allSilent := wellConnected(3)
	for ordinal := range allSilent.seen.Nodes {
		allSilent.seen.Nodes[ordinal] = statetest.Silent(ordinal, isStarting)
	}
	hasVolumes := func(s *situation) { s.network.Spec.Storage = &v1alpha1.Storage{} }
	isPublic := func(s *situation) { s.seen.Private = false }
	lost := func(best *state.Block) func(*situation) {
		return func(s *situation) { s.seen.Lost, s.seen.Best = new(statetest.Block(9, "a")), best }
	}
	repairing := func() situation {
		return oneSilent().with(func(s *situation) {
			s.todo.Rollout.Step = &rollout.Step{Ordinal: 1, Action: v1alpha1.ReplaceAction, Repair: true, Why: "it has not served for 5m0s: " + closed}
		})
	}
	onRecord := func(s *situation) { RecordStep(s.network, s.seen, s.todo.Rollout) }
	moving := func(because rollout.Reason, why string) func(*situation) {
		return func(s *situation) {
			s.outcome.Connection.Moved = &rollout.Move{From: 2, To: 0, Because: because, Why: why}
		}
	}
	// again is a network that was in a situation when it was last looked at.
	again := func(s situation) *v1alpha1.BitcoinNetwork { return s.on(wellConnected(3).report()).report() }

	const (
		created    = "Normal Created created the network with 3 nodes on regtest"
		secretRead = `Normal SecretRead Secret "bitcoin-rpc" was read`
		allIsWell  = "3 nodes answer RPC, 3 links connected"
		silentNode = "2 of 3 nodes answer RPC; payments-1: its RPC port refuses connections"
		fork       = "nodes are on different chains; height 9 (b00009000000…): node 2; height 7 (a00007000000…): nodes 0, 1"
		agreement  = "Normal TipsEqual the fork is gone: the tips of 3 nodes are equal or one block apart"
		toGo       = "restarting or replacing the nodes one at a time; 2 nodes to go"
		rotating   = `Secret "bitcoin-rpc" has new credentials; 0 of 3 nodes accept them. Keep using the previous ones until all nodes do`
		rotated    = `every node accepts both the new and the previous credentials from Secret "bitcoin-rpc": ` +
			`switch all clients to the new ones, then remove BC_RPC_USER_PREVIOUS and BC_RPC_PASSWORD_PREVIOUS`
		rejected = `1 of 3 nodes were started with the current Secret "bitcoin-rpc" and reject its credentials: ` +
			`if the Secret was deleted and recreated while it was immutable, kubelets keep their old copy as long as a pod on their machine uses it; ` +
			`a custom image must accept the credentials in BC_RPC_USER and BC_RPC_PASSWORD`
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
			before: statetest.Network(3), now: starting(),
			want: []string{created, secretRead},
		},
		{
			reason: "a network that cannot be created is not scaled, and why is told",
			before: statetest.Network(3), now: failing(errors.New("apply StatefulSet payments: no")),
			want: []string{secretRead, "Warning Failed apply StatefulSet payments: no"},
		},
		{
			reason: "one node is told in the singular", created: true,
			before: wellConnected(1).report(), now: wellConnected(1),
			want: []string{"Normal Created created the network with 1 node on regtest"},
		},
		{
			reason: "a network that is there already is looked at for the first time",
			before: statetest.Network(3), now: wellConnected(3),
			want: []string{secretRead, "Normal Connected " + allIsWell},
		},
		{
			reason: "a network whose StatefulSet somebody deleted is created once more, and is not scaled", created: true,
			before: wellConnected(2).report(), now: starting().on(edited(wellConnected(2).report())),
			want: []string{created},
		},
		{
			reason: "it comes up",
			before: starting().report(), now: wellConnected(3),
			want: []string{"Normal Connected " + allIsWell},
		},
		{
			reason: "it is not told what it lacks while it comes up: its conditions say that",
			before: starting().report(), now: linkMissing(),
		},
		{
			reason: "default credentials are a warning", created: true,
			before: statetest.Network(3), now: withDefaults,
			want: []string{
				created,
				"Warning DefaultCredentials spec.secret is not set, so the nodes use the default credentials: anyone who can reach them can log in",
				"Normal Connected " + allIsWell,
			},
		},
		{
			reason: "nothing has changed",
			before: wellConnected(3).report(), now: wellConnected(3),
		},
		{
			reason: "clients are led elsewhere, as is the operator's to do",
			before: wellConnected(3).report(), now: wellConnected(3).with(moving(rollout.Scaled, "it is about to be removed by scaling down")),
			want: []string{"Normal PrimaryMoved payments-primary now leads to payments-0 instead of payments-2: it is about to be removed by scaling down"},
		},
		{
			reason: "clients are led elsewhere, since something is wrong",
			before: wellConnected(3).report(), now: wellConnected(3).with(moving(rollout.DataLost, "it has lost its data")),
			want: []string{"Warning PrimaryMoved payments-primary now leads to payments-0 instead of payments-2: it has lost its data"},
		},

		{
			reason: "the Secret is missing from the start",
			before: statetest.Network(3), now: withoutCredentials(v1alpha1.SecretNotFoundReason),
			want: []string{"Warning SecretNotFound what is wrong with the Secret"},
		},
		{
			reason: "the Secret comes, and with it the network",
			before: withoutCredentials(v1alpha1.SecretNotFoundReason).report(), now: starting(), created: true,
			want: []string{created, secretRead},
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
			before: wellConnected(3).report(), now: withoutCredentials(v1alpha1.SecretNotFoundReason),
			want: []string{
				"Warning SecretNotFound what is wrong with the Secret",
				"Warning Degraded what is wrong with the Secret",
			},
		},
		{
			reason: "a change of credentials begins",
			before: wellConnected(3).report(), now: rotation(2, unasked(0), unasked(1), unasked(2)),
			want: []string{"Normal Rotating " + rotating},
		},
		{
			reason: "and goes on, which its condition says",
			before: again(rotation(2, unasked(0), unasked(1), unasked(2))), now: rotation(2, accepting(0), unasked(1), unasked(2)),
		},
		{
			reason: "and ends",
			before: again(rotation(2, accepting(0), unasked(1), unasked(2))), now: rotation(2, accepting(0), accepting(1), accepting(2)),
			want: []string{"Normal Rotated " + rotated},
		},
		{
			reason: "and has ended",
			before: again(rotation(2, accepting(0), accepting(1), accepting(2))), now: rotation(2, accepting(0), accepting(1), accepting(2)),
		},
		{
			reason: "Git has credentials that nobody could open",
			before: wellConnected(3).report(), now: wellConnected(3).with(func(s *situation) { s.seen.Secret.NotApplied = "no key" }),
			want: []string{`Warning SecretOutdated Secret "bitcoin-rpc" was read; no key`},
		},
		{
			reason: "a user has no password",
			before: again(usersChanged(1, "", knowing(accepting(0)))), now: usersChanged(0, "it has none", knowing(accepting(0))),
			want: []string{`Warning UsersRejected Secret "bitcoin-rpc" was read; user "read": it has none`},
		},
		{
			reason: "a node rejects the credentials with which it was started",
			before: again(rotation(1, accepting(0), accepting(1), unasked(2))), now: rotation(1, accepting(0), accepting(1), rejecting(2)),
			want: []string{"Warning CredentialsRejected " + rejected},
		},

		{
			reason: "a node falls silent",
			before: wellConnected(3).report(), now: oneSilent(),
			want: []string{"Warning Degraded " + silentNode},
		},
		{
			reason: "and is silent for another reason, which is the same trouble",
			before: again(oneSilent()), now: otherSilent,
		},
		{
			reason: "and answers again",
			before: again(oneSilent()), now: wellConnected(3),
			want: []string{"Normal Recovered " + allIsWell},
		},
		{
			reason: "and is replaced",
			before: again(oneSilent()), now: repairing().on(again(oneSilent())).with(onRecord),
			want: []string{"Warning Repaired replacing payments-1: it has not served for 5m0s: its RPC port refuses connections"},
		},
		{
			reason: "or not, since the disruption budget does not let its pod go",
			before: again(oneSilent()), now: repairing().on(again(oneSilent())).with(onRecord, func(s *situation) { s.outcome.Refused = &forBudget }),
		},
		{
			reason: "or the eviction fails, and what was put on record was taken off it",
			before: again(oneSilent()), now: repairing().on(again(oneSilent())).with(func(s *situation) { s.outcome.Failure = errors.New("evict pod payments-1: no") }),
			want: []string{"Warning Failed evict pod payments-1: no"},
		},
		{
			reason: "or not, since the disruption budget does not let its pod go now as it did before",
			before: again(oneSilent()), now: repairing().on(again(oneSilent())).with(func(s *situation) {
				s.todo.Rollout.Down = []v1alpha1.RolloutStatus{taken(1, v1alpha1.ReplaceAction, "payments-1", time.Hour)}
				s.outcome.Refused = &forBudget
			}),
		},
		{
			reason: "while another that was repaired is still down",
			before: again(oneSilent()), now: repairing().on(again(oneSilent())).with(isDown(0), func(s *situation) {
				s.network.Status.Rollout = []v1alpha1.RolloutStatus{taken(0, v1alpha1.ReplaceAction, "payments-0", time.Minute), taken(1, v1alpha1.ReplaceAction, "before", time.Hour)}
			}),
		},
		{
			reason: "that a step of a roll is taken is told by its beginning and its end",
			before: again(rolling()), now: takingDown(),
		},
		{
			reason: "links break",
			before: wellConnected(3).report(), now: linkMissing(),
			want: []string{"Warning Degraded 2 of 3 links connected; missing: 2→1"},
		},
		{
			reason: "objects cannot be written any more",
			before: wellConnected(3).report(), now: failing(errors.New("evict pod payments-1: no")),
			want: []string{"Warning Degraded evict pod payments-1: no"},
		},
		{
			reason: "for another reason now, which somebody may have to act on",
			before: again(failing(errors.New("evict pod payments-1: no"))), now: failing(errors.New("evict pod payments-1: never")),
			want: []string{"Warning Failed evict pod payments-1: never"},
		},
		{
			reason: "for the same reason",
			before: again(failing(errors.New("evict pod payments-1: no"))), now: failing(errors.New("evict pod payments-1: no")),
		},

		{
			reason: "an object is somebody else's",
			before: starting().report(), now: conflicting(),
			want: []string{`Warning Conflict apply: Service "payments" is not owned by this network`},
		},
		{
			reason: "and so is the next",
			before: conflicting().report(), now: otherConflict,
			want: []string{`Warning Conflict ConfigMap "payments" is not owned by this network`},
		},
		{
			reason: "the chain is not allowed",
			before: starting().report(), now: chainNotAllowed(),
			want: []string{"Warning ChainNotAllowed spec.chain: the platform does not allow regtest in this namespace; " +
				"ask the platform team, who set the operator's flag --allowed-chains"},
		},
		{
			reason: "volumes cannot grow",
			before: again(withVolumes("1Gi", statetest.Claim("1Gi", "1Gi"))), now: infeasible(),
			want: []string{"Warning ResizeInfeasible data-payments-0 requests 1Ti and has 1Gi: ControllerResizeInfeasible: the pool has 100Gi; " +
				"set spec.storage.size to what the storage can provide, which is at least 1Gi (status.storage)"},
		},
		{
			reason: "volumes grow",
			before: again(withVolumes("1Gi", statetest.Claim("1Gi", "1Gi"), statetest.Claim("1Gi", "1Gi"))), now: resizing(),
			want: []string{"Normal Resizing data-payments-1 requests 2Gi and has 1Gi: resizing has not started"},
		},
		{
			reason: "which is said once, whatever becomes of it",
			before: again(resizing()),
			now:    withVolumes("2Gi", statetest.Claim("2Gi", "2Gi"), statetest.Claim("2Gi", "1Gi", statetest.Says(corev1.PersistentVolumeClaimResizing, ""))),
		},
		{
			reason: "volumes have grown",
			before: again(resizing()), now: withVolumes("2Gi", statetest.Claim("2Gi", "2Gi"), statetest.Claim("2Gi", "2Gi")),
			want: []string{"Normal SizeReached 2 volumes of at least 2Gi"},
		},
		{
			reason: "a rollout waits for somebody",
			before: again(oneSilent()), now: oneSilent().with(waitsFor(forHuman)),
			want: []string{"Warning RolloutBlocked " + silentNode + "; payments-0 waits for somebody to decide"},
		},
		{
			reason: "what is left of a deleted network is on its way out",
			before: starting().report(), now: failing(&worldError{"Progressing", "waiting for it to be garbage-collected"}),
		},

		{
			reason: "the network grows",
			before: wellConnected(2).report(), now: starting().on(edited(wellConnected(2).report())),
			want: []string{"Normal Scaled scaled from 2 nodes to 3"},
		},
		{
			reason: "the network shrinks",
			before: wellConnected(4).report(), now: wellConnected(3).on(edited(wellConnected(4).report())),
			want: []string{"Normal Scaled scaled from 4 nodes to 3"},
		},
		{
			reason: "it cannot shrink",
			before: again(failing(errors.New("no"))), now: failing(errors.New("no")).with(func(s *situation) { s.network.Spec.Nodes, s.seen.Wanted = 2, 2 }),
		},
		{
			reason: "a suspended one does not, whatever it asks for",
			before: wellConnected(4).with(isSuspended).report(),
			now:    wellConnected(3).on(edited(wellConnected(4).with(isSuspended).report())).with(isSuspended),
		},
		{
			reason: "the network is parked: what that costs was told before",
			before: wellConnected(3).report(), now: parked().on(edited(wellConnected(3).report())),
			want: []string{"Normal Scaled scaled from 3 nodes to 0"},
		},
		{
			reason: "the network is parked: it costs nothing",
			before: wellConnected(3).report(), now: parked().on(edited(wellConnected(3).report())).with(hasVolumes),
			want: []string{"Normal Scaled scaled from 3 nodes to 0", "Normal Parked scaled to 0 nodes; their volumes are kept"},
		},
		{
			reason: "it is parked, and its pods are still on their way out",
			before: parked().with(func(s *situation) { s.seen.StatefulSet.Status.Replicas = 3 }).report(), now: parked().with(hasVolumes),
		},
		{
			reason: "a network that never came up is parked",
			before: starting().report(), now: parked().on(edited(starting().report())),
			want: []string{"Normal Scaled scaled from 3 nodes to 0"},
		},
		{
			reason: "a suspended one is not parked either",
			before: again(wellConnected(3).with(isSuspended)), now: parked().with(isSuspended, hasVolumes),
		},
		{
			reason: "a network that never had pods has no volumes either, and nothing was scaled",
			before: starting().with(func(s *situation) { s.seen.StatefulSet = nil }).report(),
			now:    parked().on(edited(starting().with(func(s *situation) { s.seen.StatefulSet = nil }).report())).with(hasVolumes),
			want:   []string{"Normal Parked the network is parked: spec.nodes is 0"},
		},
		{
			reason: "a network that is not well is parked, which makes it no better",
			before: again(oneSilent()), now: parked(),
			want: []string{"Normal Scaled scaled from 3 nodes to 0"},
		},
		{
			reason: "a network without its Secret is left as it is, whatever it asks for: its nodes still run, their chain is there",
			before: withoutCredentials(v1alpha1.SecretNotFoundReason).report(),
			now: situation{
				network: edited(statetest.Network(0)), seen: statetest.Unusable(v1alpha1.SecretNotFoundReason, "what is wrong with the Secret", 0),
				todo: plan.Plan{Links: statetest.Links(0)},
			},
		},
		{
			reason: "a network is created parked", created: true,
			before: statetest.Network(0), now: parked(),
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
			before: wellConnected(3).report(), now: rolling(),
			want: []string{"Normal Rolling " + toGo},
		},
		{
			reason: "nor is a node that is away in it",
			before: again(rolling()), now: oneSilent(),
		},
		{
			reason: "nor that it goes on after that",
			before: oneSilent().on(again(rolling())).report(), now: rolling(),
		},
		{
			reason: "a roll ends",
			before: oneSilent().on(again(rolling())).report(), now: wellConnected(3),
			want: []string{"Normal Connected " + allIsWell},
		},

		{
			reason: "reconciliation is suspended",
			before: wellConnected(3).report(), now: wellConnected(3).with(isSuspended),
			want: []string{"Normal Suspended reconciliation is suspended: spec.suspend is true"},
		},
		{
			reason: "and still is",
			before: again(wellConnected(3).with(isSuspended)), now: wellConnected(3).with(isSuspended),
		},
		{
			reason: "and is resumed",
			before: again(wellConnected(3).with(isSuspended)), now: wellConnected(3),
			want: []string{"Normal Resumed reconciliation resumed"},
		},
		{
			reason: "to a roll",
			before: again(wellConnected(3).with(isSuspended)), now: rolling(),
			want: []string{"Normal Resumed reconciliation resumed", "Normal Rolling " + toGo},
		},

		{
			reason: "the best block is lost, and another is left",
			before: wellConnected(3).report(), now: wellConnected(3).with(lost(new(statetest.Block(7, "a")))),
			want: []string{"Warning ChainLost the chain was lost: no node has block 9 (a00009000000…) any more; the best that remains is block 7 (a00007000000…)"},
		},
		{
			reason: "the best block is lost, and none is left",
			before: wellConnected(3).report(), now: wellConnected(3).with(lost(nil)),
			want: []string{"Warning ChainLost the chain was lost: no node has block 9 (a00009000000…) any more; the best that remains is block 0"},
		},
		{
			reason: "the world has a public chain",
			before: wellConnected(3).report(), now: wellConnected(3).with(lost(nil), isPublic),
		},

		{
			reason: "nodes are on different tips",
			before: wellConnected(3).report(), now: forked(),
			want: []string{"Warning Fork " + fork},
		},
		{
			reason: "and still are, further along",
			before: again(forked()), now: forkedStill,
		},
		{
			reason: "and agree again",
			before: again(forked()), now: wellConnected(3),
			want: []string{agreement},
		},
		{
			reason: "that a node is behind on the same chain is not worth a warning",
			before: wellConnected(3).report(), now: behind,
		},
		{
			reason: "that none answers is no agreement",
			before: again(forked()), now: allSilent,
			want: []string{"Warning Degraded 0 of 3 nodes answer RPC; payments-0: its pod is starting; payments-1: its pod is starting; payments-2: its pod is starting"},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			recorded := test.now.network.Status.Rollout
			if test.now.network.Generation == test.before.Generation {
				test.now = test.now.on(test.before)
			} else {
				test.now.network.Status = *test.before.Status.DeepCopy()
			}
			test.now.network.Status.Rollout = recorded
			test.now.outcome.Created = test.created
			after := test.now.report()
			events := Events(test.before, after, test.now.seen, test.now.todo, test.now.outcome)
			if diff := cmp.Diff(test.want, textsOf(events)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestForeignPeersAreTold(t *testing.T) {
	s := wellConnected(3)
	s.todo.Links.Changes = map[int]peering.Change{
		2: {Disconnect: []int32{8}, Strangers: []string{"team-b.lightning.1"}},
		1: {Disconnect: []int32{4, 5}, Strangers: []string{"team-b.lightning.0", "team-b.lightning.2"}},
		0: {Disconnect: []int32{7}, Dial: []string{"payments-1"}}, // a silent one
	}
	before := wellConnected(3).report()
	after := s.on(before).report()
	want := []Event{
		{"Warning", "ForeignPeer", "disconnected payments-1 from nodes of another network: team-b.lightning.0; team-b.lightning.2"},
		{"Warning", "ForeignPeer", "disconnected payments-2 from nodes of another network: team-b.lightning.1"},
	}
	if got := Events(before, after, s.seen, s.todo, s.outcome); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What cannot be undone is told before it is done.
func TestBefore(t *testing.T) {
	const warned = "Warning Parked scaling to 0: the nodes have no volumes, so the chain will be lost, up to block 7 (a00007000000…)"
	for _, test := range []struct {
		reason string
		change func(*situation)
		want   []string
	}{
		{"the nodes go, and their chain with them", func(*situation) {}, []string{warned}},
		{"one stays", func(s *situation) { s.todo.Shape.Size.Pods = 1 }, nil},
		{"they are gone already", func(s *situation) { *s.seen.StatefulSet.Spec.Replicas = 0 }, nil},
		{"as many as the API server makes of no number", func(s *situation) { s.seen.StatefulSet.Spec.Replicas = nil }, nil},
		{"there never were any", func(s *situation) { s.seen.StatefulSet = nil }, nil},
		{"they have nothing", func(s *situation) { s.seen.Best = nil }, nil},
		{"the world has their chain", func(s *situation) { s.seen.Private = false }, nil},
		{"their volumes have it", func(s *situation) { s.network.Spec.Storage = &v1alpha1.Storage{} }, nil},
		{"also volumes that go with nodes which are scaled away: those of a parked network stay", func(s *situation) {
			s.network.Spec.Storage = &v1alpha1.Storage{WhenScaled: appsv1.DeletePersistentVolumeClaimRetentionPolicyType}
		}, nil},
		{"nothing is done about a suspended network", isSuspended, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := wellConnected(3).with(test.change)
			if diff := cmp.Diff(test.want, textsOf(Before(s.network, s.seen, s.todo.Shape))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMined(t *testing.T) {
	outOfTurn, regular := &plan.Block{Node: 1, Why: "the last one is 26 hours old"}, &plan.Block{Node: 1}
	for _, test := range []struct {
		reason          string
		block           *plan.Block
		problem, before string
		want            []string
	}{
		{"none was due", nil, "", "it timed out", nil},
		{"none can be mined", nil, "wrong address", "", []string{"Warning MiningFailed no block can be mined: wrong address"}},
		{"nor could it before", nil, "wrong address", "wrong address", nil},
		{"a block is mined in its turn", regular, "", "", nil},
		{"a block is mined out of turn, which somebody may wonder about", outOfTurn, "", "",
			[]string{"Normal Mined payments-1 mined a block, because the last one is 26 hours old: nodes relay no transactions while they are in initial block download"}},
		{"after a failure, too", outOfTurn, "", "it timed out",
			[]string{"Normal Mined payments-1 mined a block, because the last one is 26 hours old: nodes relay no transactions while they are in initial block download"}},
		{"it could not be mined", outOfTurn, "it timed out", "", []string{"Warning MiningFailed payments-1 could not mine a block: it timed out"}},
		{"nor one in its turn", regular, "it timed out", "", []string{"Warning MiningFailed payments-1 could not mine a block: it timed out"}},
		{"nor could the next, for the same reason", outOfTurn, "it timed out", "it timed out", nil},
		{"nor the next, for another", regular, "invalid address", "it timed out", []string{"Warning MiningFailed payments-1 could not mine a block: invalid address"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			got := textsOf(Mined(statetest.Network(3), Outcome{Mined: test.block, MiningProblem: test.problem}, test.before))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A wait is told when it lasts, and once.
func TestPatience(t *testing.T) {
	const waiting = "Warning Waiting payments-0 waits for payments-1 to serve: its RPC port refuses connections"
	onAnother := forNode
	onAnother.Node = 2
	reworded := forNode
	reworded.For = "payments-1 to serve: it timed out"

	type look struct {
		in   time.Duration // since the look before
		wait *rollout.Wait
		want []string
	}
	for _, test := range []struct {
		reason string
		looks  []look
	}{
		{"nothing is waited for", []look{{0, nil, nil}, {time.Hour, nil, nil}}},
		{"a short wait is nobody's concern", []look{{0, &forNode, nil}, {waitTold - time.Second, &forNode, nil}, {time.Second, nil, nil}}},
		{"a long one is told, once", []look{{0, &forNode, nil}, {waitTold, &forNode, []string{waiting}}, {time.Hour, &forNode, nil}}},
		{"it is told as it is then", []look{
			{0, &forNode, nil},
			{waitTold, &reworded, []string{"Warning Waiting payments-0 waits for payments-1 to serve: it timed out"}},
			{time.Hour, &forNode, nil},
		}},
		{"nodes that take turns in waiting for the same wait all the while", []look{
			{0, &forNode, nil}, {waitTold - time.Second, &onAnother, nil}, {time.Second, &forNode, []string{waiting}},
			{waitTold, &onAnother, nil},
		}},
		{"so is one of the same node for something else", []look{
			{0, &forNode, nil}, {waitTold, &forNode, []string{waiting}},
			{time.Second, &forBudget, nil},
			{waitTold, &forBudget, []string{"Warning Waiting payments-0 waits for the disruption budget to allow its eviction"}},
		}},
		{"and the same one again, after it had come to an end", []look{
			{0, &forNode, nil}, {waitTold, &forNode, []string{waiting}},
			{time.Second, nil, nil}, {time.Second, &forNode, nil}, {waitTold - time.Second, &forNode, nil},
			{time.Second, &forNode, []string{waiting}},
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var patience Patience
			s := wellConnected(3)
			for i, look := range test.looks {
				s.seen.Now = s.seen.Now.Add(look.in)
				s.todo.Rollout.Wait = look.wait
				if diff := cmp.Diff(look.want, textsOf(patience.Events(s.network, s.seen, s.todo, s.outcome))); diff != "" {
					t.Errorf("look %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// A suspended network waits for nothing but its resumption. That drains go on is told
// of it, too.
func TestPatienceWithSuspendedNetworks(t *testing.T) {
	var patience Patience
	s := wellConnected(3).with(isSuspended, waitsFor(forHuman))
	s.todo.Shape.Drain = rollout.Drain{HeldSince: new(metav1.NewTime(statetest.Now)), Ended: true, JustEnded: true}
	if got := patience.Events(s.network, s.seen, s.todo, s.outcome); len(got) != 1 || got[0].Reason != v1alpha1.DrainMayLoseChainEvent {
		t.Errorf("got %v", got)
	}
	for range 2 {
		if got := patience.Events(s.network, s.seen, s.todo, s.outcome); len(got) > 0 {
			t.Errorf("got %v", got)
		}
		s.seen.Now = s.seen.Now.Add(waitTold)
	}
}

// What drains may cost now is told once each time that they were held up.
func TestPatienceWithDrains(t *testing.T) {
	told := func(since string) []string {
		return []string{"Warning DrainMayLoseChain drains have been held up since " + since +
			" because fewer than two ready nodes have block 7 (a00007000000…); they can now proceed and may lose that block"}
	}
	since, later := metav1.NewTime(statetest.Now.Add(-time.Hour)), metav1.NewTime(statetest.Now.Add(-time.Minute))
	var patience Patience
	s := wellConnected(3)
	for _, look := range []struct {
		reason string
		drain  rollout.Drain
		want   []string
	}{
		{"nothing is held up", rollout.Drain{}, nil},
		{"they are", rollout.Drain{HeldSince: &since}, nil},
		{"they go on", rollout.Drain{HeldSince: &since, Ended: true, JustEnded: true}, told("2026-01-02T11:00:00Z")},
		{"and on", rollout.Drain{HeldSince: &since, Ended: true, JustEnded: true}, nil},
		{"enough nodes have the block again", rollout.Drain{}, nil},
		{"too few do, another time", rollout.Drain{HeldSince: &later}, nil},
		{"which ends as well", rollout.Drain{HeldSince: &later, Ended: true, JustEnded: true}, told("2026-01-02T11:59:00Z")},
	} {
		s.todo.Shape.Drain = look.drain
		if diff := cmp.Diff(look.want, textsOf(patience.Events(s.network, s.seen, s.todo, s.outcome))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", look.reason, diff)
		}
	}
}

// A disk that fills is told once, and again when it has been better.
func TestPatienceWithDisks(t *testing.T) {
	const filling = "Warning DiskFilling payments-1 has used 80% of its limit on the machine's disk, which holds its chain; at 90% mining stops, and at the limit the pod is evicted: raise spec.resources.limits.ephemeral-storage, or create another network with spec.storage"
	var patience Patience
	s := wellConnected(3)
	node := &s.seen.Nodes[1]
	node.Pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("100"))},
	}}}
	for i, look := range []struct {
		used int64
		want []string
	}{
		{79, nil}, {80, []string{filling}}, {81, nil}, {95, nil}, {10, nil}, {80, []string{filling}},
	} {
		node.State.Chain.SizeOnDisk = look.used
		if diff := cmp.Diff(look.want, textsOf(patience.Events(s.network, s.seen, s.todo, s.outcome))); diff != "" {
			t.Errorf("look %d (-want +got):\n%s", i, diff)
		}
	}
}
