package controller

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"pgregory.net/rapid"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/observe"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// errKilled is what an operator sees that is no more.
var errKilled = errors.New("killed")

// life is how many things an operator will have written, or told nodes, when it is
// killed. Whether the last of them happens nobody knows.
type life struct {
	left    int
	happens bool
	ended   bool
}

// spend does something that others see.
func (l *life) spend(do func() error) error {
	if l.ended {
		return errKilled
	}
	if l.left--; l.left > 0 {
		return do()
	}
	l.ended = true
	if l.happens {
		_ = do()
	}
	return errKilled
}

// desk is a network of one node, with requests for it, and operators that see to them one
// after the other, each until it is killed.
type desk struct {
	*rapid.T
	api   client.WithWatch
	nodes *bitcoindtest.Network
	clock *clocktesting.FakePassiveClock
	life  *life
	told  int // how often the node has been told something that it did
}

// askedNode are nodes whose operator may be killed when it tells them something.
type askedNode struct {
	*bitcoindtest.Network
	desk *desk
}

func (n askedNode) Mine(ctx context.Context, endpoint bitcoind.Endpoint, count int, descriptor string) (hashes []string, err error) {
	err = n.desk.life.spend(func() error {
		n.desk.told++
		hashes, err = n.Network.Mine(ctx, endpoint, count, descriptor)
		return err
	})
	return hashes, err
}

func (n askedNode) Pay(ctx context.Context, endpoint bitcoind.Endpoint, address, amount, comment string) (id string, err error) {
	err = n.desk.life.spend(func() error {
		n.desk.told++
		id, err = n.Network.Pay(ctx, endpoint, address, amount, comment)
		return err
	})
	return id, err
}

const deskNode = "10.0.0.0:18443"

func newDesk(t *rapid.T, requests ...*v1alpha1.BitcoinRequest) *desk {
	network := statetest.Network(1, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Secret = "" })
	objects := []client.Object{network, statetest.Pod(0)}
	for _, request := range requests {
		objects = append(objects, request)
	}
	d := &desk{T: t, nodes: bitcoindtest.NewNetwork(), clock: clocktesting.NewFakePassiveClock(statetest.Now), life: &life{}}
	d.nodes.Start(deskNode, "payments-0.payments.team-a.svc.cluster.local:18444", resources.Comment(network, 0), bitcoind.DefaultCredentials)
	d.api = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&v1alpha1.BitcoinNetwork{}, &v1alpha1.BitcoinRequest{}).
		WithIndex(&v1alpha1.BitcoinRequest{}, metav1.ObjectNameField, func(object client.Object) []string { return []string{object.GetName()} }).
		Build()
	return d
}

// operator returns one that remembers nothing, with informers that may lag behind.
func (d *desk) operator() *Requests {
	var heard *v1alpha1.BitcoinRequestList
	cached := interceptor.NewClient(d.api, interceptor.Funcs{
		List: func(ctx context.Context, api client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			requests, ok := list.(*v1alpha1.BitcoinRequestList)
			if ok && heard != nil && rapid.Bool().Draw(d.T, "the informers lag behind") {
				heard.DeepCopyInto(requests)
				return nil
			}
			err := api.List(ctx, list, options...)
			if ok && err == nil {
				heard = requests.DeepCopy()
			}
			return err
		},
		SubResourcePatch: func(ctx context.Context, api client.Client, subresource string, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			return d.life.spend(func() error { return api.SubResource(subresource).Patch(ctx, object, patch, options...) })
		},
	})
	return &Requests{&Reconciler{
		Client: cached, API: d.api, Nodes: askedNode{d.nodes, d}, Platform: platform, Clock: d.clock,
		Observer: &observe.Observer{Client: cached, API: d.api, AllowedChains: []string{"regtest"}, Clock: d.clock},
		Metrics:  metrics.NewCollector(d.clock), Events: &record.FakeRecorder{},
	}}
}

// run has operators see to the requests until all are finished, the last of which lives.
func (d *desk) run(lives []life) {
	name := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "team-a", Name: "payments"}}
	for i := range append(lives, life{left: 1 << 30}) {
		d.life = &life{left: 1 << 30}
		if i < len(lives) {
			d.life = &lives[i]
		}
		operator := d.operator()
		for range 500 {
			result, err := operator.Reconcile(d.Context(), name)
			if d.life.ended {
				break
			}
			if err != nil {
				d.Fatalf("reconcile: %v", err)
			}
			if result.RequeueAfter == 0 || result.RequeueAfter > 10*time.Minute {
				break // until the finished ones are to go
			}
			d.clock.SetTime(d.clock.Now().Add(result.RequeueAfter))
		}
		d.clock.SetTime(d.clock.Now().Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour / 4}).Draw(d.T, "until the next operator")))
	}
}

func (d *desk) requests() []v1alpha1.BitcoinRequest {
	var list v1alpha1.BitcoinRequestList
	if err := d.api.List(d.Context(), &list); err != nil {
		d.Fatal(err)
	}
	return list.Items
}

// lives draws when operators are killed.
func drawLives(t *rapid.T) []life {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) life {
		return life{left: rapid.IntRange(1, 12).Draw(t, "things done"), happens: rapid.Bool().Draw(t, "the last happens")}
	}), 0, 4).Draw(t, "operators that are killed")
}

// Whenever an operator is killed, what was asked for happens once or not at all, and
// nothing is told that is not so.
func TestBlocksAreMinedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var requests []*v1alpha1.BitcoinRequest
		wanted := 0
		for i, count := range rapid.SliceOfN(rapid.Int32Range(1, 5), 1, 4).Draw(t, "blocks") {
			wanted += int(count)
			requests = append(requests, &v1alpha1.BitcoinRequest{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("request-", i), Namespace: "team-a", UID: types.UID(fmt.Sprint(i)), Generation: 1, CreationTimestamp: metav1.NewTime(statetest.Now)},
				Spec:       v1alpha1.BitcoinRequestSpec{Network: "payments", TTL: &metav1.Duration{Duration: 24 * time.Hour}, Mine: &v1alpha1.MineRequest{Count: count}},
			})
		}
		d := newDesk(t, requests...)
		lives := drawLives(t)
		d.run(lives)

		height := int(d.nodes.State(deskNode).Chain.Blocks)
		done, unknown, blocks := 0, 0, map[string]bool{}
		for _, request := range d.requests() {
			switch request.Status.Phase {
			case v1alpha1.RequestSucceeded:
				done += int(request.Spec.Mine.Count)
				if mined := request.Status.Blocks; mined.Count != request.Spec.Mine.Count || blocks[mined.First] || blocks[mined.Last] {
					t.Fatalf("%s has blocks that it did not ask for, or another's: %+v", request.Name, mined)
				}
				blocks[request.Status.Blocks.First], blocks[request.Status.Blocks.Last] = true, true
			case v1alpha1.RequestUnknown:
				unknown++
			default:
				t.Fatalf("%s is %s: %+v", request.Name, request.Status.Phase, request.Status.Conditions)
			}
		}
		if done != height || height > wanted || d.told > len(requests) || unknown > len(lives) || unknown == 0 && height != wanted {
			t.Fatalf("%d blocks of %d are there, %d are told of, the node was told %d times for %d requests, of which %d are Unknown",
				height, wanted, done, d.told, len(requests), unknown)
		}
	})
}

// Coins, too, are paid once or not at all. Blocks are mined for them until each is in one.
func TestCoinsArePaidOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var requests []*v1alpha1.BitcoinRequest
		for i := range rapid.IntRange(1, 4).Draw(t, "payments") {
			requests = append(requests, &v1alpha1.BitcoinRequest{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("request-", i), Namespace: "team-a", UID: types.UID(fmt.Sprint(i)), Generation: 1, CreationTimestamp: metav1.NewTime(statetest.Now)},
				Spec:       v1alpha1.BitcoinRequestSpec{Network: "payments", TTL: &metav1.Duration{Duration: 24 * time.Hour}, Pay: &v1alpha1.PayRequest{Address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", Amount: "1.5"}},
			})
		}
		d := newDesk(t, requests...)
		wallet, err := bitcoind.WalletOf("network")
		if err != nil {
			t.Fatal(err)
		}
		endpoint := bitcoind.Endpoint{Address: deskNode, Credentials: bitcoind.DefaultCredentials}
		if _, err := d.nodes.Mine(t.Context(), endpoint, 110, wallet.Mined()); err != nil {
			t.Fatal(err)
		}
		lives := drawLives(t)
		d.run(lives)

		times, amount := d.nodes.Paid(deskNode)
		done, unknown, ids := 0, 0, map[string]bool{}
		for _, request := range d.requests() {
			switch request.Status.Phase {
			case v1alpha1.RequestSucceeded:
				if done++; request.Status.Confirmations < 1 || ids[request.Status.TransactionID] {
					t.Fatalf("%s is not paid, or by another's transaction: %+v", request.Name, request.Status)
				}
				ids[request.Status.TransactionID] = true
			case v1alpha1.RequestUnknown:
				unknown++
			default:
				t.Fatalf("%s is %s: %+v", request.Name, request.Status.Phase, request.Status.Conditions)
			}
		}
		if done != times || int(amount) != times*150_000_000 || done+unknown != len(requests) || unknown > len(lives) {
			t.Fatalf("%d payments of %d were made, of %s together; %d are told of, %d are Unknown", times, len(requests), amount, done, unknown)
		}
	})
}

// request makes a request.
func (w *world) request(name string, spec v1alpha1.BitcoinRequestSpec) *v1alpha1.BitcoinRequest {
	asked := &v1alpha1.BitcoinRequest{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace}, Spec: spec}
	w.Expect(w.api.Create(w.ctx, asked)).To(Succeed())
	return asked
}

// finishes waits until a request has come as far as it will.
func (w *world) finishes(asked *v1alpha1.BitcoinRequest) *v1alpha1.BitcoinRequest {
	now := &v1alpha1.BitcoinRequest{}
	w.Eventually(func(g Gomega) {
		g.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(asked), now)).To(Succeed())
		g.Expect(now.Status.Phase.IsFinished()).To(BeTrue(), "%+v", now.Status)
	}).WithTimeout(3 * soon).Should(Succeed())
	return now
}

func TestBlocksThatAreAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	var asked []*v1alpha1.BitcoinRequest
	for i := range 20 {
		asked = append(asked, w.request(fmt.Sprint("request-", i), v1alpha1.BitcoinRequestSpec{Network: "payments", Mine: &v1alpha1.MineRequest{Count: 6}}))
	}
	seen := map[string]bool{}
	for _, one := range asked {
		now := w.finishes(one)
		w.Expect(now.Status.Phase).To(Equal(v1alpha1.RequestSucceeded), "%+v", now.Status.Conditions)
		w.Expect(now.Status.Blocks.Count).To(BeEquivalentTo(6))
		w.Expect(seen).NotTo(Or(HaveKey(now.Status.Blocks.First), HaveKey(now.Status.Blocks.Last)))
		seen[now.Status.Blocks.First], seen[now.Status.Blocks.Last] = true, true
	}
	for ordinal := range 3 {
		w.Expect(w.nodes.State(w.kubelet.address(fmt.Sprint("payments-", ordinal))).Chain.Blocks).To(BeEquivalentTo(120))
	}
	w.Expect(w.status(network).Status.Requested.Blocks).To(BeEquivalentTo(120))
	wallet, err := bitcoind.WalletOf(string(network.UID))
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.nodes.MinedFor(w.kubelet.address("payments-0"))).To(HaveEach(wallet.Mined()))
	w.tells("Normal Mined BitcoinRequest ")
}

// The primary is lost, with its wallet, between two payments.
func TestCoinsThatAreAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 3))
	ask := func(name string, spec v1alpha1.BitcoinRequestSpec) *v1alpha1.BitcoinRequest {
		spec.Network = "payments"
		return w.finishes(w.request(name, spec))
	}
	pay := v1alpha1.BitcoinRequestSpec{Pay: &v1alpha1.PayRequest{Address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", Amount: "2.5"}}
	dry := ask("too-early", pay)
	w.Expect(dry.Status.Phase).To(Equal(v1alpha1.RequestRefused))
	w.Expect(dry.Status.Conditions).To(ContainElement(HaveField("Message", "spec.pay.amount: the wallet of payments has 0 BTC to spend, less than the amount and a fee; 0 more can be spent 100 blocks after they were mined, and the next block pays 50")))

	w.Expect(ask("blocks", v1alpha1.BitcoinRequestSpec{Mine: &v1alpha1.MineRequest{Count: 110}}).Status.Phase).To(Equal(v1alpha1.RequestSucceeded))
	for i := range 2 {
		paid := ask(fmt.Sprint("coins-", i), pay)
		w.Expect(paid.Status.Phase).To(Equal(v1alpha1.RequestSucceeded), "%+v", paid.Status.Conditions)
		w.Expect(paid.Status.Confirmations).To(BeEquivalentTo(1))
		w.Expect(paid.Status.TransactionID).To(HaveLen(64))
		primary := int(w.status(network).Status.Primary.Ordinal)
		gone := w.pod(fmt.Sprint("payments-", primary))
		w.Expect(w.api.Delete(w.ctx, gone)).To(Succeed())
		w.Eventually(func() bool {
			now := w.pod(gone.Name)
			return now != nil && now.UID != gone.UID
		}).Should(BeTrue())
		w.becomesReady(network)
	}
	w.tells("Normal Paid BitcoinRequest coins-1: ")
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret()
	network := w.becomesReady(w.network("payments", 1))
	w.network("suspended", 1, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Suspend = true })
	bounds := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tenant", Namespace: w.namespace}}
	w.Expect(w.api.Patch(w.ctx, bounds, client.RawPatch(types.MergePatchType, []byte(`{"data": {"maxBlocksADay": "10"}}`)))).To(Succeed())
	for i, test := range []struct {
		network string
		count   int32
		address string
		want    string
	}{
		{"none", 1, "", `spec.network: there is no network "none" in this namespace`},
		{"suspended", 1, "", "spec.network: suspended is suspended (spec.suspend)"},
		{"payments", 1, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08q", "spec.mine.address: its checksum does not match: is a character mistyped or missing?"},
		{"payments", 11, "", "spec.mine.count: the platform allows 10 blocks per network and day (UTC) in this namespace; this request would bring today's total to 11"},
	} {
		now := w.finishes(w.request(fmt.Sprint("refused-", i), v1alpha1.BitcoinRequestSpec{Network: test.network, Mine: &v1alpha1.MineRequest{Count: test.count, Address: test.address}}))
		w.Expect(now.Status.Phase).To(Equal(v1alpha1.RequestRefused))
		w.Expect(now.Status.Conditions).To(ContainElement(And(HaveField("Type", "Ready"), HaveField("Message", test.want))))
	}
	w.Expect(w.nodes.State(w.kubelet.address("payments-0")).Chain.Blocks).To(BeZero())
	w.Expect(w.status(network).Status.Requested).To(BeNil(), "what is refused does not count")
}
