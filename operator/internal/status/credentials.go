package status

import (
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// acceptance counts the nodes by what they do with the credentials of the Secret.
type acceptance struct {
	// accepting accept all of them, and none that the Secret no longer has.
	accepting int
	// pending are still to be started with them; lacking are to be replaced by ones that
	// know of users who were added.
	pending, lacking int
	// rejectCurrent and rejectPrevious were started with them, and reject that pair
	// all the same; keepOld accept one that the Secret no longer has.
	rejectCurrent, rejectPrevious, keepOld int
}

func acceptanceOf(seen *state.Network) acceptance {
	var found acceptance
	for _, node := range seen.WantedNodes() {
		isWrong := node.DiffersFromSecret() || node.MayAcceptOld
		switch {
		case node.Pod == nil:
		case isWrong && isToBeStarted(seen, node):
			found.pending++
		case node.RejectsAll || node.RejectsCurrent:
			found.rejectCurrent++
		case node.AcceptsOld:
			found.keepOld++
		case node.RejectsPrevious:
			found.rejectPrevious++
		case lacksUser(seen, node):
			found.lacking++
		case node.Answers && !node.DiffersFromSecret():
			found.accepting++
		case node.Answers: // but for users, which they are told of by name
		case state.ReadSecretAt(node).Before(seen.Secret.ChangedAt):
			found.pending++
		}
	}
	return found
}

// isToBeStarted reports whether a node is still to be started with the Secret as it
// is. A pod that does not run the present template may not even know of the Secret.
func isToBeStarted(seen *state.Network, node state.Node) bool {
	return !seen.Settled() || seen.IsOutdated(node) || seen.MissedSecret(node)
}

func setCredentialsReady(network *v1alpha1.BitcoinNetwork, seen *state.Network) {
	found := acceptanceOf(seen)
	condition := credentialsReady(network, seen, found)
	if notApplied := seen.Secret.NotApplied; notApplied != "" {
		condition.Message += "; " + notApplied
		if condition.Reason == v1alpha1.SecretReadReason || condition.Reason == v1alpha1.RotatedReason {
			condition.Reason = v1alpha1.SecretOutdatedReason
		}
	}
	if problems := userProblems(seen); len(problems) > 0 && condition.Status == metav1.ConditionTrue {
		condition.Message += "; " + list(problems)
		if condition.Reason == v1alpha1.SecretReadReason || condition.Reason == v1alpha1.RotatedReason {
			condition.Reason = v1alpha1.UsersRejectedReason
		}
	}
	conditions.Set(network, condition)
	if seen.Secret.Unusable == nil && network.Spec.Secret != "" {
		recordSecret(network, seen, seen.Wanted > 0 && found.accepting == seen.Wanted)
	}
}

// credentialsReady returns the condition CredentialsReady but for what the SealedSecret
// says.
func credentialsReady(network *v1alpha1.BitcoinNetwork, seen *state.Network, found acceptance) *metav1.Condition {
	const condition = v1alpha1.CredentialsReadyCondition
	secret, nodes, unusable := network.Spec.Secret, seen.Wanted, seen.Secret.Unusable
	previous := previousKeys(seen.Secret)
	switch {
	case unusable != nil && network.Status.Height != nil && nodes > 0:
		return conditions.FalseCondition(condition, unusable.Reason, "%s; running nodes are left untouched", unusable.Message)
	case unusable != nil:
		return conditions.FalseCondition(condition, unusable.Reason, "%s", unusable.Message)
	case secret == "":
		return conditions.TrueCondition(condition, v1alpha1.DefaultCredentialsReason,
			"spec.secret is not set, so the nodes use the default credentials: anyone who can reach them can log in")
	case found.rejectCurrent > 0:
		return conditions.FalseCondition(condition, v1alpha1.CredentialsRejectedReason,
			"%d of %d nodes were started with the current Secret %q and reject its credentials: if the Secret was deleted and recreated while it was immutable, kubelets keep their old copy as long as a pod on their machine uses it; a custom image must accept the credentials in %s and %s",
			found.rejectCurrent, nodes, secret, bitcoind.UserKey, bitcoind.PasswordKey)
	case found.keepOld > 0:
		return conditions.FalseCondition(condition, v1alpha1.CredentialsRejectedReason,
			"%d of %d nodes were started with the current Secret %q and still accept credentials that are no longer in it: a custom image must accept the credentials in the Secret and no others",
			found.keepOld, nodes, secret)
	case found.pending > 0 && len(previous) > 0:
		return conditions.TrueCondition(condition, v1alpha1.RotatingReason,
			"Secret %q has new credentials; %d of %d nodes accept them. Keep using the previous ones until all nodes do", secret, found.accepting, nodes)
	case found.pending > 0:
		return conditions.TrueCondition(condition, v1alpha1.RotatingReason,
			"Secret %q has changed; %d of %d nodes are up to date, the others will be restarted", secret, found.accepting, nodes)
	case found.lacking > 0:
		return conditions.TrueCondition(condition, v1alpha1.RotatingReason,
			"Secret %q was read; %d of %d nodes know all users in spec.users, the others will be replaced", secret, nodes-found.lacking, nodes)
	case found.rejectPrevious > 0:
		return conditions.TrueCondition(condition, v1alpha1.RotatingReason,
			"%d of %d nodes were started with the current Secret %q but reject part of it: a custom image must also accept %s and %s",
			found.rejectPrevious, nodes, secret, bitcoind.PreviousUserKey, bitcoind.PreviousPasswordKey)
	case len(previous) > 0 && (found.accepting == nodes || isRead(network, seen)):
		return conditions.TrueCondition(condition, v1alpha1.RotatedReason,
			"every node accepts both the new and the previous credentials from Secret %q: switch all clients to the new ones, then remove %s",
			secret, and(previous))
	case len(previous) > 0:
		return conditions.TrueCondition(condition, v1alpha1.RotatingReason,
			"Secret %q has new credentials; %d of %d nodes accept them. Keep using the previous ones until all nodes do", secret, found.accepting, nodes)
	case seen.Secret.Warning != "":
		return conditions.TrueCondition(condition, v1alpha1.SecretReadReason, "Secret %q was read; %s", secret, seen.Secret.Warning)
	default:
		return conditions.TrueCondition(condition, v1alpha1.SecretReadReason, "Secret %q was read", secret)
	}
}

// recordSecret writes into the status what the Secret is, at once, and whether every
// node has read it, which stays so until it changes.
func recordSecret(network *v1alpha1.BitcoinNetwork, seen *state.Network, readByAll bool) {
	status := &network.Status
	status.SecretRead = readByAll || isRead(network, seen)
	status.SecretChangedAt = new(metav1.NewTime(seen.Secret.ChangedAt.Truncate(time.Second)))
	status.SecretPairs = int32(seen.Secret.Pairs)
	status.SecretUsers = int32(seen.Secret.Passwords())
}

// isRead reports whether every node was once seen to accept the Secret as it is.
func isRead(network *v1alpha1.BitcoinNetwork, seen *state.Network) bool {
	recorded := network.Status.SecretChangedAt
	return network.Status.SecretRead && recorded != nil && recorded.Time.Equal(seen.Secret.ChangedAt.Truncate(time.Second))
}
