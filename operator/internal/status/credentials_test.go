package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// When the Secret last changed, and when nodes were started with it.
var (
	changedAt   = statetest.Now.Add(-10 * time.Minute)
	restartedAt = statetest.Now.Add(-5 * time.Minute)
)

// rotation is a network whose Secret has changed, and has so many pairs.
func rotation(pairs int, nodes ...state.Node) situation {
	s := situation{
		network: statetest.Network(int32(len(nodes))), seen: statetest.Seen(nodes...),
		todo: plan.Plan{Links: statetest.Links(len(nodes))},
	}
	s.seen.Secret = state.Secret{Pairs: pairs, ChangedAt: changedAt}
	return s
}

// unasked is a node that runs since before the change, and rejects the new pair.
func unasked(ordinal int) state.Node {
	node := statetest.NodeAt(ordinal, 7, "a")
	node.RejectsCurrent = true
	return node
}

// accepting is a node that was started after the change, and accepts what it should.
func accepting(ordinal int) state.Node {
	return statetest.NodeAt(ordinal, 7, "a", statetest.Created(restartedAt))
}

// rejecting is a node that was started after the change, and rejects the current pair.
func rejecting(ordinal int) state.Node {
	node := accepting(ordinal)
	node.RejectsCurrent, node.Problem = true, "it rejects the current credentials"
	return node
}

func TestCredentialsReady(t *testing.T) {
	startedAt := func(at time.Time) state.Node {
		node := statetest.NodeAt(2, 7, "a", statetest.Created(at))
		node.RejectsCurrent = true
		return node
	}
	that := func(node state.Node, change func(*state.Node)) state.Node {
		change(&node)
		return node
	}
	acceptsOld := func(node *state.Node) { node.AcceptsOld = true }
	rejectsPrevious := func(node *state.Node) { node.RejectsPrevious = true }
	notApplied := func(s *situation) { s.seen.Secret.NotApplied = "it does not match its SealedSecret: no key" }
	isOutdated := func(node *state.Node) { statetest.OfOldRevision(node.Pod) }
	recordedAt := func(at time.Time) func(*situation) {
		return func(s *situation) {
			s.network.Status.SecretChangedAt, s.network.Status.SecretRead = new(metav1.NewTime(at)), true
		}
	}
	const (
		read     = `True SecretRead: Secret "bitcoin-rpc" was read`
		changed  = `True Rotating: Secret "bitcoin-rpc" has changed; %d of 3 nodes are up to date, the others will be restarted`
		rotating = `True Rotating: Secret "bitcoin-rpc" has new credentials; %d of 3 nodes accept them. Keep using the previous ones until all nodes do`
		rotated  = `True Rotated: every node accepts both the new and the previous credentials from Secret "bitcoin-rpc": ` +
			`switch all clients to the new ones, then remove BC_RPC_USER_PREVIOUS and BC_RPC_PASSWORD_PREVIOUS`
		partly = `True Rotating: 1 of 3 nodes were started with the current Secret "bitcoin-rpc" but reject part of it: ` +
			`a custom image must also accept BC_RPC_USER_PREVIOUS and BC_RPC_PASSWORD_PREVIOUS`
		rejected = `False CredentialsRejected: %d of 3 nodes were started with the current Secret "bitcoin-rpc" and reject its credentials: ` +
			`if the Secret was deleted and recreated while it was immutable, kubelets keep their old copy as long as a pod on their machine uses it; ` +
			`a custom image must accept the credentials in BC_RPC_USER and BC_RPC_PASSWORD`
		kept = `False CredentialsRejected: 1 of 3 nodes were started with the current Secret "bitcoin-rpc" and still accept credentials that are no longer in it: ` +
			`a custom image must accept the credentials in the Secret and no others`
	)
	for _, test := range []struct {
		reason    string
		situation situation
		want      string
		// isRead reports whether it is put on record that all nodes have read the Secret
		// as it is.
		isRead bool
	}{
		{"all nodes accept the only pair", rotation(1, accepting(0), accepting(1), accepting(2)), read, true},
		{"a lone node does", rotation(1, accepting(0)), read, true},
		{"what is odd about it is told", rotation(1, accepting(0)).with(func(s *situation) { s.seen.Secret.Warning = "BC_RPC_PASSWORD is odd" }),
			read + "; BC_RPC_PASSWORD is odd", true},
		{"its SealedSecret could not be applied", rotation(1, accepting(0)).with(notApplied),
			`True SecretOutdated: Secret "bitcoin-rpc" was read; it does not match its SealedSecret: no key`, true},
		{"also while there are two pairs, which are not Git's newest either", rotation(2, accepting(0), accepting(1), accepting(2)).with(notApplied),
			strings.Replace(rotated, "Rotated", "SecretOutdated", 1) + "; it does not match its SealedSecret: no key", true},
		{"an earlier change goes on", rotation(1, accepting(0), accepting(1), unasked(2)).with(notApplied),
			fmt.Sprintf(changed, 2) + "; it does not match its SealedSecret: no key", false},
		{"nodes reject what there is, which matters more", rotation(1, accepting(0), accepting(1), rejecting(2)).with(notApplied),
			fmt.Sprintf(rejected, 1) + "; it does not match its SealedSecret: no key", false},
		{"one runs from before the change", rotation(1, accepting(0), accepting(1), unasked(2)), fmt.Sprintf(changed, 2), false},
		{"so do all", rotation(1, unasked(0), unasked(1), unasked(2)), fmt.Sprintf(changed, 0), false},
		{"one that accepts the new pair may accept the old one, too",
			rotation(1, accepting(0), accepting(1), that(statetest.NodeAt(2, 7, "a"), acceptsOld)), fmt.Sprintf(changed, 2), false},
		{"one of which nobody knows whether it does",
			rotation(1, accepting(0), accepting(1), that(statetest.NodeAt(2, 7, "a"), func(node *state.Node) { node.MayAcceptOld = true })), fmt.Sprintf(changed, 2), false},
		{"one that cannot be asked, from before the change",
			rotation(1, accepting(0), accepting(1), statetest.Silent(2, closed)), fmt.Sprintf(changed, 2), false},
		{"one that cannot be asked has read it if it was started since, but that is not on record",
			rotation(1, accepting(0), accepting(1), statetest.Silent(2, closed, statetest.Created(restartedAt))), read, false},
		{"one that was started just when it changed", rotation(1, accepting(0), accepting(1), statetest.Silent(2, closed, statetest.Created(changedAt))), read, false},
		{"one without a pod reads it when it has one", rotation(1, accepting(0), accepting(1), state.Missing("")), read, false},
		{"one that rejects everything and never had another pod", rotation(1, accepting(0), accepting(1), statetest.Rejecting(2, 7)), fmt.Sprintf(changed, 2), false},
		{"nor does a new container in that pod help it",
			rotation(1, accepting(0), accepting(1), statetest.Rejecting(2, 7, statetest.Started(restartedAt))), fmt.Sprintf(changed, 2), false},
		{"pods that go count no more",
			rotation(1, accepting(0), accepting(1), unasked(2)).with(func(s *situation) { s.seen.Wanted = 2 }), read, true},
		{"where no nodes are asked for there is none to accept anything", rotation(1), read, false},

		{"a new pod rejects it all the same", rotation(1, accepting(0), accepting(1), statetest.Rejecting(2, 7, statetest.Created(restartedAt))), fmt.Sprintf(rejected, 1), false},
		{"a new container rejects the current pair", rotation(1, accepting(0), accepting(1), rejecting(2)), fmt.Sprintf(rejected, 1), false},
		{"two do: that is told before what is still to be started", rotation(2, unasked(0), rejecting(1), rejecting(2)), fmt.Sprintf(rejected, 2), false},
		{"the kubelet may have given it its old copy of the Secret", rotation(1, accepting(0), accepting(1), startedAt(changedAt.Add(59*time.Second))), fmt.Sprintf(changed, 2), false},
		{"but not after a minute", rotation(1, accepting(0), accepting(1), startedAt(changedAt.Add(time.Minute))), fmt.Sprintf(rejected, 1), false},
		{"a pod from before the last change may not know of the Secret",
			rotation(1, accepting(0), accepting(1), that(rejecting(2), isOutdated)), fmt.Sprintf(changed, 2), false},
		{"nobody knows yet which pods those are",
			rotation(1, accepting(0), accepting(1), rejecting(2)).with(func(s *situation) { s.seen.StatefulSet.Generation++ }), fmt.Sprintf(changed, 2), false},

		{"a new container accepts what the Secret no longer has", rotation(1, accepting(0), accepting(1), that(accepting(2), acceptsOld)), kept, false},
		{"that is told before what is still to be started", rotation(1, unasked(0), accepting(1), that(accepting(2), acceptsOld)), kept, false},
		{"a password that should be gone is worse than one that should be there",
			rotation(2, accepting(0), accepting(1), that(that(accepting(2), acceptsOld), rejectsPrevious)), kept, false},

		{"a change of two steps begins", rotation(2, unasked(0), unasked(1), unasked(2)), fmt.Sprintf(rotating, 0), false},
		{"and goes on", rotation(2, accepting(0), unasked(1), unasked(2)), fmt.Sprintf(rotating, 1), false},
		{"one has the new pair alone", rotation(2, accepting(0), accepting(1), that(statetest.NodeAt(2, 7, "a"), rejectsPrevious)), fmt.Sprintf(rotating, 2), false},
		{"all nodes accept both", rotation(2, accepting(0), accepting(1), accepting(2)), rotated, true},
		{"an image that knows of one pair is not waited for", rotation(2, accepting(0), accepting(1), that(accepting(2), rejectsPrevious)), partly, false},
		{"but those that are to be started are", rotation(2, accepting(0), unasked(1), that(accepting(2), rejectsPrevious)), fmt.Sprintf(rotating, 1), false},
		{"where no nodes are asked for clients may switch", rotation(2), rotated, false},

		{"one that was seen to accept both and fails later accepts both all the same",
			rotation(2, accepting(0), accepting(1), statetest.Silent(2, closed, statetest.Created(restartedAt))).with(recordedAt(changedAt)), rotated, true},
		{"and so does its successor", rotation(2, accepting(0), accepting(1), state.Missing("")).with(recordedAt(changedAt)), rotated, true},
		{"of other pairs that was never seen", rotation(2, accepting(0), accepting(1), state.Missing("")).with(recordedAt(changedAt.Add(-time.Hour))), fmt.Sprintf(rotating, 2), false},
		{"nor of any", rotation(2, accepting(0), accepting(1), state.Missing("")), fmt.Sprintf(rotating, 2), false},
		{"the next pairs come while nobody can be asked",
			rotation(2, statetest.Silent(0, closed), statetest.Silent(1, closed), statetest.Silent(2, closed)).with(recordedAt(changedAt.Add(-time.Hour))), fmt.Sprintf(rotating, 0), false},
		{"or while nobody is there",
			rotation(2, state.Missing(""), state.Missing(""), state.Missing("")).with(recordedAt(changedAt.Add(-time.Hour))), fmt.Sprintf(rotating, 0), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := test.situation.network
			wasRead := network.Status.SecretRead && network.Status.SecretChangedAt.Time.Equal(changedAt)
			if diff := cmp.Diff(test.want, said(test.situation.report(), v1alpha1.CredentialsReadyCondition)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got, want := network.Status.SecretRead, test.isRead || wasRead; got != want {
				t.Errorf("secretRead: got %t, want %t", got, want)
			}
			if got := network.Status.SecretChangedAt; !got.Time.Equal(changedAt) || int(network.Status.SecretPairs) != test.situation.seen.Secret.Pairs {
				t.Errorf("what the Secret is must be on record at once: %d pairs since %s", network.Status.SecretPairs, got)
			}
		})
	}
}

// Whoever cannot use the Secret's password finds Ready False, and why.
func TestRejectedCredentialsAreNotReady(t *testing.T) {
	network := rotation(1, accepting(0), accepting(1), rejecting(2)).report()
	if got := conditions.GetReason(network, meta.ReadyCondition); got != v1alpha1.CredentialsRejectedReason || conditions.IsReady(network) {
		t.Errorf("Ready is %s", said(network, meta.ReadyCondition))
	}
}

// What is not there, or not the tenant's, cannot have been read.
func TestNothingIsRecordedOfUnusableCredentials(t *testing.T) {
	withDefaults := rotation(1, accepting(0))
	withDefaults.network.Spec.Secret = ""
	unusable := rotation(1, accepting(0))
	unusable.seen.Secret.Unusable = &state.Problem{Reason: v1alpha1.SecretNotFoundReason, Message: "no"}
	for name, s := range map[string]situation{"defaults": withDefaults, "unusable": unusable} {
		if got := s.report().Status.SecretChangedAt; got != nil {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Clients go by this: while it says Rotating they must use the previous password, and
// once it says Rotated they may use either.
func TestPasswordChangeIsReportedAsOne(t *testing.T) {
	s := rotation(2, unasked(0), unasked(1), unasked(2))
	acceptsBoth := func(ordinal int) func(nodes []state.Node) {
		return func(nodes []state.Node) { nodes[ordinal] = accepting(ordinal) }
	}
	const rotating = `True Rotating: Secret "bitcoin-rpc" has new credentials; %d of 3 nodes accept them. Keep using the previous ones until all nodes do`
	for _, step := range []struct {
		reason string
		change func(nodes []state.Node)
		want   string
	}{
		{"it begins", func([]state.Node) {}, fmt.Sprintf(rotating, 0)},
		{"a node was restarted", acceptsBoth(0), fmt.Sprintf(rotating, 1)},
		{"another was", acceptsBoth(1), fmt.Sprintf(rotating, 2)},
		{"the last one is gone and not back: it accepts neither", func(nodes []state.Node) { nodes[2] = state.Missing("") }, fmt.Sprintf(rotating, 2)},
		{"nor while it starts", func(nodes []state.Node) {
			nodes[2] = statetest.Silent(2, isStarting, statetest.Created(restartedAt))
		}, fmt.Sprintf(rotating, 2)},
		{"all accept both", acceptsBoth(2), `True Rotated: every node accepts both the new and the previous credentials from Secret "bitcoin-rpc": ` +
			"switch all clients to the new ones, then remove BC_RPC_USER_PREVIOUS and BC_RPC_PASSWORD_PREVIOUS"},
	} {
		step.change(s.seen.Nodes)
		if diff := cmp.Diff(step.want, said(s.report(), v1alpha1.CredentialsReadyCondition)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.reason, diff)
		}
	}
	s.seen.Nodes[1] = statetest.Silent(1, closed, statetest.Created(restartedAt))
	if got := conditions.GetReason(s.report(), v1alpha1.CredentialsReadyCondition); got != v1alpha1.RotatedReason {
		t.Errorf("a node that fails later has accepted both all the same: %s", got)
	}
	s.seen.Nodes[1] = accepting(1)
	s.seen.Nodes[1].RejectsPrevious = true
	if got := conditions.GetMessage(s.report(), v1alpha1.CredentialsReadyCondition); !strings.HasPrefix(got, `1 of 3 nodes were started with the current Secret "bitcoin-rpc" but reject part of it`) {
		t.Errorf("an image that knows of one pair alone is not waited for: %s", got)
	}
}
