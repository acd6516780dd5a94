package status

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// knowing makes a node one whose pod knows the user "read".
func knowing(node state.Node, changes ...func(*state.Node)) state.Node {
	node.Pod.Spec.Containers = []corev1.Container{{
		Name: resources.Container, Env: []corev1.EnvVar{{Name: bitcoind.WhitelistsVariable, Value: "read:uptime"}},
	}}
	for _, change := range changes {
		change(&node)
	}
	return node
}

func rejectsUser(node *state.Node) { node.RejectsUsers = []string{"read"} }
func keepsUser(node *state.Node)   { node.KeepsUsers = []string{"read"} }

// usersChanged is a network of which the Secret has changed, with so many passwords of
// the user "read", or what is wrong with them.
func usersChanged(passwords int, problem string, nodes ...state.Node) situation {
	s := rotation(1, nodes...)
	s.seen.Secret.Users = []state.User{{Name: "read", Passwords: passwords, Problem: problem}}
	return s
}

func TestCredentialsOfUsers(t *testing.T) {
	from := func(node state.Node) state.Node { statetest.OfOldRevision(node.Pod); return node }
	before := func(ordinal int) state.Node { return knowing(statetest.NodeAt(ordinal, 7, "a"), rejectsUser) }
	const (
		missing  = "BC_RPC_PASSWORD_READ must be set and not be empty"
		read     = `True SecretRead: Secret "bitcoin-rpc" was read`
		rejected = `True UsersRejected: Secret "bitcoin-rpc" was read; user "read": `
	)
	for _, test := range []struct {
		reason    string
		situation situation
		want      string
		isRead    bool
	}{
		{"all let it in", usersChanged(1, "", knowing(accepting(0)), knowing(accepting(1))), read, true},
		{"one runs from before the change, and is to be started again", usersChanged(1, "", knowing(accepting(0)), before(1)),
			`True Rotating: Secret "bitcoin-rpc" has changed; 1 of 2 nodes are up to date, the others will be restarted`, false},
		{"one still lets in what the Secret no longer has", usersChanged(1, "", knowing(accepting(0)), knowing(statetest.NodeAt(1, 7, "a"), keepsUser)),
			`True Rotating: Secret "bitcoin-rpc" has changed; 1 of 2 nodes are up to date, the others will be restarted`, false},
		{"a change of two steps begins", usersChanged(2, "", knowing(accepting(0)), before(1)),
			`True Rotating: Secret "bitcoin-rpc" has new credentials; 1 of 2 nodes accept them. Keep using the previous ones until all nodes do`, false},
		{"all accept both", usersChanged(2, "", knowing(accepting(0)), knowing(accepting(1))),
			`True Rotated: every node accepts both the new and the previous credentials from Secret "bitcoin-rpc": ` +
				`switch all clients to the new ones, then remove BC_RPC_PASSWORD_READ_PREVIOUS`, true},
		{"with the operator's own in the same change", usersChanged(2, "", knowing(accepting(0)), knowing(accepting(1))).with(func(s *situation) { s.seen.Secret.Pairs = 2 }),
			`True Rotated: every node accepts both the new and the previous credentials from Secret "bitcoin-rpc": ` +
				`switch all clients to the new ones, then remove BC_RPC_USER_PREVIOUS, BC_RPC_PASSWORD_PREVIOUS and BC_RPC_PASSWORD_READ_PREVIOUS`, true},

		{"the user is new: one pod knows nothing of it", usersChanged(1, "", knowing(accepting(0)), from(accepting(1))),
			`True Rotating: Secret "bitcoin-rpc" was read; 1 of 2 nodes know all users in spec.users, the others will be replaced`, false},
		{"nor need it, before there is a password", usersChanged(0, missing, knowing(accepting(0)), from(accepting(1))), rejected + missing, true},

		{"there is no password", usersChanged(0, missing, knowing(accepting(0)), knowing(accepting(1))), rejected + missing, true},
		{"there is the previous alone", usersChanged(1, missing, knowing(accepting(0)), knowing(accepting(1))), rejected + missing, true},
		{"while something else goes on", usersChanged(0, missing, knowing(accepting(0)), unasked(1)),
			`True Rotating: Secret "bitcoin-rpc" has changed; 1 of 2 nodes are up to date, the others will be restarted; user "read": ` + missing, false},
		{"there are no credentials at all, which matters more", usersChanged(0, missing).with(func(s *situation) {
			s.seen.Secret.Unusable = &state.Problem{Reason: v1alpha1.SecretIncompleteReason, Message: "no"}
		}), `False SecretIncomplete: no`, false},
		{"the image knows nothing of users", usersChanged(1, "", knowing(accepting(0), rejectsUser), knowing(accepting(1), rejectsUser)),
			rejected + "2 of 2 nodes reject its password, although they were started with it: their image must have a bitcoind-start that supports users", false},
		{"or accepts what it read once", usersChanged(1, "", knowing(accepting(0), keepsUser), knowing(accepting(1))),
			rejected + "1 of 2 nodes still accept a password that is no longer in the Secret: their image must accept the passwords in the Secret and no others", false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := test.situation.report()
			if diff := cmp.Diff(test.want, said(network, v1alpha1.CredentialsReadyCondition)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if network.Status.SecretRead != test.isRead {
				t.Errorf("secretRead: %t, want %t", network.Status.SecretRead, test.isRead)
			}
			if test.situation.seen.Secret.Unusable == nil && int(network.Status.SecretUsers) != test.situation.seen.Secret.Passwords() {
				t.Errorf("secretUsers: %d", network.Status.SecretUsers)
			}
		})
	}
}

// Users that are not let in keep the network from nothing.
func TestNetworkIsReadyWithoutItsUsers(t *testing.T) {
	network := usersChanged(0, "no password", knowing(accepting(0)), knowing(accepting(1))).report()
	if got, want := said(network, "Ready"), "True Connected: 2 nodes answer RPC, 1 link connected"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
