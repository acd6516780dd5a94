package rollout_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// What nodes do with the pairs of a changed Secret.
var (
	rejectsCurrent  = func(node *state.Node) { node.RejectsCurrent = true }
	rejectsPrevious = func(node *state.Node) { node.RejectsPrevious = true }
	notStopped      = func(node *state.Node) { node.NotStoppedAt = statetest.Now.Add(-time.Second) }
	acceptsOld      = func(node *state.Node) { node.AcceptsOld = true }
	mayAcceptOld    = func(node *state.Node) { node.MayAcceptOld = true }
	rejectsUser     = func(node *state.Node) { node.RejectsUsers = []string{"read"} }
	keepsUser       = func(node *state.Node) { node.KeepsUsers = []string{"read"} }
)

// rejecting returns a node that rejects everything, and shows that it is at block 7.
func rejecting(ordinal int, changes ...func(*corev1.Pod)) state.Node {
	return statetest.Rejecting(ordinal, 7, changes...)
}

// ago makes a pod one that was made, and a container one that was started, so long ago.
func ago(age time.Duration) func(*corev1.Pod) { return statetest.Created(statetest.Now.Add(-age)) }

func started(age time.Duration) func(*corev1.Pod) { return statetest.Started(statetest.Now.Add(-age)) }

func TestRestartForTheSecret(t *testing.T) {
	const hour, minute = time.Hour, time.Minute
	hourAgo := views{changedSecret(hour)}
	run(t, []decision{
		{
			reason: "nodes that accept what they should are left alone",
			nodes:  []state.Node{at(0), at(1)}, seen: hourAgo,
		},
		{
			reason: "one at a time, from the first, in its pod: it has its chain there",
			nodes:  []state.Node{with(at(0), rejectsCurrent), with(at(1), rejectsCurrent)}, seen: hourAgo,
			want: "Restart 0",
		},
		{
			reason: "the only node keeps its chain so, and no other has to copy it",
			nodes:  []state.Node{with(at(0), rejectsCurrent)}, seen: hourAgo,
			want: "Restart 0",
		},
		{
			reason: "one that rejects the pair of before, as clients may still use it",
			nodes:  []state.Node{at(0), with(at(1), rejectsPrevious)}, seen: hourAgo,
			want: "Restart 1",
		},
		{
			reason: "one that accepts a pair that has leaked",
			nodes:  []state.Node{at(0), with(at(1), acceptsOld)}, seen: hourAgo,
			want: "Restart 1",
		},
		{
			reason: "one that rejects a user's password",
			nodes:  []state.Node{at(0), with(at(1), rejectsUser)}, seen: hourAgo,
			want: "Restart 1",
		},
		{
			reason: "one that accepts a user's password that has leaked",
			nodes:  []state.Node{at(0), with(at(1), keepsUser)}, seen: hourAgo,
			want: "Restart 1",
		},
		{
			reason: "one whose image knows nothing of users would reject them again",
			nodes:  []state.Node{with(at(0, started(hour-minute)), rejectsUser)}, seen: hourAgo,
		},
		{
			reason: "one that has read the Secret as it is, and ignores it, would do so again",
			nodes:  []state.Node{with(at(0, started(hour-minute)), rejectsCurrent, acceptsOld)}, seen: hourAgo,
		},
		{
			reason: "one whose pod takes its credentials from elsewhere does not read it at all",
			nodes:  []state.Node{with(at(0), rejectsCurrent, func(node *state.Node) { node.ReadsOther = true })}, seen: hourAgo,
		},
		{
			reason: "one that does not run reads the Secret when it starts",
			nodes:  []state.Node{at(0), with(crashed(1), rejectsCurrent, lately)}, seen: hourAgo,
		},
		{
			reason: "one that waits in the kubelet's back-off after it was told to stop is not broken",
			nodes: []state.Node{at(0), with(silent(1, statetest.Container(statetest.Waiting("CrashLoopBackOff", ""), func(status *corev1.ContainerStatus) {
				status.RestartCount, status.LastTerminationState = 2, statetest.Exited(0, "Completed", "")
			})), rejectsCurrent)},
			network: changes{taken(1, restart, minute)}, seen: hourAgo,
		},
		{
			reason: "one on its way out is not told to stop",
			nodes:  []state.Node{at(0), with(at(1, statetest.Terminating), rejectsCurrent)}, seen: hourAgo,
		},

		{
			reason: "one that may accept such a pair, since nobody knows what it read",
			nodes:  []state.Node{at(0), with(at(1), mayAcceptOld)}, seen: hourAgo,
			want: "Restart 1",
		},
		{
			reason: "also when it was started just after the change",
			nodes:  []state.Node{at(0), with(at(1, started(hour-30*time.Second)), mayAcceptOld)}, seen: hourAgo,
			want: "Restart 1",
		},

		// The kubelet's copy of the Secret may be behind.
		{
			reason: "what nobody knows nobody could tell afterwards, so that it waits for the kubelet, though it was started before",
			nodes:  []state.Node{with(at(0), mayAcceptOld)}, seen: views{changedSecret(70*time.Second - 1)},
			want: "0 waits, time: the kubelet to refresh its copy of the Secret",
		},
		{
			reason: "until that has it for sure",
			nodes:  []state.Node{with(at(0), mayAcceptOld)}, seen: views{changedSecret(70 * time.Second)},
			want: "Restart 0",
		},
		{
			reason: "one that is known to be wrong does not wait for that",
			nodes:  []state.Node{with(at(0), mayAcceptOld, rejectsCurrent)}, seen: views{changedSecret(time.Second)},
			want: "Restart 0",
		},
		{
			reason: "one that was started just after the change is started once more, when the kubelet has it for sure",
			nodes:  []state.Node{with(at(0, started(minute)), rejectsCurrent)}, seen: views{changedSecret(minute + time.Second)},
			want: "0 waits, time: the kubelet to refresh its copy of the Secret",
		},
		{
			reason: "now it has",
			nodes:  []state.Node{with(at(0, started(70*time.Second)), rejectsCurrent)}, seen: views{changedSecret(70 * time.Second)},
			want: "Restart 0",
		},
		{
			reason: "one that was started before is not kept waiting",
			nodes:  []state.Node{with(at(0, started(minute)), rejectsCurrent)}, seen: views{changedSecret(time.Second)},
			want: "Restart 0",
		},
		{
			reason: "one that was told to stop may still answer",
			nodes:  []state.Node{with(at(0), rejectsCurrent), with(at(1), rejectsCurrent)}, seen: hourAgo,
			network: changes{taken(0, restart, time.Second)},
			want:    "0 waits, time: the kubelet to start it again",
		},
		{
			reason: "one that takes its time to end is not replaced meanwhile",
			nodes:  []state.Node{at(0), with(hung(1), rejectsCurrent)}, seen: hourAgo,
			network: changes{taken(1, restart, 5*minute-1)},
			want:    "1 waits, time: the kubelet to start it again",
		},

		// One at a time.
		{
			reason: "not while the one before is not back",
			nodes:  []state.Node{silent(0, startedAgain), with(at(1), rejectsCurrent)}, seen: hourAgo,
			network: changes{taken(0, restart, 5*minute-1)},
			want:    "1 waits, node: payments-0 to serve: its RPC port is closed",
		},
		{
			reason: "which after five minutes is broken, and holds up nobody",
			nodes:  []state.Node{silent(0, startedAgain), with(at(1), rejectsCurrent)}, seen: hourAgo,
			network: changes{taken(0, restart, 5*minute)},
			want:    "Restart 1",
		},
		{
			reason: "one that is back, and rejects the Secret all the same, holds up nobody",
			nodes:  []state.Node{rejecting(0, another, ago(minute)), with(at(1), rejectsCurrent)}, seen: hourAgo,
			network: changes{taken(0, replace, minute)},
			want:    "Restart 1",
		},
		{
			reason: "one that nobody uses need not wait",
			nodes:  []state.Node{silent(0, startedAgain), with(at(1, statetest.NotReady), rejectsCurrent)}, seen: hourAgo,
			network: changes{taken(0, restart, minute)},
			want:    "Restart 1",
		},

		// Others hold up nobody.
		{
			reason: "a node that cannot be made does not keep a leaked password valid on the others",
			nodes:  []state.Node{with(at(0), rejectsCurrent), state.Missing("exceeded quota"), with(at(2), rejectsCurrent)}, seen: hourAgo,
			want: "Restart 0",
		},
		{
			reason: "nor does one that crashes",
			nodes:  []state.Node{with(crashed(0), lately), with(at(1), rejectsCurrent)}, seen: hourAgo,
			want: "Restart 1",
		},
		{
			reason: "image and Secret in one change: nodes are replaced, and read it so",
			nodes:  []state.Node{with(at(0, old), rejectsCurrent), with(at(1, old), rejectsCurrent)}, seen: hourAgo,
			want: "Replace 0",
		},
		{
			reason: "where the image is bad, the others are restarted with the one that they have",
			nodes:  []state.Node{with(crashed(0), lately), with(at(1, old), rejectsCurrent), with(at(2, old), rejectsCurrent)}, seen: hourAgo,
			want: "Restart 1",
		},
		{
			reason: "when it has had its five minutes",
			nodes:  []state.Node{with(crashed(0), lately), with(at(1, old), rejectsCurrent)}, seen: hourAgo,
			network: changes{taken(0, replace, minute)},
			want:    "1 waits, node: payments-0 to serve: CrashLoopBackOff",
		},
		{
			reason: "a node whose replacement a budget refuses is restarted",
			nodes:  []state.Node{with(at(0, old), rejectsCurrent, refused(time.Second)), at(1)}, seen: hourAgo,
			want: "Restart 0",
		},
		{
			reason: "one whose bitcoind does not take the call to stop gives way to the others",
			nodes:  []state.Node{with(at(0), rejectsCurrent, notStopped), with(at(1), rejectsCurrent)}, seen: hourAgo,
			want: "Restart 1",
		},
		{
			reason: "and says so",
			nodes:  []state.Node{with(at(0), rejectsCurrent, notStopped), at(1)}, seen: hourAgo,
			want: "0 waits, node: its bitcoind to accept the call to stop",
		},
		{
			reason: "and the only one, whose chain a second one is to copy first",
			nodes:  []state.Node{with(at(0, old), rejectsCurrent)}, seen: hourAgo,
			want: "Restart 0",
		},
	})
}

func TestReplaceForTheSecret(t *testing.T) {
	const hour, minute = time.Hour, time.Minute
	hourAgo := views{changedSecret(hour)}
	run(t, []decision{
		{
			reason: "one that rejects everything cannot be told to stop; the highest goes first, since it can dial the others",
			nodes:  []state.Node{rejecting(0), rejecting(1), rejecting(2)}, seen: hourAgo,
			want: "Replace 2",
		},
		{
			reason: "not while the one before is not back, since clients may still use it",
			nodes:  []state.Node{rejecting(0), rejecting(1), silent(2, another)}, seen: hourAgo,
			network: changes{taken(2, replace, minute)},
			want:    "0 waits, node: payments-2 to serve: its RPC port is closed",
		},
		{
			reason: "then the next",
			nodes:  []state.Node{rejecting(0), rejecting(1), at(2, another, ago(minute))}, seen: hourAgo,
			network: changes{taken(2, replace, minute)},
			want:    "Replace 1",
		},
		{
			reason: "not one that alone shows the best block",
			nodes:  []state.Node{rejecting(0), behind(1, another, ago(minute))}, seen: hourAgo,
			want: "0 waits, best_block: payments-1 to have " + best + ": it does not have " + best + " yet",
		},
		{
			reason: "but one below it that does not",
			nodes:  []state.Node{statetest.Rejecting(0, 3), rejecting(1)}, seen: hourAgo,
			want: "Replace 0",
		},
		{
			reason: "not before the operator knows what they have, after the Secret changed while it was away",
			nodes:  []state.Node{with(rejecting(0, statetest.NotReady), untold), with(rejecting(1, statetest.NotReady), untold)},
			seen:   views{changedSecret(hour), recording(7)},
			want:   "1 waits, time: its first answer, for up to a minute: it is not known yet which blocks it has",
		},
		{
			reason: "nor by a node that has been emptied meanwhile",
			nodes:  []state.Node{statetest.NodeAt(0, 0, "a"), with(rejecting(1, statetest.NotReady), unknown)},
			seen:   views{changedSecret(hour), recording(7)},
			want:   "1 waits, best_block: payments-0 to have " + best + ": it does not have " + best + " yet",
		},
		{
			reason: "its volume stays",
			nodes:  []state.Node{rejecting(0)}, network: changes{onVolumes}, seen: hourAgo,
			want: "Replace 0",
		},
		{
			reason: "the only node waits for a second one to copy its chain",
			nodes:  []state.Node{rejecting(0), state.Missing("")}, seen: append(hourAgo, wanting(1)),
			want: "0 waits, best_block: payments-1 to have " + best + ": it has no pod",
		},
		{
			reason: "one that was replaced, and rejects everything again, would do so once more",
			nodes:  []state.Node{rejecting(0, another, ago(hour-minute)), at(1)}, seen: hourAgo,
		},
		{
			reason: "a restart of its container does not count: it may have read an older copy",
			nodes:  []state.Node{at(0), rejecting(1, started(minute))}, seen: hourAgo,
			want: "Replace 1",
		},
		{
			reason: "a full queue neither rejects nor answers: whoever fills it does not keep a leaked password valid",
			nodes:  []state.Node{at(0), hung(1)}, seen: hourAgo,
			want: "Replace 1",
		},
		{
			reason: "nor where it is a moment, and the node may be told to stop the next",
			nodes:  []state.Node{at(0), with(hung(1), func(node *state.Node) { node.LastAnswer = statetest.Now.Add(-time.Minute + 1) }, lately)}, seen: hourAgo,
			want: "",
		},
		{
			reason: "one that hangs, and has read the Secret, has another reason",
			nodes:  []state.Node{at(0), with(hung(1, started(hour)), lately)}, seen: hourAgo,
		},
		{
			reason: "those that are in use go one at a time, also where the operator cannot reach them",
			nodes:  []state.Node{silent(0, another), with(hung(1), func(node *state.Node) { node.Pod = statetest.Pod(1) })},
			seen:   hourAgo, network: changes{onVolumes, taken(0, replace, minute)},
			want: "1 waits, node: payments-0 to serve: its RPC port is closed",
		},
		{
			reason: "a budget that lets none go while a node is broken waits for that to be repaired",
			nodes:  []state.Node{at(0), crashed(1), with(rejecting(2), refused(10*time.Second))}, seen: hourAgo,
			want: "Replace 1 to repair it",
		},
		{
			reason: "a node that waits for its turn to be replaced does not keep another from its restart",
			nodes:  []state.Node{with(at(0), rejectsCurrent), statetest.Rejecting(1, 8)}, seen: hourAgo,
			want: "Restart 0",
		},
	})
}
