package observe

import (
	"context"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// Passwords of a user.
var (
	first  = bitcoind.NewCredentials("read", "first")
	second = bitcoind.NewCredentials("read", "second")
)

// knowing makes a pod one whose node knows these users.
func knowing(users ...string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		from(statetest.Secret)(pod)
		pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: bitcoind.WhitelistsVariable, Value: strings.Join(users, ":uptime ") + ":uptime"}}
	}
}

// withUsers gives the network users, and the Secret passwords of the first.
func (s *scene) withUsers(at time.Time, passwords pairs, users ...string) {
	s.network.Spec.Users = nil
	for _, user := range users {
		s.network.Spec.Users = append(s.network.Spec.Users, v1alpha1.User{Name: user, Profile: v1alpha1.ReadProfile})
	}
	s.sets(at, alice)
	current, previous := bitcoind.UserPasswordKeys(users[0])
	for i, key := range []string{current, previous}[:len(passwords)] {
		s.secret.Data[key] = []byte(passwords[i].Password())
	}
}

// userVerdict says in short what is known of the users whom a node lets in.
func userVerdict(node state.Node) string {
	var words []string
	if len(node.RejectsUsers) > 0 {
		words = append(words, "rejects "+strings.Join(node.RejectsUsers, ", "))
	}
	if len(node.KeepsUsers) > 0 {
		words = append(words, "keeps "+strings.Join(node.KeepsUsers, ", "))
	}
	return strings.Join(words, "; ")
}

func TestUsersAreVerified(t *testing.T) {
	for _, test := range []struct {
		reason   string
		before   pairs // what the Secret had for the user
		now      pairs
		accepts  pairs
		knows    []string
		want     string
		requests int // beside the check, at the first look since
	}{
		{"it accepts what it should", nil, pairs{first}, pairs{first}, []string{"read"}, "", 1},
		{"with the one before", pairs{first}, pairs{second, first}, pairs{second, first}, []string{"read"}, "", 2},
		{"it runs from before the change", pairs{first}, pairs{second, first}, pairs{first}, []string{"read"}, "rejects read", 2},
		{"the change was at once", pairs{first}, pairs{second}, pairs{first}, []string{"read"}, "rejects read; keeps read", 2},
		{"the one before must go", pairs{second, first}, pairs{second}, pairs{second, first}, []string{"read"}, "keeps read", 2},
		{"and is gone", pairs{second, first}, pairs{second}, pairs{second}, []string{"read"}, "", 2},
		{"the password was taken out of the Secret", pairs{first}, nil, pairs{first}, []string{"read"}, "keeps read", 1},
		{"its image knows nothing of users", nil, pairs{first}, nil, []string{"read"}, "rejects read", 1},
		{"its pod does not know the user, and needs to be another", nil, pairs{first}, nil, []string{"another"}, "", 0},
		{"a user without a password is asked nothing", nil, nil, nil, []string{"read"}, "", 0},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 1)
			s.pods[0] = statetest.Pod(0, knowing(test.knows...))
			s.LetIn(hostOf(0), test.before...)
			s.withUsers(statetest.Born.Add(-time.Hour), test.before, "read")
			s.look()

			s.LetIn(hostOf(0), test.accepts...)
			s.withUsers(statetest.Now, test.now, "read")
			s.pods[0] = statetest.Pod(0, knowing(test.knows...), restarted)
			checks := s.Checks(hostOf(0))
			for range 2 {
				node := s.look().Nodes[0]
				g.Expect(userVerdict(node)).To(Equal(test.want))
				g.Expect(verdict(node)).To(Equal("answers"))
				g.Expect(node.Problem).To(BeEmpty(), "of the operator's own pair nothing has changed")
			}
			g.Expect(s.Checks(hostOf(0))).To(Equal(checks+2+test.requests), "each is tried once in the life of a container")
		})
	}
}

// An application that had the pair of all power keeps name and password, as a user who may
// do less: no node is blamed for that, nor asked about it at each look.
func TestAPairThatBecomesAUsers(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.look()
	s.withUsers(statetest.Now, pairs{alice}, alice.User())
	s.secret.Data[bitcoind.UserKey], s.secret.Data[bitcoind.PasswordKey] = []byte(bob.User()), []byte(bob.Password())
	s.RestartWith(hostOf(0), bob)
	s.LetIn(hostOf(0), alice)
	s.pods[0] = statetest.Pod(0, knowing(alice.User()), restarted)
	for _, requests := range []int{3, 1, 1} { // at first also with either of alice's
		before := s.Checks(hostOf(0))
		node := s.look().Nodes[0]
		g.Expect(verdict(node)).To(Equal("answers"))
		g.Expect(userVerdict(node)).To(BeEmpty())
		g.Expect(s.Checks(hostOf(0)) - before).To(Equal(requests))
	}
}

// A node that does not answer is asked for nobody else in that pass.
func TestUsersThatCannotBeVerifiedNowAreNextTime(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.pods[0] = statetest.Pod(0, knowing("read", "miner"))
	s.withUsers(statetest.Now, pairs{first}, "read", "miner")
	s.secret.Data["BC_RPC_PASSWORD_MINER"] = []byte("a")
	s.cache().users.set(map[string][]bitcoind.Credentials{"read": {first}, "miner": {bitcoind.NewCredentials("miner", "a")}})
	seen := &state.Network{Chain: statetest.Regtest, Nodes: []state.Node{{Pod: s.pods[0], Answers: true}}}
	session := newSession(s, s.network, seen, s.cache())
	s.Stop(hostOf(0))
	session.verifyUsers(t.Context(), 0, &seen.Nodes[0])
	g.Expect(s.Checks(hostOf(0))).To(Equal(1))
	g.Expect(userVerdict(seen.Nodes[0])).To(BeEmpty())

	s.Restart(hostOf(0))
	s.LetIn(hostOf(0), first)
	session.verifyUsers(t.Context(), 0, &seen.Nodes[0])
	g.Expect(userVerdict(seen.Nodes[0])).To(Equal("rejects miner"))
}

func TestUserringKeepsNothingOfWhatIsGone(t *testing.T) {
	g := NewWithT(t)
	ring := newUserring()
	pods := []*corev1.Pod{statetest.Pod(0), statetest.Pod(1)}
	for _, pod := range pods {
		ring.record(pod, first, true)
	}
	ring.forgetOthers(&state.Network{Nodes: []state.Node{{}, {Pod: pods[1]}}})
	g.Expect(ring.verdicts).To(HaveLen(1))
	_, known := ring.accepts(pods[1], first)
	g.Expect(known).To(BeTrue())
	_, known = ring.accepts(statetest.Pod(1, restarted), first)
	g.Expect(known).To(BeFalse(), "a container that starts anew reads the Secret anew")

	all := map[string][]bitcoind.Credentials{}
	for _, user := range []string{"held", "named", "running", "gone"} {
		all[user] = pairs{bitcoind.NewCredentials(user, "a")}
	}
	ring.set(all)
	ring.set(map[string][]bitcoind.Credentials{"held": {bitcoind.NewCredentials("held", "b")}})
	ring.forgetOthers(&state.Network{
		Secret: state.Secret{Users: []state.User{{Name: "named"}}},
		Nodes:  []state.Node{{Pod: statetest.Pod(0, knowing("running"))}},
	})
	g.Expect(ring.dropped).To(And(HaveLen(3), Not(HaveKey("gone"))), "of users whom nobody knows a Secret could make ever more")
}

func TestWhetherPasswordsChanged(t *testing.T) {
	type passwords = map[string][]bitcoind.Credentials
	for _, test := range []struct {
		reason      string
		before, now passwords
		want        bool
		dropped     pairs // of read
	}{
		{"nobody was there before", nil, passwords{"read": {first}}, false, nil},
		{"nothing", passwords{"read": {first}}, passwords{"read": {first}}, false, nil},
		{"nobody's", passwords{}, passwords{}, false, nil},
		{"one comes", passwords{}, passwords{"read": {first}}, true, nil},
		{"another comes beside it", passwords{"read": {first}}, passwords{"read": {second, first}}, true, nil},
		{"another instead", passwords{"read": {first}}, passwords{"read": {second}}, true, pairs{first}},
		{"it goes", passwords{"read": {first}}, passwords{}, true, pairs{first}},
		{"another user's comes", passwords{"read": {first}}, passwords{"read": {first}, "lnd": {carol}}, true, nil},
	} {
		ring := newUserring()
		if test.before != nil {
			ring.set(test.before)
		}
		g := NewWithT(t)
		g.Expect(ring.set(test.now)).To(Equal(test.want), test.reason)
		_, dropped := ring.of("read")
		g.Expect(names(dropped)).To(Equal(names(test.dropped)), test.reason)
	}
	ring := newUserring()
	for _, held := range []pairs{{first}, {second}, {first}} {
		ring.set(passwords{"read": held})
	}
	_, dropped := ring.of("read")
	NewWithT(t).Expect(dropped).To(HaveExactElements(second), "a password that comes back is not old")
}

// An operator that comes when a key has been taken out of the Secret, which the Secret
// does not tell, knows by the number that is on record; one of before kept none.
func TestPasswordsThatWentWhileNobodyWasThere(t *testing.T) {
	for _, test := range []struct {
		reason   string
		recorded int32
		held     pairs
		changed  bool
	}{
		{"as many as before", 1, pairs{first}, false},
		{"one less", 2, pairs{first}, true},
		{"none", 1, nil, true},
		{"one more, of which the Secret tells", 1, pairs{second, first}, false},
		{"no record", 0, pairs{second, first}, false},
	} {
		g := NewWithT(t)
		s := newScene(t, 1)
		made := statetest.Born.Add(-time.Hour)
		s.withUsers(made, test.held, "read")
		s.network.Status.SecretChangedAt, s.network.Status.SecretPairs = new(metav1.NewTime(made)), 1
		s.network.Status.SecretUsers = test.recorded
		changedAt := s.look().Secret.ChangedAt
		g.Expect(changedAt.Equal(statetest.Now)).To(Equal(test.changed), "%s: changed at %s", test.reason, changedAt)
	}
}

// What the Secret has for the network's users is told, and by others' it changes too.
func TestWhatIsSeenOfUsers(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.withUsers(statetest.Now, pairs{second, first}, "read", "lnd")
	g.Expect(s.look().Secret.Users).To(Equal([]state.User{
		{Name: "read", Passwords: 2}, {Name: "lnd", Problem: "BC_RPC_PASSWORD_LND must be set and not be empty"},
	}))
	g.Expect(resources.KnownUsers(statetest.Pod(0, knowing("read", "lnd")))).To(Equal([]string{"read", "lnd"}))
}

// accepting asks nodes, but for whether they accept credentials while they are busy.
type accepting struct {
	Nodes
	busy bool
}

func (a *accepting) Accepts(ctx context.Context, endpoint bitcoind.Endpoint) (bool, error) {
	if a.busy {
		return false, bitcoind.ErrBusy
	}
	return a.Nodes.Accepts(ctx, endpoint)
}

// What a node has not said of its users it is asked at the next look, which comes soon,
// though all else that it said stands.
func TestUsersOfABusyNodeAreVerifiedAtTheNextLook(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	nodes := &accepting{Nodes: s, busy: true}
	s.nodes = nodes
	s.pods[0] = statetest.Pod(0, knowing("read"))
	s.withUsers(statetest.Born.Add(-time.Hour), pairs{first}, "read")
	node := s.look().Nodes[0]
	g.Expect(userVerdict(node)).To(BeEmpty(), "nobody knows")
	g.Expect(node.AskAgain).To(Equal(openAgain))
	s.partial, nodes.busy = true, false
	g.Expect(s.asked(g)).To(Equal([]int{0}))
	node = s.look().Nodes[0]
	g.Expect(userVerdict(node)).To(Equal("rejects read"))
	g.Expect(node.AskAgain).To(BeZero())
	g.Expect(s.asked(g)).To(BeEmpty())
}
