package observe

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// pairs is a list of credentials, for short.
type pairs = []bitcoind.Credentials

// restarted is a pod whose container is another than before.
func restarted(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].ContainerID += "-next" }

// from makes a pod one whose node takes its credentials from a Secret.
func from(secret string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Spec.Containers = []corev1.Container{{Name: resources.Container}}
		if secret != "" {
			pod.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: secret},
			}}}
		}
	}
}

// verdict says in short what is known of the credentials that a node accepts.
func verdict(node state.Node) string {
	var words []string
	for _, finding := range []struct {
		is   bool
		word string
	}{
		{node.Answers, "answers"},
		{node.RejectsCurrent, "rejects current"},
		{node.RejectsPrevious, "rejects previous"},
		{node.RejectsAll, "rejects all"},
		{node.AcceptsOld, "accepts old"},
		{node.MayAcceptOld, "may accept old"},
	} {
		if finding.is {
			words = append(words, finding.word)
		}
	}
	return strings.Join(words, ", ")
}

func TestNodeIsAskedWithWhatItAccepts(t *testing.T) {
	for _, test := range []struct {
		reason          string
		accepts, secret pairs
		known           pairs // that another node accepts
		want            string
		requests        int // at first; afterwards one is enough
	}{
		{"what the Secret holds", pairs{alice}, pairs{alice}, nil, "answers", 1},
		{"both pairs, each tried once", pairs{alice, bob}, pairs{alice, bob}, nil, "answers", 2},
		{"the previous pair, since it started before the Secret changed", pairs{bob}, pairs{alice, bob}, nil, "answers, rejects current", 2},
		{"the current pair, but not the previous one", pairs{alice}, pairs{alice, bob}, nil, "answers, rejects previous", 2},
		{"a pair that the Secret no longer has, but that others accepted", pairs{bob}, pairs{alice}, pairs{bob}, "answers, rejects current", 2},
		{"none that is known", pairs{bob}, pairs{alice}, nil, "rejects all", 1},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 2)
			s.RestartWith(hostOf(0), test.accepts...)
			s.RestartWith(hostOf(1), test.known...)
			s.sets(statetest.Now, test.secret...)
			for _, pair := range test.known {
				s.cache().keyring.record(s.pods[1], pair, true)
			}
			g.Expect(verdict(s.look().Nodes[0])).To(Equal(test.want))
			g.Expect(s.Checks(hostOf(0))).To(Equal(test.requests))

			again := s.look().Nodes[0]
			g.Expect(verdict(again)).To(Equal(test.want), "what is known is not forgotten")
			want := test.requests
			if again.Answers {
				want++
			}
			g.Expect(s.Checks(hostOf(0))).To(Equal(want), "a rejected pair costs the node a quarter of a second: it is not tried again")
		})
	}
}

// A container that starts anew reads the Secret anew.
func TestRestartedContainerIsTriedAnew(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.RestartWith(hostOf(0), bob)
	g.Expect(s.look().Nodes[0].RejectsAll).To(BeTrue())
	s.RestartWith(hostOf(0), alice)
	g.Expect(s.look().Nodes[0].RejectsAll).To(BeTrue(), "it is the same container")
	s.pods[0] = statetest.Pod(0, restarted)
	g.Expect(s.look().Nodes[0].Answers).To(BeTrue())
}

func TestKeyringKeepsNothingOfWhatIsGone(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	s.sets(statetest.Now, alice, bob)
	s.look()
	keyring := s.cache().keyring
	g.Expect(keyring.rejected).To(HaveLen(2))
	g.Expect(keyring.accepted).To(HaveLen(2))
	keyring.forgetOthers([]state.Node{{}, {Pod: s.pods[1]}})
	g.Expect(keyring.rejected).To(HaveLen(1))
	g.Expect(keyring.accepted).To(HaveKey(state.Life(s.pods[1])))
	keyring.forgetOthers(nil)
	g.Expect(keyring.rejected).To(BeEmpty())
	g.Expect(keyring.accepted).To(BeEmpty(), "a pair that nobody accepts is remembered for nobody")
}

func TestRejectionIsNotABackOff(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.RestartWith(hostOf(0), bob)
	s.look()
	g.Expect(s.cache().backoff.lastProblem(s.pods[0])).To(BeEmpty())
	s.Fail(hostOf(0), errors.New("it is away"))
	s.sets(statetest.Now, bob)
	g.Expect(s.look().Nodes[0].Answers).To(BeFalse())
	g.Expect(s.cache().backoff.lastProblem(s.pods[0])).NotTo(BeEmpty(), "a node that does not answer is spared")
}

func TestDroppedPairs(t *testing.T) {
	for _, test := range []struct {
		reason string
		held   []pairs // one after the other
		want   pairs
	}{
		{"nothing is known of what the Secret held before the operator came", []pairs{{alice}}, nil},
		{"a pair comes", []pairs{{bob}, {alice, bob}}, nil},
		{"and the old one goes", []pairs{{bob}, {alice, bob}, {alice}}, pairs{bob}},
		{"both go at once", []pairs{{alice, bob}, {carol}}, pairs{bob, alice}},
		{"two are enough: the Secret holds no more", []pairs{{alice}, {bob}, {carol}, {dave}}, pairs{carol, bob}},
		{"a pair that comes back is not old", []pairs{{alice}, {bob}, {alice}}, pairs{bob}},
		{"nor while it is kept as the previous one", []pairs{{alice}, {bob}, {carol, alice}}, pairs{bob}},
		{"nothing happens", []pairs{{alice}, {bob}, {bob}, {bob}}, pairs{alice}},
		{"the pairs change places", []pairs{{alice, bob}, {bob, alice}}, nil},
	} {
		keyring := newKeyring()
		for _, held := range test.held {
			keyring.set(held, statetest.Now)
		}
		if !slices.Equal(keyring.dropped, test.want) {
			t.Errorf("%s: dropped %s, want %s", test.reason, names(keyring.dropped), names(test.want))
		}
	}
}

// names tells pairs apart: they print as nothing.
func names(pairs pairs) (names []string) {
	for _, pair := range pairs {
		names = append(names, pair.User())
	}
	return names
}

func TestSinceWhenTheSecretIsRead(t *testing.T) {
	g := NewWithT(t)
	keyring := newKeyring()
	keyring.set(pairs{alice}, statetest.Now)
	keyring.set(pairs{bob}, statetest.Now.Add(time.Hour))
	g.Expect(keyring.since).To(Equal(statetest.Now))
}

// When a key is taken out of a Secret, the Secret itself does not say so: the operator
// notices, and so does the next one by what is on record.
func TestWhenTheSecretChanged(t *testing.T) {
	type look struct {
		after time.Duration
		says  time.Duration // when it changed by its own account
		holds pairs
	}
	const (
		second, minute, hour = time.Second, time.Minute, time.Hour
		none                 = 0
	)
	for _, test := range []struct {
		reason        string
		recorded      time.Duration // none for nothing on record
		recordedPairs int32
		looks         []look
		want          time.Duration
	}{
		{"as it says", none, 0, []look{{0, -hour, pairs{alice}}}, -hour},
		{"it changes, and says so", none, 0, []look{{0, -hour, pairs{alice}}, {2 * minute, minute, pairs{bob, alice}}}, minute},
		{"something else about it changes", none, 0, []look{{0, -hour, pairs{alice}}, {2 * minute, minute, pairs{alice}}}, minute},
		{"a key is taken out of it", none, 0, []look{{0, -hour, pairs{alice, bob}}, {minute, -hour, pairs{alice}}}, minute},
		{"which is noticed once", none, 0, []look{{0, -hour, pairs{alice, bob}}, {minute, -hour, pairs{alice}}, {hour, -hour, pairs{alice}}}, minute},
		{"until it says more", none, 0, []look{{0, -hour, pairs{alice, bob}}, {minute, -hour, pairs{alice}}, {3 * minute, 2 * minute, pairs{carol}}}, 2 * minute},
		{"in whole seconds, as when containers start", none, 0, []look{{0, -hour, pairs{alice, bob}}, {3*second + second/2, -hour, pairs{alice}}}, 3 * second},

		{"nothing has changed since the last operator", -hour, 1, []look{{0, -hour, pairs{alice}}}, -hour},
		{"it has changed since, and says so", -2 * hour, 1, []look{{0, -hour, pairs{alice}}}, -hour},
		{"and holds another number of pairs, too", -2 * hour, 2, []look{{0, -hour, pairs{alice}}}, -hour},
		{"a key was taken out of it since", -hour, 2, []look{{0, -hour, pairs{alice}}}, 0},
		{"a key was taken out of it before, which the last operator noticed", -minute, 1, []look{{0, -hour, pairs{alice}}}, -minute},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := newScene(t, 0)
			if test.recorded != none {
				s.network.Status.SecretChangedAt = new(metav1.NewTime(statetest.Now.Add(test.recorded)))
				s.network.Status.SecretPairs = test.recordedPairs
			}
			var got time.Time
			for _, look := range test.looks {
				s.clock.SetTime(statetest.Now.Add(look.after))
				s.sets(statetest.Now.Add(look.says), look.holds...)
				got = s.look().Secret.ChangedAt
			}
			if want := statetest.Now.Add(test.want); !got.Equal(want) {
				t.Errorf("changed %s after, want %s", got.Sub(statetest.Now), test.want)
			}
		})
	}
}

// The likeliest is tried first: each that is rejected costs a quarter of a second.
func TestCandidates(t *testing.T) {
	g := NewWithT(t)
	keyring := newKeyring()
	for _, held := range []pairs{{dave}, {alice, bob}} {
		keyring.set(held, statetest.Now)
	}
	g.Expect(names(keyring.candidates(statetest.Pod(0)))).To(Equal([]string{"alice", "bob", "dave"}), "those of the Secret, then those that it had")

	for _, pair := range []bitcoind.Credentials{bob, carol} {
		keyring.record(statetest.Pod(1), pair, true)
	}
	g.Expect(names(keyring.candidates(statetest.Pod(0)))).To(Equal([]string{"alice", "bob", "dave", "carol"}), "then what others accepted")

	for range 2 {
		keyring.record(statetest.Pod(0), alice, false)
	}
	g.Expect(keyring.rejected[state.Life(statetest.Pod(0))]).To(HaveLen(1), "a verdict is noted once")
	g.Expect(names(keyring.candidates(statetest.Pod(0)))).To(Equal([]string{"bob", "dave", "carol"}), "none that it rejects")
	g.Expect(names(keyring.candidates(statetest.Pod(1)))).To(Equal([]string{"alice", "bob", "dave", "carol"}), "which is none of another's business")
	g.Expect(names(keyring.pairs)).To(Equal([]string{"alice", "bob"}), "the list itself stays as it is")
}

func TestKey(t *testing.T) {
	for _, test := range []struct {
		reason   string
		secret   pairs
		accepted pairs // in the order in which that was found out
		want     bitcoind.Credentials
	}{
		{"the current pair before all others", pairs{alice, bob}, pairs{carol, bob, alice}, alice},
		{"the previous one where the current is rejected", pairs{alice, bob}, pairs{carol, bob}, bob},
		{"one that the Secret no longer has where both are", pairs{alice, bob}, pairs{carol, dave}, carol},
		{"the likeliest for a node that has accepted none yet: of a wrong one it says at once that it is wrong, though it hangs", pairs{alice, bob}, nil, alice},
	} {
		keyring := newKeyring()
		keyring.set(test.secret, statetest.Now)
		for _, pair := range test.accepted {
			keyring.record(statetest.Pod(0), pair, true)
		}
		if got := keyring.key(statetest.Pod(0)); got != test.want {
			t.Errorf("%s: got that of %q, want that of %q", test.reason, got.User(), test.want.User())
		}
		keyring.record(statetest.Pod(1), test.secret[0], false)
		if got := keyring.key(statetest.Pod(1)); got == test.secret[0] {
			t.Errorf("%s: another node is talked to with credentials that it rejects", test.reason)
		}
	}
}

// What a node accepts, compared with what it should: the Secret has changed at
// statetest.Now.
func TestVerify(t *testing.T) {
	const (
		hour   = time.Hour
		minute = time.Minute
		second = time.Second

		here, there, never = "as it is", "as it was", ""
		seen               = "as it is, but not by every node"
	)
	rejected := `it rejects the current credentials of Secret "bitcoin-rpc", though it was started after they were set`
	for _, test := range []struct {
		reason  string
		before  pairs // what the operator read before; nil where it was not there
		secret  pairs
		accepts pairs
		started time.Duration // after the change
		looked  time.Duration
		read    string // which Secret is on record as read by every node, if one is
		want    string
		problem string
	}{
		{"nothing has changed for a node that accepts the pair",
			pairs{alice}, pairs{alice}, pairs{alice}, -hour, hour, here, "answers", ""},
		{"a rotation begins",
			pairs{bob}, pairs{alice, bob}, pairs{bob}, -hour, second, there, "answers, rejects current", ""},
		{"a node has read it",
			pairs{bob}, pairs{alice, bob}, pairs{alice, bob}, minute, hour, there, "answers", ""},
		{"another accepts the new pair alone",
			pairs{bob}, pairs{alice, bob}, pairs{alice}, minute, hour, there, "answers, rejects previous", ""},
		{"a rotation ends: the old pair must go",
			pairs{alice, bob}, pairs{alice}, pairs{alice, bob}, -hour, second, there, "answers, accepts old", ""},
		{"and is gone",
			pairs{alice, bob}, pairs{alice}, pairs{alice}, minute, hour, there, "answers", ""},
		{"a password changes at once",
			pairs{bob}, pairs{alice}, pairs{bob}, -hour, second, there, "answers, rejects current, accepts old", ""},
		{"a leaked pair is still accepted that was gone before the last change, too",
			pairs{bob, carol}, pairs{alice}, pairs{alice, carol}, -hour, second, there, "answers, accepts old", ""},

		{"the kubelet may have had the old Secret still: it gets another chance",
			pairs{bob}, pairs{alice, bob}, pairs{bob}, minute - second, hour, there, "answers, rejects current", ""},
		{"it was the last",
			pairs{bob}, pairs{alice, bob}, pairs{bob}, minute, hour, there, "answers, rejects current", rejected},
		{"of the previous pair nothing is said: it is on its way out",
			pairs{bob}, pairs{alice, bob}, pairs{alice}, hour, 2 * hour, there, "answers, rejects previous", ""},

		{"nobody was there when the Secret changed, so what a node accepts beside it is not known",
			nil, pairs{alice}, pairs{alice, bob}, -hour, minute, there, "answers, may accept old", ""},
		{"from the first look on: else it would be on record that it has read it",
			nil, pairs{alice}, pairs{alice, bob}, -hour, second, there, "answers, may accept old", ""},
		{"and that stays so when it is on record what the Secret is",
			nil, pairs{alice}, pairs{alice, bob}, -hour, hour, seen, "answers, may accept old", ""},
		{"a node that was started just after may have had the kubelet's old copy",
			nil, pairs{alice}, pairs{alice, bob}, 0, hour, there, "answers, may accept old", ""},
		{"for as long as that may be behind",
			nil, pairs{alice}, pairs{alice, bob}, minute - second, hour, there, "answers, may accept old", ""},
		{"one that was started later has read it",
			nil, pairs{alice}, pairs{alice}, minute, hour, there, "answers", ""},
		{"every node is on record to have read it",
			nil, pairs{alice}, pairs{alice}, -hour, hour, here, "answers", ""},
		{"an earlier operator kept no record, and replaced all that had not",
			nil, pairs{alice}, pairs{alice}, -hour, hour, never, "answers", ""},
		{"somebody was there: what the Secret held before is known, and is tried",
			pairs{alice}, pairs{alice}, pairs{alice}, -hour, hour, there, "answers", ""},
		{"nobody was there, and the node accepts nothing that is known",
			nil, pairs{alice}, pairs{bob}, -hour, hour, there, "rejects all", "it rejects all credentials known to the operator"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			changed := statetest.Now
			s := newScene(t, 1)
			s.RestartWith(hostOf(0), test.accepts...)
			s.network.Status.SecretPairs = int32(len(test.secret))
			switch test.read {
			case here:
				s.network.Status.SecretChangedAt, s.network.Status.SecretRead = new(metav1.NewTime(changed)), true
			case there:
				s.network.Status.SecretChangedAt, s.network.Status.SecretRead = new(metav1.NewTime(changed.Add(-hour))), true
			case seen:
				s.network.Status.SecretChangedAt = new(metav1.NewTime(changed))
			}
			if test.before != nil {
				s.clock.SetTime(changed.Add(-minute))
				s.sets(changed.Add(-hour), test.before...)
				s.pods[0] = statetest.Pod(0)
				s.look()
			}
			s.clock.SetTime(changed.Add(test.looked))
			s.sets(changed, test.secret...)
			s.pods[0] = statetest.Pod(0, restarted, from(statetest.Secret), statetest.Started(changed.Add(test.started)))
			for range 2 {
				node := s.look().Nodes[0]
				g.Expect(verdict(node)).To(Equal(test.want))
				g.Expect(node.Problem).To(Equal(test.problem))
			}
		})
	}
}

// A request that fails says nothing of the pair.
func TestWhatCannotBeVerifiedNowIsTakenToBeAsItShould(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.look()
	s.sets(statetest.Now, bob, alice)
	s.pods[0] = statetest.Pod(0, restarted)
	keyring := s.cache().keyring
	keyring.set(pairs{bob, alice}, statetest.Now)
	keyring.dropped = pairs{carol}
	verified := func() string {
		seen := &state.Network{Chain: statetest.Regtest, Nodes: []state.Node{{Pod: s.pods[0], Answers: true}}}
		newSession(s, s.network, seen, s.cache()).verify(t.Context(), 0, &seen.Nodes[0])
		return verdict(seen.Nodes[0])
	}
	s.Stop(hostOf(0))
	g.Expect(verified()).To(Equal("answers"))
	g.Expect(keyring.rejected).To(BeEmpty())

	s.Start(hostOf(0), "elsewhere:18444", "team-a.invoices.0", alice, bob, carol)
	g.Expect(verified()).To(Equal("answers"), "somebody else says nothing of it either")
	g.Expect(keyring.accepted).To(HaveEach(HaveLen(1)), "but what it accepted before")
	s.Stop(hostOf(0))

	s.run(0, alice)
	g.Expect(verified()).To(Equal("answers, rejects current"), "the next look tells")
}

// While a network changes to another source of credentials, its nodes reject the new
// ones, and rightly so: their pods are still to be replaced.
func TestNodeWithAnotherSourceOfCredentialsIsNotBlamed(t *testing.T) {
	for _, test := range []struct {
		reason        string
		before, after string // the network's Secret
		accepts       bitcoind.Credentials
		ofPod         string // its Secret, after
		ready         bool
	}{
		{"from the default credentials to a Secret", "", statetest.Secret, bitcoind.DefaultCredentials, "", true},
		{"and back", statetest.Secret, "", alice, statetest.Secret, true},
		{"its pod is a new one", "", statetest.Secret, bitcoind.DefaultCredentials, statetest.Secret, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 1)
			s.RestartWith(hostOf(0), test.accepts)
			s.network.Spec.Secret = test.before
			s.pods[0] = statetest.Pod(0, from(test.before))
			g.Expect(verdict(s.look().Nodes[0])).To(Equal("answers"))

			s.network.Spec.Secret = test.after
			s.pods[0] = statetest.Pod(0, from(test.ofPod))
			node := s.look().Nodes[0]
			g.Expect(verdict(node)).To(Equal("answers, rejects current, accepts old"))
			g.Expect(node.Ready()).To(Equal(test.ready), node.Problem)
		})
	}
}

// A node that accepts no credentials is asked for its tip without, once its address
// is its own for sure.
func TestTipOfANodeThatRejectsAll(t *testing.T) {
	containersReady := func(status corev1.ConditionStatus, ago time.Duration) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			for i := range pod.Status.Conditions {
				if condition := &pod.Status.Conditions[i]; condition.Type == corev1.ContainersReady {
					condition.Status, condition.LastTransitionTime = status, metav1.NewTime(statetest.Now.Add(-ago))
				}
			}
		}
	}
	for _, test := range []struct {
		reason string
		change func(*corev1.Pod)
		shows  bool
	}{
		{"its containers have been ready for long", containersReady(corev1.ConditionTrue, time.Hour), true},
		{"for long enough", containersReady(corev1.ConditionTrue, tipAfter), true},
		{"not for long enough", containersReady(corev1.ConditionTrue, tipAfter-time.Second), false},
		{"no longer", containersReady(corev1.ConditionFalse, time.Hour), false},
		{"the kubelet has not said", func(pod *corev1.Pod) { pod.Status.Conditions = nil }, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 1)
			s.MineAt(hostOf(0))
			s.RestartWith(hostOf(0), bob)
			s.pods[0] = statetest.Pod(0, test.change)
			node := s.look().Nodes[0]
			g.Expect(verdict(node)).To(Equal("rejects all"))
			g.Expect(node.Shown).To(Equal(test.shows))
			g.Expect(node.Ready()).To(BeFalse())
			if !test.shows {
				g.Expect(node.Tip).To(BeNil())
				return
			}
			g.Expect(node.Tip).To(HaveValue(HaveField("Height", int64(1))))

			s.Stop(hostOf(0))
			g.Expect(s.look().Nodes[0].Shown).To(BeFalse(), "it has to say so in each pass")
		})
	}
}

// A network that begins with its Secret has no pods from before: its nodes have read it,
// however young it is, and are not started again for it.
func TestFreshNetworkHasReadItsSecret(t *testing.T) {
	const second, minute = time.Second, time.Minute
	made := func(at time.Duration) *time.Duration { return &at }
	for _, test := range []struct {
		reason string
		pods   []*time.Duration // made so long after the Secret; nil for a node without
		want   []string
	}{
		{"all of its pods are younger", []*time.Duration{made(second), made(30 * second)}, []string{"answers", "answers"}},
		{"as old", []*time.Duration{made(0), made(0)}, []string{"answers", "answers"}},
		{"one has no pod yet", []*time.Duration{made(second), nil}, []string{"answers", ""}},
		{"one is older, so that machines may have had another Secret", []*time.Duration{made(-second), made(second)},
			[]string{"answers, may accept old", "answers, may accept old"}},
		{"which is over when the kubelets have this one for sure", []*time.Duration{made(-second), made(minute)},
			[]string{"answers, may accept old", "answers"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, len(test.pods))
			s.sets(statetest.Now, alice)
			for ordinal, made := range test.pods {
				if s.pods[ordinal] = nil; made != nil {
					s.pods[ordinal] = statetest.Pod(ordinal, from(statetest.Secret), statetest.Created(statetest.Now.Add(*made)))
				}
			}
			// An operator was there before this one.
			s.network.Status.SecretChangedAt, s.network.Status.SecretPairs = new(metav1.NewTime(statetest.Now)), 1
			seen := s.lookAfter(10 * minute)
			for ordinal, want := range test.want {
				g.Expect(verdict(seen.Nodes[ordinal])).To(Equal(want), "node %d", ordinal)
			}
		})
	}
}
