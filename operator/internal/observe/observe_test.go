package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// Pairs of credentials.
var (
	alice = bitcoind.NewCredentials("alice", "correct horse")
	bob   = bitcoind.NewCredentials("bob", "battery staple")
	carol = bitcoind.NewCredentials("carol", "correct battery")
	dave  = bitcoind.NewCredentials("dave", "horse staple")
)

// scene is a network in an API server, its nodes, and an observer of both.
type scene struct {
	*bitcoindtest.Network
	t        testing.TB
	network  *v1alpha1.BitcoinNetwork
	set      *appsv1.StatefulSet // nil for none
	pods     []*corev1.Pod       // by ordinal, nil for none
	others   []client.Object
	secret   *corev1.Secret
	failure  error  // of reads
	fails    string // of which type; of all where it is empty
	nodes    Nodes  // who is asked instead of the network's nodes; nil for these
	clock    *clocktesting.FakeClock
	observer *Observer
	partial  bool // that a look asks only whom it has to
}

// newScene returns a network of so many nodes that run, all with the credentials of
// the Secret, which is older than they are.
func newScene(t testing.TB, nodes int) *scene {
	s := &scene{
		Network: bitcoindtest.NewNetwork(),
		t:       t,
		network: statetest.Network(int32(nodes)),
		set: &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: "team-a", UID: "set"},
			Spec:       appsv1.StatefulSetSpec{Replicas: new(int32(nodes))},
		},
		clock: clocktesting.NewFakeClock(statetest.Now),
	}
	s.network.TypeMeta = metav1.TypeMeta{APIVersion: "bitcoin-operator.github.io/v1alpha1", Kind: "BitcoinNetwork"}
	s.set.OwnerReferences = ownedBy(s.network)
	for ordinal := range nodes {
		s.pods = append(s.pods, statetest.Pod(ordinal))
		s.run(ordinal, alice)
	}
	s.sets(statetest.Born.Add(-time.Hour), alice)
	s.observer = &Observer{AllowedChains: bitcoind.ChainNames(), Clock: s.clock}
	s.cache().backoff = backoffAt(s.clock)
	s.cache().answers.patience = time.Minute // so that a look waits for all
	return s
}

func ownedBy(owner client.Object) []metav1.OwnerReference {
	return []metav1.OwnerReference{{Name: owner.GetName(), UID: owner.GetUID(), Controller: new(true)}}
}

// hostOf is where the RPC of a node is.
func hostOf(ordinal int) string { return fmt.Sprintf("10.0.0.%d:18443", ordinal) }

// run starts a node.
func (s *scene) run(ordinal int, pairs ...bitcoind.Credentials) {
	s.Start(hostOf(ordinal), fmt.Sprintf("payments-%d:18444", ordinal), fmt.Sprintf("team-a.payments.%d", ordinal), pairs...)
}

// sets has the Secret hold these pairs since that time.
func (s *scene) sets(at time.Time, pairs ...bitcoind.Credentials) {
	s.secret = &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: statetest.Secret, Namespace: "team-a", CreationTimestamp: metav1.NewTime(at)},
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{},
	}
	for i, keys := range [][2]string{{bitcoind.UserKey, bitcoind.PasswordKey}, {bitcoind.PreviousUserKey, bitcoind.PreviousPasswordKey}} {
		if i < len(pairs) {
			s.secret.Data[keys[0]], s.secret.Data[keys[1]] = []byte(pairs[i].User()), []byte(pairs[i].Password())
		}
	}
}

// storage gives the network volumes, with the claims of these nodes.
func (s *scene) storage(ordinals ...int) {
	s.network.Spec.Storage = &v1alpha1.Storage{}
	s.others = nil
	for _, ordinal := range ordinals {
		name := resources.ClaimName(s.network, ordinal)
		s.others = append(s.others, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "team-a", UID: types.UID(name), Labels: resources.Selector(s.network),
		}})
	}
}

func (s *scene) cache() *cache { return s.observer.cacheOf(client.ObjectKeyFromObject(s.network)) }

// observe has the network looked at.
func (s *scene) observe() (*state.Network, error) {
	objects := slices.Clone(s.others)
	if s.set != nil {
		objects = append(objects, s.set)
	}
	if s.secret != nil {
		objects = append(objects, s.secret)
	}
	for _, pod := range s.pods {
		if pod == nil {
			continue
		}
		pod = pod.DeepCopy()
		if pod.OwnerReferences == nil && s.set != nil {
			pod.OwnerReferences = ownedBy(s.set)
		}
		if pod.DeletionTimestamp != nil {
			pod.Finalizers = []string{"example.com/keeps-it"} // without one the fake API server has no such pod
		}
		objects = append(objects, pod)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		s.t.Fatal(err)
	}
	api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&corev1.Event{}, "involvedObject.uid", func(object client.Object) []string {
			return []string{string(object.(*corev1.Event).InvolvedObject.UID)}
		}).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(ctx context.Context, api client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
				if failure := s.failureOf(object); failure != nil {
					return failure
				}
				return api.Get(ctx, key, object, options...)
			},
			List: func(ctx context.Context, api client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				return errors.Join(s.failureOf(list), api.List(ctx, list, options...))
			},
		}).Build()
	s.observer.Client, s.observer.API = labelled(api), api
	s.observer.Credentials = credentials.Reader{API: api, Secret: statetest.Secret}
	s.cache().askAll = s.cache().askAll || !s.partial
	if s.nodes != nil {
		return s.observer.Observe(s.t.Context(), s.network, s.nodes)
	}
	return s.observer.Observe(s.t.Context(), s.network, s)
}

// labelled reads what an API server has that carries the operator's label, as the cache
// does.
func labelled(api client.WithWatch) client.Reader {
	return interceptor.NewClient(api, interceptor.Funcs{
		Get: func(ctx context.Context, api client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
			if err := api.Get(ctx, key, object, options...); err != nil {
				return err
			}
			if _, ours := object.GetLabels()[resources.NetworkLabel]; !ours {
				return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
			}
			return nil
		},
	})
}

// failureOf returns how the read of an object fails.
func (s *scene) failureOf(object any) error {
	if s.fails != "" && fmt.Sprintf("%T", object) != s.fails {
		return nil
	}
	return s.failure
}

// look is observe where nothing can go wrong.
func (s *scene) look() *state.Network {
	s.t.Helper()
	seen, err := s.observe()
	if err != nil {
		s.t.Fatal(err)
	}
	return seen
}

// lookAfter is look after so much time.
func (s *scene) lookAfter(duration time.Duration) *state.Network {
	s.t.Helper()
	s.clock.Step(duration)
	return s.look()
}

// problems returns what keeps each node from being ready.
func problems(seen *state.Network) []string {
	var problems []string
	for _, node := range seen.Nodes {
		problems = append(problems, node.Problem)
	}
	return problems
}

func TestNodesThatDoNotAnswerAreFindings(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 4)
	s.MineAt(hostOf(0))
	s.Fail(hostOf(1), bitcoind.ErrBusy)
	s.pods[2] = statetest.Pod(2, statetest.Container(statetest.Waiting("ContainerCreating", "")))
	s.pods[3] = nil
	seen := s.look()

	g.Expect(problems(seen)).To(Equal([]string{"", "its queue of RPC requests is full", "ContainerCreating", "it has no pod"}))
	g.Expect(seen.Ready()).To(Equal(1))
	g.Expect(seen.Nodes[0].Answers).To(BeTrue())
	g.Expect(seen.Nodes[0].State.Chain.Blocks).To(BeEquivalentTo(1))
	for _, node := range seen.Nodes[1:] {
		g.Expect(node.Answers).To(BeFalse())
		g.Expect(node.Shown).To(BeFalse())
	}
	g.Expect(s.Checks(hostOf(2))).To(BeZero(), "a container that does not run cannot be asked")
}

func TestSilentNodeIsSparedAndTheOthersAreNot(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	s.Fail(hostOf(1), bitcoind.ErrBusy)

	for range 3 {
		seen := s.look()
		g.Expect(problems(seen)).To(Equal([]string{"", "its queue of RPC requests is full"}), "the same is said whether it was asked or spared")
		g.Expect(seen.Nodes[0].AskAgain).To(BeZero())
		g.Expect(seen.Nodes[1].AskAgain).To(Equal(firstWait))
	}
	g.Expect(s.Checks(hostOf(0))).To(Equal(3))
	g.Expect(s.Checks(hostOf(1))).To(Equal(1))

	s.Fail(hostOf(1), nil)
	g.Expect(problems(s.lookAfter(firstWait))).To(Equal([]string{"", ""}))
	g.Expect(s.cache().backoff.problems).To(BeEmpty(), "a node that answers starts afresh")
}

// Somebody who asks for a look wants to see what is so now.
func TestAskAllSparesNobody(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.Fail(hostOf(0), bitcoind.ErrBusy)
	s.look()
	s.Fail(hostOf(0), nil)
	g.Expect(s.look().Nodes[0].Answers).To(BeFalse())
	s.observer.AskAll(client.ObjectKeyFromObject(s.network))
	g.Expect(s.look().Nodes[0].Answers).To(BeTrue())
}

func TestNothingIsRememberedOfPodsThatAreGone(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.Fail(hostOf(0), bitcoind.ErrBusy)
	s.look()
	s.observer.Refused(client.ObjectKeyFromObject(s.network), &state.Network{Nodes: []state.Node{{Pod: s.pods[0]}}}, 0)
	cache := s.cache()
	g.Expect(cache.backoff.problems).To(HaveLen(1))
	g.Expect(cache.pods).To(HaveLen(1))
	g.Expect(cache.data).To(HaveLen(1))
	s.pods[0] = nil
	s.look()
	g.Expect(cache.backoff.problems).To(BeEmpty())
	g.Expect(cache.pods).To(BeEmpty())
	g.Expect(cache.data).To(BeEmpty())
}

func TestNothingIsRememberedOfANetworkThatIsGone(t *testing.T) {
	s := newScene(t, 1)
	before := s.cache()
	s.observer.Forget(client.ObjectKeyFromObject(s.network))
	if s.cache() == before {
		t.Error("another network of this name would be judged by it")
	}
}

func TestNobodyIsAskedWithoutCredentials(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	s.pods[1], s.secret = nil, nil
	seen := s.look()
	g.Expect(seen.Secret.Unusable).To(HaveField("Reason", v1alpha1.SecretNotFoundReason))
	g.Expect(problems(seen)).To(Equal([]string{"not queried: no credentials", "it has no pod"}))
	g.Expect(s.Checks(hostOf(0))).To(BeZero())
	g.Expect(s.cache().backoff.lastProblem(s.pods[0])).To(BeEmpty(), "that is not the node's fault")
}

// A node is asked at its pod's address: its name may lead to its predecessor.
func TestEndpointIsThePods(t *testing.T) {
	s := newScene(t, 3)
	seen := s.look()
	want := bitcoind.Endpoint{Address: "10.0.0.2:18443", Credentials: alice, Comment: "team-a.payments.2"}
	if got := s.observer.Endpoint(s.network, seen, 2); got != want {
		t.Errorf("got %s %s, want %s %s", got.Address, got.Comment, want.Address, want.Comment)
	}
}

// crowd is nodes that answer once they are released.
type crowd struct {
	Nodes
	asked   atomic.Int64
	release chan struct{}
}

func (c *crowd) Check(_ context.Context, endpoint bitcoind.Endpoint) (bitcoind.State, error) {
	c.asked.Add(1)
	<-c.release
	host, _, _ := net.SplitHostPort(endpoint.Address)
	var answer bitcoind.State
	answer.Network.SubVersion = fmt.Sprintf("/Satoshi:29.4.0(team-a.payments.%s)/", strings.TrimPrefix(host, "10.0.0."))
	return answer, nil
}

func TestNodesAreAskedSideBySideButNotAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		nodes := &crowd{release: make(chan struct{})}
		seen := statetest.Seen(make([]state.Node, 3*maxParallelRequests)...)
		for ordinal := range seen.Nodes {
			seen.Nodes[ordinal].Pod = statetest.Pod(ordinal)
		}
		cache := newCache()
		cache.keyring.set([]bitcoind.Credentials{alice}, statetest.Now)
		cache.answers.patience = time.Hour
		session := newSession(nodes, statetest.Network(int32(len(seen.Nodes))), seen, cache)
		go session.askNodes(t.Context(), true)

		synctest.Wait()
		g.Expect(nodes.asked.Load()).To(BeEquivalentTo(maxParallelRequests))
		close(nodes.release)
		synctest.Wait()
		g.Expect(nodes.asked.Load()).To(BeEquivalentTo(len(seen.Nodes)))
		g.Expect(problems(seen)).To(HaveEach(BeEmpty()))
	})
}

// An address may have been another pod's a moment ago, or be one by now.
func TestAnotherNodeAtTheAddressIsNotBelieved(t *testing.T) {
	for _, test := range []struct {
		reason, comment string
		want            string
	}{
		{"the node itself", "team-a.payments.1", ""},
		{"with comments of the user's own beside", "x; team-a.payments.1; y", ""},
		{"another node of the network", "team-a.payments.0", "another node answers at its address: team-a.payments.0"},
		{"one whose number begins alike", "team-a.payments.12", "another node answers at its address: team-a.payments.12"},
		{"a node of another network", "team-b.invoices.1; x", "another node answers at its address: team-b.invoices.1, x"},
		{"one that does not say who it is", "", "another node answers at its address"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 2)
			s.Stop(hostOf(1))
			s.Start(hostOf(1), "elsewhere:18444", test.comment, alice)
			s.MineAt(hostOf(1))
			node := s.look().Nodes[1]
			g.Expect(node.Problem).To(Equal(test.want))
			if test.want == "" {
				g.Expect(node.Answers).To(BeTrue())
				return
			}
			g.Expect(node.Answers).To(BeFalse(), "so it is told nothing")
			g.Expect(node.Shown).To(BeFalse())
			g.Expect(node.Tip).To(BeNil(), "the block is not this node's")
			g.Expect(node.State).To(Equal(bitcoind.State{}))
			g.Expect(node.AskAgain).To(Equal(firstWait))
			g.Expect(s.cache().keyring.accepted).NotTo(HaveKey(state.Life(s.pods[1])), "nor is it known what the node itself accepts")
		})
	}
}

func TestWhatIsKnownOfTheNetwork(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	s.look()
	seen := s.lookAfter(time.Second)
	g.Expect(seen.Now).To(Equal(statetest.Now.Add(time.Second)))
	g.Expect(seen.Chain).To(Equal(statetest.Regtest))
	g.Expect(seen.Private).To(BeTrue())
	g.Expect(seen.ChainNotAllowed).To(BeFalse())
	g.Expect(seen.Wanted).To(Equal(2))
	g.Expect(seen.Siblings).To(BeEmpty())
	for namespace, name := range map[string]string{"team-a": "invoices", "team-b": "shop"} {
		s.others = append(s.others, &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}})
	}
	s.others = append(s.others, s.network)
	g.Expect(s.look().Siblings).To(Equal([]string{"invoices"}))
	g.Expect(seen.Secret.Pairs).To(Equal(1))
	g.Expect(seen.Secret.ChangedAt).To(BeTemporally("==", s.secret.CreationTimestamp.Time))
	g.Expect(seen.Secret.Unusable).To(BeNil())
	g.Expect(seen.Secret.Warning).To(BeEmpty())
	s.secret.Data[bitcoind.PasswordKey] = append(s.secret.Data[bitcoind.PasswordKey], '\n')
	g.Expect(s.look().Secret.Warning).To(ContainSubstring("ends with a line break"))

	s.network.Spec.Chain = v1alpha1.Main
	s.observer.AllowedChains = []string{"regtest", "signet"}
	seen = s.look()
	g.Expect(seen.ChainNotAllowed).To(BeTrue())
	g.Expect(seen.Private).To(BeFalse())

	s.network.Spec.Chain = "dogecoin"
	_, err := s.observe()
	g.Expect(err).To(MatchError(`chain "dogecoin" is not known`))
}

func TestReadsThatFailAreErrors(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.storage(0)
	s.pods[0] = nil // so that it is asked why
	s.failure = errors.New("etcd is away")
	_, err := s.observe()
	g.Expect(err).To(MatchError(s.failure))
	for _, what := range []string{"list the networks beside payments", "read Secret team-a/bitcoin-rpc", "read StatefulSet payments", "list the pods of payments", "list the volume claims of payments"} {
		g.Expect(err).To(MatchError(ContainSubstring(what)))
	}

	s.fails = "*v1.EventList"
	_, err = s.observe()
	g.Expect(err).To(MatchError("list the events of StatefulSet payments: etcd is away"))

	s.failure = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.observer.Observe(ctx, s.network, s)
	g.Expect(err).To(MatchError(context.Canceled), "half a look is none")
}

// A node that answers the operator, and whose pod no Service leads to, is of no use to
// clients. It is peered all the same.
func TestNodesThatClientsDoNotReach(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	statetest.NotReady(s.pods[1])
	g.Expect(s.look().Ready()).To(Equal(2), "the kubelet's probe is a moment behind")
	s.pods[1].Status.ContainerStatuses = append(s.pods[1].Status.ContainerStatuses, corev1.ContainerStatus{Name: "proxy"})
	seen := s.look()
	g.Expect(problems(seen)).To(Equal([]string{"", `clients cannot reach it: container "proxy" of its pod is not ready`}))
	g.Expect(seen.Nodes[1].Answers).To(BeTrue())
	g.Expect(seen.Serves(seen.Nodes[1])).To(BeFalse())
}

// What a SealedSecret says of itself is seen beside the Secret, which nodes go on with.
func TestSealedSecretThatWasNotApplied(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	g.Expect(s.look().Secret.NotApplied).To(BeEmpty())
	s.others = []client.Object{notOpened()}
	seen := s.look()
	g.Expect(seen.Secret.NotApplied).To(HaveSuffix(": no key could decrypt secret"))
	g.Expect(seen.Ready()).To(Equal(1))
}

// notOpened returns the SealedSecret of the scene's Secret, which could not be opened.
func notOpened() *unstructured.Unstructured {
	sealed := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{
		"conditions": []any{map[string]any{"type": "Synced", "status": "False", "message": "no key could decrypt secret"}},
	}}}
	sealed.SetGroupVersionKind(schema.GroupVersionKind{Group: "bitnami.com", Version: "v1alpha1", Kind: "SealedSecret"})
	sealed.SetNamespace("team-a")
	sealed.SetName(statetest.Secret)
	return sealed
}

func TestStatefulSetOfAnotherIsNone(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 1)
	s.set.OwnerReferences[0].UID = "another"
	seen := s.look()
	g.Expect(seen.StatefulSet).To(BeNil())
	g.Expect(problems(seen)).To(Equal([]string{"it has no pod"}))

	s.set = nil
	g.Expect(s.look().StatefulSet).To(BeNil())
}

// One that has lost the label by which the cache holds it the API server has, and one
// without an owner may be what a network of this name has left behind.
func TestStatefulSetIsFoundWhereItIs(t *testing.T) {
	for _, test := range []struct {
		reason string
		change func(*appsv1.StatefulSet)
		found  bool
	}{
		{"the network's own", func(*appsv1.StatefulSet) {}, true},
		{"without the label", func(set *appsv1.StatefulSet) { set.Labels = nil }, true},
		{"without an owner", func(set *appsv1.StatefulSet) { set.OwnerReferences = nil }, true},
		{"without either", func(set *appsv1.StatefulSet) { set.Labels, set.OwnerReferences = nil, nil }, false},
		{"of another network of this name", func(set *appsv1.StatefulSet) { set.OwnerReferences[0].UID = "another" }, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 2)
			children, err := resources.Children(s.network, resources.Platform{}, statetest.Regtest, 2, resources.Budget{}, nil)
			g.Expect(err).NotTo(HaveOccurred())
			made := children[len(children)-1].(*appsv1.StatefulSet)
			s.set.Labels, s.set.Spec = made.Labels, made.Spec
			test.change(s.set)
			seen := s.look()
			g.Expect(seen.StatefulSet != nil).To(Equal(test.found))
			g.Expect(seen.Ready() == 2).To(Equal(test.found))
		})
	}
}

// Nodes go on while their StatefulSet is away: it was deleted with --cascade=orphan, and
// the next takes them over. Their chain is not lost meanwhile.
func TestPodsOfAStatefulSetThatIsGone(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 2)
	s.MineAt(hostOf(0))
	g.Expect(s.look().Best).To(HaveField("Height", int64(1)))
	s.set = nil
	seen := s.look()
	g.Expect(seen.StatefulSet).To(BeNil())
	g.Expect(problems(seen)).To(Equal([]string{"", ""}))
	g.Expect(seen.Best).To(HaveField("Height", int64(1)))
	g.Expect(seen.Lost).To(BeNil())
}

// Why Kubernetes cannot make a pod it says in events alone.
func TestWhyThereIsNoPod(t *testing.T) {
	const quota = "pods \"payments-1\" is forbidden: exceeded quota"
	event := func(name, reason, message string, after time.Duration) *corev1.Event {
		return &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Name: name, Namespace: "team-a"},
			InvolvedObject: corev1.ObjectReference{UID: "set"},
			Reason:         reason, Message: message, LastTimestamp: metav1.NewTime(statetest.Now.Add(after)),
		}
	}
	of := func(set types.UID, event *corev1.Event) *corev1.Event {
		event.InvolvedObject.UID = set
		return event
	}
	for _, test := range []struct {
		reason string
		events []client.Object
		want   string
	}{
		{"nobody says", nil, ""},
		{"a quota", []client.Object{event("a", "FailedCreate", quota, 0)}, quota},
		{"the latest word counts", []client.Object{event("a", "FailedCreate", "old", 0), event("b", "FailedCreate", quota, time.Second)}, quota},
		{"in whatever order", []client.Object{event("a", "FailedCreate", quota, time.Second), event("b", "FailedCreate", "old", 0)}, quota},
		{"a pod was made since", []client.Object{event("a", "FailedCreate", quota, 0), event("b", "SuccessfulCreate", "made", time.Second)}, ""},
		{"other events say nothing of it", []client.Object{event("a", "FailedCreate", quota, 0), event("b", "SuccessfulDelete", "gone", time.Second)}, quota},
		{"nor do those of another StatefulSet", []client.Object{of("another", event("a", "FailedCreate", quota, 0))}, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene(t, 2)
			s.others = test.events
			g.Expect(s.look().Nodes[0].NotMade).To(BeEmpty(), "there is one")
			s.pods[1] = nil
			node := s.look().Nodes[1]
			g.Expect(node.NotMade).To(Equal(test.want))
			g.Expect(node.Problem).To(Equal(state.Missing(test.want).Problem))
		})
	}
}

// An event that cannot be read is no trouble to a network whose pods are all there.
func TestNobodyAsksWhyWhileThereArePods(t *testing.T) {
	s := newScene(t, 2)
	s.failure, s.fails = errors.New("etcd is away"), "*v1.EventList"
	s.look()
}

func TestPodsByOrdinal(t *testing.T) {
	set := func(replicas *int32) *appsv1.StatefulSet {
		return &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "payments", UID: "set"}, Spec: appsv1.StatefulSetSpec{Replicas: replicas}}
	}
	pod := func(name string, controller types.UID) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: []metav1.OwnerReference{{UID: controller, Controller: new(true)}}}}
	}
	bare := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "payments-0"}}
	for _, test := range []struct {
		reason string
		set    *appsv1.StatefulSet
		pods   []corev1.Pod
		want   []int
		count  int
	}{
		{"each node has its own", set(new(int32(2))), []corev1.Pod{pod("payments-1", "set"), pod("payments-0", "set")}, []int{0, 1}, 2},
		{"one has none yet", set(new(int32(3))), []corev1.Pod{pod("payments-0", "set")}, []int{0}, 3},
		{"a pod is still there that was scaled away", set(new(int32(1))), []corev1.Pod{pod("payments-4", "set")}, []int{4}, 5},
		{"a pod of a StatefulSet of the same name that was deleted is not the network's", set(new(int32(1))), []corev1.Pod{pod("payments-0", "older")}, nil, 1},
		{"one that nobody controls, the StatefulSet takes over", set(new(int32(1))), []corev1.Pod{bare}, []int{0}, 1},
		{"also when there is one again", nil, []corev1.Pod{bare}, []int{0}, 1},
		{"nor one whose name is no node's", set(new(int32(1))), []corev1.Pod{pod("payments-x", "set"), pod("invoices-0", "set")}, nil, 1},
		{"an ordinal beyond the most that a network can have takes no memory", set(new(int32(1))), []corev1.Pod{pod("payments-1000", "set")}, nil, 1},
		{"the last that it can have does", set(nil), []corev1.Pod{pod("payments-999", "set")}, []int{999}, 1000},
		{"without a StatefulSet there are none of one", nil, []corev1.Pod{pod("payments-0", "set")}, nil, 0},
	} {
		byOrdinal, count := podsByOrdinal(statetest.Network(3), test.set, test.pods)
		var got []int
		for ordinal, pod := range byOrdinal {
			got = append(got, ordinal)
			if want := fmt.Sprintf("payments-%d", ordinal); pod.Name != want {
				t.Errorf("%s: ordinal %d is pod %s", test.reason, ordinal, pod.Name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) || count != test.count {
			t.Errorf("%s: pods %v of %d nodes, want %v of %d", test.reason, got, count, test.want, test.count)
		}
	}
}

// Nodes that are scaled away may have the best block, so they are looked at while
// they are there.
func TestNodesBeyondThoseWantedAreSeenWhileTheyAreThere(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 3)
	s.MineAt(hostOf(2))
	s.network.Spec.Nodes = 1
	seen := s.look()
	g.Expect(seen.Nodes).To(HaveLen(3))
	g.Expect(seen.WantedNodes()).To(HaveLen(1))
	g.Expect(seen.Nodes[2].Answers).To(BeTrue())
	g.Expect(seen.Best).To(HaveField("Height", int64(1)))

	s.set.Spec.Replicas = new(int32(1))
	g.Expect(s.look().Nodes).To(HaveLen(3), "their pods are still there")
	s.pods = s.pods[:1]
	g.Expect(s.look().Nodes).To(HaveLen(1))

	s.network.Spec.Nodes = 4
	g.Expect(problems(s.look())).To(Equal([]string{"", "it has no pod", "it has no pod", "it has no pod"}), "those that it is to have are seen before the StatefulSet knows")
}

// Until there is a StatefulSet, what has the names of its pods and claims is known: it
// could not make its own.
func TestWhatAnEarlierLifeLeaves(t *testing.T) {
	g := NewWithT(t)
	s := newScene(t, 3)
	s.storage(0, 1, 2)
	for _, pod := range s.pods {
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "StatefulSet", Name: "payments", UID: "earlier", Controller: new(true)}}
	}
	s.others[2].SetOwnerReferences(s.pods[2].OwnerReferences)
	g.Expect(s.look().Former).To(BeEmpty(), "there is a StatefulSet")

	s.set = nil
	g.Expect(s.look().Former).To(Equal([]string{"payments-0", "payments-1", "payments-2", "data-payments-2"}), "volumes that stay are taken over")

	s.network.Spec.Nodes = 1
	g.Expect(s.look().Former).To(Equal([]string{"payments-0"}), "the others' names are not needed")
	s.pods = s.pods[1:]
	g.Expect(s.look().Former).To(BeEmpty())
}
